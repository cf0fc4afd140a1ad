"""`/v1/exports`: ordered, looked after, listed and deleted."""

from contextlib import suppress
from datetime import UTC, datetime
from typing import Annotated, Final, TypedDict

from litestar import Response, Router, delete, get, post
from litestar.params import PathParameter, QueryParameter, RawBody

from tallymark.api.auth import Call, caller, project_for, require
from tallymark.api.body import with_body
from tallymark.api.errors import documented
from tallymark.api.export_file import download, download_head, file_name, link_to
from tallymark.api.export_order import BODY, read_fields, read_order, read_project, read_segments, read_what
from tallymark.api.filter_list import fields_named, filter_texts
from tallymark.api.segment_filters import filters_of
from tallymark.api.services import Services, services
from tallymark.control.exports import Export, Status
from tallymark.control.keys import Scope
from tallymark.errors import NotFound, Unavailable
from tallymark.export.files import stored_name
from tallymark.export.write import check
from tallymark.spec.export import What
from tallymark.spec.project import Project, instant_text
from tallymark.spec.window import Window

#: The scope that an export of this needs: raw events hold more than numbers.
_SCOPES: Final[dict[What, Scope]] = {What.EVENTS: "admin", What.ROLLUPS: "read", What.METRICS: "read"}

_LISTED: Final = 100
#: What says where a file is is kept by nobody on the way.
_HEADERS: Final = {"Cache-Control": "no-store"}

_Id = Annotated[str, PathParameter(description="Id of an export.")]
_Project = Annotated[str | None, QueryParameter(description="Name or id; default: the key's own.")]

PublicRange = TypedDict("PublicRange", {"from": str, "to": str, "timezone": str, "grain": str})


class PublicProgress(TypedDict):
    """How far an export is: rows written, rows that are expected, and which share that is, where it is known."""

    rows: int
    of: int | None
    share: float | None


class PublicExport(TypedDict):
    """An export. `rows`, `bytes`, `sha256` and `finishedAt` are null until it is done; so is `downloadUrl`.

    `expiresAt` is when file and link cease; `error` is why it failed.
    """

    id: str
    status: Status
    project: str
    what: str
    format: str
    range: PublicRange
    metrics: list[str]
    by: str | None
    filters: list[str]
    createdAt: str
    finishedAt: str | None
    progress: PublicProgress
    rows: int | None
    bytes: int | None
    sha256: str | None
    fileName: str
    downloadUrl: str | None
    expiresAt: str | None
    error: str | None


class ManyExports(TypedDict):
    """Exports, newest first."""

    exports: list[PublicExport]


class DeletedExport(TypedDict):
    """An export as it was when it was deleted."""

    deleted: PublicExport


@post(
    "/",
    sync_to_thread=True,
    status_code=202,
    summary="Order an export",
    operation_class=with_body(BODY),
    responses=documented(400, 401, 403, 404, 413, 429),
)
def create_export(request: Call, body: RawBody) -> Response[PublicExport]:
    """Orders a file of metrics, rollups or raw events; it is written as soon as its turn comes.

    Metrics and rollups need a `read` key, raw events an `admin` key. At most 20 exports of a project wait at once.
    """
    caller(request)
    here = services(request.app.state)
    fields = read_fields(body)
    project = project_for(request, read_project(fields), _SCOPES[read_what(fields)])
    now = datetime.fromtimestamp(here.now(), UTC)
    more = filters_of(read_segments(fields), here.segments, project, "segments")
    order = read_order(fields, project.timezone, now, more)
    with fields_named():
        check(order, project, here.catalog)
    export = here.exports.add(project.id, order, now)
    request.app.state.wake_exports()
    headers = {**_HEADERS, "Location": f"/v1/exports/{export.id}"}
    return Response(_public(request, export, project), status_code=202, headers=headers)


@get("/", sync_to_thread=True, summary="List exports", response_headers=_HEADERS,
     responses=documented(400, 401, 403, 404))  # fmt: skip
