"""The discrepancy monitor: what raw events say of published days, beside what their rollups say."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from tallymark.engine.aggregate import Aggregation
from tallymark.engine.base import Engine
from tallymark.engine.expression import literal
from tallymark.engine.source import events_between, utc, with_actors, with_experiments
from tallymark.rollup.run import Run, published
from tallymark.rollup.scope import Scope
from tallymark.rollup.sql import derived_sessions
from tallymark.spec.catalog import Catalog
from tallymark.spec.measure import Measure, Rows
from tallymark.spec.project import Project

#: A measure's state as numbers that can be compared: `(n, total, squares, actors, rows in the distribution)`.
Numbers = tuple[int, int, int, int, int]

_NOTHING: Numbers = (0, 0, 0, 0, 0)


@dataclass(frozen=True)
class Difference:
    """A measure of a day that raw events and rollups disagree about."""

    day: date
    measure: str
    raw: Numbers
    rollups: Numbers

    def body(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "day": self.day.isoformat(),
            "measure": self.measure,
            "raw": _told(self.raw),
            "rollups": _told(self.rollups),
        }


def _told(numbers: Numbers) -> dict[str, str]:
    names = ("rows", "sum", "squares", "actors", "distribution")
    return {name: str(number) for name, number in zip(names, numbers, strict=True) if number}


def check(engine: Engine, catalog: Catalog, project: Project, first: date, last: date) -> tuple[int, list[Difference]]:
    """How many published days of a window were compared, and every difference. Sealed days are passed over."""
    ((now,),) = engine.query("SELECT now64(3, 'UTC')")
    runs = [r for r in published(engine, project.id) if first <= r.day <= last and not r.sealed(utc(now))]
    measures = catalog.only(project.packs)
    return len(runs), [difference for run in runs for difference in _check_day(engine, measures, project, run)]


def _check_day(engine: Engine, catalog: Catalog, project: Project, run: Run) -> list[Difference]:
    scope = Scope(project.id, run.day, run.day, run.timezone)
    events = with_actors(events_between())
    sources = {
        Rows.EVENTS: events,
        Rows.EXPOSED: with_experiments(events),
        Rows.SESSIONS: f"({derived_sessions(several=False)})",
    }
    raw: dict[str, Numbers] = {}
    for rows, source in sources.items():
        raw.update(_raw(engine, catalog.measures_on(rows), source, scope))
    rolled = _rolled_up(engine, run, set(raw))
    return [
        Difference(run.day, key, numbers, rolled.get(key, _NOTHING))
        for key, numbers in raw.items()
        if numbers != rolled.get(key, _NOTHING)
    ]


def _raw(engine: Engine, measures: tuple[Measure, ...], source: str, scope: Scope) -> dict[str, Numbers]:
    if not measures:
        return {}
    aggregation = Aggregation.of(measures, exact=True)
    columns = [
        ", ".join("toUInt64(0)" if sql == "none" else sql for sql in state.values()) for state in aggregation.columns
    ]
    states = ", ".join(f"({literal(m.key)}, {c})" for m, c in zip(measures, columns, strict=True))
    sql = (
        f"SELECT m.1, m.2, m.3, m.4, m.5, arraySum(mapValues(m.6)) FROM (SELECT [{states}] AS ms FROM "
        f"(SELECT {', '.join(aggregation.outer)} FROM (SELECT *, {', '.join(aggregation.inner)} FROM {source}))) "
        "ARRAY JOIN ms AS m"
    )
    return _numbers(engine.query(sql, scope.params()))


def _rolled_up(engine: Engine, run: Run, keys: set[str]) -> dict[str, Numbers]:
    sql = (
        "SELECT toString(measure), sum(n), sum(total), sum(squares), groupBitmapMerge(actors), "
        "arraySum(mapValues(sumMap(dist))) FROM rollups WHERE project = {project:UInt32} AND day = {day:Date} "
        "AND run = {run:UInt64} AND dim = '' GROUP BY measure"
    )
    rows = engine.query(sql, {"project": run.project, "day": run.day, "run": run.run})
    return {key: numbers for key, numbers in _numbers(rows).items() if key in keys}


def _numbers(rows: Any) -> dict[str, Numbers]:
    return {key: (int(n), int(t), int(s), int(actors), int(dist)) for key, n, t, s, actors, dist in rows}
