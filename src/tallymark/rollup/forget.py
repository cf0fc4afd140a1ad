"""Deleting actors' data from the engine: their events, their sessions, and what they are known by."""

from collections.abc import Collection
from datetime import date

from tallymark.engine.base import Engine
from tallymark.engine.holding import holds
from tallymark.engine.source import utc
from tallymark.rollup.stale import mark
from tallymark.spec.project import Project
from tallymark.spec.window import today

_THEIRS = "project = {project:UInt32} AND actor IN {actors:Array(UInt64)}"
_EVENTS = (
    "project = {project:UInt32} AND (event_id IN {events:Array(UInt64)} "
    "OR actor IN {actors:Array(UInt64)} AND event_id NOT IN {kept:Array(UInt64)})"
)

#: What is deleted, in order. Rollups hold ordinals only, and nothing leads from these back to an actor any more.
_DELETED = (
    ("pins", f"project = {{project:UInt32}} AND event_id IN (SELECT event_id FROM events WHERE {_EVENTS})"),
    ("events", _EVENTS),
    ("sessions", _THEIRS),
    ("actors", _THEIRS),
)

#: An ordinal is never given twice, so it goes on under a name that nobody has.
_RENAMED = (
    "INSERT INTO actors (project, actor, ordinal, first_seen, last_seen) SELECT project, rand64(actor), "
    f"min(actors.ordinal), min(actors.first_seen), max(actors.last_seen) FROM actors WHERE {_THEIRS} "
    "GROUP BY project, actor"
)


def forget(
    engine: Engine, project: Project, actors: Collection[int], events: Collection[int] = (), kept: Collection[int] = ()
) -> list[date]:
    """The days that lose events, marked as stale; sealed ones keep their numbers.

    `events` are ids of single events, `kept` those of the actors' events that stay.

    Parts are rewritten before this returns; the engine drops the old files within minutes.
    """
    params = {"project": project.id, "actors": sorted(actors), "events": sorted(events), "kept": sorted(kept)}
    moments = engine.query(f"SELECT DISTINCT toStartOfFifteenMinutes(occurred_at) FROM events WHERE {_EVENTS}", params)
    days = sorted({today(project.timezone, utc(row[0])) for row in moments})
    if days:
        mark(engine, project.id, days, "a person was deleted")
    engine.command(_RENAMED, params)
    for table, rows in _DELETED:
        if holds(engine, table, rows, params):
            engine.command(f"ALTER TABLE {table} DELETE WHERE {rows} SETTINGS mutations_sync = 2", params)
    return days
