"""An answer as it is told: values, series with every bucket, breakdown rows, deltas, freshness, accuracy."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from tallymark.answer.plan import Origin
from tallymark.answer.run import Answer, Answerer, Runs
from tallymark.answer.state import Value, value_of
from tallymark.spec.catalog import Catalog
from tallymark.spec.metric import Metric
from tallymark.spec.project import Project
from tallymark.spec.query import Query
from tallymark.spec.window import Window

_DELTA_DIGITS = 6


@dataclass(frozen=True)
class Freshness:
    """What published rollups cover.

    `through`: the last day with a run. `lag`: seconds since everything inserted was known to be rolled up.
    `generated_at`: when the newest run was published. `sealed`: days of the window whose raw events have expired.
    """

    through: date | None
    lag: float | None
    generated_at: datetime | None
    sealed: tuple[date, ...] = ()

    def body(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "rolledUpThrough": self.through.isoformat() if self.through else None,
            "lagSeconds": None if self.lag is None else round(self.lag, 1),
            "generatedAt": self.generated_at.isoformat(timespec="milliseconds") if self.generated_at else None,
            "sealedDays": [day.isoformat() for day in self.sealed],
        }


@dataclass(frozen=True)
class Told:
    """The body of an answer, without its freshness, and whether it is of published rollups alone."""

    body: dict[str, Any]
    from_rollups: bool


def tell(answerer: Answerer, query: Query, project: Project, runs: Runs, explain: bool = False) -> Told:
    """An answer out of those runs. Errors: `BadQuery`."""
    catalog = answerer.catalog.only(project.packs)
    asking = answerer.ask(query, project, runs)
    compared = None
    if query.compare is not None:
        compared = answerer.ask(_over(query, query.compare), project, runs, asking.keys if query.by else None)
    current, previous = asking.answer(), compared.answer() if compared else None
    body = answer_body(query, project, catalog, current, previous)
    if explain:
        body["plan"] = [
            {"metrics": [m.name for m in part.metrics], "from": part.origin, "rows": part.rows, "why": part.why or None}
            for part in current.parts
        ]
    parts = current.parts + (previous.parts if previous else ())
    return Told(body, all(part.origin is Origin.ROLLUPS for part in parts))


def answer_body(
    query: Query, project: Project, catalog: Catalog, current: Answer, previous: Answer | None
) -> dict[str, Any]:
    """Values, series, rows and deltas of an answer, beside the one of the window that it is compared with."""
    body: dict[str, Any] = {
        "project": project.name,
        "window": _window(query.window),
        "compareTo": _window(query.compare) if query.compare else None,
        "metrics": {name: _metric(catalog.metrics[name], query, current, previous) for name in query.metrics},
    }
    if query.by is not None:
        body["by"] = query.by
        body["breakdown"] = [_row(key, query, catalog, current, previous) for key in current.keys]
    return body


def _over(query: Query, window: Window) -> Query:
    return Query(query.metrics, window, None, query.by, query.filter, query.limit, query.exact)


def _window(window: Window) -> dict[str, str]:
    return {
        "from": window.first.isoformat(),
        "to": window.last.isoformat(),
        "timezone": window.timezone,
        "grain": window.grain,
    }


def _metric(metric: Metric, query: Query, current: Answer, previous: Answer | None) -> dict[str, Any]:
    cells = current.cells[metric.name]
    value = value_of(metric, cells.total)
    before = value_of(metric, previous.cells[metric.name].total) if previous else None
    told: dict[str, Any] = {
        "value": value,
        "previous": before,
        "delta": delta(value, before),
        "accuracy": metric.accuracy,
        "series": _series(metric, query.window, cells.buckets),
    }
    if previous is not None and query.compare is not None:
        told["previousSeries"] = _series(metric, query.compare, previous.cells[metric.name].buckets)
    return told


def _series(metric: Metric, window: Window, buckets: Mapping[int, Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [{"t": b.label, "value": value_of(metric, buckets.get(b.start, {}))} for b in window.buckets()]


def _row(key: str, query: Query, catalog: Catalog, current: Answer, previous: Answer | None) -> dict[str, Any]:
    row: dict[str, Any] = {"key": key}
    for name in query.metrics:
        metric = catalog.metrics[name]
        row[name] = value_of(metric, current.cells[name].keys.get(key, {}))
    if previous is not None:
        row["previous"] = {
            name: value_of(catalog.metrics[name], previous.cells[name].keys.get(key, {})) for name in query.metrics
        }
    return row


def delta(current: Value, before: Value) -> float | None:
    """The relative change; None where there is nothing to compare with, or nothing it could be relative to."""
    if current is None or not before:
        return None
    return round((current - before) / before, _DELTA_DIGITS)
