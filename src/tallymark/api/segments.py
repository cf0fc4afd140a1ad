"""`/v1/segments`: filters that a project keeps under a key."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Final, TypedDict

from litestar import Router, delete, get, put
from litestar.openapi.spec import Schema
from litestar.openapi.spec.enums import OpenAPIType
from litestar.params import PathParameter, RawBody

from tallymark.api.auth import Call, ProjectName, caller, project_for
from tallymark.api.body import with_body
from tallymark.api.errors import documented
from tallymark.api.fields import read_fields
from tallymark.api.filter_list import listed_filter
from tallymark.api.services import services
from tallymark.errors import BadRequest, NotFound
from tallymark.spec.catalog import Catalog
from tallymark.spec.json_values import key as checked
from tallymark.spec.segment import Segment

_LONGEST: Final = {"title": 200}
_MOST_FILTERS: Final = 20
_LONGEST_FILTER: Final = 2_000
_DRAFT: Final = Schema(
    type=OpenAPIType.OBJECT,
    properties={
        "title": Schema(type=OpenAPIType.STRING, max_length=200, description="What people call it; default: its key."),
        "filters": Schema(
            type=OpenAPIType.ARRAY,
            items=Schema(type=OpenAPIType.STRING, max_length=_LONGEST_FILTER),
            min_items=1,
            max_items=_MOST_FILTERS,
            description="dimension:operator:value|value; all must hold.",
        ),
    },
    required=["filters"],
    additional_properties=False,
    examples=[{"title": "Mobile, from Germany", "filters": ["country:is:DE", "device:is:mobile"]}],
)

_Key = Annotated[str, PathParameter(description="Key of a segment.")]


class PublicSegment(TypedDict):
    """A segment."""

    key: str
    title: str
    filters: list[str]


class ManySegments(TypedDict):
    """Segments, by key."""

    segments: list[PublicSegment]


class OneSegment(TypedDict):
    """A segment, and whether it is a new one."""

    segment: PublicSegment
    created: bool


class DeletedSegment(TypedDict):
    """A segment as it was when it was deleted."""

    deleted: PublicSegment


@get("/", sync_to_thread=True, summary="List segments", responses=documented(400, 401, 403, 404))
def list_segments(request: Call, project: ProjectName = None) -> ManySegments:
    """The segments of a project."""
    owner = project_for(request, project, "read")
    return {"segments": [_public(segment) for segment in services(request.app.state).segments.of_project(owner.id)]}


@put("/{key:str}", sync_to_thread=True, summary="Set a segment", operation_class=with_body(_DRAFT),
     responses=documented(400, 401, 403, 404, 409))  # fmt: skip
def put_segment(request: Call, key: _Key, body: RawBody, project: ProjectName = None) -> OneSegment:
    """Keeps filters under a key, in place of those that it had; questions with `segment=` of it change at once."""
    here, owner, who = services(request.app.state), project_for(request, project, "admin"), caller(request)
    said = read_fields(body, "A segment", _LONGEST, ("filters",))
    filters = _filters(said.get("filters"), here.catalog.only(owner.packs))
    segment = Segment(checked(key, "key"), said.get("title", key), filters)
    created = here.segments.put(owner.id, segment, who.name, datetime.fromtimestamp(here.now(), UTC))
    return {"segment": _public(segment), "created": created}


@delete("/{key:str}", sync_to_thread=True, status_code=200, summary="Delete a segment",
        responses=documented(400, 401, 403, 404))  # fmt: skip
def delete_segment(request: Call, key: _Key, project: ProjectName = None) -> DeletedSegment:
    """Forgets a segment; questions that name it are refused from then on."""
    here, owner, who = services(request.app.state), project_for(request, project, "admin"), caller(request)
    gone = here.segments.remove(owner.id, key, who.name, datetime.fromtimestamp(here.now(), UTC))
    if gone is None:
        raise NotFound(f"There is no segment {key[:64]!r}.", field="key")
    return {"deleted": _public(gone)}


segments_router = Router("/v1/segments", route_handlers=[list_segments, put_segment, delete_segment], tags=["answers"])


def _filters(said: Any, catalog: Catalog) -> tuple[str, ...]:
    """Filters over dimensions of a catalogue. Errors: `BadRequest`, `BadQuery`."""
    if not isinstance(said, Sequence) or isinstance(said, str) or not 0 < len(said) <= _MOST_FILTERS:
        raise BadRequest(f"filters is a list of 1 to {_MOST_FILTERS} texts.", field="filters")
    if not all(isinstance(text, str) and len(text) <= _LONGEST_FILTER for text in said):
        raise BadRequest(f"A filter is a text of at most {_LONGEST_FILTER} characters.", field="filters")
    for clause in listed_filter(said).clauses:
        catalog.dimension(clause.dimension, field="filters")
    return tuple(said)


def _public(segment: Segment) -> PublicSegment:
    return {"key": segment.key, "title": segment.title, "filters": list(segment.filters)}
