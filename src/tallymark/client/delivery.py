"""From a batch to what becomes of it: what to send next, when, and when to give up. Knows no network and no clock."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from tallymark.client.answer import Answer
from tallymark.client.options import Options
from tallymark.client.problem import Problem
from tallymark.client.queue import Batch, Queue
from tallymark.client.request import Request, request_of

#: Seconds that a signature may be ahead of the clock.
_AHEAD = 60

#: The longest backoff in seconds of a client that is being closed, whose time is short.
_HURRY = 1.0


@dataclass(frozen=True)
class Pause:
    """Seconds to wait before the next request. `asked`: the server asked for it, so that nothing may cut it short."""

    seconds: float
    asked: bool


class Delivery:
    """Delivers one batch: whoever drives it sends `request` and hands in the answer, until there is no request.

    A batch that is too large, or is spoilt by something in it, goes on in halves.
    """

    def __init__(self, batch: Batch, options: Options, queue: Queue, report: Callable[[Problem], None]) -> None:
        self._options = options
        self._queue = queue
        self._report = report
        self._parts = [batch]
        self._tries = 0
        self._request: Request | None = None
        self._signed_at = 0

    def request(self) -> Request | None:
        """What is to be sent now; None where nothing is left, or the queue was stopped."""
        if not self._parts or self._queue.stopped:
            return None
        if self._request is None:
            self._request = request_of(self._parts[-1], self._options)
        return self._request

    def headers(self, request: Request, now: int) -> dict[str, str]:
        """The headers of a request that is sent now, in epoch seconds.

        No two attempts are signed alike, also not within one second: a server takes a signature only once.
        """
        self._signed_at = min(max(now, self._signed_at + 1), now + _AHEAD)
        return request.signed(self._options.signing_secret, self._signed_at)

    def take(self, answer: Answer) -> Pause | None:
        """Takes the answer to the request; gives how long to wait before the next one, None for not at all."""
        if answer.passing and not self._queue.stopped and self._tries != self._options.retries:
            self._tries += 1
            self._queue.count("retries")
            return self._pause(answer)
        part = self._parts.pop()
        if answer.divides and len(part.payloads) > 1:
            self._parts += reversed(part.halves())
        else:
            self._settle(part, answer)
        self._tries, self._request = 0, None
        return None

    def _pause(self, answer: Answer) -> Pause:
        """Exponential backoff with full jitter, and at least what the server asks for."""
        longest = min(self._options.longest_backoff, _HURRY) if self._queue.closed else self._options.longest_backoff
        most = min(longest, self._options.backoff * 2.0 ** min(self._tries - 1, 60))
        asked = answer.wait(datetime.now(UTC))
        return Pause(max(asked, random.uniform(0, most)), asked > 0)

    def _settle(self, part: Batch, answer: Answer) -> None:
        events, reasons = len(part.payloads), answer.rejections
        if not answer.good and not reasons:
            self._queue.settle(part, failed=events)
            self._report(Problem("failed", events, part.lane.path, self._why(answer)))
            return
        # What a payload that goes alone was refused of are parts of it, unless all of it was.
        rejected = min(len(reasons), events) if not part.lane.alone else int(not answer.good)
        self._queue.settle(part, accepted=events - rejected, rejected=rejected)
        if reasons:
            message = f"{len(reasons)} refused for {', '.join(sorted(set(reasons)))}"
            self._report(Problem("rejected", rejected, part.lane.path, message))

    def _why(self, answer: Answer) -> str:
        tries = f" after {self._tries + 1} tries" if self._tries else ""
        if not answer.status:
            return f"no answer, {answer.error}{tries}"
        return f"answered {answer.status} {answer.code}".rstrip() + tries
