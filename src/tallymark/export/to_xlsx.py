"""XLSX: a workbook whose sheets are as long as Excel allows. Texts are texts, never formulas, links or numbers."""

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, Final

import pyarrow as pa
from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from tallymark.export.source import Column, Kind
from tallymark.export.texts import text_of

#: What Excel allows: rows of a sheet, the header among them, and UTF-16 units of a cell's text.
SHEET_ROWS: Final = 1_048_576
_CELL_UNITS: Final = 32_767

_NUMBERS: Final = (Kind.INTEGER, Kind.NUMBER)

#: Files of the same rows are the same: a workbook says when it was made, and all say this.
_CREATED: Final = datetime(1980, 1, 1)


def write_xlsx(
    columns: Sequence[Column], pages: Iterator[pa.Table], sink: BinaryIO, scratch: Path, sheet_rows: int = SHEET_ROWS
) -> None:
    """Writes pages as a workbook; each of its sheets begins with a header."""
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        path = Path(folder) / "workbook"
        with _workbook(path) as workbook:
            _write_sheets(workbook, columns, pages, sheet_rows)
        with path.open("rb") as file:
            shutil.copyfileobj(file, sink, 1 << 20)


@contextmanager
def _workbook(path: Path) -> Iterator[Workbook]:
    """A workbook that keeps one row in memory, the others beside it."""
    options = {
        "constant_memory": True, "tmpdir": str(path.parent), "use_zip64": True,
        "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False,
    }  # fmt: skip
    workbook = Workbook(path, options)
    workbook.set_properties({"created": _CREATED})
    try:
        yield workbook
    except BaseException:
        for sheet in workbook.worksheets():
            sheet._opt_close()  # its file; the workbook's own way to end is to write everything
        raise
    workbook.close()


def _write_sheets(workbook: Workbook, columns: Sequence[Column], pages: Iterator[pa.Table], sheet_rows: int) -> None:
    plain = workbook.add_format()
    sheet, row = _sheet(workbook, columns), 1
    for page in pages:
        for cells in _rows(columns, page):
            if row == sheet_rows:
                sheet, row = _sheet(workbook, columns), 1
            for place, cell in enumerate(cells):
                if isinstance(cell, str):
                    _write_text(sheet, row, place, cell, plain)
                elif cell is not None:
                    sheet.write_number(row, place, cell)
            row += 1


def _sheet(workbook: Workbook, columns: Sequence[Column]) -> Worksheet:
    """A new sheet with its header."""
    sheet = workbook.add_worksheet()
    for place, column in enumerate(columns):
        sheet.write_string(0, place, column.name)
    return sheet


def _rows(columns: Sequence[Column], page: pa.Table) -> Iterator[tuple[Any, ...]]:
    """The cells of each row: texts, numbers and None."""
    arrays = page.combine_chunks().columns
    return zip(
        *(_values(values.chunk(0), column.kind) for column, values in zip(columns, arrays, strict=True)), strict=True
    )


def _values(values: pa.Array, kind: Kind) -> list[Any]:
    if kind is Kind.AMOUNT:
        return [None if amount is None else float(amount) for amount in values.to_pylist()]
    plain: list[Any] = values.to_pylist() if kind in _NUMBERS else text_of(values, kind).to_pylist()
    return plain


def _write_text(sheet: Worksheet, row: int, place: int, text: str, plain: Format) -> None:
    """Writes a text; an empty one is an empty cell."""
    if not text:
        return
    if len(text) > _CELL_UNITS // 2:
        text = text.encode("utf-16-le")[: _CELL_UNITS * 2].decode("utf-16-le", "ignore")
    if text.startswith("<r>"):  # which the library would take for markup of its own, and not escape
        sheet.write_rich_string(row, place, text[:1], plain, text[1:])
    else:
        sheet.write_string(row, place, text)
