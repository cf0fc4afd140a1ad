"""`GET /v1/live`: who is there now."""

from datetime import UTC, datetime
from typing import Annotated, TypedDict

from litestar import get
from litestar.params import QueryParameter

from tallymark.answer.live import Recent, live
from tallymark.api.auth import Call, project_for
from tallymark.api.errors import documented
from tallymark.api.services import services
from tallymark.spec.project import instant_text


class LatestEvent(TypedDict):
    """An event; `path` and `country` are null where it has none."""

    event: str
    path: str | None
    country: str | None
    occurredAt: str


class LiveBody(TypedDict):
    """Actors and events of the last five minutes, events of each of the last thirty, oldest first."""

    actors: int
    events: int
    perMinute: list[int]
    latest: list[LatestEvent]
    at: str


@get(
    "/v1/live",
    sync_to_thread=True,
    tags=["answers"],
    summary="Who is there now",
    responses=documented(400, 401, 403, 404, 503),
)
def ask_live(
    request: Call,
    project: Annotated[
        str | None, QueryParameter(description="Name or id of a project; default: the key's own.")
    ] = None,
) -> LiveBody:
    """Actors and events of the last minutes, from raw events."""
    here, owner = services(request.app.state), project_for(request, project, "read")
    now = datetime.fromtimestamp(here.now(), UTC)
    found = live(here.engine, owner.id, now)
    return {
        "actors": found.actors,
        "events": found.events,
        "perMinute": list(found.per_minute),
        "latest": [_latest(recent) for recent in found.latest],
        "at": instant_text(now),
    }


def _latest(recent: Recent) -> LatestEvent:
    return {
        "event": recent.event,
        "path": recent.path or None,
        "country": recent.country or None,
        "occurredAt": instant_text(recent.occurred_at),
    }
