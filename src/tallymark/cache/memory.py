"""Values in the memory of the process: those used last, up to a bound."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from datetime import timedelta
from typing import Final

from tallymark.cache.store import LARGEST

_MOST_BYTES: Final = 64 << 20
_MOST_VALUES: Final = 20_000


class Memory:
    """A store of at most so many values and bytes; the one that was kept or renewed longest ago goes first.

    For one event loop. `clock` gives seconds.
    """

    def __init__(
        self,
        most_bytes: int = _MOST_BYTES,
        most_values: int = _MOST_VALUES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._most_bytes = most_bytes
        self._most_values = most_values
        self._clock = clock
        self._values: OrderedDict[str, tuple[bytes, float]] = OrderedDict()
        self.size = 0

    def __len__(self) -> int:
        return len(self._values)

    async def get(self, key: str, renew_for: int | timedelta | None = None) -> bytes | None:
        """See `Store`."""
        value, until = self._values.get(key, (None, 0.0))
        if value is None or until <= self._clock():
            return None
        if renew_for is not None:
            self._values[key] = (value, self._clock() + _seconds(renew_for))
            self._values.move_to_end(key)
        return value

    async def set(self, key: str, value: bytes, expires_in: int | timedelta | None = None) -> None:
        """See `Store`; also one that may not stay takes the place of the one before."""
        self._drop(key)
        if len(value) > min(LARGEST, self._most_bytes):
            return
        self._values[key] = (value, self._clock() + _seconds(expires_in))
        self.size += len(value)
        self._make_room()

    def _make_room(self) -> None:
        """Drops the oldest while there are too many, and while they have expired."""
        now = self._clock()
        while self._values:
            key, (_, until) = next(iter(self._values.items()))
            if until > now and self.size <= self._most_bytes and len(self._values) <= self._most_values:
                return
            self._drop(key)

    def _drop(self, key: str) -> None:
        value, _ = self._values.pop(key, (b"", 0.0))
        self.size -= len(value)


def _seconds(told: int | timedelta | None) -> float:
    if told is None:
        return math.inf
    return told.total_seconds() if isinstance(told, timedelta) else float(told)
