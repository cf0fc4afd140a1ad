"""How a form becomes a lead: once for each identity, and with the event that tells of it.

The event goes to another store, so it waits in the submission's outbox, made in the same transaction, until it is
known to be there. The functions work inside a transaction of `People`, which is what callers use.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from tallymark.control.consents import MARKETING, Consent, ConsentDraft, State, append, history, resubscribe, say
from tallymark.control.links import CERTAIN, CLAIMED, link_directly
from tallymark.control.people_models import FormSubmissionRow, LeadRow


@dataclass(frozen=True)
class CaptureDraft:
    """A form that has come in with an address.

    `actor` is '' where nobody knows the visitor, `origins` are those of `at`'s day and of the day before, '' for
    none. `outbox` gives the event as JSON, told whether the lead is new. `trusted`: it comes from who is believed what
    they say of others, so that the visitor is certain and a wish for mail lifts an unsubscribe.
    """

    project_id: int
    email_hash: str
    email_sealed: bytes
    actor: str
    origins: tuple[str, str]
    form: str
    identity: str
    payload_sealed: bytes | None
    outbox: Callable[[bool], str]
    consents: tuple[ConsentDraft, ...]
    at: datetime
    trusted: bool = False


@dataclass(frozen=True)
class Captured:
    """What a form came to. `new`: it was its lead's first; `repeated`: it had come before, and adds consents at most.

    `consents` is what the address now says of the purposes that the form names. `outbox` is the event that has to be
    written, None once it is known to be. `lead_id` is None for a submission that belongs to nobody.
    """

    lead_id: int | None
    submission_id: int
    new: bool
    repeated: bool
    outbox: str | None
    consents: Mapping[str, State]


@dataclass(frozen=True)
class Unrecorded:
    """A submission whose event is not known to be written."""

    submission_id: int
    project_id: int
    outbox: str


def capture(session: Session, draft: CaptureDraft) -> Captured:
    """What became of the form, be it now or when it first came."""
    known = _submission(session, draft)
    if known is not None:
        said = _say(session, draft, again=True)
        return Captured(known.lead_id, known.id, known.new_lead, True, known.outbox, said)
    lead, new = _lead(session, draft)
    row = _submit(session, draft, lead.id, new)
    said = _say(session, draft, again=False)
    if draft.actor:
        sure = CERTAIN if draft.trusted else CLAIMED
        link_directly(session, draft.project_id, lead.id, draft.actor, draft.at, sure)
    return Captured(lead.id, row.id, new, False, row.outbox, said)


def standing(consents: Iterable[Consent], subject: str) -> dict[str, State]:
    """What a subject allows, out of a log, oldest first: the last that it said of each purpose.

    What was said before the subject was erased counts no more.
    """
    said: dict[str, State] = {}
    for consent in consents:
        if consent.state == "erased":
            said.clear()
        elif consent.subject == subject:
            said[consent.purpose] = consent.state
    return said


def recorded(session: Session, submission_id: int) -> bool:
    """Empties the outbox of a submission; false where there is no such submission any more."""
    emptied = update(FormSubmissionRow).where(FormSubmissionRow.id == submission_id).values(outbox=None)
    return session.scalar(emptied.returning(FormSubmissionRow.id)) is not None


def unrecorded(session: Session, before: datetime, limit: int) -> tuple[Unrecorded, ...]:
    """The submissions from before an instant whose events still wait, oldest first."""
    pending = (FormSubmissionRow.outbox.is_not(None), FormSubmissionRow.submitted_at < before)
    order = (FormSubmissionRow.submitted_at, FormSubmissionRow.id)
    rows = session.scalars(select(FormSubmissionRow).where(*pending).order_by(*order).limit(limit))
    return tuple(Unrecorded(row.id, row.project_id, row.outbox or "") for row in rows)


def identities(session: Session, project_id: int, besides: int) -> tuple[str, ...]:
    """The identities of a project's submissions but those of one lead."""
    others = (FormSubmissionRow.project_id == project_id, FormSubmissionRow.lead_id.is_distinct_from(besides))
    return tuple(session.scalars(select(FormSubmissionRow.identity).where(*others)))


def _say(session: Session, draft: CaptureDraft, again: bool) -> dict[str, State]:
    """Logs the form's consents, of one that came `again` those that change anything; gives what then stands."""
    if again:
        say(session, draft.consents)
    for consent in draft.consents:
        if not again:
            append(session, consent)
        if draft.trusted and _asks_for_mail(draft, consent):
            resubscribe(session, consent)
    said = standing(history(session, draft.project_id, [draft.email_hash]), draft.email_hash)
    named = [consent.purpose for consent in draft.consents if consent.subject == draft.email_hash]
    return {purpose: said[purpose] for purpose in named if purpose in said}


def _submission(session: Session, draft: CaptureDraft) -> FormSubmissionRow | None:
    same = (FormSubmissionRow.project_id == draft.project_id, FormSubmissionRow.identity == draft.identity)
    return session.scalar(select(FormSubmissionRow).where(*same))


def _lead(session: Session, draft: CaptureDraft) -> tuple[LeadRow, bool]:
    """The lead with what the form says of it, and whether it is new."""
    same = (LeadRow.project_id == draft.project_id, LeadRow.email_hash == draft.email_hash)
    row = session.scalar(select(LeadRow).where(*same))
    new = row is None
    if row is None:
        row = LeadRow(project_id=draft.project_id, email_hash=draft.email_hash, actor="")
        row.first_captured_at = row.last_captured_at = draft.at
        session.add(row)
    row.first_captured_at = min(row.first_captured_at, draft.at)
    if draft.at >= row.last_captured_at:
        row.last_captured_at, row.email_sealed = draft.at, draft.email_sealed
        row.origin_today, row.origin_yesterday = draft.origins
        row.actor = draft.actor or row.actor
    session.flush()
    return row, new


def _submit(session: Session, draft: CaptureDraft, lead_id: int, new: bool) -> FormSubmissionRow:
    row = FormSubmissionRow(
        project_id=draft.project_id,
        lead_id=lead_id,
        identity=draft.identity,
        form=draft.form,
        payload_sealed=draft.payload_sealed,
        submitted_at=draft.at,
        new_lead=new,
        outbox=draft.outbox(new),
    )
    session.add(row)
    session.flush()
    return row


def _asks_for_mail(draft: CaptureDraft, consent: ConsentDraft) -> bool:
    said = (consent.project_id, consent.subject, consent.purpose, consent.state)
    return said == (draft.project_id, draft.email_hash, MARKETING, "granted")
