"""Days of properties as rows: the views `daily_metric_rollups` and `daily_ingest_rollups`.

Made of the declared measures, so that another declaration makes another view. Only published runs count.
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec

from tallymark.engine.aggregate import BITMAP, quantile
from tallymark.engine.base import Engine
from tallymark.engine.expression import literal
from tallymark.engine.source import days as day_params
from tallymark.engine.source import utc
from tallymark.packs.web.metrics import ENTRANCES, LANDED, METRICS, VISITORS
from tallymark.packs.web.names import UNKNOWN_CHANNEL
from tallymark.spec.measure import FIRSTS, Kind, Measure
from tallymark.spec.metric import OTHER
from tallymark.spec.project import Project
from tallymark.spec.summary import SCALE
from tallymark.spec.window import Window

#: Every property, and every day.
_PROPERTIES = "(SELECT project, name FROM projects FINAL WHERE has(packs, 'web'))"
_ALWAYS = "1"

#: One property, `name`, and its days `first` to `last`, as parameters.
_PROPERTY = "(SELECT {project:UInt32} AS project, {name:String} AS name)"
_DAYS = "project = {project:UInt32} AND day >= {first:Date} AND day <= {last:Date}"

_TOP_PATHS = 10

#: Columns that are JSON as text.
JSON_COLUMNS = frozenset({"traffic_source_breakdown", "top_landing_paths", "error_breakdown"})

_MEASURES = {metric.name: metric.measures[0] for metric in METRICS}

#: Columns that are a metric's count, sum or number of actors.
_TOTALS = {
    "unique_visitors": "visitors",
    "total_page_views": "page_views",
    "total_entrances": "entrances",
    "total_exits": "exits",
    "total_conversions": "conversions",
    "form_starts": "form_starts",
    "form_submits": "form_submits",
    "new_leads": "new_leads",
}

_METRIC_COLUMNS = (
    "unique_visitors", "returning_visitors", "total_page_views", "total_entrances", "total_exits",
    "total_conversions", "form_starts", "form_submits", "new_leads", "time_to_first_capture_sum_ms",
    "time_to_first_capture_count", "traffic_source_breakdown", "top_landing_paths",
)  # fmt: skip

_INGEST_COLUMNS = (
    "events_accepted", "events_rejected", "leads_accepted", "leads_rejected", "p95_ttfb_ms", "error_breakdown",
)  # fmt: skip

_STAMPS = ("generated_at", "created_at", "updated_at")

#: The columns of each view, in order.
COLUMNS: dict[str, tuple[str, ...]] = {
    "daily_metric_rollups": ("id", "property_id", "day", *_METRIC_COLUMNS, *_STAMPS),
    "daily_ingest_rollups": ("id", "property_id", "day", *_INGEST_COLUMNS, *_STAMPS),
}


def of_property(name: str) -> str:
    """The rows of a view for one property, by the parameters `project`, `name`, `first` and `last`, by day."""
    return f"SELECT {', '.join(COLUMNS[name])} FROM ({_SELECTS[name](_PROPERTY, _DAYS)}) ORDER BY day"


def _metric_rollups(properties: str, where: str) -> str:
    arrivals, ages = _MEASURES["arrivals"], _MEASURES["time_to_capture"]
    measures = {_MEASURES[metric] for metric in _TOTALS.values()} | {FIRSTS, arrivals, ages, ENTRANCES, LANDED}
    visitors, firsts = _bitmap(VISITORS), _bitmap(FIRSTS)
    aggregates = [
        *(f"{_total(_MEASURES[metric])} AS {column}" for column, metric in _TOTALS.items()),
        f"bitmapCardinality({visitors}) - bitmapAndCardinality({visitors}, {firsts}) AS returning_visitors",
        f"toInt64(intDiv(sumIf(total, {_is(ages)}), {SCALE // 1_000})) AS time_to_first_capture_sum_ms",
        f"sumIf(n, {_is(ages)}) AS time_to_first_capture_count",
        f"sumMapIf(map(if(key = '', {literal(UNKNOWN_CHANNEL)}, key), n), {_is(arrivals, 'channel')}) AS channels",
        f"{_by_path(ENTRANCES)} AS entered, {_by_path(LANDED)} AS landed",
    ]
    breakdowns = f"{_largest_first('channels')} AS traffic_source_breakdown, {_top_paths()} AS top_landing_paths"
    return (
        f"SELECT {_id('daily_metric_rollups')} AS id, p.name AS property_id, r.day AS day, "
        f"{', '.join(_METRIC_COLUMNS[:-2])}, {breakdowns}, r.made AS generated_at, r.created AS created_at, "
        f"r.made AS updated_at FROM {_runs(where)} AS r INNER JOIN {properties} AS p ON p.project = r.project "
        f"LEFT JOIN {_days(where, measures, aggregates)} AS d ON d.project = r.project AND d.day = r.day"
    )


def _ingest_rollups(properties: str, where: str) -> str:
    accepted, leads, ttfb = (_MEASURES[name] for name in ("events_accepted", "lead_captures", "ttfb_p95"))
    aggregates = [
        f"sumIf(n, {_is(accepted)}) AS events_accepted",
        f"sumIf(n, {_is(leads)}) AS leads_accepted",
        f"sumMapIf(dist, {_is(ttfb)}) AS waits",
    ]
    of_lead = "startsWith(reason, 'lead_')"
    refusals = (
        f"(SELECT project, day, sumIf(n, NOT {of_lead}) AS events_rejected, sumIf(n, {of_lead}) AS leads_rejected, "
        f"sumMap(map(toString(reason), n)) AS reasons FROM rejections WHERE {where} GROUP BY project, day)"
    )
    days = (
        f"(SELECT project, day, max(made) AS made, max(created) AS created FROM (SELECT * FROM {_runs(where)} UNION "
        f"ALL SELECT DISTINCT project, day, NULL, NULL FROM rejections WHERE {where}) GROUP BY project, day)"
    )
    return (
        f"SELECT {_id('daily_ingest_rollups')} AS id, p.name AS property_id, r.day AS day, events_accepted, "
        f"events_rejected, leads_accepted, leads_rejected, toInt64(round({quantile(0.95, 'waits')})) AS p95_ttfb_ms, "
        f"{_largest_first('reasons')} AS error_breakdown, r.made AS generated_at, r.created AS created_at, "
        f"r.made AS updated_at FROM {days} AS r INNER JOIN {properties} AS p ON p.project = r.project "
        f"LEFT JOIN {_days(where, {accepted, leads, ttfb}, aggregates)} AS d ON d.project = r.project AND d.day = r.day"
        f" LEFT JOIN {refusals} AS e ON e.project = r.project AND e.day = r.day"
    )


_SELECTS = {"daily_metric_rollups": _metric_rollups, "daily_ingest_rollups": _ingest_rollups}


def _runs(where: str) -> str:
    """The published days, when their run read its events and when the first one of the day did."""
    made = "fromUnixTimestamp64Milli(toInt64(bitShiftRight(run, 20)), 'UTC')"
    return f"(SELECT project, day, {made} AS made, created_at AS created FROM runs FINAL WHERE {where})"


def _days(where: str, measures: set[Measure], aggregates: list[str]) -> str:
    """Aggregates of the published days' rollups."""
    keys = ", ".join(sorted(literal(measure.key) for measure in measures))
    return (
        f"(SELECT project, day, {', '.join(aggregates)} FROM rollups WHERE {where} "
        f"AND dim IN ('', 'channel', 'entry_path') AND measure IN ({keys}) "
        f"AND (project, day, run) IN (SELECT project, day, run FROM runs FINAL WHERE {where}) GROUP BY project, day)"
    )


