"""What each format makes of a value: read back, it is the value."""

import io
import json
import zipfile
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tallymark.export.formats import WRITERS, extension, media_type
from tallymark.export.source import Column, Kind, schema
from tallymark.export.to_xlsx import SHEET_ROWS, write_xlsx
from tallymark.spec.export import Format
from tests.export.reading import number, read, sheets

DAY = date(1970, 1, 1)

COLUMNS = [
    Column("text", Kind.TEXT), Column("code", Kind.CODE), Column("json", Kind.JSON), Column("at", Kind.INSTANT),
    Column("day", Kind.DAY), Column("n", Kind.INTEGER), Column("x", Kind.NUMBER), Column("sum", Kind.AMOUNT),
]  # fmt: skip

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20) | st.text(
    "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20\"',;<r>_x0/ \0{}", max_size=9
)

ROWS = st.lists(
    st.tuples(
        TEXTS,
        st.text("0123456789abcdef", max_size=16),
        TEXTS.map(lambda text: json.dumps({"text": text}, ensure_ascii=False)),
        st.integers(0, 4_102_444_799_999),
        st.dates(date(1970, 1, 1), date(2099, 12, 31)),
        st.none() | st.integers(-(2**63), 2**63 - 1),
        st.none() | st.floats(-1e15, 1e15),
        st.none() | st.integers(-(10**37), 10**37).map(lambda n: Decimal(n).scaleb(-9)),
    ),
    max_size=5,
)


def page(rows: Sequence[tuple[Any, ...]]) -> pa.Table:
    """Rows as a page."""
    arrays = [pa.array([row[n] for row in rows], of.type) for n, of in enumerate(schema(COLUMNS))]
    return pa.table(arrays, schema=schema(COLUMNS))


def written(format: Format, pages: Iterator[pa.Table], scratch: Path) -> bytes:
    """The file of pages."""
    sink = io.BytesIO()
    WRITERS[format](COLUMNS, pages, sink, scratch)
    assert not sink.closed
    return sink.getvalue()


def expected(row: tuple[Any, ...], format: Format) -> dict[str, Any]:
    """What is read of a row, as texts where a format has nothing else."""
    values: dict[str, Any] = dict(zip([column.name for column in COLUMNS], row, strict=True))
    at = datetime.fromtimestamp(values["at"] / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if format in (Format.PARQUET, Format.ARROW):
        return {**values, "at": at}
    if format in (Format.JSON, Format.JSONL):
        return {**values, "at": at, "day": str(values["day"]), "json": json.loads(values["json"])}
    if format is Format.CSV and values["text"].startswith(tuple("=+-@\t\r\uff1d\uff0b\uff0d\uff20")):
        values["text"] = f"'{values['text']}"
    texts = {**values, "at": at, "day": str(values["day"])}
    return {name: None if value == "" else value for name, value in texts.items()}


def near(found: Any, wanted: Any, format: Format) -> bool:
    """Whether numbers are equal: to the last digit, or to the sixteenth, which is all that a workbook has."""
    if found is None or wanted is None:
        return found is wanted
    if format is Format.CSV:
        return bool(type(wanted)(found) == wanted)
    return bool(float(found) == pytest.approx(float(wanted), rel=2e-16 if format is not Format.XLSX else 1e-15, abs=0))


@pytest.mark.parametrize("format", Format)
@given(rows=ROWS)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_read_is_what_was_written(format: Format, tmp_path: Path, rows: list[tuple[Any, ...]]) -> None:
    pages = [page(rows[n : n + 2]) for n in range(0, len(rows), 2)]
    found = read(format, written(format, iter(pages), tmp_path))
    assert len(found) == len(rows)
    for one, row in zip(found, rows, strict=True):
        wanted = expected(row, format)
        for name in ("text", "code", "json", "at", "day"):
            assert one[name] == wanted[name]
        for name in ("n", "x", "sum"):
            assert near(one[name], wanted[name], format)


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "=",
        '=HYPERLINK("x")',
        "-,\n",
        "\uff1d1",
        "\uff0b1",
        "\uff0d1",
        "\uff20A",
    ],
)
def test_a_text_is_no_formula(tmp_path: Path, text: str) -> None:
    rows = page([(text, "", "{}", 0, date(1970, 1, 1), -1, -1.5, Decimal(-1))])
    (in_csv,) = read(Format.CSV, written(Format.CSV, iter([rows]), tmp_path))
    assert in_csv["text"] == f"'{text}"
    assert [number(in_csv[name]) for name in ("n", "x", "sum")] == [-1, -1.5, -1]
    (in_xlsx,) = read(Format.XLSX, written(Format.XLSX, iter([rows]), tmp_path))
    assert in_xlsx["text"] == text
    assert [in_xlsx[name] for name in ("n", "x", "sum")] == [-1, -1.5, -1]


