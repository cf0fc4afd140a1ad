"""The tables of judging: evaluators, the queue of what they judge, people's reviews, and how far jobs have come."""

from datetime import date, datetime

from sqlalchemy import BigInteger, CheckConstraint, Date, ForeignKey, Index, Integer, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from tallymark.control.models import Base, Unsigned

#: Ids of tables that outgrow 32 bits; SQLite counts up only what is called an integer.
_LARGE = BigInteger().with_variant(Integer(), "sqlite")


class EvaluatorRow(Base):
    """An evaluator at its latest version; `definition` is its public form as JSON."""

    __tablename__ = "evaluators"
    __table_args__ = (
        Index("uq_evaluators_project_id_key", "project_id", "key", unique=True),
        CheckConstraint("status IN ('active', 'paused', 'archived')", "status"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    key: Mapped[str] = mapped_column(String(64))
    status: Mapped[str] = mapped_column(String(16))
    version: Mapped[int]
    definition: Mapped[str] = mapped_column(Text)
    automatic: Mapped[bool]
    failures_in_row: Mapped[int]
    pause_reason: Mapped[str] = mapped_column(Text)
    not_before: Mapped[datetime | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class EvaluatorVersionRow(Base):
    """What an evaluator was at one of its versions, and who made it so."""

    __tablename__ = "evaluator_versions"

    evaluator_id: Mapped[int] = mapped_column(ForeignKey("evaluators.id"), primary_key=True, autoincrement=False)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    definition: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]
    by: Mapped[str] = mapped_column(String(200))


class EvaluationRow(Base):
    """That a version of an evaluator judges an exchange, which happened at `occurred_at`.

    `attempts` counts calls of the judge, `claim` tells a worker from the one that took its place. `verdict` is JSON
    from when it is judged until that is written to the engine; `error` is the last fault.
    """

    __tablename__ = "evaluations"
    __table_args__ = (
        Index(None, "evaluator_id", "status", "id"),
        Index(None, "project_id", "exchange"),
        Index("uq_evaluations_evaluator_id_version_exchange", "evaluator_id", "version", "exchange", unique=True),
        Index(
            "ix_evaluations_held",
            "held_until",
            sqlite_where=text("held_until IS NOT NULL"),
            postgresql_where=text("held_until IS NOT NULL"),
        ),
        Index(
            "ix_evaluations_finished",
            "finished_at",
            sqlite_where=text("finished_at IS NOT NULL"),
            postgresql_where=text("finished_at IS NOT NULL"),
        ),
        CheckConstraint("status IN ('waiting', 'running', 'judged', 'done', 'dead', 'gone')", "status"),
    )

    id: Mapped[int] = mapped_column(_LARGE, primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    evaluator_id: Mapped[int] = mapped_column(ForeignKey("evaluators.id"))
    version: Mapped[int]
    exchange: Mapped[int] = mapped_column(Unsigned)
    occurred_at: Mapped[datetime]
    status: Mapped[str] = mapped_column(String(16))
    attempts: Mapped[int]
    claim: Mapped[int]
    holder: Mapped[str] = mapped_column(String(200))
    held_until: Mapped[datetime | None]
    not_before: Mapped[datetime | None]
    verdict: Mapped[str | None] = mapped_column(Text)
    error: Mapped[str] = mapped_column(String(32))
    enqueued_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


class EvaluationAttemptRow(Base):
    """A call of a judge: `ok`, or why it gave no verdict; a million of `cost_micros` are a US dollar."""

    __tablename__ = "evaluation_attempts"
    __table_args__ = (Index(None, "evaluation_id"), Index(None, "at"))

    id: Mapped[int] = mapped_column(_LARGE, primary_key=True)
    evaluation_id: Mapped[int] = mapped_column(ForeignKey("evaluations.id"))
    at: Mapped[datetime]
    outcome: Mapped[str] = mapped_column(String(32))
    message: Mapped[str] = mapped_column(Text)
    ms: Mapped[int] = mapped_column(BigInteger)
    prompt_tokens: Mapped[int] = mapped_column(BigInteger)
    completion_tokens: Mapped[int] = mapped_column(BigInteger)
    cost_micros: Mapped[int] = mapped_column(BigInteger)


class EvaluationSpendRow(Base):
    """What a project's judges took on a UTC day."""

    __tablename__ = "evaluation_spend"

    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"), primary_key=True, autoincrement=False)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    requests: Mapped[int] = mapped_column(BigInteger)
    tokens: Mapped[int] = mapped_column(BigInteger)
    cost_micros: Mapped[int] = mapped_column(BigInteger)


class ReviewRow(Base):
    """What a person says of an exchange; `scores` and `labels` are JSON."""

    __tablename__ = "reviews"
    __table_args__ = (
        Index("uq_reviews_project_id_exchange_reviewer", "project_id", "exchange", "reviewer", unique=True),
        Index(None, "project_id", "occurred_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    exchange: Mapped[int] = mapped_column(Unsigned)
    occurred_at: Mapped[datetime]
    reviewer: Mapped[str] = mapped_column(String(200))
    scores: Mapped[str] = mapped_column(Text)
    labels: Mapped[str] = mapped_column(Text)
    comment: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class CursorRow(Base):
    """How far a job has come."""

    __tablename__ = "cursors"

    name: Mapped[str] = mapped_column(String(200), primary_key=True)
    at: Mapped[datetime]


class SeenSignatureRow(Base):
    """The digest of a signature that was taken, and until when it could be taken again."""

    __tablename__ = "seen_signatures"
    __table_args__ = (Index(None, "expires_at"),)

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    expires_at: Mapped[datetime]
