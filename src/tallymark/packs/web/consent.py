"""`POST /web/v1/consent`: what people allow, into a log that only grows."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec
from litestar import post
from litestar.openapi.spec import Schema
from litestar.openapi.spec.enums import OpenAPIType

from tallymark.api.auth import Call
from tallymark.api.body import with_body
from tallymark.api.errors import documented
from tallymark.api.services import Services, services
from tallymark.control.consents import Consent, ConsentDraft
from tallymark.errors import BadRequest, UnreadableBody
from tallymark.ingest.decode import Decoded, WireEvent
from tallymark.ingest.receive import Sender
from tallymark.packs.contract import trusted
from tallymark.packs.leads.form import MOST_FIELDS, Consents, LeadMalformed, consents_in, first
from tallymark.packs.leads.origins import Origins
from tallymark.packs.leads.visitors import ANALYTICS, clean, may_follow, subject, visitor_for
from tallymark.packs.web import names
from tallymark.packs.web.sent import Arrival, Fields, arrival_of, fields_sent, sending_property
from tallymark.spec.project import Project

_BODY: Final = Schema(
    type=OpenAPIType.OBJECT,
    properties={
        "email": Schema(type=OpenAPIType.STRING, description="The address; only its keyed hash is kept."),
        "visitorId": Schema(type=OpenAPIType.STRING, description="The visitor, as events name them."),
        "purposes": Schema(type=OpenAPIType.OBJECT, description="Yes or no by purpose, of at most 20."),
        "policyVersion": Schema(type=OpenAPIType.STRING, description="Version of the text that was agreed to."),
        "source": Schema(type=OpenAPIType.STRING, description="Where it was said: banner, settings, …"),
        "propertyId": Schema(type=OpenAPIType.STRING, description="Name of the project."),
    },
    required=["purposes"],
    examples=[{"visitorId": "v-117", "purposes": {"analytics": False}, "propertyId": "site"}],
)


#: For so long who says the same again may not know that it was heard the first time.
_RETRIED: Final = timedelta(hours=1)
_MOST_BYTES: Final = 16_384


@dataclass(frozen=True)
class _Said:
    """What someone says: `email_hash` and `visitor_id` are who they are, '' for what is not told."""

    email_hash: str
    visitor_id: str
    session_id: str
    url: str
    consents: Consents
    source: str
    policy: str


@post(
    "/consent",
    status_code=200,
    summary="Log consents",
    operation_class=with_body(_BODY),
    responses=documented(400, 401, 403, 404, 413, 503),
)
async def consent(request: Call) -> dict[str, Any]:
    """Logs what an address or a visitor allows. The answer repeats what was said, and nothing of before."""
    here = services(request.app.state)
    try:
        fields = await fields_sent(request, _MOST_BYTES)
    except LeadMalformed as error:
        raise UnreadableBody(error.message) from None
    project, said, decoded, sender = await asyncio.to_thread(
        _log, here, request, arrival_of(request, here).of(fields), fields
    )
    if decoded.events:
        await here.receiver.take(decoded, msgspec.json.encode(decoded.events), project, sender)
    return {"ok": True, "consent": dict(said.consents)}


def _log(here: Services, request: Call, arrival: Arrival, fields: Fields) -> tuple[Project, _Said, Decoded, Sender]:
    """Appends to the log; gives the events that tell of it, for a visitor."""
    project = sending_property(here, request, fields, arrival.origin)
    said, at = _said(here, project, fields), datetime.fromtimestamp(int(here.now() * 1000) / 1000, UTC)
    follow = may_follow(here, project, said.visitor_id, said.consents)
    actor = f"{here.receiver.enricher.actor(project.id, said.visitor_id):016x}" if said.visitor_id and follow else ""
    drafts, sure = _drafts(here, project, said, at), trusted(here, request.scope, project)
    rows = here.people.consent(drafts, said.email_hash, actor, sure)[: len(said.consents)]
    origin = Origins(here.salts).of(project, arrival.ip, arrival.user_agent, at)
    visitor = said.visitor_id if follow else visitor_for(origin)
    told = [row for row in rows if said.visitor_id and at - row.at < _RETRIED]
    events = [_event(row, said, visitor) for row in told]
    sender = Sender(arrival.ip, arrival.user_agent, origin, here.hosting.is_hosting)
    return project, said, Decoded(events, range(len(events))), sender


def _drafts(here: Services, project: Project, said: _Said, at: datetime) -> list[ConsentDraft]:
    """A row for each purpose, of the address, or of the visitor where there is none.

    Whether visitors are followed is looked up by visitor, so a visitor with an address gets a row of their own where
    that changes.
    """
    visitor = subject(here, project, said.visitor_id) if said.visitor_id else ""
    who = [(said.email_hash or visitor, purpose) for purpose in said.consents]
    if said.email_hash and visitor and ANALYTICS in said.consents:
        before, now = (may_follow(here, project, said.visitor_id, consents) for consents in ({}, said.consents))
        who += [(visitor, ANALYTICS)] if before != now else []
    return [
        ConsentDraft(project.id, whose, purpose, said.consents[purpose], said.source, said.policy, at)
        for whose, purpose in who
    ]


def _said(here: Services, project: Project, fields: Fields) -> _Said:
    """Errors: `BadRequest`."""
    if len(fields) > MOST_FIELDS:
        raise BadRequest(f"At most {MOST_FIELDS} fields are taken.")
    rest = dict(fields)
    email, visitor_id = first(rest, "email"), first(rest, "visitorId", "visitor_id")
    if not email and not visitor_id:
        raise BadRequest("Say whose consent it is: with `email` or `visitorId`.", field="email")
    return _Said(
        email_hash=here.vault.look_up(project.id, email) if email else "",
        visitor_id=visitor_id,
        session_id=first(rest, "sessionId", "session_id"),
        url=first(rest, "url"),
        consents=_consents(rest),
        source=clean(first(rest, "source"))[:64] or "web",
        policy=clean(first(rest, "policyVersion", "policy_version", "consentPolicy"))[:64],
    )


def _consents(fields: dict[str, Any]) -> Consents:
    """Of each purpose what is said: `purposes`, or one `purpose` with its `state`. Errors: `BadRequest`."""
    said = fields.get("purposes")
    if said is None and first(dict(fields), "purpose"):
        said = {first(dict(fields), "purpose"): fields.get("state")}
    if not isinstance(said, dict) or not said:
        raise BadRequest('Say what is allowed, as in {"purposes": {"marketing": true}}.', field="purposes")
    try:
        consents = consents_in(said)
    except LeadMalformed as error:
        raise BadRequest(error.message, field="purposes", allowed=error.allowed) from None
    if not consents:
        raise BadRequest("Nothing is said of any purpose.", field="purposes")
    return consents


def _event(row: Consent, said: _Said, visitor: str) -> WireEvent:
    """The event of a row of the log, which it has its identity of."""
    return WireEvent(
        event=names.CONSENT if row.state == "granted" else names.WITHDRAWAL,
        timestamp=row.at,
        event_id=f"consent:{row.id}",
        visitor_id=visitor or None,
        session_id=said.session_id or None,
        url=said.url or None,
        properties={"purpose": row.purpose},
    )
