"""How a client sends, checked once and frozen."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx

from tallymark.client.problem import Problem


@dataclass(frozen=True)
class Options:
    """What a client was made with. Sizes are in bytes, times in seconds. Errors: `ValueError`."""

    endpoint: str
    key: str | None = field(repr=False)
    project: str | None
    signing_secret: str | None = field(repr=False)
    batch_events: int
    batch_bytes: int
    batch_seconds: float
    queue_events: int
    queue_bytes: int
    timeout: float
    connections: int
    retries: int | None
    backoff: float
    longest_backoff: float
    on_error: Callable[[Problem], object] | None

    def __post_init__(self) -> None:
        object.__setattr__(self, "endpoint", _address(self.endpoint))
        for name in ("key", "project", "signing_secret"):
            _check_text(name, getattr(self, name))
        for name in ("batch_events", "batch_bytes", "queue_events", "queue_bytes", "connections"):
            _check_count(name, getattr(self, name), least=1)
        if self.retries is not None:
            _check_count("retries", self.retries, least=0)
        for name in ("batch_seconds", "timeout", "backoff", "longest_backoff"):
            _check_seconds(name, getattr(self, name))


def _address(endpoint: object) -> str:
    """A server's address without the slash at its end."""
    try:
        url = httpx.URL(endpoint) if isinstance(endpoint, str) else httpx.URL()
    except httpx.InvalidURL:
        url = httpx.URL()
    if url.scheme not in ("http", "https") or not url.host or url.query or url.fragment:
        raise ValueError("endpoint is the address of a server, as https://metrics.example")
    return str(url).rstrip("/")


def _check_text(name: str, given: object) -> None:
    if given is None:
        return
    if not isinstance(given, str) or not given or not (given.isascii() and given.isprintable()):
        raise ValueError(f"{name} is a text of printable ASCII characters, or None")


def _check_count(name: str, given: object, least: int) -> None:
    if not isinstance(given, int) or given < least:
        raise ValueError(f"{name} is a whole number, at least {least}")


def _check_seconds(name: str, given: object) -> None:
    if not isinstance(given, int | float) or not math.isfinite(given) or given < 0:
        raise ValueError(f"{name} is a number of seconds")
