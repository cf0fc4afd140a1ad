"""`GET /voice/tables/…` and `/voice/health`: events as rows, and whether the server answers."""

import asyncio
from typing import Annotated, Any

from litestar import get
from litestar.params import PathParameter, QueryParameter

from tallymark.api.auth import Call
from tallymark.api.errors import documented
from tallymark.api.question import given_in, one
from tallymark.api.services import services
from tallymark.packs.table_reading import Health, health_of, rows_of
from tallymark.packs.voice.contract import CONTRACT
from tallymark.packs.voice.views import COLUMNS, TABLES


@get(
    "/tables/{table:str}",
    summary="Queries, outcomes or evaluations as rows",
    description="The rows that the engine's view of that name has of a project, newest first. Needs a key that may "
    "read: the rows hold texts.",
    responses=documented(400, 401, 403, 404, 503),
)
async def table_rows(
    request: Call,
    table: Annotated[str, PathParameter(description=" or ".join(COLUMNS))],
    first: Annotated[str | None, QueryParameter(name="from", description="First day; default: of 30 days.")] = None,
    to: Annotated[str | None, QueryParameter(description="Last day; default today.")] = None,
    limit: Annotated[str | None, QueryParameter(description="Most rows; default 100.")] = None,
    project: Annotated[str | None, QueryParameter(description="Name of a project with the pack voice.")] = None,
) -> dict[str, Any]:
    """The rows of a project."""
    here, named = services(request.app.state), one(given_in(request), "project")
    owner = await asyncio.to_thread(CONTRACT.read_by, here, request.scope, named)
    return await rows_of(request, TABLES, table, here.engine, owner)


@get("/health", sync_to_thread=False, summary="Whether the server answers")
def health(request: Call) -> Health:
    """That it does, and what it is."""
    return health_of(request)
