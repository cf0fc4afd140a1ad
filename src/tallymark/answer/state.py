"""What the engine gives for a measure, and how a metric presents it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from tallymark.spec.measure import Kind, Measure
from tallymark.spec.metric import Mean, Metric, Newcomers, Plain, Quantile, Ratio
from tallymark.spec.summary import SCALE, Distribution, Moments

#: As precise as numbers are shown: enough to tell any two apart, not so much that noise shows.
_DIGITS = 6


@dataclass(frozen=True)
class State:
    """A measure over the rows of a cell. `newcomers` are those of `actors` first seen in the same bucket."""

    n: int = 0
    total: int = 0
    squares: int = 0
    actors: int = 0
    dist: Mapping[int, int] = field(default_factory=dict)
    newcomers: int = 0

    @cached_property
    def distribution(self) -> Distribution:
        """The distribution, put in order once however many quantiles are asked of it."""
        return Distribution(self.dist)


NOTHING = State()

#: The states of a cell by measure key.
Cell = Mapping[str, State]

Value = float | int | None


def value_of(metric: Metric, cell: Cell) -> Value:
    """What a metric says of a cell; None where it has nothing to say."""
    formula = metric.formula
    match formula:
        case Plain(measure):
            number = _number(measure, cell)
            return int(number) if metric.unit == "count" and number == int(number) else number
        case Ratio(upper, lower):
            below = _number(lower, cell)
            return round(_number(upper, cell) / below, _DIGITS) if below else None
        case Mean(measure):
            state = cell.get(measure.key, NOTHING)
            mean = Moments(state.n, state.total, state.squares).mean
            return None if mean is None else round(mean, _DIGITS)
        case Quantile(level, measure):
            return cell.get(measure.key, NOTHING).distribution.quantile(level)
        case Newcomers(measure):
            return _newcomers(formula, cell.get(measure.key, NOTHING))


def _number(measure: Measure, cell: Cell) -> float | int:
    state = cell.get(measure.key, NOTHING)
    if measure.kind is Kind.SUM:
        whole, rest = divmod(state.total, SCALE)
        return round(state.total / SCALE, _DIGITS) if rest else whole
    return state.actors if measure.kind is Kind.ACTORS else state.n


def _newcomers(formula: Newcomers, state: State) -> Value:
    counted = state.actors - state.newcomers if formula.returning else state.newcomers
    if not formula.share:
        return counted
    return round(counted / state.actors, _DIGITS) if state.actors else None
