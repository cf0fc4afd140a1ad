"""Sums over an experiment's units, from raw events and in the engine.

A unit is an actor with an exposure: an event that tells that it met a variant. What is measured of it counts from its
first exposure on, over its whole history in the window: whoever is active on two days is one unit with one sum. A
unit that met two variants is left out. Every other exposed unit counts, also with nothing measured.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import combinations_with_replacement, repeat
from typing import Any

from tallymark.engine.base import Engine
from tallymark.engine.expression import array, condition_sql, literal, text_of
from tallymark.engine.source import events_between, instant, milliseconds
from tallymark.experiment.rank_values import beside_control, by_rank
from tallymark.experiment.ranks import Ranked
from tallymark.experiment.sample import UPPER, Pair, Sums, pair
from tallymark.experiment.span import Span
from tallymark.experiment.unit_values import UnitValues, Value
from tallymark.spec.condition import Comparison, Condition, Op, Prop, event, human
from tallymark.spec.experiment import EXPERIMENT, EXPOSURE, VARIANT, Experiment, ExperimentMetric
from tallymark.spec.project import Project
from tallymark.spec.window import today

#: Units beyond what fits in so many bytes are grouped on disk.
_SPILL_BYTES = 600 << 20


@dataclass(frozen=True)
class Measured:
    """A metric in a variant: sums over units, or values by rank.

    `unfinished` units have not been there for as long as the metric looks at a unit: retention leaves them out, other
    metrics count them with what they have.
    """

    of: Sums | Ranked
    unfinished: int


@dataclass(frozen=True)
class Units:
    """The units of an experiment: how many by variant, how many met several, and what was measured by metric."""

    exposed: Mapping[str, int]
    several: int
    measured: Mapping[str, Mapping[str, Measured]]


def measure(
    engine: Engine, project: Project, experiment: Experiment, span: Span, left_out: Sequence[int] = ()
) -> Units:
    """The units of an experiment without those actors, and its metrics of them."""
    statement = _Statement(project, experiment, span)
    rows = {
        row[0]: row[1:] for row in engine.query(statement.sql(), {**statement.params(), "left_out": [0, *left_out]})
    }
    return statement.read(rows)


class _Statement:
    """The statement that measures, and what its columns mean."""

    def __init__(self, project: Project, experiment: Experiment, span: Span) -> None:
        self._project, self._experiment, self._span = project, experiment, span
        self._metrics = experiment.metrics
        self._values = UnitValues(project.timezone, experiment.pre_days)
        self._of = [self._values.of(metric) for metric in experiment.metrics]

    def params(self) -> Mapping[str, Any]:
        """What the statement binds."""
        first_read = self._span.start - timedelta(days=self._experiment.pre_days)
        return {
            "project": self._project.id,
            "since": milliseconds(self._span.since),
            "from": milliseconds(self._span.start),
            "start": milliseconds(first_read),
            "end": milliseconds(self._span.end),
        }

    def sql(self) -> str:
        """A row for each variant by its number, which begins at 1; row 0 is of units that met several."""
        columns, shown = ["variant", "count() AS units"], ["variant", "units"]
        for i, (metric, values) in enumerate(zip(self._metrics, self._of, strict=True)):
            aggregates = self._aggregates(i, metric, values)
            columns += [f"{sql} AS {name}" for name, sql in aggregates.items()]
            shown += by_rank(i, metric.level) if metric.kind == "quantile" else aggregates
        by_variant = f"(SELECT {', '.join(columns)} FROM {self._by_unit()} GROUP BY variant)"
        quantiles = {i: metric.level for i, metric in enumerate(self._metrics) if metric.kind == "quantile"}
        return (
            f"SELECT {', '.join(shown)} FROM {beside_control(quantiles, by_variant)} "
            f"SETTINGS max_bytes_before_external_group_by = {_SPILL_BYTES}"
        )

    def _by_unit(self) -> str:
        values = [f"{v.sql} AS {_column(i, v)}" for i, values in enumerate(self._of) for v in values]
        return (
            f"(SELECT any(u.variant) AS variant, any(u.first) AS first{_listed(values)} "
            f"FROM {self._events()} AS e INNER JOIN {self._exposed()} AS u ON e.actor = u.actor GROUP BY e.actor)"
        )

    def _events(self) -> str:
        """Exposures and what is measured: a unit without any of the latter has the former."""
        fitting = " OR ".join([f"{condition_sql(self._exposures())}", *self._values.fitting])
        return (
            f"(SELECT actor, occurred_at{_listed(self._values.inner)} FROM {events_between()} "
            f"WHERE {condition_sql(human())} AND ({fitting}))"
        )

    def _exposed(self) -> str:
        """The units: when each was first exposed, and to what."""
        met, keys = text_of(Prop(VARIANT)), array([variant.key for variant in self._experiment.variants])
        return (
            "(SELECT actor, min(occurred_at) AS first, "
            f"if(min({met}) = max({met}), toUInt8(indexOf({keys}, min({met}))), 0) AS variant "
            f"FROM {events_between('since')} WHERE {condition_sql(human() & self._exposures())} "
            "AND actor NOT IN {left_out:Array(UInt64)} "
            f"GROUP BY actor HAVING first >= {instant('from')})"
        )

    def _exposures(self) -> Condition:
        keys = tuple(variant.key for variant in self._experiment.variants)
        return (
            event(EXPOSURE)
            & Comparison(Prop(EXPERIMENT), Op.IS, (self._experiment.key,))
            & Comparison(Prop(VARIANT), Op.IS, keys)
        )

    def _aggregates(self, i: int, metric: ExperimentMetric, values: Sequence[Value]) -> Mapping[str, str]:
        """Of a metric over units, by name: how many count, how many are unfinished, and sums or values in order."""
        counts, unfinished = self._due(metric)
        columns = {f"n{i}": f"countIf({counts})", f"unfinished{i}": f"countIf({unfinished})"}
        names = {value.name: _column(i, value) for value in values}
        if metric.kind == "quantile":
            return {**columns, f"values{i}": f"arraySort(groupArray({names[UPPER]}))"}
        totals = {f"{column}_sum": f"sumIf(toInt256({column}), {counts})" for column in names.values()}
        products = {
            f"p{i}_{one}_{other}": f"sumIf(toInt256({names[one]}) * {names[other]}, {counts})"
            for one, other in _pairs(values)
        }
        return {**columns, **totals, **products}

    def _due(self, metric: ExperimentMetric) -> tuple[str, str]:
        """Which units count for a metric, and which are unfinished."""
        if metric.kind == "retention":
            zone = self._project.timezone
            passed = today(zone, self._span.end) - timedelta(days=1)
            due = f"toDate(first, {literal(zone)}) + {metric.day} <= toDate('{passed}')"
            return due, f"NOT ({due})"
        return "1", f"first + toIntervalHour({metric.hours}) > {instant('end')}" if metric.hours else "0"

    def read(self, rows: Mapping[int, Sequence[Any]]) -> Units:
        """What the rows say; variants without any unit are there, too."""
        measured: dict[str, dict[str, Measured]] = {metric.name: {} for metric in self._metrics}
        exposed = {}
        for number, variant in enumerate(self._experiment.variants, 1):
            cells = iter(rows[number]) if number in rows else repeat(0)
            exposed[variant.key] = next(cells)
            for metric, values in zip(self._metrics, self._of, strict=True):
                measured[metric.name][variant.key] = _measured(metric, values, cells)
        return Units(exposed, rows[0][0] if 0 in rows else 0, measured)


def _listed(columns: Sequence[str]) -> str:
    """More columns of a list."""
    return "".join(f", {column}" for column in columns)


def _column(i: int, value: Value) -> str:
    return f"{value.name}{i}"


def _pairs(values: Sequence[Value]) -> list[Pair]:
    """The products that variances and covariances need."""
    return [pair(one.name, other.name) for one, other in combinations_with_replacement(values, 2)]


def _measured(metric: ExperimentMetric, values: Sequence[Value], cells: Iterator[int]) -> Measured:
    """What the next columns of a row say of a metric."""
    n, unfinished = next(cells), next(cells)
    scales = {value.name: value.scale for value in values}
    if metric.kind == "quantile":
        scale = scales[UPPER]
        value, low_rank, low, high_rank, high, equal, at_most, control_at_most = (next(cells) for _ in range(8))
        around = (value / scale, low_rank, low / scale, high_rank, high / scale)
        return Measured(Ranked(n, *around, equal, at_most, control_at_most), unfinished)
    totals = {name: next(cells) for name in scales}
    products = {names: next(cells) for names in _pairs(values)}
    return Measured(Sums(n, totals, products, scales), unfinished)
