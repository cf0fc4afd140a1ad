"""Restored spans: events that came back from an archive, and stay for a while although they are past their time."""

from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa

from tallymark.engine.base import Engine
from tallymark.engine.source import milliseconds, utc
from tallymark.spec.project import Project
from tallymark.spec.window import Window


@dataclass(frozen=True)
class Restored:
    """A span of time, its end excluded, whose events stay until an instant at least."""

    start: datetime
    end: datetime
    until: datetime


def note(engine: Engine, project: Project, window: Window, until: datetime) -> None:
    """Says that the events of a window stay until then; who said a later instant before still holds."""
    table = pa.table(
        {
            "project": pa.array([project.id], pa.uint32()),
            "starts_at": pa.array([milliseconds(window.start)], pa.timestamp("ms", "UTC")),
            "ends_at": pa.array([milliseconds(window.end)], pa.timestamp("ms", "UTC")),
            "kept_until": pa.array([int(until.timestamp())], pa.uint32()),
        }
    )
    engine.insert("restores", table)


def restored(engine: Engine, project: Project, now: datetime) -> tuple[Restored, ...]:
    """The spans of a project whose events are kept now, in order."""
    rows = engine.query(
        "SELECT starts_at, ends_at, max(kept_until) AS until FROM restores WHERE project = {project:UInt32} "
        "GROUP BY starts_at, ends_at HAVING until > toDateTime({now:Int64}, 'UTC') ORDER BY starts_at, ends_at",
        {"project": project.id, "now": int(now.timestamp())},
    )
    return tuple(Restored(*map(utc, row)) for row in rows)
