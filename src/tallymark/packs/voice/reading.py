"""`GET /voice/tables/…` and `/voice/health`: events as rows, and whether the server answers."""

import asyncio
from datetime import UTC, datetime
from typing import Annotated, Any, TypedDict

from litestar import get
from litestar.params import PathParameter, QueryParameter

from tallymark import __version__
from tallymark.api.auth import Call
from tallymark.api.errors import documented
from tallymark.api.question import check_names, given_in, limit_of, one, window_of
from tallymark.api.services import services
from tallymark.errors import NotFound
from tallymark.packs.voice.contract import CONTRACT
from tallymark.packs.voice.views import COLUMNS, rows


class Health(TypedDict):
    """That the server answers."""

    status: str
    version: str
    environment: str


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
    here, given = services(request.app.state), given_in(request)
    owner = await asyncio.to_thread(CONTRACT.read_by, here, request.scope, one(given, "project"))
    if table not in COLUMNS:
        raise NotFound(f"There is no table {table[:64]!r}.", field="table", allowed=list(COLUMNS))
    check_names(given, ("from", "to", "limit", "project"))
    window = window_of(given, owner.timezone, datetime.fromtimestamp(here.now(), UTC))
    found = await asyncio.to_thread(rows, here.engine, owner, table, window, limit_of(given))
    return {"success": True, "rows": found}


@get("/health", sync_to_thread=False, summary="Whether the server answers")
def health(request: Call) -> Health:
    """That it does, and what it is."""
    return {"status": "ok", "version": __version__, "environment": services(request.app.state).settings.environment}
