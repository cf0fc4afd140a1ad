"""What is stored of a captured form: sealed, hashed, and with the event that tells of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from tallymark.api.services import Services
from tallymark.control.captures import CaptureDraft
from tallymark.control.consents import ConsentDraft
from tallymark.errors import BadRequest
from tallymark.ingest.decode import Rejection, WireEvent
from tallymark.ingest.receive import Sender
from tallymark.packs.leads.form import LeadBadEmail, LeadForm, LeadMalformed
from tallymark.packs.leads.origins import Origins
from tallymark.packs.leads.outbox import Outbox
from tallymark.packs.leads.visitors import ANALYTICS, clean, may_follow, subject, visitor_for
from tallymark.spec.event import Reason
from tallymark.spec.project import Project


@dataclass(frozen=True)
class Arrived:
    """Where a form came from, '' for what is not known.

    `believed`: nobody but who fills it in has said so. `trusted`: an admin's key came with it.
    """

    ip: str
    user_agent: str
    believed: bool
    trusted: bool


@dataclass(frozen=True)
class Telling:
    """What a pack says of a form.

    `same` gives what a form that is sent again has in common with the first, beside the address, by the UTC time it
    comes at. `event` is the one that tells of it, of nobody yet, out of its `eventId`, its time and whether the lead is
    new. `traced`: where it came from stands in the event too.
    """

    same: Callable[[datetime], Sequence[object]]
    event: Callable[[str, datetime, bool], WireEvent]
    traced: bool


def draft_of(here: Services, project: Project, form: LeadForm, arrived: Arrived, telling: Telling) -> CaptureDraft:
    """What is to be stored of a form. Errors: `LeadBadEmail`."""
    at = datetime.fromtimestamp(int(here.now() * 1000) / 1000, UTC)
    email_hash = look_up(here, project, form.email)
    identity = here.vault.fingerprint(project.id, _identity(email_hash, telling.same(at)))
    follow = may_follow(here, project, form.visitor_id, form.consents)
    known = form.visitor_id if follow else ""
    origins = Origins(here.salts).both(project, arrived.ip, arrived.user_agent, at)
    believed = arrived.trusted or arrived.believed
    payload = msgspec.json.encode(form.payload).decode() if form.payload else None

    def sealed(new: bool) -> str:
        event = telling.event(event_id(identity), at, new)
        event.visitor_id = known or (visitor_for(origins[0]) if telling.traced else "") or None
        event.session_id = form.session_id or None if follow else None
        sender = Sender(arrived.ip, arrived.user_agent, origins[0] if telling.traced else 0)
        return Outbox(here).sealed(project, event, sender)

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
        trusted=arrived.trusted,
    )


def look_up(here: Services, project: Project, email: str) -> str:
    """The keyed hash of an address. Errors: `LeadBadEmail`."""
    try:
        return here.vault.look_up(project.id, email)
    except BadRequest:
        raise LeadBadEmail("An email address is needed, and this is none.", field="email") from None


def event_id(identity: str) -> str:
    """The `eventId` of the event of a submission."""
    return f"lead:{identity}"


def count_refused(here: Services, project: int, error: LeadMalformed | LeadBadEmail) -> None:
    """Counts a form that was refused, among events that were."""
    reason = Reason(error.code)
    here.receiver.counts.add(project, int(here.now() * 1000), 0, [Rejection(0, reason, error.message)])


def _identity(email_hash: str, same: Sequence[object]) -> str:
    kind, *others = same
    return msgspec.json.encode([kind, email_hash, *others], order="deterministic").decode()


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
