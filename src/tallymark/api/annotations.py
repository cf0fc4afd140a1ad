"""`/v1/annotations`: short notes on days, which charts show as flags."""

import secrets
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Annotated, Final, TypedDict

from litestar import Router, delete, get, patch, post
from litestar.openapi.spec import Schema
from litestar.openapi.spec.enums import OpenAPIType
from litestar.params import PathParameter, QueryParameter, RawBody

from tallymark.api.auth import Call, ProjectName, caller, project_for
from tallymark.api.body import with_body
from tallymark.api.errors import documented
from tallymark.api.fields import read_fields
from tallymark.api.question import check_names, given_in, window_of
from tallymark.api.services import services
from tallymark.control.annotations import Annotation
from tallymark.errors import BadRequest, NotFound
from tallymark.spec.project import instant_text

_LONGEST: Final = {"day": 10, "text": 200}
_CHANGE: Final = Schema(
    type=OpenAPIType.OBJECT,
    properties={
        "day": Schema(type=OpenAPIType.STRING, description="YYYY-MM-DD."),
        "text": Schema(type=OpenAPIType.STRING, max_length=200, description="What happened."),
    },
    additional_properties=False,
    examples=[{"day": "2026-11-21", "text": "New pricing"}],
)
_DRAFT: Final = replace(_CHANGE, required=["day", "text"])

_Id = Annotated[str, PathParameter(description="Id of an annotation.")]


class PublicAnnotation(TypedDict):
    """A note."""

    id: str
    day: str
    text: str
    by: str
    createdAt: str


class OneAnnotation(TypedDict):
    """A note."""

    annotation: PublicAnnotation


class ManyAnnotations(TypedDict):
    """Notes, by day."""

    annotations: list[PublicAnnotation]


@get("/", sync_to_thread=True, summary="List annotations", responses=documented(400, 401, 403, 404))
def list_annotations(
    request: Call,
    project: ProjectName = None,
    first: Annotated[str | None, QueryParameter(name="from", description="First day; default: of 30.")] = None,
    to: Annotated[str | None, QueryParameter(description="Last day; default: today.")] = None,
) -> ManyAnnotations:
    """The notes on the days of a window."""
    here, owner, given = services(request.app.state), project_for(request, project, "read"), given_in(request)
    check_names(given, ("project", "from", "to"))
    window = window_of(given, owner.timezone, datetime.fromtimestamp(here.now(), UTC))
    return {"annotations": [_public(note) for note in here.annotations.between(owner.id, window.first, window.last)]}


@post(
    "/",
    sync_to_thread=True,
    summary="Annotate a day",
    operation_class=with_body(_DRAFT),
    responses=documented(400, 401, 403, 404, 409),
)
def create_annotation(request: Call, body: RawBody, project: ProjectName = None) -> OneAnnotation:
    """Adds a note to a day."""
    here, owner, who = services(request.app.state), project_for(request, project, "admin"), caller(request)
    said = read_fields(body, "An annotation", _LONGEST)
    missing = [field for field in _LONGEST if field not in said]
    if missing:
        raise BadRequest(f"An annotation needs {missing[0]}.", field=missing[0], allowed=list(_LONGEST))
    now = datetime.fromtimestamp(here.now(), UTC)
    note = Annotation(secrets.token_hex(8), _day(said["day"]), said["text"], who.name, now)
    here.annotations.add(owner.id, note)
    return {"annotation": _public(note)}


@patch(
    "/{annotation_id:str}",
    sync_to_thread=True,
    summary="Change an annotation",
    operation_class=with_body(_CHANGE),
    responses=documented(400, 401, 403, 404),
)
def change_annotation(request: Call, annotation_id: _Id, body: RawBody, project: ProjectName = None) -> OneAnnotation:
    """Gives a note another day or another text."""
    here, owner, who = services(request.app.state), project_for(request, project, "admin"), caller(request)
    said, now = read_fields(body, "An annotation", _LONGEST), datetime.fromtimestamp(here.now(), UTC)
    day = _day(said["day"]) if "day" in said else None
    changed = here.annotations.change(owner.id, annotation_id, who.name, now, day, said.get("text"))
    if changed is None:
        raise NotFound(f"There is no annotation {annotation_id[:40]!r}.")
    return {"annotation": _public(changed)}


@delete(
    "/{annotation_id:str}",
    sync_to_thread=True,
    status_code=200,
    summary="Delete an annotation",
    responses=documented(400, 401, 403, 404),
)
def delete_annotation(request: Call, annotation_id: _Id, project: ProjectName = None) -> OneAnnotation:
    """Deletes a note."""
    here, owner, who = services(request.app.state), project_for(request, project, "admin"), caller(request)
    gone = here.annotations.remove(owner.id, annotation_id, who.name, datetime.fromtimestamp(here.now(), UTC))
    if gone is None:
        raise NotFound(f"There is no annotation {annotation_id[:40]!r}.")
    return {"annotation": _public(gone)}


annotations_router = Router(
    "/v1/annotations",
    route_handlers=[list_annotations, create_annotation, change_annotation, delete_annotation],
    tags=["dashboard"],
)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BadRequest(f"There is no day {text!r}.", field="day", allowed=["YYYY-MM-DD"]) from None


def _public(note: Annotation) -> PublicAnnotation:
    return {
        "id": note.id,
        "day": note.day.isoformat(),
        "text": note.text,
        "by": note.by,
        "createdAt": instant_text(note.created_at),
    }
