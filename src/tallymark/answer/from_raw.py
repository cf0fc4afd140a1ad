"""Statements that answer from raw events, or from published sessions: any filter, any time zone, exact."""

from collections.abc import Sequence

from tallymark.answer.cells import KEY, NO_DIST, SERIES, SHOWN
from tallymark.engine.aggregate import Aggregation
from tallymark.engine.expression import condition_sql, literal, text_of
from tallymark.engine.source import events_between, instant, with_actors, with_experiments
from tallymark.spec.condition import Condition, Field
from tallymark.spec.measure import AGE, Kind, Measure, Rows
from tallymark.spec.window import Bucket

_SESSIONS = (
    f"(SELECT * FROM sessions WHERE project = {{project:UInt32}} AND day >= {{first:Date}} AND day <= {{last:Date}} "
    f"AND run IN {{runs:Array(UInt64)}} AND started_at >= {instant('start')} AND started_at < {instant('end')})"
)


def source(rows: Rows, condition: Condition) -> str:
    """The rows of the window that a filter lets pass."""
    tables = {Rows.SESSIONS: _SESSIONS, Rows.EXPOSED: with_experiments(events_between())}
    return f"(SELECT * FROM {tables.get(rows, events_between())} WHERE {condition_sql(condition)})"


def _bucketed(rows: Rows, source: str, buckets: Sequence[Bucket]) -> str:
    moment = "started_at" if rows is Rows.SESSIONS else "occurred_at"
    starts = ", ".join(str(bucket.start) for bucket in buckets)
    bucket = f"roundDown(toInt64(toUnixTimestamp({moment})), CAST([{starts}], 'Array(Int64)'))"
    return f"(SELECT *, {bucket} AS bucket FROM {source})"


def _keyed(source: str, by: Field) -> str:
    return f"(SELECT *, {text_of(by)} AS key FROM {source})"


def series(measures: Sequence[Measure], rows: Rows, source: str, buckets: Sequence[Bucket]) -> str:
    """Total and buckets of measures."""
    return _cells(measures, _bucketed(rows, source, buckets), "grouping(bucket) AS level, bucket, '' AS key", SERIES)


def breakdown(measures: Sequence[Measure], source: str, by: Field) -> str:
    """Measures by the keys that are shown."""
    keyed = f"(SELECT * FROM {_keyed(source, by)} WHERE {SHOWN})"
    return _cells(measures, keyed, f"{KEY} AS level, 0 AS bucket, key", "GROUP BY key")


def _cells(measures: Sequence[Measure], source: str, head: str, grouping: str) -> str:
    aggregation = Aggregation.of(measures, exact=True)
    states = ", ".join(
        f"({literal(measure.key)}, {', '.join('toUInt64(0)' if sql == 'none' else sql for sql in state.values())})"
        for measure, state in zip(measures, aggregation.columns, strict=True)
    )
    inner = f"SELECT *, {', '.join(aggregation.inner)} FROM {_aged(measures, source)}"
    grouped = f"SELECT {head}, {', '.join(aggregation.outer)} FROM ({inner}) {grouping}"
    return (
        "SELECT level, bucket, key, m.1, m.2, m.3, m.4, m.5, m.6, toUInt64(0) FROM "
        f"(SELECT level, bucket, key, [{states}] AS ms FROM ({grouped})) ARRAY JOIN ms AS m"
    )


def _aged(measures: Sequence[Measure], source: str) -> str:
    """The source, with actors' ages where a measure is of them."""
    return with_actors(source) if any(measure.of == AGE for measure in measures) else source


def largest_keys(measure: Measure, source: str, by: Field) -> str:
    """The largest keys of a field by a measure, largest first."""
    aggregation = Aggregation.of([measure], exact=True)
    size = "actors0" if measure.kind is Kind.ACTORS else "n0"
    inner = f"SELECT *, {', '.join(aggregation.inner)} FROM {_aged([measure], _keyed(source, by))}"
    return (
        f"SELECT key FROM (SELECT key, {', '.join(aggregation.outer)} FROM ({inner}) GROUP BY key) "
        f"WHERE n0 > 0 ORDER BY {size} DESC, key LIMIT {{limit:UInt32}}"
    )


def newcomers(measure: Measure, rows: Rows, source: str, buckets: Sequence[Bucket]) -> str:
    """Total and buckets of a measure's actors, and of those first seen in the same bucket or window."""
    acting = _acting(measure, _bucketed(rows, source, buckets))
    new = (
        f"if(level = 1, uniqExactIf(actor, first >= {instant('start')}), "
        "uniqExactIf(actor, toUnixTimestamp(first) >= bucket))"
    )
    return f"SELECT grouping(bucket) AS level, bucket, '' AS key, {_everyone(measure)}, {new} FROM {acting} {SERIES}"


def newcomers_breakdown(measure: Measure, source: str, by: Field) -> str:
    """A measure's actors by the keys that are shown, and those of them first seen in the window."""
    acting = _acting(measure, f"(SELECT * FROM {_keyed(source, by)} WHERE {SHOWN})")
    new = f"uniqExactIf(actor, first >= {instant('start')})"
    return f"SELECT {KEY}, 0, key, {_everyone(measure)}, {new} FROM {acting} GROUP BY key"


def _everyone(measure: Measure) -> str:
    return f"{literal(measure.key)}, uniqExact(actor), toInt128(0), toInt256(0), uniqExact(actor), {NO_DIST}"


def _acting(measure: Measure, source: str) -> str:
    """The measure's rows with `first`: when their actor was first seen, as far as a refresh or these rows know."""
    known = "(SELECT actor, min(first_seen) AS seen FROM actors WHERE project = {project:UInt32} GROUP BY actor)"
    return (
        "(SELECT r.*, if(k.actor = 0, min(r.occurred_at) OVER (PARTITION BY r.actor), k.seen) AS first FROM "
        f"(SELECT * FROM {source} WHERE {condition_sql(measure.where)} AND actor != 0) AS r "
        f"LEFT JOIN {known} AS k ON r.actor = k.actor)"
    )
