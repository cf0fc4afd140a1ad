"""`POST /quiz/api/v1/analytics/export`: attempts as a file, of what whoever orders it may see."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Final, Literal, TypedDict

from litestar import Response, post
from litestar.params import RawBody

from tallymark.api.auth import Call
from tallymark.api.body import with_body
from tallymark.api.errors import documented
from tallymark.api.export_file import link_to
from tallymark.api.services import Services
from tallymark.control.exports import Export
from tallymark.engine.expression import condition_sql
from tallymark.errors import Unavailable
from tallymark.packs.quiz.asked import Asker, ProjectName
from tallymark.packs.quiz.export_order import BODY, Wanted
from tallymark.packs.quiz.numbers import DIMENSION
from tallymark.packs.quiz.tables import ATTEMPTS
from tallymark.packs.quiz.viewer import Viewer
from tallymark.spec.condition import Column, Comparison, Op
from tallymark.spec.export import Order, What
from tallymark.spec.project import instant_text
from tallymark.spec.query import Clause, Filter

#: How long an order waits for its file, and how often it looks, in seconds.
_PATIENCE: Final = 5.0
_LOOK: Final = 0.05

#: What says where a file is is kept by nobody on the way.
_HEADERS: Final = {"Cache-Control": "no-store"}


class Ordered(TypedDict):
    """An export that was ordered.

    Where `status` is `done`, the file is there; else its link answers 503 until it is. Both last until `expiresAt`.
    """

    success: bool
    id: str
    status: Literal["done", "waiting", "running"]
    rows: int | None
    downloadUrl: str
    expiresAt: str


@post(
    "/api/v1/analytics/export",
    status_code=201,
    summary="Export attempts",
    operation_class=with_body(BODY),
    responses=documented(400, 401, 403, 404, 413, 429, 503),
)
async def export(request: Call, body: RawBody, project: ProjectName = None) -> Response[Ordered]:
    """Orders a file of attempts, a row each, and waits some seconds for it."""
    asker = await Asker.of(request, ("project",))
    wanted = Wanted.of(body)
    await asyncio.to_thread(_look, asker.viewer, wanted)
    order = _order(asker, wanted)
    ordered = await asyncio.to_thread(asker.here.exports.add, asker.viewer.project.id, order, asker.now)
    request.app.state.wake_exports()
    found = await _written(asker.here, ordered)
    until = _until(asker.here, found)
    told = Ordered(
        success=True,
        id=found.id,
        status="done" if found.status == "done" else "running" if found.status == "running" else "waiting",
        rows=found.rows if found.status == "done" else None,
        downloadUrl=link_to(request, asker.here, found.id, until),
        expiresAt=instant_text(until),
    )
    return Response(told, status_code=201, headers=_HEADERS)


def _look(viewer: Viewer, wanted: Wanted) -> None:
    """Raises `Forbidden` for a quiz or a user whose numbers the viewer may not see."""
    if wanted.quiz is not None:
        viewer.look_at_quiz(wanted.quiz)
    if wanted.user is not None:
        viewer.look_at_user(wanted.user)


def _order(asker: Asker, wanted: Wanted) -> Order:
    """The order, with the conditions that its writer keeps to."""
    viewer = asker.viewer
    scope = dict(viewer.filters)
    if wanted.user is not None:
        actor = asker.here.receiver.enricher.actor(viewer.project.id, wanted.user)
        theirs = condition_sql(Comparison(Column("actor"), Op.IS, (str(actor),)))
        scope["events"] = f"({scope['events']}) AND {theirs}" if "events" in scope else theirs
    only = () if wanted.quiz is None else ((Clause(DIMENSION, Op.IS, (wanted.quiz,)),),)
    window = wanted.window(viewer.project.timezone, asker.now)
    return Order(What.EVENTS, wanted.format, window, filter=Filter(only), table=ATTEMPTS.name, scope=scope)


async def _written(here: Services, ordered: Export) -> Export:
    """The export once its file is there, or as it is after some seconds. Errors: `Unavailable` where it failed."""
    given_up = time.monotonic() + _PATIENCE
    found: Export | None = ordered
    while found is not None and found.status in ("waiting", "running") and time.monotonic() < given_up:
        await asyncio.sleep(_LOOK)
        found = await asyncio.to_thread(here.exports.get, ordered.id)
    if found is None or found.status not in ("waiting", "running", "done"):
        raise Unavailable(f"The export failed: {found.error if found else 'it was deleted.'}")
    return found


def _until(here: Services, export: Export) -> datetime:
    """Until when the link is good: as long as the file is kept, or as it will be at least."""
    if export.expires_at is not None:
        return export.expires_at
    return datetime.fromtimestamp(here.now(), UTC) + timedelta(hours=here.settings.export_hours)
