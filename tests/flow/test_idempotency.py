"""Doing anything again changes no number: refreshing, backfilling, sending, sweeping."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

import msgspec
import pyarrow as pa
import pytest

from tallymark.engine.base import Params, Row
from tallymark.rollup.refresh import Outcome
from tallymark.rollup.run import Run, published
from tallymark.rollup.sweep import sweep
from tallymark.spec.catalog import Catalog
from tallymark.spec.condition import Op
from tallymark.spec.query import Clause, Filter, Query
from tallymark.spec.window import Window
from tests.conftest import World, Worlds
from tests.engines import Passing
from tests.flow.test_oracle import Traffic
from tests.oracle import METRICS, OF_EVENTS, OF_SESSIONS

FIRST = date(2026, 3, 6)
LAST = date(2026, 3, 11)
WHOLE = Window(FIRST, LAST)
NOON = datetime(2026, 3, 8, 12, tzinfo=UTC)

#: Metrics of events whose breakdowns are rolled up; those of web vitals' shares are answered from raw events.
KEPT = tuple(name for name in OF_EVENTS if not name.endswith(("_good", "_fair", "_poor")))


@dataclass
class Clocked(Passing):
    """An engine whose clock stands still."""

    at: datetime

    def query(self, sql: str, params: Params | None = None) -> Sequence[Row]:
        return super().query(self._stopped(sql), params)

    def read(self, sql: str, params: Params | None = None) -> pa.Table:
        return super().read(self._stopped(sql), params)

    def _stopped(self, sql: str) -> str:
        stands = f"fromUnixTimestamp64Milli({round(self.at.timestamp() * 1000)}, 'UTC')"
        return sql.replace("now64(3, 'UTC')", stands)


def answers(world: World, window: Window = WHOLE) -> bytes:
    """Everything that rollups say of a window, as bytes."""
    window, kept = replace(window, timezone=world.project.timezone), _known(world, KEPT)
    questions = [
        Query(_known(world, METRICS), window, window.before()),
        Query((*kept, "new_visitors"), window, by="path"),
        Query((*kept, "returning_share"), window, by="source", filter=_like("source", "oo")),
        Query(tuple(OF_SESSIONS), window, window.before(), by="entry_path"),
        Query(tuple(OF_SESSIONS), window, by="country"),
    ]
    return b"\n".join(msgspec.json.encode(world.ask(question)) for question in questions)


def _known(world: World, metrics: Sequence[str]) -> tuple[str, ...]:
    """Those of some metrics that the project has."""
    known = world.catalog.only(world.project.packs).metrics
    return tuple(name for name in metrics if name in known)


def _like(dimension: str, part: str) -> Filter:
    return Filter(((Clause(dimension, Op.CONTAINS, (part,)),),))


def _numbers(world: World, *metrics: str, exact: bool = False, by: str | None = None) -> dict[str, Any]:
    window = replace(WHOLE, timezone=world.project.timezone)
    told: dict[str, Any] = world.ask(Query(metrics, window, by=by, exact=exact, limit=5_000))
    return told


def _view(actor: str, at: datetime, **fields: Any) -> dict[str, Any]:
    return {
        "event": "page_view",
        "visitorId": actor,
        "timestamp": at.isoformat(),
        "url": "https://a.example/",
        **fields,
    }


def _runs(world: World) -> dict[date, Run]:
    return {run.day: run for run in published(world.engine, world.project.id)}


def test_refreshing_again_in_any_order_changes_no_byte(world: Worlds) -> None:
    random, zone = Random(7), "America/St_Johns"
    first, second = (world(name="same", timezone=zone) for _ in range(2))
    batches = Traffic(random, zone, FIRST).batches(60)
    days = [FIRST + timedelta(days=i) for i in range(6)]
    for hour, batch in enumerate(batches):
        first.send(batch, NOON + timedelta(hours=hour))
    first.settle()
    told = answers(first)

    for day in random.sample(days, len(days)):
        assert first.refresh([day])[day] in (Outcome.UNCHANGED, Outcome.EMPTY)
    assert answers(first) == told
    for day in random.sample(days, len(days)):
        first.refresh([day], force=True)
    assert answers(first) == told
    first.refresh(days, force=True)
    assert answers(first) == told

    for hour, batch in enumerate(batches):
        second.send(batch, NOON + timedelta(hours=hour))
        second.settle()
    second.refresh(random.sample(days, 4), force=True)
    assert answers(second) == told


def test_a_refresh_of_the_same_events_publishes_the_same_run(world: Worlds) -> None:
    here = world()
    here.send([_view("ann", NOON)], NOON)
    here.settle()
    before = _runs(here)
    assert here.refresh([NOON.date()]) == {NOON.date(): Outcome.UNCHANGED}
    assert {day: run.run for day, run in _runs(here).items()} == {day: run.run for day, run in before.items()}
    assert here.stale() == []


def test_empty_days_beside_a_day_with_events_are_looked_at_once(world: Worlds) -> None:
    here = world(timezone="Asia/Kolkata")
    here.send([_view("ann", NOON)], NOON)
    assert here.settle() == [NOON.date()]
    assert here.stale_days.find([here.project]) == {}
    here.send([_view("ann", NOON + timedelta(days=1))], NOON)
    assert here.settle() == [NOON.date() + timedelta(days=1)]


def test_sending_everything_again_changes_no_byte(world: Worlds) -> None:
    here = world()
    batches = Traffic(Random(7), "UTC", FIRST).batches(60)
    for now in (NOON, NOON + timedelta(days=3)):
        for batch in batches:
            here.send([event for event in batch if event.get("url") != "https://again.example/again"], now)
        here.settle()
        if now == NOON:
            told = answers(here)
    assert answers(here) == told


def test_a_late_event_that_moves_a_first_visit_mends_both_days(world: Worlds) -> None:
    here = world()
    here.send([_view("ann", NOON), _view("bob", NOON - timedelta(days=1))], NOON)
    here.settle()
    late = NOON - timedelta(days=2)
    here.send([_view("ann", late)], NOON + timedelta(days=1))
    assert late.date() in here.stale()
    assert NOON.date() in here.settle()
    told = _numbers(here, "new_visitors", "returning_visitors")["metrics"]
    assert [p["value"] for p in told["new_visitors"]["series"]] == [1, 1, 0, 0, 0, 0]
    assert [p["value"] for p in told["returning_visitors"]["series"]] == [0, 0, 1, 0, 0, 0]
    assert answers(here) == _again(here)
    assert told == _numbers(here, "new_visitors", "returning_visitors", exact=True)["metrics"]


def _again(world: World) -> bytes:
    world.refresh([FIRST + timedelta(days=i) for i in range(6)], force=True)
    return answers(world)


def test_other_definitions_make_days_stale_and_others_not(world: Worlds, catalog: Catalog) -> None:
    here = world()
    here.send([_view("ann", NOON)], NOON)
    here.settle()
    told = _numbers(here, "events", "actors")["metrics"]
    core = replace(here, catalog=Catalog.of(pack for pack in catalog.packs if pack.name == "core"))
    assert core.catalog.digest != catalog.digest
    assert core.settle() == [NOON.date()]
    assert core.stale() == []
    assert _numbers(core, "events", "actors")["metrics"] == told
    assert here.changed(name="renamed").stale() == [NOON.date()]
    assert core.changed(name="renamed", pii="reject").stale() == []


def test_another_zone_of_the_project_makes_its_days_stale(world: Worlds) -> None:
    here = world()
    here.send([_view("ann", NOON.replace(hour=hour)) for hour in (0, 3, 12, 23)], NOON)
    here.settle()
    moved = here.changed(timezone="Asia/Kolkata")
    assert NOON.date() in moved.settle()
    told = _numbers(moved, *_known(moved, METRICS))
    assert [p["value"] for p in told["metrics"]["page_views"]["series"]] == [0, 0, 3, 1, 0, 0]
    assert told["metrics"] == _numbers(moved, *_known(moved, METRICS), exact=True)["metrics"]


def test_a_day_moves_from_the_open_shelf_when_it_has_ended(world: Worlds) -> None:
    here, noon = world(), datetime(2027, 6, 10, 12, tzinfo=UTC)
    window = Window(noon.date(), noon.date())
    here.send([_view("ann", noon), _view("bob", noon)], noon)
    today, tomorrow = here.on(Clocked(here.engine, noon)), here.on(Clocked(here.engine, noon + timedelta(days=1)))
    assert today.refresh([noon.date()]) == {noon.date(): Outcome.PUBLISHED}
    assert _runs(here)[noon.date()].provisional
    assert today.refresh([noon.date()]) == {noon.date(): Outcome.UNCHANGED}
    told = answers(here, window)
    assert tomorrow.stale() == [noon.date()]
    assert tomorrow.refresh([noon.date()]) == {noon.date(): Outcome.PUBLISHED}
    assert not _runs(here)[noon.date()].provisional
    assert answers(here, window) == told
    assert tomorrow.on(tomorrow.engine).stale() == []

    sweep(here.engine, noon + timedelta(days=2))
    assert _stored_runs(here, "rollups") == _stored_runs(here, "sessions") == [_runs(here)[noon.date()].run]
    assert answers(here, window) == told


def test_a_sealed_day_is_left_alone_whatever_comes(world: Worlds) -> None:
    """A day's events expire two days after the retention is over since its end."""
    here, noon = world(retention_hours=24), datetime(2027, 7, 10, 12, tzinfo=UTC)
    window, expired = Window(noon.date(), noon.date()), datetime(2027, 7, 14, tzinfo=UTC)
    here.send([_view("ann", noon)], noon)
    here.on(Clocked(here.engine, noon)).settle()
    told = answers(here, window)
    later = here.on(Clocked(here.engine, expired))
    here.send([_view("bob", noon)], noon + timedelta(hours=24))
    assert here.on(Clocked(here.engine, expired - timedelta(milliseconds=1))).stale() == [noon.date()]
    assert later.stale() == []
    (refused,) = later.refresher.refresh(here.project, [noon.date()], force=True)
    assert (refused.outcome, refused.day) == (Outcome.SEALED, noon.date())
    assert "2027-07-14 00:00 UTC" in refused.message
    assert answers(here, window) == told


