"""`GET /v1/journeys`: the ways that actors take through their sessions."""

import asyncio
from typing import Annotated, Any

from litestar import get
from litestar.params import QueryParameter

from tallymark.answer.behaviour.journeys import answer_journeys
from tallymark.answer.behaviour.tell import tell_journeys
from tallymark.answer.compare import Told
from tallymark.answer.run import Runs
from tallymark.api.auth import Call, ProjectName
from tallymark.api.behaviour import TAG, Filters, First, Last, Zone, asker
from tallymark.api.behaviour_question import journey_question
from tallymark.api.errors import documented
from tallymark.api.segment_filters import SegmentKeys


@get("/v1/journeys", tags=[TAG], summary="Ask for journeys", responses=documented(400, 401, 403, 404, 503))
async def ask_journeys(
    request: Call,
    project: ProjectName = None,
    first: First = None,
    to: Last = None,
    timezone: Zone = None,
    node: Annotated[str | None, QueryParameter(description="event, or path: of views; default event.")] = None,
    start: Annotated[str | None, QueryParameter(description="Where they begin: an event, or a path.")] = None,
    end: Annotated[str | None, QueryParameter(description="Where they end instead.")] = None,
    depth: Annotated[str | None, QueryParameter(description="Most stations, 2 to 10; default 5.")] = None,
    filter_: Filters = None,
    segment: SegmentKeys = None,
    limit: Annotated[str | None, QueryParameter(description="Most ways; default 20.")] = None,
) -> dict[str, Any]:
    """The ways that most actors take, and the steps of all ways. See docs/funnels.md."""
    who = await asyncio.to_thread(asker, request, project)
    query = journey_question(who.given, who.project.timezone, who.now)

    def ask(_: Runs) -> Told:
        return Told(tell_journeys(query, answer_journeys(who.here.answers.answerer, query, who.project)), False)

    return await who.answered(query, [query.window], ask)