def list_exports(request: Call, project: _Project = None) -> ManyExports:
    """The newest 100 exports of a project that the key may have; those of raw events only for its admin."""
    owner = project_for(request, project, "read")
    identity = caller(request)
    whats = [what for what, scope in _SCOPES.items() if identity.may(scope, owner.id)]
    found = services(request.app.state).exports.newest(owner.id, whats, _LISTED)
    return {"exports": [_public(request, export, owner) for export in found]}


@get("/{export_id:str}", sync_to_thread=True, summary="Show an export", response_headers=_HEADERS,
     responses=documented(401, 403, 404))  # fmt: skip
def show_export(request: Call, export_id: _Id) -> PublicExport:
    """How far an export is; once it is done, the link to its file, which needs no key."""
    export, project = _asked(request, export_id)
    return _public(request, export, project)


@delete("/{export_id:str}", sync_to_thread=True, status_code=200, summary="Cancel or delete an export",
        responses=documented(401, 403, 404))  # fmt: skip
def delete_export(request: Call, export_id: _Id) -> DeletedExport:
    """Ends an export that is not done, and deletes the file of one that is."""
    here = services(request.app.state)
    export, project = _asked(request, export_id)
    here.exports.remove(export.id)
    with suppress(Unavailable):  # what is left in a bucket goes with the next purge
        here.files.delete(stored_name(export))
    return {"deleted": _public(request, export, project)}


def _asked(request: Call, export_id: str) -> tuple[Export, Project]:
    """An export and its project, if the caller may see it; one of others and one that does not exist look the same."""
    identity = caller(request)
    here = services(request.app.state)
    export = here.exports.get(export_id)
    project = None if export is None else here.projects.get(export.project_id)
    if export is None or project is None or identity.project_id not in (None, project.id):
        raise NotFound(f"There is no export {export_id[:64]!r}.", field="id")
    require(request, _SCOPES[export.order.what], project.id)
    return export, project


def _public(request: Call, export: Export, project: Project) -> PublicExport:
    here, order, window = services(request.app.state), export.order, export.order.window
    over = _past(here, export)
    return {
        "id": export.id,
        "status": "expired" if over else export.status,
        "project": project.name,
        "what": order.what,
        "format": order.format,
        "range": _range(window),
        "metrics": list(order.metrics),
        "by": order.by,
        "filters": filter_texts(order.filter),
        "createdAt": instant_text(export.created_at),
        "finishedAt": _instant(export.finished_at),
        "progress": _progress(export),
        "rows": export.rows if export.bytes is not None else None,
        "bytes": export.bytes,
        "sha256": export.sha256,
        "fileName": file_name(export, project),
        "downloadUrl": _link(request, here, export) if export.status == "done" and not over else None,
        "expiresAt": _instant(export.expires_at),
        "error": export.error,
    }


def _range(window: Window) -> PublicRange:
    return {"from": str(window.first), "to": str(window.last), "timezone": window.timezone, "grain": window.grain}


def _past(here: Services, export: Export) -> bool:
    return export.status == "done" and export.expires_at is not None and export.expires_at.timestamp() <= here.now()


def _progress(export: Export) -> PublicProgress:
    if export.bytes is not None:
        return {"rows": export.rows, "of": export.rows, "share": 1.0}
    share = min(1.0, export.rows / export.expected) if export.expected else None
    return {"rows": export.rows, "of": export.expected, "share": share}


def _link(request: Call, here: Services, export: Export) -> str | None:
    """The link to the file, good as long as the file is there."""
    return None if export.expires_at is None else link_to(request, here, export.id, export.expires_at)


def _instant(at: datetime | None) -> str | None:
    return None if at is None else instant_text(at)


#: Needs the services, and `state.wake_exports`, which tells whoever writes exports that there is one.
exports_router = Router(
    path="/v1/exports",
    route_handlers=[create_export, list_exports, show_export, delete_export, download, download_head],
    tags=["exports"],
)
