"""What OpenAPI says of `POST /quiz/events`, which as a bare ASGI application says nothing of itself."""

from functools import cache
from typing import Any, Final

from tallymark.packs.described import failure, parameter
from tallymark.packs.quiz import names
from tallymark.packs.quiz.capture import PATH
from tallymark.packs.quiz.checks import CHECKS
from tallymark.packs.quiz.wire import NAMES

_EXAMPLE: Final = {
    "event": names.ANSWERED,
    "timestamp": "2026-02-01T12:00:03Z",
    names.QUIZ: "algebra",
    names.ATTEMPT_ID: "a-81",
    "userId": "u-7",
    names.QUESTION: "q3",
    names.ANSWER: "B",
    names.CORRECT: True,
    names.OPTIONS: 4,
    names.TIME: 8_400,
}
_FLAGS: Final = (names.CORRECT, names.SKIPPED)
_TEXTS: Final = (names.QUIZ, names.ATTEMPT_ID, names.QUESTION, names.ANSWER)
_TAKEN: Final = {
    "type": "object",
    "properties": {
        "success": {"const": True},
        "accepted": {"type": "integer"},
        "rejected": {"type": "array", "items": {"$ref": "#/components/schemas/Rejection"}},
    },
    "required": ["success", "accepted", "rejected"],
}
_FAILURES: Final = {
    "400": "The body can't be read, or every event of it is refused",
    "401": "A key is needed, or there is none like this",
    "403": "The key is for something else",
    "404": "There is no such project",
    "413": "The body is too large",
    "503": "Too much waits to be written; send it again",
}


@cache
def described() -> dict[str, Any]:
    """The path with what it takes and answers."""
    return {PATH: {"post": _operation()}}


def _event() -> dict[str, Any]:
    properties = {name: {"type": _kind(name)} for name in CHECKS}
    kind = {"type": "string", "enum": list(names.PARTS)}
    time = {"oneOf": [{"type": "string", "format": "date-time"}, {"type": "number"}]}
    others = {NAMES[name][0]: {"type": "string"} for name in ("eventId", "actor", "sessionId")}
    return {
        "type": "object",
        "title": "QuizEvent",
        "properties": {"event": kind, "timestamp": time, **others, **properties},
        "required": ["event", names.QUIZ],
        "additionalProperties": True,
    }


def _kind(name: str) -> str:
    return "boolean" if name in _FLAGS else "string" if name in _TEXTS else "number"


def _operation() -> dict[str, Any]:
    event = _event()
    batch = {"type": "object", "properties": {"events": {"type": "array", "items": event}}, "required": ["events"]}
    body = {"oneOf": [event, {"type": "array", "items": event}, batch]}
    return {
        "tags": ["quiz"],
        "operationId": "SendQuizEvents",
        "summary": "Send what happens in quizzes",
        "description": "One event, an array, or an envelope. Needs no key where `TALLYMARK_QUIZ_CAPTURE` is `open`. "
        "The parts of an attempt are joined by `quizId` and `attemptId`; an event sent again counts once.",
        "security": [{}, {"key": []}],
        "parameters": [
            parameter("project", "The project, where neither a key, the body nor `TALLYMARK_QUIZ_PROJECT` says."),
            parameter("key", "An `ingest` key, where no header can be sent."),
        ],
        "requestBody": {"required": True, "content": {"application/json": {"schema": body, "example": _EXAMPLE}}},
        "responses": {
            "202": {
                "description": "Accepted events are on disk",
                "content": {"application/json": {"schema": _TAKEN}},
            },
            **{status: failure(text) for status, text in _FAILURES.items()},
        },
    }
