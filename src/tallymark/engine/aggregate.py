"""Measures as SQL: what is taken from rows, and how states are merged. Refreshes and raw answers share it.

Every measure gives the same five columns, of which its kind uses some: `n`, `total`, `squares`, `actors`, `dist`.
"""

import math
from dataclasses import dataclass

from tallymark.engine.expression import condition_sql, number_of
from tallymark.spec.measure import Kind, Measure
from tallymark.spec.summary import GAMMA, SCALE, SMALLEST, ZERO_BUCKET

NO_TOTAL = "toInt128(0)"
NO_SQUARES = "toInt256(0)"
NO_ACTORS = "groupBitmapIfState(toUInt32(0), 0)"
NO_DIST = "CAST(map(), 'Map(Int16, UInt64)')"

STATE_COLUMNS = ("n", "total", "squares", "actors", "dist")


@dataclass(frozen=True)
class Aggregates:
    """A measure's five columns over grouped rows, as SQL."""

    n: str
    total: str = NO_TOTAL
    squares: str = NO_SQUARES
    actors: str = NO_ACTORS
    dist: str = NO_DIST

    def columns(self) -> tuple[str, str, str, str, str]:
        """In the order of `STATE_COLUMNS`."""
        return (self.n, self.total, self.squares, self.actors, self.dist)


def aggregates(measure: Measure) -> Aggregates:
    """How a measure is taken from rows that have its fields, and `ordinal` where it counts actors."""
    where = condition_sql(measure.where)
    if measure.kind is Kind.COUNT:
        return Aggregates(f"countIf({where})")
    if measure.kind is Kind.ACTORS:
        known = f"{where} AND ordinal > 0"
        return Aggregates(f"countIf({known})", actors=f"groupBitmapIfState(ordinal, {known})")
    if measure.of is None:
        raise ValueError(f"{measure.kind} needs a field.")
    number = number_of(measure.of)
    if measure.kind is Kind.QUANTILES:
        known = f"{where} AND ifNull({number} >= 0, 0)"
        return Aggregates(f"countIf({known})", dist=f"sumMapIf(map({_bucket(number)}, toUInt64(1)), {known})")
    known = f"{where} AND isNotNull({number})"
    scaled = f"toInt128(round(ifNull({number}, 0) * {SCALE}))"
    total = f"sumIf({scaled}, {known})"
    if measure.kind is Kind.SUM:
        return Aggregates(f"countIf({known})", total)
    return Aggregates(f"countIf({known})", total, f"sumIf(toInt256({scaled}) * toInt256({scaled}), {known})")


def _bucket(number: str) -> str:
    """The bucket of a number, as `spec.summary.bucket_of`."""
    known = f"ifNull({number}, 0)"
    log = f"floor(log(greatest({known}, {SMALLEST!r})) / {math.log(GAMMA)!r})"
    return f"toInt16(if({known} > 0, {log}, {ZERO_BUCKET}))"


def merged() -> tuple[str, ...]:
    """The five columns merged over rows of `rollups`; actors as a state that merges further."""
    return ("sum(n)", "sum(total)", "sum(squares)", "groupBitmapMergeState(actors)", "sumMap(dist)")
