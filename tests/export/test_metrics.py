"""Exports of metrics: a row for each bucket, with the numbers that `/v1/query` gives."""

import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta
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
from tallymark.spec.query import Clause, Filter, Query
from tallymark.spec.window import Grain, Window
from tests.conftest import World, Worlds
from tests.export.conftest import DAY, Exported
from tests.export.reading import header, number, read

WINDOW = Window(DAY - timedelta(days=9), DAY)

#: One of each formula, of events and of sessions, exact and estimated.
METRICS = ("visitors", "new_visitors", "returning_share", "page_views", "value", "views_per_visitor", "sessions",
           "bounce_rate", "session_duration", "lcp_p75")  # fmt: skip

ON_TWO = Filter(((Clause("country", Op.IS, ("",)),), (Clause("path", Op.IS_NOT, ("/p1",)),)))


def visited(world: World) -> World:
    """A world with visits on five days of eleven, rolled up."""
    now = datetime(DAY.year, DAY.month, DAY.day, 23, tzinfo=UTC)
    events = []
    for number_ in range(150):
        n = number_ * 7_919
        at = now - timedelta(days=2 * (n % 5), hours=n % 4, minutes=n % 60)
        events.append(
            {
                "event": ["page_view", "page_view", "click", "sign_up"][n % 4],
                "timestamp": at.isoformat(),
                "eventId": f"e{number_}",
                "visitorId": f"v{n % 13}",
                "value": n % 11 / 4,
                "url": f"https://shop.example/p{n % 3}"
                + ["", "?utm_source=%3Dcmd()", "?utm_source=news,%20%22daily%22"][n % 3],
                "properties": {"lcpMs": n % 4_000},
            }
        )
    assert world.send(events, now) == []
    world.settle()
    return world


@pytest.fixture(scope="module")
def site(world: Worlds) -> World:
    """A world with visits, which tests leave as it is."""
    return visited(world())


@pytest.mark.parametrize(
    ("grain", "format"), [*((grain, Format.JSON) for grain in Grain), *((Grain.DAY, format) for format in Format)]
)
def test_rows_are_the_series_of_the_same_question(
    site: World, exported: Exported, format: Format, grain: Grain
) -> None:
    window = replace(WINDOW, grain=grain)
    rows = read(format, exported(site, Order(What.METRICS, format, window, METRICS)))
    answer = site.ask(Query(METRICS, window))
    assert [row["bucket"] for row in rows] == [point["t"] for point in answer["metrics"]["visitors"]["series"]]
    for name in METRICS:
        told = [point["value"] for point in answer["metrics"][name]["series"]]
        assert [number(row[name]) for row in rows] == told
        assert any(told) or (name, grain) == ("returning_share", Grain.MONTH)


@pytest.mark.parametrize(
    "asked", [{"filter": ON_TWO}, {"window": replace(WINDOW, timezone="Asia/Kolkata")}], ids=["filter", "timezone"]
)
def test_what_raw_events_answer(site: World, exported: Exported, asked: dict[str, Any]) -> None:
    order = Order(**{"what": What.METRICS, "format": Format.JSON, "window": WINDOW, "metrics": METRICS[:4], **asked})
    rows = read(Format.JSON, exported(site, order))
    answer = site.ask(Query(METRICS[:4], order.window, filter=order.filter))
    for name in METRICS[:4]:
        assert [row[name] for row in rows] == [point["value"] for point in answer["metrics"][name]["series"]]


@pytest.mark.parametrize("grain", [Grain.DAY, Grain.WEEK, Grain.MONTH])
def test_a_breakdown_is_the_question_of_each_bucket(site: World, exported: Exported, grain: Grain) -> None:
    """Every key of the window in each of its buckets, in the order in which an answer has them."""
    window = replace(WINDOW, grain=grain)
    rows = read(Format.JSON, exported(site, Order(What.METRICS, Format.JSON, window, METRICS, "source")))
    keys = [row["key"] for row in site.ask(Query(METRICS, window, by="source"))["breakdown"]]
    labels = [bucket.label for bucket in window.buckets()]
    assert [(row["bucket"], row["key"]) for row in rows] == [(label, key) for label in labels for key in keys]
    firsts = [datetime.fromisoformat(label).date() for label in labels] + [DAY + timedelta(days=1)]
    for place, label in enumerate(labels):
        part = replace(window, first=firsts[place], last=firsts[place + 1] - timedelta(days=1))
        told = {row["key"]: row for row in site.ask(Query(METRICS, part, by="source"))["breakdown"]}
        for row in rows:
            if row["bucket"] == label and row["key"] in told:
                assert {name: row[name] for name in METRICS} == {name: told[row["key"]][name] for name in METRICS}


