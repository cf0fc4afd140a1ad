"""Rows cut into batches by nothing but the rows themselves, so that a file made of batches is always the same."""

from collections.abc import Iterator
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

#: Rows of a batch at most, and bytes of its texts after which it ends.
_MOST_ROWS: Final = 32_768
_MOST_BYTES: Final = 16 << 20


def batches(
    pages: Iterator[pa.Table], most_rows: int = _MOST_ROWS, most_bytes: int = _MOST_BYTES
) -> Iterator[pa.Table]:
    """The rows of pages, in order: each batch ends where either limit is reached, the last one with the rows."""
    open_rows: pa.Table | None = None
    for page in pages:
        open_rows = page if open_rows is None else pa.concat_tables([open_rows, page])
        while (end := _end(open_rows, most_rows, most_bytes)) is not None:
            yield open_rows.slice(0, end).combine_chunks()
            open_rows = open_rows.slice(end)
    if open_rows is not None and open_rows.num_rows:
        yield open_rows.combine_chunks()


def _end(rows: pa.Table, most_rows: int, most_bytes: int) -> int | None:
    """How many of these rows make a batch; None where they don't fill one."""
    if not rows.num_rows:
        return None
    reached = pc.greater_equal(pc.cumulative_sum(_text_bytes(rows)), most_bytes)
    full = pc.index(reached, True).as_py()
    if 0 <= full < most_rows:
        return int(full) + 1
    return most_rows if rows.num_rows >= most_rows else None


def _text_bytes(rows: pa.Table) -> pa.ChunkedArray:
    """The bytes of each row's texts."""
    sizes = pa.chunked_array([pa.repeat(pa.scalar(0, pa.int64()), rows.num_rows)])
    for column in rows.columns:
        if column.type == pa.string():
            sizes = pc.add(sizes, pc.binary_length(column))
    return sizes
