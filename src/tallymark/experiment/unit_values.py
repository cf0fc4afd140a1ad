"""What is measured of a unit, as SQL: columns of its events, and values of the unit out of them.

Conditions and numbers of events are columns of an inner SELECT, each written once however many metrics use it, as
`engine.aggregate` does.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from tallymark.engine.aggregate import billionths
from tallymark.engine.expression import condition_sql, literal, number_of
from tallymark.experiment.sample import LOWER, LOWER_BEFORE, SHARES, UPPER, UPPER_BEFORE
from tallymark.spec.experiment import ExperimentMetric, Taken
from tallymark.spec.summary import SCALE


@dataclass(frozen=True)
class Value:
    """A value of a unit: its name, its SQL over the unit's events, and how many parts of it are one."""

    name: str
    sql: str
    scale: int


@dataclass
class UnitValues:
    """The values that metrics need of each unit.

    `inner`: columns to add to each event. In the SQL of a value, `e` is an event and `u` its unit, with `first`, when
    it was exposed first. `pre_days`: how many days before that are looked at, 0 for none.
    """

    timezone: str
    pre_days: int = 0
    inner: list[str] = field(default_factory=list)
    fitting: list[str] = field(default_factory=list)
    _named: dict[str, str] = field(default_factory=dict)

    def of(self, metric: ExperimentMetric) -> Sequence[Value]:
        """The values of a metric, in the order of their names' meaning."""
        parts = [(UPPER, UPPER_BEFORE, metric.taken)]
        if metric.kind == "ratio":
            parts.append((LOWER, LOWER_BEFORE, metric.lower or Taken()))
        after = [self._value(name, metric, taken, self._after(metric)) for name, _, taken in parts]
        if not self.pre_days or metric.kind == "quantile":
            return after
        before = f"e.occurred_at < u.first AND e.occurred_at >= u.first - toIntervalDay({self.pre_days})"
        return after + [self._value(name, metric, taken, before) for _, name, taken in parts]

    def _after(self, metric: ExperimentMetric) -> str:
        """Whether an event counts for a metric by its time."""
        after = "e.occurred_at >= u.first"
        if metric.kind == "retention":
            zone = literal(self.timezone)
            return f"{after} AND toDate(e.occurred_at, {zone}) = toDate(u.first, {zone}) + {metric.day}"
        return f"{after} AND e.occurred_at < u.first + toIntervalHour({metric.hours})" if metric.hours else after

    def _value(self, name: str, metric: ExperimentMetric, taken: Taken, when: str) -> Value:
        if taken.of is None or metric.kind in SHARES:
            fits = f"e.{self._fitting(condition_sql(taken.where))} AND {when}"
            sql = f"max({fits})" if metric.kind in SHARES else f"countIf({fits})"
            return Value(name, f"toInt128({sql})", 1)
        number = self._column(number_of(taken.of))
        fits = f"e.{self._fitting(f'{condition_sql(taken.where)} AND isNotNull({number})')} AND {when}"
        return Value(name, f"sumIf(e.{self._column(billionths(number))}, {fits})", SCALE)

    def _fitting(self, condition: str) -> str:
        """The column of a condition; events for which none of these holds need not be read."""
        column = self._column(condition)
        if column not in self.fitting:
            self.fitting.append(column)
        return column

    def _column(self, sql: str) -> str:
        """The name of an inner column that holds this."""
        if sql not in self._named:
            self._named[sql] = f"c{len(self._named)}"
            self.inner.append(f"{sql} AS {self._named[sql]}")
        return self._named[sql]
