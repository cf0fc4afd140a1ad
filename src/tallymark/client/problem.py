"""What went wrong with events, told to a callback and to the log, and never to who recorded them."""

import logging
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

_LOG = logging.getLogger("tallymark.client")

#: Seconds between two lines of a kind in the log, where problems come one after another.
_QUIET = 10.0

Kind = Literal["invalid", "dropped", "rejected", "failed"]


@dataclass(frozen=True)
class Problem:
    """Events that will not count: how many, where to, and why, without anything that they say.

    `invalid` could not be told as JSON; `dropped` found the queue full; `rejected` were refused one by one;
    `failed` were not delivered.
    """

    kind: Kind
    events: int
    path: str
    message: str


def tell_lost(report: Callable[[Problem], None], events: int) -> None:
    """Tells of events that were given up when the client was closed, or its loop ended; of none nothing."""
    if events:
        report(Problem("failed", events, "", "given up at the end"))


class Reporter:
    """Tells problems. Never raises, whatever the callback or the log does; for any thread."""

    def __init__(self, on_error: Callable[[Problem], object] | None) -> None:
        self._on_error = on_error
        self._quiet_until: dict[Kind, float] = {}

    def __call__(self, problem: Problem) -> None:
        with suppress(Exception):
            self._log(problem)
        if self._on_error is None:
            return
        try:
            self._on_error(problem)
        except Exception as error:
            with suppress(Exception):
                _LOG.error("on_error raised %s", type(error).__name__)

    def _log(self, problem: Problem) -> None:
        now = time.monotonic()
        if now >= self._quiet_until.get(problem.kind, now):
            self._quiet_until[problem.kind] = now + _QUIET
            to = f" to {problem.path}" if problem.path else ""
            _LOG.warning("%s: %d events%s: %s", problem.kind, problem.events, to, problem.message)
