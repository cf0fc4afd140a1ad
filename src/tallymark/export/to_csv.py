"""CSV after RFC 4180: a header, CRLF, quotes doubled, UTF-8. Nothing in it runs in a spreadsheet."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Final

import pyarrow as pa
import pyarrow.compute as pc

from tallymark.export.source import Column, Kind
from tallymark.export.texts import distinct, joined, text_of

#: Spreadsheets take a text that begins so for a formula; some of them full-width signs, too.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")

_NEEDS_QUOTES: Final = frozenset('",\r\n')


def write_csv(columns: Sequence[Column], pages: Iterator[pa.Table], sink: BinaryIO, _scratch: Path) -> None:
    """Writes pages as CSV. What is absent, and an empty text, is an empty cell."""
    sink.write(",".join(column.name for column in columns).encode() + b"\r\n")
    for page in pages:
        sink.write(_lines(columns, page))


def _lines(columns: Sequence[Column], page: pa.Table) -> bytes:
    parts: list[pa.Array | str] = []
    for column, values in zip(columns, page.combine_chunks().columns, strict=True):
        parts += [_cells(values.chunk(0), column.kind), ","]
    return joined([*parts[:-1], "\r\n"])


def _cells(values: pa.Array, kind: Kind) -> pa.Array:
    if kind is Kind.TEXT:
        return distinct(values, cell)
    if kind is Kind.JSON:
        return pc.binary_join_element_wise('"', pc.replace_substring(values, '"', '""'), '"', "")
    return pc.fill_null(text_of(values, kind), "")


def cell(text: str) -> str:
    """A text as a cell: quoted where it needs quotes, and never a formula."""
    harmless = f"'{text}" if text.startswith(_FORMULA) else text
    if _NEEDS_QUOTES.isdisjoint(harmless):
        return harmless
    return '"' + harmless.replace('"', '""') + '"'
