"""Pins: the time first given to an event whose sender fixed its identity but not its time.

Such an event (an `eventId` without a `timestamp`, or a time corrected because the client's clock was wrong) would
get another time whenever it is sent again, and might then count on two days. So its first time is kept, and the
second one is replaced by it.
"""

import pyarrow as pa

from tallymark.engine.base import Engine
from tallymark.engine.source import utc
from tallymark.ingest.rows import Rows


def pin(engine: Engine, rows: Rows) -> None:
    """Gives the unpinned events of `rows` the time they had when they first came; remembers those of new ones."""
    known = _known(engine, rows)
    new: dict[tuple[int, int], int] = {}
    for place in rows.unpinned:
        key = (rows.project[place], rows.event_id[place])
        rows.occurred_at[place] = known.get(key) or new.setdefault(key, rows.occurred_at[place])
    if new:
        engine.insert("pins", _table(rows, new))


def _known(engine: Engine, rows: Rows) -> dict[tuple[int, int], int]:
    projects = sorted({rows.project[place] for place in rows.unpinned})
    ids = sorted({rows.event_id[place] for place in rows.unpinned})
    found = engine.query(
        "SELECT project, event_id, occurred_at FROM pins FINAL "
        "WHERE project IN {projects:Array(UInt32)} AND event_id IN {ids:Array(UInt64)}",
        {"projects": projects, "ids": ids},
    )
    return {(project, event_id): int(utc(at).timestamp() * 1000) for project, event_id, at in found}


def _table(rows: Rows, new: dict[tuple[int, int], int]) -> pa.Table:
    places = {(rows.project[place], rows.event_id[place]): place for place in reversed(rows.unpinned)}
    received = [rows.received_at[places[key]] for key in new]
    return pa.table(
        {
            "project": pa.array([key[0] for key in new], pa.uint32()),
            "event_id": pa.array([key[1] for key in new], pa.uint64()),
            "occurred_at": pa.array(list(new.values()), pa.timestamp("ms", "UTC")),
            "expires_at": pa.array([rows.expires_at[places[key]] for key in new], pa.uint32()),
            "precedence": pa.array([(1 << 64) - 1 - at for at in received], pa.uint64()),
        }
    )
