"""The ways a text may be read: as it is, with odd spellings of characters made plain, with percent signs undone.

What stands in a body is looked at in every reading, and what is found is led back to the characters that were sent.
"""

import re
import unicodedata
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import accumulate, chain, repeat
from typing import Any, TypeAlias, TypeVar
from urllib.parse import unquote_to_bytes

import re2

#: How often a text is percent-decoded: once for an address, once more for an address within an address.
_DEPTH = 2

_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})")
_ESCAPED = {r"\"": '"', r"\/": "/", r"\n": "\n", r"\r": "\r", r"\t": "\t", r"\b": "\b", r"\f": "\f"}
#: Stands for an escaped backslash while the other escapes are undone: no JSON has it as it is.
_BACKSLASH = "\0"
_PERCENT = re.compile("(?:%[0-9a-fA-F]{2})+")
_NO_UTF_8 = re.compile("[\udc80-\udcff]")

#: Dashes and spaces as typesetters use them.
_DASHES = "\u2010-\u2015\u2212\ufe58\ufe63\uff0d"
_SPACES = "\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000"
#: Characters that nobody sees.
_UNSEEN = "\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff"
#: Letters, digits and signs that look like those of ASCII: full-width, small, raised, circled, mathematical ones.
_ALIKE = (
    "\u00aa\u00b2\u00b3\u00b9\u00ba\u2070-\u209c\u2460-\u249b\u24b6-\u24ea\u2024\u3002\ufe52\ufe62\ufe6b"
    "\uff61\uff0b\uff0e\uff10-\uff1a\uff20-\uff3a\uff3f\uff41-\uff5a\U0001d400-\U0001d7ff"
)
#: Digits of other scripts.
_DIGITS = "".join(f"{run[0]}-{run[-1]}" for run in re.findall(r"\d+", "".join(map(chr, range(0x80, 0xD800)))))
_ODD = f"[{_DASHES}{_SPACES}{_UNSEEN}{_ALIKE}{_DIGITS}]"
_RUN_OF_ODD = re.compile(f"{_ODD}+")
_ANY_ODD: Any = re2.compile(_ODD)
_DASH = re.compile(f"[{_DASHES}]")
_SPACE = re.compile(f"[{_SPACES}]")
_HIDDEN = re.compile(f"[{_UNSEEN}]")

#: A text, with or without its places.
_T = TypeVar("_T", "Reading", str)
#: Where characters came from.
_Places: TypeAlias = "array[int]"


@dataclass(frozen=True)
class Reading:
    """A text as it may be read; `at` are the places of its characters in what was sent, None where they are equal."""

    text: str
    at: "_Places | None" = None

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
    json = json.replace("\\\\", _BACKSLASH)
    for escape, character in _ESCAPED.items():
        json = json.replace(escape, character)
    pieces = _ESCAPE.split(json)
    pieces[::2] = [piece.replace(_BACKSLASH, "\\") for piece in pieces[::2]]
    pieces[1::2] = [chr(int(code, 16)) for code in pieces[1::2]]
    return "".join(pieces).encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def plain(text: str) -> str:
    """The text with what looks like ASCII written in ASCII, and without what nobody sees."""
    if text.isascii() or _ANY_ODD.search(text) is None:
        return text
    as_plain = _plain_characters().__getitem__
    return _RUN_OF_ODD.sub(lambda run: "".join(map(as_plain, run[0])), text)


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
    if text.isascii() and "%" not in text:
        return found
    for reading in _further(found[0], _plainly, lambda way: _plainly(_decoded(way))):
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


@cache
def _plain_characters() -> dict[str, str]:
    """The few thousand odd characters in ASCII: four characters at most for each."""
    anything = "".join(map(chr, chain(range(0x80, 0xD800), range(0xE000, 0x10000), range(0x1D400, 0x1D800))))
    return {odd: _plain_character(odd) for odd in re.findall(_ODD, anything)}


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
    pieces = list(map(_plain_characters().get, reading.text, reading.text))
    at = reading.at or range(len(pieces) + 1)
    places = chain.from_iterable(map(repeat, at, map(len, pieces)))
    return Reading("".join(pieces), array("I", chain(places, at[-1:])))


def _decoded(reading: Reading) -> Reading:
    """The reading with its escapes undone; what is no UTF-8 becomes the replacement character."""
    text, at, end = reading.text, reading.at or array("I", range(len(reading.text) + 1)), 0
    pieces: list[str] = []
    places: _Places = array("I")
    for found in _PERCENT.finditer(text):
        start, stop = found.span()
        characters = bytes.fromhex(found[0].replace("%", "")).decode("utf-8", "surrogateescape")
        pieces += text[end:start], characters
        places += at[end:start]
        places += at[start:stop:3] if characters.isascii() else _starts(characters, at[start:stop])
        end = stop
    return Reading(_NO_UTF_8.sub("\ufffd", "".join([*pieces, text[end:]])), places + at[end:])


def _starts(characters: str, at: _Places) -> _Places:
    """The places of characters whose bytes are escaped in three characters each, in what is at these places."""
    lengths = (1 if "\udc80" <= character <= "\udcff" else len(character.encode()) for character in characters[:-1])
    return array("I", [at[3 * start] for start in accumulate(lengths, initial=0)])
