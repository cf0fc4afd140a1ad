"""`/v1/syncs`: how far the rows of tables elsewhere were taken in, kept for whoever takes them."""

from datetime import UTC, datetime
from typing import Annotated, TypedDict

import msgspec
from litestar import Router, delete, get, put
from litestar.openapi.spec import Schema
from litestar.openapi.spec.enums import OpenAPIType
from litestar.params import PathParameter, QueryParameter, RawBody

from tallymark.api.auth import Call, project_for
from tallymark.api.body import read_json, with_body
from tallymark.api.errors import documented
from tallymark.api.services import Services, services
from tallymark.control.syncs import Sync
from tallymark.errors import BadRequest, NotFound
from tallymark.spec.project import Project, instant_text

_LONGEST_NAME = 200
_LONGEST_CURSOR = 16_384
_MOST_ROWS = 2**63 - 1

_BODY = Schema(
    type=OpenAPIType.OBJECT,
    properties={
        "cursor": Schema(
            type=OpenAPIType.STRING, min_length=1, max_length=_LONGEST_CURSOR, description="Kept as it is."
        ),
        "rows": Schema(type=OpenAPIType.INTEGER, minimum=0, description="Rows that were taken so far."),
    },
    required=["cursor", "rows"],
    additional_properties=False,
    examples=[{"cursor": '{"at":["2026-11-21","4711"]}', "rows": 4711}],
)

_Name = Annotated[str, PathParameter(description="Name of a sync.")]
_ProjectName = Annotated[
    str | None, QueryParameter(name="project", description="Name of the project; default: the key's own.")
]


class PublicSync(TypedDict):
    """How far a sync is."""

    name: str
    cursor: str
    rows: int
    updatedAt: str


class ManySyncs(TypedDict):
    """Syncs, by name."""

    syncs: list[PublicSync]


class OneSync(TypedDict):
    """A sync."""

    sync: PublicSync


class DeletedSync(TypedDict):
    """A sync as it was when it was deleted."""

    deleted: PublicSync


class _Place(msgspec.Struct, forbid_unknown_fields=True):
    """What a sync says of itself."""

    cursor: Annotated[str, msgspec.Meta(min_length=1, max_length=_LONGEST_CURSOR)]
    rows: Annotated[int, msgspec.Meta(ge=0, le=_MOST_ROWS)]


@get("/", sync_to_thread=True, summary="List syncs", responses=documented(400, 401, 403, 404))
def list_syncs(request: Call, project: _ProjectName = None) -> ManySyncs:
    """How far every sync of a project is."""
    here, owner = _administrated(request, project)
    return {"syncs": [_public(sync) for sync in here.syncs.of_project(owner.id)]}


@get("/{name:str}", sync_to_thread=True, summary="Show a sync", responses=documented(400, 401, 403, 404))
def show_sync(request: Call, name: _Name, project: _ProjectName = None) -> OneSync:
    """How far a sync is."""
    here, owner = _administrated(request, project)
    return {"sync": _public(_found(here.syncs.get(owner.id, name), name))}


@put("/{name:str}", sync_to_thread=True, summary="Note how far a sync is", operation_class=with_body(_BODY),
     responses=documented(400, 401, 403, 404, 409, 413))  # fmt: skip
def put_sync(request: Call, name: _Name, body: RawBody, project: _ProjectName = None) -> OneSync:
    """Notes how far a sync is; to be said once its rows were accepted."""
    here, owner = _administrated(request, project)
    if not name.isprintable() or len(name) > _LONGEST_NAME:
        raise BadRequest(f"A sync's name has at most {_LONGEST_NAME} letters, all printable.", field="name")
    sync = _read(name, body, datetime.fromtimestamp(here.now(), UTC))
    here.syncs.put(owner.id, sync)
    return {"sync": _public(sync)}


@delete("/{name:str}", sync_to_thread=True, status_code=200, summary="Delete a sync",
        responses=documented(400, 401, 403, 404))  # fmt: skip
def delete_sync(request: Call, name: _Name, project: _ProjectName = None) -> DeletedSync:
    """Has a sync begin anew. Events that it has sent stay."""
    here, owner = _administrated(request, project)
    return {"deleted": _public(_found(here.syncs.remove(owner.id, name), name))}


def _read(name: str, body: bytes, now: datetime) -> Sync:
    try:
        place = msgspec.convert(read_json(body), _Place)
    except msgspec.ValidationError as error:
        raise BadRequest(f"A sync is cursor and rows: {error}.") from None
    return Sync(name, place.cursor, place.rows, now)


def _found(sync: Sync | None, name: str) -> Sync:
    if sync is None:
        raise NotFound(f"The project has no sync {name[:64]!r}.", field="name")
    return sync


def _public(sync: Sync) -> PublicSync:
    return {
        "name": sync.name,
        "cursor": sync.cursor,
        "rows": sync.rows,
        "updatedAt": instant_text(sync.updated_at),
    }


def _administrated(request: Call, name: str | None) -> tuple[Services, Project]:
    return services(request.app.state), project_for(request, name or None, "admin")


syncs_router = Router(
    path="/v1/syncs",
    route_handlers=[list_syncs, show_sync, put_sync, delete_sync],
    tags=["syncs"],
)
