"""Sessions of people who are signed in, codes that sign in once, and shared links."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True)

_CONDITION = "(SELECT current_setting('tallymark.project', true)) IN ('*', project_id::text)"


def upgrade() -> None:
    """Makes the tables; on PostgreSQL a shared link is seen by its project alone."""
    op.create_table(
        "sessions",
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("subject", sa.String(64), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("seen_at", _INSTANT, nullable=False),
        sa.Column("expires_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_sessions")),
    )
    op.create_table(
        "sign_in_codes",
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("expires_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_sign_in_codes")),
    )
    op.create_table(
        "shares",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("view", sa.String(2_000), nullable=False),
        sa.Column("password", sa.String(200), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("expires_at", _INSTANT, nullable=True),
        sa.Column("revoked_at", _INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shares")),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_shares_project_id_projects")),
    )
    op.create_index(op.f("ix_shares_project_id"), "shares", ["project_id"])
    op.create_index(op.f("ix_shares_hash"), "shares", ["hash"], unique=True)
    if op.get_context().dialect.name == "postgresql":
        op.execute("ALTER TABLE shares ENABLE ROW LEVEL SECURITY")
        op.execute("ALTER TABLE shares FORCE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY tallymark_project ON shares AS PERMISSIVE FOR ALL USING ({_CONDITION}) "
            f"WITH CHECK ({_CONDITION})"
        )


def downgrade() -> None:
    """Drops them."""
    for table in ("shares", "sign_in_codes", "sessions"):
        op.drop_table(table)
