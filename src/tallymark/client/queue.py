"""Events that wait to be sent, within bounds, and the count of what became of all of them."""

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from typing import NamedTuple

from tallymark.client.lane import Lane
from tallymark.client.options import Options
from tallymark.client.stats import Stats


class Put(Enum):
    """What became of an event that was put into a queue."""

    WAITS = auto()
    #: It waits, and who sends should look when to go.
    LOOK = auto()
    DROPPED = auto()
    #: It was dropped, and the one before it was not.
    SPILLED = auto()


class _Item(NamedTuple):
    body: bytes
    number: int
    at: float


@dataclass
class _Line:
    """What waits for one lane, the oldest first."""

    items: deque[_Item] = field(default_factory=deque)
    bytes: int = 0


@dataclass(frozen=True)
class Batch:
    """Payloads that go in one request. `number` is that of the oldest, by which the queue knows it."""

    lane: Lane
    payloads: Sequence[bytes]
    number: int

    def halves(self) -> "tuple[Batch, Batch]":
        """The same payloads in two requests."""
        middle = len(self.payloads) // 2
        return replace(self, payloads=self.payloads[:middle]), replace(self, payloads=self.payloads[middle:])


class Queue:
    """A bounded queue from which senders take batches. `clock` gives seconds.

    For any thread, also for a signal's handler: `lock` may be taken again by who has it. Whoever takes a batch settles
    its events and then lands it, whatever happens. After `close` nothing is taken in, after `stop` nothing waits.
    """

    def __init__(self, options: Options, clock: Callable[[], float] = time.monotonic) -> None:
        self.lock = threading.RLock()
        self._options = options
        self._clock = clock
        self._lines: dict[Lane, _Line] = {}
        self._counts: Counter[str] = Counter()
        self._flying: dict[int, int] = {}
        self._number = self._waiting = self._bytes = 0
        self._flush_through = 0
        self._spilling = False
        self.closed = self.stopped = False

    def put(self, lane: Lane, body: bytes) -> Put:
        """Takes a payload in, or drops it where the queue is full or closed."""
        with self.lock:
            if self.closed or self._is_full(len(body)):
                spilled, self._spilling = not self._spilling, True
                self._counts["dropped"] += 1
                return Put.SPILLED if spilled else Put.DROPPED
            self._spilling = False
            self._number += 1
            self._waiting += 1
            self._bytes += len(body)
            line = self._lines.setdefault(lane, _Line())
            before = len(line.items), line.bytes
            line.items.append(_Item(body, self._number, self._clock()))
            line.bytes += len(body)
            return Put.LOOK if not before[0] or self._is_whole(line) > self._whole(*before) else Put.WAITS

    def next(self) -> Batch | float | None:
        """The batch that is due; else the seconds until one is, or None where nothing waits."""
        with self.lock:
            lines = [(lane, line) for lane, line in self._lines.items() if line.items]
            if not lines:
                return None
            now = self._clock()
            left = {lane: self._seconds_left(lane, line, now) for lane, line in lines}
            due = [(line.items[0].number, lane) for lane, line in lines if left[lane] <= 0]
            return self._taken(min(due)[1]) if due else min(left.values())

    def settle(self, batch: Batch, accepted: int = 0, rejected: int = 0, failed: int = 0) -> None:
        """Counts what became of events of a batch that was taken, or of a half of it."""
        with self.lock:
            self._counts.update(accepted=accepted, rejected=rejected, failed=failed)
            self._flying[batch.number] -= accepted + rejected + failed

    def land(self, batch: Batch) -> int:
        """Ends a batch that was taken; gives how many of its events nobody settled, which failed by that."""
        with self.lock:
            lost = self._flying.pop(batch.number)
            self._counts["failed"] += lost
            return lost

    @property
    def waits(self) -> bool:
        """Whether anything waits for a sender."""
        return self._waiting > 0

    def count(self, what: str) -> None:
        """Counts an event that never waited, or a request that was sent again."""
        with self.lock:
            self._counts[what] += 1

    def flush(self) -> int:
        """Makes everything due that waits now; gives the number of the newest, for `settled`."""
        with self.lock:
            self._flush_through = self._number
            return self._number

    def settled(self, through: int) -> bool:
        """Whether all events up to that number are settled."""
        with self.lock:
            waiting = [line.items[0].number for line in self._lines.values() if line.items]
            return min([*waiting, *self._flying], default=through + 1) > through

    def close(self) -> None:
        """Takes nothing in any more."""
        with self.lock:
            self.closed = True

    def stop(self) -> int:
        """Lets everything fail that waits, and gives how much that is."""
        with self.lock:
            lost, self._waiting, self._bytes = self._waiting, 0, 0
            self._lines.clear()
            self._counts["failed"] += lost
            self.closed = self.stopped = True
            return lost

    def stats(self) -> Stats:
        """The counts, all of one moment."""
        with self.lock:
            counts = {name: self._counts[name] for name in Stats.__dataclass_fields__ if name != "queued"}
            return Stats(queued=self._waiting + sum(self._flying.values()), **counts)

    def _is_full(self, more: int) -> bool:
        return self._waiting >= self._options.queue_events or self._bytes + more > self._options.queue_bytes

    def _is_whole(self, line: _Line) -> bool:
        return self._whole(len(line.items), line.bytes)

    def _whole(self, events: int, size: int) -> bool:
        """Whether so much fills a request."""
        return events >= self._options.batch_events or size >= self._options.batch_bytes

    def _seconds_left(self, lane: Lane, line: _Line, now: float) -> float:
        oldest = line.items[0]
        if lane.alone or self._is_whole(line) or oldest.number <= self._flush_through or self.closed:
            return 0.0
        return oldest.at + self._options.batch_seconds - now

    def _taken(self, lane: Lane) -> Batch:
        line = self._lines[lane]
        number = line.items[0].number
        most = 1 if lane.alone else self._options.batch_events
        payloads: list[bytes] = []
        size = 1  # an array's brackets, and a comma less than payloads
        while line.items and len(payloads) < most:
            size += len(line.items[0].body) + 1
            if payloads and size > self._options.batch_bytes:
                break
            payloads.append(line.items.popleft().body)
        taken = sum(map(len, payloads))
        line.bytes -= taken
        self._bytes -= taken
        self._waiting -= len(payloads)
        self._flying[number] = len(payloads)
        self._counts["sent"] += len(payloads)
        return Batch(lane, payloads, number)
