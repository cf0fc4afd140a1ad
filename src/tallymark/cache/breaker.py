"""A circuit breaker: what failed several times in a row is left alone for a while, then tried again by one."""

import time
from collections.abc import Callable
from typing import Final

import structlog

_log = structlog.get_logger()

#: One late answer may be this process's own fault; so many in a row are not.
_FAILURES: Final = 3

#: Seconds that it is left alone for, at first and at most: they double while it keeps failing.
_FIRST_REST: Final = 1.0
_LONGEST_REST: Final = 8.0


class Breaker:
    """Says whether to ask. `name` is what the log calls it; an outage is told there once, and so is its end."""

    def __init__(self, name: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._name = name
        self._clock = clock
        self._failures = 0
        self._rest = _FIRST_REST
        self._until = 0.0
        self.errors = 0

    @property
    def open(self) -> bool:
        """Whether it failed so often that it is left alone."""
        return self._failures >= _FAILURES

    def may_ask(self) -> bool:
        """Whether the caller may ask now; once its rest is over, one may, and the others wait for what comes of it."""
        if not self.open:
            return True
        now = self._clock()
        if now < self._until:
            return False
        self._until = now + self._rest
        return True

    def failed(self, why: str) -> None:
        """Notes that it did not answer."""
        self.errors += 1
        was_open = self.open
        self._failures += 1
        if self.open:
            self._until = self._clock() + self._rest
            self._rest = min(_LONGEST_REST, self._rest * 2)
            if not was_open:
                _log.warning("cache_away", cache=self._name, why=why)

    def worked(self) -> None:
        """Notes that it answered."""
        if self.open:
            _log.info("cache_back", cache=self._name)
        self._failures, self._rest = 0, _FIRST_REST
