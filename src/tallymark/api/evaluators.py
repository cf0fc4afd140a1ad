"""`/v1/evaluators`: made, changed, paused, resumed, archived, and what was done to them."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, TypedDict

from litestar import Router, get, patch, post
from litestar.params import PathParameter, QueryParameter, RawBody

from tallymark.api.auth import Call, require
from tallymark.api.body import read_json, with_body
from tallymark.api.deeds import ManyDeeds, public_deeds
from tallymark.api.errors import documented
from tallymark.api.evaluator_schema import CHANGE, DRAFT
from tallymark.api.pack_project import project_with
from tallymark.api.question import filter_of
from tallymark.api.services import Services, services
from tallymark.control.evaluations import Standing
from tallymark.control.evaluators import Version, evaluator_subject
from tallymark.control.experiments import Doer
from tallymark.control.keys import Scope
from tallymark.errors import BadQuery, BadRequest, NotFound
from tallymark.spec.evaluator import Evaluator
from tallymark.spec.evaluator_draft import PublicDraft, PublicEvaluator, changed, parse_draft, public, public_draft
from tallymark.spec.measure import Rows
from tallymark.spec.project import Project, instant_text

_Key = Annotated[str, PathParameter(description="Key of an evaluator.")]
_Project = Annotated[str | None, QueryParameter(description="Name or id; default: the key's own.")]


class OneEvaluator(TypedDict):
    """An evaluator."""

    evaluator: PublicEvaluator


class ManyEvaluators(TypedDict):
    """Evaluators, oldest first."""

    evaluators: list[PublicEvaluator]


class PublicVersion(PublicDraft, TypedDict):
    """What an evaluator was at a version, who made it so and when."""

    version: int
    by: str
    createdAt: str


class PublicCounts(TypedDict):
    """How many answers wait for an evaluator, are being judged, are, can't be, or are there no more."""

    waiting: int
    running: int
    done: int
    dead: int
    gone: int


class WholeEvaluator(OneEvaluator):
    """An evaluator, what it has been, newest first, and how far it is."""

    versions: list[PublicVersion]
    counts: PublicCounts


@post(
    "/",
    sync_to_thread=True,
    summary="Create an evaluator",
    operation_class=with_body(DRAFT),
    responses=documented(400, 401, 403, 404, 409),
)
def create_evaluator(request: Call, body: RawBody, project: _Project = None) -> OneEvaluator:
    """Makes an evaluator, which judges what is answered from now on. An admin of the project may."""
    here, owner, doer = _admin(request, project)
    draft = parse_draft(read_json(body))
    check_filter(here, owner, draft.filter)
    return {"evaluator": public(here.evaluators.create(owner.id, draft, doer))}


@get("/", sync_to_thread=True, summary="List evaluators", responses=documented(400, 401, 403, 404, 409))
def list_evaluators(request: Call, project: _Project = None) -> ManyEvaluators:
    """Every evaluator of a project, archived ones included."""
    owner = _owner(request, project, "read")
    return {"evaluators": [public(found) for found in services(request.app.state).evaluators.all(owner.id)]}


@get("/{key:str}", sync_to_thread=True, summary="Show an evaluator", responses=documented(400, 401, 403, 404, 409))
def show_evaluator(request: Call, key: _Key, project: _Project = None) -> WholeEvaluator:
    """An evaluator: its definition and its status, its versions, and how far it is."""
    owner, here = _owner(request, project, "read"), services(request.app.state)
    found = evaluator_named(here, owner, key)
    return {
        "evaluator": public(found),
        "versions": [_version(version) for version in here.evaluators.versions(owner.id, key)],
        "counts": public_counts(here.evaluations.standing(found.id)),
    }


@patch(
    "/{key:str}",
    sync_to_thread=True,
    summary="Change an evaluator",
    operation_class=with_body(CHANGE),
    responses=documented(400, 401, 403, 404, 409),
)
def update_evaluator(request: Call, key: _Key, body: RawBody, project: _Project = None) -> OneEvaluator:
    """Changes the given fields and leaves the others alone: a new version, which judges what waits as well.

    What was judged keeps its scores under the version before.
    """
    here, owner, doer = _admin(request, project)
    change = read_json(body)
    if not isinstance(change, Mapping):
        raise BadRequest("The body is no JSON object.")
    if "filter" in change:
        check_filter(here, owner, changed(evaluator_named(here, owner, key).draft, change).filter)
    return {"evaluator": public(here.evaluators.update(owner.id, key, change, doer))}


