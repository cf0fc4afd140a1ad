"""The formats of files: who writes them, how they are called on the web, and what their names end with."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, Final

import pyarrow as pa

from tallymark.export.source import Column
from tallymark.export.to_arrow import write_arrow, write_parquet
from tallymark.export.to_csv import write_csv
from tallymark.export.to_json import write_json, write_jsonl
from tallymark.export.to_xlsx import write_xlsx
from tallymark.spec.export import Format

#: Writes the pages of a content into a sink; the directory is for temporary files.
Writer = Callable[[Sequence[Column], Iterator[pa.Table], BinaryIO, Path], None]

WRITERS: Final[Mapping[Format, Writer]] = {
    Format.CSV: write_csv,
    Format.JSON: write_json,
    Format.JSONL: write_jsonl,
    Format.XLSX: write_xlsx,
    Format.PARQUET: write_parquet,
    Format.ARROW: write_arrow,
}

_MEDIA_TYPES: Final = {
    Format.CSV: "text/csv; charset=utf-8; header=present",
    Format.JSON: "application/json",
    Format.JSONL: "application/x-ndjson",
    Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    Format.PARQUET: "application/vnd.apache.parquet",
    Format.ARROW: "application/vnd.apache.arrow.file",
}


def media_type(format: Format) -> str:
    """The `Content-Type` of a file."""
    return _MEDIA_TYPES[format]


def extension(format: Format) -> str:
    """What a file's name ends with, without the dot."""
    return str(format)
