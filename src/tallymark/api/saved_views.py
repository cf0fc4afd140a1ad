"""`/v1/views`: views of the dashboard under a title."""

import secrets
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Final, TypedDict

from litestar import Router, delete, get, patch, post
from litestar.openapi.spec import Schema
from litestar.openapi.spec.enums import OpenAPIType
from litestar.params import PathParameter, RawBody

from tallymark.api.auth import Call, ProjectName, caller, project_for
from tallymark.api.body import with_body
from tallymark.api.errors import documented
from tallymark.api.fields import read_fields
from tallymark.api.services import services
from tallymark.control.saved_views import SavedView
from tallymark.errors import BadRequest, NotFound
from tallymark.spec.project import instant_text

_LONGEST: Final = {"title": 200, "view": 2_000}
_CHANGE: Final = Schema(
    type=OpenAPIType.OBJECT,
    properties={
        "title": Schema(type=OpenAPIType.STRING, max_length=200, description="What people call it."),
        "view": Schema(type=OpenAPIType.STRING, max_length=2_000, description="The dashboard's query that it opens."),
    },
    additional_properties=False,
    examples=[{"title": "Germany, by week", "view": "page=web&period=90d&grain=week&f=country%3Ais%3ADE"}],
)
_DRAFT: Final = replace(_CHANGE, required=["title", "view"])

_Id = Annotated[str, PathParameter(description="Id of a view.")]


class PublicView(TypedDict):
    """A saved view."""

    id: str
    title: str
    view: str
    createdAt: str


class OneView(TypedDict):
    """A saved view."""

    view: PublicView


class ManyViews(TypedDict):
    """Saved views, by title."""

    views: list[PublicView]


@get("/", sync_to_thread=True, summary="List saved views", responses=documented(400, 401, 403, 404))
def list_views(request: Call, project: ProjectName = None) -> ManyViews:
    """The views of a project."""
    owner = project_for(request, project, "read")
    return {"views": [_public(view) for view in services(request.app.state).saved_views.of_project(owner.id)]}


@post(
    "/",
    sync_to_thread=True,
    summary="Save a view",
    operation_class=with_body(_DRAFT),
    responses=documented(400, 401, 403, 404, 409),
)
def create_view(request: Call, body: RawBody, project: ProjectName = None) -> OneView:
    """Saves a view under a title."""
    here, owner, who = services(request.app.state), project_for(request, project, "admin"), caller(request)
    said = read_fields(body, "A view", _LONGEST)
    missing = [field for field in _LONGEST if field not in said]
    if missing:
        raise BadRequest(f"A view needs {missing[0]}.", field=missing[0], allowed=list(_LONGEST))
    now = datetime.fromtimestamp(here.now(), UTC)
    view = SavedView(secrets.token_hex(8), said["title"], said["view"], now)
    here.saved_views.add(owner.id, view, who.name)
    return {"view": _public(view)}


@patch(
    "/{view_id:str}",
    sync_to_thread=True,
    summary="Change a saved view",
    operation_class=with_body(_CHANGE),
    responses=documented(400, 401, 403, 404),
)
def change_view(request: Call, view_id: _Id, body: RawBody, project: ProjectName = None) -> OneView:
    """Gives a view another title, or makes it open another query."""
    here, owner, who = services(request.app.state), project_for(request, project, "admin"), caller(request)
    said, now = read_fields(body, "A view", _LONGEST), datetime.fromtimestamp(here.now(), UTC)
    changed = here.saved_views.change(owner.id, view_id, who.name, now, said.get("title"), said.get("view"))
    if changed is None:
        raise NotFound(f"There is no view {view_id[:40]!r}.")
    return {"view": _public(changed)}


@delete(
    "/{view_id:str}",
    sync_to_thread=True,
    status_code=200,
    summary="Delete a saved view",
    responses=documented(400, 401, 403, 404),
)
def delete_view(request: Call, view_id: _Id, project: ProjectName = None) -> OneView:
    """Deletes a view."""
    here, owner, who = services(request.app.state), project_for(request, project, "admin"), caller(request)
    gone = here.saved_views.remove(owner.id, view_id, who.name, datetime.fromtimestamp(here.now(), UTC))
    if gone is None:
        raise NotFound(f"There is no view {view_id[:40]!r}.")
    return {"view": _public(gone)}


views_router = Router(
    "/v1/views", route_handlers=[list_views, create_view, change_view, delete_view], tags=["dashboard"]
)


def _public(view: SavedView) -> PublicView:
    return {"id": view.id, "title": view.title, "view": view.view, "createdAt": instant_text(view.created_at)}
