"""Which days must be refreshed: found by what was inserted, marked or redefined since their runs.

Insertion time, not arrival: a spooled batch arrives long before it can be seen. A day's sessions may begin the day
before and end the day after, so a change makes its neighbours candidates too; the fingerprint of a refresh decides.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import pyarrow as pa

from tallymark.engine.base import Engine
from tallymark.engine.source import utc
from tallymark.rollup.run import Run, published
from tallymark.spec.catalog import Catalog
from tallymark.spec.project import Project

_EPOCH = date(1970, 1, 1)


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


@dataclass
class StaleDays:
    """Finds stale days. The first call compares everything, later ones what was inserted since."""

    engine: Engine
    catalog: Catalog
    settle: int
    _looked_at: datetime | None = None
    _runs: dict[tuple[int, date], Run] = field(default_factory=dict)

    def find(self, projects: Iterable[Project]) -> dict[int, list[date]]:
        """Candidates by project id, oldest first; those of sealed days are left out."""
        ((now,),) = self.engine.query("SELECT now64(3, 'UTC')")
        since = self._looked_at - timedelta(seconds=self.settle + 60) if self._looked_at else None
        runs = {(run.project, run.day): run for run in published(self.engine)}
        inserted = self._inserted(since)
        marked = self._marked()
        self._looked_at = utc(now)
        found = {p.id: self._of(p, runs, inserted.get(p.id, {}), marked.get(p.id, {}), utc(now)) for p in projects}
        return {project: days for project, days in found.items() if days}

    def _inserted(self, since: datetime | None) -> dict[int, dict[date, datetime]]:
        """The latest insertion by project and UTC date of the events."""
        where = "inserted_at > fromUnixTimestamp64Milli({since:Int64}, 'UTC')" if since else "1"
        rows = self.engine.query(
            f"SELECT project, toDate(occurred_at) AS day, max(inserted_at) FROM events WHERE {where} GROUP BY 1, 2",
            {"since": int(since.timestamp() * 1000)} if since else None,
        )
        return _by_project(rows)

    def _marked(self) -> dict[int, dict[date, datetime]]:
        return _by_project(self.engine.query("SELECT project, day, max(marked_at) FROM marks GROUP BY 1, 2"))

    def _of(
        self,
        project: Project,
        runs: dict[tuple[int, date], Run],
        inserted: dict[date, datetime],
        marked: dict[date, datetime],
        now: datetime,
    ) -> list[date]:
        digest = self.catalog.only(project.packs).digest
        reach = 1 if project.timezone == "UTC" else 2
        candidates: set[date] = set()
        for (owner, day), run in runs.items():
            redefined = run.digest != digest or run.timezone != project.timezone
            if owner == project.id and (redefined or marked.get(day, run.watermark) > run.watermark):
                candidates.add(day)
        for day, at in inserted.items():
            for near in (day + timedelta(days=offset) for offset in range(-reach, reach + 1)):
                known = runs.get((project.id, near))
                if known is None or at > known.watermark:
                    candidates.add(near)
        sealed = {day for day in candidates if _sealed(runs.get((project.id, day)), now)}
        return sorted(day for day in candidates - sealed if day >= _EPOCH)


def _by_project(rows: Iterable[Iterable[object]]) -> dict[int, dict[date, datetime]]:
    found: dict[int, dict[date, datetime]] = {}
    for project, day, at in rows:
        found.setdefault(project, {})[day] = utc(at)  # type: ignore[index,call-overload,arg-type]  # the engine's types
    return found


def _sealed(run: Run | None, now: datetime) -> bool:
    return run is not None and run.events > 0 and run.expires_from <= now
