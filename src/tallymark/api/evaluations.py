"""`/v1/evaluations`: how far judging is, what it takes, and what no judge could judge."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Annotated, Any, Final, TypedDict

from litestar import Router, get, post
from litestar.params import QueryParameter, RawBody

from tallymark.api.auth import Call
from tallymark.api.body import read_json, with_body
from tallymark.api.errors import documented
from tallymark.api.evaluator_schema import MOST_IDS, RETRY
from tallymark.api.evaluators import PublicCounts, evaluator_named, public_counts
from tallymark.api.pack_project import project_with
from tallymark.api.services import Services, services
from tallymark.control.evaluation_rows import Attempt
from tallymark.control.evaluations import DeadLetter
from tallymark.control.keys import Scope
from tallymark.errors import BadRequest
from tallymark.spec.evaluator import Evaluator, EvaluatorStatus
from tallymark.spec.json_values import items, known_only, whole
from tallymark.spec.json_values import key as checked
from tallymark.spec.project import Project, instant_text

_LARGEST_ID: Final = 2**63 - 1
_MOST_DEAD: Final = 1_000

_Project = Annotated[str | None, QueryParameter(description="Name or id; default: the key's own.")]


class EvaluatorStanding(PublicCounts, TypedDict):
    """How far an evaluator is: why it judges nothing, if so, and since when the first answer waits."""

    evaluator: str
    status: EvaluatorStatus
    pauseReason: str
    failuresInRow: int
    heldUntil: str | None
    oldestWaiting: str | None


class SpentToday(TypedDict):
    """What a project's judges took on a UTC day."""

    day: str
    requests: int
    tokens: int
    costUsd: float


class Budgets(TypedDict):
    """What they may take in a day; null is no limit."""

    dailyTokens: int | None
    dailyUsd: float | None


class EvaluationStatus(TypedDict):
    """How far judging is. Where a budget is used up, nothing is judged until the next UTC day."""

    evaluators: list[EvaluatorStanding]
    spent: SpentToday
    budgets: Budgets
    usedUp: bool


class PublicAttempt(TypedDict):
    """A call of a judge: `ok`, or the fault it met."""

    at: str
    outcome: str
    message: str
    ms: int
    promptTokens: int
    completionTokens: int
    costUsd: float


class PublicDeadLetter(TypedDict):
    """An answer that a judge failed on too often; `exchange` is its identity as in exports of events."""

    id: int
    evaluator: str
    exchange: str
    occurredAt: str
    diedAt: str
    error: str
    attempts: list[PublicAttempt]


class DeadLetters(TypedDict):
    """Dead letters, newest first."""

    dead: list[PublicDeadLetter]


class Requeued(TypedDict):
    """How many wait again."""

    requeued: int


@get(
    "/status", sync_to_thread=True, summary="Show how far judging is", responses=documented(400, 401, 403, 404, 409)
)  # fmt: skip
def evaluation_status(request: Call, project: _Project = None) -> EvaluationStatus:
    """What waits, runs, is done and is dead by evaluator, what today took, and what a day may take."""
    owner, here = _owner(request, project, "read"), services(request.app.state)
    today, settings = datetime.fromtimestamp(here.now(), UTC).date(), here.settings
    tokens, cost = settings.eval_daily_tokens, settings.eval_daily_usd
    return {
        "evaluators": [_standing(here, found) for found in here.evaluators.all(owner.id)],
        "spent": _spent(here, owner, today),
        "budgets": {"dailyTokens": tokens or None, "dailyUsd": cost or None},
        "usedUp": owner.id in here.evaluations.used_up(today, tokens, cost),
    }


@get("/dead", sync_to_thread=True, summary="List dead letters", responses=documented(400, 401, 403, 404, 409))
def dead_letters(
    request: Call,
    project: _Project = None,
    limit: Annotated[
        int, QueryParameter(ge=1, le=_MOST_DEAD, description="Most of them; default 100, at most 1,000.")
    ] = 100,
) -> DeadLetters:
    """The latest answers that a judge failed on too often, with every attempt."""
    owner = _owner(request, project, "read")
    return {"dead": [_dead(letter) for letter in services(request.app.state).evaluations.dead(owner.id, limit)]}


@post(
    "/retry",
    sync_to_thread=True,
    status_code=200,
    summary="Judge dead letters again",
    operation_class=with_body(RETRY),
    responses=documented(400, 401, 403, 404, 409),
)
def retry_dead_letters(request: Call, body: RawBody, project: _Project = None) -> Requeued:
    """Has dead letters judged again by the latest version: all of a project, of one evaluator, or some."""
    owner, here = _owner(request, project, "admin"), services(request.app.state)
    said = _object(body)
    name, ids = said.get("evaluator"), said.get("ids")
    evaluator = None if name is None else evaluator_named(here, owner, checked(name, "evaluator"))
    chosen = None if ids is None else [whole(n, "ids", 1, _LARGEST_ID) for n in items(ids, "ids", 0, MOST_IDS)]
    return {"requeued": here.evaluations.requeue(owner.id, None if evaluator is None else evaluator.id, chosen)}


def _standing(here: Services, evaluator: Evaluator) -> EvaluatorStanding:
    standing, held = here.evaluations.standing(evaluator.id), evaluator.held_until
    oldest = standing.oldest_waiting
    return {
        "evaluator": evaluator.name,
        "status": evaluator.status,
        "pauseReason": evaluator.pause_reason,
        "failuresInRow": evaluator.failures_in_row,
        "heldUntil": None if held is None or held.timestamp() <= here.now() else instant_text(held),
        "oldestWaiting": None if oldest is None else instant_text(oldest),
        **public_counts(standing),
    }


def _spent(here: Services, project: Project, day: date) -> SpentToday:
    spent = here.evaluations.spent(project.id, day)
    return {"day": str(day), "requests": spent.requests, "tokens": spent.tokens, "costUsd": spent.cost}


def _dead(letter: DeadLetter) -> PublicDeadLetter:
    return {
        "id": letter.id,
        "evaluator": letter.evaluator,
        "exchange": f"{letter.exchange:016x}",
        "occurredAt": instant_text(letter.occurred_at),
        "diedAt": instant_text(letter.died_at),
        "error": letter.error,
        "attempts": [_attempt(attempt) for attempt in letter.attempts],
    }


def _attempt(attempt: Attempt) -> PublicAttempt:
    return {
        "at": instant_text(attempt.at),
        "outcome": attempt.outcome,
        "message": attempt.message,
        "ms": attempt.ms,
        "promptTokens": attempt.usage.prompt_tokens,
        "completionTokens": attempt.usage.completion_tokens,
        "costUsd": attempt.cost,
    }


def _object(body: bytes) -> Mapping[str, Any]:
    said = read_json(body) if body else {}
    if not isinstance(said, Mapping):
        raise BadRequest("The body is no JSON object.")
    known_only(said, "retry", ("evaluator", "ids"))
    return said


def _owner(request: Call, name: str | None, scope: Scope) -> Project:
    """The project that is meant, if the caller may do this in it and it has the pack."""
    return project_with("voice", "Evaluations", request, name, scope)


#: Needs the services.
evaluations_router = Router(
    path="/v1/evaluations",
    route_handlers=[evaluation_status, dead_letters, retry_dead_letters],
    tags=["evaluations"],
)
