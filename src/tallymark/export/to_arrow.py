"""Columnar files: Parquet, and Arrow's file format. Both hold the columns' types, and both are compressed."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from tallymark.export.batches import batches
from tallymark.export.source import Column, schema


def write_parquet(columns: Sequence[Column], pages: Iterator[pa.Table], sink: BinaryIO, _scratch: Path) -> None:
    """Writes pages as Parquet, a row group a batch."""
    with pq.ParquetWriter(sink, schema(columns), compression="zstd") as writer:
        for batch in batches(pages):
            writer.write_table(batch)


def write_arrow(columns: Sequence[Column], pages: Iterator[pa.Table], sink: BinaryIO, _scratch: Path) -> None:
    """Writes pages as an Arrow file of record batches."""
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    with pa.ipc.new_file(sink, schema(columns), options=options) as writer:
        for batch in batches(pages):
            writer.write_table(batch)
