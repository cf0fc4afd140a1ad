"""Which visitors are which leads: known from a capture, or guessed.

The functions work inside a transaction of `People`, which is what callers use.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, cast

from sqlalchemy import Double, Select, String, bindparam, exists, func, literal, or_, select, update
from sqlalchemy.orm import Session, aliased

from tallymark.control.models import Instant
from tallymark.control.people_models import LeadRow, LinkRow
from tallymark.control.upsert import insert

Kind = Literal["direct", "heuristic"]

#: The confidence of a direct link that something speaks for besides the form, and of one that nothing does yet.
CERTAIN: Final = 1.0
CLAIMED: Final = 0.4
#: From this confidence on a visitor is taken for the lead.
SURE: Final = 0.5


@dataclass(frozen=True)
class LinkDraft:
    """How likely a visitor is a lead, from 0 to 1: a guess, or how sure a direct link is. Its project is the lead's."""

    lead_id: int
    actor: str
    confidence: float
    at: datetime
    kind: Kind = "heuristic"


@dataclass(frozen=True)
class Link:
    """A visitor who is a lead. `shared`: others are linked to the visitor too."""

    lead_id: int
    actor: str
    kind: Kind
    confidence: float
    at: datetime
    shared: bool = False

    @property
    def theirs(self) -> bool:
        """Whether what the visitor did is the lead's, and nobody else's."""
        return self.confidence >= SURE and not self.shared


@dataclass(frozen=True)
class UncertainLead:
    """A lead whose visitor nobody knows for certain.

    `origins` are those of the latest capture: its day's and the day before's. `claimed` are the visitors that forms
    named and nothing else speaks for; where there is none, no form named any.
    """

    id: int
    project_id: int
    origins: tuple[str, str]
    last_captured_at: datetime
    claimed: frozenset[str] = frozenset()


def uncertain(session: Session, since: datetime) -> tuple[UncertainLead, ...]:
    """The leads without a direct link, or with one that is not certain, captured at `since` or later, oldest first."""
    direct = exists().where(LinkRow.lead_id == LeadRow.id, LinkRow.kind == "direct")
    late, claim = LeadRow.last_captured_at >= since, (LinkRow.kind == "direct", LinkRow.confidence < CERTAIN)
    claims = select(LinkRow.lead_id, LinkRow.actor).join(LeadRow, LeadRow.id == LinkRow.lead_id).where(late, *claim)
    claimed: dict[int, set[str]] = defaultdict(set)
    for lead, actor in session.execute(claims):
        claimed[lead].add(actor)
    leads = select(LeadRow).where(late, or_(~direct, direct.where(LinkRow.confidence < CERTAIN)))
    rows = session.scalars(leads.order_by(LeadRow.last_captured_at, LeadRow.id))
    return tuple(_uncertain(row, frozenset(claimed[row.id])) for row in rows)


def update_links(session: Session, drafts: Sequence[LinkDraft]) -> None:
    """Makes or changes heuristic links, and changes how sure direct ones are. Leads that are gone get none."""
    values = [
        {"lead": d.lead_id, "visitor": d.actor, "sure": d.confidence, "when": d.at}
        for d in drafts
        if d.kind == "heuristic"
    ]
    if values:
        _guess(session, values)
    for d in drafts:
        if d.kind == "direct":
            same = (LinkRow.lead_id == d.lead_id, LinkRow.actor == d.actor, LinkRow.kind == "direct")
            session.execute(update(LinkRow).where(*same).values(confidence=d.confidence))


def link_directly(
    session: Session, project_id: int, lead_id: int, actor: str, at: datetime, sure: float = CLAIMED
) -> None:
    """Makes a link that a form tells of, out of a guess where there is one.

    It keeps the instant at which a form first told of it, and the highest confidence of those that forms gave it.
    """
    row = session.scalar(select(LinkRow).where(LinkRow.lead_id == lead_id, LinkRow.actor == actor))
    if row is None:
        row = LinkRow(project_id=project_id, lead_id=lead_id, actor=actor, kind="")
        session.add(row)
    if row.kind != "direct":
        row.kind, row.confidence, row.at = "direct", sure, at
    row.confidence = max(row.confidence, sure)


def links_of(session: Session, lead_id: int) -> tuple[Link, ...]:
    """The visitors who are the lead, in the order they were found."""
    other = aliased(LinkRow)
    # Neither a claim takes a visitor away from anybody, nor a guess from whom a form tells of.
    rival = (other.confidence >= SURE) & ((LinkRow.kind != "direct") | (other.kind == "direct"))
    sure = (other.id == LinkRow.id) | rival
    same = (other.project_id == LinkRow.project_id, other.actor == LinkRow.actor, sure)
    leads = select(func.count()).where(*same).correlate(LinkRow).scalar_subquery()
    rows = session.execute(select(LinkRow, leads).where(LinkRow.lead_id == lead_id).order_by(LinkRow.id))
    return tuple(
        Link(row.lead_id, row.actor, cast(Kind, row.kind), row.confidence, row.at, shared=n > 1) for row, n in rows
    )


_LEAD: Final[Select[int, int, str, str, float, datetime]] = select(
    LeadRow.project_id,
    LeadRow.id,
    bindparam("visitor", type_=String()),
    literal("heuristic"),
    bindparam("sure", type_=Double()),
    bindparam("when", type_=Instant()),
).where(LeadRow.id == bindparam("lead"))


def _guess(session: Session, values: Sequence[dict[str, object]]) -> None:
    """Makes links of leads that there are, or changes those that are guesses too."""
    row = LinkRow
    columns = [row.project_id, row.lead_id, row.actor, row.kind, row.confidence, row.at]
    new = insert(session, row).from_select(columns, _LEAD)
    guess = new.on_conflict_do_update(
        index_elements=[row.lead_id, row.actor],
        set_={"confidence": new.excluded.confidence, "at": new.excluded.at},
        where=row.kind == "heuristic",
    )
    session.connection().execute(guess, values)


def _uncertain(row: LeadRow, claimed: frozenset[str]) -> UncertainLead:
    origins = (row.origin_today, row.origin_yesterday)
    return UncertainLead(row.id, row.project_id, origins, row.last_captured_at, claimed)
