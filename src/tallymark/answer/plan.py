"""Where each metric of a question is answered from: published rollups where they hold it, raw events otherwise.

A metric's plan depends on the metric and the question's window, filter and breakdown, never on the other metrics.
"""

from dataclasses import dataclass
from enum import StrEnum

from tallymark.errors import BadQuery
from tallymark.spec.catalog import Catalog
from tallymark.spec.measure import Rows
from tallymark.spec.metric import Metric
from tallymark.spec.project import Project
from tallymark.spec.query import Query
from tallymark.spec.window import Grain


class Origin(StrEnum):
    """What a number is computed from."""

    ROLLUPS = "rollups"
    RAW = "raw"


@dataclass(frozen=True)
class Part:
    """Metrics that are answered together; `why` says why not from rollups."""

    origin: Origin
    rows: Rows
    metrics: tuple[Metric, ...]
    why: str = ""


def plan(query: Query, project: Project, catalog: Catalog) -> list[Part]:
    """The parts of an answer. Errors: `BadQuery` for names that do not exist or don't go together."""
    groups: dict[tuple[Origin, Rows, str], list[Metric]] = {}
    for name in query.metrics:
        metric = catalog.metric(name)
        _check_dimensions(query, metric, catalog)
        why = _why_raw(query, project, metric, catalog)
        origin = Origin.RAW if why else Origin.ROLLUPS
        groups.setdefault((origin, metric.rows, why), []).append(metric)
    return [Part(origin, rows, tuple(metrics), why) for (origin, rows, why), metrics in groups.items()]


def _check_dimensions(query: Query, metric: Metric, catalog: Catalog) -> None:
    if query.by is not None:
        catalog.dimension(query.by, metric)
    for clause in query.filter.clauses:
        catalog.dimension(clause.dimension, metric, "filter")


def _why_raw(query: Query, project: Project, metric: Metric, catalog: Catalog) -> str:
    """Why rollups can't answer this; '' where they can."""
    named = {clause.dimension for clause in query.filter.clauses} | ({query.by} if query.by else set())
    if query.exact:
        return "asked for"
    if query.window.timezone != project.timezone:
        return f"rollups are of days in {project.timezone}"
    if query.window.grain is Grain.HOUR:
        return "rollups are of days"
    if len(named) > 1:
        return "rollups hold one dimension at a time"
    if named and any(measure.totals_only for measure in metric.measures if measure.rows is not Rows.FIRSTS):
        return "this is rolled up for totals only"
    if any(not catalog.dimensions[name].rolled_up(metric.rows) for name in named):
        return "rollups of this are by experiment and variant only"
    return ""


def check_window(query: Query) -> None:
    """Raises `BadQuery` for windows that are too long for their grain."""
    longest = {Grain.HOUR: 93}.get(query.window.grain, 3_660)
    if query.window.length > longest:
        raise BadQuery(
            f"The window has {query.window.length} days; with grain {query.window.grain} {longest} are allowed.",
            field="from",
        )
