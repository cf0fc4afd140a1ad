"""Whose project a request below `/v1` is about that only projects with voice assistants answer."""

from tallymark.api.auth import Call, project_for
from tallymark.control.keys import Scope
from tallymark.errors import Conflict
from tallymark.packs.voice.contract import CONTRACT
from tallymark.spec.project import Project


def owner_of(request: Call, name: str | None, scope: Scope, what: str) -> Project:
    """The project that is meant, if the caller may do this in it and it has the pack; `what` needs that.

    Errors: `Unauthorized`, `NotFound`, `Forbidden`, `BadRequest`; `Conflict` without the pack.
    """
    project = project_for(request, name, scope)
    if CONTRACT.pack not in project.packs:
        packs = " ".join(f"--pack {pack}" for pack in (*project.packs, CONTRACT.pack))
        raise Conflict(
            f"{what} need the pack {CONTRACT.pack!r}, which project {project.name!r} does not have: "
            f"tallymark projects update {project.name} {packs}",
            field="project",
        )
    return project
