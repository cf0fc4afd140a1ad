"""Segments: filters that a project keeps under a key."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_CONDITION = "(SELECT current_setting('tallymark.project', true)) IN ('*', project_id::text)"


def upgrade() -> None:
    """Makes the table; on PostgreSQL its rows are seen by their project alone."""
    op.create_table(
        "segments",
        sa.Column("project_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("filters", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("project_id", "key", name=op.f("pk_segments")),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_segments_project_id_projects")),
    )
    if op.get_context().dialect.name == "postgresql":
        op.execute("ALTER TABLE segments ENABLE ROW LEVEL SECURITY")
        op.execute("ALTER TABLE segments FORCE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY tallymark_project ON segments AS PERMISSIVE FOR ALL USING ({_CONDITION}) "
            f"WITH CHECK ({_CONDITION})"
        )


def downgrade() -> None:
    """Drops it."""
    op.drop_table("segments")
