"""Measures as SQL: what is taken from rows, and what their states hold. Refreshes and raw answers share it.

A row's conditions and numbers are columns of an inner SELECT, each written once however many measures use it: the
engine parses and plans a statement about as long as it computes a small day.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from tallymark.engine.expression import condition_sql, number_of
from tallymark.spec.measure import Kind, Measure
from tallymark.spec.summary import GAMMA, SCALE, SMALLEST, ZERO_BUCKET

#: The columns of a state, and what each is where a measure's kind does not use it.
STATE: dict[str, str] = {
    "n": "toUInt64(0)",
    "total": "toInt128(0)",
    "squares": "toInt256(0)",
    "actors": "none",
    "dist": "CAST(map(), 'Map(Int16, UInt64)')",
}

#: How each column of a state is merged.
MERGE: dict[str, str] = {
    "n": "sum",
    "total": "sum",
    "squares": "sum",
    "actors": "groupBitmapMergeState",
    "dist": "sumMap",
}

#: The type of a set of actors' ordinals; conditional aggregates have to be cast to it.
BITMAP = "AggregateFunction(groupBitmap, UInt32)"

#: An empty bitmap, as an aggregate over whatever rows there are.
NONE = f"CAST(groupBitmapIfState(toUInt32(0), 0), '{BITMAP}') AS none"


@dataclass
class Aggregation:
    """Several measures over the same rows.

    `exact`: actors are counted by their hashes and not as bitmaps of ordinals, for answers from raw events.
    `inner`: columns to add to each row. `outer`: aggregates over the rows, named `n0`, `total0`, `actors3`, …
    `columns[i]`: the five columns of measure i's state, by the names of `STATE`, in terms of `outer` and `none`.
    """

    exact: bool = False
    inner: list[str] = field(default_factory=list)
    outer: list[str] = field(default_factory=list)
    columns: list[dict[str, str]] = field(default_factory=list)
    _named: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, measures: Sequence[Measure], exact: bool = False) -> "Aggregation":
        """The aggregation of these measures; rows need their fields, and `ordinal` for bitmaps of actors."""
        aggregation = cls(exact)
        for measure in measures:
            aggregation._add(measure)
        return aggregation

    def merges(self) -> list[str]:
        """The outer columns merged over rows that are aggregated already."""
        names = [(name, state) for columns in self.columns for state, name in columns.items() if name != STATE[state]]
        return [f"{MERGE[state]}({name}) AS {name}" for name, state in names]

    def _add(self, measure: Measure) -> None:
        parts = self._parts(measure)
        place = len(self.columns)
        self.outer += [f"{sql} AS {state}{place}" for state, sql in parts.items()]
        self.columns.append({state: f"{state}{place}" if state in parts else empty for state, empty in STATE.items()})

    def _parts(self, measure: Measure) -> dict[str, str]:
        where = condition_sql(measure.where)
        if measure.kind is Kind.COUNT:
            return {"n": f"countIf({self._column(where)})"}
        if measure.kind is Kind.ACTORS and self.exact:
            known = self._column(f"{where} AND actor != 0")
            return {"n": f"countIf({known})", "actors": f"uniqExactIf(actor, {known})"}
        if measure.kind is Kind.ACTORS:
            known = self._column(f"{where} AND ordinal > 0")
            return {"n": f"countIf({known})", "actors": f"CAST(groupBitmapIfState(ordinal, {known}), '{BITMAP}')"}
        if measure.of is None:
            raise ValueError(f"{measure.kind} needs a field.")
        number = self._column(number_of(measure.of))
        if measure.kind is Kind.QUANTILES:
            known = self._column(f"{where} AND ifNull({number} >= 0, 0)")
            return {
                "n": f"countIf({known})",
                "dist": f"sumMapIf(map({self._column(_bucket(number))}, toUInt64(1)), {known})",
            }
        known = self._column(f"{where} AND isNotNull({number})")
        scaled = self._column(billionths(number))
        sums = {"n": f"countIf({known})", "total": f"sumIf({scaled}, {known})"}
        if measure.kind is Kind.MOMENTS:
            sums["squares"] = f"sumIf(toInt256({scaled}) * toInt256({scaled}), {known})"
        return sums

    def _column(self, sql: str) -> str:
        """The name of an inner column that holds this."""
        if sql not in self._named:
            self._named[sql] = f"c{len(self._named)}"
            self.inner.append(f"{sql} AS {self._named[sql]}")
        return self._named[sql]


def billionths(number: str) -> str:
    """A number in billionths, as `spec.summary.scaled`: its whole part and the rest apart, so that none is lost."""
    known = f"ifNull({number}, 0)"
    return f"toInt128(trunc({known})) * {SCALE} + toInt64(round(({known} - trunc({known})) * {SCALE}))"


def _bucket(number: str) -> str:
    """The bucket of a number, as `spec.summary.bucket_of`."""
    known = f"ifNull({number}, 0)"
    log = f"floor(log(greatest({known}, {SMALLEST!r})) / {math.log(GAMMA)!r})"
    return f"toInt16(if({known} > 0, {log}, {ZERO_BUCKET}))"


def quantile(level: float, dist: str) -> str:
    """A quantile of merged buckets, as `spec.summary.Distribution.quantile` gives it; null without any numbers."""
    counts = f"mapValues({dist})"
    rank = f"greatest(1, ceil({level!r} * arraySum({counts})))"
    bucket = f"mapKeys({dist})[arrayFirstIndex(seen -> seen >= {rank}, arrayCumSum({counts}))]"
    middle = f"greatest(pow({GAMMA!r}, {bucket}) * {2 * GAMMA / (1 + GAMMA)!r}, {SMALLEST!r})"
    six_digits = f"round({middle}, 5 - toInt32(floor(log10({middle}))))"
    return f"if(empty({dist}), NULL, if({bucket} = {ZERO_BUCKET}, 0, {six_digits}))"
