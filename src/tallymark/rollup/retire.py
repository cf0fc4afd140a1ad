"""Deleting a project's data from the engine."""

from tallymark.engine.base import Engine
from tallymark.engine.holding import holds

_TABLES = ("events", "pins", "rejections", "actors", "sessions", "rollups", "runs", "marks", "projects",
           "funnel_days", "rollup_jobs", "restores")  # fmt: skip


def retire(engine: Engine, project: int) -> None:
    """Deletes everything the engine holds of a project."""
    theirs, params = "project = {project:UInt32}", {"project": project}
    for table in _TABLES:
        if holds(engine, table, theirs, params):
            engine.command(f"DELETE FROM {table} WHERE {theirs}", params)
