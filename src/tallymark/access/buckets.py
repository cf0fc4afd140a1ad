"""How often something may be done: a bucket holds a minute's worth and fills steadily.

Counted by the generic cell rate algorithm (GCRA; ITU-T I.371, "virtual scheduling"): of a bucket only the time is kept
at which it will be full again.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

#: Seconds that a bucket takes to fill.
WINDOW: Final = 60.0

#: Times are sums of many small ones.
_ROUNDING: Final = 1e-6

#: Buckets that are not full; of more, those looked at longest ago count as full. 25 MB.
_MOST_BUCKETS: Final = 100_000


@dataclass(frozen=True)
class Limit:
    """So many a minute, all at once or spread; `name` is what answers and metrics call it."""

    name: str
    a_minute: int

    @property
    def interval(self) -> float:
        """Seconds that one is worth."""
        return WINDOW / self.a_minute


class Taken(NamedTuple):
    """Whether there was one to take, how many are left, and seconds: until there is one, until all are there."""

    allowed: bool
    left: int
    wait: float
    refill: float


def taken(limit: Limit, allowed: bool, refill: float) -> Taken:
    """What came of taking one from a bucket that is full in `refill` seconds."""
    left = max(0, int((WINDOW - refill) / limit.interval + _ROUNDING))
    return Taken(allowed, left, 0.0 if allowed else refill + limit.interval - WINDOW, refill)


class Buckets:
    """Buckets by name, in the memory of the process. `clock` gives seconds."""

    def __init__(self, most: int = _MOST_BUCKETS, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._clock = clock
        self._full_at: OrderedDict[bytes, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._full_at)

    def take(self, limit: Limit, name: bytes) -> Taken:
        """Takes one, if there is one."""
        now = self._clock()
        refill = max(self._full_at.get(name, now) - now, 0.0)
        allowed = refill + limit.interval <= WINDOW + _ROUNDING
        if allowed:
            refill += limit.interval
            self._keep(name, now + refill)
        return taken(limit, allowed, refill)

    def look(self, limit: Limit, name: bytes) -> Taken:
        """What taking one would find, with none taken."""
        refill = max(self._full_at.get(name, 0.0) - self._clock(), 0.0) if self._full_at else 0.0
        return taken(limit, refill + limit.interval <= WINDOW + _ROUNDING, refill)

    def drain(self, name: bytes, refill: float) -> None:
        """Notes that elsewhere so much was taken that it is full in so many seconds, and not before."""
        full_at = self._clock() + refill
        if full_at > self._full_at.get(name, 0.0):
            self._keep(name, full_at)

    def _keep(self, name: bytes, full_at: float) -> None:
        self._full_at[name] = full_at
        self._full_at.move_to_end(name)
        if len(self._full_at) > self._most:
            self._full_at.popitem(last=False)
