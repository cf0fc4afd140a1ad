"""A load generator that leaves the cores to the server: bare sockets, requests by one join, nothing parsed twice.

Closed loop: each connection sends its next request when the last one is answered. Open loop: requests are due at
fixed times and latencies count from then, whether or not a connection was free. The event loop's own clock would tell
whole milliseconds only.
"""

import asyncio
import gc
from array import array
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from itertools import count, cycle
from multiprocessing import get_context
from time import monotonic

import msgspec
import uvloop

from benchmarks.figures import BenchmarkError, percentile
from benchmarks.traffic import TOKEN_BYTES, Pieces

_ACCEPTED = b"HTTP/1.1 202"
_TAKEN = 202
_END_OF_HEAD = b"\r\n\r\n"
_LENGTH = b"content-length:"

#: How often due requests are looked for, in seconds.
_TICK = 0.001

#: What is still unanswered this long after the end is not waited for.
_PATIENCE = 60.0


@dataclass(frozen=True)
class Plan:
    """What to send: `rate` is requests a second (open loop), None sends as fast as answers come.

    `name` keeps the tokens of several plans apart. What is answered in the first `warmup` seconds is not measured.
    `taken` is the status of an answer that says yes.
    """

    name: str
    port: int
    requests: Sequence[Pieces]
    events_per_request: int
    connections: int
    seconds: float
    warmup: float
    rate: float | None = None
    taken: int = 202


@dataclass(frozen=True)
class Outcome:
    """What was measured: events and requests acknowledged in `seconds`, and latencies in milliseconds.

    `acknowledged` are all events that were, measured or not; `refused` counts answers by status.
    """

    events: int
    requests: int
    seconds: float
    acknowledged: int
    p50_ms: float
    p95_ms: float
    p99_ms: float
    refused: dict[int, int]

    @property
    def events_per_second(self) -> float:
        """The rate of acknowledged events."""
        return self.events / self.seconds


def drive(plan: Plan) -> Outcome:
    """Carries out a plan in a process of its own. Errors: `BenchmarkError` where answers are missing."""
    with ProcessPoolExecutor(1, get_context("spawn")) as process:
        return process.submit(_drive, plan).result()


def _drive(plan: Plan) -> Outcome:
    gc.disable()
    return uvloop.run(_Load(plan).run())


@dataclass
class _Load:
    plan: Plan
    started: float = 0.0
    ended: bool = False
    acknowledged: int = 0
    events: int = 0
    answered: int = 0
    waiting: int = 0
    latencies: "array[float]" = field(default_factory=lambda: array("d"))
    refused: Counter[int] = field(default_factory=Counter)
    idle: "deque[_Connection]" = field(default_factory=deque)
    due: deque[float] = field(default_factory=deque)

    def __post_init__(self) -> None:
        self._requests = self._endless()

    async def run(self) -> Outcome:
        self.loop = asyncio.get_running_loop()
        self.done = self.loop.create_future()
        for _ in range(self.plan.connections):
            await self.loop.create_connection(lambda: _Connection(self), "127.0.0.1", self.plan.port)
        self.started = monotonic()
        self.measured_from = self.started + self.plan.warmup
        self.ends = self.measured_from + self.plan.seconds
        await (self._as_fast_as_answered() if self.plan.rate is None else self._at_rate(self.plan.rate))
        await self._last_answers()
        self.ended = True
        return Outcome(
            self.events, self.answered, self.plan.seconds, self.acknowledged, percentile(self.latencies, 0.5),
            percentile(self.latencies, 0.95), percentile(self.latencies, 0.99), dict(self.refused),
        )  # fmt: skip

    def next(self) -> bytes:
        return next(self._requests)

    def answer(self, connection: "_Connection", status: int, accepted: int, since: float) -> None:
        """Counts an answer and gives its connection the next thing to do."""
        now = monotonic()
        self.waiting -= 1
        self.acknowledged += accepted
        if status != self.plan.taken:
            self.refused[status] += 1
        if self.measured_from <= now < self.ends:
            self.answered += 1
            self.events += accepted
            self.latencies.append((now - since) * 1000)
        if self.due:
            connection.send(self.due.popleft())
        elif self.plan.rate is None and now < self.ends:
            connection.send(now)
        else:
            self.idle.append(connection)
            if now >= self.ends and not self.waiting and not self.done.done():
                self.done.set_result(None)

    def lost(self) -> None:
        if not self.ended and not self.done.done():
            self.done.set_exception(BenchmarkError("The server closed a connection before the end."))

    async def _as_fast_as_answered(self) -> None:
        for connection in [self.idle.popleft() for _ in range(len(self.idle))]:
            connection.send(monotonic())
        await asyncio.sleep(self.ends - monotonic())

    async def _at_rate(self, rate: float) -> None:
        planned = count(1)
        at = self.started
        while (now := monotonic()) < self.ends and not self.done.done():
            while at <= now:
                if self.idle:
                    self.idle.popleft().send(at)
                else:
                    self.due.append(at)
                at = self.started + next(planned) / rate
            await asyncio.sleep(_TICK)

    async def _last_answers(self) -> None:
        if self.waiting or self.due or self.done.done():
            try:
                await asyncio.wait_for(self.done, _PATIENCE)
            except TimeoutError:
                raise BenchmarkError(f"{self.waiting} requests were never answered.") from None

    def _endless(self) -> Iterator[bytes]:
        prefix = self.plan.name.encode()[:4].ljust(4, b"_")
        for number, pieces in zip(count(), cycle(self.plan.requests), strict=False):
            yield (prefix + b"%0*x" % (TOKEN_BYTES - len(prefix), number)).join(pieces)


class _Connection(asyncio.Protocol):
    def __init__(self, load: _Load) -> None:
        self._load = load
        self._since = 0.0
        self._buffer = b""
        per_request = load.plan.events_per_request
        self._expected = b'{"accepted":%d,"rejected":[]}' % per_request
        self._per_request = per_request

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]  # of a stream
        self._load.idle.append(self)

    def connection_lost(self, error: Exception | None) -> None:
        self._load.lost()

    def send(self, since: float) -> None:
        """Sends the next request, whose latency counts from `since`."""
        self._since = since
        self._load.waiting += 1
        self._transport.write(self._load.next())

    def data_received(self, data: bytes) -> None:
        if not self._buffer and data.endswith(self._expected) and data.startswith(_ACCEPTED):
            self._load.answer(self, 202, self._per_request, self._since)
            return
        self._buffer += data
        head, end, body = self._buffer.partition(_END_OF_HEAD)
        if end and len(body) >= _content_length(head):
            self._buffer = b""
            status = int(head[9:12])
            accepted = msgspec.json.decode(body)["accepted"] if status == _TAKEN else 0
            self._load.answer(self, status, accepted, self._since)


def _content_length(head: bytes) -> int:
    lowered = head.lower()
    place = lowered.find(_LENGTH)
    return int(lowered[place + len(_LENGTH) :].split(b"\r\n", 1)[0]) if place >= 0 else 0
