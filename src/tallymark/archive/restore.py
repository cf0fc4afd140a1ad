"""Restoring: the rows of an archive go back into `events` as they were, and stay for a while."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tallymark.archive.shelf import row_groups
from tallymark.archive.work import Work
from tallymark.engine.base import Engine
from tallymark.ingest.rows import SCHEMA
from tallymark.spec.project import Project

#: What tells events apart, in the order they are stored in: by name the SQL and its type.
_KEYS: Final = {
    "day": ("toDate(occurred_at)", "Date"),
    "event": ("event", "String"),
    "actor": ("actor", "UInt64"),
    "event_id": ("event_id", "UInt64"),
}


@dataclass(frozen=True)
class Restored:
    """How many events an archive has, and how many rows were written: those that are there for long enough are not."""

    rows: int
    written: int


def restore(engine: Engine, file: pq.ParquetFile, project: Project, until: datetime, work: Work) -> Restored:
    """Puts the events of a file into a project, where they stay until an instant at least.

    Identity and precedence are those of the archive: an event that is there already is not doubled, and of two
    versions of one the first to arrive still counts. No event's time becomes shorter.
    """
    rows = written = 0
    for events in row_groups(file):
        wanted = _missing(engine, _rows(events, project, until), project)
        if wanted.num_rows:
            engine.insert("events", wanted, secrets.token_hex(16))
        rows += events.num_rows
        written += wanted.num_rows
        work.report(rows, file.metadata.num_rows)
    return Restored(rows, written)


def _rows(events: pa.Table, project: Project, until: datetime) -> pa.Table:
    """Events of an archive as rows for the engine."""
    earliest = pa.scalar(int(until.timestamp()), pa.int64())
    expires_at = pc.max_element_wise(pc.divide(pc.cast(events["expires_at"], pa.int64()), 1000), earliest)
    columns = {name: events[name] for name in events.column_names}
    columns["expires_at"] = pc.cast(expires_at, pa.uint32())
    columns["project"] = pa.chunked_array([pa.repeat(pa.scalar(project.id, pa.uint32()), events.num_rows)])
    return pa.table([columns[field.name] for field in SCHEMA], schema=SCHEMA)


def _missing(engine: Engine, rows: pa.Table, project: Project) -> pa.Table:
    """Those of some rows, which are in the order of their keys, that aren't there, or not for as long."""
    there = _there(engine, rows, project)
    if not there.num_rows:
        return rows
    mine = _keys(rows).append_column("place", pa.array(range(rows.num_rows), pa.int64()))
    mine = mine.append_column("wanted", rows["expires_at"]).append_column("mine", rows["precedence"])
    both = mine.join(there, list(_KEYS), join_type="left outer").sort_by("place")
    longer = pc.and_(pc.equal(both["mine"], both["theirs"]), pc.less(both["until"], both["wanted"]))
    wins = pc.or_(pc.greater(both["mine"], both["theirs"]), longer)
    both = both.filter(pc.fill_null(wins, True))
    expires_at = pc.max_element_wise(both["wanted"], both["until"])
    column = rows.schema.get_field_index("expires_at")
    return rows.take(both["place"]).set_column(column, rows.schema.field(column), expires_at)


def _keys(rows: pa.Table) -> pa.Table:
    """What tells rows apart."""
    day = pc.cast(pc.floor_temporal(rows["occurred_at"], unit="day"), pa.date32())
    return pa.table({"day": day, **{name: rows[name] for name in list(_KEYS)[1:]}})


def _there(engine: Engine, rows: pa.Table, project: Project) -> pa.Table:
    """What there is from the key of the first row to that of the last: keys, precedence, and until when it stays."""
    keys = _keys(rows)
    first = {f"first_{name}": keys[name][0].as_py() for name in _KEYS}
    last = {f"last_{name}": keys[name][-1].as_py() for name in _KEYS}
    there = engine.read(
        "SELECT toDate(occurred_at) AS day, toString(event) AS name, actor, event_id, precedence AS theirs, "
        "toUnixTimestamp(expires_at) AS until FROM events FINAL WHERE project = {project:UInt32} "
        f"AND {_bound('>', 'first', list(_KEYS))} AND {_bound('<', 'last', list(_KEYS))}",
        {"project": project.id, **first, **last},
    )
    schema = pa.schema([*_keys(rows).schema, ("theirs", pa.uint64()), ("until", pa.uint32())])
    return there.rename_columns(schema.names).cast(schema)


def _bound(than: str, end: str, names: list[str]) -> str:
    """The condition for keys from one end on, that one included: as comparisons that an index is used for."""
    sql, type = _KEYS[names[0]]
    value = f"{{{end}_{names[0]}:{type}}}"
    if len(names) == 1:
        return f"{sql} {than}= {value}"
    rest = _bound(than, end, names[1:])
    return f"({sql} {than}= {value} AND ({sql} {than} {value} OR ({sql} = {value} AND {rest})))"
