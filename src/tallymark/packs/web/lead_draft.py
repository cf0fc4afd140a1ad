"""What is stored of a captured form: sealed, hashed, and with the event that tells of it."""

from datetime import UTC, datetime
from typing import Any

import msgspec

from tallymark.api.services import Services
from tallymark.control.captures import CaptureDraft
from tallymark.control.consents import ConsentDraft
from tallymark.errors import BadRequest
from tallymark.ingest.decode import WireEvent
from tallymark.ingest.page import LONGEST
from tallymark.ingest.receive import Sender
from tallymark.packs.web import names
from tallymark.packs.web.address import address_of, surroundings
from tallymark.packs.web.lead_form import LeadBadEmail, LeadForm
from tallymark.packs.web.origins import Origins
from tallymark.packs.web.outbox import Outbox
from tallymark.packs.web.sent import Arrival
from tallymark.packs.web.visitors import ANALYTICS, clean, may_follow, subject, visitor_for
from tallymark.packs.web.web_event import WebEvent
from tallymark.spec.project import Project
from tallymark.spec.session import CONVERSION


def draft_of(here: Services, project: Project, form: LeadForm, arrival: Arrival, trusted: bool) -> CaptureDraft:
    """What is to be stored of a form; `trusted`: an admin's key came with it. Errors: `LeadBadEmail`."""
    at = datetime.fromtimestamp(int(here.now() * 1000) / 1000, UTC)
    email_hash = _look_up(here, project, form.email)
    identity = here.vault.fingerprint(project.id, _identity(form, email_hash, at))
    follow = may_follow(here, project, form.visitor_id, form.consents)
    known = form.visitor_id if follow else ""
    origins = Origins(here.salts).both(project, arrival.ip, arrival.user_agent, at)
    believed = trusted or not arrival.relayed  # anybody with a page's key could say the address of another
    payload = msgspec.json.encode(form.payload).decode() if form.payload else None

    def sealed(new: bool) -> str:
        event = _event(form, arrival, identity, at, new)
        event.visitor_id = known or visitor_for(origins[0]) or None
        event.session_id = form.session_id or None if follow else None
        return Outbox(here).sealed(project, event, Sender(arrival.ip, arrival.user_agent, origins[0]))

    return CaptureDraft(
        project_id=project.id,
        email_hash=email_hash,
        email_sealed=here.vault.seal(project.id, form.email),
        actor=f"{here.receiver.enricher.actor(project.id, known):016x}" if known else "",
        origins=(_hex(origins[0]), _hex(origins[1])) if follow and believed else ("", ""),
        form=clean(form.form),
        identity=identity,
        payload_sealed=None if payload is None else here.vault.seal(project.id, payload),
        outbox=sealed,
        consents=_consents(here, project, form, email_hash, at),
        at=at,
        trusted=trusted,
    )


def _look_up(here: Services, project: Project, email: str) -> str:
    try:
        return here.vault.look_up(project.id, email)
    except BadRequest:
        raise LeadBadEmail("An email address is needed, and this is none.", field="email") from None


def _identity(form: LeadForm, email_hash: str, at: datetime) -> str:
    """What a form that is sent again has in common with the first: the id it was given, or all that it says."""
    said: list[object] = ["id", email_hash, form.submission_id]
    if not form.submission_id:
        said = ["content", email_hash, form.form, form.payload, at.date()]
    return msgspec.json.encode(said, order="deterministic").decode()


def _event(form: LeadForm, arrival: Arrival, identity: str, at: datetime, new: bool) -> WireEvent:
    """The event of a form, of nobody yet: nothing of what the person wrote."""
    properties: dict[str, Any] = {names.NEW_LEAD: new, CONVERSION: True}
    if form.form:
        properties["form"] = form.form
    page = WebEvent(url=form.url, path=form.path, utm=dict(form.utm))
    return WireEvent(
        event=names.LEAD,
        timestamp=at,
        event_id=event_id(identity),
        url=address_of(page, surroundings(arrival.origin, arrival.referer, relayed=False)),
        referrer=form.referrer[:LONGEST] or None,
        properties=properties,
    )


def event_id(identity: str) -> str:
    """The `eventId` of the event of a submission."""
    return f"lead:{identity}"


def _consents(
    here: Services, project: Project, form: LeadForm, email_hash: str, at: datetime
) -> tuple[ConsentDraft, ...]:
    """What the form says of purposes; what it says of being followed is said of the visitor too."""
    policy = clean(form.policy)
    said = [
        ConsentDraft(project.id, email_hash, purpose, state, "form", policy, at)
        for purpose, state in form.consents.items()
    ]
    if form.visitor_id and ANALYTICS in form.consents:
        visitor = subject(here, project, form.visitor_id)
        said.append(ConsentDraft(project.id, visitor, ANALYTICS, form.consents[ANALYTICS], "form", policy, at))
    return tuple(said)


def _hex(origin: int) -> str:
    return f"{origin:016x}" if origin else ""
