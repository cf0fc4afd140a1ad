"""JSON: an array of objects, one a line, and JSON lines: the objects alone. All have all fields, in one order."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from tallymark.export.source import Column, Kind
from tallymark.export.texts import distinct, joined, text_of


def write_jsonl(columns: Sequence[Column], pages: Iterator[pa.Table], sink: BinaryIO, _scratch: Path) -> None:
    """Writes pages as JSON lines."""
    for page in pages:
        sink.write(_objects(columns, page, "", "\n"))


def write_json(columns: Sequence[Column], pages: Iterator[pa.Table], sink: BinaryIO, _scratch: Path) -> None:
    """Writes pages as one array."""
    sink.write(b"[")
    begun = False
    for page in pages:
        objects = _objects(columns, page, ",\n", "")
        sink.write(objects if begun else objects[1:])
        begun = True
    sink.write(b"\n]\n")


def _objects(columns: Sequence[Column], page: pa.Table, before: str, after: str) -> bytes:
    parts: list[pa.Array | str] = []
    lead = f"{before}{{"
    for column, values in zip(columns, page.combine_chunks().columns, strict=True):
        parts += [f"{lead}{_quoted(column.name)}:", _values(values.chunk(0), column.kind)]
        lead = ","
    return joined([*parts, f"}}{after}"])


def _values(values: pa.Array, kind: Kind) -> pa.Array:
    if kind is Kind.TEXT:
        return distinct(values, _quoted)
    texts = text_of(values, kind)
    if kind in (Kind.CODE, Kind.INSTANT, Kind.DAY):
        return pc.binary_join_element_wise('"', texts, '"', "")
    return pc.fill_null(texts, "null")


def _quoted(text: str) -> str:
    return msgspec.json.encode(text).decode()
