"""The project that a request means, which has to have a pack."""

from tallymark.api.auth import Call, project_for
from tallymark.control.keys import Scope
from tallymark.errors import Conflict
from tallymark.spec.project import Project


def project_with(pack: str, things: str, request: Call, name: str | None, scope: Scope) -> Project:
    """The project that is meant, if the caller may do this in it and it has the pack that `things` need.

    Errors: `Unauthorized`, `NotFound`, `Forbidden`, `BadRequest`; `Conflict` without the pack.
    """
    project = project_for(request, name, scope)
    if pack not in project.packs:
        packs = " ".join(f"--pack {each}" for each in (*project.packs, pack))
        raise Conflict(
            f"{things} need the pack {pack!r}, which project {project.name!r} does not have: "
            f"tallymark projects update {project.name} {packs}",
            field="project",
        )
    return project
