"""`/v1/projects`: made, shown, changed and deleted."""

from collections.abc import Callable
from typing import Annotated, Literal, TypedDict, get_args

from litestar import Router, delete, get, patch, post
from litestar.openapi.spec import Reference, Schema
from litestar.openapi.spec.enums import OpenAPIType
from litestar.params import PathParameter, RawBody

from tallymark.access.keys import mint
from tallymark.api.auth import Call, caller, find_project, project_for, require
from tallymark.api.body import read_json, with_body
from tallymark.api.errors import documented
from tallymark.control.keys import Scope
from tallymark.control.projects import Projects
from tallymark.errors import Forbidden, NotFound
from tallymark.spec.project import (
    MAX_EVENT_NAMES,
    MAX_QUOTA,
    Bots,
    Pii,
    Project,
    PublicProject,
    parse_change,
    parse_draft,
    public,
)

Change = Literal["created", "updated", "deleted"]
#: What `state.project_listeners` holds; each is called in the thread that made the change, after it.
ProjectListener = Callable[[Change, Project], None]

_FIELDS: dict[str, Reference | Schema] = {
    "name": Schema(type=OpenAPIType.STRING, pattern="^[a-z0-9][a-z0-9._-]{0,63}$", description="Unique name."),
    "packs": Schema(
        type=OpenAPIType.ARRAY,
        items=Schema(type=OpenAPIType.STRING),
        description="Packs whose metrics the project has beside the core's.",
    ),
    "timezone": Schema(type=OpenAPIType.STRING, description="IANA time zone that days are in."),
    "retention": Schema(
        one_of=[
            Schema(type=OpenAPIType.STRING, pattern="^[0-9]{1,6}[dh]$"),
            Schema(type=OpenAPIType.INTEGER),
        ],
        description="How long raw events are kept: `90d`, `24h`, or a number of days.",
    ),
    "pii": Schema(
        type=OpenAPIType.STRING,
        enum=get_args(Pii),
        description="What becomes of personal data in properties.",
    ),
    "bots": Schema(
        type=OpenAPIType.STRING,
        enum=get_args(Bots),
        description="Whether events of bots are marked or refused.",
    ),
    "quota": Schema(
        type=[OpenAPIType.INTEGER, OpenAPIType.NULL],
        minimum=0,
        maximum=MAX_QUOTA,
        description="Most events per UTC day; null is no limit.",
    ),
    "eventNames": Schema(
        type=[OpenAPIType.ARRAY, OpenAPIType.NULL],
        items=Schema(type=OpenAPIType.STRING, min_length=1),
        min_items=1,
        description="Names that events may have, `*` for any letters; null takes any.",
    ),
    "maxEventNames": Schema(
        type=[OpenAPIType.INTEGER, OpenAPIType.NULL],
        minimum=1,
        maximum=MAX_EVENT_NAMES,
        description="Most different names of events; null is no limit.",
    ),
    "publicSummary": Schema(
        type=OpenAPIType.BOOLEAN,
        description="Whether everybody may read the summary of the pack `ab`, without a key.",
    ),
}
_EXAMPLE = {"name": "site", "packs": ["web"], "timezone": "Europe/Berlin", "retention": "90d"}
_DRAFT = Schema(
    type=OpenAPIType.OBJECT,
    properties=_FIELDS,
    required=["name"],
    additional_properties=False,
    examples=[_EXAMPLE],
)
_CHANGE = Schema(type=OpenAPIType.OBJECT, properties=_FIELDS, additional_properties=False)
_Name = Annotated[str, PathParameter(description="Name of a project, or else its id.")]


class FirstKeys(TypedDict):
    """The keys of a new project, shown this once."""

    ingest: str
    read: str
    admin: str


class CreatedProject(TypedDict):
    """A new project with its keys."""

    project: PublicProject
    keys: FirstKeys


class OneProject(TypedDict):
    """A project."""

    project: PublicProject


class ManyProjects(TypedDict):
    """Projects, by name."""

    projects: list[PublicProject]


class DeletedProject(TypedDict):
    """A project as it was when it was deleted."""

    deleted: PublicProject


@post(
    "/",
    sync_to_thread=True,
    summary="Create a project",
    operation_class=with_body(_DRAFT),
    responses=documented(400, 401, 403, 409, 503),
)
def create_project(request: Call, body: RawBody) -> CreatedProject:
    """Makes a project and its first three keys, which are shown this once. An admin of every project may."""
    require(request, "admin", None)
    draft = parse_draft(read_json(body), request.app.state.packs)
    scopes: tuple[Scope, ...] = get_args(Scope)
    minted = {scope: mint(scope, "first") for scope in scopes}
    project = _store(request).create(draft, [key.draft for key in minted.values()])
    _tell(request, "created", project)
    secrets = FirstKeys(ingest=minted["ingest"].secret, read=minted["read"].secret, admin=minted["admin"].secret)
    return {"project": public(project), "keys": secrets}


@get("/", sync_to_thread=True, summary="List projects", responses=documented(401, 403))
def list_projects(request: Call) -> ManyProjects:
    """Every project that the key can read: all, or its own."""
    identity = caller(request)
    if not identity.may("read", identity.project_id):
        raise Forbidden("This key is for ingest, and this needs read.")
    found = _store(request).list()
    return {"projects": [public(p) for p in found if identity.project_id in (None, p.id)]}


@get("/{name:str}", sync_to_thread=True, summary="Show a project", responses=documented(401, 403, 404))
def show_project(request: Call, name: _Name) -> OneProject:
    """A project with all its settings."""
    return {"project": public(project_for(request, name, "read"))}


@patch(
    "/{name:str}",
    sync_to_thread=True,
    summary="Change a project",
    operation_class=with_body(_CHANGE),
    responses=documented(400, 401, 403, 404, 409),
)
def update_project(request: Call, name: _Name, body: RawBody) -> OneProject:
    """Changes the given fields and leaves the others alone. Days are computed again where that is needed."""
    project = project_for(request, name, "admin")
    change = parse_change(read_json(body), request.app.state.packs)
    changed = _store(request).update(project.id, change)
    _tell(request, "updated", changed)
    return {"project": public(changed)}


@delete(
    "/{name:str}",
    sync_to_thread=True,
    status_code=200,
    summary="Delete a project",
    responses=documented(401, 403, 404, 503),
)
def delete_project(request: Call, name: _Name) -> DeletedProject:
    """Deletes a project: its name is free, its keys are revoked. An admin of every project may."""
    require(request, "admin", None)
    project = find_project(request, name)
    if project is None:
        raise NotFound(f"There is no project {name!r}.", field="project")
    deleted = _store(request).delete(project.id)
    request.app.state.access.forget()
    _tell(request, "deleted", deleted)
    return {"deleted": public(deleted)}


#: Needs `state.access`, `state.projects` and `state.packs`, the names of the packs there are;
#: `state.project_listeners` is optional.
projects_router = Router(
    path="/v1/projects",
    route_handlers=[create_project, list_projects, show_project, update_project, delete_project],
    tags=["projects"],
)


def _store(request: Call) -> Projects:
    projects: Projects = request.app.state.projects
    return projects


def _tell(request: Call, change: Change, project: Project) -> None:
    for listener in request.app.state.get("project_listeners", ()):
        listener(change, project)
