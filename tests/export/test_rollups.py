"""Exports of rollups: the stored rows of published runs, as plain Python computes them from the events."""

import io
import statistics
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from math import ceil
from pathlib import Path
from typing import Any

import pytest

from tallymark.answer.run import Answerer
from tallymark.engine.base import Engine
from tallymark.errors import BadQuery, Conflict
from tallymark.export.source import Source
from tallymark.export.write import check, write
from tallymark.ingest.spool import Spool
from tallymark.ingest.store import Store
from tallymark.spec.condition import Op
from tallymark.spec.export import Format, Order, What
from tallymark.spec.project import Project
from tallymark.spec.query import Clause, Filter
from tallymark.spec.window import Window
from tests.conftest import World, Worlds
from tests.export.conftest import DAY, Exported
from tests.export.reading import Row, header, number, read

WINDOW = Window(DAY - timedelta(days=1), DAY)

COLUMNS = ["day", "measure", "dimension", "key", "n", "total", "mean", "variance", "actors", "p50", "p95", "p99"]

NOW = datetime(DAY.year, DAY.month, DAY.day, 23, tzinfo=UTC)

VIEWS = "count(event is 'page_view' and bot is '')"
VISITORS = "actors(event is 'page_view' and bot is '')"
VALUE = "sum(value; bot is '')"
VIEWS_OF_SESSIONS = "sessions:moments(views; views > 0)"
LCP = "quantiles(props.lcpMs; bot is '')"


def visits(day: date) -> list[dict[str, Any]]:
    """Visitor n views n + 1 pages, a minute apart."""
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    return [
        {
            "event": "page_view",
            "timestamp": (noon + timedelta(minutes=view)).isoformat(),
            "eventId": f"{day}-{visitor}-{view}",
            "visitorId": f"v{visitor}",
            "value": visitor / 10 + view * 1e-9,
            "url": f"https://shop.example/p{(visitor * 7 + view) % 3}",
            "properties": {"lcpMs": 100 + (visitor * 37 + view * 11) % 3_000},
        }
        for visitor in range(9)
        for view in range(visitor + 1)
    ]


def published(world: World) -> World:
    """A world with two days of visits, rolled up."""
    for day in (DAY - timedelta(days=1), DAY):
        assert world.send(visits(day), NOW) == []
    world.settle()
    return world


@pytest.fixture(scope="module")
def site(world: Worlds) -> World:
    """A world with visits, which tests leave as it is."""
    return published(world())


def row(rows: list[Row], measure: str, dimension: str = "", key: str = "", day: date = DAY) -> Row:
    """The one row of a measure."""
    wanted = (str(day), measure, dimension or None, key or None)
    (found,) = [r for r in rows if (str(r["day"]), r["measure"], r["dimension"] or None, r["key"] or None) == wanted]
    return found


def numbers(found: Row) -> dict[str, float]:
    """The numbers of a row that has them."""
    return {name: n for name in COLUMNS[4:] if (n := number(found[name])) is not None}


@pytest.mark.parametrize("format", Format)
def test_rows_are_what_plain_python_says(site: World, exported: Exported, format: Format) -> None:
    rows = read(format, exported(site, Order(What.ROLLUPS, format, WINDOW)))
    assert [list(each) for each in rows] == [COLUMNS] * len(rows)
    events = visits(DAY)
    assert numbers(row(rows, VIEWS)) == {"n": len(events)}
    assert numbers(row(rows, VISITORS)) == {"n": len(events), "actors": 9}
    for path, n in Counter(e["url"].removeprefix("https://shop.example") for e in events).items():
        assert numbers(row(rows, VIEWS, "path", path)) == {"n": n}
    total = sum(round(Decimal(e["value"]), 9) for e in events)
    assert numbers(row(rows, VALUE)) == pytest.approx({"n": len(events), "total": float(total)}, abs=0, rel=1e-15)
    sessions = [n + 1 for n in range(9)]
    spread = {"n": 9, "total": 45, "mean": 5, "variance": statistics.variance(sessions)}
    assert numbers(row(rows, VIEWS_OF_SESSIONS)) == spread
    times = sorted(e["properties"]["lcpMs"] for e in events)
    levels = {f"p{level}": times[ceil(level / 100 * len(times)) - 1] for level in (50, 95, 99)}
    assert numbers(row(rows, LCP)) == pytest.approx({"n": len(events), **levels}, rel=0.005)


def test_sums_are_exact(site: World, exported: Exported) -> None:
    """All digits that are kept, where a format has no numbers but text."""
    rows = read(Format.CSV, exported(site, Order(What.ROLLUPS, Format.CSV, WINDOW)))
    total = sum(round(Decimal(e["value"]), 9) for e in visits(DAY))
    assert row(rows, VALUE)["total"] == str(total)


