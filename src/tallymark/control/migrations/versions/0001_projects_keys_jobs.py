"""Projects, their keys, jobs, leases and values of the installation."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Makes the first tables."""
    _projects()
    _keys()
    _jobs()
    op.create_table(
        "meta",
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_meta")),
    )


def downgrade() -> None:
    """Drops them."""
    for table in ("meta", "leases", "job_runs", "keys", "projects"):
        op.drop_table(table)


def _projects() -> None:
    op.create_table(
        "projects",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("packs", sa.JSON(), nullable=False),
        sa.Column("timezone", sa.String(64), nullable=False),
        sa.Column("retention_hours", sa.Integer(), nullable=False),
        sa.Column("pii", sa.String(16), nullable=False),
        sa.Column("bots", sa.String(16), nullable=False),
        sa.Column("quota", sa.BigInteger(), nullable=True),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("deleted_at", _INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_projects")),
        sa.CheckConstraint("pii IN ('reject', 'redact', 'allow')", name=op.f("ck_projects_pii")),
        sa.CheckConstraint("bots IN ('mark', 'refuse')", name=op.f("ck_projects_bots")),
        sa.CheckConstraint("retention_hours > 0", name=op.f("ck_projects_retention_hours")),
        sa.CheckConstraint("quota >= 0", name=op.f("ck_projects_quota")),
    )
    live = sa.text("deleted_at IS NULL")
    op.create_index(
        op.f("uq_projects_name_live"),
        "projects",
        ["name"],
        unique=True,
        sqlite_where=live,
        postgresql_where=live,
    )


def _keys() -> None:
    op.create_table(
        "keys",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("scope", sa.String(16), nullable=False),
        sa.Column("label", sa.String(200), nullable=False),
        sa.Column("prefix", sa.String(32), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("revoked_at", _INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_keys")),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_keys_project_id_projects")),
        sa.UniqueConstraint("hash", name=op.f("uq_keys_hash")),
        sa.CheckConstraint("scope IN ('ingest', 'read', 'admin')", name=op.f("ck_keys_scope")),
    )
    op.create_index(op.f("ix_keys_project_id"), "keys", ["project_id"])


def _jobs() -> None:
    op.create_table(
        "job_runs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("job", sa.String(64), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=True),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("detail", sa.String(), nullable=False),
        sa.Column("started_at", _INSTANT, nullable=False),
        sa.Column("finished_at", _INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job_runs")),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_job_runs_project_id_projects")),
        sa.CheckConstraint("status IN ('running', 'done', 'failed')", name=op.f("ck_job_runs_status")),
    )
    op.create_index(op.f("ix_job_runs_project_id"), "job_runs", ["project_id"])
    op.create_index(op.f("ix_job_runs_started_at"), "job_runs", ["started_at"])
    op.create_table(
        "leases",
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("holder", sa.String(200), nullable=False),
        sa.Column("expires_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_leases")),
    )
