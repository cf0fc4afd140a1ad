"""Evaluators, what they judge and what that takes; reviews; how far jobs have come; signatures that were taken."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True)
_LARGE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_HELD = sa.text("held_until IS NOT NULL")
_FINISHED = sa.text("finished_at IS NOT NULL")


def upgrade() -> None:
    """Makes the tables."""
    _evaluators()
    _evaluations()
    _attempts_and_spend()
    _reviews()
    _cursors_and_signatures()


def _evaluators() -> None:
    op.create_table(
        "evaluators",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("definition", sa.Text(), nullable=False),
        sa.Column("automatic", sa.Boolean(), nullable=False),
        sa.Column("failures_in_row", sa.Integer(), nullable=False),
        sa.Column("pause_reason", sa.Text(), nullable=False),
        sa.Column("not_before", _INSTANT, nullable=True),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("updated_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evaluators")),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_evaluators_project_id_projects")),
        sa.CheckConstraint("status IN ('active', 'paused', 'archived')", name=op.f("ck_evaluators_status")),
    )
    op.create_index("uq_evaluators_project_id_key", "evaluators", ["project_id", "key"], unique=True)
    op.create_table(
        "evaluator_versions",
        sa.Column("evaluator_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("definition", sa.Text(), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("by", sa.String(200), nullable=False),
        sa.PrimaryKeyConstraint("evaluator_id", "version", name=op.f("pk_evaluator_versions")),
        sa.ForeignKeyConstraint(
            ["evaluator_id"], ["evaluators.id"], name=op.f("fk_evaluator_versions_evaluator_id_evaluators")
        ),
    )


def _evaluations() -> None:
    op.create_table(
        "evaluations",
        sa.Column("id", _LARGE, nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("evaluator_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("exchange", sa.BigInteger(), nullable=False),
        sa.Column("occurred_at", _INSTANT, nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("claim", sa.Integer(), nullable=False),
        sa.Column("holder", sa.String(200), nullable=False),
        sa.Column("held_until", _INSTANT, nullable=True),
        sa.Column("not_before", _INSTANT, nullable=True),
        sa.Column("verdict", sa.Text(), nullable=True),
        sa.Column("error", sa.String(32), nullable=False),
        sa.Column("enqueued_at", _INSTANT, nullable=False),
        sa.Column("finished_at", _INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evaluations")),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_evaluations_project_id_projects")),
        sa.ForeignKeyConstraint(
            ["evaluator_id"], ["evaluators.id"], name=op.f("fk_evaluations_evaluator_id_evaluators")
        ),
        sa.CheckConstraint(
            "status IN ('waiting', 'running', 'judged', 'done', 'dead', 'gone')", name=op.f("ck_evaluations_status")
        ),
    )
    identity, indexes = ["evaluator_id", "version", "exchange"], ["evaluator_id", "status", "id"]
    op.create_index("uq_evaluations_evaluator_id_version_exchange", "evaluations", identity, unique=True)
    op.create_index(op.f("ix_evaluations_evaluator_id_status_id"), "evaluations", indexes)
    op.create_index(op.f("ix_evaluations_project_id_exchange"), "evaluations", ["project_id", "exchange"])
    for name, column, where in (("held", "held_until", _HELD), ("finished", "finished_at", _FINISHED)):
        op.create_index(
            f"ix_evaluations_{name}", "evaluations", [column], sqlite_where=where, postgresql_where=where
        )  # fmt: skip


def _attempts_and_spend() -> None:
    op.create_table(
        "evaluation_attempts",
        sa.Column("id", _LARGE, nullable=False),
        sa.Column("evaluation_id", _LARGE, nullable=False),
        sa.Column("at", _INSTANT, nullable=False),
        sa.Column("outcome", sa.String(32), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("ms", sa.BigInteger(), nullable=False),
        sa.Column("prompt_tokens", sa.BigInteger(), nullable=False),
        sa.Column("completion_tokens", sa.BigInteger(), nullable=False),
        sa.Column("cost_micros", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evaluation_attempts")),
        sa.ForeignKeyConstraint(
            ["evaluation_id"], ["evaluations.id"], name=op.f("fk_evaluation_attempts_evaluation_id_evaluations")
        ),
    )
    for column in ("evaluation_id", "at"):
        op.create_index(op.f(f"ix_evaluation_attempts_{column}"), "evaluation_attempts", [column])
    op.create_table(
        "evaluation_spend",
        sa.Column("project_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("requests", sa.BigInteger(), nullable=False),
        sa.Column("tokens", sa.BigInteger(), nullable=False),
        sa.Column("cost_micros", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("project_id", "day", name=op.f("pk_evaluation_spend")),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_evaluation_spend_project_id_projects")),
    )


def _reviews() -> None:
    op.create_table(
        "reviews",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("exchange", sa.BigInteger(), nullable=False),
        sa.Column("occurred_at", _INSTANT, nullable=False),
        sa.Column("reviewer", sa.String(200), nullable=False),
        sa.Column("scores", sa.Text(), nullable=False),
        sa.Column("labels", sa.Text(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("updated_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reviews")),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_reviews_project_id_projects")),
    )
    identity = ["project_id", "exchange", "reviewer"]
    op.create_index("uq_reviews_project_id_exchange_reviewer", "reviews", identity, unique=True)
    op.create_index(op.f("ix_reviews_project_id_occurred_at"), "reviews", ["project_id", "occurred_at"])


def _cursors_and_signatures() -> None:
    op.create_table(
        "cursors",
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_cursors")),
    )
    op.create_table(
        "seen_signatures",
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("expires_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_seen_signatures")),
    )
    op.create_index(op.f("ix_seen_signatures_expires_at"), "seen_signatures", ["expires_at"])


def downgrade() -> None:
    """Drops them."""
    for table in (
        "seen_signatures", "cursors", "reviews", "evaluation_spend", "evaluation_attempts", "evaluations",
        "evaluator_versions", "evaluators",
    ):  # fmt: skip
        op.drop_table(table)
