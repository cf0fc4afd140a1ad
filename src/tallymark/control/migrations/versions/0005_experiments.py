"""Experiments, assignments, funnels and what was done to them; who may read a project's summary."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True)
_WAITING = sa.text("exposed_at IS NOT NULL AND NOT reported")


def upgrade() -> None:
    """Makes the tables, and the project's new column."""
    op.add_column("projects", sa.Column("public_summary", sa.Boolean(), nullable=False, server_default=sa.true()))
    _experiments()
    _assignments()
    _funnels_and_audit()


def _experiments() -> None:
    op.create_table(
        "experiments",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("definition", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("updated_at", _INSTANT, nullable=False),
        sa.Column("started_at", _INSTANT, nullable=True),
        sa.Column("stopped_at", _INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_experiments")),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_experiments_project_id_projects")),
        sa.CheckConstraint(
            "status IN ('draft', 'running', 'stopped', 'shipped', 'archived')", name=op.f("ck_experiments_status")
        ),
    )
    op.create_index("uq_experiments_project_id_key", "experiments", ["project_id", "key"], unique=True)


def _assignments() -> None:
    op.create_table(
        "assignments",
        sa.Column("project_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("unit", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("experiment_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("variant", sa.String(64), nullable=False),
        sa.Column("assigned_at", sa.BigInteger(), nullable=False),
        sa.Column("exposed_at", sa.BigInteger(), nullable=True),
        sa.Column("reported", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("project_id", "unit", "experiment_id", name=op.f("pk_assignments")),
        sa.ForeignKeyConstraint(
            ["experiment_id"], ["experiments.id"], name=op.f("fk_assignments_experiment_id_experiments")
        ),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_assignments_experiment_id"), "assignments", ["experiment_id"])
    op.create_index(
        "ix_assignments_unreported", "assignments", ["exposed_at"], sqlite_where=_WAITING, postgresql_where=_WAITING
    )


def _funnels_and_audit() -> None:
    op.create_table(
        "funnels",
        sa.Column("project_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("definition", sa.Text(), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("updated_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("project_id", "name", name=op.f("pk_funnels")),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_funnels_project_id_projects")),
    )
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("subject", sa.String(200), nullable=False),
        sa.Column("action", sa.String(32), nullable=False),
        sa.Column("by", sa.String(200), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_audit_project_id_projects")),
    )
    op.create_index(op.f("ix_audit_project_id_at"), "audit", ["project_id", "at"])


def downgrade() -> None:
    """Drops them."""
    for table in ("audit", "funnels", "assignments", "experiments"):
        op.drop_table(table)
    op.drop_column("projects", "public_summary")
