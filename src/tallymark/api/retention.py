"""`GET /v1/retention`: cohorts and who of them comes back."""

import asyncio
from typing import Annotated, Any

from litestar import get
from litestar.params import QueryParameter

from tallymark.answer.behaviour.retention import answer_retention
from tallymark.answer.behaviour.tell import plan_body, tell_retention
from tallymark.answer.compare import Told
from tallymark.answer.run import Runs
from tallymark.api.auth import Call, ProjectName
from tallymark.api.behaviour import TAG, Exact, Explain, Filters, First, Last, Zone, asker
from tallymark.api.behaviour_question import retention_question
from tallymark.api.errors import documented
from tallymark.api.question import flag
from tallymark.api.segment_filters import SegmentKeys
from tallymark.spec.periods import periods_of
from tallymark.spec.window import today


@get("/v1/retention", tags=[TAG], summary="Ask for retention", responses=documented(400, 401, 403, 404, 503))
async def ask_retention(
    request: Call,
    project: ProjectName = None,
    first: First = None,
    to: Last = None,
    timezone: Zone = None,
    period: Annotated[str | None, QueryParameter(description="day, week or month; default week.")] = None,
    periods: Annotated[str | None, QueryParameter(description="Periods after a cohort's own.")] = None,
    cohort: Annotated[str | None, QueryParameter(description="first, or the event that actors begin with.")] = None,
    returning: Annotated[str | None, QueryParameter(description="any, or the event that counts.")] = None,
    filter_: Filters = None,
    segment: SegmentKeys = None,
    by: Annotated[str | None, QueryParameter(description="Dimension of the day that actors begin on.")] = None,
    limit: Annotated[str | None, QueryParameter(description="Most groups; default 10.")] = None,
    exact: Exact = None,
    explain: Explain = None,
) -> dict[str, Any]:
    """Cohorts by the period they begin in, and how many of them are active in each later one. See docs/funnels.md."""
    who = await asyncio.to_thread(asker, request, project)
    query, explained = retention_question(who.given, who.project.timezone, who.now), flag(who.given, "explain")

    horizon = periods_of(query.window, after=query.periods).window

    def ask(runs: Runs) -> Told:
        answer = answer_retention(who.here.answers.answerer, query, who.project, runs, who.now)
        standing = who.standing(answer.reading, horizon)
        body = {**tell_retention(query, answer, standing), **plan_body(answer.reading, explained)}
        return Told(body, answer.reading.rolled_up)

    question = (query, explained, today(query.window.timezone, who.now))
    return await who.answered(question, [horizon], ask)
