"""What a server said to a request, and what follows from it."""

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import Any

import httpx
import msgspec

_PASSING = frozenset({429, 500, 502, 503, 504})
_TOO_LARGE = 413
_SUCCESSES = range(200, 300)

#: Seconds that a server may ask to wait.
_LONGEST_WAIT = 300.0


@dataclass(frozen=True)
class Answer:
    """An answer, or the name of the error for which none came; `status` is 0 then."""

    status: int = 0
    body: bytes = b""
    retry_after: str = ""
    error: str = ""

    @classmethod
    def of(cls, response: httpx.Response) -> "Answer":
        """What a response says."""
        return cls(response.status_code, response.content, response.headers.get("Retry-After", ""))

    @property
    def passing(self) -> bool:
        """Whether the same request may be taken later."""
        return not self.status or self.status in _PASSING

    @property
    def good(self) -> bool:
        """Whether the request was taken."""
        return self.status in _SUCCESSES

    @property
    def divides(self) -> bool:
        """Whether a part of the request may be taken: it is too large, or something in it spoils all of it."""
        return self.status == _TOO_LARGE or self.code == "unreadable_body"

    @property
    def code(self) -> str:
        """The error's stable code, '' without one."""
        error = self._said.get("error")
        code = error.get("code") if isinstance(error, dict) else error
        return code[:64] if isinstance(code, str) else ""

    @property
    def rejections(self) -> list[str]:
        """The reason of each event that was refused alone."""
        rejected = self._said.get("rejected")
        told = rejected if isinstance(rejected, list) else []
        return [str(each.get("reason", ""))[:64] for each in told if isinstance(each, dict)]

    def wait(self, now: datetime) -> float:
        """Seconds that the server asks to wait: of `Retry-After` as a number or as a date; 0 where it doesn't."""
        try:
            seconds = float(self.retry_after)
        except ValueError:
            seconds = _seconds_until(self.retry_after, now)
        return min(max(seconds, 0.0), _LONGEST_WAIT) if math.isfinite(seconds) else 0.0

    @cached_property
    def _said(self) -> dict[str, Any]:
        try:
            said = msgspec.json.decode(self.body)
        except (msgspec.DecodeError, RecursionError, ValueError):
            return {}
        return said if isinstance(said, dict) else {}


def _seconds_until(date: str, now: datetime) -> float:
    try:
        at = parsedate_to_datetime(date)
    except (TypeError, ValueError, OverflowError):
        return 0.0
    return ((at if at.tzinfo else at.replace(tzinfo=UTC)) - now).total_seconds()
