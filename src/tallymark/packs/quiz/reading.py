"""`GET /quiz/tables/…` and `/quiz/health`: attempts and answers as rows, and whether the server answers."""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any, Final

from litestar import get
from litestar.params import PathParameter, QueryParameter
from litestar.types import ControllerRouterHandler

from tallymark.api.auth import Call
from tallymark.api.errors import documented
from tallymark.api.question import given_in, one
from tallymark.api.services import Services, services
from tallymark.packs.quiz.viewer import Viewer
from tallymark.packs.quiz.views import COLUMNS, TABLES
from tallymark.packs.table_reading import Health, health_of, rows_of


@get(
    "/tables/{table:str}",
    summary="Attempts or answers as rows",
    description="The rows that the engine's view of that name has of a project, newest first. Needs a key that may "
    "read, or a token of an admin, or of a teacher, who sees the rows of their own quizzes; the rows hold texts.",
    responses=documented(400, 401, 403, 404, 503),
)
async def table_rows(
    request: Call,
    table: Annotated[str, PathParameter(description=" or ".join(COLUMNS))],
    first: Annotated[str | None, QueryParameter(name="from", description="First day; default: of 30 days.")] = None,
    to: Annotated[str | None, QueryParameter(description="Last day; default today.")] = None,
    limit: Annotated[str | None, QueryParameter(description="Most rows; default 100.")] = None,
    project: Annotated[str | None, QueryParameter(description="Name of a project with the pack quiz.")] = None,
) -> dict[str, Any]:
    """The rows of a project, with the attempts of what was sent just before."""
    here, named = services(request.app.state), one(given_in(request), "project")
    viewer = await asyncio.to_thread(_looking, here, request, named)
    await asyncio.to_thread(request.route_handler.opt["freshen"], viewer.project)
    return await rows_of(request, TABLES, table, viewer.engine, viewer.project)


def _looking(here: Services, request: Call, name: str | None) -> Viewer:
    viewer = Viewer.of(here, request.scope, name)
    viewer.look_at_rows()
    return viewer


@get("/health", sync_to_thread=False, summary="Whether the server answers")
def health(request: Call) -> Health:
    """That it does, and what it is."""
    return health_of(request)


HANDLERS: Final[Sequence[ControllerRouterHandler]] = (table_rows, health)
