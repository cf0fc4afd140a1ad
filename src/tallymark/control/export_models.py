"""The table of exports."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from tallymark.control.models import Base


class ExportRow(Base):
    """An export: the order as JSON, how far it is, and what came of it.

    `attempt` tells a writer from the one that took its place; `crashes` counts writers that ended without a word,
    `failures` those that something got in the way of. It waits until `not_before`, where that is set.
    """

    __tablename__ = "exports"
    __table_args__ = (
        Index(None, "project_id", "created_at"),
        Index(None, "status", "created_at"),
        CheckConstraint("status IN ('waiting', 'running', 'done', 'failed', 'expired')", "status"),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    what: Mapped[str] = mapped_column(String(16))
    asked: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(String(16))
    holder: Mapped[str] = mapped_column(String(200))
    held_until: Mapped[datetime | None]
    attempt: Mapped[int]
    crashes: Mapped[int]
    failures: Mapped[int]
    not_before: Mapped[datetime | None]
    rows: Mapped[int] = mapped_column(BigInteger)
    expected: Mapped[int | None] = mapped_column(BigInteger)
    bytes: Mapped[int | None] = mapped_column(BigInteger)
    sha256: Mapped[str | None] = mapped_column(String(64))
    error: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
