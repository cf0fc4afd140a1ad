"""`GET /v1/rejections`: how many events a project had refused, and why."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Annotated, TypedDict

from litestar import get
from litestar.params import QueryParameter

from tallymark.answer.refused import refused
from tallymark.api.auth import Call, ProjectName, project_for
from tallymark.api.errors import documented
from tallymark.api.question import given_in, window_of
from tallymark.api.services import services


class Reason(TypedDict):
    """A reason, and how many events were refused for it."""

    reason: str
    events: int


class RefusedDay(TypedDict):
    """A day of arrival in UTC: how many events were refused, and how many for each reason."""

    day: str
    events: int
    reasons: dict[str, int]


class RejectionsBody(TypedDict):
    """Refused events of a window: all, by reason with the most frequent first, and by day, every day of it."""

    project: str
    window: dict[str, str]
    rejected: int
    reasons: list[Reason]
    days: list[RefusedDay]


@get(
    "/v1/rejections",
    sync_to_thread=True,
    tags=["operations"],
    summary="How many events were refused, and why",
    responses=documented(400, 401, 403, 404, 503),
)
def ask_rejections(
    request: Call,
    project: ProjectName = None,
    first: Annotated[
        str | None, QueryParameter(name="from", description="First day; default: 29 days before the last.")
    ] = None,
    to: Annotated[str | None, QueryParameter(description="Last day; default: today.")] = None,
) -> RejectionsBody:
    """By reason and by day; the counts outlive the events, which were never kept."""
    here, owner = services(request.app.state), project_for(request, project, "read")
    window = window_of(given_in(request), "UTC", datetime.fromtimestamp(here.now(), UTC))
    by_day = refused(here.engine, owner.id, window.first, window.last)
    total = sum(by_day.values(), Counter[str]())
    ordered = sorted(total.items(), key=lambda found: (-found[1], found[0]))
    days = [window.first + timedelta(days=n) for n in range(window.length)]
    return {
        "project": owner.name,
        "window": {"from": window.first.isoformat(), "to": window.last.isoformat(), "timezone": "UTC"},
        "rejected": total.total(),
        "reasons": [{"reason": reason, "events": n} for reason, n in ordered],
        "days": [_day(day.isoformat(), by_day.get(day, Counter())) for day in days],
    }


def _day(day: str, reasons: Counter[str]) -> RefusedDay:
    return {"day": day, "events": reasons.total(), "reasons": dict(sorted(reasons.items()))}
