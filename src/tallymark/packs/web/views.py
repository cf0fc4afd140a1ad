"""Days of properties as rows: columns of the view `daily_metric_rollups`, and the view `daily_ingest_rollups`.

Made of the declared measures, so that another declaration makes another view. Only published runs count.
"""

from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

import msgspec

from tallymark.engine.aggregate import quantile
from tallymark.engine.base import Engine
from tallymark.engine.expression import literal
from tallymark.engine.source import days as day_params
from tallymark.engine.source import utc
from tallymark.packs.day_columns import (
    ALWAYS,
    NAME,
    ONE_PROJECT,
    ONE_WINDOW,
    STAMPS,
    DayColumns,
    aggregated,
    bitmap_of,
    days_of,
    identity,
    is_of,
    runs,
    total_of,
    with_packs,
)
from tallymark.packs.web.metrics import ENTRANCES, LANDED, METRICS, VISITORS
from tallymark.packs.web.names import UNKNOWN_CHANNEL
from tallymark.spec.measure import FIRSTS, Measure
from tallymark.spec.metric import OTHER
from tallymark.spec.project import Project
from tallymark.spec.summary import SCALE
from tallymark.spec.window import Window

_TOP_PATHS = 10

#: Columns that are JSON as text.
JSON_COLUMNS = frozenset({"traffic_source_breakdown", "top_landing_paths", "error_breakdown"})

_MEASURES = {metric.name: metric.measures[0] for metric in METRICS}

#: Columns that are a metric's count, sum or number of actors.
_TOTALS = {
    "total_page_views": "page_views",
    "total_entrances": "entrances",
    "total_exits": "exits",
    "total_conversions": "conversions",
    "form_starts": "form_starts",
    "form_submits": "form_submits",
    "new_leads": "new_leads",
}

_INGEST_COLUMNS = (
    "events_accepted", "events_rejected", "leads_accepted", "leads_rejected", "p95_ttfb_ms", "error_breakdown",
)  # fmt: skip


def _by_path(measure: Measure) -> str:
    kept = f"{is_of(measure, 'entry_path')} AND key != {literal(OTHER)}"
    return f"sumMapIf(map(key, toUInt64(intDiv(total, {SCALE}))), {kept})"


def _top_paths() -> str:
    entrances = "mapFilter((path, n) -> n > 0, entered)"
    ordered = f"arraySort(path -> (-toInt64(entered[path]), path), mapKeys({entrances}))"
    row = "CAST((path, entered[path], landed[path]), 'Tuple(path String, entrances UInt32, conversions UInt32)')"
    return _json(f"arrayMap(path -> {row}, arraySlice({ordered}, 1, {_TOP_PATHS}))")


def _largest_first(counts: str) -> str:
    """Counts by text as JSON; of 32 bits, for the engine may write larger ones as text."""
    ordered = f"mapSort((name, n) -> (-toInt64(n), name), {counts})"
    return _json(f"mapApply((name, n) -> (name, toUInt32(n)), {ordered})")


def _json(value: str) -> str:
    """A value as JSON; the engine would write `\\/` for every slash."""
    return f"replaceAll(toJSONString({value}), {literal(chr(92) + '/')}, '/')"


def _day_columns() -> DayColumns:
    arrivals, ages = _MEASURES["arrivals"], _MEASURES["time_to_capture"]
    counted = [_MEASURES[metric] for metric in _TOTALS.values()]
    visitors, firsts = bitmap_of(VISITORS), bitmap_of(FIRSTS)
    aggregates = [
        f"{total_of(VISITORS)} AS visitors",
        f"bitmapCardinality({visitors}) - bitmapAndCardinality({visitors}, {firsts}) AS returning",
        *(f"{total_of(_MEASURES[metric])} AS counted_{metric}" for metric in _TOTALS.values()),
        f"toInt64(intDiv(sumIf(total, {is_of(ages)}), {SCALE // 1_000})) AS ages_sum",
        f"sumIf(n, {is_of(ages)}) AS ages_count",
        f"sumMapIf(map(if(key = '', {literal(UNKNOWN_CHANNEL)}, key), n), {is_of(arrivals, 'channel')}) AS channels",
        f"{_by_path(ENTRANCES)} AS entered",
        f"{_by_path(LANDED)} AS landed",
    ]
    columns = {
        "unique_visitors": "visitors",
        "returning_visitors": "returning",
        **{column: f"counted_{metric}" for column, metric in _TOTALS.items()},
        "time_to_first_capture_sum_ms": "ages_sum",
        "time_to_first_capture_count": "ages_count",
        "traffic_source_breakdown": _largest_first("channels"),
        "top_landing_paths": _top_paths(),
    }
    measures = frozenset({*counted, VISITORS, FIRSTS, arrivals, ages, ENTRANCES, LANDED})
    return DayColumns("web", measures, aggregates, columns, frozenset({"channel", "entry_path"}))


