"""Which columns are read, and as what: every type as JSON has it.

Only what is mapped is read, unless all columns are asked for. What a column's name says to be personal data may be
who did it, which is hashed, and nothing else.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from tallymark.errors import BadRequest
from tallymark.ingest.pii_keys import promised
from tallymark.ingest.postgres.order import Order
from tallymark.ingest.postgres.table import Column, Table
from tallymark.ingest.tables import Columns

_HASHED: Final = frozenset({"actor", "userId", "visitorId", "anonymousId", "sessionId"})
_INEXACT: Final = frozenset({"real", "double precision", "numeric"})
_SCALABLE: Final = frozenset({*_INEXACT, "smallint", "integer", "bigint", "interval"})


@dataclass(frozen=True)
class Selection:
    """The columns that are read, as SQL by name, and those that are left out though all were asked for."""

    read: Mapping[str, str]
    left_out: tuple[str, ...] = ()

    def json(self) -> str:
        """SQL: the row of a table `t` as JSON."""
        cells = ", ".join(f"{sql} AS {_quoted(name)}" for name, sql in self.read.items())
        return f"(SELECT row_to_json(r) FROM (SELECT {cells}) r)::text"


def select(order: Order, columns: Columns, scales: Mapping[str, float]) -> Selection:
    """The columns that events are made of. Errors: `BadRequest` for one that there isn't, or that is personal."""
    table = order.table
    mapped = {name: _source(table, field, name) for field, name in columns.sources.items()}
    wanted = {column.name: column for column in mapped.values()}
    left_out: tuple[str, ...] = ()
    if not columns.drop_unmapped:
        others = [column for column in table.columns if column.name not in wanted]
        people = any(promised(column.name) for column in table.columns)
        left_out = tuple(column.name for column in others if _unfit(column, people))
        wanted |= {c.name: c for c in others if c.name not in left_out and c not in order.columns}
    for name in scales:
        if table.column(name).base not in _SCALABLE:
            raise BadRequest(f"{name} is no number, so it can't be scaled.", field="scale")
    return Selection({name: _sql(column, scales.get(name)) for name, column in wanted.items()}, left_out)


def _source(table: Table, field: str, name: str) -> Column:
    """The column that a field comes from; a dot steps into JSON. Errors: `BadRequest`."""
    for kind in filter(None, (promised(name), promised(field) if field.startswith("properties.") else "")):
        if field not in _HASHED and not (field == "ip" and kind == "ip"):
            raise BadRequest(
                f"{name} says that it is personal data ({kind}): it may be the user, of whom a hash is kept, as in "
                f"--map userId={name}, and can't be {field}.",
                field=field,
            )
    known = {column.name for column in table.columns}
    first = name.partition(".")[0]
    return table.column(first if name not in known and first in known else name)


def _unfit(column: Column, people: bool) -> bool:
    """Whether a column becomes no property by itself; in a table of `people` a name is theirs."""
    return bool(promised(column.name)) or column.base == "bytea" or (people and column.name == "name")


def _sql(column: Column, scale: float | None) -> str:
    """The column's cell: bytes in hexadecimal, an interval in milliseconds, what JSON has no number for absent."""
    if column.base == "bytea":
        return f"encode({column.sql}, 'hex')"
    exact = f"extract(epoch FROM {column.sql}) * 1000" if column.base == "interval" else column.sql
    scaled = exact if scale is None else f"({exact})::numeric * {_written(scale)}"
    if column.base in (*_INEXACT, "interval"):
        return f"CASE WHEN ({column.sql})::text IN ('NaN', 'Infinity', '-Infinity') THEN NULL ELSE {scaled} END"
    return scaled


def _written(scale: float) -> str:
    """The number as SQL writes it: a whole one without a point, that whole numbers stay whole."""
    return f"{scale:.0f}" if scale.is_integer() else repr(scale)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def identity_of(order: Order, names: tuple[str, ...]) -> tuple[Column, ...]:
    """The columns that tell one event from another: the key's, unless others are named. Errors: `BadRequest`."""
    return tuple(order.table.column(name) for name in names) or order.key


def casts(columns: tuple[Column, ...]) -> Iterator[str]:
    """SQL: the columns' values as text."""
    return (f"{column.sql}::text" for column in columns)
