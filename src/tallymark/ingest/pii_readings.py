"""The ways a text may be read: as it is, with odd spellings of characters made plain, with percent signs undone.

What stands in a body is looked at in every reading, and what is found is led back to the characters that were sent.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import unquote_to_bytes

import re2

#: How often a text is percent-decoded: once for an address, once more for an address within an address.
_DEPTH = 2

_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}
_PERCENT = re.compile("(?:%[0-9a-fA-F]{2})+")

#: Dashes and spaces as typesetters use them.
_DASHES = "\u2010-\u2015\u2212\ufe58\ufe63\uff0d"
_SPACES = "\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000"
#: Characters that nobody sees.
_UNSEEN = "\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff"
#: Letters, digits and signs that look like those of ASCII: full-width, small, raised, circled, mathematical ones.
_ALIKE = (
    "\u00aa\u00b2\u00b3\u00b9\u00ba\u2070-\u209c\u2460-\u249b\u24b6-\u24ea\ufe52\ufe62\ufe6b"
    "\uff0b\uff0e\uff10-\uff1a\uff20-\uff3a\uff3f\uff41-\uff5a\U0001d400-\U0001d7ff"
)
#: Digits of other scripts.
_DIGITS = "".join(f"{run[0]}-{run[-1]}" for run in re.findall(r"\d+", "".join(map(chr, range(0x80, 0xD800)))))
_ODD = f"[{_DASHES}{_SPACES}{_UNSEEN}{_ALIKE}{_DIGITS}]"
_EACH_ODD = re.compile(_ODD)
_ANY_ODD: Any = re2.compile(_ODD)
_DASH = re.compile(f"[{_DASHES}]")
_SPACE = re.compile(f"[{_SPACES}]")
_HIDDEN = re.compile(f"[{_UNSEEN}]")

#: A text, with or without its places.
_T = TypeVar("_T", "Reading", str)
#: A match is undone to texts, each with its place in the match.
_Undo = Callable[[str], Iterator[tuple[str, int]]]


@dataclass(frozen=True)
class Reading:
    """A text as it may be read; `at` are the places of its characters in what was sent, None where they are equal."""

    text: str
    at: Sequence[int] | None = None

    def __contains__(self, part: str) -> bool:
        return part in self.text

    def sent(self, start: int, end: int) -> tuple[int, int]:
        """Where a part of the reading stands in what was sent."""
        if self.at is None:
            return start, end
        last = self.at[end - 1]
        while self.at[end] == last:
            end += 1
        return self.at[start], self.at[end]


def unescaped(json: str) -> str:
    """JSON with its escapes undone: no JSON any more, but its texts are as they were written."""
    if "\\" not in json:
        return json
    undone = _ESCAPE.sub(lambda found: chr(int(found[1], 16)) if found[1] else _ESCAPED.get(found[2], found[2]), json)
    return undone.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def plain(text: str) -> str:
    """The text with what looks like ASCII written in ASCII, and without what nobody sees."""
    if text.isascii() or _ANY_ODD.search(text) is None:
        return text
    return _EACH_ODD.sub(lambda found: _plain_character(found[0]), text)


def ways(text: str) -> list[str]:
    """The readings of a text, without where their characters came from; the first is the text itself."""
    found = [text]
    for reading in _further(text, plain, lambda way: plain(unquote_to_bytes(way).decode("utf-8", "replace"))):
        if reading != found[-1]:
            found.append(reading)
    return found


def readings(text: str) -> list[Reading]:
    """As `ways`, with where each character came from; the one that is furthest from what was sent is the first."""
    found = [Reading(text)]
    for reading in _further(found[0], _plainly, lambda way: _plainly(_undone(way, _PERCENT, _characters))):
        if reading.text != found[-1].text:
            found.append(reading)
    return found[::-1]


def _further(text: _T, mend: Callable[[_T], _T], decode: Callable[[_T], _T]) -> Iterator[_T]:
    """The text in plain characters, then decoded as often as that is done."""
    text = mend(text)
    yield text
    for _ in range(_DEPTH):
        if "%" not in text:
            return
        text = decode(text)
        yield text


def _plain_character(odd: str) -> str:
    if _HIDDEN.match(odd):
        return ""
    if _DASH.match(odd):
        return "-"
    if _SPACE.match(odd):
        return " "
    digit = unicodedata.decimal(odd, None)
    return unicodedata.normalize("NFKC", odd) if digit is None else str(digit)


def _plainly(reading: Reading) -> Reading:
    if reading.text.isascii() or _ANY_ODD.search(reading.text) is None:
        return reading
    return _undone(reading, _EACH_ODD, lambda odd: iter([(_plain_character(odd), 0)]))


def _characters(escapes: str) -> Iterator[tuple[str, int]]:
    """The characters of a run of `%XX` with their places in it; what is no UTF-8 becomes the replacement character."""
    place = 0
    for character in bytes.fromhex(escapes.replace("%", "")).decode("utf-8", "surrogateescape"):
        yield ("\ufffd" if "\udc80" <= character <= "\udcff" else character), place
        place += 3 * len(character.encode("utf-8", "surrogateescape"))


def _undone(reading: Reading, pattern: re.Pattern[str], undo: _Undo) -> Reading:
    """The reading with every match of the pattern undone."""
    text, at, end = reading.text, reading.at or range(len(reading.text) + 1), 0
    pieces: list[str] = []
    places: list[int] = []
    for found in pattern.finditer(text):
        pieces.append(text[end : found.start()])
        places.extend(at[end : found.start()])
        for piece, place in undo(found[0]):
            pieces.append(piece)
            places.extend([at[found.start() + place]] * len(piece))
        end = found.end()
    return Reading("".join([*pieces, text[end:]]), [*places, *at[end:]])