@post(
    "/{key:str}/pause",
    sync_to_thread=True,
    status_code=200,
    summary="Pause an evaluator",
    responses=documented(400, 401, 403, 404, 409),
)
def pause_evaluator(request: Call, key: _Key, project: _Project = None) -> OneEvaluator:
    """Judges nothing more for now; answers wait meanwhile."""
    here, owner, doer = _admin(request, project)
    return {"evaluator": public(here.evaluators.pause(owner.id, key, doer))}


@post(
    "/{key:str}/resume",
    sync_to_thread=True,
    status_code=200,
    summary="Resume an evaluator",
    responses=documented(400, 401, 403, 404, 409),
)
def resume_evaluator(request: Call, key: _Key, project: _Project = None) -> OneEvaluator:
    """Goes on with an evaluator that was paused, or paused itself, or was archived."""
    here, owner, doer = _admin(request, project)
    return {"evaluator": public(here.evaluators.resume(owner.id, key, doer))}


@post(
    "/{key:str}/archive",
    sync_to_thread=True,
    status_code=200,
    summary="Archive an evaluator",
    responses=documented(400, 401, 403, 404, 409),
)
def archive_evaluator(request: Call, key: _Key, project: _Project = None) -> OneEvaluator:
    """Puts an evaluator away: its scores stay, and nothing waits for it any more."""
    here, owner, doer = _admin(request, project)
    return {"evaluator": public(here.evaluators.archive(owner.id, key, doer))}


@get("/{key:str}/audit", sync_to_thread=True, summary="Show what was done to an evaluator",
     responses=documented(400, 401, 403, 404, 409))  # fmt: skip
def audit_evaluator(request: Call, key: _Key, project: _Project = None) -> ManyDeeds:
    """Who did what to an evaluator and when, newest first."""
    owner, here = _owner(request, project, "read"), services(request.app.state)
    return public_deeds(here.audit, owner.id, evaluator_subject(evaluator_named(here, owner, key).draft.key))


def evaluator_named(here: Services, project: Project, key: str) -> Evaluator:
    """The evaluator of a project with that key. Errors: `NotFound`."""
    found = here.evaluators.get(project.id, key)
    if found is None:
        raise NotFound(f"There is no evaluator {key[:64]!r}.", field="key")
    return found


def public_counts(standing: Standing) -> PublicCounts:
    """What is counted, as the API tells it: what is judged and not yet written is on its way."""
    counts = standing.counts
    return {
        "waiting": counts.get("waiting", 0),
        "running": counts.get("running", 0) + counts.get("judged", 0),
        "done": counts.get("done", 0),
        "dead": counts.get("dead", 0),
        "gone": counts.get("gone", 0),
    }


def check_filter(here: Services, project: Project, texts: tuple[str, ...]) -> None:
    """Raises `BadRequest` for a filter that can't be read, or by a dimension that events of the project don't have."""
    allowed = [dimension.name for dimension in here.catalog.only(project.packs).dimensions_on(Rows.EVENTS)]
    for place, text in enumerate(texts):
        field = f"filter.{place}"
        try:
            dimensions = [clause.dimension for clause in filter_of([text]).clauses]
        except BadQuery as error:
            raise BadRequest(error.message, field=field, allowed=error.allowed) from None
        unknown = next((dimension for dimension in dimensions if dimension not in allowed), None)
        if unknown is not None:
            raise BadRequest(f"Events have no dimension {unknown[:64]!r}.", field=field, allowed=sorted(allowed))


def _version(version: Version) -> PublicVersion:
    return {
        **public_draft(version.draft),
        "version": version.version,
        "by": version.by,
        "createdAt": instant_text(version.created_at),
    }


def _owner(request: Call, name: str | None, scope: Scope) -> Project:
    """The project that is meant, if the caller may do this in it and it has the pack."""
    return project_with("voice", "Evaluators", request, name, scope)


def _admin(request: Call, name: str | None) -> tuple[Services, Project, Doer]:
    """The services, the project, and who changes something there now."""
    project, here = _owner(request, name, "admin"), services(request.app.state)
    identity = require(request, "admin", project.id)
    return here, project, Doer(identity.name, datetime.fromtimestamp(here.now(), UTC))


#: Needs the services.
evaluators_router = Router(
    path="/v1/evaluators",
    route_handlers=[
        create_evaluator,
        list_evaluators,
        show_evaluator,
        update_evaluator,
        pause_evaluator,
        resume_evaluator,
        archive_evaluator,
        audit_evaluator,
    ],
    tags=["evaluators"],
)
