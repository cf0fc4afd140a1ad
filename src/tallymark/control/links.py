"""Which visitors are which leads: known from a capture, or guessed.

The functions work inside a transaction of `People`, which is what callers use.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, cast

from sqlalchemy import Double, String, bindparam, exists, literal, select
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.orm import Session

from tallymark.control.models import Instant
from tallymark.control.people_models import LeadRow, LinkRow

Kind = Literal["direct", "heuristic"]


@dataclass(frozen=True)
class LinkDraft:
    """A guess: how likely a visitor is a lead, from 0 to 1. Its project is the lead's."""

    lead_id: int
    actor: str
    confidence: float
    at: datetime


@dataclass(frozen=True)
class Link:
    """A visitor who is a lead; the confidence of a direct link is 1."""

    lead_id: int
    actor: str
    kind: Kind
    confidence: float
    at: datetime


@dataclass(frozen=True)
class UnlinkedLead:
    """A lead whose visitor nobody knows. `origins` are those of the latest capture: its day's and the day before's."""

    id: int
    project_id: int
    origins: tuple[str, str]
    last_captured_at: datetime


def unlinked(session: Session, since: datetime) -> tuple[UnlinkedLead, ...]:
    """The leads without a direct link that were captured at `since` or later, oldest first."""
    direct = exists().where(LinkRow.lead_id == LeadRow.id, LinkRow.kind == "direct")
    query = select(LeadRow).where(LeadRow.last_captured_at >= since, ~direct)
    rows = session.scalars(query.order_by(LeadRow.last_captured_at, LeadRow.id))
    return tuple(_unlinked(row) for row in rows)


def guess(session: Session, drafts: Sequence[LinkDraft]) -> None:
    """Makes or changes heuristic links. Direct ones stay as they are; leads that are gone meanwhile get none."""
    values = [{"lead": d.lead_id, "visitor": d.actor, "sure": d.confidence, "when": d.at} for d in drafts]
    if values:
        session.connection().execute(_GUESS, values)


def link_directly(session: Session, project_id: int, lead_id: int, actor: str, at: datetime) -> None:
    """Makes a link that is known, out of a guess where there is one; it keeps the instant it was first known at."""
    row = session.scalar(select(LinkRow).where(LinkRow.lead_id == lead_id, LinkRow.actor == actor))
    if row is None:
        row = LinkRow(project_id=project_id, lead_id=lead_id, actor=actor, kind="")
        session.add(row)
    if row.kind != "direct":
        row.kind, row.confidence, row.at = "direct", 1.0, at


def links_of(session: Session, lead_id: int) -> tuple[Link, ...]:
    """The visitors who are the lead, in the order they were found."""
    rows = session.scalars(select(LinkRow).where(LinkRow.lead_id == lead_id).order_by(LinkRow.id))
    return tuple(Link(row.lead_id, row.actor, cast(Kind, row.kind), row.confidence, row.at) for row in rows)


_NEW = insert(LinkRow).from_select(
    [LinkRow.project_id, LinkRow.lead_id, LinkRow.actor, LinkRow.kind, LinkRow.confidence, LinkRow.at],
    select(
        LeadRow.project_id,
        LeadRow.id,
        bindparam("visitor", type_=String()),
        literal("heuristic"),
        bindparam("sure", type_=Double()),
        bindparam("when", type_=Instant()),
    ).where(LeadRow.id == bindparam("lead")),
)
_GUESS = _NEW.on_conflict_do_update(
    index_elements=[LinkRow.lead_id, LinkRow.actor],
    set_={"confidence": _NEW.excluded.confidence, "at": _NEW.excluded.at},
    where=LinkRow.kind == "heuristic",
)


def _unlinked(row: LeadRow) -> UnlinkedLead:
    return UnlinkedLead(row.id, row.project_id, (row.origin_today, row.origin_yesterday), row.last_captured_at)