def test_a_sweep_removes_superseded_rows_and_nothing_else(world: Worlds) -> None:
    here, other = world(), world()
    for each in (here, other):
        each.send([_view(actor, NOON + timedelta(days=day)) for day in (0, 1) for actor in ("ann", "bob")], NOON)
        each.settle()
    told, told_of_other = answers(here), answers(other)
    for _ in range(3):
        here.refresh([NOON.date()], force=True)
    live = sorted(run.run for run in _runs(here).values())
    now = datetime.now(UTC)
    sweep(here.engine, now)
    assert len(_stored_runs(here, "rollups")) == len(live) + 3
    sweep(here.engine, now + timedelta(hours=2))
    assert _stored_runs(here, "rollups") == _stored_runs(here, "sessions") == live
    assert (answers(here), answers(other)) == (told, told_of_other)


def _stored_runs(world: World, table: str) -> list[int]:
    rows = world.engine.query(
        f"SELECT DISTINCT run FROM {table} WHERE project = {{project:UInt32}} ORDER BY run",
        {"project": world.project.id},
    )
    return [row[0] for row in rows]


def test_keys_beyond_a_thousand_are_added_up_and_totals_stay_whole(world: Worlds) -> None:
    here = world()
    views = [
        _view(f"v{i % 50}", NOON + timedelta(seconds=i), url=f"https://a.example/{i % 1_100}") for i in range(1_150)
    ]
    here.send(views, NOON)
    here.settle()
    told, exact = (_numbers(here, "page_views", "visitors", by="path", exact=exact) for exact in (False, True))
    assert told["metrics"] == exact["metrics"]
    assert told["metrics"]["page_views"]["value"] == 1_150
    rows = {row["key"]: row for row in told["breakdown"]}
    assert len(rows) == 1_001
    assert len(exact["breakdown"]) == 1_100
    assert sum(row["page_views"] for row in rows.values()) == 1_150
    assert rows["(other)"]["page_views"] == 100
    assert rows["(other)"]["visitors"] == 50
    assert all(rows[f"/{i}"]["page_views"] == 2 for i in range(50))


