"""The people of projects: captured, linked to visitors, told of to themselves, erased."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from tallymark.control import captures, consents, links
from tallymark.control.captures import Captured, CaptureDraft, Unrecorded
from tallymark.control.consents import Consent, ConsentDraft, Unsubscribe
from tallymark.control.database import Database
from tallymark.control.links import Link, LinkDraft, UncertainLead
from tallymark.control.people_models import FormSubmissionRow, LeadRow, LinkRow, UnsubscribeRow

#: What goes with a person, those first that refer to others.
_ERASED: Final = (LinkRow, FormSubmissionRow, LeadRow)


@dataclass(frozen=True)
class Lead:
    """Someone who gave their address. `actor` and `origins` are the latest ones, '' for none."""

    id: int
    project_id: int
    email_hash: str
    email_sealed: bytes
    actor: str
    origins: tuple[str, str]
    first_captured_at: datetime
    last_captured_at: datetime


@dataclass(frozen=True)
class Submission:
    """A form that someone sent; `new_lead`: it was their first. `outbox` is its event while that is unwritten."""

    id: int
    identity: str
    form: str
    payload_sealed: bytes | None
    submitted_at: datetime
    new_lead: bool
    outbox: str | None


@dataclass(frozen=True)
class Person:
    """Everything that is held of an address. Of an erased one, that is what `consents` and `unsubscribe` say."""

    lead: Lead | None
    submissions: tuple[Submission, ...]
    consents: tuple[Consent, ...]
    unsubscribe: Unsubscribe | None
    links: tuple[Link, ...]


@dataclass(frozen=True)
class Erased:
    """How many rows went with a lead."""

    submissions: int
    links: int


class People:
    """The store of people. Each method is one transaction; addresses come in sealed and hashed only."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def capture(self, draft: CaptureDraft) -> Captured:
        """What a form came to: lead, consents and link are stored; of one that had come before, changed consents."""
        with self._database.write() as session:  # a draft's consents name projects of their own
            return captures.capture(session, draft)

    def recorded(self, submission_id: int) -> bool:
        """Notes that the event of a submission is written; false where that was erased meanwhile."""
        with self._database.write() as session:
            return captures.recorded(session, submission_id)

    def unrecorded(self, before: datetime, limit: int) -> tuple[Unrecorded, ...]:
        """The submissions from before an instant whose events are not known to be written, oldest first."""
        with self._database.read() as session:
            return captures.unrecorded(session, before, limit)

    def consent(
        self, drafts: Sequence[ConsentDraft], email_hash: str, actor: str, trusted: bool
    ) -> tuple[Consent, ...]:
        """The row of the consent log of each draft, appended unless the latest one says the same.

        The drafts are of one project. A lead of the address, if there is one, is linked to the visitor `actor` as by a
        form; '' is nobody.
        """
        with self._database.write(drafts[0].project_id) as session:
            said = consents.say(session, drafts)
            lead = _lead_row(session, drafts[0].project_id, email_hash) if actor and email_hash else None
            if lead is not None:
                sure = links.CERTAIN if trusted else links.CLAIMED
                links.link_directly(session, lead.project_id, lead.id, actor, drafts[0].at, sure)
            return said

    def consents(self, project_id: int, subject: str) -> tuple[Consent, ...]:
        """Everything that a subject said, oldest first."""
        with self._database.read(project_id) as session:
            return consents.history(session, project_id, [subject])

    def latest_consent(self, project_id: int, subject: str, purpose: str) -> Consent | None:
        """The last thing that a subject said of a purpose."""
        with self._database.read(project_id) as session:
            return consents.latest(session, project_id, subject, purpose)

    def unsubscribe(self, project_id: int, email_hash: str, source: str, at: datetime) -> bool:
        """Whether the address got mail until now; from now on it gets none, whether it is known or not."""
        with self._database.write(project_id) as session:
            return consents.unsubscribe(session, project_id, email_hash, Unsubscribe(at, source))

    def unsubscribed(self, project_id: int, email_hash: str) -> datetime | None:
        """Since when the address gets no mail; None where it may get some."""
        with self._database.read(project_id) as session:
            found = consents.unsubscribed(session, project_id, email_hash)
            return None if found is None else found.at

    def identities(self, project_id: int, besides: int) -> tuple[str, ...]:
        """The identities of a project's submissions but those of one lead."""
        with self._database.read(project_id) as session:
            return captures.identities(session, project_id, besides)

    def uncertain(self, since: datetime) -> tuple[UncertainLead, ...]:
        """The leads without a direct link that is certain, captured at `since` or later, oldest first."""
        with self._database.read() as session:
            return links.uncertain(session, since)

    def link(self, drafts: Sequence[LinkDraft]) -> None:
        """Makes or changes heuristic links, and changes how sure direct ones are. Leads that are gone get none."""
        with self._database.write() as session:
            links.update_links(session, drafts)

    def person(self, project_id: int, email_hash: str) -> Person | None:
        """Everything that is held of an address, what their own visitors allowed included; None for nothing."""
        with self._database.read(project_id) as session:
            found = _person(session, project_id, email_hash)
        return found if found.lead or found.consents or found.unsubscribe else None

    def erase(self, project_id: int, email_hash: str, at: datetime) -> Erased | None:
        """How much of a lead went, overwritten on disk; None where there is no such lead.

        Kept are the consent log, which now says that this was done, and the unsubscribe, both by hash alone.
        """
        with self._database.write(project_id) as session:
            lead = _lead_row(session, project_id, email_hash)
            if lead is None:
                return None
            erased = _erase(session, lead.id)
            draft = ConsentDraft(project_id, email_hash, "erasure", "erased", "erasure", "", at)
            consents.append(session, draft)
        self._database.compact(*_ERASED)
        return erased

    def leads(self, project_id: int, limit: int, before_id: int | None = None) -> tuple[Lead, ...]:
        """The leads of a project, newest first; before the one with that id where given."""
        query = select(LeadRow).where(LeadRow.project_id == project_id).order_by(LeadRow.id.desc()).limit(limit)
        if before_id is not None:
            query = query.where(LeadRow.id < before_id)
        with self._database.read(project_id) as session:
            return tuple(_lead(row) for row in session.scalars(query))

    def forget_project(self, project_id: int) -> None:
        """Takes away every person of a project, their unsubscribes included. The consent log stays."""
        with self._database.write(project_id) as session:
            for table in (*_ERASED, UnsubscribeRow):
                session.execute(delete(table).where(table.project_id == project_id))
        self._database.compact(*_ERASED, UnsubscribeRow)


