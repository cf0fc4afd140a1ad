"""Rehearsing: days are computed again as a refresh does, nothing is published, and what would differ is told."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from tallymark.engine.base import Engine
from tallymark.rollup.refresh import Refresher
from tallymark.rollup.run import published
from tallymark.spec.project import Project

#: Rows of a rehearsal stand on a shelf of their own, above any of open days, that goes whole.
_FIRST_SHELF: Final = 4_000_000_000

_MOST_TOLD: Final = 100

#: A rollup's state as text, the order of what it holds aside.
_STATES: Final = (
    "SELECT toString(measure) AS what, dim, key, run, concat(toString(sum(n)), ' rows, sum ', toString(sum(total)), "
    "', squares ', toString(sum(squares)), ', actors ', toString(groupBitmapMerge(actors)), ' #', "
    "toString(cityHash64(arraySort(bitmapToArray(groupBitmapMergeState(actors))))), ', distribution #', "
    "toString(cityHash64(toString(sumMap(dist))))) AS state "
    "FROM rollups WHERE project = {project:UInt32} AND day = {day:Date} AND run IN ({old:UInt64}, {new:UInt64}) "
    "GROUP BY measure, dim, key, run"
)
_SESSIONS: Final = (
    "SELECT 'sessions' AS what, '' AS dim, '' AS key, run, concat(toString(count()), ' rows #', "
    "toString(sum(cityHash64(tuple(* EXCEPT (run, shelf)))))) AS state "
    "FROM sessions WHERE project = {project:UInt32} AND day = {day:Date} AND run IN ({old:UInt64}, {new:UInt64}) "
    "GROUP BY run"
)
_DIFFERING: Final = (
    f"SELECT what, dim, key, anyIf(state, run = {{old:UInt64}}), anyIf(state, run = {{new:UInt64}}) "
    f"FROM ({_STATES} UNION ALL {_SESSIONS}) GROUP BY what, dim, key "
    f"HAVING count() != 2 OR uniqExact(state) != 1 ORDER BY what, dim, key LIMIT {_MOST_TOLD}"
)


@dataclass(frozen=True)
class Discrepancy:
    """What computing a day again would change: of a measure, or of its sessions; '' where one side has nothing."""

    day: date
    measure: str
    dimension: str
    key: str
    before: str
    after: str

    def body(self) -> dict[str, Any]:
        """As JSON."""
        return {**vars(self), "day": self.day.isoformat()}


def rehearse(engine: Engine, refresher: Refresher, project: Project, days: Sequence[date]) -> list[Discrepancy]:
    """How two computations of published days differ from each other, and the first one from what is published.

    The caller holds the project's lease, and the days are up to date.
    """
    shelf = _FIRST_SHELF + secrets.randbelow(1 << 27)
    before = {run.day: run.run for run in published(engine, project.id)}
    try:
        first, second = (refresher.rehearse(project, days, shelf) for _ in range(2))
        told = _differing(engine, project, before, first) + _differing(engine, project, first, second)
    finally:
        for table in ("rollups", "sessions"):
            engine.command(f"ALTER TABLE {table} DROP PARTITION {shelf}")
    return told


def _differing(engine: Engine, project: Project, old: Mapping[date, int], new: Mapping[date, int]) -> list[Discrepancy]:
    return [
        Discrepancy(day, *row)
        for day, run in new.items()
        for row in engine.query(_DIFFERING, {"project": project.id, "day": day, "old": old[day], "new": run})
    ]
