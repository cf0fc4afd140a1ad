"""Views that people read with a ClickHouse client, and the names of projects that stand in them."""

import hashlib
from collections.abc import Callable, Iterable, Mapping

import pyarrow as pa

from tallymark.engine.base import Engine
from tallymark.engine.expression import identifier, literal
from tallymark.spec.project import Project


def define(engine: Engine, views: Mapping[str, str]) -> list[str]:
    """Makes views of `SELECT` statements by name; gives the names of those that were not as they are now.

    A view's comment has a hash of its statement, for the engine keeps the statement in words of its own.
    """
    rows = engine.query("SELECT name, comment FROM system.tables WHERE database = currentDatabase()")
    known = {name: comment for name, comment in rows}
    changed = [name for name, sql in views.items() if known.get(name) != _mark(sql)]
    for name in changed:
        sql = views[name]
        engine.command(f"CREATE OR REPLACE VIEW {identifier(name)} AS {sql} COMMENT {literal(_mark(sql))}")
    return changed


def _mark(sql: str) -> str:
    return f"Tallymark {hashlib.blake2b(sql.encode(), digest_size=8).hexdigest()}"


def note(engine: Engine, projects: Callable[[], Iterable[Project]]) -> None:
    """Makes the engine's `projects` those that there are: adds new ones, renames, takes away.

    `projects` is asked last, so that one which is made meanwhile is not taken for a deleted one.
    """
    rows = engine.query("SELECT project, name, packs FROM projects FINAL")
    known = {id: (name, list(packs)) for id, name, packs in rows}
    wanted = {project.id: (project.name, sorted(project.packs)) for project in projects()}
    changed = {id: told for id, told in wanted.items() if known.get(id) != told}
    if changed:
        engine.insert("projects", _table(changed))
    gone = sorted(known.keys() - wanted.keys())
    if gone:
        engine.command("DELETE FROM projects WHERE project IN {gone:Array(UInt32)}", {"gone": gone})


def _table(projects: Mapping[int, tuple[str, list[str]]]) -> pa.Table:
    return pa.table(
        {
            "project": pa.array(list(projects), pa.uint32()),
            "name": pa.array([name for name, _ in projects.values()]),
            "packs": pa.array([packs for _, packs in projects.values()], pa.list_(pa.string())),
        }
    )
