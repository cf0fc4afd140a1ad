"""Where accepted rows go, for good: into the engine, or into the spool while the engine is away."""

import secrets
import threading
from dataclasses import dataclass, field

import pyarrow as pa
import structlog

from tallymark.engine.base import Engine
from tallymark.engine.refused import EngineRefused
from tallymark.errors import EngineUnavailable, QueueFull
from tallymark.ingest.pins import pinned
from tallymark.ingest.rows import Rows
from tallymark.ingest.spool import Spool

_log = structlog.get_logger()


@dataclass
class Store:
    """Stores rows durably. One thread at a time writes; `spool_bytes` bounds what waits on disk."""

    engine: Engine
    spool: Spool
    spool_bytes: int
    _waiting: bool = field(init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._waiting = next(self.spool.batches(), None) is not None

    def put(self, rows: Rows) -> list[int]:
        """Puts rows on disk; on return they are there, but for those at the places it gives.

        Those are rows that the engine can't represent. Errors: `QueueFull` when the spool is full too.
        """
        if not len(rows):
            return []
        table, token = rows.table(), secrets.token_hex(16)
        with self._lock:
            if not self._waiting:
                try:
                    return self._insert(self._pinned(table), token)
                except EngineUnavailable:
                    self._waiting = True
            self._to_spool(table, token)
            return []

    def replay(self) -> int:
        """Puts what the spool holds into the engine, oldest first; gives the number of batches.

        Errors: `EngineUnavailable` where the engine is still away; what went in before it is gone from the spool.
        """
        replayed = 0
        while self._waiting:
            batch = next(self.spool.batches(), None)
            if batch is None:
                with self._lock:
                    self._waiting = next(self.spool.batches(), None) is not None
                continue
            unstored = self._insert(self._pinned(batch.read()), batch.token)
            if unstored:
                _log.warning("spooled events can't be stored", events=len(unstored))
            batch.remove()
            replayed += 1
        return replayed

    @property
    def waiting(self) -> bool:
        """Whether rows go to the spool for now."""
        return self._waiting

    def _to_spool(self, table: pa.Table, token: str) -> None:
        if self.spool.size()[1] > self.spool_bytes:
            raise QueueFull("The engine is away and the spool is full.")
        self.spool.append("events", table, token)

    def _pinned(self, table: pa.Table) -> pa.Table:
        try:
            return pinned(self.engine, table)
        except EngineRefused as error:
            raise EngineUnavailable(error.message) from error

    def _insert(self, table: pa.Table, token: str, first: int = 0) -> list[int]:
        """Inserts rows; where the engine can't represent one, halves lead to it and the rest goes in."""
        try:
            self.engine.insert("events", table, token)
        except EngineRefused as error:
            if not error.about_data:
                raise EngineUnavailable(error.message) from error
            if table.num_rows == 1:
                return [first]
            half = table.num_rows // 2
            left = self._insert(table.slice(0, half), f"{token}-{first}-{half}", first)
            right = table.slice(half)
            return left + self._insert(right, f"{token}-{first + half}-{right.num_rows}", first + half)
        return []
