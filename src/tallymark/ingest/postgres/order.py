"""The order that rows are read in: by the cursor column and then the key, which tells rows of one moment apart.

A place in it is the values of these columns as text, as the database writes and reads them: no value changes on its
way here and back.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import msgspec

from tallymark.errors import BadRequest
from tallymark.ingest.postgres.table import Column, Table
from tallymark.spec import duration

Kind = Literal["time", "number", "text"]

_KINDS: Final[dict[str, Kind]] = {
    "timestamp with time zone": "time",
    "timestamp without time zone": "time",
    "date": "time",
    "smallint": "number",
    "integer": "number",
    "bigint": "number",
    "numeric": "number",
    "uuid": "text",
    "text": "text",
    "character varying": "text",
}

#: How far before the last row a run begins again, unless it is said: rows may be committed later than others that
#: have a greater cursor.
_OVERLAPS: Final[dict[str, str]] = {"time": "5m", "date": "1d", "number": "1000", "text": "0"}

_NONE: Final = "0"


class Place(msgspec.Struct, frozen=True):
    """How far a run has come in a table: columns and their values in a row."""

    table: str
    by: tuple[str, ...]
    at: tuple[str, ...]

    def text(self) -> str:
        """The place as JSON."""
        return msgspec.json.encode(self).decode()


@dataclass(frozen=True)
class Order:
    """The order of a table's rows. `overlap` is a duration for times, a number for numbers."""

    table: Table
    cursor: Column
    key: tuple[Column, ...]
    kind: Kind
    overlap: str

    @property
    def columns(self) -> tuple[Column, ...]:
        """What rows are ordered by."""
        return (self.cursor, *(column for column in self.key if column != self.cursor))

    def place(self, at: Sequence[str]) -> Place:
        """The place of a row with these values."""
        return Place(self.table.title, tuple(column.name for column in self.columns), tuple(at))

    def read(self, text: str) -> Place:
        """The place that was written as text. Errors: `BadRequest` where it is of another order."""
        try:
            place = msgspec.json.decode(text, type=Place)
        except (msgspec.DecodeError, msgspec.ValidationError):
            place = self.place(())
        if (place.table, place.by, len(place.at)) != (*_names(self), len(self.columns)):
            raise BadRequest(
                "The sync of this name was begun with another table, cursor or key: give this one another name with "
                "--name, or begin anew with --restart.",
                field="name",
            )
        return place

    def present(self) -> str:
        """SQL: whether a row has a place at all."""
        return " AND ".join(f"{column.sql} IS NOT NULL" for column in self.columns)

    def due(self) -> str:
        """SQL: whether a row's time has come: one far ahead would hide all that come after it."""
        if self.kind != "time":
            return "true"
        return f"{self.cursor.sql} <= (now() + interval '1 day')::{self.cursor.type}"

    def after(self, first: int = 1) -> str:
        """SQL: whether a row comes after the place whose values are the parameters from `first` on."""
        values = ", ".join(f"${n}::text::{column.type}" for n, column in enumerate(self.columns, first))
        return f"({', '.join(column.sql for column in self.columns)}) > ({values})"

    def since(self) -> str:
        """SQL: whether a row comes after the place, or within the overlap before it."""
        if self.overlap == _NONE:
            return self.after()
        step = f"interval '{self.overlap} seconds'" if self.kind == "time" else self.overlap
        return f"{self.cursor.sql} >= $1::text::{self.cursor.type} - {step}"

    def since_values(self, place: Place) -> tuple[str, ...]:
        """The parameters that `since` takes of a place."""
        return place.at if self.overlap == _NONE else place.at[:1]

    def by(self) -> str:
        """SQL: the order."""
        return ", ".join(column.sql for column in self.columns)


def order_of(table: Table, cursor: str, key: Sequence[str], overlap: str | None) -> Order:
    """The order by a cursor column, and by a key where the table itself has none. Errors: `BadRequest`."""
    column = table.column(cursor)
    kind = _KINDS.get(column.base)
    if kind is None:
        raise BadRequest(
            f"Rows can't be followed by {column.name}, which is {column.type}: a cursor is a time, a number or a text.",
            field="cursor",
            allowed=list(_KINDS),
        )
    columns = table.key or tuple(table.column(name) for name in key)
    if not columns:
        raise BadRequest(
            f"{table.title} has no primary key: name columns that no two rows share with --id-columns.", field="table"
        )
    usual = _OVERLAPS["date" if column.base == "date" else kind]
    return Order(table, column, columns, kind, _overlap(kind, usual if overlap is None else overlap))


def _overlap(kind: Kind, text: str) -> str:
    """Seconds for times, a number for numbers; '0' is none. Errors: `BadRequest`."""
    if text == _NONE:
        return _NONE
    if kind == "time":
        return str(duration.seconds(text, "overlap"))
    if kind == "number" and text.isascii() and text.isdigit() and len(text) <= len(str(10**15)):
        return text
    meant = "a whole number" if kind == "number" else "0"
    raise BadRequest(f"--overlap of this cursor is {meant}, not {text[:40]!r}.", field="overlap")


def _names(order: Order) -> tuple[str, tuple[str, ...]]:
    return order.table.title, tuple(column.name for column in order.columns)