#: The columns of `daily_metric_rollups` that are of properties.
DAY_COLUMNS: Final = _day_columns()

#: The columns of each view, in order, as properties are told of them.
COLUMNS: dict[str, tuple[str, ...]] = {
    NAME: ("id", "property_id", "day", *DAY_COLUMNS.columns, *STAMPS),
    "daily_ingest_rollups": ("id", "property_id", "day", *_INGEST_COLUMNS, *STAMPS),
}


def _metric_rollups(properties: str, where: str) -> str:
    return days_of(properties, where, [DAY_COLUMNS])


def _ingest_rollups(properties: str, where: str) -> str:
    accepted, leads, ttfb = (_MEASURES[name] for name in ("events_accepted", "lead_captures", "ttfb_p95"))
    sums = DayColumns(
        "web",
        frozenset({accepted, leads, ttfb}),
        [
            f"sumIf(n, {is_of(accepted)}) AS events_accepted",
            f"sumIf(n, {is_of(leads)}) AS leads_accepted",
            f"sumMapIf(dist, {is_of(ttfb)}) AS waits",
        ],
        {},
    )
    of_lead = "startsWith(reason, 'lead_')"
    refusals = (
        f"(SELECT project, day, sumIf(n, NOT {of_lead}) AS events_rejected, sumIf(n, {of_lead}) AS leads_rejected, "
        f"sumMap(map(toString(reason), n)) AS reasons FROM rejections WHERE {where} GROUP BY project, day)"
    )
    days = (
        f"(SELECT project, day, max(made) AS made, max(created) AS created FROM (SELECT * FROM {runs(where)} UNION "
        f"ALL SELECT DISTINCT project, day, NULL, NULL FROM rejections WHERE {where}) GROUP BY project, day)"
    )
    return (
        f"SELECT {identity('daily_ingest_rollups')} AS id, p.name AS property_id, r.day AS day, events_accepted, "
        f"events_rejected, leads_accepted, leads_rejected, toInt64(round({quantile(0.95, 'waits')})) AS p95_ttfb_ms, "
        f"{_largest_first('reasons')} AS error_breakdown, r.made AS generated_at, r.created AS created_at, "
        f"r.made AS updated_at FROM {days} AS r INNER JOIN {properties} AS p ON p.project = r.project "
        f"LEFT JOIN {aggregated(where, [sums])} AS d ON d.project = r.project AND d.day = r.day"
        f" LEFT JOIN {refusals} AS e ON e.project = r.project AND e.day = r.day"
    )


_SELECTS = {NAME: _metric_rollups, "daily_ingest_rollups": _ingest_rollups}

VIEWS = {"daily_ingest_rollups": _ingest_rollups(with_packs(["web"]), ALWAYS)}


def rows(engine: Engine, project: Project, view: str, window: Window) -> list[dict[str, Any]]:
    """The days of a property as a view has them, with JSON columns decoded."""
    params = {**day_params(project.id, window.first, window.last), "name": project.name}
    columns = COLUMNS[view]
    found = engine.query(
        f"SELECT {', '.join(columns)} FROM ({_SELECTS[view](ONE_PROJECT, ONE_WINDOW)}) ORDER BY day", params
    )
    return [{column: _told(column, value) for column, value in zip(columns, row, strict=True)} for row in found]


def _told(column: str, value: Any) -> Any:
    if column in JSON_COLUMNS:
        return msgspec.json.decode(value)
    if isinstance(value, datetime):
        return utc(value).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return str(value) if isinstance(value, date | UUID) else value
