"""The life of an evaluator: what may be done to it when, and which changes make it another one."""

from collections.abc import Mapping
from typing import Final, Literal

from tallymark.errors import Conflict
from tallymark.spec.evaluator import EvaluatorStatus

Action = Literal["pause", "resume", "archive"]

#: What may be done to an evaluator of a status, and the status it has then.
STEPS: Final[Mapping[EvaluatorStatus, Mapping[Action, EvaluatorStatus]]] = {
    "active": {"pause": "paused", "archive": "archived"},
    "paused": {"resume": "active", "archive": "archived"},
    "archived": {"resume": "active"},
}


def check_action(key: str, status: EvaluatorStatus, action: Action) -> EvaluatorStatus:
    """The status after an action; raises `Conflict`, with what may be done, for one that may not be done."""
    allowed = list(STEPS[status])
    if action not in allowed:
        message = f"{key!r} is {status}: it can be {' or '.join(map(_done, allowed))}."
        raise Conflict(message, field="status", allowed=allowed)
    return STEPS[status][action]


def check_change(key: str, status: EvaluatorStatus) -> None:
    """Raises `Conflict` for an evaluator that does not change any more."""
    if status == "archived":
        raise Conflict(f"{key!r} is archived: resume it before it changes.", field="status", allowed=["resume"])


def _done(action: str) -> str:
    """The action as a sentence has it: paused."""
    return f"{action.removesuffix('e')}ed"
