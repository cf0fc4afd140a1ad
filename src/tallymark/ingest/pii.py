"""Personal data in what is sent: found by kind, then redacted or refused as the project says.

One RE2 set looks at the whole body first; only where something might be there are an event's texts looked at, and
a validator (Luhn, IBAN's check digits, …) decides.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import re2


@dataclass(frozen=True)
class Detector:
    """A kind of personal data: its pattern in RE2's syntax, and what else must hold of a match."""

    kind: str
    pattern: str
    valid: Callable[[str], bool]


def _luhn(text: str) -> bool:
    digits = [int(c) for c in text if c.isdigit()]
    doubled = [d * 2 - 9 if d > 4 else d * 2 for d in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def _card(text: str) -> bool:
    """Luhn alone is passed by one number in ten: the grouping or the issuer's range must fit too."""
    digits = re.sub(r"\D", "", text)
    grouped = len(digits) != len(text)
    issuer = re.match(r"4|5[1-5]|2[2-7]|3[47]|6011|65", digits) is not None
    return issuer and len(set(digits)) > 1 and _luhn(digits) and (grouped or len(digits) >= 15)


def _iban(text: str) -> bool:
    compact = text.replace(" ", "").upper()
    moved = compact[4:] + compact[:4]
    return 15 <= len(compact) <= 34 and int("".join(str(int(c, 36)) for c in moved)) % 97 == 1


def _ssn(text: str) -> bool:
    area, group, serial = text.split("-")
    return area not in ("000", "666") and area < "900" and group != "00" and serial != "0000"


DETECTORS = (
    Detector("email", r"[A-Za-z0-9._%+\-]{1,64}(?:@|%40)[A-Za-z0-9\-]+(?:\.[A-Za-z0-9\-]+)*\.[A-Za-z]{2,24}\b", bool),
    Detector(
        "card",
        r"\b[2-6][0-9]{3}(?:[ \-]?[0-9]{4}){2}[ \-]?[0-9]{3,4}\b|\b3[47][0-9]{2}[ \-]?[0-9]{6}[ \-]?[0-9]{5}\b",
        _card,
    ),
    Detector("iban", r"\b[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b", _iban),
    Detector("ssn", r"\b[0-9]{3}-[0-9]{2}-[0-9]{4}\b", _ssn),
    Detector("jwt", r"\beyJ[A-Za-z0-9_\-]{8,}\.eyJ[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]{8,}", bool),
)  # fmt: skip


_SHORTEST_CARD = 10**12
_LONGER_THAN_CARDS = 10**19


@cache
def _set() -> Any:
    options = re2.Options()
    options.log_errors = False
    found = re2.Set.SearchSet(options)
    for detector in DETECTORS:
        found.Add(detector.pattern)
    found.Compile()
    return found


@cache
def _compiled() -> tuple[tuple[Detector, Any], ...]:
    return tuple((detector, re2.compile(detector.pattern)) for detector in DETECTORS)


def suspicious(body: bytes) -> bool:
    """Whether a body may hold anything: false for almost all, in one scan."""
    return bool(_set().Match(body.decode("utf-8", "replace")))


@dataclass(frozen=True)
class Finding:
    """Where and of what kind; never the value."""

    field: str
    kind: str


def find(properties: dict[str, Any]) -> list[Finding]:
    """What the texts of an event's properties hold."""
    return [Finding(path, kind) for path, text in _texts(properties, "") for kind, _ in _matches(text)]


def redacted(value: Any) -> Any:
    """The same value with each find replaced by its kind in brackets: `[email]`."""
    if isinstance(value, str):
        return _redacted_text(value)
    if isinstance(value, dict):
        return {_redacted_text(key): redacted(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [redacted(inner) for inner in value]
    if _long_number(value):
        text = str(int(value))
        clean = _redacted_text(text)
        return value if clean == text else clean
    return value


def _long_number(value: Any) -> bool:
    """Whether a number may be a card's."""
    return isinstance(value, int | float) and _SHORTEST_CARD <= value < _LONGER_THAN_CARDS


def _redacted_text(text: str) -> str:
    for kind, match in _matches(text):
        text = text.replace(match, f"[{kind}]")
    return text


def _matches(text: str) -> list[tuple[str, str]]:
    """`(kind, match)` of everything that its validator confirms."""
    if not _set().Match(text):
        return []
    return [
        (detector.kind, match.group(0))
        for detector, pattern in _compiled()
        for match in pattern.finditer(text)
        if detector.valid(match.group(0))
    ]


def _texts(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Every text in a value with its path; keys too, under the path of what holds them."""
    if isinstance(value, str):
        yield path, value
    elif _long_number(value):
        yield path, str(int(value))
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield path or "(key)", key
            yield from _texts(inner, f"{path}.{_redacted_text(key)}" if path else _redacted_text(key))
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from _texts(inner, f"{path}[{place}]")
