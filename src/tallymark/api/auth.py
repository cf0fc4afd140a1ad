"""Who calls, and the project they mean, for ordinary handlers.

`app.state` has `access` (`Access`), `projects` (`Projects`), `keys` (`Keys`). These read the control store,
so they belong into handlers that run in a thread.
"""

from typing import Annotated, Any

from litestar import Request
from litestar.datastructures import State
from litestar.params import QueryParameter

from tallymark.access.guard import Access, Identity, token_of
from tallymark.control.keys import Scope
from tallymark.control.projects import Projects
from tallymark.errors import BadRequest, NotFound
from tallymark.spec.project import Project

Call = Request[Any, Any, State]
ProjectName = Annotated[str | None, QueryParameter(description="Name or id of the project; default: the key's own.")]
#: Longer numbers don't fit an id.
_ID_DIGITS = 18


def caller(request: Call) -> Identity:
    """Who calls.

    Errors: `Unauthorized`.
    """
    return _access(request).known(token_of(request.scope["headers"]))


def require(request: Call, scope: Scope, project_id: int | None) -> Identity:
    """Who calls, if they may do this in that project; None means in every project.

    Errors: `Unauthorized`, `Forbidden`, `AdminAuthNotConfigured`.
    """
    return _access(request).require(token_of(request.scope["headers"]), scope, project_id)


def project_for(request: Call, name: str | None, scope: Scope) -> Project:
    """The project with that name, or else that id, if the caller may do this in it; None means the key's own.

    A project of others and a project that does not exist look the same.

    Errors: `Unauthorized`, `NotFound`, `Forbidden`; `BadRequest` for no name with a key of every project.
    """
    identity = caller(request)
    project = _own(request, identity) if name is None else find_project(request, name)
    if project is None or identity.project_id not in (None, project.id):
        raise NotFound(f"There is no project {name!r}.", field="project")
    require(request, scope, project.id)
    return project


def find_project(request: Call, name: str) -> Project | None:
    """The project with that name, or else that id."""
    projects: Projects = request.app.state.projects
    found = projects.find(name)
    if found is None and name.isascii() and name.isdigit() and len(name) <= _ID_DIGITS:
        found = projects.get(int(name))
    return found


def _own(request: Call, identity: Identity) -> Project | None:
    if identity.project_id is None:
        raise BadRequest("Say which project: this key is good for every one.", field="project")
    projects: Projects = request.app.state.projects
    return projects.get(identity.project_id)


def _access(request: Call) -> Access:
    access: Access = request.app.state.access
    return access
