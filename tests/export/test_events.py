"""Exports of events: every stored event of the window once, in every format, as it was stored."""

import io
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from tallymark.answer.run import Answerer
from tallymark.engine.base import Engine
from tallymark.errors import BadQuery, Conflict
from tallymark.export.source import Source
from tallymark.export.write import Report, check, write
from tallymark.rollup.forget import forget
from tallymark.spec.condition import Op
from tallymark.spec.export import Format, Order, What
from tallymark.spec.query import Clause, Filter
from tallymark.spec.window import Window
from tests.conftest import World, Worlds
from tests.export.conftest import DAY, Exported, at, store
from tests.export.reading import Row, header, number, read

WINDOW = Window(DAY, DAY)

TEXTS = ("host", "path", "referrer_host", "source", "channel", "medium", "campaign", "term", "content", "country",
         "device", "browser", "os", "bot")  # fmt: skip

COLUMNS = ["time", "event", "event_id", "actor", "session", "value", *TEXTS, "variants", "props", "received_at"]

#: Texts that mean something to one format or another.
AWKWARD = (
    "plain", "", "=1+1", "\uff1d1+1", "+49 30", "-1", "@cmd", "\ttab", "\rreturn",
    "'quote", 'a "b", c', "line\nfeed\r\n", "nul\0",
    "é 日本 😀 ", " spaces ", "<r>&lt;</r>", "<r><t>x</t></r>", "_x0041_", "https://x.example/?a=1&b=2", "007", "1e5",
    "\u2028\ufffe\x1b", "{json}", "x" * 40_000, "😀" * 20_000, "null", "\\N", "//", "\\",
)  # fmt: skip


def events(world: World) -> list[dict[str, Any]]:
    """An event for each awkward text, in all its columns; ids small, large and absent."""
    rows = []
    for n, text in enumerate(AWKWARD):
        rows.append(
            {
                "event": f"event {text[:100]}",
                "occurred_at": at(n % 24) + n,
                "received_at": at(n % 24) + 2_000 + n,
                "event_id": [2**64 - 1 - n, n + 1][n % 2],
                "actor": [0, 2**63 + n, n][n % 3],
                "session": n % 2 * 2**60,
                "value": [None, 0.1 * n, -5, 1e15, 2.0][n % 5],
                **{name: AWKWARD[(n + place) % len(AWKWARD)][:300] for place, name in enumerate(TEXTS)},
                "path": text,
                "variants": [["checkout/green"], ["a/control", f"b/{text[:20]}"], []][n % 3],
                "props": json.dumps({"z": text, "a": {"d": n, "c": [1, "x", n % 2 == 0]}, "when": "2026-03-10"}),
            }
        )
    return rows


