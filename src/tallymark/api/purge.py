"""`/v1/purge`: what is past its time goes now, or is only counted."""

from collections.abc import Callable, Sequence
from typing import Annotated, TypedDict

from litestar import Router, post
from litestar.params import QueryParameter

from tallymark.api.auth import Call, project_for, require
from tallymark.api.errors import documented
from tallymark.spec.project import Project
from tallymark.spec.purged import Purged

#: Purges one project, or everything; counts only where the second argument is true.
Purging = Callable[[Project | None, bool], Sequence[Purged]]


class PublicStep(TypedDict):
    """What a step took; `project` is null for what belongs to none, `note` and `error` where there is none."""

    step: str
    project: str | None
    count: int
    note: str | None
    error: str | None


class PurgeReport(TypedDict):
    """Every step of a purge, in order."""

    dryRun: bool
    steps: list[PublicStep]


@post(
    "/",
    sync_to_thread=True,
    status_code=200,
    summary="Delete what is past its time",
    responses=documented(400, 401, 403, 404, 503),
)
def purge(
    request: Call,
    project: Annotated[
        str | None, QueryParameter(description="Name or id: its steps alone; default: every step of every project.")
    ] = None,
    dry_run: Annotated[
        bool, QueryParameter(name="dryRun", description="true: only count, and change nothing.")
    ] = False,
) -> PurgeReport:
    """Deletes what is past its time; says of each step how much went. Needs a key that is admin of every project."""
    require(request, "admin", None)
    owner = None if project is None else project_for(request, project, "admin")
    purging: Purging = request.app.state.purge
    return {"dryRun": dry_run, "steps": [_public(purged) for purged in purging(owner, dry_run)]}


def _public(purged: Purged) -> PublicStep:
    return {
        "step": purged.step,
        "project": purged.project,
        "count": purged.count,
        "note": purged.note or None,
        "error": purged.error or None,
    }


#: Needs `state.access`, `state.projects`, `state.purge`.
purge_router = Router(path="/v1/purge", route_handlers=[purge], tags=["purge"])
