"""Statements that answer from published rollups: states of days are merged, bitmaps intersected."""

from collections.abc import Sequence

from tallymark.answer.cells import KEY, NO_DIST, SERIES, SHOWN, key_condition
from tallymark.engine.expression import condition_sql, literal
from tallymark.spec.measure import FIRSTS, Kind, Measure
from tallymark.spec.query import EVERYTHING, Filter

#: Where a rollup's rows of one dimension and day were too many, the rest is under this key.
OTHER = "(other)"

_MERGED = "sum(n), sum(total), sum(squares), groupBitmapMerge(actors), sumMap(dist), toUInt64(0)"


def _rows(measures: Sequence[Measure], dim: str, filter: Filter = EVERYTHING, more: str = "") -> str:
    """The published rows of measures by a dimension ('' for totals)."""
    keys = ", ".join(literal(measure.key) for measure in measures)
    return (
        f"(SELECT *{more} FROM rollups WHERE project = {{project:UInt32}} AND dim = {literal(dim)} "
        f"AND measure IN ({keys}) AND day >= {{first:Date}} AND day <= {{last:Date}} "
        f"AND run IN {{runs:Array(UInt64)}} AND {condition_sql(key_condition(filter))})"
    )


def _filtered_dim(filter: Filter) -> str:
    return next(iter({clause.dimension for clause in filter.clauses}), "")


def _bucket(days: Sequence[tuple[str, int]]) -> str:
    """The bucket that a day falls into; `days` are `(day, first second of its bucket)`."""
    names = ", ".join(f"'{day}'" for day, _ in days)
    starts = ", ".join(str(start) for _, start in days)
    return f", transform(day, CAST([{names}], 'Array(Date)'), [{starts}], 0) AS bucket"


def series(measures: Sequence[Measure], filter: Filter, days: Sequence[tuple[str, int]]) -> str:
    """Total and buckets of measures."""
    rows = _rows(measures, _filtered_dim(filter), filter, _bucket(days))
    return (
        f"SELECT grouping(bucket), bucket, '', toString(measure), {_MERGED} FROM {rows} "
        "GROUP BY GROUPING SETS ((measure), (measure, bucket))"
    )


def newcomers(measure: Measure, filter: Filter, days: Sequence[tuple[str, int]]) -> str:
    """Total and buckets of a measure's actors, and of those first seen in the same bucket or window."""
    bucket = _bucket(days)
    merged = "SELECT grouping(bucket) AS level, bucket, groupBitmapMergeState(actors) AS s FROM"
    everyone = f"{merged} {_rows([measure], _filtered_dim(filter), filter, bucket)} {SERIES}"
    firsts = f"{merged} {_rows([FIRSTS], '', more=bucket)} {SERIES}"
    return (
        f"SELECT level, bucket, '', {literal(measure.key)}, {_intersected('a.s', 'f.s')} "
        f"FROM ({everyone}) AS a LEFT JOIN ({firsts}) AS f USING (level, bucket)"
    )


def _intersected(everyone: str, firsts: str) -> str:
    return (
        f"bitmapCardinality({everyone}), toInt128(0), toInt256(0), bitmapCardinality({everyone}), {NO_DIST}, "
        f"bitmapAndCardinality({everyone}, {firsts})"
    )


def largest_keys(measure: Measure, by: str, filter: Filter) -> str:
    """The largest keys of a dimension by a measure, largest first."""
    size = "groupBitmapMerge(actors)" if measure.kind is Kind.ACTORS else "sum(n)"
    rows = _rows([measure], by, filter)
    return f"SELECT key FROM {rows} GROUP BY key ORDER BY {size} DESC, key LIMIT {{limit:UInt32}}"


def breakdown(measures: Sequence[Measure], by: str) -> str:
    """Measures by the keys that are shown."""
    return (
        f"SELECT {KEY}, 0, key, toString(measure), {_MERGED} FROM {_rows(measures, by)} "
        f"WHERE {SHOWN} GROUP BY measure, key"
    )


def newcomers_breakdown(measure: Measure, by: str) -> str:
    """A measure's actors by the keys that are shown, and those of them first seen in the window."""
    everyone = f"SELECT key, groupBitmapMergeState(actors) AS s FROM {_rows([measure], by)} WHERE {SHOWN} GROUP BY key"
    firsts = f"SELECT groupBitmapMergeState(actors) AS s FROM {_rows([FIRSTS], '')}"
    return (
        f"SELECT {KEY}, 0, a.key, {literal(measure.key)}, {_intersected('a.s', 'f.s')} "
        f"FROM ({everyone}) AS a CROSS JOIN ({firsts}) AS f"
    )


def overflows(by: str) -> str:
    """How many rows of a dimension stand for keys that were too many to keep."""
    return (
        f"SELECT count() FROM rollups WHERE project = {{project:UInt32}} AND dim = {literal(by)} "
        f"AND key = {literal(OTHER)} AND day >= {{first:Date}} AND day <= {{last:Date}} "
        "AND run IN {runs:Array(UInt64)}"
    )