def expected(rows: Sequence[Mapping[str, Any]], format: Format) -> list[Row]:
    """What a file of these rows must say, in its order."""
    ordered = sorted(
        rows, key=lambda e: (e["occurred_at"] // 86_400_000, e["event"].encode(), e["actor"], e["event_id"])
    )
    return [{name: told(name, value, format) for name, value in plain(row).items()} for row in ordered]


def plain(event: Mapping[str, Any]) -> Row:
    """An event as its columns are described."""
    return {
        "time": instant(event["occurred_at"]),
        "event": event["event"],
        **{name: f"{event[name]:016x}" if event[name] else "" for name in ("event_id", "actor", "session")},
        "value": event["value"],
        **{name: event.get(name, "") for name in TEXTS},
        "variants": event.get("variants", []),
        "props": json.loads(event["props"]),
        "received_at": instant(event["received_at"]),
    }


def instant(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def told(name: str, value: Any, format: Format) -> Any:
    """A value as a format has it."""
    if format in (Format.CSV, Format.XLSX) and value == "":
        return None
    if name not in ("event", *TEXTS):
        return value
    if format is Format.CSV and value[0] in "=+-@\t\r\uff1d\uff0b\uff0d\uff20":
        return f"'{value}"
    if format is Format.XLSX:
        return value.encode("utf-16-le")[:65_534].decode("utf-16-le", "ignore")
    return value


def found(format: Format, data: bytes) -> list[Row]:
    """The rows of a file, with numbers and properties read."""
    rows = []
    for row in read(format, data):
        nested = format in (Format.JSON, Format.JSONL)
        props, variants = (row[name] if nested else json.loads(row[name]) for name in ("props", "variants"))
        assert nested or list(props) == sorted(props)
        value = number(row["value"]) if format is Format.CSV else row["value"]
        rows.append({**row, "props": props, "variants": variants, "value": value})
    return rows


@pytest.mark.parametrize("format", Format)
def test_every_event_is_in_the_file_as_it_was_stored(world: Worlds, exported: Exported, format: Format) -> None:
    here = world()
    rows = [row for row in events(here) if len(row["props"]) < 30_000 or format is not Format.XLSX]
    store(here, rows)
    data = exported(here, Order(What.EVENTS, format, WINDOW))
    assert found(format, data) == expected(rows, format)
    assert [list(row) for row in read(format, data)] == [COLUMNS] * len(rows)


@pytest.mark.parametrize("format", Format)
def test_no_events_are_a_file_that_says_its_columns(world: Worlds, exported: Exported, format: Format) -> None:
    data = exported(world(), Order(What.EVENTS, format, WINDOW))
    assert read(format, data) == []
    if format not in (Format.JSON, Format.JSONL):
        assert header(format, data) == COLUMNS


def test_the_window_is_of_days_in_its_time_zone(world: Worlds, exported: Exported) -> None:
    here = world()
    store(here, [{"event_id": n + 1, "occurred_at": at(-30) + n * 1_800_000} for n in range(160)])
    window = Window(DAY, DAY, "Asia/Kolkata")
    first, end = at(-5.5), at(18.5)  # India is five and a half hours ahead
    data = exported(here, Order(What.EVENTS, Format.JSONL, window))
    times = [row["time"] for row in read(Format.JSONL, data)]
    assert sorted(times) == [instant(ms) for ms in range(first, end, 1_800_000)]


def test_a_filter_lets_pass_what_fits(world: Worlds, exported: Exported) -> None:
    here = world()
    places = [("DE", "/a"), ("FR", "/a"), ("DE", "/b"), ("", "/a"), ("DE", "/shop/a")]
    store(here, [{"event_id": n + 1, "country": c, "path": p} for n, (c, p) in enumerate(places)])
    germans_or_strangers = (Clause("country", Op.IS, ("DE", "")),)
    not_b = (Clause("path", Op.IS_NOT, ("/b",)),)
    order = Order(What.EVENTS, Format.CSV, WINDOW, filter=Filter((germans_or_strangers, not_b)))
    ids = [int(row["event_id"], 16) for row in read(Format.CSV, exported(here, order))]
    assert ids == [1, 4, 5]


def test_an_event_that_was_sent_again_is_there_once(world: Worlds, exported: Exported) -> None:
    """The first to arrive is the one, whichever was stored first."""
    here = world()
    later = {"event_id": 7, "path": "/second", "received_at": at(14)}
    store(here, [later])
    store(here, [{"event_id": 7, "path": "/first", "received_at": at(13)}])
    store(here, [later])
    (row,) = read(Format.JSON, exported(here, Order(What.EVENTS, Format.JSON, WINDOW)))
    assert row["path"] == "/first"


def test_other_projects_are_not_in_it(world: Worlds, exported: Exported) -> None:
    here, there = world(), world()
    store(here, [{"event_id": 1}])
    store(there, [{"event_id": 2}])
    (row,) = read(Format.JSONL, exported(here, Order(What.EVENTS, Format.JSONL, WINDOW)))
    assert int(row["event_id"], 16) == 1


def test_properties_beyond_what_columns_hold(world: Worlds, exported: Exported) -> None:
    """The engine keeps a number of paths as columns, others elsewhere: a file has them all, sorted."""
    here, day = world(), date(2020, 2, 1)  # a month of its own, since large merges open a file for each path
    props = [json.dumps({f"p{n * 7 % 400:03}": n, "a": 1.5}) for n in range(400)]
    store(here, [{"event_id": n + 1, "occurred_at": at(12, day), "props": text} for n, text in enumerate(props)])
    rows = read(Format.CSV, exported(here, Order(What.EVENTS, Format.CSV, Window(day, day))))
    assert [row["props"] for row in rows] == [f'{{"a":1.5,"p{n * 7 % 400:03}":{n}}}' for n in range(400)]


def many(world: World) -> int:
    """More events than fit into a page: one day of many, days of few around it, and one of large events."""
    spread = [(3, 40), (2, 25_000), (1, 7), (0, 300)]
    for before, count in spread:
        start = at(0, DAY - timedelta(days=before))
        props = json.dumps({"text": "x" * 20_000}) if before == 0 else "{}"
        rows = [
            {"event_id": n + 1, "actor": n * 7_919 % 1_000, "event": f"e{n % 3}", "props": props} for n in range(count)
        ]
        store(world, [{**row, "occurred_at": start + n * 1_000} for n, row in enumerate(rows)])
    return sum(count for _, count in spread)


def test_many_pages_are_one_file(world: Worlds, exported: Exported) -> None:
    here = world()
    count = many(here)
    order = Order(What.EVENTS, Format.CSV, Window(DAY - timedelta(days=5), DAY + timedelta(days=5)))
    rows = read(Format.CSV, exported(here, order))
    keys = [(row["time"][:10], row["event"], row["actor"] or "", row["event_id"]) for row in rows]
    assert len(keys) == len(set(keys)) == count
    assert keys == sorted(keys)


def test_progress_is_told_page_by_page(world: Worlds, exported: Exported) -> None:
    here = world()
    count = many(here)
    told: list[tuple[int, int]] = []
    order = Order(What.EVENTS, Format.ARROW, Window(DAY - timedelta(days=5), DAY))
    export(here, order, lambda rows, of: told.append((rows, of)))
    done = [rows for rows, _ in told]
    assert done == sorted(set(done))
    assert told[-1] == (count, count)
    assert {of for _, of in told} == {count}
    assert max(later - earlier for earlier, later in pairwise([0, *done])) <= 10_000
    assert len(told) >= 5


def test_events_that_come_meanwhile_are_not_in_it(world: Worlds) -> None:
    here = world()
    store(here, [{"event_id": n + 1, "event": f"e{n % 3}"} for n in range(12_000)])
    added = iter([[{"event_id": 99_999 + n, "event": f"e{n}"} for n in range(4)]])
    data = export(here, Order(What.EVENTS, Format.CSV, WINDOW), lambda *_: store(here, next(added, [])))
    assert len(read(Format.CSV, data)) == 12_000
    again = export(here, Order(What.EVENTS, Format.CSV, WINDOW), lambda *_: None)
    assert len(read(Format.CSV, again)) == 12_004


def test_pages_are_small_whatever_came_before(world: Worlds) -> None:
    """Large events behind small ones on the same day."""
    here = world()
    store(here, [{"event_id": n + 1, "event": "a"} for n in range(12_000)])
    large = json.dumps({"text": "x" * 59_000})
    for start in range(0, 1_500, 300):
        store(here, [{"event_id": start + n + 1, "event": "b", "props": large} for n in range(300)])
    sizes = [0] * 12_000 + [len(large)] * 1_500
    told: list[int] = [0]
    export(here, Order(What.EVENTS, Format.CSV, WINDOW), lambda rows, _: told.append(rows))
    assert told[-1] == len(sizes)
    assert max(sum(sizes[first:end]) for first, end in pairwise(told)) < 64 << 20


def test_events_of_a_clock_that_was_ahead(world: Worlds) -> None:
    here = world()
    store(here, [{"event_id": 1}])
    store(here, [{"event_id": 2}], inserted_at=datetime.now(UTC) + timedelta(hours=1))
    data = export(here, Order(What.EVENTS, Format.CSV, WINDOW), lambda *_: None)
    assert len(read(Format.CSV, data)) == 2


LONG_AGO = datetime.now(UTC) - timedelta(hours=1)


def visitors(first: int = 0) -> list[dict[str, Any]]:
    """Events of two pages and a half, of 50 actors in turn."""
    return [{"event_id": n + 1, "event": f"e{n % 3}", "actor": n % 50 + 1} for n in range(first, 25_000)]


@pytest.mark.parametrize("inserted_at", [None, LONG_AGO], ids=["just now", "long ago"])
@pytest.mark.parametrize("actors", [[7], list(range(1, 51))], ids=["a person", "everybody"])
def test_events_that_are_deleted_meanwhile_end_it(
    world: Worlds, inserted_at: datetime | None, actors: list[int]
) -> None:
    here = world()
    store(here, visitors(), inserted_at=inserted_at)

    def meanwhile(*_: int) -> None:
        forget(here.engine, here.project, actors)

    with pytest.raises(Conflict, match="deleted while they were exported"):
        export(here, Order(What.EVENTS, Format.CSV, WINDOW), meanwhile)
    left = read(Format.CSV, export(here, Order(What.EVENTS, Format.CSV, WINDOW), lambda *_: None))
    assert len(left) == 25_000 - 500 * len(actors)


def test_events_that_are_deleted_are_missed_though_others_come(world: Worlds) -> None:
    """Some that were on their way when the export began are seen later, more of them than are deleted."""
    here, begun = world(), datetime.now(UTC)
    store(here, visitors(), inserted_at=LONG_AGO)
    late = [{"event_id": n + 90_000, "event": "a"} for n in range(1_000)]

    def meanwhile(*_: int) -> None:
        forget(here.engine, here.project, [7])
        store(here, late, inserted_at=begun)

    with pytest.raises(Conflict, match="deleted while they were exported"):
        export(here, Order(What.EVENTS, Format.CSV, WINDOW), meanwhile)


def test_events_that_were_on_their_way_end_nothing(world: Worlds) -> None:
    here, begun = world(), datetime.now(UTC)
    store(here, visitors(1_000), inserted_at=LONG_AGO)
    order = Order(What.EVENTS, Format.CSV, WINDOW)
    data = export(here, order, lambda *_: store(here, visitors()[:1_000], inserted_at=begun))
    assert 24_000 <= len(read(Format.CSV, data)) <= 25_000


class Enough(Exception):
    """An export is not wanted any more."""


@pytest.mark.parametrize("format", Format)
def test_who_is_told_may_end_it(world: Worlds, tmp_path: Path, format: Format) -> None:
    """Nothing is left behind, and nothing is read any more."""
    here = world()
    store(here, [{"event_id": n + 1} for n in range(3_000)])
    told = []

    def stop(rows: int, _: int) -> None:
        told.append(rows)
        raise Enough

    source = Source(Answerer(here.engine, here.catalog, here.workers), tmp_path)
    with pytest.raises(Enough):
        write(Order(What.EVENTS, format, WINDOW), here.project, source, io.BytesIO(), stop)
    assert told == [3_000]
    assert list(tmp_path.iterdir()) == []


def export(world: World, order: Order, report: Report) -> bytes:
    """The file of an order that is told of its pages."""
    sink = io.BytesIO()
    with TemporaryDirectory() as scratch:
        source = Source(Answerer(world.engine, world.catalog, world.workers), Path(scratch))
        write(order, world.project, source, sink, report)
    return sink.getvalue()


def test_the_same_events_are_the_same_bytes(world: Worlds, served: Engine, exported: Exported) -> None:
    """However often they are written, however they lie in the engine, and whichever engine it is."""
    here = world()
    there = here.on(served)
    rows = [{**row, "event_id": row["event_id"] ^ copy << 40} for copy in range(60) for row in events(here)[:20]]
    for batch in (rows[::3], rows[1::3], rows[2::3], rows[::5]):
        store(here, batch)
    store(there, rows[::-1])
    orders = [Order(What.EVENTS, format, Window(DAY - timedelta(days=1), DAY)) for format in Format]
    first = [exported(here, order) for order in orders]
    assert [exported(here, order) for order in orders] == first
    here.engine.command("OPTIMIZE TABLE events FINAL")
    assert [exported(here, order) for order in orders] == first
    assert [exported(there, order) for order in orders] == first
    assert {len(read(order.format, data)) for order, data in zip(orders, first, strict=True)} == {len(rows)}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"metrics": ("visitors",)}, "not exported by metric"),
        ({"by": "path"}, "not exported by dimension"),
        ({"filter": Filter(((Clause("entry_path", Op.IS, ("/",)),),))}, "no dimension 'entry_path'"),
        ({"filter": Filter(((Clause("planet", Op.IS, ("x",)),),))}, "no dimension 'planet'"),
    ],
)
def test_what_events_can_not_be_asked(world: Worlds, fields: dict[str, Any], message: str) -> None:
    here, sink = world(), io.BytesIO()
    order = Order(What.EVENTS, Format.CSV, WINDOW, **fields)
    with pytest.raises(BadQuery, match=message):
        check(order, here.project, here.catalog)
    source = Source(Answerer(here.engine, here.catalog, here.workers), Path("nowhere"))
    with pytest.raises(BadQuery, match=message):
        write(order, here.project, source, sink, lambda *_: None)
    assert sink.getvalue() == b""