def test_every_row_of_a_published_run_is_there_in_order(site: World, exported: Exported) -> None:
    rows = read(Format.JSONL, exported(site, Order(What.ROLLUPS, Format.JSONL, WINDOW)))
    keys = [(r["day"], r["dimension"], r["measure"], r["key"]) for r in rows]
    assert keys == sorted(keys)
    stored = site.engine.query(
        "SELECT toString(day), dim, measure, key FROM rollups WHERE project = {project:UInt32} "
        "AND run IN (SELECT run FROM runs FINAL WHERE project = {project:UInt32}) ORDER BY day, dim, measure, key",
        {"project": site.project.id},
    )
    assert keys == list(stored)


def test_superseded_runs_are_not_in_it(world: Worlds, exported: Exported) -> None:
    here = published(world())
    extra = {**visits(DAY)[0], "eventId": "one more", "visitorId": "another"}
    here.send([extra], NOW)
    here.settle()
    rows = read(Format.JSON, exported(here, Order(What.ROLLUPS, Format.JSON, WINDOW)))
    assert row(rows, VIEWS)["n"] == len(visits(DAY)) + 1
    assert row(rows, VIEWS, day=DAY - timedelta(days=1))["n"] == len(visits(DAY))


def test_rows_of_metrics_and_of_a_dimension(site: World, exported: Exported) -> None:
    order = Order(What.ROLLUPS, Format.JSON, Window(DAY, DAY), ("page_views", "returning_visitors"), "path")
    rows = read(Format.JSON, exported(site, order))
    assert {(r["dimension"], r["measure"]) for r in rows} == {("path", VIEWS), ("path", VISITORS)}
    assert {r["key"] for r in rows} == {"/p0", "/p1", "/p2"}
    assert {r["day"] for r in rows} == {str(DAY)}


@pytest.mark.parametrize("format", Format)
def test_no_rollups_are_a_file_that_says_its_columns(world: Worlds, exported: Exported, format: Format) -> None:
    data = exported(world(), Order(What.ROLLUPS, format, WINDOW))
    assert read(format, data) == []
    if format not in (Format.JSON, Format.JSONL):
        assert header(format, data) == COLUMNS


def test_keys_that_would_run_in_a_spreadsheet(world: Worlds, exported: Exported) -> None:
    here = world()
    here.send([{**visits(DAY)[0], "url": "https://shop.example/?utm_source=%3Dcmd()"}], NOW)
    here.settle()
    rows = read(Format.CSV, exported(here, Order(What.ROLLUPS, Format.CSV, WINDOW, by="source")))
    assert {r["key"] for r in rows} == {"'=cmd()"}


def test_the_same_rollups_are_the_same_bytes(
    world: Worlds, served: Engine, exported: Exported, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Computed anew, merged, or in another engine: runs differ, and what they hold does not."""
    here = published(world())
    spool = Spool(tmp_path_factory.mktemp("spool"))
    there = published(replace(here, engine=served, store=Store(served, spool, 1 << 30)))
    orders = [Order(What.ROLLUPS, format, WINDOW) for format in Format]
    first = [exported(here, order) for order in orders]
    assert [exported(there, order) for order in orders] == first
    here.refresh([DAY - timedelta(days=1), DAY], force=True)
    here.engine.command("OPTIMIZE TABLE rollups FINAL")
    assert [exported(here, order) for order in orders] == first


def test_runs_that_are_removed_meanwhile_end_it(world: Worlds, tmp_path: Path) -> None:
    """Then rows may be missing, and nobody could tell."""
    here = published(world())
    source = Source(Answerer(here.engine, here.catalog, here.workers), tmp_path)

    def sweep(*_: int) -> None:
        remove = "DELETE FROM rollups WHERE project = {project:UInt32} AND day = {day:Date}"
        here.engine.command(remove, {"project": here.project.id, "day": DAY})

    with pytest.raises(Conflict, match="published anew"):
        write(Order(What.ROLLUPS, Format.CSV, WINDOW), here.project, source, io.BytesIO(), sweep)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"metrics": ("visitors", "no_such")}, "no metric 'no_such'"),
        ({"by": "planet"}, "no dimension 'planet'"),
        ({"filter": Filter(((Clause("path", Op.IS, ("/",)),),))}, "leave filters out"),
        ({"window": Window(DAY, DAY, "Europe/Berlin")}, "days in UTC, not in Europe/Berlin"),
    ],
)
def test_what_rollups_can_not_be_asked(
    world: Worlds, project: Callable[..., Project], fields: dict[str, Any], message: str
) -> None:
    order = Order(**{"what": What.ROLLUPS, "format": Format.CSV, "window": WINDOW, **fields})
    with pytest.raises(BadQuery, match=message):
        check(order, project(), world().catalog)