def _person(session: Session, project_id: int, email_hash: str) -> Person:
    row = _lead_row(session, project_id, email_hash)
    known = () if row is None else links.links_of(session, row.id)
    visitors = [f"v:{link.actor}" for link in known if link.kind == "direct" and link.theirs]
    return Person(
        None if row is None else _lead(row),
        () if row is None else _submissions(session, row.id),
        consents.history(session, project_id, [email_hash, *visitors]),
        consents.unsubscribed(session, project_id, email_hash),
        known,
    )


def _lead_row(session: Session, project_id: int, email_hash: str) -> LeadRow | None:
    same = (LeadRow.project_id == project_id, LeadRow.email_hash == email_hash)
    return session.scalar(select(LeadRow).where(*same))


def _submissions(session: Session, lead_id: int) -> tuple[Submission, ...]:
    query = select(FormSubmissionRow).where(FormSubmissionRow.lead_id == lead_id)
    rows = session.scalars(query.order_by(FormSubmissionRow.submitted_at, FormSubmissionRow.id))
    return tuple(
        Submission(r.id, r.identity, r.form, r.payload_sealed, r.submitted_at, r.new_lead, r.outbox) for r in rows
    )


def _erase(session: Session, lead_id: int) -> Erased:
    links_gone = delete(LinkRow).where(LinkRow.lead_id == lead_id).returning(LinkRow.id)
    submissions_gone = (
        delete(FormSubmissionRow).where(FormSubmissionRow.lead_id == lead_id).returning(FormSubmissionRow.id)
    )
    erased = Erased(len(session.scalars(submissions_gone).all()), len(session.scalars(links_gone).all()))
    session.execute(delete(LeadRow).where(LeadRow.id == lead_id))
    return erased


def _lead(row: LeadRow) -> Lead:
    return Lead(
        row.id,
        row.project_id,
        row.email_hash,
        row.email_sealed,
        row.actor,
        (row.origin_today, row.origin_yesterday),
        row.first_captured_at,
        row.last_captured_at,
    )
