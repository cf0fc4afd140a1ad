"""`/v1/archives`: months of raw events, put away as Parquet, listed, restored and deleted."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Annotated, Any, Final, TypedDict

from litestar import Router, delete, get, post
from litestar.params import PathParameter, QueryParameter
from litestar.response import Stream

from tallymark.api.auth import Call, caller, project_for, require
from tallymark.api.errors import documented
from tallymark.api.lines import Say, lines_of
from tallymark.api.services import Services, services
from tallymark.archive.archives import Back
from tallymark.archive.manifest import Manifest, Owner
from tallymark.errors import Conflict, NotFound
from tallymark.spec.duration import seconds
from tallymark.spec.month import Month, read_month
from tallymark.spec.project import Project, instant_text

_KEEP: Final = "30d"

#: How often progress is told, in seconds.
_TELL_SECONDS: Final = 0.5

_Id = Annotated[str, PathParameter(description="Id of an archive.")]
_Project = Annotated[str | None, QueryParameter(description="Name or id; default: the key's own.")]


class PublicOwner(TypedDict):
    """The project that was archived, by the name that it had."""

    id: int
    name: str
    createdAt: str


class PublicArchive(TypedDict):
    """An archive. `firstDay` and `lastDay` are the first and the last one with events.

    `complete`: the month was over, and none of its events had gone by then.
    """

    id: str
    project: PublicOwner
    month: str
    timezone: str
    complete: bool
    rows: int
    firstDay: str
    lastDay: str
    file: str
    bytes: int
    sha256: str
    schemaVersion: int
    madeAt: str
    madeBy: str


class PublicColumn(TypedDict):
    """A column of a file, and its type as Arrow names it."""

    name: str
    type: str


class ShownArchive(PublicArchive):
    """An archive with the columns of its file."""

    columns: list[PublicColumn]


class ManyArchives(TypedDict):
    """Archives, the latest month first."""

    archives: list[PublicArchive]


class DeletedArchive(TypedDict):
    """An archive as it was when it was deleted."""

    deleted: PublicArchive


@post(
    "/",
    sync_to_thread=True,
    status_code=200,
    summary="Archive months of raw events",
    description="Answers lines of JSON (`application/x-ndjson`): how far it is, and each archive that is done.",
    responses=documented(400, 401, 403, 404, 409, 503),
)
def create_archives(
    request: Call,
    project: _Project = None,
    month: Annotated[str | None, QueryParameter(description="YYYY-MM; default: every past month with events.")] = None,
    incomplete: Annotated[
        bool, QueryParameter(description="true: also a month that is not over, or has lost events.")
    ] = False,
) -> Stream:
    """Archives the raw events of a month, or of every past one. What is archived already is left as it is."""
    owner = project_for(request, project, "admin")
    here = services(request.app.state)
    if month is None:
        return lines_of(lambda say: _make_past(here, owner, incomplete, say), _FAILED)
    asked = read_month(month)
    here.store.replay()
    here.archives.check(owner, asked, incomplete)
    return lines_of(lambda say: _make(here, owner, asked, incomplete, say), _FAILED)


@get("/", sync_to_thread=True, summary="List archives", responses=documented(401, 403, 404, 503))
def list_archives(
    request: Call,
    project: Annotated[
        str | None, QueryParameter(description="Name or id; default: the key's own, or all that there are.")
    ] = None,
) -> ManyArchives:
    """The archives of a project; a key that is admin of every project sees those of lost installations, too."""
    here = services(request.app.state)
    if project is None and caller(request).project_id is None:
        require(request, "admin", None)
        return {"archives": [_public(manifest) for manifest in here.archives.shelf.all()]}
    owner = Owner.of(project_for(request, project, "admin")).key
    return {"archives": [_public(found) for found in here.archives.shelf.all() if found.project.key == owner]}


@get("/{archive_id:str}", sync_to_thread=True, summary="Show an archive", responses=documented(401, 403, 404, 409, 503))
def show_archive(request: Call, archive_id: _Id) -> ShownArchive:
    """What is in an archive, with the columns of its file."""
    manifest = _asked(request, archive_id)
    columns: list[PublicColumn] = [{"name": head.name, "type": head.type} for head in manifest.columns]
    return {**_public(manifest), "columns": columns}


@delete("/{archive_id:str}", sync_to_thread=True, status_code=200, summary="Delete an archive",
        responses=documented(401, 403, 404, 409, 503))  # fmt: skip
def delete_archive(request: Call, archive_id: _Id) -> DeletedArchive:
    """Deletes an archive with its file. Events that are in the engine stay."""
    manifest = _asked(request, archive_id)
    return {"deleted": _public(services(request.app.state).archives.delete(manifest.id))}


@post(
    "/{archive_id:str}/restore",
    sync_to_thread=True,
    status_code=200,
    summary="Restore an archive",
    description="Answers lines of JSON (`application/x-ndjson`): how far it is, and what was restored.",
    responses=documented(400, 401, 403, 404, 409, 503),
)
def restore_archive(
    request: Call,
    archive_id: _Id,
    project: Annotated[str | None, QueryParameter(description="Name or id; default: the one it is of.")] = None,
    keep: Annotated[str, QueryParameter(description="How long the events stay at least: 12h, 30d, …")] = _KEEP,
) -> Stream:
    """Puts the events of an archive back, with the identities that they had; once they are there, this changes nothing.

    Into another project than its own only a key that is admin of every project may restore.
    """
    manifest = _asked(request, archive_id)
    here = services(request.app.state)
    target = _target(request, here, manifest, project)
    kept = timedelta(seconds=seconds(keep, "keep"))

    def work(say: Say) -> None:
        say({"restored": _back(here.archives.restore(manifest.id, target, kept, _telling(say, manifest.month)))})

    return lines_of(work, "The archive could not be restored.")


_FAILED: Final = "The month could not be archived."


def _make(here: Services, owner: Project, month: Month, incomplete: bool, say: Say) -> None:
    made = here.archives.make(owner, month, incomplete, _telling(say, str(month)))
    say({"archive": _public(made.archive), "written": made.written})


def _make_past(here: Services, owner: Project, incomplete: bool, say: Say) -> None:
    """Archives every past month; says of those that can't be why."""
    here.store.replay()
    for month in here.archives.months(owner):
        try:
            here.archives.check(owner, month, incomplete)
        except NotFound:
            continue
        except Conflict as error:
            say({"refused": {"month": str(month), "message": error.message}})
            continue
        _make(here, owner, month, incomplete, say)


