"""Pins: the time first given to an event whose sender fixed its identity but not its time.

Such an event (an `eventId` without a `timestamp`, or a time corrected because the client's clock was wrong) would
get another time whenever it is sent again, and might then count on two days. So its first time is kept, and the
second one is replaced by it.
"""

import msgspec
import pyarrow as pa

from tallymark.engine.base import Engine
from tallymark.engine.source import utc
from tallymark.ingest.rows import SCHEMA, UNPINNED

_Key = tuple[int, int]


def pinned(engine: Engine, table: pa.Table) -> pa.Table:
    """The rows of `events` with the times that unpinned ones had when they first came; remembers those of new ones."""
    places: list[int] = msgspec.json.decode((table.schema.metadata or {}).get(UNPINNED, b"[]"))
    if not places:
        return table
    keys: list[_Key] = list(zip(table["project"].to_pylist(), table["event_id"].to_pylist(), strict=True))
    times: list[int] = table["occurred_at"].cast(pa.int64()).to_pylist()
    known = _known(engine, {keys[place] for place in places})
    new: dict[_Key, int] = {}
    for place in places:
        if keys[place] not in known:
            known[keys[place]] = times[place]
            new[keys[place]] = place
        times[place] = known[keys[place]]
    if new:
        engine.insert("pins", _pins(table.take(list(new.values()))))
    column = table.schema.get_field_index("occurred_at")
    moved = table.set_column(column, "occurred_at", pa.array(times, SCHEMA.field("occurred_at").type))
    return moved.replace_schema_metadata(None)


def _known(engine: Engine, keys: set[_Key]) -> dict[_Key, int]:
    found = engine.query(
        "SELECT project, event_id, occurred_at FROM pins FINAL "
        "WHERE project IN {projects:Array(UInt32)} AND event_id IN {ids:Array(UInt64)}",
        {"projects": sorted({project for project, _ in keys}), "ids": sorted({event_id for _, event_id in keys})},
    )
    return {(project, event_id): round(utc(at).timestamp() * 1000) for project, event_id, at in found}


def _pins(rows: pa.Table) -> pa.Table:
    """Rows of `pins`: of two for one event, the one received first wins."""
    received = rows["received_at"].cast(pa.int64()).to_pylist()
    precedence = pa.array([(1 << 64) - 1 - at for at in received], pa.uint64())
    return rows.select(["project", "event_id", "occurred_at", "expires_at"]).append_column("precedence", precedence)
