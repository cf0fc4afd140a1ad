"""Which days must be refreshed: found by what was inserted, marked or redefined since their runs.

Insertion time, not arrival: a spooled batch arrives long before it can be seen. A day's sessions may begin the day
before and end the day after, so a change makes its neighbours candidates too; the fingerprint of a refresh decides.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import pyarrow as pa

from tallymark.engine.base import Engine
from tallymark.engine.source import milliseconds, utc
from tallymark.rollup.run import Run, published
from tallymark.spec.catalog import Catalog
from tallymark.spec.project import Project
from tallymark.spec.window import today

_EPOCH = date(1970, 1, 1)
_EVER = datetime(1970, 1, 1, tzinfo=UTC)


def mark(engine: Engine, project: int, days: Iterable[date], reason: str) -> None:
    """Makes days stale whatever their events say."""
    unique = sorted(set(days))
    table = pa.table(
        {
            "project": pa.array([project] * len(unique), pa.uint32()),
            "day": pa.array(unique, pa.date32()),
            "reason": pa.array([reason] * len(unique)),
        }
    )
    engine.insert("marks", table)


def marked(engine: Engine, project: int) -> dict[date, datetime]:
    """When days of a project were last marked."""
    rows = engine.query(
        "SELECT day, max(marked_at) FROM marks WHERE project = {project:UInt32} GROUP BY day", {"project": project}
    )
    return {day: utc(at) for day, at in rows}


@dataclass
class StaleDays:
    """Finds stale days and remembers them until they are refreshed.

    The first look compares everything, later ones only what was inserted, marked or published since.
    """

    engine: Engine
    catalog: Catalog
    settle: int
    _looked_at: datetime | None = None
    _runs: dict[tuple[int, date], Run] = field(default_factory=dict)
    _empty: dict[tuple[int, date], datetime] = field(default_factory=dict)
    _pending: dict[int, set[date]] = field(default_factory=dict)

    def find(self, projects: Iterable[Project]) -> dict[int, list[date]]:
        """The stale days of all projects, by id, oldest first; sealed days are left out."""
        ((now,),) = self.engine.query("SELECT now64(3, 'UTC')")
        since = self._looked_at - timedelta(seconds=self.settle + 60) if self._looked_at else _EVER
        self._runs.update({(run.project, run.day): run for run in published(self.engine, since=since)})
        inserted, marked = self._inserted(since), self._marked(since)
        self._looked_at = utc(now)
        live = list(projects)
        for project in live:
            known = {day: run for (owner, day), run in self._runs.items() if owner == project.id}
            found = self._redefined(project, known) | self._marked_days(known, marked.get(project.id, {}))
            found |= self._provisional(project, known, utc(now))
            found |= self._changed(project, known, inserted.get(project.id, {}))
            sealed = {day for day in found if day in known and known[day].sealed(utc(now))}
            self._pending.setdefault(project.id, set()).update(found - sealed)
        return {p.id: sorted(self._pending[p.id]) for p in live if self._pending[p.id]}

    def eventful(self, project: Project) -> set[date]:
        """Every day of a project that may have events or has a run."""
        rows = self.engine.query(
            "SELECT DISTINCT toDate(occurred_at) FROM events WHERE project = {project:UInt32}", {"project": project.id}
        )
        near = {day + timedelta(days=offset) for (day,) in rows for offset in (-1, 0, 1)}
        return near | {run.day for run in published(self.engine, project.id)}

    def pending(self, project: int) -> list[date]:
        """The stale days that were found and not refreshed since, oldest first."""
        return sorted(self._pending.get(project, ()))

    def settled(self, project: int, day: date) -> None:
        """Forgets a stale day: it was refreshed, or can't be; without a run it was empty when last looked at."""
        self._pending.get(project, set()).discard(day)
        if self._looked_at is not None:
            self._empty[project, day] = self._looked_at - timedelta(seconds=self.settle)

    def _inserted(self, since: datetime) -> dict[int, dict[date, datetime]]:
        """The latest insertion by project and UTC date of the events."""
        return self._latest("events", "toDate(occurred_at)", "inserted_at", since)

    def _marked(self, since: datetime) -> dict[int, dict[date, datetime]]:
        return self._latest("marks", "day", "marked_at", since)

    def _latest(self, table: str, day: str, at: str, since: datetime) -> dict[int, dict[date, datetime]]:
        rows = self.engine.query(
            f"SELECT project, {day} AS date, max({at}) FROM {table} "
            f"WHERE {at} > fromUnixTimestamp64Milli({{since:Int64}}, 'UTC') GROUP BY project, date",
            {"since": milliseconds(since)},
        )
        found: dict[int, dict[date, datetime]] = {}
        for project, date_, latest in rows:
            found.setdefault(project, {})[date_] = utc(latest)
        return found

    def _redefined(self, project: Project, known: dict[date, Run]) -> set[date]:
        digest = self.catalog.only(project.packs).digest
        return {day for day, run in known.items() if run.digest != digest or run.timezone != project.timezone}

    def _marked_days(self, known: dict[date, Run], marked: dict[date, datetime]) -> set[date]:
        return {day for day, at in marked.items() if day not in known or at >= known[day].made_at}

    def _provisional(self, project: Project, known: dict[date, Run], now: datetime) -> set[date]:
        """Days that have ended since their last run: their rows move to the shelf of their month."""
        current = today(project.timezone, now)
        return {day for day, run in known.items() if run.provisional and day < current}

    def _changed(self, project: Project, known: dict[date, Run], inserted: dict[date, datetime]) -> set[date]:
        reach = 1 if project.timezone == "UTC" else 2
        near: dict[date, datetime] = {}
        for day, at in inserted.items():
            for offset in range(-reach, reach + 1):
                neighbour = day + timedelta(days=offset)
                near[neighbour] = max(near.get(neighbour, at), at)
        return {day for day, at in near.items() if day >= _EPOCH and at > self._seen(project, day, known)}

    def _seen(self, project: Project, day: date, known: dict[date, Run]) -> datetime:
        """Everything inserted before is in the day's run, or the day was still empty."""
        return known[day].watermark if day in known else self._empty.get((project.id, day), _EVER)
