"""The spool: batches on disk, in order, for when the engine is away.

A batch is one file, written aside, fsynced and renamed, so that a file that has its name is whole. Its token goes
to the engine with it: a batch that went in before a crash could remove its file goes in once.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

_SUFFIX = ".arrow"


@dataclass(frozen=True)
class Spooled:
    """A batch on disk."""

    path: Path
    table: str
    token: str

    def read(self) -> pa.Table:
        """Its rows."""
        with pa.memory_map(str(self.path)) as source:
            return pa.ipc.open_stream(source).read_all()

    def remove(self) -> None:
        """Takes it out of the spool."""
        self.path.unlink(missing_ok=True)


class Spool:
    """Batches in a directory, named by their number, table and token: `000000000042.events.<token>.arrow`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        folder.mkdir(parents=True, exist_ok=True)
        for torn in folder.glob("*.tmp"):
            torn.unlink()
        numbers = [int(path.name.split(".", 1)[0]) for path in folder.glob(f"*{_SUFFIX}")]
        self._next = max(numbers, default=0) + 1

    def append(self, table: str, rows: pa.Table, token: str) -> None:
        """Puts a batch on disk; it is there on return."""
        with self._lock:
            number, self._next = self._next, self._next + 1
        path = self._folder / f"{number:012d}.{table}.{token}{_SUFFIX}"
        aside = path.with_suffix(".tmp")
        with aside.open("wb") as file:
            with pa.ipc.new_stream(file, rows.schema) as writer:
                writer.write_table(rows)
            file.flush()
            os.fsync(file.fileno())
        aside.rename(path)
        _sync_folder(self._folder)

    def batches(self) -> Iterator[Spooled]:
        """Every batch, oldest first."""
        for path in sorted(self._folder.glob(f"*{_SUFFIX}")):
            _, table, token, _ = path.name.split(".")
            yield Spooled(path, table, token)

    def size(self) -> tuple[int, int]:
        """How many batches, and how many bytes; one that goes meanwhile does not count."""
        sizes = []
        for path in self._folder.glob(f"*{_SUFFIX}"):
            with suppress(FileNotFoundError):
                sizes.append(path.stat().st_size)
        return len(sizes), sum(sizes)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
