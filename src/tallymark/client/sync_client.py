"""The client for threads: a thread of its own sends, in the background."""

import atexit
import os
import threading
import time
import weakref
from collections.abc import Callable
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

#: Seconds that the end of the interpreter waits for what is left.
_AT_EXIT = 5.0


class Client(BaseClient):
    """Records events from any thread; a context manager that closes at its end.

    What is left at the interpreter's end is sent then, for five seconds at most. A process that is forked off begins
    with an empty queue and sends for itself; what its parent recorded is sent by its parent.
    """

    def close(self, timeout: float | None = _AT_EXIT) -> bool:
        """Sends what is left, gives up after `timeout` seconds, takes nothing in any more.

        Gives whether everything was settled, as `flush` does. May be called again.
        """
        atexit.unregister(self.close)
        self._queue.close()
        done = self.flush(timeout)
        with self._changed:
            lost = self._queue.stop()
            self._changed.notify_all()
        self._tell_lost(lost)
        if done and self._thread and self._thread is not threading.current_thread():
            self._thread.join(1.0)
        return done

    def flush(self, timeout: float | None = _AT_EXIT) -> bool:
        """Sends what was recorded before, without waiting for a batch to fill.

        Gives whether all of it was settled within `timeout` seconds (None: however long it takes): accepted, rejected
        or failed, as `stats()` tells. Within `on_error` it doesn't wait.
        """
        self._start()
        with self._changed:
            last = self._queue.flush()
            self._changed.notify_all()
            if threading.current_thread() is self._thread:
                return self._queue.settled(last)
            return self._changed.wait_for(lambda: self._queue.settled(last), timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _begin(self) -> None:
        super()._begin()
        self._changed = threading.Condition(self._queue.lock)
        self._thread: threading.Thread | None = None
        atexit.register(self.close)
        os.register_at_fork(after_in_child=_unless_gone(self._begin_in_child))

    def _begin_in_child(self) -> None:
        closed = self._queue.closed
        super()._begin()
        self._changed = threading.Condition(self._queue.lock)
        self._thread = None
        if closed:
            self._queue.stop()

    def _added(self, look: bool) -> None:
        if self._thread is None or not self._thread.is_alive():
            self._start()
        if look:
            with self._changed:
                self._changed.notify_all()

    def _start(self) -> None:
        """Starts the thread if there is none; where none can be had, events wait for the next time."""
        with self._changed, suppress(RuntimeError):
            if not self._queue.stopped and (self._thread is None or not self._thread.is_alive()):
                thread = threading.Thread(target=self._run, name="tallymark-client", daemon=True)
                thread.start()
                self._thread = thread

    def _run(self) -> None:
        try:
            with httpx.Client(timeout=self._options.timeout) as http:
                while (batch := self._next()) is not None:
                    self._deliver(http, batch)
        except Exception as error:
            self._report(Problem("failed", 0, "", f"the sender ended, {type(error).__name__}"))

    def _next(self) -> Batch | None:
        """The next batch, once it is due; None once the queue was stopped."""
        with self._changed:
            while not self._queue.stopped:
                found = self._queue.next()
                if isinstance(found, Batch):
                    return found
                self._changed.wait(found)
        return None

    def _deliver(self, http: httpx.Client, batch: Batch) -> None:
        try:
            delivery = self._delivery(batch)
            while (request := delivery.request()) is not None:
                pause = delivery.take(self._answer(http, request))
                if pause is not None:
                    self._wait(pause)
        finally:
            with self._changed:
                lost = self._queue.land()
                self._changed.notify_all()
            self._tell_lost(lost)

    def _answer(self, http: httpx.Client, request: Request) -> Answer:
        headers = request.signed(self._options.signing_secret, int(time.time()))
        try:
            return Answer.of(http.post(request.url, content=request.body, headers=headers))
        except httpx.HTTPError as error:
            return Answer(error=type(error).__name__)

    def _wait(self, pause: Pause) -> None:
        """Waits, but not beyond the stop, nor beyond a close unless the server asked for it."""
        with self._changed:
            open_before = not self._queue.closed
            self._changed.wait_for(
                lambda: self._queue.stopped or (self._queue.closed and open_before and not pause.asked), pause.seconds
            )


def _unless_gone(method: Callable[[], None]) -> Callable[[], None]:
    """The method of an object that is not kept by it."""
    kept = weakref.WeakMethod(method)

    def call() -> None:
        found = kept()
        if found is not None:
            found()

    return call
