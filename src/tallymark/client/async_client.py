"""The client for asyncio: tasks of the running loop send."""

import asyncio
from contextlib import suppress
from types import TracebackType
from typing import Self

from tallymark.client.base_client import BaseClient
from tallymark.client.tasks import Tasks


class AsyncClient(BaseClient):
    """Records events within an event loop; an asynchronous context manager that closes at its end.

    Recording is no coroutine: it never waits. What is recorded before a loop runs, or in another thread, is sent by
    the loop in which the client is used. Close it before the loop ends: no task outlives its loop.
    """

    async def aclose(self, timeout: float | None = 5.0) -> bool:
        """Sends what is left, gives up after `timeout` seconds, takes nothing in any more.

        Gives whether everything was settled, as `flush` does. May be called again.
        """
        self._queue.close()
        done = await self.flush(timeout)
        self._tell_lost(self._queue.stop())
        if self._tasks is not None:
            await self._tasks.end()
        return done

    async def flush(self, timeout: float | None = 5.0) -> bool:
        """Sends what was recorded before, without waiting for a batch to fill.

        Gives whether all of it was settled within `timeout` seconds (None: however long it takes): accepted, rejected
        or failed, as `stats()` tells.
        """
        last = self._queue.flush()
        self._added(look=True)
        if self._tasks is not None:
            await self._tasks.wait_for(last, timeout)
        return self._queue.settled(last)

    async def __aenter__(self) -> Self:
        self._added(look=True)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def _begin(self) -> None:
        super()._begin()
        self._tasks: Tasks | None = None

    def _added(self, look: bool) -> None:
        if self._tasks is None or self._tasks.loop.is_closed():
            with suppress(RuntimeError):  # no loop runs here: then whatever is put in waits for one
                self._tasks = Tasks(asyncio.get_running_loop(), self._options, self._queue, self._report, self._trust)
                look = True
        if look and self._tasks is not None:
            self._tasks.look()
