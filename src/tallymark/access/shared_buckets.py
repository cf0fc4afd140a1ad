"""Buckets that processes share by a Valkey: each takes some at once, so that few requests wait for it."""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from tallymark.access.buckets import WINDOW, Limit, Taken, taken
from tallymark.cache.remote import Remote

#: Takes up to so many, by the Valkey's own clock, in one step: how many it took, and microseconds until it is full.
_TAKE: Final = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local interval, window, wanted = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local full_at = math.max(tonumber(redis.call('GET', KEYS[1]) or now), now)
local free = math.floor((window - (full_at - now)) / interval + 0.000001)
local got = math.max(0, math.min(wanted, free))
if got > 0 then
  full_at = full_at + got * interval
  redis.call('SET', KEYS[1], string.format('%.0f', full_at), 'PX', math.ceil((full_at - now) / 1000))
end
return {got, math.ceil(full_at - now)}
"""

#: What a process takes at once: as much as comes back in a tenth of a second. It is good for so many seconds.
_AT_ONCE: Final = 600
_GOOD_FOR: Final = 6.0

_MOST_PURSES: Final = 10_000


@dataclass(slots=True)
class _Purse:
    """What was taken and is not used yet, until it is of no worth."""

    left: int
    until: float


class SharedBuckets:
    """Buckets by name in a Valkey. `clock` gives seconds."""

    def __init__(self, remote: Remote, clock: Callable[[], float] = time.monotonic) -> None:
        self._remote = remote
        self._clock = clock
        self._purses: OrderedDict[bytes, _Purse] = OrderedDict()

    async def take(self, limit: Limit, name: bytes) -> Taken | None:
        """Takes one, if there is one; None where the process had one already, and where the Valkey is away."""
        purse = self._purses.get(name)
        if purse is not None and purse.left and self._clock() < purse.until:
            purse.left -= 1
            return None
        wanted = max(1, limit.a_minute // _AT_ONCE)
        got, refill = await self._ask(limit, name, wanted)
        if got < 0:
            return None
        if wanted > 1:
            self._keep(name, _Purse(max(0, got - 1), self._clock() + _GOOD_FOR))
        return taken(limit, got > 0, refill)

    async def _ask(self, limit: Limit, name: bytes, wanted: int) -> tuple[int, float]:
        """How many it gave, -1 where it is away, and seconds until it is full."""
        arguments = (f"{limit.interval * 1e6:.3f}", f"{WINDOW * 1e6:.0f}", str(wanted))
        key = self._remote.key("limit", name.hex())
        got, micros = await self._remote.run(_TAKE, key, arguments, [-1, 0])
        return got, micros / 1e6

    def _keep(self, name: bytes, purse: _Purse) -> None:
        self._purses[name] = purse
        self._purses.move_to_end(name)
        if len(self._purses) > _MOST_PURSES:
            self._purses.popitem(last=False)
