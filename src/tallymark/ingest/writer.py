"""Group commit: requests that come at the same time share an insert, and are answered when it is on disk."""

import asyncio
import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from tallymark.errors import QueueFull, TallymarkError
from tallymark.ingest.rows import Rows
from tallymark.ingest.store import Store

_log = structlog.get_logger()

#: Rows that are inserted together at most; more wait for the next insert.
_LARGEST_COMMIT = 50_000

#: Where so many rows wait already, nothing is gained by waiting for more.
_MANY = 2_000


@dataclass
class _Waiting:
    rows: Rows
    done: "asyncio.Future[list[int]]"


class Writer:
    """Collects rows for `linger` seconds and stores them in one insert, one insert at a time.

    `commits` and the `seconds` they took count since the start.
    """

    def __init__(self, store: Store, linger: float, queue_events: int, on_commit: Callable[[Rows], None]) -> None:
        self._store = store
        self._linger = linger
        self._limit = queue_events
        self._on_commit = on_commit
        self._queue: list[_Waiting] = []
        self._queued = 0
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._closing = False
        self.commits = 0
        self.seconds = 0.0

    @property
    def queued(self) -> int:
        """Events that wait to be written."""
        return self._queued

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The loop that it writes on, for work that comes from threads; there is none before `start`."""
        if self._task is None:
            raise RuntimeError("The writer has not started.")
        return self._task.get_loop()

    def start(self) -> None:
        """Begins to write, on the running loop."""
        self._task = asyncio.create_task(self._run())

    async def write(self, rows: Rows) -> list[int]:
        """Returns when the rows are on disk, with the places of those that could not be represented.

        Errors: `QueueFull` when too many events wait already.
        """
        if self._queued + len(rows) > self._limit or self._closing:
            raise QueueFull(f"{self._queued} events wait to be written; no more are taken for now.")
        waiting = _Waiting(rows, asyncio.get_running_loop().create_future())
        self._queue.append(waiting)
        self._queued += len(rows)
        self._wake.set()
        return await waiting.done

    async def close(self) -> None:
        """Writes what waits, then stops."""
        self._closing = True
        self._wake.set()
        if self._task is not None:
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        while not (self._closing and not self._queue):
            await self._wake.wait()
            self._wake.clear()
            while self._queue:
                await self._gather()
                await self._commit(self._next())

    async def _gather(self) -> None:
        """Waits for more where little has come; what comes during an insert is the next one at once."""
        if self._queued < _MANY and not self._closing:
            await asyncio.sleep(self._linger)

    def _next(self) -> list[_Waiting]:
        taken, size = 0, 0
        for waiting in self._queue:
            size += len(waiting.rows)
            if taken and size > _LARGEST_COMMIT:
                break
            taken += 1
        batch, self._queue = self._queue[:taken], self._queue[taken:]
        return batch

    async def _commit(self, batch: list[_Waiting]) -> None:
        rows = Rows.joined(waiting.rows for waiting in batch) if len(batch) > 1 else batch[0].rows
        started = time.monotonic()
        try:
            unstored = await asyncio.to_thread(self._store.put, rows)
        except Exception as error:
            self._fail(batch, error)
        else:
            self._on_commit(rows)
            self._settle(batch, unstored)
        finally:
            self._queued -= len(rows)
            self.commits += 1
            self.seconds += time.monotonic() - started

    def _settle(self, batch: list[_Waiting], unstored: list[int]) -> None:
        first = 0
        for waiting in batch:
            last = first + len(waiting.rows)
            if not waiting.done.done():
                waiting.done.set_result([place - first for place in unstored if first <= place < last])
            first = last

    def _fail(self, batch: list[_Waiting], error: Exception) -> None:
        if not isinstance(error, TallymarkError):
            _log.error("commit failed", exc_info=error)
        known = error if isinstance(error, TallymarkError) else QueueFull("The events could not be written.")
        for waiting in batch:
            if not waiting.done.done():
                waiting.done.set_exception(known)
