"""How fast judges may be asked: so many requests and tokens in any minute."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

#: The time that limits are of, in seconds.
MINUTE: Final = 60.0


@dataclass
class Call:
    """A call of a judge: when it began, and the tokens that it took, as far as they are known."""

    at: float
    tokens: float


@dataclass
class Pace:
    """Counts calls of the last minute. 0 is no limit. `clock` gives seconds.

    How many tokens a call takes is known afterwards: a call waits until those before it leave room for one of its
    usual size.
    """

    requests: int
    tokens: int
    clock: Callable[[], float]
    _calls: deque[Call] = field(default_factory=deque)

    def wait(self) -> float:
        """Seconds until a call may be made; 0 where it may now."""
        now = self.clock()
        while self._calls and self._calls[0].at <= now - MINUTE:
            self._calls.popleft()
        if not self._calls:
            return 0.0
        if self.requests and len(self._calls) >= self.requests:
            return self._calls[len(self._calls) - self.requests].at + MINUTE - now
        return self._until_tokens_fit(now)

    def start(self) -> Call:
        """Notes a call that is made now; its tokens are set once they are known."""
        return self.made(self.clock(), self._usual())

    def made(self, at: float, tokens: float) -> Call:
        """Notes a call; they are noted in order of time."""
        call = Call(at, tokens)
        self._calls.append(call)
        return call

    def _usual(self) -> float:
        known = [call.tokens for call in self._calls if call.tokens]
        return sum(known) / len(known) if known else 0.0

    def _until_tokens_fit(self, now: float) -> float:
        if not self.tokens:
            return 0.0
        excess = sum(call.tokens for call in self._calls) + self._usual() - self.tokens
        if excess <= 0:
            return 0.0
        for call in self._calls:
            excess -= call.tokens
            if excess <= 0:
                return call.at + MINUTE - now
        return self._calls[-1].at + MINUTE - now  # one that is larger than the limit is made alone
