"""Deleting a project's data from the engine."""

from tallymark.engine.base import Engine

_TABLES = ("events", "pins", "rejections", "actors", "sessions", "rollups", "runs", "marks", "projects",
           "funnel_days", "rollup_jobs", "restores")  # fmt: skip


def retire(engine: Engine, project: int) -> None:
    """Deletes everything the engine holds of a project."""
    for table in _TABLES:
        engine.command(f"DELETE FROM {table} WHERE project = {{project:UInt32}}", {"project": project})
