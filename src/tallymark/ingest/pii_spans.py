"""Where in one text personal data stands.

One RE2 set says which patterns match somewhere; these are then searched for, and a validator decides on each match.
"""

import re
from bisect import bisect
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import chain
from typing import Any, NamedTuple

import re2

from tallymark.ingest.pii_budget import Budget
from tallymark.ingest.pii_keys import HOLDING_NAME, TELLING_NAME, promised, told
from tallymark.ingest.pii_kinds import DETECTORS, Detector
from tallymark.ingest.pii_numbers import Candidate
from tallymark.ingest.pii_readings import Reading, plain, readings

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
#: The fewest characters of ASCII that are anything, `a@b.de`, and the fewest digits, a card's.
_SHORTEST, _SHORTEST_CARD = 6, 14
#: The kind that is judged by a library's tables.
_OF_TABLES = "phone"
#: What a check sees of what stands before and after a match.
_AROUND = 32
_WORD = re.compile(r"\w+")


class Span(NamedTuple):
    """A part of a text, and of what kind it is."""

    start: int
    end: int
    kind: str


@cache
def _set() -> Any:
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 64 << 20
    found = re2.Set.SearchSet(options)
    for pattern in (*(detector.hint or detector.pattern for detector in DETECTORS), *_PAIRS, *_NAMES):
        found.Add(pattern)
    found.Compile()
    return found


@cache
def _compiled() -> tuple[tuple[Detector, Any], ...]:
    return tuple((detector, re2.compile(detector.pattern)) for detector in DETECTORS)


@cache
def _compiled_pairs() -> tuple[Any, ...]:
    return tuple(re2.compile(pattern) for pattern in _PAIRS)


def hits(text: str | bytes) -> frozenset[int]:
    """The places in the set of the patterns that may match somewhere; empty for almost all texts, in one scan."""
    return frozenset(_set().Match(text) or ())


def spans(text: str, name: str, budget: Budget) -> list[Span]:
    """The places of everything that is found in a text under a name, in order; in the first reading that has any.

    Beyond the budget that is all of the text.
    """
    if not text:
        return []
    budget.text(text)
    found = [] if budget.spent else _found(text, name, budget)
    return [Span(0, len(text), budget.kind)] if budget.spent else found


def _found(text: str, name: str, budget: Budget) -> list[Span]:
    if kind := _told(name, text, budget):
        return [Span(0, len(text), kind)]
    if text.isascii() and (len(text) < _SHORTEST or (len(text) < _SHORTEST_CARD and text.isdigit())):
        return []
    for reading in readings(text):
        if found := _found_in(reading, name, budget):
            return found
    return []


def _found_in(reading: Reading, name: str, budget: Budget) -> list[Span]:
    matching = hits(reading.text)
    if not matching:
        return []
    text = reading.text
    found = _apart(chain(_detected(text, name, matching, budget), _told_in(text, matching, budget)))
    return [Span(*reading.sent(span.start, span.end), span.kind) for span in found]


def _apart(spans: Iterable[Span]) -> list[Span]:
    """The spans in order, those left out that overlap an earlier one of the given."""
    kept: list[Span] = []
    for span in spans:
        place = bisect(kept, span)
        before, after = kept[place - 1 : place], kept[place : place + 1]
        if all(other.end <= span.start for other in before) and all(span.end <= other.start for other in after):
            kept.insert(place, span)
    return kept


def _detected(text: str, name: str, matching: frozenset[int], budget: Budget) -> Iterator[Span]:
    """What the patterns find and their checks confirm."""
    compiled, name = _compiled(), plain(name)
    for place in sorted(matching):
        if place < len(compiled):
            yield from _matches(*compiled[place], text, name, budget)


def _matches(detector: Detector, pattern: Any, text: str, name: str, budget: Budget) -> Iterator[Span]:
    """The matches that are confirmed; behind another one the search goes on with its second word.

    It goes over the bytes, as a search in a text from somewhere on begins with encoding all of it.
    """
    sent, counted, at = text.encode(), 0, 0
    match = pattern.search(sent)
    while match is not None:
        first, last = match.span(pattern.groups)
        found = sent[first:last].decode()
        if not budget.judge(detector.kind, len(found), detector.kind == _OF_TABLES):
            return
        at, counted = at + len(sent[counted:first].decode()), first
        after = at + len(found)
        around = text[max(0, at - _AROUND) : at], text[after : after + _AROUND]
        taken = detector.check(Candidate(found, *around, name))
        if taken:
            yield Span(at, at + taken, detector.kind)
        match = pattern.search(sent, first + len(found[: taken or _first_word(found)].encode()))


def _first_word(text: str) -> int:
    """The length of the first run of letters and digits, or 1."""
    found = _WORD.match(text)
    return found.end() if found else 1


def _told_in(text: str, matching: frozenset[int], budget: Budget) -> Iterator[Span]:
    """What stands under telling names within a text: in the query of an address, in JSON."""
    for place, pattern in enumerate(_compiled_pairs(), len(DETECTORS)):
        if place in matching:
            for match in pattern.finditer(text):
                start, end = match.span(2)
                if kind := _told(match[1], match[2], budget):
                    yield Span(start, end, kind)
                if budget.spent:
                    return


def _told(name: str, text: str, budget: Budget) -> str:
    """The kind of a text by the name it stands under, as far as the budget goes."""
    kind = promised(name)
    return told(name, text) if kind and budget.judge(kind, len(text)) else ""
