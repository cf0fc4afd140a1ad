"""Personal data in what is sent: found by kind, then redacted or refused as the project says.

One RE2 set looks at the whole body first; only where something might be there are an event's texts looked at, and
a validator (Luhn, IBAN's check digits, a country's telephone numbers, …) decides. What stands under a telling name is
found by that.
"""

import re
from bisect import bisect
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain
from typing import Any, NamedTuple

import re2

from tallymark.ingest.pii_keys import HOLDING_NAME, TELLING_NAME, below, told
from tallymark.ingest.pii_kinds import DETECTORS, Detector
from tallymark.ingest.pii_numbers import Candidate
from tallymark.ingest.pii_readings import plain, readings, unescaped, ways

#: The shortest is a card's check code.
_SHORTEST_NUMBER = 10**2
_LONGER_THAN_CARDS = 10**19

#: Names in a JSON text, and in the query of an address or a line of a log, each with a value.
_PAIRS = (
    rf"[\"'](?:[^\"']*[.\[/:$])?({TELLING_NAME})[\"']\s*:\s*[\"']([^\"']+)[\"']",
    rf"(?:^|[^0-9A-Za-z_\-.])(?:[\w\-.\[$]*[.\[$_])?({TELLING_NAME})=[\"']?([^&#;,\s\"'<>]+)",
)
#: Names in a body, with a value that may be something: a text, a number, a list, an object.
_NAMES = (
    rf'["._\-\[/:$ ]{TELLING_NAME}"\s*:\s*(?:"[^"]|""[^,\]}}\s]|[0-9\[{{])',
    rf'["._\-\[/:$ ]{HOLDING_NAME}"\s*:\s*(?:\[\s*)*\{{',
)
#: Passes over a text: each takes away what it finds, and what is left rarely holds more.
_PASSES = 8
#: What a check sees of what stands before and after a match.
_AROUND = 32
_WORD = re.compile(r"\w+")


class _Span(NamedTuple):
    start: int
    end: int
    kind: str


@dataclass(frozen=True)
class Finding:
    """Where and of what kind; never the value."""

    field: str
    kind: str


@cache
def _set() -> Any:
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 64 << 20
    found = re2.Set.SearchSet(options)
    for pattern in (*(detector.pattern for detector in DETECTORS), *_PAIRS, *_NAMES):
        found.Add(pattern)
    found.Compile()
    return found


@cache
def _compiled() -> tuple[tuple[Detector, Any], ...]:
    return tuple((detector, re2.compile(detector.pattern)) for detector in DETECTORS)


@cache
def _compiled_pairs() -> tuple[Any, ...]:
    return tuple(re2.compile(pattern) for pattern in _PAIRS)


def suspicious(body: bytes) -> bool:
    """Whether a body may hold anything: false for almost all, in one scan."""
    if b"\\" in body:
        body = unescaped(body.decode("utf-8", "replace")).encode()
    if _set().Match(body):
        return True
    if body.isascii() and b"%" not in body:
        return False
    return any(_hits(way) for way in ways(body.decode("utf-8", "replace"))[1:])


def find(properties: dict[str, Any]) -> list[Finding]:
    """What the texts of an event's properties hold, and their names: each field with each kind once."""
    return list(dict.fromkeys(_findings(properties, "", "")))


def redacted(value: Any) -> Any:
    """The same value with each find replaced by its kind in brackets: `[email]`."""
    return _redacted(value, "")


def cleaned(texts: Sequence[str], name: str = "") -> list[str]:
    """As `redacted`, for the texts of a column: they are looked at one by one only where one may hold something."""
    doubtful = any(_hits(way) for way in ways("\n".join(texts)))
    return [_clean(text, name) for text in texts] if doubtful else list(texts)


def _hits(text: str) -> frozenset[int]:
    """The places in the set of the patterns that match somewhere."""
    return frozenset(_set().Match(text) or ())


