"""The client for asyncio: a task of the running loop sends."""

import asyncio
import time
from contextlib import suppress
from types import TracebackType
from typing import Self

import httpx

from tallymark.client.answer import Answer
from tallymark.client.base_client import BaseClient
from tallymark.client.delivery import Pause
from tallymark.client.problem import Problem
from tallymark.client.queue import Batch
from tallymark.client.request import Request


class AsyncClient(BaseClient):
    """Records events within an event loop; an asynchronous context manager that closes at its end.

    Recording is no coroutine: it never waits. What is recorded before a loop runs, or in another thread, is sent by
    the loop in which the client was used first. Close it before the loop ends: a task can't outlive its loop.
    """

    async def aclose(self, timeout: float | None = 5.0) -> bool:
        """Sends what is left, gives up after `timeout` seconds, takes nothing in any more.

        Gives whether everything was settled, as `flush` does. May be called again.
        """
        self._queue.close()
        self._look()
        done = await self.flush(timeout)
        self._tell_lost(self._queue.stop())
        self._look()
        if self._task is not None and self._loop is asyncio.get_running_loop():
            if not done:
                self._task.cancel()
            await asyncio.wait([self._task])
        return done

    async def flush(self, timeout: float | None = 5.0) -> bool:
        """Sends what was recorded before, without waiting for a batch to fill.

        Gives whether all of it was settled within `timeout` seconds (None: however long it takes): accepted, rejected
        or failed, as `stats()` tells.
        """
        last = self._queue.flush()
        self._added(look=True)
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                while not self._queue.settled(last):
                    await self._landed.wait()
        return self._queue.settled(last)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def _begin(self) -> None:
        super()._begin()
        self._task: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._changed, self._landed = asyncio.Event(), asyncio.Event()

    def _added(self, look: bool) -> None:
        if self._task is None or self._task.done():
            self._start()
        elif look:
            self._look()

    def _start(self) -> None:
        """Starts the task, if a loop runs here."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return
        if not self._queue.stopped:
            self._loop = loop
            self._changed, self._landed = asyncio.Event(), asyncio.Event()
            self._task = loop.create_task(self._run(), name="tallymark-client")

    def _look(self) -> None:
        """Wakes the task, from whatever thread; one whose loop was closed sleeps for good."""
        if self._loop is not None:
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._changed.set)

    async def _run(self) -> None:
        try:
            async with httpx.AsyncClient(timeout=self._options.timeout) as http:
                while (batch := await self._next()) is not None:
                    await self._deliver(http, batch)
        except Exception as error:
            self._report(Problem("failed", 0, "", f"the sender ended, {type(error).__name__}"))

    async def _next(self) -> Batch | None:
        """The next batch, once it is due; None once the queue was stopped."""
        while not self._queue.stopped:
            self._changed.clear()
            found = self._queue.next()
            if isinstance(found, Batch):
                return found
            with suppress(TimeoutError):
                async with asyncio.timeout(found):
                    await self._changed.wait()
        return None

    async def _deliver(self, http: httpx.AsyncClient, batch: Batch) -> None:
        try:
            delivery = self._delivery(batch)
            while (request := delivery.request()) is not None:
                pause = delivery.take(await self._answer(http, request))
                if pause is not None:
                    await self._wait(pause)
        finally:
            self._tell_lost(self._queue.land())
            self._landed.set()
            self._landed = asyncio.Event()

    async def _answer(self, http: httpx.AsyncClient, request: Request) -> Answer:
        headers = request.signed(self._options.signing_secret, int(time.time()))
        try:
            return Answer.of(await http.post(request.url, content=request.body, headers=headers))
        except httpx.HTTPError as error:
            return Answer(error=type(error).__name__)

    async def _wait(self, pause: Pause) -> None:
        """Waits, but not beyond a close unless the server asked for it."""
        if pause.asked or self._queue.closed:
            await asyncio.sleep(pause.seconds)
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(pause.seconds):
                while not self._queue.closed:
                    self._changed.clear()
                    await self._changed.wait()
