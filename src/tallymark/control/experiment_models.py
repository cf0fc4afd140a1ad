"""The tables of experiments, of who was given which variant, of funnels, and of what was done to them."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from tallymark.control.models import Base


class ExperimentRow(Base):
    """An experiment; `definition` is its public form as JSON."""

    __tablename__ = "experiments"
    __table_args__ = (
        Index("uq_experiments_project_id_key", "project_id", "key", unique=True),
        CheckConstraint("status IN ('draft', 'running', 'stopped', 'shipped', 'archived')", "status"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    key: Mapped[str] = mapped_column(String(64))
    status: Mapped[str] = mapped_column(String(16))
    definition: Mapped[str] = mapped_column(Text)
    revision: Mapped[int]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    stopped_at: Mapped[datetime | None]


class AssignmentRow(Base):
    """Which variant a unit was given first, and when; `unit` is its keyed hash as a signed number.

    Instants are epoch milliseconds. `exposed_at` is when it first met the variant; `reported`: the event that tells of
    that is in the engine.
    """

    __tablename__ = "assignments"
    __table_args__ = (
        Index(None, "experiment_id"),
        Index(
            "ix_assignments_unreported",
            "exposed_at",
            sqlite_where=text("exposed_at IS NOT NULL AND NOT reported"),
            postgresql_where=text("exposed_at IS NOT NULL AND NOT reported"),
        ),
        {"sqlite_with_rowid": False},
    )

    project_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    unit: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    experiment_id: Mapped[int] = mapped_column(ForeignKey("experiments.id"), primary_key=True, autoincrement=False)
    variant: Mapped[str] = mapped_column(String(64))
    assigned_at: Mapped[int] = mapped_column(BigInteger)
    exposed_at: Mapped[int | None] = mapped_column(BigInteger)
    reported: Mapped[bool]


class FunnelRow(Base):
    """A funnel that a project declares; `definition` is its public form as JSON."""

    __tablename__ = "funnels"

    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"), primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    definition: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class AuditRow(Base):
    """What somebody did: `subject` is what it was done to, `detail` JSON."""

    __tablename__ = "audit"
    __table_args__ = (Index(None, "project_id", "at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    subject: Mapped[str] = mapped_column(String(200))
    action: Mapped[str] = mapped_column(String(32))
    by: Mapped[str] = mapped_column(String(200))
    detail: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]
