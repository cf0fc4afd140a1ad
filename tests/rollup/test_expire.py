"""What is past its retention goes, by whole days; published numbers stay, and nothing derived outlives its events.

An earlier version let each event expire when it had been kept long enough since its arrival: days of such events begin
to expire by themselves before they are over, or in the middle.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tallymark.control.database import open_database
from tallymark.control.leases import Leases
from tallymark.control.projects import Projects
from tallymark.engine.base import Engine, Params
from tallymark.errors import Conflict, EngineUnavailable
from tallymark.ingest.enrich import Enricher
from tallymark.ingest.gate import Batch
from tallymark.ingest.rows import Rows
from tallymark.rollup.check import check
from tallymark.rollup.expire import delete, leaving, seal
from tallymark.rollup.keeper import Keeper
from tallymark.rollup.refresh import Outcome
from tallymark.rollup.restores import note
from tallymark.rollup.run import Run, published
from tallymark.spec.query import Query
from tallymark.spec.window import Window, midnight
from tests.conftest import World, Worlds
from tests.flow.test_idempotency import Clocked, answers
from tests.flow.test_oracle import Traffic

#: To come, so that the engine's own TTL takes nothing meanwhile; a Sunday in March.
FIRST = date(2041, 3, 3)
NOON = datetime(2041, 3, 3, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)

#: The end of FIRST, in UTC.
MIDNIGHT = datetime(2041, 3, 4, tzinfo=UTC)

#: The engine of a refresh or purge at an instant.
Keepers = Callable[[World, datetime], Keeper]


@pytest.fixture
def keeper(tmp_path: Path) -> Iterator[Keepers]:
    """Makes keepers of a world whose engine's clock stands at an instant."""
    database = open_database(f"sqlite:///{tmp_path / 'control.db'}")

    def make(world: World, at: datetime) -> Keeper:
        engine = Clocked(world.engine, at)
        return Keeper(engine, world.catalog, Projects(database), Leases(database), 0, "tests")

    yield make
    database.close()


