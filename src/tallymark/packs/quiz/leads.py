"""`POST /quiz/leads`: who takes a quiz leaves their address.

The address is kept as the web pack keeps those of forms: sealed, in the control store, never with events. One address
is one lead of a quiz, however often it comes.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from litestar import Response, post
from litestar.openapi.spec import Schema
from litestar.openapi.spec.enums import OpenAPIType
from litestar.params import RawBody
from litestar.types import ControllerRouterHandler

from tallymark.access.guard import token_of
from tallymark.api.auth import Call
from tallymark.api.body import with_body
from tallymark.api.errors import documented
from tallymark.api.intake import client_address, headers_of
from tallymark.api.services import Services, services
from tallymark.control.captures import Captured
from tallymark.ingest.decode import WireEvent
from tallymark.packs.contract import trusted
from tallymark.packs.leads.draft import Arrived, Telling, count_refused, draft_of
from tallymark.packs.leads.form import MOST_BYTES, LeadBadEmail, LeadForm, LeadMalformed, first, json_fields, read
from tallymark.packs.leads.outbox import Outbox
from tallymark.packs.quiz import names
from tallymark.packs.quiz.contract import CONTRACT
from tallymark.packs.quiz.users import sender_of
from tallymark.packs.quiz.wire import NAMES, PROPERTIES
from tallymark.spec.project import Project

_LONGEST_ID: Final = 200
_LEAD: Final = Schema(
    type=OpenAPIType.OBJECT,
    properties={
        "email": Schema(type=OpenAPIType.STRING, description="The address; kept sealed."),
        names.QUIZ: Schema(type=OpenAPIType.STRING, description="The quiz."),
        names.ATTEMPT_ID: Schema(type=OpenAPIType.STRING, description="The attempt."),
        "userId": Schema(type=OpenAPIType.STRING, description="The user, as events name them."),
        "consent": Schema(description="Yes or no to marketing, or an object of purposes."),
        CONTRACT.field: Schema(type=OpenAPIType.STRING, description="Name of the project."),
    },
    required=["email", names.QUIZ],
    additional_properties=True,
    examples=[{"email": "ada@example.org", names.QUIZ: "algebra", "userId": "u-7", "consent": {"marketing": True}}],
)


@dataclass(frozen=True)
class _Taken:
    """A form that is stored, with what its sender is told; `captured` is None for one that fell into the trap."""

    project: Project
    told: Mapping[str, Any]
    captured: Captured | None


@post(
    "/leads",
    status_code=201,
    summary="Capture a lead of a quiz",
    operation_class=with_body(_LEAD),
    responses=documented(400, 401, 403, 404, 413, 503),
)
async def capture(request: Call, body: RawBody) -> Response[Any]:
    """Takes the address of who takes a quiz; it counts once a quiz. Answers once lead and event are on disk."""
    here = services(request.app.state)
    fields = _fields(body)
    taken = await asyncio.to_thread(_take, here, request, fields)
    if taken.captured is not None and taken.captured.outbox is not None:
        await Outbox(here).write(taken.project, taken.captured.submission_id, taken.captured.outbox)
    return Response(taken.told, status_code=201)


def _fields(body: bytes) -> dict[str, Any]:
    """The fields of a form. Errors: `LeadMalformed`."""
    if len(body) > MOST_BYTES:
        raise LeadMalformed(f"The body has {len(body)} bytes; {MOST_BYTES} are allowed.")
    return json_fields(body)


def _take(here: Services, request: Call, fields: dict[str, Any]) -> _Taken:
    """Stores a form. Errors: `LeadMalformed`, `LeadBadEmail`, both counted; those of `sender_of`."""
    query = request.query_params
    key = first(fields, "key") or query.get("key")
    name = first(fields, CONTRACT.field) or query.get(CONTRACT.field)
    project, sender = sender_of(here, request.scope, key, name)
    try:
        about, form = _read(fields, sender)
        arrived = _arrived(here, request, project)
        draft = draft_of(here, project, form, arrived, _telling(about))
    except (LeadMalformed, LeadBadEmail) as error:
        count_refused(here, project.id, error)
        raise
    told = {"success": True, "leadId": draft.email_hash[:16], **about, "consent": dict(form.consents)}
    if form.trapped:
        return _Taken(project, told, None)
    return _Taken(project, told, here.people.capture(draft))


def _read(fields: dict[str, Any], sender: str | None) -> tuple[dict[str, str], LeadForm]:
    """The quiz and the attempt that a form is about, and the form; its visitor is the user, who may be the sender.

    Errors: `LeadMalformed`.
    """
    about = {name: first(fields, *PROPERTIES[name]) for name in (names.QUIZ, names.ATTEMPT_ID)}
    if not about[names.QUIZ]:
        raise LeadMalformed(f"`{names.QUIZ}` is missing: which quiz it is about.", field=names.QUIZ)
    for name, text in about.items():
        if len(text) > _LONGEST_ID:
            raise LeadMalformed(f"`{name}` is a text of at most {_LONGEST_ID} characters.", field=name)
    user = sender or first(fields, *NAMES["actor"])
    form = read({**fields, "visitorId": user, "form": about[names.QUIZ]})
    return {name: text for name, text in about.items() if text}, form


def _arrived(here: Services, request: Call, project: Project) -> Arrived:
    """Where the form comes from; of a server with a key that is not where its user is."""
    believed = trusted(here, request.scope, project)
    if token_of(request.scope["headers"]) is not None:
        return Arrived("", "", believed=False, trusted=believed)
    headers = headers_of(request.scope)
    address = client_address(request.scope, headers, here.settings.trusted_proxies)
    return Arrived(address, headers.get(b"user-agent", b"").decode("latin-1"), believed=True, trusted=believed)


def _telling(about: Mapping[str, str]) -> Telling:
    """An address is the same lead of a quiz, whatever else is said."""

    def same(_: datetime) -> Sequence[object]:
        return "quiz", about[names.QUIZ]

    def event(event_id: str, at: datetime, _: bool) -> WireEvent:
        return WireEvent(event=names.LEAD, timestamp=at, event_id=event_id, properties=dict(about))

    return Telling(same, event, traced=False)


HANDLERS: Final[tuple[ControllerRouterHandler, ...]] = (capture,)
