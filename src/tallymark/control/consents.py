"""What people allow: the consent log, which only grows, and the addresses that get no mail.

The functions work inside a transaction of `People`, which is what callers use.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, cast

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from tallymark.control.people_models import ConsentRow, UnsubscribeRow

State = Literal["granted", "denied", "withdrawn", "erased"]

#: The purpose that unsubscribing withdraws.
MARKETING = "marketing"


@dataclass(frozen=True)
class ConsentDraft:
    """Something that someone says of a purpose now.

    `subject` is the keyed hash of an address, or `v:` and a visitor's hash; `policy` is the version of the text.
    """

    project_id: int
    subject: str
    purpose: str
    state: State
    source: str
    policy: str
    at: datetime


@dataclass(frozen=True)
class Consent(ConsentDraft):
    """A row of the consent log."""

    id: int


@dataclass(frozen=True)
class Unsubscribe:
    """Since when an address gets no mail, and how that came."""

    at: datetime
    source: str


def append(session: Session, draft: ConsentDraft) -> Consent:
    """The new row of the log."""
    row = ConsentRow(**vars(draft))
    session.add(row)
    session.flush()
    return _consent(row)


def history(session: Session, project_id: int, subjects: Collection[str]) -> tuple[Consent, ...]:
    """Everything that these subjects said, oldest first."""
    rows = session.scalars(_of(project_id, subjects).order_by(ConsentRow.at, ConsentRow.id))
    return tuple(_consent(row) for row in rows)


def latest(session: Session, project_id: int, subject: str, purpose: str) -> Consent | None:
    """The last thing that was said of a purpose; of two said at once, the one that came later."""
    found = _of(project_id, [subject]).where(ConsentRow.purpose == purpose)
    row = session.scalar(found.order_by(ConsentRow.at.desc(), ConsentRow.id.desc()).limit(1))
    return None if row is None else _consent(row)


def unsubscribe(session: Session, project_id: int, email_hash: str, said: Unsubscribe) -> bool:
    """Whether the address got mail until now."""
    if session.get(UnsubscribeRow, (project_id, email_hash)) is not None:
        return False
    session.add(UnsubscribeRow(project_id=project_id, email_hash=email_hash, **vars(said)))
    append(session, ConsentDraft(project_id, email_hash, MARKETING, "withdrawn", said.source, "", said.at))
    return True


def unsubscribed(session: Session, project_id: int, email_hash: str) -> Unsubscribe | None:
    """How the address came to get no mail; None where it may get some."""
    row = session.get(UnsubscribeRow, (project_id, email_hash))
    return None if row is None else Unsubscribe(row.at, row.source)


def resubscribe(session: Session, granted: ConsentDraft) -> None:
    """Lifts the unsubscribe of an address whose owner has asked for mail since."""
    row = session.get(UnsubscribeRow, (granted.project_id, granted.subject))
    if row is not None and row.at <= granted.at:
        session.delete(row)


def _of(project_id: int, subjects: Collection[str]) -> Select[ConsentRow]:
    return select(ConsentRow).where(ConsentRow.project_id == project_id, ConsentRow.subject.in_(subjects))


def _consent(row: ConsentRow) -> Consent:
    return Consent(
        row.project_id,
        row.subject,
        row.purpose,
        cast(State, row.state),
        row.source,
        row.policy,
        row.at,
        row.id,
    )
