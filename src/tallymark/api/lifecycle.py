"""`GET /v1/lifecycle` and `GET /v1/stickiness`: who is active in which period, and on how many days of it."""

import asyncio
from datetime import date, timedelta
from typing import Annotated, Any

from litestar import get
from litestar.params import QueryParameter

from tallymark.answer.behaviour.lifecycle import answer_lifecycle
from tallymark.answer.behaviour.stickiness import MONTH, answer_stickiness
from tallymark.answer.behaviour.tell import plan_body, tell_lifecycle, tell_stickiness
from tallymark.answer.compare import Told
from tallymark.answer.run import Runs
from tallymark.api.auth import Call, ProjectName
from tallymark.api.behaviour import TAG, Asker, Exact, Explain, Filters, First, Last, Zone, asker
from tallymark.api.behaviour_question import lifecycle_question, stickiness_question
from tallymark.api.errors import documented
from tallymark.api.question import flag, window_of
from tallymark.api.segment_filters import SegmentKeys
from tallymark.spec.behaviour import ActivityQuery
from tallymark.spec.periods import periods_of
from tallymark.spec.window import Window, today

_Event = Annotated[str | None, QueryParameter(description="The event that counts; default: any.")]


@get("/v1/lifecycle", tags=[TAG], summary="Ask for the lifecycle", responses=documented(400, 401, 403, 404, 503))
async def ask_lifecycle(
    request: Call,
    project: ProjectName = None,
    first: First = None,
    to: Last = None,
    timezone: Zone = None,
    period: Annotated[str | None, QueryParameter(description="day, week or month; default day.")] = None,
    event: _Event = None,
    filter_: Filters = None,
    segment: SegmentKeys = None,
    exact: Exact = None,
    explain: Explain = None,
) -> dict[str, Any]:
    """New, returning, resurrecting and dormant actors of each period. See docs/funnels.md."""
    who = await asyncio.to_thread(asker, request, project)
    query, explained = lifecycle_question(who.given, who.project.timezone, who.now), flag(who.given, "explain")
    looked_at = periods_of(query.window, before=1).window

    def ask(runs: Runs) -> Told:
        answer = answer_lifecycle(who.here.answers.answerer, query, who.project, runs)
        standing = who.standing(answer.reading, looked_at)
        body = {**tell_lifecycle(query.window, answer, standing), **plan_body(answer.reading, explained)}
        return Told(body, answer.reading.rolled_up)

    question = ("lifecycle", query, explained, today(query.window.timezone, who.now))
    return await who.answered(question, [looked_at], ask)


@get("/v1/stickiness", tags=[TAG], summary="Ask for stickiness", responses=documented(400, 401, 403, 404, 503))
async def ask_stickiness(
    request: Call,
    project: ProjectName = None,
    first: First = None,
    to: Last = None,
    timezone: Zone = None,
    period: Annotated[str | None, QueryParameter(description="day: what is counted.")] = None,
    within: Annotated[str | None, QueryParameter(description="week or month; default week.")] = None,
    event: _Event = None,
    filter_: Filters = None,
    segment: SegmentKeys = None,
    exact: Exact = None,
    explain: Explain = None,
) -> dict[str, Any]:
    """On how many days of a week or month actors are active, and the actors of days. See docs/funnels.md."""
    who = await asyncio.to_thread(asker, request, project)
    query, explained = stickiness_question(who.given, who.project.timezone, who.now), flag(who.given, "explain")
    last = _last_day(query, who)

    def ask(runs: Runs) -> Told:
        answer = answer_stickiness(who.here.answers.answerer, query, who.project, runs, last)
        standing = who.standing(answer.reading, query.window)
        body = {**tell_stickiness(query.window, answer, standing), **plan_body(answer.reading, explained)}
        return Told(body, answer.reading.rolled_up)

    recent = Window(max(last - timedelta(days=MONTH - 1), date(1970, 1, 1)), last, query.window.timezone)
    question = ("stickiness", query, explained, last, today(query.window.timezone, who.now))
    return await who.answered(question, [query.window, recent], ask)


def _last_day(query: ActivityQuery, who: Asker) -> date:
    """The last day that is asked for, or the last one that is over if it is not."""
    asked = window_of(who.given, query.window.timezone, who.now)
    yesterday = today(query.window.timezone, who.now) - timedelta(days=1)
    return max(min(asked.last, yesterday), asked.first)