def _telling(say: Say, month: str) -> Callable[[int, int], None]:
    """Says how far a month is, not too often."""
    told = time.monotonic()

    def tell(rows: int, of: int) -> None:
        nonlocal told
        if time.monotonic() - told >= _TELL_SECONDS:
            told = time.monotonic()
            say({"progress": {"month": month, "rows": rows, "of": of}})

    return tell


def _asked(request: Call, archive_id: str) -> Manifest:
    """An archive, if the caller may see it; one of others and one that does not exist look the same."""
    identity = caller(request)
    here = services(request.app.state)
    manifest = here.archives.shelf.get(archive_id)
    owner = _owner(here, manifest)
    if identity.project_id is not None and (owner is None or owner.id != identity.project_id):
        raise NotFound(f"There is no archive {archive_id[:64]!r}.", field="id")
    require(request, "admin", None if owner is None else owner.id)
    return manifest


def _owner(here: Services, manifest: Manifest) -> Project | None:
    """The project that an archive is of, if it is here: another one may have its id."""
    project = here.projects.get(manifest.project.id)
    return project if project is not None and Owner.of(project).key == manifest.project.key else None


def _target(request: Call, here: Services, manifest: Manifest, name: str | None) -> Project:
    """The project that an archive is to be restored into, if the caller may do that."""
    owner = _owner(here, manifest)
    target = owner if name is None else project_for(request, name, "admin")
    if target is None:
        told = f"Its project, {manifest.project.name}, is not here: say which one it is to be restored into."
        raise NotFound(told, field="project")
    if target != owner:
        require(request, "admin", None)
    return target


def _back(back: Back) -> dict[str, Any]:
    return {
        "archive": back.archive.id,
        "project": back.project.name,
        "month": back.archive.month,
        "rows": back.restored.rows,
        "written": back.restored.written,
        "keptUntil": instant_text(back.until),
    }


def _public(manifest: Manifest) -> PublicArchive:
    owner = manifest.project
    return {
        "id": manifest.id,
        "project": {"id": owner.id, "name": owner.name, "createdAt": owner.created_at},
        "month": manifest.month,
        "timezone": manifest.timezone,
        "complete": manifest.complete,
        "rows": manifest.rows,
        "firstDay": str(manifest.first_day),
        "lastDay": str(manifest.last_day),
        "file": manifest.file,
        "bytes": manifest.bytes,
        "sha256": manifest.sha256,
        "schemaVersion": manifest.schema_version,
        "madeAt": instant_text(manifest.made_at),
        "madeBy": manifest.made_by,
    }


#: Needs the services.
archives_router = Router(
    path="/v1/archives",
    route_handlers=[create_archives, list_archives, show_archive, delete_archive, restore_archive],
    tags=["archives"],
)
