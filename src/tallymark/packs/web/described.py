"""What OpenAPI says of `POST /web/v1/events`, which as a bare ASGI application says nothing of itself."""

from functools import cache
from typing import Any, Final

import msgspec

from tallymark.packs.described import failure, parameter
from tallymark.packs.web.form import MULTIPART, URLENCODED
from tallymark.packs.web.web_event import WebEvent

_EXAMPLE: Final = {"eventType": "page_view", "url": "https://shop.example/pricing", "visitorId": "v-117"}
_REJECTIONS: Final = {"type": "array", "items": {"$ref": "#/components/schemas/Rejection"}}
_TAKEN: Final = {
    "type": "object",
    "properties": {"ok": {"const": True}, "accepted": {"type": "integer"}, "rejected": _REJECTIONS},
    "required": ["ok", "accepted", "rejected"],
}
_FAILURES: Final = {
    "400": "The body can't be read, or every event of it is refused",
    "401": "A key is needed, or there is none like this",
    "403": "The key is for something else, or pages of this origin may not send",
    "404": "There is no such property",
    "413": "The body is too large",
    "503": "Too much waits to be written; send it again",
}


@cache
def described() -> dict[str, Any]:
    """The path with what it takes and answers."""
    return {"/web/v1/events": {"post": _operation()}}


def _operation() -> dict[str, Any]:
    _, schemas = msgspec.json.schema_components([WebEvent])
    event = {**schemas["WebEvent"], "title": "Web event", "additionalProperties": True}
    envelope = {"type": "object", "properties": {"events": {"type": "array", "items": event}}, "required": ["events"]}
    json = {"schema": {"anyOf": [event, {"type": "array", "items": event}, envelope]}, "example": _EXAMPLE}
    form = {"schema": {"type": "object", "additionalProperties": {"type": "string"}}}
    kinds = {"application/json": json, "text/plain": json, URLENCODED.decode(): form, MULTIPART.decode(): form}
    return {
        "tags": ["web"],
        "operationId": "SendWebEvents",
        "summary": "Send events from a page, a form or a relaying server",
        "description": "Needs no key where `TALLYMARK_WEB_CAPTURE` is `open`. Unknown fields become properties. A form "
        "is sent back to its page.",
        "security": [{}, {"key": []}],
        "parameters": [
            parameter("propertyId", "The property of events that name none."),
            parameter("key", "An `ingest` key, where no header can be sent."),
        ],
        "requestBody": {"required": True, "content": kinds},
        "responses": {
            "202": {"description": "Accepted events are on disk", "content": {"application/json": {"schema": _TAKEN}}},
            "303": {"description": "A form's events are on disk; on to the page in `Location`"},
            **{status: failure(text) for status, text in _FAILURES.items()},
        },
    }
