"""The tables of the control store. Rows stay inside this package; callers get frozen values."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, CheckConstraint, DateTime, ForeignKey, Index, MetaData, String, text, true
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Instant(TypeDecorator[datetime]):
    """An instant, always in UTC, whether or not the database keeps time zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """The instant in UTC."""
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        """The instant with its zone."""
        if not isinstance(value, datetime):
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Unsigned(TypeDecorator[int]):
    """An unsigned number of 64 bits, as databases keep it: signed. Its order there is another one."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: int | None, dialect: Dialect) -> int | None:
        """The number with a sign."""
        return value if value is None or value < 1 << 63 else value - (1 << 64)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> int | None:
        """The number without a sign."""
        return value if value is None or value >= 0 else int(value) + (1 << 64)


class Base(DeclarativeBase):
    """The declarative base; its metadata is what the migrations lead to."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {datetime: Instant}  # noqa: RUF012  # SQLAlchemy's way to declare it


class ProjectRow(Base):
    """A project. A deleted one keeps its id, so that ids are never given twice, and frees its name."""

    __tablename__ = "projects"
    __table_args__ = (
        Index(
            "uq_projects_name_live",
            "name",
            unique=True,
            sqlite_where=text("deleted_at IS NULL"),
            postgresql_where=text("deleted_at IS NULL"),
        ),
        CheckConstraint("pii IN ('reject', 'redact', 'allow')", "pii"),
        CheckConstraint("bots IN ('mark', 'refuse')", "bots"),
        CheckConstraint("retention_hours > 0", "retention_hours"),
        CheckConstraint("quota >= 0", "quota"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(64))
    packs: Mapped[list[str]] = mapped_column(JSON)
    timezone: Mapped[str] = mapped_column(String(64))
    retention_hours: Mapped[int]
    pii: Mapped[str] = mapped_column(String(16))
    bots: Mapped[str] = mapped_column(String(16))
    quota: Mapped[int | None] = mapped_column(BigInteger)
    event_names: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    max_event_names: Mapped[int | None]
    public_summary: Mapped[bool] = mapped_column(server_default=true(), default=True)
    created_at: Mapped[datetime]
    deleted_at: Mapped[datetime | None]


class KeyRow(Base):
    """A key of a project: its hash and its first characters, never the key."""

    __tablename__ = "keys"
    __table_args__ = (CheckConstraint("scope IN ('ingest', 'read', 'admin')", "scope"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"), index=True)
    scope: Mapped[str] = mapped_column(String(16))
    label: Mapped[str] = mapped_column(String(200))
    prefix: Mapped[str] = mapped_column(String(32))
    hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]


class JobRunRow(Base):
    """One run of a job."""

    __tablename__ = "job_runs"
    __table_args__ = (
        Index(None, "started_at"),
        CheckConstraint("status IN ('running', 'done', 'failed')", "status"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    job: Mapped[str] = mapped_column(String(64))
    project_id: Mapped[int | None] = mapped_column(ForeignKey("projects.id"), index=True)
    status: Mapped[str] = mapped_column(String(16))
    detail: Mapped[str] = mapped_column(String)
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


class LeaseRow(Base):
    """Who may do something alone, and until when."""

    __tablename__ = "leases"

    name: Mapped[str] = mapped_column(String(200), primary_key=True)
    holder: Mapped[str] = mapped_column(String(200))
    expires_at: Mapped[datetime]


class MetaRow(Base):
    """A value of the whole installation."""

    __tablename__ = "meta"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    value: Mapped[str] = mapped_column(String)
