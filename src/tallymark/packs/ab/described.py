"""What OpenAPI says of the ab pack's bare ASGI endpoints, which say nothing of themselves."""

from functools import cache
from typing import Any, Final

from tallymark.packs.ab import assignment, capture
from tallymark.packs.ab.ofrep import ALL
from tallymark.packs.described import failure, parameter

_UNIT: Final = {"type": "string", "description": "Whom it is for; the same id that events have."}
_FAILURES: Final = {
    "400": "The body can't be read, or says something that can't be",
    "401": "A key is needed, or there is none like this",
    "403": "The key is for something else",
    "404": "There is no such project, experiment or flag",
    "413": "The body is too large",
    "503": "Too much waits to be stored; send it again",
}
_CHOICE: Final = {
    "type": "object",
    "properties": {
        "experimentId": {"type": "string"},
        "variant": {"type": "string"},
        "value": {"description": "The variant's value, its key where it has none."},
        "inExperiment": {"type": "boolean", "description": "Whether the unit takes part, so that its exposure counts."},
        "reason": {"type": "string"},
        "assignedAt": {"type": ["string", "null"], "format": "date-time"},
    },
}
_FLAG: Final = {
    "type": "object",
    "properties": {
        "key": {"type": "string"},
        "value": {},
        "reason": {"enum": ["SPLIT", "TARGETING_MATCH", "STATIC", "DISABLED", "DEFAULT"]},
        "variant": {"type": "string"},
        "metadata": {"type": "object"},
    },
    "required": ["key", "value", "reason", "variant"],
}
_ASK: Final = {
    "type": "object",
    "properties": {
        "unitId": _UNIT,
        "experimentId": {"type": "string", "description": "One experiment, which the unit meets."},
        "experimentIds": {"type": "array", "items": {"type": "string"}, "description": "Several, fetched beforehand."},
        "attributes": {
            "type": "object",
            "description": "What targeting looks at, lists of at most 100 items; never stored.",
        },
        "exposure": {"type": "boolean", "description": "Whether the unit meets what it gets."},
        "project": {"type": "string"},
    },
    "required": ["unitId"],
}
_EVENTS: Final = {
    "type": "object",
    "properties": {
        "events": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "eventName": {"type": "string"},
                    "userId": _UNIT,
                    "occurredAt": {"type": ["string", "number"]},
                    "eventId": {"type": "string"},
                    "sessionId": {"type": "string"},
                    "value": {"type": "number"},
                    "properties": {"type": "object"},
                },
                "additionalProperties": True,
            },
        }
    },
}
_CONTEXT: Final = {
    "type": "object",
    "properties": {"context": {"type": "object", "properties": {"targetingKey": _UNIT}, "additionalProperties": True}},
}
_TAKEN: Final = {
    "type": "object",
    "properties": {
        "success": {"const": True},
        "accepted": {"type": "integer"},
        "rejected": {"type": "array", "items": {"$ref": "#/components/schemas/Rejection"}},
    },
}
_FLAGS: Final = {"type": "object", "properties": {"flags": {"type": "array", "items": _FLAG}, "metadata": {}}}


@cache
def described() -> dict[str, Any]:
    """The paths with what they take and answer."""
    get_one = _operation(
        "EvaluateFlag", "Evaluate a flag", "OpenFeature's remote evaluation; the unit meets the variant.",
        _CONTEXT, {"context": {"targetingKey": "u-17"}}, _answered("200", "The flag", _FLAG),
    )  # fmt: skip
    get_one["parameters"].append({"name": "key", "in": "path", "required": True, "schema": {"type": "string"}})
    get_all = _operation(
        "EvaluateFlags", "Evaluate all flags",
        "OpenFeature's remote evaluation, fetched beforehand: no exposure. `If-None-Match` with the `ETag` of the same "
        "answer to the same context gets 304.",
        _CONTEXT, {"context": {"targetingKey": "u-17"}}, _answered("200", "Every flag", _FLAGS),
    )  # fmt: skip
    get_all["responses"]["304"] = {"description": "The same answer as before"}
    return {
        assignment.PATH: {"post": _operation(
            "AskAssignment", "Which variant a unit gets",
            "A unit keeps the variant that it got first. Without `experimentId` and `experimentIds` every running "
            "experiment is answered, as `assignments`.",
            _ASK, {"unitId": "u-17", "experimentId": "checkout"}, _answered("200", "The variant", _CHOICE),
        )},
        capture.PATH: {"post": _operation(
            "SendAppEvents", "Send events of an app",
            "One event, an array, or an envelope. Answers once they are on disk.",
            _EVENTS, {"events": [{"eventName": "level_complete", "userId": "u-17", "properties": {"level": 3}}]},
            _answered("202", "Accepted events are on disk", _TAKEN),
        )},
        f"{ALL}/{{key}}": {"post": get_one},
        ALL: {"post": get_all},
    }  # fmt: skip


def _answered(status: str, text: str, schema: Any) -> dict[str, Any]:
    return {status: {"description": text, "content": {"application/json": {"schema": schema}}}}


def _operation(
    name: str, summary: str, description: str, body: Any, example: Any, answered: dict[str, Any]
) -> dict[str, Any]:
    return {
        "tags": ["ab"],
        "operationId": name,
        "summary": summary,
        "description": f"{description} Needs no key where `TALLYMARK_AB_CAPTURE` is `open`.",
        "security": [{}, {"key": []}],
        "parameters": [
            parameter("project", "The project, where neither a key nor `TALLYMARK_AB_PROJECT` says."),
            parameter("key", "An `ingest` key, where no header can be sent."),
        ],
        "requestBody": {"required": True, "content": {"application/json": {"schema": body, "example": example}}},
        "responses": {**answered, **{status: failure(text) for status, text in _FAILURES.items()}},
    }
