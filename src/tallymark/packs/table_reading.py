"""What the packs' endpoints of rows and of health share."""

import asyncio
from datetime import UTC, datetime
from typing import Any, TypedDict

from tallymark import __version__
from tallymark.api.auth import Call
from tallymark.api.question import check_names, given_in, limit_of, window_of
from tallymark.api.services import services
from tallymark.engine.base import Engine
from tallymark.errors import NotFound
from tallymark.packs.event_rows import EventViews
from tallymark.spec.project import Project


class Health(TypedDict):
    """That the server answers."""

    status: str
    version: str
    environment: str


def health_of(request: Call) -> Health:
    """That it does, and what it is."""
    return {"status": "ok", "version": __version__, "environment": services(request.app.state).settings.environment}


async def rows_of(request: Call, views: EventViews, table: str, engine: Engine, owner: Project) -> dict[str, Any]:
    """The rows of a project that a request asks for. Errors: `NotFound`, `BadQuery`."""
    here, given = services(request.app.state), given_in(request)
    if table not in views.shapes:
        raise NotFound(f"There is no table {table[:64]!r}.", field="table", allowed=list(views.shapes))
    check_names(given, ("from", "to", "limit", "project"))
    window = window_of(given, owner.timezone, datetime.fromtimestamp(here.now(), UTC))
    found = await asyncio.to_thread(views.rows, engine, owner, table, window, limit_of(given))
    return {"success": True, "rows": found}