def _is(measure: Measure, dim: str = "") -> str:
    return f"dim = {literal(dim)} AND measure = {literal(measure.key)}"


def _total(measure: Measure) -> str:
    if measure.kind is Kind.ACTORS:
        return f"groupBitmapMergeIf(actors, {_is(measure)})"
    if measure.kind is Kind.SUM:
        return f"toUInt64(intDiv(sumIf(total, {_is(measure)}), {SCALE}))"
    return f"sumIf(n, {_is(measure)})"


def _bitmap(measure: Measure) -> str:
    return f"CAST(groupBitmapMergeStateIf(actors, {_is(measure)}), '{BITMAP}')"


def _by_path(measure: Measure) -> str:
    kept = f"{_is(measure, 'entry_path')} AND key != {literal(OTHER)}"
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


def _id(view: str) -> str:
    """An identity that a day of a project keeps, also when it is renamed: RFC 9562's version 8, of an MD5."""
    text = f"lower(hex(MD5(concat({literal(view + ' ')}, toString(r.project), ' ', toString(r.day)))))"
    return f"toUUID(concat(substring({text} AS h, 1, 12), '8', substring(h, 14, 3), '8', substring(h, 18)))"


VIEWS = {name: select(_PROPERTIES, _ALWAYS) for name, select in _SELECTS.items()}


def rows(engine: Engine, project: Project, view: str, window: Window) -> list[dict[str, Any]]:
    """The days of a property as a view has them, with JSON columns decoded."""
    params = {**day_params(project.id, window.first, window.last), "name": project.name}
    found = engine.query(of_property(view), params)
    return [{column: _told(column, value) for column, value in zip(COLUMNS[view], row, strict=True)} for row in found]


def _told(column: str, value: Any) -> Any:
    if column in JSON_COLUMNS:
        return msgspec.json.decode(value)
    if isinstance(value, datetime):
        return utc(value).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return str(value) if isinstance(value, date | UUID) else value
