"""Where exports read from, and what is read: columns that are known before the first row, and pages of rows."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

import pyarrow as pa

from tallymark.answer.run import Answerer
from tallymark.engine.base import Engine


@dataclass(frozen=True)
class Source:
    """What exports are read with; `scratch` is a directory for what a file format must keep on disk meanwhile."""

    answerer: Answerer
    scratch: Path

    @property
    def engine(self) -> Engine:
        """The engine that holds the rows."""
        return self.answerer.engine


class Kind(StrEnum):
    """What a column holds. `TEXT` is whatever a sender wrote; `CODE` needs no quotes in any format.

    `BITS` are 64 of them, and `TEXTS` a list: only Parquet and Arrow have such columns.
    """

    TEXT = "text"
    CODE = "code"
    JSON = "json"
    INSTANT = "instant"
    DAY = "day"
    INTEGER = "integer"
    NUMBER = "number"
    AMOUNT = "amount"
    BITS = "bits"
    TEXTS = "texts"


_TYPES: Final = {
    Kind.TEXT: pa.string(),
    Kind.CODE: pa.string(),
    Kind.JSON: pa.string(),
    Kind.INSTANT: pa.timestamp("ms", "UTC"),
    Kind.DAY: pa.date32(),
    Kind.INTEGER: pa.int64(),
    Kind.NUMBER: pa.float64(),
    Kind.AMOUNT: pa.decimal128(38, 9),
    Kind.BITS: pa.uint64(),
    Kind.TEXTS: pa.list_(pa.string()),
}


@dataclass(frozen=True)
class Column:
    """A column of a file; numbers may be absent, texts may be empty."""

    name: str
    kind: Kind


def schema(columns: Sequence[Column]) -> pa.Schema:
    """The columns as an Arrow schema."""
    return pa.schema([(column.name, _TYPES[column.kind]) for column in columns])


@dataclass(frozen=True)
class Content:
    """What goes into a file. `pages` are tables of `schema(columns)`, none of them empty, read as they are taken.

    `expected`: how many rows there will be, or a little more.
    """

    columns: Sequence[Column]
    expected: int
    pages: Iterator[pa.Table]
