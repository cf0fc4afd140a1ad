"""The summary: a property's numbers of a window beside those of another one, as the web contract tells them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, TypedDict, cast

from tallymark.answer.compare import delta
from tallymark.answer.run import Runs
from tallymark.api.question import Parameters, check_names, check_span, explicit, one, parse_day, window_of
from tallymark.engine.base import Engine
from tallymark.engine.source import days as day_params
from tallymark.errors import BadQuery
from tallymark.packs.web.names import UNKNOWN_CHANNEL
from tallymark.rollup.run import made_at
from tallymark.spec.project import Project
from tallymark.spec.query import Query
from tallymark.spec.window import Window, today

PARAMETERS = ("from", "to", "propertyId", "compareTo")

_COMPARISONS = ("previous", "previous_year", "YYYY-MM-DD", "FROM..TO")
_PREVIOUS = frozenset({"previous", "previous_period", "true", "1"})

#: What the contract calls metrics of the catalogue.
_METRICS = {
    "uniqueVisitors": "visitors",
    "returningVisitorsPct": "returning_share",
    "totalPageViews": "page_views",
    "leadCaptureRate": "lead_capture_rate",
    "formCompletionRate": "form_completion_rate",
    "landingPageConversionRate": "landing_conversion_rate",
    "avgTimeToFirstCaptureHrs": "time_to_capture",
}
_TREND = {"uniqueVisitors": "visitors", "pageViews": "page_views", "newLeads": "new_leads"}
_ACCEPTED, _P95_TTFB = "events_accepted", "ttfb_p95"
_ARRIVALS, _CHANNEL = "arrivals", "channel"

_NAMES = tuple(dict.fromkeys((*_METRICS.values(), *_TREND.values(), _ACCEPTED, _P95_TTFB)))

_DIGITS = 6
_HOUR = 3_600

Span = TypedDict("Span", {"from": str, "to": str})


class Figure(TypedDict):
    """A number, and its relative change against the comparison."""

    value: float | int | None
    delta: float | None


class Freshness(TypedDict):
    """Up to which day everything is rolled up, how many days ago that is, and when the newest run was made."""

    rolledUpThrough: str | None
    lagDays: int | None
    generatedAt: str | None


class Metrics(TypedDict):
    """What the window is about."""

    uniqueVisitors: Figure
    returningVisitorsPct: Figure
    totalPageViews: Figure
    leadCaptureRate: Figure
    formCompletionRate: Figure
    landingPageConversionRate: Figure
    avgTimeToFirstCaptureHrs: Figure
    trafficSourceMix: dict[str, float]


class Ingest(TypedDict):
    """How well events came in."""

    successPct: float | None
    p95TtfbMs: int | None
    totalEventsAccepted: int
    totalEventsRejected: int


class Day(TypedDict):
    """A day of the trend."""

    day: str
    uniqueVisitors: int
    pageViews: int
    newLeads: int


class Summary(TypedDict):
    """The body of the answer."""

    ok: bool
    window: Span
    compareTo: Span | None
    freshness: Freshness
    metrics: Metrics
    ingest: Ingest
    trend: list[Day]


@dataclass(frozen=True)
class Question:
    """What a summary is asked for."""

    window: Window
    compare: Window | None = None

    @property
    def numbers(self) -> Query:
        """The question for every number but the mix of sources."""
        return Query(_NAMES, self.window, self.compare)

    @property
    def mix(self) -> Query:
        """The question for the mix of sources."""
        return Query((_ARRIVALS,), self.window, by=_CHANNEL)


def question(given: Parameters, timezone: str, now: datetime) -> Question:
    """The question of a property in `timezone`, asked at `now`. Errors: `BadQuery`."""
    check_names(given, PARAMETERS)
    one(given, "propertyId")
    window = window_of(given, timezone, now)
    return Question(window, _compared(one(given, "compareTo") or "", window))


def _compared(text: str, window: Window) -> Window | None:
    """The window to compare with. Errors: `BadQuery`."""
    if not text:
        return None
    compared = _named(text, window) or explicit(text, window) or _beginning(text, window)
    check_span(compared, "compareTo")
    return compared


def _named(text: str, window: Window) -> Window | None:
    if text in _PREVIOUS:
        return window.before()
    if text == "previous_year":
        return replace(window, first=_year_before(window.first), last=_year_before(window.last))
    return None


def _year_before(day: date) -> date:
    """The same day a year earlier; 28 February for the 29th."""
    leap_day = (day.month, day.day) == (2, 29)
    return day.replace(year=day.year - 1, day=28 if leap_day else day.day)


def _beginning(text: str, window: Window) -> Window:
    """The equally long window that begins on a day."""
    if not text[:1].isdigit():
        raise BadQuery(f"compareTo can't be {text[:40]!r}.", field="compareTo", allowed=_COMPARISONS)
    first = parse_day(text, "compareTo")
    return replace(window, first=first, last=first + timedelta(days=window.length - 1))


def refused(engine: Engine, project: Project, window: Window) -> int:
    """How many events were refused that arrived on the UTC days of a window, leads aside."""
    sql = (
        "SELECT sum(n) FROM rejections WHERE project = {project:UInt32} AND day >= {first:Date} "
        "AND day <= {last:Date} AND NOT startsWith(reason, 'lead_')"
    )
    ((n,),) = engine.query(sql, day_params(project.id, window.first, window.last))
    return int(n)


def freshness(runs: Runs, waiting: Sequence[date], window: Window, now: datetime) -> Freshness:
    """What is rolled up, where some days are `waiting` for a refresh, oldest first."""
    if not runs:
        return {"rolledUpThrough": None, "lagDays": None, "generatedAt": None}
    current = today(window.timezone, now)
    through = min(current, waiting[0] - timedelta(days=1)) if waiting else current
    inside = [run for day, run in runs.items() if window.first <= day <= window.last]
    return {
        "rolledUpThrough": through.isoformat(),
        "lagDays": (current - through).days,
        "generatedAt": _utc(made_at(max(inside or runs.values()))),
    }


def _utc(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def summary(
    asked: Question, numbers: Mapping[str, Any], mix: Mapping[str, Any], refusals: int, fresh: Freshness
) -> Summary:
    """The summary out of the answers to `asked.numbers` and `asked.mix`."""
    told = numbers["metrics"]
    return {
        "ok": True,
        "window": _span(asked.window),
        "compareTo": _span(asked.compare) if asked.compare else None,
        "freshness": fresh,
        "metrics": _metrics(told, mix),
        "ingest": _ingest(told, refusals),
        "trend": _trend(told, asked.window),
    }


def _span(window: Window) -> Span:
    return {"from": window.first.isoformat(), "to": window.last.isoformat()}


def _metrics(told: Mapping[str, Any], mix: Mapping[str, Any]) -> Metrics:
    figures = {key: _figure(told[name]["value"], told[name]["previous"]) for key, name in _METRICS.items()}
    seconds = figures["avgTimeToFirstCaptureHrs"]["value"]
    if seconds is not None:
        figures["avgTimeToFirstCaptureHrs"]["value"] = round(seconds / _HOUR, _DIGITS)
    return cast(Metrics, {**figures, "trafficSourceMix": _shares(mix)})


def _figure(value: float | int | None, previous: float | int | None) -> Figure:
    return {"value": value, "delta": delta(value, previous)}


def _shares(mix: Mapping[str, Any]) -> dict[str, float]:
    """Shares of the arrivals by channel, largest first."""
    total = mix["metrics"][_ARRIVALS]["value"]
    return {row["key"] or UNKNOWN_CHANNEL: round(row[_ARRIVALS] / total, _DIGITS) for row in mix["breakdown"]}


def _ingest(told: Mapping[str, Any], refusals: int) -> Ingest:
    accepted, p95 = told[_ACCEPTED]["value"], told[_P95_TTFB]["value"]
    return {
        "successPct": round(accepted / (accepted + refusals), _DIGITS) if accepted + refusals else None,
        "p95TtfbMs": None if p95 is None else round(p95),
        "totalEventsAccepted": accepted,
        "totalEventsRejected": refusals,
    }


def _trend(told: Mapping[str, Any], window: Window) -> list[Day]:
    series = [[point["value"] for point in told[name]["series"]] for name in _TREND.values()]
    return [
        {"day": day.isoformat(), "uniqueVisitors": visitors, "pageViews": views, "newLeads": leads}
        for day, visitors, views, leads in zip(window.days(), *series, strict=True)
    ]
