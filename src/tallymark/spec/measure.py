"""Measures: monoids over rows. A measure says which rows count and what is taken from them.

Five kinds, each with a state that merges, so that days add up to any window:

| kind | state | presents |
|---|---|---|
| `count` | a number | rows |
| `sum` | billionths as an integer | a sum, exact to nine decimals |
| `moments` | count, sum and sum of squares, as integers | a mean, a variance |
| `actors` | a roaring bitmap of the actors' ordinals | distinct actors |
| `quantiles` | counts in logarithmic buckets, 1 % wide | a quantile, within 0.5 % |

Sums are integers so that the order of addition, which an engine does not promise, can't change a digit.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from tallymark.spec.condition import ALWAYS, Column, Condition, Field


class Kind(StrEnum):
    """What a measure keeps of its rows."""

    COUNT = "count"
    SUM = "sum"
    MOMENTS = "moments"
    ACTORS = "actors"
    QUANTILES = "quantiles"


class Rows(StrEnum):
    """What a measure looks at. Of `EXPOSED` there is one row for each event and experiment that its actor was in."""

    EVENTS = "events"
    SESSIONS = "sessions"
    EXPOSED = "exposed"
    FIRSTS = "firsts"


@dataclass(frozen=True)
class Measure:
    """A measure; `key` is its identity in the rollups, so equal measures of several metrics are kept once.

    `totals_only`: rollups keep its totals and not its breakdowns, which raw events answer. Each measure that is broken
    down makes every refresh some milliseconds longer.
    """

    kind: Kind
    where: Condition = ALWAYS
    of: Field | None = None
    rows: Rows = Rows.EVENTS
    totals_only: bool = False

    @cached_property
    def key(self) -> str:
        """The measure as text, the same in every process and version: `count(event is page_view)`."""
        inside = "; ".join(part for part in (str(self.of) if self.of else "", str(self.where)) if part)
        scope = "" if self.rows is Rows.EVENTS else f"{self.rows}:"
        return f"{scope}{self.kind}({inside})"


def count(where: Condition = ALWAYS, rows: Rows = Rows.EVENTS, totals_only: bool = False) -> Measure:
    """How many rows."""
    return Measure(Kind.COUNT, where, rows=rows, totals_only=totals_only)


def total(of: Field, where: Condition = ALWAYS, rows: Rows = Rows.EVENTS) -> Measure:
    """The sum of a number; rows without one add nothing."""
    return Measure(Kind.SUM, where, of, rows)


def moments(of: Field, where: Condition = ALWAYS, rows: Rows = Rows.EVENTS) -> Measure:
    """Count, sum and sum of squares of a number; rows without one are left out."""
    return Measure(Kind.MOMENTS, where, of, rows)


def actors(where: Condition = ALWAYS, rows: Rows = Rows.EVENTS) -> Measure:
    """Which actors have a row; rows without an actor are left out."""
    return Measure(Kind.ACTORS, where, rows=rows)


def quantiles(of: Field, where: Condition = ALWAYS, rows: Rows = Rows.EVENTS) -> Measure:
    """How a number of zero or more is distributed; rows without one are left out. Its states are large."""
    return Measure(Kind.QUANTILES, where, of, rows, totals_only=True)


#: Seconds from an event's actor's first event ever to the event; the first one itself has none.
AGE = Column("age")

#: The actors whose first event ever falls on the day: what "new" and "returning" are told apart by.
FIRSTS = Measure(Kind.ACTORS, rows=Rows.FIRSTS, totals_only=True)
