"""Metrics: what a number is called, how it is made of measures, and how it is shown."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from tallymark.spec.condition import Column, Field
from tallymark.spec.measure import FIRSTS, Kind, Measure, Rows

Unit = Literal["count", "share", "ms", "seconds", "number"]
Good = Literal["up", "down", "neither"]

#: Keys of a dimension that rollups keep of a day, and what the others are added up under.
MOST_KEYS = 1_000
OTHER = "(other)"


@dataclass(frozen=True)
class Plain:
    """The measure itself: a count, a sum or a number of actors."""

    measure: Measure


@dataclass(frozen=True)
class Ratio:
    """One measure over another; null where the lower one is zero."""

    upper: Measure
    lower: Measure


@dataclass(frozen=True)
class Mean:
    """The mean of a number."""

    measure: Measure


@dataclass(frozen=True)
class Quantile:
    """A quantile of a number's distribution."""

    level: float
    measure: Measure


@dataclass(frozen=True)
class Newcomers:
    """The actors of a measure whose first event ever lies in the same bucket; `returning` gives the others.

    `share` divides by all actors of the measure.
    """

    measure: Measure
    returning: bool = False
    share: bool = False


Formula = Plain | Ratio | Mean | Quantile | Newcomers


@dataclass(frozen=True)
class Metric:
    """A metric of the catalogue."""

    name: str
    label: str
    help: str
    formula: Formula
    unit: Unit = "count"
    good: Good = "neither"

    @property
    def measures(self) -> tuple[Measure, ...]:
        """The measures it is made of."""
        match self.formula:
            case Ratio(upper, lower):
                return (upper, lower)
            case Newcomers(measure):
                return (measure, FIRSTS)
            case Plain(measure) | Mean(measure) | Quantile(_, measure):
                return (measure,)

    @property
    def rows(self) -> Rows:
        """What it looks at: all its measures look at the same rows, or the first one's."""
        return self.measures[0].rows

    @property
    def accuracy(self) -> str:
        """How near its numbers are to the truth."""
        return "within 0.5 %" if isinstance(self.formula, Quantile) else "exact"


@dataclass(frozen=True)
class Dimension:
    """Something numbers are broken down by. `events`, `sessions` and `exposed` are the fields it is read from there.

    `most_keys`: how many keys of a day rollups keep, the largest; the rest is added up.
    """

    name: str
    label: str
    help: str
    events: Field | None
    sessions: Field | None
    most_keys: int = MOST_KEYS
    exposed: Field | None = None

    def on(self, rows: Rows) -> Field | None:
        """The field that holds it in these rows; None where it has no meaning."""
        if rows is Rows.EXPOSED:
            return self.exposed or self.events
        return self.sessions if rows is Rows.SESSIONS else self.events

    def rolled_up(self, rows: Rows) -> bool:
        """Whether rollups break these rows down by it; an event's dimensions are there for each of its experiments."""
        return (self.exposed if rows is Rows.EXPOSED else self.on(rows)) is not None


def shared(name: str, label: str, help: str) -> Dimension:
    """A dimension of the same column in events and sessions; a session has its first event's."""
    return Dimension(name, label, help, Column(name), Column(name))


def check_kinds(metrics: Sequence[Metric]) -> None:
    """Raises ValueError where a formula is given a measure of a kind it can't present."""
    allowed: dict[type, set[Kind]] = {
        Plain: {Kind.COUNT, Kind.SUM, Kind.ACTORS},
        Ratio: {Kind.COUNT, Kind.SUM, Kind.ACTORS},
        Mean: {Kind.MOMENTS},
        Quantile: {Kind.QUANTILES},
        Newcomers: {Kind.ACTORS},
    }
    for metric in metrics:
        for measure in metric.measures:
            if measure.kind not in allowed[type(metric.formula)]:
                raise ValueError(f"{metric.name}: {type(metric.formula).__name__} can't present {measure.kind}.")
