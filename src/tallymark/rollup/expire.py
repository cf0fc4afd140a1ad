"""Expiring: raw events past their project's retention go, and what is derived from them and stands for one visitor.

A day that loses events is sealed before: its numbers stay as published and are never computed from less. So is a day
beside it whose sessions those events belong to, if any number of the project is made of sessions.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from tallymark.engine.base import Engine
from tallymark.engine.source import instant, milliseconds, utc
from tallymark.rollup.restores import Restored, restored
from tallymark.rollup.run import Run, publish, published
from tallymark.rollup.scope import IN_SESSIONS, Scope, session_events
from tallymark.spec.catalog import Catalog
from tallymark.spec.measure import Rows
from tallymark.spec.project import Project
from tallymark.spec.window import midnight, today


def _in_spans(starts: str, ends: str) -> str:
    """The condition for events in one of the spans whose bounds are two parameters, in epoch milliseconds."""
    at = "toUnixTimestamp64Milli(occurred_at)"
    return f"arrayExists((a, b) -> {at} >= a AND {at} < b, {{{starts}:Array(Int64)}}, {{{ends}:Array(Int64)}})"


#: Arrival counts, and the end of the event's day, but not of what was restored from an archive and is still to stay;
#: what was inserted meanwhile is left to the next purge.
_PAST = (
    f"(project = {{project:UInt32}} AND (expires_at <= {instant('expired')} "
    f"OR (received_at <= {instant('received')} AND occurred_at < {instant('ended')} "
    f"AND NOT {_in_spans('restored_froms', 'restored_untils')})) "
    f"AND inserted_at < {instant('expired')})"
)

_WITHIN = _in_spans("froms", "untils")

#: Rows of `sessions` none of whose events is there any more, or will be.
_ORPHANS = (
    "SELECT s.day, s.run, s.actor, s.session, s.started_at FROM "
    "(SELECT * FROM sessions WHERE project = {project:UInt32} AND shelf = {shelf:UInt32} "
    "AND run IN {runs:Array(UInt64)}) AS s ANY LEFT JOIN "
    "(SELECT actor, session, groupArray(toUnixTimestamp64Milli(occurred_at)) AS times FROM events "
    f"WHERE project = {{project:UInt32}} AND occurred_at >= {instant('start')} AND occurred_at < {instant('end')} "
    f"AND {IN_SESSIONS} AND NOT ({_PAST} AND {_WITHIN}) GROUP BY actor, session) AS e "
    "ON s.actor = e.actor AND s.session = e.session WHERE NOT arrayExists("
    "t -> t >= toUnixTimestamp64Milli(s.started_at) "
    "AND t <= toUnixTimestamp64Milli(s.started_at) + round(s.duration * 1000), e.times)"
)

_ONE = timedelta(days=1)


@dataclass(frozen=True)
class Leaving:
    """The events of a project that are past their time at `now`, those of each day apart.

    `events`: how many go. `sealing`: days that were not sealed and must be before. `open`: days whose events stay,
    for a day that is not over needs them. `failed`: days whose events stay for another reason. `restored`: spans whose
    events go by their own time alone.
    """

    project: Project
    now: datetime
    events: Mapping[date, int] = field(default_factory=dict)
    sealing: frozenset[date] = frozenset()
    open: Mapping[date, str] = field(default_factory=dict)
    failed: Mapping[date, str] = field(default_factory=dict)
    restored: Sequence[Restored] = ()

    @property
    def days(self) -> list[date]:
        """Every day that loses events of its own or of its sessions, in order."""
        return sorted({*self.events, *self.sealing})

    def without(self, days: Collection[date], why: str) -> "Leaving":
        """What is left if some days can't be sealed: their events stay, and those of the days beside them."""
        unready = {day: why for day in days}
        stay = {day for day in self.events if not unready.keys().isdisjoint({day - _ONE, day, day + _ONE})}
        return replace(
            self,
            events={day: n for day, n in self.events.items() if day not in stay},
            sealing=frozenset(day for day in self.sealing if day not in unready),
            failed={**self.failed, **{day: why for day in sorted(stay)}},
        )

    def params(self) -> dict[str, object]:
        """The bound parameters of the SQL here."""
        spans = list(_spans(sorted(self.events)))
        zone, kept_from = self.project.timezone, self.now - timedelta(hours=self.project.retention_hours)
        return {
            "project": self.project.id,
            "expired": milliseconds(self.now),
            "received": milliseconds(kept_from),
            "ended": milliseconds(midnight(today(zone, kept_from), zone)),
            "froms": [milliseconds(midnight(first, zone)) for first, _ in spans],
            "untils": [milliseconds(midnight(last + _ONE, zone)) for _, last in spans],
            "restored_froms": [milliseconds(span.start) for span in self.restored],
            "restored_untils": [milliseconds(span.end) for span in self.restored],
        }


def leaving(engine: Engine, project: Project, catalog: Catalog) -> Leaving:
    """What is past its time now, by the engine's clock. Changes nothing."""
    ((now,),) = engine.query("SELECT now64(3, 'UTC')")
    found = Leaving(project, utc(now), restored=restored(engine, project, utc(now)))
    past = _past(engine, found)
    sealed = {run.day for run in published(engine, project.id) if run.sealed(found.now)}
    sealed |= {day for day, (_, begun) in past.items() if begun}
    open_day = today(project.timezone, found.now)
    going = {day: n for day, (n, _) in past.items() if day < open_day or day in sealed}
    why = {day: f"{day} is not over" for day in past if day not in going}
    if not any(measure.rows is Rows.SESSIONS for measure in catalog.only(project.packs).measures):
        return replace(found, events=going, sealing=frozenset(going.keys() - sealed), open=why)
    for day in sorted(day for day in _beside(engine, found, going, sealed) if day >= open_day):
        near = [d for d in (day - _ONE, day + _ONE) if going.pop(d, 0)]
        why.update({d: f"sessions of {day} need {d}, and it is not over" for d in near})
    beside = {day for day in _beside(engine, found, going, sealed) if day < open_day}
    return replace(found, events=going, sealing=frozenset({*going, *beside} - sealed), open=why)


