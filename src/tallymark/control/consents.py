"""What people allow: the consent log, which only grows, and the addresses that get no mail.

The functions work inside a transaction of `People`, which is what callers use.
"""

import itertools
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, cast

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from tallymark.control.people_models import ConsentRow, UnsubscribeRow

State = Literal["granted", "denied", "withdrawn", "erased"]

#: The purpose that unsubscribing withdraws.
MARKETING = "marketing"
#: What the log says of itself when a person is erased.
ERASURE = "erasure"


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


def say(session: Session, drafts: Sequence[ConsentDraft]) -> tuple[Consent, ...]:
    """The row of each draft: a new one, or the subject's latest of that purpose where that says the same.

    Another version of the text is not the same, and nothing is that was said before the subject was erased.
    """
    purposes = {draft.purpose for draft in drafts}
    subjects = {(draft.project_id, draft.subject) for draft in drafts}
    last = {subject: _standing(session, *subject, purposes) for subject in subjects}
    return tuple(_said(session, draft, last[draft.project_id, draft.subject].get(draft.purpose)) for draft in drafts)


def _said(session: Session, draft: ConsentDraft, last: Consent | None) -> Consent:
    if last is None or (last.state, last.policy) != (draft.state, draft.policy):
        return append(session, draft)
    return last


def _standing(session: Session, project_id: int, subject: str, purposes: Collection[str]) -> dict[str, Consent]:
    """The last thing that a subject said of each purpose since they were erased, if ever they were."""
    newest = (ConsentRow.at.desc(), ConsentRow.id.desc())
    rank = func.row_number().over(partition_by=ConsentRow.purpose, order_by=newest)
    found = _of(project_id, [subject]).where(ConsentRow.purpose.in_({*purposes, ERASURE}))
    ranked = found.with_only_columns(ConsentRow.id, rank.label("rank")).subquery()
    query = select(ConsentRow).join(ranked, ConsentRow.id == ranked.c.id).where(ranked.c.rank == 1)
    rows = session.scalars(query.order_by(*newest)).all()
    since = itertools.takewhile(lambda row: row.purpose != ERASURE, rows)
    return {row.purpose: _consent(row) for row in since}


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
