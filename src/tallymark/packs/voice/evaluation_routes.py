"""`POST /v1/evaluations/run` and `/backfill`: having answers judged now, and those of the past."""

from typing import Annotated, Any, Final, TypedDict

from litestar import post
from litestar.openapi.spec import Schema
from litestar.openapi.spec.enums import OpenAPIFormat, OpenAPIType
from litestar.params import QueryParameter, RawBody

from tallymark.api.auth import Call
from tallymark.api.body import read_json, with_body
from tallymark.api.errors import documented
from tallymark.api.pack_project import project_with
from tallymark.api.question import check_span, parse_day
from tallymark.api.services import Services, services
from tallymark.errors import BadRequest, NotFound
from tallymark.packs.voice.backfill import Backfill, Estimate
from tallymark.packs.voice.evaluating import Evaluating
from tallymark.spec.evaluator import DEFAULT_EVALUATOR, Evaluator
from tallymark.spec.json_values import flag, key
from tallymark.spec.project import Project
from tallymark.spec.window import Window

#: A request judges for so long at most, in seconds.
_SECONDS: Final = 20.0

#: So many judge or wait for that at most: threads that wait are missed by everybody's requests.
_AT_ONCE: Final = 3

_FAILURES: Final = documented(400, 401, 403, 404, 409, 503)
_Project = Annotated[str | None, QueryParameter(description="Name or id; default: the key's own.")]

_FIELDS: Final = ("evaluator", "from", "to", "dryRun")


def _day(description: str) -> Schema:
    return Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.DATE, description=description)


_BACKFILL: Final = Schema(
    type=OpenAPIType.OBJECT,
    properties={
        "evaluator": Schema(type=OpenAPIType.STRING, description=f"Key; default {DEFAULT_EVALUATOR}."),
        "from": _day("First day."),
        "to": _day("Last day."),
        "dryRun": Schema(type=OpenAPIType.BOOLEAN, description="Only say how many there are and what that takes."),
    },
    required=["from", "to"],
    additional_properties=False,
)


class Ran(TypedDict):
    """What became of evaluations in a request, and how many of the project's wait still.

    Some may wait for their time, for an evaluator that pauses, or for the budget of tomorrow.
    """

    judged: int
    failed: int
    dead: int
    gone: int
    waiting: int


class Backfilled(TypedDict):
    """The answers that an evaluator has not judged, and about what judging them takes; `queued` of them wait now."""

    evaluator: str
    exchanges: int
    estimate: Estimate
    queued: int


@post(
    "/evaluations/run",
    status_code=200,
    sync_to_thread=True,
    tags=["evaluations"],
    summary="Judge what waits now",
    description=f"Draws what is new and judges for {_SECONDS:.0f} s at most: ask again while something waits.",
    responses=documented(400, 401, 403, 404, 409, 429, 503),
)
def run_evaluations(request: Call, project: _Project = None) -> Ran:
    """What became of evaluations of the project. 429 where too many ask at once."""
    here = services(request.app.state)
    owner = project_with("voice", "Evaluations", request, project, "admin")
    tally = Evaluating.of(here).run(_SECONDS, owner, _AT_ONCE)
    return {
        "judged": tally["judged"],
        "failed": tally["failed"],
        "dead": tally["dead"],
        "gone": tally["gone"],
        "waiting": _waiting(here, owner),
    }


@post(
    "/evaluations/backfill",
    status_code=200,
    sync_to_thread=True,
    tags=["evaluations"],
    summary="Judge answers of the past",
    description="Puts the answers of some days that the evaluator has not judged at its version into the queue.",
    operation_class=with_body(_BACKFILL),
    responses=_FAILURES,
)
def backfill_evaluations(request: Call, body: RawBody, project: _Project = None) -> Backfilled:
    """How many there are, what judging them takes, and how many wait now."""
    here = services(request.app.state)
    owner = project_with("voice", "Evaluations", request, project, "admin")
    said = _object(body)
    work = Backfill(here, owner, _evaluator(here, owner, said), _window(said, owner))
    drawn = work.drawn()
    queued = 0 if flag(said.get("dryRun", False), "dryRun") else work.enqueue(drawn)
    return {
        "evaluator": work.evaluator.name,
        "exchanges": len(drawn),
        "estimate": work.estimate(len(drawn)),
        "queued": queued,
    }


def _waiting(here: Services, project: Project) -> int:
    return sum(
        here.evaluations.standing(evaluator.id).counts.get("waiting", 0)
        for evaluator in here.evaluators.all(project.id)
        if evaluator.status != "archived"
    )


def _object(body: bytes) -> dict[str, Any]:
    said = read_json(body)
    if not isinstance(said, dict):
        raise BadRequest("The body is no JSON object.")
    if unknown := sorted(set(said) - set(_FIELDS)):
        raise BadRequest(f"There is no field {unknown[0][:64]!r}.", field=unknown[0][:64], allowed=_FIELDS)
    return said


def _evaluator(here: Services, project: Project, said: dict[str, Any]) -> Evaluator:
    name = key(said.get("evaluator", DEFAULT_EVALUATOR), "evaluator")
    found = here.evaluators.get(project.id, name)
    if found is None or found.status == "archived":
        live = [each.draft.key for each in here.evaluators.all(project.id) if each.status != "archived"]
        raise NotFound(f"There is no evaluator {name!r}.", field="evaluator", allowed=live)
    return found


def _window(said: dict[str, Any], project: Project) -> Window:
    days = []
    for field in ("from", "to"):
        if not isinstance(said.get(field), str):
            raise BadRequest(f"Say the days: {field} as YYYY-MM-DD.", field=field)
        days.append(parse_day(said[field], field))
    window = Window(days[0], days[1], project.timezone)
    check_span(window, "from")
    return window


HANDLERS: Final = (run_evaluations, backfill_evaluations)
