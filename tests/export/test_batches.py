"""Batches depend on rows alone, and have all of them."""

from itertools import pairwise

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from tallymark.export.batches import batches

ROWS = st.lists(st.tuples(st.text(max_size=9), st.text("ab", max_size=3), st.none() | st.integers(0, 9)), max_size=40)


def table(rows: list[tuple[str, str, int | None]]) -> pa.Table:
    columns = [[row[place] for row in rows] for place in range(3)]
    return pa.table(
        [pa.array(c, t) for c, t in zip(columns, (pa.string(), pa.string(), pa.int64()), strict=True)], "abc"
    )


def oracle(rows: list[tuple[str, str, int | None]], most_rows: int, most_bytes: int) -> list[int]:
    """How many rows each batch has."""
    lengths, n, size = [], 0, 0
    for a, b, _ in rows:
        n, size = n + 1, size + len(a.encode()) + len(b)
        if n == most_rows or size >= most_bytes:
            lengths.append(n)
            n, size = 0, 0
    return [*lengths, n] if n else lengths


@given(ROWS, st.integers(1, 10), st.integers(1, 40), st.lists(st.integers(0, 40), max_size=5))
def test_however_pages_are_cut(
    rows: list[tuple[str, str, int | None]], most_rows: int, most_bytes: int, cuts: list[int]
) -> None:
    places = sorted({0, len(rows), *(cut for cut in cuts if cut < len(rows))})
    pages = iter([table(rows[first:last]) for first, last in pairwise(places)])
    found = list(batches(pages, most_rows, most_bytes))
    assert [batch.num_rows for batch in found] == oracle(rows, most_rows, most_bytes)
    assert [tuple(row.values()) for batch in found for row in batch.to_pylist()] == rows
    assert all(column.num_chunks == 1 for batch in found for column in batch.columns)
