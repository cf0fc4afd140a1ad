"""Notes on days, and saved views."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True)

_CONDITION = "(SELECT current_setting('tallymark.project', true)) IN ('*', project_id::text)"


def upgrade() -> None:
    """Makes the tables; on PostgreSQL their rows are seen by their project alone."""
    _table(
        "annotations",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("text", sa.String(200), nullable=False),
        sa.Column("by", sa.String(200), nullable=False),
    )
    op.create_index(op.f("ix_annotations_project_id_day"), "annotations", ["project_id", "day"])
    _table(
        "saved_views",
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("view", sa.String(2_000), nullable=False),
    )
    op.create_index(op.f("ix_saved_views_project_id"), "saved_views", ["project_id"])


def _table(name: str, *columns: "sa.Column[object]") -> None:
    op.create_table(
        name,
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        *columns,
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{name}")),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f(f"fk_{name}_project_id_projects")),
    )
    if op.get_context().dialect.name == "postgresql":
        op.execute(f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {name} FORCE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY tallymark_project ON {name} AS PERMISSIVE FOR ALL USING ({_CONDITION}) "
            f"WITH CHECK ({_CONDITION})"
        )


def downgrade() -> None:
    """Drops them."""
    op.drop_table("saved_views")
    op.drop_table("annotations")
