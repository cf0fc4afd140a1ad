"""Pages as text, whole columns at a time: Python sees a text once a page, however many rows have it."""

from collections.abc import Callable, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from tallymark.export.source import Kind


def text_of(values: pa.Array, kind: Kind) -> pa.Array:
    """A column as text: instants in UTC with milliseconds, numbers with as many digits as they need; nulls stay."""
    if kind is Kind.INSTANT:
        return pc.strftime(values, "%Y-%m-%dT%H:%M:%SZ")
    return values if values.type == pa.string() else pc.cast(values, pa.string())


def distinct(values: pa.Array, write: Callable[[str], str]) -> pa.Array:
    """Texts, each as `write` has it."""
    coded = pc.dictionary_encode(values)
    return pa.array([write(text) for text in coded.dictionary.to_pylist()], pa.string()).take(coded.indices)


def joined(parts: Sequence[pa.Array | str]) -> bytes:
    """Columns, and texts that stand between them in every row, as one text of all rows; no part may be null."""
    lines = pc.binary_join_element_wise(*parts, "")
    size = pc.sum(pc.binary_length(lines)).as_py() or 0
    return bytes(lines.buffers()[2][:size])
