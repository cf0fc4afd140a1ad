"""Days of apps as rows: `daily_metric_rollups`, `experiment_metric_rollups`, `funnel_rollups` and `rollup_runs`.

The first two are made of published rollups, funnels of the days that are kept of them: all stay when events are gone.
"""

from datetime import datetime
from typing import Any, Final

from tallymark.engine.base import Engine
from tallymark.engine.expression import literal
from tallymark.engine.source import days as day_params
from tallymark.engine.source import utc
from tallymark.packs.ab.metrics import EVENTS_IN, EXPOSED_UNITS, METRICS, UNITS, UNITS_IN, VALUE_IN
from tallymark.packs.ab.names import EXPERIMENT_VARIANT, EXPERIMENT_VARIANT_EVENT, EXPOSED_VARIANT
from tallymark.packs.core.metrics import METRICS as CORE_METRICS
from tallymark.packs.day_columns import (
    ALWAYS,
    NAME,
    ONE_PROJECT,
    ONE_WINDOW,
    STAMPS,
    DayColumns,
    bitmap_of,
    days_of,
    number_of,
    total_of,
    with_packs,
)
from tallymark.spec.measure import FIRSTS, Measure
from tallymark.spec.metric import OTHER
from tallymark.spec.project import Project
from tallymark.spec.summary import SCALE
from tallymark.spec.window import Window

_EVERYBODY: Final = "(SELECT project, name FROM projects FINAL)"

_EXPERIMENT_COLUMNS: Final = (
    "project", "date", "experiment", "variant", "event", "events", "units", "value", "exposed_units", "new_units",
    "conversion",
)  # fmt: skip
_FUNNEL_COLUMNS: Final = (
    "project", "date", "funnel", "experiment", "variant", "step", "name", "units", "step_conversion", "conversion",
)  # fmt: skip
_RUN_COLUMNS: Final = (
    "project", "id", "job", "first_day", "last_day", "started_at", "finished_at", "rows", "status", "message",
)  # fmt: skip

#: Columns that are a metric's count or number of units.
_TOTALS: Final = ("app_opens", "app_sessions", "levels_started", "levels_completed", "purchases", "buyers",
                  "exposures", "exposed_units")  # fmt: skip


def _day_columns() -> DayColumns:
    measures = {metric.name: metric.measures[0] for metric in (*METRICS, *CORE_METRICS)}
    counted: dict[str, Measure] = {"total_events": measures["events"], **{name: measures[name] for name in _TOTALS}}
    units, firsts, revenue = bitmap_of(UNITS), bitmap_of(FIRSTS), measures["revenue"]
    aggregates = [
        f"{total_of(UNITS)} AS acting",
        f"bitmapAndCardinality({units}, {firsts}) AS new_acting",
        *(f"{total_of(measure)} AS of_{name}" for name, measure in counted.items()),
        f"{number_of(revenue)} AS of_revenue",
    ]
    columns = {
        "active_units": "acting",
        "new_units": "new_acting",
        **{name: f"of_{name}" for name in counted},
        "revenue": "of_revenue",
    }
    return DayColumns("ab", frozenset({UNITS, FIRSTS, revenue, *counted.values()}), aggregates, columns)


#: The columns of `daily_metric_rollups` that are of apps.
DAY_COLUMNS: Final = _day_columns()

#: The columns of each view, in order, as apps are told of them.
COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    NAME: ("id", "project", "day", *DAY_COLUMNS.columns, *STAMPS),
    "experiment_metric_rollups": _EXPERIMENT_COLUMNS,
    "funnel_rollups": _FUNNEL_COLUMNS,
    "rollup_runs": _RUN_COLUMNS,
}


def _daily(projects: str, where: str) -> str:
    return days_of(projects, where, [DAY_COLUMNS])