def test_a_breakdown_by_the_hour(site: World, exported: Exported) -> None:
    """A key's hours are those of the question about that key."""
    window = Window(DAY - timedelta(days=1), DAY, "Europe/Berlin", Grain.HOUR)
    rows = read(Format.CSV, exported(site, Order(What.METRICS, Format.CSV, window, ("page_views", "visitors"), "path")))
    keys = {row["key"] for row in rows}
    assert len(rows) == 48 * len(keys)
    for key in keys:
        answer = site.ask(Query(("page_views", "visitors"), window, filter=Filter(((Clause("path", Op.IS, (key,)),),))))
        for name in ("page_views", "visitors"):
            told = [(point["t"], point["value"]) for point in answer["metrics"][name]["series"]]
            assert [(row["bucket"], number(row[name])) for row in rows if row["key"] == key] == told


def test_keys_are_texts(site: World, exported: Exported) -> None:
    order = Order(What.METRICS, Format.CSV, WINDOW, ("page_views",), "source")
    assert {row["key"] for row in read(Format.CSV, exported(site, order))} == {"(direct)", "'=cmd()", 'news, "daily"'}


def test_a_long_window_is_asked_for_in_parts(site: World, exported: Exported) -> None:
    window = Window(DAY - timedelta(days=1_000), DAY + timedelta(days=3))
    rows = read(Format.JSON, exported(site, Order(What.METRICS, Format.JSON, window, ("visitors", "new_visitors"))))
    answer = site.ask(Query(("visitors", "new_visitors"), window))["metrics"]
    assert [row["bucket"] for row in rows] == [str(day) for day in window.days()]
    for name in ("visitors", "new_visitors"):
        assert [row[name] for row in rows] == [point["value"] for point in answer[name]["series"]]


@pytest.mark.parametrize("format", Format)
@pytest.mark.parametrize("by", [None, "country"])
def test_nothing_happened(world: Worlds, exported: Exported, format: Format, by: str | None) -> None:
    """Buckets are there without events; keys are not."""
    data = exported(world(), Order(What.METRICS, format, WINDOW, ("visitors", "bounce_rate"), by))
    rows = read(format, data)
    assert len(rows) == (0 if by else 10)
    assert {(number(row["visitors"]), row["bounce_rate"]) for row in rows} == ({(0, None)} if rows else set())
    if format not in (Format.JSON, Format.JSONL):
        assert header(format, data) == ["bucket", *(["key"] if by else []), "visitors", "bounce_rate"]


def test_the_same_numbers_are_the_same_bytes(
    site: World, served: Engine, exported: Exported, tmp_path_factory: pytest.TempPathFactory
) -> None:
    spool = Spool(tmp_path_factory.mktemp("spool"))
    there = visited(replace(site, engine=served, store=Store(served, spool, 1 << 30)))
    orders = [Order(What.METRICS, format, WINDOW, METRICS) for format in Format]
    orders += [replace(order, window=Window(DAY, DAY), by="source") for order in orders]
    first = [exported(site, order) for order in orders]
    assert [exported(site, order) for order in orders] == first
    assert [exported(there, order) for order in orders] == first


def test_runs_that_are_removed_meanwhile_end_it(world: Worlds, tmp_path: Path) -> None:
    here = visited(world())
    source = Source(Answerer(here.engine, here.catalog, here.workers), tmp_path)

    def sweep(*_: int) -> None:
        here.engine.command("DELETE FROM rollups WHERE project = {project:UInt32}", {"project": here.project.id})

    with pytest.raises(Conflict, match="published anew"):
        write(Order(What.METRICS, Format.CSV, WINDOW, METRICS), here.project, source, io.BytesIO(), sweep)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "Say which metrics"),
        ({"metrics": ("visitors", "no_such")}, "no metric 'no_such'"),
        ({"metrics": ("visitors",), "by": "entry_path"}, "no dimension 'entry_path'"),
        ({"metrics": ("visitors",), "filter": Filter(((Clause("x", Op.IS, ("/",)),),))}, "no dimension 'x'"),
        (
            {"metrics": ("visitors",), "window": Window(DAY - timedelta(days=99), DAY, grain=Grain.HOUR)},
            "93 are allowed",
        ),
    ],
)
def test_what_metrics_can_not_be_asked(world: Worlds, fields: dict[str, Any], message: str) -> None:
    here = world()
    order = Order(**{"what": What.METRICS, "format": Format.CSV, "window": WINDOW, **fields})
    with pytest.raises(BadQuery, match=message):
        check(order, here.project, here.catalog)
