"""The client for threads: threads of its own send, in the background."""

import atexit
import os
import threading
import time
import weakref
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self

import httpx

from tallymark.client.answer import Answer
from tallymark.client.base_client import BaseClient
from tallymark.client.delivery import Delivery, Pause
from tallymark.client.problem import Problem
from tallymark.client.queue import Batch
from tallymark.client.request import Request

#: Seconds that the end of the interpreter waits for what is left.
_AT_EXIT = 5.0

#: Seconds that a sender has to count what it carries once it was stopped; one amid a request may need longer.
_GRACE = 0.5


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
            if threading.current_thread() not in self._senders:
                self._changed.wait_for(lambda: not self._senders, _GRACE)
            if not self._senders:
                self._http.close()
        self._tell_lost(lost)
        return done

    def flush(self, timeout: float | None = _AT_EXIT) -> bool:
        """Sends what was recorded before, without waiting for a batch to fill.

        Gives whether all of it was settled within `timeout` seconds (None: however long it takes): accepted, rejected
        or failed, as `stats()` tells. Within `on_error` it doesn't wait.
        """
        with self._changed:
            last = self._queue.flush()
            self._watch()
            self._changed.notify_all()
            if threading.current_thread() in self._senders:
                return self._queue.settled(last)
            return self._changed.wait_for(lambda: self._queue.settled(last), timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _begin(self) -> None:
        self._begin_here()
        atexit.register(self.close)
        os.register_at_fork(after_in_child=_unless_gone(self._begin_in_child))

    def _begin_in_child(self) -> None:
        closed = self._queue.closed
        self._begin_here()
        if closed:
            self._queue.stop()

    def _begin_here(self) -> None:
        """All of it is made by the thread that is here, and none by senders: what they import when they begin would
        stay locked in a process that is forked off meanwhile.
        """
        super()._begin()
        self._http = httpx.Client(verify=self._trust, timeout=self._options.timeout)
        self._changed = threading.Condition(self._queue.lock)
        self._senders: set[threading.Thread] = set()
        self._idle = 0

    def _added(self, look: bool) -> None:
        if look or not self._senders:
            with self._changed:
                self._watch()
                self._changed.notify_all()

    def _watch(self) -> None:
        """Sees to it that someone waits for what waits to become due; where no thread can be had, it is tried again."""
        if self._queue.waits and not self._idle and len(self._senders) < self._options.connections:
            sender = threading.Thread(target=self._run, name="tallymark-client", daemon=True)
            self._senders.add(sender)
            self._idle += 1
            try:
                sender.start()
            except RuntimeError:
                self._senders.discard(sender)
                self._idle -= 1

    def _run(self) -> None:
        try:
            while (batch := self._next()) is not None:
                self._deliver(batch)
        except Exception as error:
            self._report(Problem("failed", 0, "", f"a sender ended, {type(error).__name__}"))
        finally:
            with self._changed:
                self._senders.discard(threading.current_thread())
                self._idle -= 1
                self._changed.notify_all()

    def _next(self) -> Batch | None:
        """The next batch, once it is due; None once the queue was stopped. Who waits here is idle."""
        with self._changed:
            while not self._queue.stopped:
                found = self._queue.next()
                if isinstance(found, Batch):
                    self._idle -= 1
                    self._watch()
                    return found
                self._changed.wait(found)
        return None

    def _deliver(self, batch: Batch) -> None:
        try:
            delivery = Delivery(batch, self._options, self._queue, self._report)
            while (request := delivery.request()) is not None:
                pause = delivery.take(self._answer(request, delivery.headers(request, int(time.time()))))
                if pause is not None:
                    self._wait(pause)
        finally:
            with self._changed:
                lost = self._queue.land(batch)
                self._idle += 1
                self._changed.notify_all()
            self._tell_lost(lost)

    def _answer(self, request: Request, headers: Mapping[str, str]) -> Answer:
        try:
            return Answer.of(self._http.post(request.url, content=request.body, headers=headers))
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