def _experiments(projects: str, where: str) -> str:
    """What the units of a variant did on a day, from their exposure on; conversion is of those that did anything."""
    keys = ", ".join(literal(measure.key) for measure in (EVENTS_IN, UNITS_IN, VALUE_IN))
    done = (
        "SELECT project, day, splitByChar('/', key)[1] AS experiment, splitByChar('/', key)[2] AS variant, "
        "concat(experiment, '/', variant) AS pair, substring(key, length(pair) + 2) AS event, "
        f"sumIf(n, measure = {literal(EVENTS_IN.key)}) AS events, "
        f"groupBitmapMergeIf(actors, measure = {literal(UNITS_IN.key)}) AS units, "
        f"toFloat64(toString(toDecimal256(sumIf(total, measure = {literal(VALUE_IN.key)}), 9) / {SCALE})) AS value "
        f"FROM {_published(where, EXPERIMENT_VARIANT_EVENT)} WHERE measure IN ({keys}) GROUP BY project, day, key"
    )
    active = _units(where, EXPERIMENT_VARIANT, UNITS_IN)
    new = _units(where, EXPOSED_VARIANT, EXPOSED_UNITS)
    return (
        "SELECT p.name AS project, toString(e.day) AS date, e.experiment AS experiment, e.variant AS variant, "
        "e.event AS event, e.events AS events, e.units AS units, e.value AS value, a.units AS exposed_units, "
        "n.units AS new_units, round(e.units / nullIf(a.units, 0), 6) AS conversion "
        f"FROM ({done}) AS e INNER JOIN {projects} AS p ON p.project = e.project "
        f"LEFT JOIN ({active}) AS a ON a.project = e.project AND a.day = e.day AND a.pair = e.pair "
        f"LEFT JOIN ({new}) AS n ON n.project = e.project AND n.day = e.day AND n.pair = e.pair"
    )


def _units(where: str, dim: str, measure: Measure) -> str:
    """The units of each variant on each day."""
    return (
        f"SELECT project, day, key AS pair, groupBitmapMerge(actors) AS units FROM {_published(where, dim)} "
        f"WHERE measure = {literal(measure.key)} GROUP BY project, day, pair"
    )


def _published(where: str, dim: str) -> str:
    """The rollups of published days by a dimension."""
    return (
        f"(SELECT * FROM rollups WHERE {where} AND dim = {literal(dim)} AND key != {literal(OTHER)} "
        f"AND (project, day, run) IN (SELECT project, day, run FROM runs FINAL WHERE {where}))"
    )


def _funnels(projects: str, where: str) -> str:
    """The steps of funnels by the day that units enter on; `experiment` and `variant` are '' for everybody."""
    days = (
        "SELECT project, toString(day) AS date, funnel, splitByChar('/', of)[1] AS experiment, "
        "substring(of, length(experiment) + 2) AS variant, reached, steps "
        f"FROM (SELECT * FROM funnel_days FINAL WHERE {where}) ARRAY JOIN variants AS of, counts AS reached"
    )
    return (
        "SELECT p.name AS project, date, funnel, experiment, variant, step, name, units, "
        "if(step = 1, 1, round(units / nullIf(reached[step - 1], 0), 6)) AS step_conversion, "
        "round(units / nullIf(reached[1], 0), 6) AS conversion "
        "FROM (SELECT project, date, funnel, experiment, variant, reached, units, step, steps[step] AS name "
        f"FROM ({days}) ARRAY JOIN reached AS units, arrayEnumerate(reached) AS step) AS s "
        f"INNER JOIN {projects} AS p ON p.project = s.project"
    )


def _runs(projects: str, where: str) -> str:
    """What was asked of rollups; one that was asked for every day has no first and last day."""
    return (
        "SELECT p.name AS project, lower(hex(id)) AS id, job, first AS first_day, last AS last_day, started_at, "
        "finished_at, rows, status, message "
        f"FROM (SELECT * FROM (SELECT *, toDate(started_at) AS day FROM rollup_jobs FINAL) WHERE {where}) AS j "
        f"INNER JOIN {projects} AS p ON p.project = j.project"
    )


_SELECTS: Final = {
    NAME: _daily,
    "experiment_metric_rollups": _experiments,
    "funnel_rollups": _funnels,
    "rollup_runs": _runs,
}

VIEWS: Final = {
    "experiment_metric_rollups": _experiments(with_packs(["ab"]), ALWAYS),
    "funnel_rollups": _funnels(_EVERYBODY, ALWAYS),
    "rollup_runs": _runs(_EVERYBODY, ALWAYS),
}


def rows(engine: Engine, project: Project, view: str, window: Window) -> list[dict[str, Any]]:
    """The rows of a project as a view has them, in order."""
    columns = COLUMNS[view]
    order = "day" if view == NAME else "started_at, id" if view == "rollup_runs" else ", ".join(columns)
    found = engine.query(
        f"SELECT {', '.join(columns)} FROM ({_SELECTS[view](ONE_PROJECT, ONE_WINDOW)}) ORDER BY {order}",
        {**day_params(project.id, window.first, window.last), "name": project.name},
    )
    return [{column: _told(value) for column, value in zip(columns, row, strict=True)} for row in found]


def _told(value: Any) -> Any:
    """A value as JSON."""
    if isinstance(value, datetime):
        return utc(value).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return value if value is None or isinstance(value, str | int | float) else str(value)
