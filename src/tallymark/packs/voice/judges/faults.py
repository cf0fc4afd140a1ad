"""What an HTTP answer that is none means: the fault of a status, and how long a server asks to be left alone."""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Final

from tallymark.spec.evaluation import Fault

_FAULTS: Final[dict[int, Fault]] = {
    HTTPStatus.UNAUTHORIZED: Fault.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN: Fault.UNAUTHORIZED,
    HTTPStatus.REQUEST_TIMEOUT: Fault.UNAVAILABLE,
    HTTPStatus.TOO_MANY_REQUESTS: Fault.RATE_LIMITED,
}

#: Google's durations: seconds, perhaps with a fraction, as in `13.5s`.
_DURATION: Final = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)s", re.ASCII)
_SECONDS: Final = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9})?", re.ASCII)


def fault_of(status: int) -> Fault:
    """What a status that is no success means for whoever asked."""
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Fault.UNAVAILABLE
    return _FAULTS.get(status, Fault.REJECTED)


def seconds_of_header(value: str | None, now: datetime | None = None) -> float | None:
    """What `Retry-After` says, in seconds or as a time of HTTP; None where it says nothing that can be read."""
    if not value:
        return None
    if _SECONDS.fullmatch(value.strip()):
        return float(value)
    try:
        until = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    aware = until if until.tzinfo is not None else until.replace(tzinfo=UTC)
    return max(0.0, (aware - (now or datetime.now(UTC))).total_seconds())


def seconds_of_duration(value: object) -> float | None:
    """What a duration of Google's such as `13.5s` says, in seconds."""
    found = _DURATION.fullmatch(value) if isinstance(value, str) else None
    return None if found is None else float(found[1])


def longest(*seconds: float | None) -> float | None:
    """The longest of those that are known."""
    return max((some for some in seconds if some is not None), default=None)
