"""What OpenAPI says of `POST /sdk/api/v1/events`, which as a bare ASGI application says nothing of itself."""

from functools import cache
from typing import Any, Final

import msgspec

from tallymark.packs.described import failure, parameter
from tallymark.packs.sdk.capture import PATH
from tallymark.packs.sdk.wire import Payload

_EXAMPLE: Final = {
    "sdkVersion": "0.3.0",
    "network": "devnet",
    "timestamp": 1706889600000,
    "metrics": {"wallet_connect_attempts": 1, "wallet_connect_success": 1},
    "appIdHash": "1f8a0c6e9b7d4a52",
}
_TAKEN: Final = {
    "type": "object",
    "properties": {
        "success": {"const": True},
        "rejected": {"type": "array", "items": {"$ref": "#/components/schemas/Rejection"}},
    },
    "required": ["success"],
}
_FAILURES: Final = {
    "400": "The payload can't be read, holds personal data, or every counter of it is refused",
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


def _operation() -> dict[str, Any]:
    _, schemas = msgspec.json.schema_components([Payload])
    payload = {**schemas["Payload"], "title": "Counters", "additionalProperties": True}
    json = {"schema": payload, "example": _EXAMPLE}
    return {
        "tags": ["sdk"],
        "operationId": "SendCounters",
        "summary": "Send counters of an app",
        "description": "Needs no key where `TALLYMARK_SDK_CAPTURE` is `open`. A payload sent again counts once.",
        "security": [{}, {"key": []}],
        "parameters": [
            parameter("project", "The project, where neither a key nor `TALLYMARK_SDK_PROJECT` says."),
            parameter("key", "An `ingest` key, where no header can be sent."),
        ],
        "requestBody": {"required": True, "content": {"application/json": json, "text/plain": json}},
        "responses": {
            "200": {
                "description": "Accepted counters are on disk",
                "content": {"application/json": {"schema": _TAKEN}},
            },
            **{status: failure(text) for status, text in _FAILURES.items()},
        },
    }
