"""Statements that answer from published rollups: states of days are merged, bitmaps intersected.

All read the runs that the parameter `runs` names, so that the statements of one answer see the same numbers.
"""

from collections.abc import Sequence

from tallymark.answer.cells import KEY, NO_DIST, SERIES, SHOWN, key_condition
from tallymark.engine.aggregate import BITMAP
from tallymark.engine.expression import condition_sql, literal
from tallymark.spec.measure import FIRSTS, Kind, Measure
from tallymark.spec.metric import OTHER
from tallymark.spec.query import EVERYTHING, Filter
from tallymark.spec.window import Grain

#: The rows of the days `first` to `last` in the runs.
PUBLISHED = "project = {project:UInt32} AND day >= {first:Date} AND day <= {last:Date} AND run IN {runs:Array(UInt64)}"

#: The first day of the bucket that a day lies in.
_BUCKET_DAYS = {Grain.DAY: "day", Grain.WEEK: "toMonday(day)", Grain.MONTH: "toStartOfMonth(day)"}


def rows_of(measures: Sequence[Measure], dim: str, filter: Filter = EVERYTHING) -> str:
    """The condition for rows of measures by a dimension ('' for totals)."""
    keys = ", ".join(literal(measure.key) for measure in measures)
    keyed = f" AND {condition_sql(key_condition(filter))}" if filter.groups else ""
    return f"dim = {literal(dim)} AND measure IN ({keys}){keyed}"


def _merged(measures: Sequence[Measure]) -> str:
    """The state of measures; bitmaps and distributions, which are large, are read where one of them has any."""
    kinds = {measure.kind for measure in measures}
    actors = "groupBitmapMerge(actors)" if Kind.ACTORS in kinds else "toUInt64(0)"
    dist = "sumMap(dist)" if Kind.QUANTILES in kinds else NO_DIST
    return f"sum(n), sum(total), sum(squares), {actors}, {dist}, toUInt64(0)"


def _filtered_dim(filter: Filter) -> str:
    return next(iter({clause.dimension for clause in filter.clauses}), "")


def _bucket(grain: Grain) -> str:
    """A bucket as the number of its first day, counted from 1970."""
    return f"toInt64(toUInt16({_BUCKET_DAYS[grain]}))"


def series(measures: Sequence[Measure], filter: Filter, grain: Grain) -> str:
    """Total and buckets of measures; a bucket is the number of its first day."""
    return (
        f"SELECT grouping(bucket), {_bucket(grain)} AS bucket, '', toString(measure), {_merged(measures)} FROM rollups "
        f"WHERE {PUBLISHED} AND {rows_of(measures, _filtered_dim(filter), filter)} "
        "GROUP BY GROUPING SETS ((measure), (measure, bucket))"
    )


def newcomers(measures: Sequence[Measure], filter: Filter, grain: Grain) -> str:
    """Total and buckets of measures' actors, and of those first seen in the same bucket or window."""
    dim = _filtered_dim(filter)
    everyone = ", ".join(f"{_merged_if(rows_of([m], dim, filter))} AS a{i}" for i, m in enumerate(measures))
    states = ", ".join(f"({literal(m.key)}, {_intersected(f'a{i}', 'f')})" for i, m in enumerate(measures))
    return (
        "SELECT level, bucket, '', m.1, m.2, m.3, m.4, m.5, m.6, m.7 FROM "
        f"(SELECT level, bucket, [{states}] AS ms FROM (SELECT grouping(bucket) AS level, {_bucket(grain)} AS bucket, "
        f"{everyone}, {_merged_if(rows_of([FIRSTS], ''))} AS f FROM rollups WHERE {PUBLISHED} "
        f"AND (({rows_of(measures, dim, filter)}) OR ({rows_of([FIRSTS], '')})) {SERIES})) ARRAY JOIN ms AS m"
    )


def _merged_if(condition: str) -> str:
    return f"CAST(groupBitmapMergeStateIf(actors, {condition}), '{BITMAP}')"


def _intersected(everyone: str, firsts: str) -> str:
    return (
        f"bitmapCardinality({everyone}), toInt128(0), toInt256(0), bitmapCardinality({everyone}), {NO_DIST}, "
        f"bitmapAndCardinality({everyone}, {firsts})"
    )


def largest_keys(measure: Measure, by: str, filter: Filter) -> str:
    """The largest keys of a dimension by a measure, largest first."""
    size = "groupBitmapMerge(actors)" if measure.kind is Kind.ACTORS else "sum(n)"
    return (
        f"SELECT key FROM rollups WHERE {PUBLISHED} AND {rows_of([measure], by, filter)} "
        f"GROUP BY key ORDER BY {size} DESC, key LIMIT {{limit:UInt32}}"
    )


def breakdown(measures: Sequence[Measure], by: str) -> str:
    """Measures by the keys that are shown."""
    return (
        f"SELECT {KEY}, 0, key, toString(measure), {_merged(measures)} FROM rollups "
        f"WHERE {PUBLISHED} AND {rows_of(measures, by)} AND {SHOWN} GROUP BY measure, key"
    )


def newcomers_breakdown(measure: Measure, by: str) -> str:
    """A measure's actors by the keys that are shown, and those of them first seen in the window."""
    merged = "groupBitmapMergeState(actors) AS s FROM rollups WHERE"
    everyone = f"SELECT key, {merged} {PUBLISHED} AND {rows_of([measure], by)} AND {SHOWN} GROUP BY key"
    firsts = f"SELECT {merged} {PUBLISHED} AND {rows_of([FIRSTS], '')}"
    return (
        f"SELECT {KEY}, 0, a.key, {literal(measure.key)}, {_intersected('a.s', 'f.s')} "
        f"FROM ({everyone}) AS a CROSS JOIN ({firsts}) AS f"
    )


def overflows(by: str) -> str:
    """How many rows of a dimension stand for keys that were too many to keep."""
    return f"SELECT count() FROM rollups WHERE {PUBLISHED} AND dim = {literal(by)} AND key = {literal(OTHER)}"
