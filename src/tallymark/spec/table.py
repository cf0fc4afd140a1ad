"""Tables of a pack: events of one kind as rows, with columns of their own, as they are exported."""

from dataclasses import dataclass
from typing import Literal

from tallymark.spec.condition import Condition, Field

#: What a column holds; `hash` are 64 bits as hexadecimal digits, empty for none.
TableKind = Literal["text", "hash", "instant", "number", "integer"]


@dataclass(frozen=True)
class TableColumn:
    """A column: its name, what it holds, and the field of the event it is read from."""

    name: str
    kind: TableKind
    field: Field


@dataclass(frozen=True)
class Table:
    """The events for which `where` holds, a row each."""

    name: str
    help: str
    where: Condition
    columns: tuple[TableColumn, ...]
