"""On PostgreSQL, rows that only transactions of their project see: forced, so that it binds the tables' owner too.

A transaction says whose it is by `set_config('tallymark.project', …, true)`: a project's id, or `*`. One that says
nothing sees nothing. Of rows that have an owner, `tallymark.user` is `=` and the user, or `*`.
"""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

#: The columns that name the project.
_TABLES = {
    "projects": "id",
    **dict.fromkeys(
        (
            "assignments", "audit", "consent_log", "evaluation_spend", "evaluations", "evaluators", "experiments",
            "exports", "form_submissions", "funnels", "job_runs", "keys", "leads", "links", "quizzes", "reviews",
            "statements", "syncs", "unsubscribes",
        ),
        "project_id",
    ),
}  # fmt: skip
#: Tables whose rows are their parents': the column that names the parent, and its table.
_CHILDREN = {
    "evaluator_versions": ("evaluator_id", "evaluators"),
    "evaluation_attempts": ("evaluation_id", "evaluations"),
}
_OWNERS = {"quizzes": "owner"}

# As subqueries they are evaluated once for a statement, not for every row.
_PROJECT = "(SELECT current_setting('tallymark.project', true))"
_USER = "(SELECT current_setting('tallymark.user', true))"


def upgrade() -> None:
    """Makes the policies."""
    if op.get_context().dialect.name != "postgresql":
        return
    for table, column in _TABLES.items():
        _force(table)
        _policy(table, "project", f"{_PROJECT} IN ('*', {column}::text)")
    for table, (column, parent) in _CHILDREN.items():
        _force(table)
        _policy(
            table, "project",
            f"{_PROJECT} = '*' OR EXISTS (SELECT FROM {parent} WHERE {parent}.id = {table}.{column})",
        )  # fmt: skip
    for table, column in _OWNERS.items():
        _policy(table, "owner", f"{_USER} IN ('*', '=' || {column})", kind="RESTRICTIVE")


def downgrade() -> None:
    """Drops them."""
    if op.get_context().dialect.name != "postgresql":
        return
    for table in _OWNERS:
        op.execute(f"DROP POLICY tallymark_owner ON {table}")
    for table in (*_TABLES, *_CHILDREN):
        op.execute(f"DROP POLICY tallymark_project ON {table}")
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")


def _force(table: str) -> None:
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")


def _policy(table: str, name: str, condition: str, kind: str = "PERMISSIVE") -> None:
    """Rows are seen and written where the condition holds."""
    op.execute(
        f"CREATE POLICY tallymark_{name} ON {table} AS {kind} FOR ALL USING ({condition}) WITH CHECK ({condition})"
    )
