"""People: leads, their submissions, consents, unsubscribes and links; daily salts; keys that expire."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True)

#: What makes the consent log append-only, by dialect. Rebuilding the table drops it: make it again then.
_APPEND_ONLY = {
    "sqlite": (
        """CREATE TRIGGER consent_log_no_update BEFORE UPDATE ON consent_log
        BEGIN SELECT RAISE(ABORT, 'consent_log is append-only'); END""",
        """CREATE TRIGGER consent_log_no_delete BEFORE DELETE ON consent_log
        BEGIN SELECT RAISE(ABORT, 'consent_log is append-only'); END""",
        # INSERT OR REPLACE deletes without asking the trigger above.
        """CREATE TRIGGER consent_log_no_replace BEFORE INSERT ON consent_log
        WHEN EXISTS (SELECT 1 FROM consent_log WHERE id = NEW.id)
        BEGIN SELECT RAISE(ABORT, 'consent_log is append-only'); END""",
    ),
    "postgresql": (
        """CREATE FUNCTION consent_log_append_only() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'consent_log is append-only'; END $$""",
        """CREATE TRIGGER consent_log_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON consent_log
        FOR EACH STATEMENT EXECUTE FUNCTION consent_log_append_only()""",
    ),
}
#: What is left of it when the table is gone.
_APPENDABLE = {"sqlite": (), "postgresql": ("DROP FUNCTION consent_log_append_only()",)}


def upgrade() -> None:
    """Makes the tables of people, and lets keys expire."""
    op.add_column("keys", sa.Column("expires_at", _INSTANT, nullable=True))
    _leads()
    _submissions()
    _consents()
    _links()
    op.create_table(
        "salts",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("salt", sa.LargeBinary(32), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_salts")),
    )


def downgrade() -> None:
    """Drops them."""
    for table in ("salts", "links", "unsubscribes", "consent_log", "form_submissions", "leads"):
        op.drop_table(table)
    for statement in _APPENDABLE[op.get_context().dialect.name]:
        op.execute(statement)
    op.drop_column("keys", "expires_at")


def _leads() -> None:
    op.create_table(
        "leads",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("email_hash", sa.String(64), nullable=False),
        sa.Column("email_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("actor", sa.String(16), nullable=False),
        sa.Column("origin_today", sa.String(16), nullable=False),
        sa.Column("origin_yesterday", sa.String(16), nullable=False),
        sa.Column("first_captured_at", _INSTANT, nullable=False),
        sa.Column("last_captured_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_leads")),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_leads_project_id_projects")),
        sa.UniqueConstraint("project_id", "email_hash", name=op.f("uq_leads_project_id_email_hash")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_leads_project_id_id"), "leads", ["project_id", "id"])
    op.create_index(op.f("ix_leads_last_captured_at"), "leads", ["last_captured_at"])


def _submissions() -> None:
    op.create_table(
        "form_submissions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("lead_id", sa.Integer(), nullable=True),
        sa.Column("identity", sa.String(64), nullable=False),
        sa.Column("form", sa.String(200), nullable=False),
        sa.Column("payload_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("submitted_at", _INSTANT, nullable=False),
        sa.Column("new_lead", sa.Boolean(), nullable=False),
        sa.Column("outbox", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_form_submissions")),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_form_submissions_project_id_projects")),
        sa.ForeignKeyConstraint(["lead_id"], ["leads.id"], name=op.f("fk_form_submissions_lead_id_leads")),
        sa.UniqueConstraint("project_id", "identity", name=op.f("uq_form_submissions_project_id_identity")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_form_submissions_lead_id"), "form_submissions", ["lead_id"])
    pending = sa.text("outbox IS NOT NULL")
    op.create_index(
        op.f("ix_form_submissions_pending"),
        "form_submissions",
        ["submitted_at"],
        sqlite_where=pending,
        postgresql_where=pending,
    )


def _consents() -> None:
    op.create_table(
        "consent_log",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("subject", sa.String(64), nullable=False),
        sa.Column("purpose", sa.String(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("source", sa.String(64), nullable=False),
        sa.Column("policy", sa.String(64), nullable=False),
        sa.Column("at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent_log")),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_consent_log_project_id_projects")),
        sa.CheckConstraint("state IN ('granted', 'denied', 'withdrawn', 'erased')", name=op.f("ck_consent_log_state")),
    )
    op.create_index(op.f("ix_consent_log_project_id_subject"), "consent_log", ["project_id", "subject"])
    for statement in _APPEND_ONLY[op.get_context().dialect.name]:
        op.execute(statement)
    op.create_table(
        "unsubscribes",
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("email_hash", sa.String(64), nullable=False),
        sa.Column("at", _INSTANT, nullable=False),
        sa.Column("source", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("project_id", "email_hash", name=op.f("pk_unsubscribes")),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_unsubscribes_project_id_projects")),
    )


def _links() -> None:
    op.create_table(
        "links",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("lead_id", sa.Integer(), nullable=False),
        sa.Column("actor", sa.String(16), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("confidence", sa.Double(), nullable=False),
        sa.Column("at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_links")),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_links_project_id_projects")),
        sa.ForeignKeyConstraint(["lead_id"], ["leads.id"], name=op.f("fk_links_lead_id_leads")),
        sa.UniqueConstraint("lead_id", "actor", name=op.f("uq_links_lead_id_actor")),
        sa.CheckConstraint("kind IN ('direct', 'heuristic')", name=op.f("ck_links_kind")),
        sa.CheckConstraint("confidence BETWEEN 0 AND 1", name=op.f("ck_links_confidence")),
    )
    op.create_index(op.f("ix_links_project_id_actor"), "links", ["project_id", "actor"])
