"""Aggregates as rows: the views `daily_aggregates`, `monthly_aggregates` and `app_activity`.

Made of published rollups, so they stay when the events are gone; an app is its keyed hash.
"""

from typing import Any, Final

from tallymark.engine.aggregate import BITMAP
from tallymark.engine.base import Engine
from tallymark.engine.expression import literal
from tallymark.engine.source import days as day_params
from tallymark.packs.sdk.metrics import APPS, VALUE
from tallymark.packs.sdk.names import COUNTERS, NETWORKS
from tallymark.spec.project import Project
from tallymark.spec.summary import SCALE
from tallymark.spec.window import Window

#: Every project, and every day.
_PROJECTS = "(SELECT project, name FROM projects FINAL WHERE has(packs, 'sdk'))"
_ALWAYS = "1"

#: One project, `name`, and its days `first` to `last`, as parameters.
_PROJECT = "(SELECT {project:UInt32} AS project, {name:String} AS name)"
_DAYS = "project = {project:UInt32} AND day >= {first:Date} AND day <= {last:Date}"

_SUMS = ("network", "metric", "value", "unique_apps")

#: The columns of each view, in order.
COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    "daily_aggregates": ("project", "date", *_SUMS),
    "monthly_aggregates": ("project", "month", *_SUMS),
    "app_activity": ("project", "date", "network", "app"),
}


def _daily(projects: str, where: str) -> str:
    return _aggregates(projects, where, "date", "toString(day)")


def _monthly(projects: str, where: str) -> str:
    """Of all days of a month together: an app counts once."""
    return _aggregates(projects, where, "month", "formatDateTime(day, '%Y-%m')")


def _aggregates(projects: str, where: str, column: str, period: str) -> str:
    value, apps = literal(VALUE.key), literal(APPS.key)
    sums = (
        f"SELECT project, {period} AS period, splitByChar('/', key)[1] AS network, "
        "substring(key, length(network) + 2) AS metric, "
        f"toFloat64(toString(toDecimal256(sumIf(total, measure = {value}), 9) / {SCALE})) AS value, "
        f"groupBitmapMergeIf(actors, measure = {apps}) AS unique_apps "
        f"FROM {_published(where, COUNTERS)} WHERE measure IN ({value}, {apps}) GROUP BY project, period, key"
    )
    return (
        f"SELECT p.name AS project, s.period AS {column}, s.network AS network, s.metric AS metric, s.value AS value, "
        f"s.unique_apps AS unique_apps FROM ({sums}) AS s INNER JOIN {projects} AS p ON p.project = s.project"
    )


def _activity(projects: str, where: str) -> str:
    """Which app was active on which day with which network."""
    active = (
        "SELECT project, day, key AS network, "
        f"arrayJoin(bitmapToArray(CAST(groupBitmapMergeState(actors), '{BITMAP}'))) AS ordinal "
        f"FROM {_published(where, NETWORKS)} WHERE measure = {literal(APPS.key)} GROUP BY project, day, network"
    )
    apps = "(SELECT project, actor, min(actors.ordinal) AS ordinal FROM actors GROUP BY project, actor)"
    return (
        "SELECT p.name AS project, toString(a.day) AS date, a.network AS network, lower(hex(k.actor)) AS app "
        f"FROM ({active}) AS a INNER JOIN {apps} AS k ON k.project = a.project AND k.ordinal = a.ordinal "
        f"INNER JOIN {projects} AS p ON p.project = a.project"
    )


def _published(where: str, dim: str) -> str:
    """The rollups of published days by a dimension."""
    return (
        f"(SELECT * FROM rollups WHERE {where} AND dim = {literal(dim)} "
        f"AND (project, day, run) IN (SELECT project, day, run FROM runs FINAL WHERE {where}))"
    )


_SELECTS = {"daily_aggregates": _daily, "monthly_aggregates": _monthly, "app_activity": _activity}

VIEWS: Final = {name: select(_PROJECTS, _ALWAYS) for name, select in _SELECTS.items()}


def rows(engine: Engine, project: Project, view: str, window: Window) -> list[dict[str, Any]]:
    """The rows of a project as a view has them, in order."""
    columns = COLUMNS[view]
    found = engine.query(
        f"SELECT {', '.join(columns)} FROM ({_SELECTS[view](_PROJECT, _DAYS)}) ORDER BY {', '.join(columns)}",
        {**day_params(project.id, window.first, window.last), "name": project.name},
    )
    return [dict(zip(columns, row, strict=True)) for row in found]
