"""The tasks of one event loop that send what waits in a queue."""

import asyncio
import ssl
import time
from asyncio import AbstractEventLoop
from collections.abc import Callable, Mapping
from contextlib import suppress

import httpx

from tallymark.client.answer import Answer
from tallymark.client.delivery import Delivery, Pause
from tallymark.client.options import Options
from tallymark.client.problem import Problem, tell_lost
from tallymark.client.queue import Batch, Queue
from tallymark.client.request import Request


class Tasks:
    """Begins a task where something waits and no task is idle, up to as many as connections are allowed."""

    def __init__(
        self,
        loop: AbstractEventLoop,
        options: Options,
        queue: Queue,
        report: Callable[[Problem], None],
        trust: ssl.SSLContext,
    ) -> None:
        self.loop = loop
        self._options = options
        self._queue = queue
        self._report = report
        self._trust = trust
        self._changed, self._landed = asyncio.Event(), asyncio.Event()
        self._running: set[asyncio.Task[None]] = set()
        self._idle = 0

    def look(self) -> None:
        """Makes the tasks see what is due, from whatever thread; those of a loop that was closed sleep for good."""
        with suppress(RuntimeError):
            self.loop.call_soon_threadsafe(self._look)

    async def wait_for(self, through: int, timeout: float | None) -> None:
        """Returns once all events up to that number are settled, or after so many seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                while not self._queue.settled(through):
                    await self._landed.wait()

    async def end(self) -> None:
        """Ends all tasks; what they carry has failed."""
        running = self._running.copy()
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running)

    def _look(self) -> None:
        self._watch()
        self._changed.set()

    def _watch(self) -> None:
        """Sees to it that someone waits for what waits to become due."""
        if self._queue.waits and not self._idle and len(self._running) < self._options.connections:
            task = self.loop.create_task(self._run(), name="tallymark-client")
            task.add_done_callback(self._running.discard)
            self._running.add(task)
            self._idle += 1

    async def _run(self) -> None:
        try:
            async with httpx.AsyncClient(verify=self._trust, timeout=self._options.timeout) as http:
                while (batch := await self._next()) is not None:
                    await self._deliver(http, batch)
        except Exception as error:
            self._report(Problem("failed", 0, "", f"a sender ended, {type(error).__name__}"))
        finally:
            self._idle -= 1

    async def _next(self) -> Batch | None:
        """The next batch, once it is due; None once the queue was stopped. Who waits here is idle."""
        while not self._queue.stopped:
            self._changed.clear()
            found = self._queue.next()
            if isinstance(found, Batch):
                self._idle -= 1
                self._watch()
                return found
            with suppress(TimeoutError):
                async with asyncio.timeout(found):
                    await self._changed.wait()
        return None

    async def _deliver(self, http: httpx.AsyncClient, batch: Batch) -> None:
        try:
            delivery = Delivery(batch, self._options, self._queue, self._report)
            while (request := delivery.request()) is not None:
                pause = delivery.take(await self._answer(http, request, delivery.headers(request, int(time.time()))))
                if pause is not None:
                    await self._wait(pause)
        finally:
            self._idle += 1
            tell_lost(self._report, self._queue.land(batch))
            self._landed.set()
            self._landed = asyncio.Event()

    async def _answer(self, http: httpx.AsyncClient, request: Request, headers: Mapping[str, str]) -> Answer:
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
