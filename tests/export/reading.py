"""Files of exports read back by other programs than those that write them, as rows of plain values."""

import csv
import io
import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq

from tallymark.spec.export import Format

Row = dict[str, Any]

#: Excel's way to write characters that XML can't, and to write what looks like that way.
_EXCELS: Final = re.compile("_x([0-9A-Fa-f]{4})_")


def read(format: Format, data: bytes) -> list[Row]:
    """The rows of a file; of a CSV file and a workbook the cells are texts, and None where they are empty."""
    return _READERS[format](data)


def header(format: Format, data: bytes) -> list[str]:
    """The names of the columns of a file that says them."""
    if format is Format.CSV:
        return next(csv.reader(io.StringIO(data.decode(), newline="")))
    if format is Format.XLSX:
        sheet = openpyxl.load_workbook(io.BytesIO(data)).active
        return [cell.value for cell in sheet[1]]
    return list((pq.read_schema(io.BytesIO(data)) if format is Format.PARQUET else pa.ipc.open_file(data).schema).names)


def sheets(data: bytes) -> list[list[list[Any]]]:
    """The cells of every sheet of a workbook, with its header; no cell is a formula."""
    book = openpyxl.load_workbook(io.BytesIO(data))
    cells = [[list(row) for row in sheet.iter_rows()] for sheet in book.worksheets]
    assert {cell.data_type for sheet in cells for row in sheet for cell in row} <= {"s", "n", "inlineStr"}
    assert not any(cell.hyperlink for sheet in cells for row in sheet for cell in row)
    return [[[_excels(cell.value) for cell in row] for row in sheet] for sheet in cells]


def number(cell: Any) -> float | None:
    """A number, or the text of one."""
    return None if cell is None else float(cell)


def _csv(data: bytes) -> list[Row]:
    assert data.endswith(b"\r\n")
    rows = csv.DictReader(io.StringIO(data.decode("utf-8"), newline=""), strict=True)
    return [{name: cell or None for name, cell in row.items()} for row in rows]


def _json(data: bytes) -> list[Row]:
    rows = json.loads(data)
    assert isinstance(rows, list)
    return rows


def _jsonl(data: bytes) -> list[Row]:
    return [json.loads(line) for line in data.decode("utf-8").split("\n") if line]


def _xlsx(data: bytes) -> list[Row]:
    pages = sheets(data)
    assert len({tuple(sheet[0]) for sheet in pages}) == 1
    return [dict(zip(sheet[0], row, strict=True)) for sheet in pages for row in sheet[1:]]


def _parquet(data: bytes) -> list[Row]:
    return _plain(pq.read_table(io.BytesIO(data)).to_pylist())


def _arrow(data: bytes) -> list[Row]:
    return _plain(pa.ipc.open_file(data).read_all().to_pylist())


def _plain(rows: Sequence[Mapping[str, Any]]) -> list[Row]:
    return [{name: _instant(value) for name, value in row.items()} for row in rows]


def _instant(value: Any) -> Any:
    if not isinstance(value, datetime):
        return value
    assert value.utcoffset() is not None
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _excels(value: Any) -> Any:
    return _EXCELS.sub(lambda found: chr(int(found[1], 16)), value) if isinstance(value, str) else value


_READERS: Final[Mapping[Format, Callable[[bytes], list[Row]]]] = {
    Format.CSV: _csv,
    Format.JSON: _json,
    Format.JSONL: _jsonl,
    Format.XLSX: _xlsx,
    Format.PARQUET: _parquet,
    Format.ARROW: _arrow,
}
