"""OpenAPI: the description of the API, and pages to read it that load nothing from outside."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import msgspec
from litestar import Request, Router
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin, OpenAPIRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme, Tag
from litestar.static_files import create_static_files_router

from tallymark import __version__
from tallymark.api.compression import ENCODINGS
from tallymark.api.rate_limits import UNLIMITED
from tallymark.ingest.decode import WireEvent
from tallymark.spec.event import Reason

_STATIC: Final = Path(__file__).parent / "static"

#: Sent with every page: a browser loads nothing from elsewhere and runs no script written into a page.
PAGE_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

_TAGS: Final = (
    Tag("events", "Events in."),
    Tag("answers", "Numbers out."),
    Tag("behaviour", "What actors do one after another."),
    Tag("rollups", "What stands between the two."),
    Tag("exports", "Files out."),
    Tag("archives", "Raw events that are put away, and come back."),
    Tag("experiments", "What is tried on whom."),
    Tag("evaluators", "Who judges answers, and by what."),
    Tag("evaluations", "How far judging is, and what it takes."),
    Tag("reviews", "What people say of answers, and how far judges agree."),
    Tag("syncs", "How far tables elsewhere were taken in."),
    Tag("projects", "What events belong to."),
    Tag("keys", "Who may do what."),
    Tag("dashboard", "Signing in, and showing others."),
    Tag("purge", "What is past its time."),
    Tag("ab", "Variants for applications, their events, and the results of experiments."),
    Tag("sdk", "Counters of applications, and their monthly reports."),
    Tag("voice", "Queries and answers of voice assistants."),
    Tag("quiz", "Attempts at quizzes, their questions and learners."),
    Tag("web", "What pages and forms send, and what is known of people."),
    Tag("operations", "For load balancers and monitoring; needs no key."),
)
_OPEN_PATHS: Final = ("/health", "/ready", "/metrics")
_SIGNED_PATHS: Final = ("/v1/exports/{export_id}/file",)

#: What each field of an event is, by its name in JSON.
FIELDS: Final = {
    "event": "Name of the event, 1 to 200 characters. The only field that is needed.",
    "timestamp": "When it happened: ISO 8601 (UTC without a zone), or seconds or milliseconds since 1970. "
    "Default: its arrival.",
    "sentAt": "When the client sent it, by the clock that gave `timestamp`; corrects a clock that is wrong.",
    "eventId": "Identity, up to 512 characters: an event sent again with it counts once.",
    "actor": "Who did it. The first of actor, userId, visitorId, anonymousId counts; only a keyed hash is stored.",
    "userId": "Who did it, as your users are known.",
    "visitorId": "Who did it, as a browser is known.",
    "anonymousId": "Who did it, before being known.",
    "sessionId": "The client's own session; else 30 minutes of silence end one. Only a keyed hash is stored.",
    "value": "A number that is added up: an amount, a score, an increment; between -1e15 and 1e15.",
    "url": "Address of the page: its host, path and campaign are kept, the rest is dropped.",
    "referrer": "Address of the page that linked here: its host is kept.",
    "properties": "Anything else, as a JSON object.",
    "userAgent": "The browser's user agent, where a server sends for it; read, never stored.",
    "ip": "The browser's address, where a server sends for it; its country is kept, it is not.",
    "channel": "Kind of source, where the sender knows better than referrer and tags: direct, organic_search, …",
}

_EXAMPLE: Final = {
    "event": "page_view",
    "visitorId": "v-117",
    "url": "https://shop.example/pricing?utm_source=newsletter",
    "properties": {"plan": "pro"},
}


def openapi_config(paths: Mapping[str, Any]) -> OpenAPIConfig:
    """The configuration of `/openapi`: the page, and the document at `/openapi/openapi.json`.

    `paths` are those of products that the framework can't describe.
    """
    bearer = SecurityScheme(
        "http",
        scheme="bearer",
        description="A key. The headers x-admin-key, x-dashboard-token and x-api-key are read as well.",
    )
    return OpenAPIConfig(
        title="Tallymark",
        version=__version__,
        description="Events in, exact and repeatable numbers out.",
        use_handler_docstrings=True,
        components=Components(security_schemes={"key": bearer}),
        security=[{"key": []}],
        tags=list(_TAGS),
        render_plugins=[_Page(path=("/", "/swagger")), _Document(paths)],
        openapi_router=Router(
            "/openapi",
            route_handlers=[],
            include_in_schema=False,
            response_headers=PAGE_HEADERS,
            opt={UNLIMITED: True},
        ),
    )


def assets() -> Router:
    """The files of these pages, from this package."""
    return create_static_files_router("/assets", [_STATIC], name="assets", opt={UNLIMITED: True})


@cache
def _read(name: str) -> bytes:
    return (_STATIC / name).read_bytes()


class _Page(OpenAPIRenderPlugin):
    """Swagger UI over the document."""

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        return _read("openapi.html")


class _Document(JsonRenderPlugin):
    """The document as JSON."""

    def __init__(self, paths: Mapping[str, Any]) -> None:
        super().__init__()
        self._paths = paths

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        return super().render(request, completed(openapi_schema, self._paths))


def completed(document: dict[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """The framework's document with what it can't know.

    That is: the bare ASGI endpoints of events, the one shape of every error, and which paths need no key.
    """
    paths = {path: _true(path, item) for path, item in document["paths"].items()}
    components = document["components"]
    return {
        **document,
        "paths": {**_event_paths(), **paths, **more},
        "components": {**components, "schemas": {**components["schemas"], **_event_schemas()}},
    }


def _true(path: str, item: dict[str, Any]) -> dict[str, Any]:
    """A path whose errors have the shape they have, and which is open if it is."""
    told = {}
    for method, operation in item.items():
        responses = {
            status: _error(response["description"]) if int(status) >= 400 and path not in _OPEN_PATHS else response
            for status, response in operation["responses"].items()
        }
        told[method] = {**operation, "responses": responses}
        if path in (*_OPEN_PATHS, *_SIGNED_PATHS):
            told[method]["security"] = []
    return told


def _error(description: str) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": _ref("ErrorBody")}}}


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _event_paths() -> dict[str, Any]:
    """`/v1/events` and `/v1/import`."""
    sent = _operation(
        "SendEvents",
        "Send events",
        'Takes one event, an array, `{"events": [...]}` or NDJSON, plain or compressed. Answers once every accepted '
        "event is on disk. A bad event is refused alone, with a reason; the others are kept. Needs an `ingest` key.",
    )
    imported = _operation(
        "ImportEvents",
        "Import events of any age",
        "As `/v1/events`, but events may be of any age, and neither the request's address nor its user agent is "
        "taken for the visitor's. Needs an `admin` key.",
    )
    imported["responses"]["404"] = _error("There is no such project")
    return {"/v1/events": {"post": sent}, "/v1/import": {"post": imported}}


def _operation(operation_id: str, summary: str, description: str) -> dict[str, Any]:
    lines = "\n".join(msgspec.json.encode({**_EXAMPLE, "eventId": f"e-{n}"}).decode() for n in (1, 2))
    return {
        "tags": ["events"],
        "operationId": operation_id,
        "summary": summary,
        "description": description,
        "parameters": [
            {
                "name": "project",
                "in": "query",
                "schema": {"type": "string"},
                "description": "Name of the project; only where the key is good for every project.",
            },
            {
                "name": "Content-Encoding",
                "in": "header",
                "schema": {"type": "string", "enum": list(ENCODINGS)},
                "description": "How the body is compressed, if it is.",
            },
        ],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": _ref("EventBody"), "example": _EXAMPLE},
                "application/x-ndjson": {
                    "schema": {"type": "string", "description": "An Event a line."},
                    "example": lines,
                },
            },
        },
        "responses": {
            "202": {
                "description": "Accepted events are on disk",
                "content": {"application/json": {"schema": _ref("Receipt")}},
            },
            "400": _error("The body can't be parsed, or no project is named"),
            "401": _error("No key, or an unknown one"),
            "403": _error("The key is for something else"),
            "413": _error("The body is too large, plain or after decompression"),
            "503": {
                **_error("Too much waits to be written; send it again"),
                "headers": {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds to wait."}},
            },
        },
    }


@cache
def _event_schemas() -> dict[str, Any]:
    """The schemas of bodies and receipts; the event's own comes from the struct that decodes it."""
    _, found = msgspec.json.schema_components([WireEvent])
    event = found["WireEvent"]
    event["title"] = "Event"
    event["required"] = ["event"]
    event["properties"]["event"] = {"type": "string", "minLength": 1, "maxLength": 200}
    for name, description in FIELDS.items():
        event["properties"][name]["description"] = description
    many = {"type": "array", "items": _ref("Event")}
    envelope = {
        "type": "object",
        "properties": {"events": many, "sentAt": {**event["properties"]["sentAt"], "description": "For every event."}},
        "required": ["events"],
    }
    rejection = {
        "type": "object",
        "properties": {
            "index": {"type": "integer", "description": "Place in the request, from 0."},
            "reason": {"type": "string", "enum": [str(reason) for reason in Reason]},
            "message": {"type": "string"},
        },
        "required": ["index", "reason", "message"],
    }
    receipt = {
        "type": "object",
        "properties": {
            "accepted": {"type": "integer"},
            "rejected": {"type": "array", "items": _ref("Rejection")},
        },
        "required": ["accepted", "rejected"],
    }
    return {
        "Event": event,
        "EventEnvelope": envelope,
        "EventBody": {"oneOf": [_ref("Event"), many, _ref("EventEnvelope")]},
        "Rejection": rejection,
        "Receipt": receipt,
    }
