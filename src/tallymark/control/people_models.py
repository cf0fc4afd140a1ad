"""The tables of people: leads and what is known of them. Addresses are sealed or keyed hashes, never plain."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from tallymark.control.models import Base

#: The id of an erased row is never given again: an event or a job that still names it must not mean someone else.
_IDS_ONCE = {"sqlite_autoincrement": True}
_PENDING = text("outbox IS NOT NULL")


class LeadRow(Base):
    """Someone who gave a project their address. The origins are those of the latest capture; '' stands for none."""

    __tablename__ = "leads"
    __table_args__ = (
        UniqueConstraint("project_id", "email_hash"),
        Index(None, "project_id", "id"),
        Index(None, "last_captured_at"),
        _IDS_ONCE,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    email_hash: Mapped[str] = mapped_column(String(64))
    email_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    actor: Mapped[str] = mapped_column(String(16))
    origin_today: Mapped[str] = mapped_column(String(16))
    origin_yesterday: Mapped[str] = mapped_column(String(16))
    first_captured_at: Mapped[datetime]
    last_captured_at: Mapped[datetime]


class FormSubmissionRow(Base):
    """A form that was sent, once for each identity. `outbox` is its event until that is known to be written."""

    __tablename__ = "form_submissions"
    __table_args__ = (
        UniqueConstraint("project_id", "identity"),
        Index(
            "ix_form_submissions_pending",
            "submitted_at",
            sqlite_where=_PENDING,
            postgresql_where=_PENDING,
        ),
        _IDS_ONCE,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    lead_id: Mapped[int | None] = mapped_column(ForeignKey("leads.id"), index=True)
    identity: Mapped[str] = mapped_column(String(64))
    form: Mapped[str] = mapped_column(String(200))
    payload_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    submitted_at: Mapped[datetime]
    new_lead: Mapped[bool]
    outbox: Mapped[str | None] = mapped_column(Text)


class ConsentRow(Base):
    """One thing that someone said of a purpose. Rows are only ever added; triggers see to it."""

    __tablename__ = "consent_log"
    __table_args__ = (
        Index(None, "project_id", "subject"),
        CheckConstraint("state IN ('granted', 'denied', 'withdrawn', 'erased')", "state"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    subject: Mapped[str] = mapped_column(String(64))
    purpose: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(16))
    source: Mapped[str] = mapped_column(String(64))
    policy: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime]


class UnsubscribeRow(Base):
    """An address that gets no mail. It outlives its lead: whoever is erased stays unsubscribed."""

    __tablename__ = "unsubscribes"

    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"), primary_key=True)
    email_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    at: Mapped[datetime]
    source: Mapped[str] = mapped_column(String(64))


class LinkRow(Base):
    """A visitor who is a lead: said by the capture itself, or guessed with some confidence."""

    __tablename__ = "links"
    __table_args__ = (
        UniqueConstraint("lead_id", "actor"),
        Index(None, "project_id", "actor"),
        CheckConstraint("kind IN ('direct', 'heuristic')", "kind"),
        CheckConstraint("confidence BETWEEN 0 AND 1", "confidence"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    lead_id: Mapped[int] = mapped_column(ForeignKey("leads.id"))
    actor: Mapped[str] = mapped_column(String(16))
    kind: Mapped[str] = mapped_column(String(16))
    confidence: Mapped[float]
    at: Mapped[datetime]


class SaltRow(Base):
    """The salt of a day's origins. Once it is gone, nobody can tell whose origin it was."""

    __tablename__ = "salts"

    day: Mapped[date] = mapped_column(primary_key=True)
    salt: Mapped[bytes] = mapped_column(LargeBinary(32))
