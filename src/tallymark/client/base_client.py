"""What both clients are: options, a queue, and events that go into it without ever raising."""

from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

import httpx

from tallymark.client.encode import encode, why
from tallymark.client.lane import LANES
from tallymark.client.options import Options
from tallymark.client.problem import Problem, Reporter, tell_lost
from tallymark.client.queue import Put, Queue
from tallymark.client.recorder import Recorder
from tallymark.client.stats import Stats


class BaseClient(Recorder):
    """A client of the server at `endpoint`; docs/client.md tells every argument.

    Errors: `ValueError` for an argument that can't be used. Nothing else here raises for what it is given.
    """

    def __init__(
        self,
        endpoint: str,
        key: str | None = None,
        project: str | None = None,
        *,
        signing_secret: str | None = None,
        batch_events: int = 100,
        batch_bytes: int = 1_000_000,
        batch_seconds: float = 1.0,
        queue_events: int = 10_000,
        queue_bytes: int = 64_000_000,
        timeout: float = 10.0,
        connections: int = 4,
        retries: int | None = 10,
        backoff: float = 0.5,
        longest_backoff: float = 30.0,
        on_error: Callable[[Problem], object] | None = None,
    ) -> None:
        self._options = Options(
            endpoint, key, project, signing_secret, batch_events, batch_bytes, batch_seconds, queue_events,
            queue_bytes, timeout, connections, retries, backoff, longest_backoff, on_error,
        )  # fmt: skip
        self._report = Reporter(on_error)
        self._trust = httpx.create_ssl_context()
        self._begin()

    def capture(self, lane: str, payload: Mapping[str, Any]) -> None:
        """See `Recorder.capture`."""
        try:
            to = LANES[lane]
            body = encode(to, payload, self._options.batch_bytes)
        except Exception as error:
            self._queue.count("invalid")
            self._report(Problem("invalid", 1, _path(lane), why(error)))
            return
        put = self._queue.put(to, body)
        if put is Put.SPILLED:
            reason = "the client is closed" if self._queue.closed else "the queue is full"
            self._report(Problem("dropped", 1, to.path, f"{reason}; more may follow without a word"))
        elif put in (Put.WAITS, Put.LOOK):
            self._added(put is Put.LOOK)

    def stats(self) -> Stats:
        """What became of all events so far."""
        return self._queue.stats()

    @abstractmethod
    def _added(self, look: bool) -> None:
        """Sees to it that someone sends; with `look` they should see what is due. Must not raise."""

    def _begin(self) -> None:
        """Begins with nothing recorded."""
        self._queue = Queue(self._options)

    def _tell_lost(self, events: int) -> None:
        tell_lost(self._report, events)


def _path(lane: object) -> str:
    """Where a lane leads, '' for what is none."""
    known = LANES.get(lane) if type(lane) is str else None
    return known.path if known else ""
