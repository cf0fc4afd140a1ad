"""How the text of a setting is read; a `ValueError` says what it must be."""

import re
from collections.abc import Callable
from ipaddress import IPv4Network, IPv6Network, ip_network

Network = IPv4Network | IPv6Network


def integer(low: int, high: int) -> Callable[[str], int]:
    """Reads a whole number from `low` to `high`."""

    def parse(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            raise ValueError("must be a whole number") from None
        if not low <= number <= high:
            raise ValueError(f"must be between {low} and {high}")
        return number

    return parse


def amount(most: float) -> Callable[[str], float]:
    """Reads a number from 0 to `most`."""

    def parse(text: str) -> float:
        try:
            number = float(text)
        except ValueError:
            raise ValueError("must be a number") from None
        if not 0 <= number <= most:
            raise ValueError(f"must be between 0 and {most:g}")
        return number

    return parse


def one_of(*words: str) -> Callable[[str], str]:
    """Reads one of these words."""

    def parse(text: str) -> str:
        if text not in words:
            raise ValueError(f"must be one of {', '.join(words)}")
        return text

    return parse


def url(*schemes: str) -> Callable[[str], str]:
    """Reads a URL of one of these schemes, or nothing."""

    def parse(text: str) -> str:
        if text and text.partition("://")[0] not in schemes:
            raise ValueError(f"must start with {' or '.join(s + '://' for s in schemes)}")
        return text

    return parse


def word(text: str) -> str:
    """A single word of letters, digits, dots, hyphens and underscores, or nothing."""
    if not re.fullmatch(r"[A-Za-z0-9._-]*", text):
        raise ValueError("must be one word")
    return text


def names(text: str) -> tuple[str, ...]:
    """What stands between commas."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def path(text: str) -> tuple[str, ...]:
    """Names with dots between them."""
    parts = tuple(text.split(".")) if text else ()
    if not all(parts):
        raise ValueError("must be names with dots between them")
    return parts


def networks(text: str) -> tuple[Network, ...]:
    """Addresses and networks, separated by commas."""
    try:
        return tuple(ip_network(part, strict=False) for part in names(text))
    except ValueError as error:
        raise ValueError(f"must be addresses or networks: {error}") from None
