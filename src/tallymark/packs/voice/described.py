"""What OpenAPI says of `POST /voice/ingest`, which as a bare ASGI application says nothing of itself."""

from functools import cache
from typing import Any, Final

from tallymark.packs.described import failure, parameter
from tallymark.packs.voice import names
from tallymark.packs.voice.capture import PATH
from tallymark.packs.voice.wire import NAMES, PROPERTIES

_EXAMPLE: Final = {
    "event_type": names.OUTCOME,
    "timestamp": "2026-02-01T12:00:03Z",
    "store_id": "berlin-1",
    "query_id": "q-81",
    "session_id": "s-7",
    "intent": "order_status",
    "confidence": 0.92,
    "transcript": "where is my order",
    "response": "It arrives tomorrow.",
    "success": True,
    "total_ms": 840,
}
_FLAGS: Final = (names.SUCCESS, names.FALLBACK)
_TEXTS: Final = (names.QUERY_ID, names.STORE, names.TRANSCRIPT, names.INTENT, names.RESPONSE, names.LANGUAGE,
                 names.MODEL, names.ERROR)  # fmt: skip
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
    "401": "A key or a signature is needed, or there is none like this",
    "403": "The key is for something else, or the address is not on the list",
    "404": "There is no such project",
    "413": "The body is too large",
    "503": "Too much waits to be written; send it again",
}


@cache
def described() -> dict[str, Any]:
    """The path with what it takes and answers."""
    return {PATH: {"post": _operation()}}


def _event() -> dict[str, Any]:
    properties = {spellings[0]: {"type": _kind(name)} for name, spellings in PROPERTIES.items()}
    kind = {"type": "string", "enum": [names.QUERY, names.OUTCOME]}
    time = {"oneOf": [{"type": "string", "format": "date-time"}, {"type": "number"}]}
    others = {NAMES[name][0]: {"type": "string"} for name in ("eventId", "actor", "sessionId")}
    return {
        "type": "object",
        "title": "VoiceEvent",
        "properties": {"event_type": kind, "timestamp": time, **others, **properties},
        "required": ["event_type"],
        "additionalProperties": True,
    }


def _kind(name: str) -> str:
    return "boolean" if name in _FLAGS else "string" if name in _TEXTS else "number"


def _operation() -> dict[str, Any]:
    event = _event()
    batch = {"type": "object", "properties": {"events": {"type": "array", "items": event}}, "required": ["events"]}
    body = {"oneOf": [event, {"type": "array", "items": event}, batch]}
    return {
        "tags": ["voice"],
        "operationId": "SendVoiceEvents",
        "summary": "Send queries and outcomes",
        "description": "One event, an array, or an envelope. Needs no key where `TALLYMARK_VOICE_CAPTURE` is `open`. "
        "A query and its outcome are joined by `query_id`; an event sent again counts once.",
        "security": [{}, {"key": []}],
        "parameters": [
            parameter("project", "The project, where neither a key, the body nor `TALLYMARK_VOICE_PROJECT` says."),
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