def test_csv_is_as_rfc_4180_says(tmp_path: Path) -> None:
    rows = page(
        [('a "b", c', "0f", '{"k":1}', 1, date(2026, 3, 10), 1, 0.5, None), ("", "", "[]", 0, DAY, None, None, None)]
    )
    assert written(Format.CSV, iter([rows]), tmp_path) == (
        b"text,code,json,at,day,n,x,sum\r\n"
        b'"a ""b"", c",0f,"{""k"":1}",1970-01-01T00:00:00.001Z,2026-03-10,1,0.5,\r\n'
        b',,"[]",1970-01-01T00:00:00.000Z,1970-01-01,,,\r\n'
    )


def numbered(rows: int, per_page: int) -> Iterator[pa.Table]:
    """Pages of a column of numbers."""
    for first in range(0, rows, per_page):
        yield pa.table({"n": pa.array(range(first, min(first + per_page, rows)), pa.int64())})


@pytest.mark.parametrize("rows", [0, 1, 3, 4, 6, 7, 10])
def test_a_workbook_has_as_many_sheets_as_it_needs(tmp_path: Path, rows: int) -> None:
    sink = io.BytesIO()
    write_xlsx([Column("n", Kind.INTEGER)], numbered(rows, 2), sink, tmp_path, sheet_rows=4)
    found = sheets(sink.getvalue())
    assert [sheet[0] for sheet in found] == [["n"]] * max(1, -(-rows // 3))
    assert [row for sheet in found for row in sheet[1:]] == [[n] for n in range(rows)]
    assert max(map(len, found)) <= 4


def test_a_sheet_is_as_long_as_excel_allows(tmp_path: Path) -> None:
    sink = io.BytesIO()
    write_xlsx([Column("n", Kind.INTEGER)], numbered(SHEET_ROWS, 100_000), sink, tmp_path)
    with zipfile.ZipFile(sink) as book:
        lengths = [book.read(f"xl/worksheets/sheet{n}.xml").count(b"<row ") for n in (1, 2)]
    assert SHEET_ROWS == 1_048_576
    assert lengths == [1_048_576, 2]


def test_a_cell_holds_what_excel_allows(tmp_path: Path) -> None:
    sink = io.BytesIO()
    texts = ["x" * 32_767, "x" * 32_768, "😀" * 16_384, "<r>" + "x" * 40_000]
    write_xlsx([Column("t", Kind.TEXT)], iter([pa.table({"t": texts})]), sink, tmp_path)
    found = [row[0] for row in sheets(sink.getvalue())[0][1:]]
    assert found == ["x" * 32_767, "x" * 32_767, "😀" * 16_383, "<r>" + "x" * 32_764]


def test_the_same_pages_are_the_same_bytes_however_they_are_cut(tmp_path: Path) -> None:
    rows = [(f"t{n % 7}", f"{n:x}", "{}", n, DAY, n, n / 7, Decimal(n)) for n in range(1_000)]
    for format in Format:
        files = {
            written(format, iter([page(rows[n : n + cut]) for n in range(0, len(rows), cut)]), tmp_path)
            for cut in (1_000, 333, 64)
        }
        assert len(files) == 1


def test_every_format_has_a_type_and_an_ending() -> None:
    assert len({media_type(format) for format in Format}) == len(Format)
    assert len({extension(format) for format in Format}) == len(Format)
    assert all("/" in media_type(format) and extension(format).isalnum() for format in Format)