def test_a_filter_on_a_key_that_was_too_many_is_answered_from_raw_events(world: Worlds) -> None:
    here = world()
    here.send([_view("ann", NOON, url=f"https://a.example/{i:04}") for i in range(1_010)], NOON)
    here.settle()
    last = Filter(((Clause("path", Op.IS, ("/1009",)),),))
    told = here.ask(Query(("page_views", "visitors"), WHOLE, filter=last), explain=True)
    assert told["metrics"]["page_views"]["value"] == told["metrics"]["visitors"]["value"] == 1
    assert {part["from"] for part in told["plan"]} == {"raw"}


MIDNIGHT = datetime(2026, 3, 9, tzinfo=UTC)
EVENING = "2026-03-08T20:00:00Z"
LAST_MOMENT = "2026-03-08T23:59:59.999Z"
Sent = Callable[[datetime], dict[str, Any]]


@pytest.mark.parametrize(
    "sent",
    [
        lambda now: {"eventId": "1"},
        lambda now: {"timestamp": EVENING, "sentAt": (now - timedelta(hours=2)).isoformat(), "eventId": "1"},
        lambda now: {"timestamp": EVENING, "sentAt": (now - timedelta(hours=2)).isoformat()},
        lambda now: {"timestamp": LAST_MOMENT, "sentAt": now.isoformat()},
        lambda now: {"timestamp": LAST_MOMENT},
    ],
    ids=["no time", "wrong clock and id", "wrong clock", "right clock", "a time"],
)
def test_an_event_sent_again_after_midnight_counts_once(world: Worlds, sent: Sent) -> None:
    here = world()
    before, after = MIDNIGHT - timedelta(milliseconds=1), MIDNIGHT + timedelta(hours=3)
    for now in (before, after):
        here.send([{"event": "page_view", "visitorId": "ann", **sent(now)}], now)
        here.settle()
    series = _numbers(here, "page_views")["metrics"]["page_views"]["series"]
    assert [p["value"] for p in series] == [0, 0, 1, 0, 0, 0]


def test_events_without_an_id_and_a_time_are_distinct(world: Worlds) -> None:
    here = world()
    for _ in range(2):
        here.send([{"event": "page_view", "visitorId": "ann"}] * 2, NOON)
    here.settle()
    assert _numbers(here, "page_views")["metrics"]["page_views"]["value"] == 4
