"""Which names a project's events may have, and how many."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds both to projects; those there are take any names."""
    with op.batch_alter_table("projects") as table:
        table.add_column(sa.Column("event_names", sa.JSON(), nullable=True))
        table.add_column(sa.Column("max_event_names", sa.Integer(), nullable=True))


def downgrade() -> None:
    """Takes both away."""
    with op.batch_alter_table("projects") as table:
        table.drop_column("max_event_names")
        table.drop_column("event_names")
