"""Quizzes and whose they are, xAPI statements that were taken, how far syncs have come."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Makes the tables."""
    _table(
        "quizzes", "quiz", 200,
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("owner", sa.String(200), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("updated_at", _INSTANT, nullable=False),
    )  # fmt: skip
    op.create_index(op.f("ix_quizzes_project_id_owner"), "quizzes", ["project_id", "owner"])
    _table(
        "statements", "id", 36,
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("at", _INSTANT, nullable=False),
    )  # fmt: skip
    _table(
        "syncs", "name", 200,
        sa.Column("cursor", sa.Text(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", _INSTANT, nullable=False),
    )  # fmt: skip


def _table(name: str, key: str, length: int, *columns: "sa.Column[object]") -> None:
    """A table whose rows a project and a text name."""
    op.create_table(
        name,
        sa.Column("project_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column(key, sa.String(length), nullable=False),
        *columns,
        sa.PrimaryKeyConstraint("project_id", key, name=op.f(f"pk_{name}")),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f(f"fk_{name}_project_id_projects")),
    )


def downgrade() -> None:
    """Drops them."""
    for table in ("syncs", "statements", "quizzes"):
        op.drop_table(table)