class Former(Enricher):
    """Makes rows as an earlier version did: they expire once kept long enough since their arrival."""

    def rows(self, batch: Batch, ip: str, origin: int = 0) -> Rows:
        rows = super().rows(batch, ip, origin)
        kept_for = batch.project.retention_hours * 3_600
        return replace(rows, expires_at=[arrived // 1000 + kept_for for arrived in rows.received_at])


def formerly(world: World) -> World:
    """The world as an earlier version stored its events."""
    return replace(world, enricher=Former(world.enricher.secret, world.enricher.countries))


def at(world: World, moment: datetime) -> World:
    """The world at an instant."""
    return world.on(Clocked(world.engine, moment))


def view(actor: str, moment: datetime, **fields: Any) -> dict[str, Any]:
    return {"event": "page_view", "visitorId": actor, "timestamp": moment.isoformat(), **fields}


def arrive(world: World, *moments: datetime, actor: str = "ann", **fields: Any) -> None:
    """A page view at each moment, each arriving when it happens."""
    for moment in moments:
        assert world.send([view(actor, moment, **fields)], moment) == []


def runs(world: World) -> dict[date, Run]:
    return {run.day: run for run in published(world.engine, world.project.id)}


def sealed(world: World, now: datetime) -> list[date]:
    return [day for day, run in runs(world).items() if run.sealed(now)]


def stored(world: World) -> list[datetime]:
    """When the project's events happened."""
    sql = "SELECT occurred_at FROM events FINAL WHERE project = {project:UInt32} ORDER BY occurred_at"
    return [row[0].replace(tzinfo=UTC) for row in world.engine.query(sql, {"project": world.project.id})]


def everything(world: World) -> list[list[Any]]:
    """All rows of the tables that a purge or a refresh may touch."""
    tables = ("events", "sessions", "rollups", "runs", "actors", "marks", "pins")
    return [
        sorted(
            world.engine.query(
                f"SELECT toString(tuple(*)) FROM {table} WHERE project = {{project:UInt32}}",
                {"project": world.project.id},
            )
        )
        for table in tables
    ]


def exact(world: World, first: date, last: date, *metrics: str) -> dict[str, Any]:
    window = Window(first, last, world.project.timezone)
    told = world.ask(Query(metrics, window, exact=True))["metrics"]
    return {name: told[name]["value"] for name in metrics}


def bereft(world: World, now: datetime) -> list[Any]:
    """Rows of published sessions, of sealed days and of others, that have none of their own events any more."""
    params = {"project": world.project.id}
    events = world.engine.query(
        "SELECT actor, session, occurred_at FROM events WHERE project = {project:UInt32}", params
    )
    rows = world.engine.query(
        "SELECT day, run, actor, session, started_at, duration FROM sessions WHERE project = {project:UInt32}", params
    )
    live = {run.run: run.sealed(now) for run in runs(world).values()}
    found = []
    for day, run, actor, session, started, duration in rows:
        if run in live:
            end = started + timedelta(seconds=duration)
            theirs = [moment for a, s, moment in events if (a, s) == (actor, session) and started <= moment <= end]
            if not theirs:
                found.append((day, live[run], actor, started))
    return found


def test_nothing_is_past_its_time(world: Worlds, keeper: Keepers) -> None:
    here = world()
    arrive(here, NOON, NOON + DAY)
    at(here, NOON + 3 * DAY).settle()
    before = everything(here)
    gone = keeper(here, NOON + 3 * DAY).expire(here.project)
    assert (gone.events, gone.sealing, gone.open, gone.failed) == ({}, frozenset(), {}, {})
    assert keeper(here, NOON + 3 * DAY).expire_sessions(here.project) == 0
    assert everything(here) == before


def sent(zone: str, seed: int) -> list[tuple[datetime, datetime, dict[str, Any]]]:
    """Events in the order of their arrival: when each happened, and when it came; every fifth came days later."""
    events = [e for batch in Traffic(Random(seed), zone, FIRST).batches(120) for e in batch]
    happened = {str(e["timestamp"]): e for e in events if isinstance(e["timestamp"], str)}
    moments = [(datetime.fromisoformat(text), e) for text, e in sorted(happened.items())]
    late = [(moment, moment + (i % 5 == 0) * (1 + i % 2) * DAY, e) for i, (moment, e) in enumerate(moments)]
    return sorted(late, key=lambda each: each[1])


def kept(
    events: list[tuple[datetime, datetime, dict[str, Any]]], cutoff: datetime, ended: datetime | None
) -> list[datetime]:
    """When those events happened that came after the cutoff, or not before the last midnight where days count."""
    if ended is None:  # an earlier version counted in whole seconds
        return sorted(moment for moment, arrived, _ in events if arrived.replace(microsecond=0) > cutoff)
    return sorted(moment for moment, arrived, _ in events if arrived > cutoff or moment >= ended)


@pytest.mark.parametrize(
    ("zone", "seed", "former"),
    [
        ("UTC", 1, False),
        ("America/St_Johns", 2, False),
        ("Asia/Kolkata", 1, True),
    ],
)
def test_after_a_purge_of_a_part_nothing_is_without_events_and_no_number_has_changed(
    world: Worlds, keeper: Keepers, zone: str, seed: int, former: bool
) -> None:
    events, now = sent(zone, seed), NOON + 14 * DAY
    middle = events[len(events) // 2][1]
    retention = int((now - middle) / HOUR)
    here = world(timezone=zone, retention_hours=retention) if former else world(timezone=zone)
    sending = formerly(here) if former else here
    for _, arrived, event in events:
        assert sending.send([event], arrived) == []
    later = at(here, NOON + 9 * DAY)
    later.settle()
    window = Window(FIRST - DAY, FIRST + 9 * DAY, zone)
    told, before = answers(here, window), stored(here)
    short = here.changed(retention_hours=retention)
    cutoff = now - timedelta(hours=retention)
    ended = midnight(cutoff.astimezone(ZoneInfo(zone)).date(), zone)

    planned = keeper(short, now).expire(short.project, dry_run=True)
    rows = keeper(short, now).expire_sessions(short.project, dry_run=True)
    assert stored(here) == before
    gone = keeper(short, now).expire(short.project)
    assert (gone.events, gone.sealing) == (planned.events, planned.sealing)
    assert keeper(short, now).expire_sessions(short.project) == rows > 0

    left = stored(here)
    assert left == kept(events, cutoff, None if former else ended)
    assert any(moment < ended for moment in left)  # came late, and stay longer than their day
    assert sum(gone.events.values()) == len(before) - len(left) > 0
    assert set(gone.events) <= set(sealed(here, now))
    assert answers(here, window) == told
    assert bereft(here, now) == []
    assert at(short, now).stale() == []
    assert answers(here, window) == told
    assert check(Clocked(here.engine, now), here.catalog, short.project, window.first, window.last)[1] == []
    for day in window.days():
        start, end = midnight(day, zone), midnight(day + DAY, zone)
        if not any(start <= moment < end for moment in left):
            assert exact(here, day, day, "visitors", "events", "sessions") == {
                "visitors": 0, "events": 0, "sessions": 0,
            }  # fmt: skip

    settled = everything(here)
    again = keeper(short, now).expire(short.project)
    assert (again.events, again.sealing) == ({}, frozenset())
    assert keeper(short, now).expire_sessions(short.project) == 0
    assert everything(here) == settled


def test_a_day_goes_as_a_whole_once_the_retention_is_over_since_its_end(world: Worlds, keeper: Keepers) -> None:
    here = world(retention_hours=72)
    arrive(here, NOON - 12 * HOUR, NOON, MIDNIGHT - timedelta(milliseconds=1))
    arrive(here, MIDNIGHT, actor="bob")
    at(here, MIDNIGHT + HOUR).settle()
    over = MIDNIGHT + 72 * HOUR
    nearly = over - timedelta(milliseconds=1)
    assert keeper(here, nearly).expire(here.project).events == {}
    assert sealed(here, nearly) == []
    gone = keeper(here, over).expire(here.project)
    assert (gone.events, gone.sealing) == ({FIRST: 3}, frozenset({FIRST}))
    assert stored(here) == [MIDNIGHT]
    assert sealed(here, over) == [FIRST]


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", date(2041, 3, 31), 23),
        ("Europe/Berlin", date(2041, 10, 27), 25),
        ("Asia/Kolkata", date(2041, 3, 3), 24),
        ("America/St_Johns", date(2041, 3, 10), 23),
    ],
)
def test_the_day_that_counts_is_the_projects_own(
    world: Worlds, keeper: Keepers, zone: str, day: date, hours: int
) -> None:
    here = world(timezone=zone, retention_hours=24)
    first = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    over = first + (hours + 24) * HOUR
    arrive(here, first, first + (hours - 1) * HOUR)
    at(here, first + hours * HOUR).settle()
    assert keeper(here, over - timedelta(milliseconds=1)).expire(here.project).events == {}
    assert keeper(here, over).expire(here.project).events == {day: 2}


def test_the_engine_by_itself_forgets_two_days_after_the_purge_would(world: Worlds, keeper: Keepers) -> None:
    here = world(retention_hours=72)
    arrive(here, NOON, NOON + HOUR)
    at(here, MIDNIGHT).settle()
    expired = MIDNIGHT + (72 + 48) * HOUR
    assert sealed(here, expired - timedelta(milliseconds=1)) == []
    assert sealed(here, expired) == [FIRST]
    gone = keeper(here, expired).expire(here.project)
    assert (gone.events, gone.sealing) == ({FIRST: 2}, frozenset())  # it has sealed itself
    assert gone.open == {}


def test_a_late_event_mends_its_day_until_the_day_goes_and_stays_for_its_own_time(
    world: Worlds, keeper: Keepers
) -> None:
    here = world(retention_hours=48)
    arrive(here, NOON, MIDNIGHT - HOUR)
    at(here, MIDNIGHT).settle()
    arrived = MIDNIGHT + 46 * HOUR
    assert here.send([view("bob", MIDNIGHT - HOUR)], arrived) == []
    over = MIDNIGHT + 48 * HOUR
    assert at(here, over).refresher.due(here.project, [FIRST]) == [FIRST]
    assert keeper(here, over).expire(here.project).events == {FIRST: 2}
    assert stored(here) == [MIDNIGHT - HOUR]
    assert here.ask(Query(("page_views",), Window(FIRST, FIRST)))["metrics"]["page_views"]["value"] == 3
    last = arrived + 48 * HOUR
    assert keeper(here, last - timedelta(milliseconds=1)).expire(here.project).events == {}
    gone = keeper(here, last).expire(here.project)
    assert (gone.events, gone.sealing) == ({FIRST: 1}, frozenset())
    assert here.ask(Query(("page_views",), Window(FIRST, FIRST)))["metrics"]["page_views"]["value"] == 3


def test_a_restored_span_stays_until_its_own_time(world: Worlds, keeper: Keepers) -> None:
    here = world(retention_hours=72)
    arrive(here, NOON, MIDNIGHT)
    at(here, MIDNIGHT + HOUR).settle()
    over = MIDNIGHT + 72 * HOUR
    until = over + DAY
    note(here.engine, here.project, Window(FIRST, FIRST), over + HOUR)
    note(here.engine, here.project, Window(FIRST, FIRST), until)
    note(here.engine, here.project, Window(FIRST, FIRST), over + 2 * HOUR)  # the later instant holds
    assert keeper(here, until - timedelta(seconds=1)).expire(here.project).events == {}
    assert keeper(here, until).expire(here.project).events == {FIRST: 1, FIRST + DAY: 1}


def test_what_has_expired_by_itself_goes_at_once(world: Worlds, keeper: Keepers) -> None:
    here = world(retention_hours=72)
    arrive(formerly(here), NOON, NOON + HOUR, NOON + DAY)
    at(here, NOON + DAY + HOUR).settle()
    now = NOON + 3 * DAY
    gone = keeper(here, now).expire(here.project)
    assert gone.events == {FIRST: 1}
    assert gone.sealing == frozenset()  # it is sealed since its first event expired
    assert stored(here) == [NOON + HOUR, NOON + DAY]
    assert sealed(here, now) == [FIRST]


def test_what_has_expired_by_itself_goes_even_from_a_day_that_is_not_over(world: Worlds, keeper: Keepers) -> None:
    here = world(retention_hours=1)
    arrive(formerly(here), NOON, NOON + 2 * HOUR)
    at(here, NOON + HOUR / 2).settle()
    now = NOON + HOUR
    assert sealed(here, now) == [FIRST]
    gone = keeper(here, now).expire(here.project)
    assert (gone.events, gone.sealing, gone.open) == ({FIRST: 1}, frozenset(), {})
    assert stored(here) == [NOON + 2 * HOUR]


def test_a_longer_retention_saves_nothing_that_arrived_before(world: Worlds, keeper: Keepers) -> None:
    here = world(retention_hours=24)
    arrive(here, NOON)
    at(here, NOON).settle()
    longer = here.changed(retention_hours=240)
    assert keeper(longer, NOON + 4 * DAY).expire(longer.project).events == {FIRST: 1}


def test_a_day_is_rolled_up_before_its_events_go(world: Worlds, keeper: Keepers) -> None:
    here = world()
    arrive(here, NOON, NOON + 2 * HOUR)
    arrive(here, NOON + HOUR, actor="bob")
    now, short = NOON + 5 * DAY, here.changed(retention_hours=48)
    assert runs(here) == {}
    assert keeper(short, now).expire(short.project).events == {FIRST: 3}
    assert stored(here) == []
    assert sealed(here, now) == [FIRST]
    told = here.ask(Query(("page_views", "visitors", "sessions"), Window(FIRST, FIRST)))["metrics"]
    assert [told[name]["value"] for name in ("page_views", "visitors", "sessions")] == [3, 2, 3]
    assert keeper(short, now).expire_sessions(short.project) == 3
    assert here.ask(Query(("sessions",), Window(FIRST, FIRST)))["metrics"]["sessions"]["value"] == 3


def test_a_stale_day_is_refreshed_before_its_events_go(world: Worlds, keeper: Keepers) -> None:
    here = world()
    arrive(here, NOON)
    at(here, NOON + DAY).settle()
    arrive(here, NOON + HOUR, actor="bob")
    short = here.changed(retention_hours=48)
    keeper(short, NOON + 5 * DAY).expire(short.project)
    assert here.ask(Query(("page_views",), Window(FIRST, FIRST)))["metrics"]["page_views"]["value"] == 2


def test_a_purge_that_was_cut_off_between_sealing_and_deleting_can_be_repeated(world: Worlds, keeper: Keepers) -> None:
    here = world()
    arrive(here, NOON, NOON + DAY)
    now = NOON + 4 * DAY
    at(here, now).settle()
    told = answers(here, Window(FIRST, FIRST + 2 * DAY))
    short = here.changed(retention_hours=84)
    gone = leaving(Clocked(here.engine, now), short.project, here.catalog)
    assert [run.day for run in seal(here.engine, gone)] == [FIRST]
    assert seal(here.engine, gone) == []
    later = now + timedelta(minutes=1)
    assert stored(here) == [NOON, NOON + DAY]
    assert at(short, later).stale() == []

    again = keeper(short, later).expire(short.project)
    assert (again.events, again.sealing) == ({FIRST: 1}, frozenset())
    assert stored(here) == [NOON + DAY]
    delete(here.engine, gone)
    assert stored(here) == [NOON + DAY]
    assert keeper(short, later).expire_sessions(short.project) == 1
    assert answers(here, Window(FIRST, FIRST + 2 * DAY)) == told


def test_a_local_day_that_loses_a_part_stays_whole_as_published(world: Worlds, keeper: Keepers) -> None:
    """At Kolkata's midnight it is 18:30 UTC."""
    here = world(timezone="Asia/Kolkata", retention_hours=5 * 24)
    evening = datetime(2041, 3, 3, 18, tzinfo=UTC)
    before = formerly(here)
    arrive(before, evening, actor="ann")  # 3 March there
    arrive(before, evening + HOUR, actor="bob")  # 4 March there
    arrive(before, evening + 6 * HOUR, actor="eve")  # 4 March there
    now = evening + 5 * DAY
    at(here, now - HOUR).settle()
    window = Window(FIRST, FIRST + 2 * DAY, "Asia/Kolkata")
    told = answers(here, window)
    assert keeper(here, now).expire(here.project).events == {FIRST: 1}
    assert sealed(here, now) == [FIRST]
    now += 2 * HOUR
    assert keeper(here, now).expire(here.project).events == {FIRST + DAY: 1}
    assert sealed(here, now) == [FIRST, FIRST + DAY]
    assert stored(here) == [evening + 6 * HOUR]
    assert keeper(here, now).expire_sessions(here.project) == 2
    assert answers(here, window) == told
    at(here, now + HOUR).refresh([FIRST, FIRST + DAY], force=True)
    assert answers(here, window) == told


def test_a_local_day_goes_alone_though_the_next_one_began_in_the_same_hour(world: Worlds, keeper: Keepers) -> None:
    """At Kolkata's midnight it is 18:30 UTC."""
    here = world(timezone="Asia/Kolkata")
    evening = datetime(2041, 3, 3, 18, tzinfo=UTC)
    arrive(here, evening, evening + HOUR / 2, evening + HOUR, evening + 6 * HOUR)
    now, short = evening + HOUR / 2 + 5 * DAY, here.changed(retention_hours=5 * 24)
    at(here, now).settle()
    window = Window(FIRST, FIRST + 2 * DAY, "Asia/Kolkata")
    told = answers(here, window)
    assert keeper(short, now - timedelta(milliseconds=1)).expire(short.project).events == {}
    gone = keeper(short, now).expire(short.project)
    assert gone.events == {FIRST: 1}
    assert gone.sealing == {FIRST, FIRST + DAY}  # a session goes on after midnight
    assert keeper(short, now + DAY - HOUR).expire(short.project).events == {}
    assert stored(here) == [evening + HOUR / 2, evening + HOUR, evening + 6 * HOUR]
    assert keeper(short, now + DAY).expire(short.project).events == {FIRST + DAY: 3}
    assert keeper(short, now + DAY).expire_sessions(short.project) == 2
    at(short, now + DAY).refresh([FIRST, FIRST + DAY], force=True)
    assert answers(here, window) == told


def test_a_day_whose_sessions_lose_events_is_sealed_too(world: Worlds, keeper: Keepers) -> None:
    """A session that goes on after midnight would begin anew there, without its first event."""
    here = world()
    before, after = datetime(2041, 3, 3, 23, 50, tzinfo=UTC), datetime(2041, 3, 4, 0, 10, tzinfo=UTC)
    arrive(here, before, after, after + 3 * HOUR)
    now = MIDNIGHT + 5 * DAY
    at(here, now).settle()
    window = Window(FIRST, FIRST + DAY)
    told = answers(here, window)
    short = here.changed(retention_hours=5 * 24)
    gone = keeper(short, now).expire(short.project)
    assert gone.events == {FIRST: 1}
    assert gone.sealing == {FIRST, FIRST + DAY}
    assert keeper(short, now).expire_sessions(short.project) == 0  # its second event is there
    at(short, now + HOUR).refresh([FIRST, FIRST + DAY], force=True)
    assert answers(here, window) == told


def test_a_day_whose_sessions_are_in_no_number_is_mended_until_its_own_events_go(
    world: Worlds, keeper: Keepers
) -> None:
    here = world(packs=("sdk",), retention_hours=24)
    arrive(here, MIDNIGHT - HOUR / 6, MIDNIGHT + HOUR / 6)
    at(here, MIDNIGHT + DAY).settle()
    now = MIDNIGHT + DAY + HOUR / 2
    planned = keeper(here, now).expire(here.project, dry_run=True)
    gone = keeper(here, now).expire(here.project)
    assert (gone.events, gone.sealing) == (planned.events, planned.sealing) == ({FIRST: 1}, frozenset({FIRST}))
    assert here.send([view("ann", MIDNIGHT + 23 * HOUR)], MIDNIGHT + 25 * HOUR) == []
    later = at(here, MIDNIGHT + 25 * HOUR)
    assert later.refresh([FIRST, FIRST + DAY]) == {FIRST: Outcome.SEALED, FIRST + DAY: Outcome.PUBLISHED}
    series = here.ask(Query(("events",), Window(FIRST, FIRST + DAY)))["metrics"]["events"]["series"]
    assert [point["value"] for point in series] == [1, 2]
    now = MIDNIGHT + 2 * DAY
    assert keeper(here, now).expire(here.project).events == {FIRST + DAY: 1}
    assert sealed(here, now) == [FIRST, FIRST + DAY]


def test_a_day_beside_without_such_sessions_is_left_open(world: Worlds, keeper: Keepers) -> None:
    here = world()
    arrive(here, NOON, NOON + DAY)
    now = MIDNIGHT + 5 * DAY
    at(here, now).settle()
    short = here.changed(retention_hours=5 * 24)
    assert keeper(short, now).expire(short.project).sealing == {FIRST}
    arrive(here, NOON + DAY + HOUR)
    assert at(short, now + HOUR).refresh([FIRST, FIRST + DAY]) == {
        FIRST: Outcome.SEALED, FIRST + DAY: Outcome.PUBLISHED,
    }  # fmt: skip


def test_a_day_that_is_not_over_keeps_its_events(world: Worlds, keeper: Keepers) -> None:
    here = world()
    night = datetime(2041, 3, 3, 23, 50, tzinfo=UTC)
    arrive(here, NOON, night, night + HOUR / 3, actor="ann")
    now = night + 10 * HOUR
    at(here, now).settle()
    short = here.changed(retention_hours=1)
    planned = keeper(short, now).expire(short.project, dry_run=True)
    gone = keeper(short, now).expire(short.project)
    assert gone.events == planned.events == {}
    assert gone.open == planned.open == {FIRST: "sessions of 2041-03-04 need 2041-03-03, and it is not over"}
    assert len(stored(here)) == 3
    assert sealed(here, now) == []
    assert keeper(short, now + DAY).expire(short.project).events == {FIRST: 2, FIRST + DAY: 1}


def test_without_sessions_that_need_it_yesterday_goes(world: Worlds, keeper: Keepers) -> None:
    here = world()
    arrive(here, NOON, NOON + 20 * HOUR)
    now = NOON + 22 * HOUR
    short = here.changed(retention_hours=1)
    gone = keeper(short, now).expire(short.project)
    assert (gone.events, gone.open) == ({FIRST: 1}, {})
    assert stored(here) == [NOON + 20 * HOUR]
    assert sealed(here, now) == [FIRST]


class Failing(Clocked):
    """An engine that has no room for rollups."""

    def command(self, sql: str, params: Params | None = None) -> None:
        if sql.startswith("INSERT INTO rollups"):
            raise EngineUnavailable("The engine is away.")
        super().command(sql, params)


def test_a_day_that_cannot_be_refreshed_keeps_its_events(world: Worlds, keeper: Keepers) -> None:
    here = world()
    arrive(here, NOON, NOON + 2 * DAY, NOON + 3 * DAY)
    now, short = NOON + 9 * DAY, here.changed(retention_hours=48)
    at(here, now).settle()
    arrive(here, NOON + 3 * DAY + HOUR)
    gone = keeper(replace(short, engine=Failing(here.engine, now)), now).expire(short.project)
    assert gone.events == {FIRST: 1}
    assert gone.failed == dict.fromkeys((FIRST + 2 * DAY, FIRST + 3 * DAY), "The engine is away.")
    assert stored(here) == [NOON + 2 * DAY, NOON + 3 * DAY, NOON + 3 * DAY + HOUR]
    assert sum(keeper(short, now).expire(short.project).events.values()) == 3
    assert here.ask(Query(("page_views",), Window(FIRST, FIRST + 9 * DAY)))["metrics"]["page_views"]["value"] == 4


def test_another_process_that_refreshes_is_waited_for(world: Worlds, tmp_path: Path) -> None:
    here = world()
    arrive(here, NOON)
    database = open_database(f"sqlite:///{tmp_path / 'control.db'}")
    leases = Leases(database)
    keeper = Keeper(Clocked(here.engine, NOON + 9 * DAY), here.catalog, Projects(database), leases, 0, "tests")
    short = here.changed(retention_hours=48)
    assert leases.acquire(f"refresh:{here.project.id}", "another", 0.5)
    assert keeper.expire(short.project).events == {FIRST: 1}
    keeper.stop()
    arrive(here, NOON + DAY)
    with pytest.raises(Conflict):
        keeper.expire(short.project)
    database.close()


def test_projects_leave_each_other_alone(world: Worlds, keeper: Keepers) -> None:
    here, other = world(), world()
    for each in (here, other):
        arrive(each, NOON)
        at(each, NOON + DAY).settle()
    before = everything(other)
    short = here.changed(retention_hours=24)
    keeper(short, NOON + 5 * DAY).expire(short.project)
    keeper(short, NOON + 5 * DAY).expire_sessions(short.project)
    assert stored(here) == []
    assert everything(other) == before


def test_a_visitor_who_returns_after_the_purge_is_not_new(world: Worlds, keeper: Keepers) -> None:
    here = world()
    arrive(here, NOON)
    short = here.changed(retention_hours=24)
    keeper(short, NOON + 5 * DAY).expire(short.project)
    arrive(here, NOON + 6 * DAY)
    at(here, NOON + 7 * DAY).settle()
    window = Window(FIRST, FIRST + 6 * DAY)
    told = here.ask(Query(("visitors", "new_visitors"), window))["metrics"]
    assert [told[name]["value"] for name in ("visitors", "new_visitors")] == [1, 1]
    assert [point["value"] for point in told["new_visitors"]["series"]] == [1, 0, 0, 0, 0, 0, 0]


@pytest.fixture
def unmerged(engine: Engine) -> Iterator[None]:
    """The engine merges no parts of events."""
    sizes = ("max_bytes_to_merge_at_max_space_in_pool", "max_bytes_to_merge_at_min_space_in_pool")
    engine.command(f"ALTER TABLE events MODIFY SETTING {', '.join(f'{size} = 1' for size in sizes)}")
    yield
    engine.command(f"ALTER TABLE events RESET SETTING {', '.join(sizes)}")


@pytest.mark.usefixtures("unmerged")
def test_an_event_that_was_sent_again_later_is_kept_as_long_as_the_later_one(world: Worlds, keeper: Keepers) -> None:
    here = world()
    for arrived in (NOON, NOON + 4 * DAY):
        assert here.send([view("ann", NOON, eventId="e-1")], arrived) == []
    now, short = NOON + 5 * DAY, here.changed(retention_hours=48)
    at(here, now).settle()
    told = answers(here, Window(FIRST, FIRST + 5 * DAY))
    planned = keeper(short, now).expire(short.project, dry_run=True).events
    assert keeper(short, now).expire_sessions(short.project, dry_run=True) == 0
    assert keeper(short, now).expire(short.project).events == planned == {FIRST: 1}
    assert keeper(short, now).expire_sessions(short.project) == 0
    assert (stored(here), bereft(here, now)) == ([NOON], [])
    gone = keeper(short, now + 2 * DAY).expire(short.project)
    assert (gone.events, gone.sealing) == ({FIRST: 1}, frozenset())
    assert keeper(short, now + 2 * DAY).expire_sessions(short.project) == 1
    assert answers(here, Window(FIRST, FIRST + 5 * DAY)) == told