def _past(engine: Engine, found: Leaving) -> dict[date, tuple[int, bool]]:
    """By day: how many events are past their time, and whether they have begun to expire by themselves.

    Where they have, a run of the day is sealed already, or will be sealed from the start.
    """
    params, zone = found.params(), found.project.timezone
    ((rows, last),) = engine.query(f"SELECT count(), max(occurred_at) FROM events WHERE {_PAST}", params)
    if not rows:
        return {}
    days: dict[date, tuple[int, bool]] = {}
    counted = engine.query(
        "SELECT toStartOfFifteenMinutes(occurred_at) AS quarter, count(), min(expires_at) FROM events FINAL "
        f"WHERE {_PAST} AND occurred_at <= {instant('last')} GROUP BY quarter",
        {**params, "last": milliseconds(utc(last))},
    )
    for quarter, count, expires_at in counted:
        day = today(zone, utc(quarter))
        n, begun = days.get(day, (0, False))
        days[day] = n + count, begun or utc(expires_at) <= found.now
    return days


def _beside(engine: Engine, found: Leaving, going: Collection[date], sealed: set[date]) -> set[date]:
    """Days without such events of their own that are not sealed, and have sessions with such events."""
    near = {day + offset for day in going for offset in (-_ONE, _ONE)} - set(going) - sealed
    return {day for day in near if _has_sessions_with(engine, found, day)}


def _has_sessions_with(engine: Engine, found: Leaving, day: date) -> bool:
    project = found.project
    ((count,),) = engine.query(
        f"SELECT count() FROM {session_events()} "
        f"WHERE (occurred_at < {instant('start')} OR occurred_at >= {instant('end')}) AND {_PAST}",
        {**found.params(), **Scope(project.id, day, day, project.timezone).params()},
    )
    return bool(count)


def seal(engine: Engine, gone: Leaving) -> list[Run]:
    """Publishes the runs of days that are about to lose events once more, as sealed."""
    if not gone.days:
        return []
    runs = published(engine, gone.project.id, gone.days[0], gone.days[-1])
    lasting = {*gone.days}
    sealed = [replace(run, expires_from=gone.now) for run in runs if run.day in lasting and not run.sealed(gone.now)]
    if sealed:
        publish(engine, sealed)
    return sealed


def delete(engine: Engine, gone: Leaving) -> None:
    """Deletes the events; their days have to be sealed. Parts are rewritten before this returns."""
    condition, params = f"{_PAST} AND {_WITHIN}", gone.params()
    months = engine.query(f"SELECT DISTINCT toYYYYMM(occurred_at) FROM events WHERE {condition}", params)
    for (month,) in months:
        engine.command(
            f"ALTER TABLE events DELETE IN PARTITION {int(month)} WHERE {condition} SETTINGS mutations_sync = 2", params
        )


def orphans(engine: Engine, gone: Leaving, remove: bool) -> int:
    """How many rows of `sessions` of sealed days have no event left once those have gone; removes them where asked."""
    sealing = {*gone.days}
    runs = _with_sessions(
        engine, gone, [r for r in published(engine, gone.project.id) if r.sealed(gone.now) or r.day in sealing]
    )
    total = 0
    for shelf in sorted({run.shelf for run in runs}):
        together = [run for run in runs if run.shelf == shelf]
        params = _orphans_of(gone, shelf, together)
        ((count,),) = engine.query(f"SELECT count() FROM ({_ORPHANS})", params)
        if count and remove:
            engine.command(
                f"ALTER TABLE sessions DELETE IN PARTITION {int(shelf)} WHERE project = {{project:UInt32}} "
                f"AND (day, run, actor, session, started_at) IN ({_ORPHANS}) SETTINGS mutations_sync = 2",
                params,
            )
        total += count
    return total


def _with_sessions(engine: Engine, gone: Leaving, runs: Collection[Run]) -> list[Run]:
    """Those of some runs that have any rows in `sessions`."""
    having = engine.query(
        "SELECT DISTINCT run FROM sessions WHERE project = {project:UInt32} AND run IN {runs:Array(UInt64)}",
        {"project": gone.project.id, "runs": [run.run for run in runs]},
    )
    ids = {row[0] for row in having}
    return [run for run in runs if run.run in ids]


def _orphans_of(gone: Leaving, shelf: int, runs: Collection[Run]) -> dict[str, object]:
    zones = {run.timezone for run in runs}
    first, last = min(run.day for run in runs), max(run.day for run in runs)
    return {
        **gone.params(),
        "shelf": shelf,
        "runs": [run.run for run in runs],
        "start": min(milliseconds(midnight(first, zone)) for zone in zones),
        "end": max(milliseconds(midnight(last + 2 * _ONE, zone)) for zone in zones),
    }


def _spans(days: list[date]) -> Iterator[tuple[date, date]]:
    """Consecutive days, the first and the last of each span."""
    first = last = None
    for day in days:
        if last is not None and first is not None and day - last > _ONE:
            yield first, last
            first = day
        first, last = first or day, day
    if first is not None and last is not None:
        yield first, last
