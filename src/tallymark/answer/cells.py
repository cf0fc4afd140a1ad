"""What every statement of an answer gives, and the parts of SQL that both origins share.

A statement gives rows `(level, bucket, key, measure, n, total, squares, actors, dist, newcomers)`: the state of a
measure in a cell. `bucket` is the first epoch second of the bucket, `key` the dimension's.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from tallymark.answer.state import State
from tallymark.engine.base import Row
from tallymark.spec.condition import All, Any, Column, Comparison, Condition
from tallymark.spec.measure import Rows
from tallymark.spec.metric import Dimension
from tallymark.spec.query import Filter

#: Levels of a row: a bucket of the series, the total, or a key of the breakdown.
BUCKET, TOTAL, KEY = 0, 1, 2

#: Groups by bucket and in total; `grouping(bucket)` is the level.
SERIES = "GROUP BY GROUPING SETS ((), (bucket))"

NO_DIST = "CAST(map(), 'Map(Int16, UInt64)')"

SHOWN = "key IN {keys:Array(String)}"


def dimension_condition(filter: Filter, dimensions: dict[str, Dimension], rows: Rows) -> Condition:
    """A question's filter as a condition over rows."""
    groups = []
    for group in filter.groups:
        fields = [(dimensions[clause.dimension].on(rows), clause) for clause in group]
        groups.append(Any(tuple(Comparison(f, c.op, c.values) for f, c in fields if f is not None)))
    return All(tuple(groups))


def key_condition(filter: Filter) -> Condition:
    """A filter on one dimension as a condition over the keys of rollups."""
    groups = [Any(tuple(Comparison(Column("key"), c.op, c.values) for c in group)) for group in filter.groups]
    return All(tuple(groups))


@dataclass
class Cells:
    """States by measure key, for the total, each bucket and each key."""

    total: dict[str, State] = field(default_factory=dict)
    buckets: dict[int, dict[str, State]] = field(default_factory=dict)
    keys: dict[str, dict[str, State]] = field(default_factory=dict)

    def add(self, rows: Iterable[Row], buckets: Mapping[int, int] | None = None) -> None:
        """Takes in the rows of a statement; a measure's later statement replaces its state.

        `buckets` gives a bucket's first epoch second by what the statement calls it, where it does not say that.
        """
        for level, named, key, measure, *state in rows:
            bucket = buckets[named] if buckets is not None and level == BUCKET else named
            self._cell(level, bucket, key)[measure] = State(*state)

    def _cell(self, level: int, bucket: int, key: str) -> dict[str, State]:
        if level == TOTAL:
            return self.total
        return self.buckets.setdefault(bucket, {}) if level == BUCKET else self.keys.setdefault(key, {})