def _findings(value: Any, path: str, name: str) -> Iterator[Finding]:
    if isinstance(value, dict):
        for key, inner in value.items():
            place = f"{path}.{_clean(key)}" if path else _clean(key)
            yield from (Finding(place, span.kind) for span in _spans(key, ""))
            yield from _findings(inner, place, below(name, key))
    elif isinstance(value, list):
        for at, inner in enumerate(value):
            yield from _findings(inner, f"{path}[{at}]", name)
    else:
        yield from (Finding(path, span.kind) for span in _spans(_text_of(value), name))


def _redacted(value: Any, name: str) -> Any:
    if isinstance(value, str):
        return _clean(value, name)
    if isinstance(value, dict):
        return {_clean(key): _redacted(inner, below(name, key)) for key, inner in value.items()}
    if isinstance(value, list):
        return [_redacted(inner, name) for inner in value]
    text = _text_of(value)
    clean = _clean(text, name)
    return value if clean == text else clean


def _text_of(value: Any) -> str:
    """A text, or the digits of a number that may be one; '' for everything else."""
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and _SHORTEST_NUMBER <= value < _LONGER_THAN_CARDS and value % 1 == 0:
        return str(int(value))
    return ""


def _clean(text: str, name: str = "") -> str:
    for _ in range(_PASSES):
        spans = _spans(text, name)
        if not spans:
            break
        text = _replaced(text, spans)
    return text


def _replaced(text: str, spans: Sequence[_Span]) -> str:
    pieces, end = [], 0
    for span in spans:
        pieces += [text[end : span.start], f"[{span.kind}]"]
        end = span.end
    return "".join([*pieces, text[end:]])


def _spans(text: str, name: str) -> list[_Span]:
    """The places of everything that is found in a text under a name, in order; in the first reading that has any."""
    if not text:
        return []
    if kind := told(name, text):
        return [_Span(0, len(text), kind)]
    for reading in readings(text):
        hits = _hits(reading.text)
        if hits and (found := _apart(chain(_detected(reading.text, name, hits), _told_in(reading.text, hits)))):
            return [_Span(*reading.sent(span.start, span.end), span.kind) for span in found]
    return []


def _apart(spans: Iterable[_Span]) -> list[_Span]:
    """The spans in order, those left out that overlap an earlier one of the given."""
    kept: list[_Span] = []
    for span in spans:
        place = bisect(kept, span)
        before, after = kept[place - 1 : place], kept[place : place + 1]
        if all(other.end <= span.start for other in before) and all(span.end <= other.start for other in after):
            kept.insert(place, span)
    return kept


def _detected(text: str, name: str, hits: frozenset[int]) -> Iterator[_Span]:
    """What the patterns find and their checks confirm."""
    for place, (detector, pattern) in enumerate(_compiled()):
        if place in hits:
            yield from _matches(detector, pattern, text, name)


def _matches(detector: Detector, pattern: Any, text: str, name: str) -> Iterator[_Span]:
    """The matches that are confirmed; behind another one the search goes on with its second word.

    It goes over the bytes, as a search in a text from somewhere on begins with encoding all of it.
    """
    sent, name, counted, at = text.encode(), plain(name), 0, 0
    match = pattern.search(sent)
    while match is not None:
        first, last = match.span(pattern.groups)
        found = sent[first:last].decode()
        at, counted = at + len(sent[counted:first].decode()), first
        after = at + len(found)
        around = text[max(0, at - _AROUND) : at], text[after : after + _AROUND]
        taken = detector.check(Candidate(found, *around, name))
        if taken:
            yield _Span(at, at + taken, detector.kind)
        match = pattern.search(sent, first + len(found[: taken or _first_word(found)].encode()))


def _first_word(text: str) -> int:
    """The length of the first run of letters and digits, or 1."""
    found = _WORD.match(text)
    return found.end() if found else 1


def _told_in(text: str, hits: frozenset[int]) -> Iterator[_Span]:
    """What stands under telling names within a text: in the query of an address, in JSON."""
    for place, pattern in enumerate(_compiled_pairs(), len(DETECTORS)):
        if place in hits:
            for match in pattern.finditer(text):
                start, end = match.span(2)
                if kind := told(match[1], match[2]):
                    yield _Span(start, end, kind)
