"""The name of the range that an IP address lies in, and the packed files that such tables ship as.

A table holds, for IPv4 and for the upper 64 bits of IPv6, the sorted starts of ranges and the name of each; a
range ends where the next one starts, and what lies in no range has the name ''.

The packed file is an xz stream of: one line of ASCII words (the word for what the table tells, the number of
IPv4 ranges, the number of IPv6 ranges, the names in the order of their indices, `--` for none), then for each
family its starts as byte planes (all most significant bytes first, then the next ones), then one name's index
a range. `pack` writes it, for the scripts that build tables; `RangeTable.unpack` reads it.
"""

import lzma
import socket
import sys
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from typing import Final, Self

NO_NAME: Final = "--"
V4_BYTES: Final = 4
V6_BYTES: Final = 8

Row = tuple[int, int, str]
"""First address, last address (included), name."""

_V6_LOW_BITS = 64
_DICTIONARY = 1 << 21  # as much memory as reading the file takes; the preset's own 64 MiB gains nothing
_MAPPED = bytes(10) + b"\xff\xff"
_SIX_TO_FOUR = b"\x20\x02"

_Change = tuple[int, str]


class _Ranges:
    """One family's sorted starts, and each range's name."""

    __slots__ = ("_keys", "_names", "_starts")

    def __init__(self, starts: "array[int]", keys: bytes, names: tuple[str, ...]) -> None:
        self._starts = starts
        self._keys = keys
        self._names = names

    def name(self, number: int) -> str:
        place = bisect_right(self._starts, number) - 1
        return self._names[self._keys[place]] if place >= 0 else ""


class RangeTable:
    """The name that goes with any IP address, '' where there is none."""

    __slots__ = ("_v4", "_v6")

    def __init__(self, v4: _Ranges, v6: _Ranges) -> None:
        self._v4 = v4
        self._v6 = v6

    @classmethod
    def unpack(cls, packed: bytes, word: str) -> Self:
        """The table in a packed file's bytes; ValueError if it tells something else than `word`."""
        head, _, body = lzma.decompress(packed).partition(b"\n")
        found, count4, count6, *words = head.decode("ascii").split()
        if found != word:
            raise ValueError(f"not a {word}: {found}")
        names = tuple("" if name == NO_NAME else name for name in words)
        view = memoryview(body)
        split = int(count4) * (V4_BYTES + 1)
        if len(view) != split + int(count6) * (V6_BYTES + 1):
            raise ValueError(f"{word} cut short")
        return cls(_ranges(view[:split], "I", V4_BYTES, names), _ranges(view[split:], "Q", V6_BYTES, names))

    def name(self, ip: str) -> str:
        """The name of the range the address lies in; '' if it lies in none or is no address.

        IPv4 inside IPv6 (mapped, 6to4) counts as the IPv4 it is.
        """
        try:
            if ":" not in ip:
                return self._v4.name(int.from_bytes(socket.inet_pton(socket.AF_INET, ip)))
            raw = socket.inet_pton(socket.AF_INET6, ip)
        except (OSError, ValueError):  # ValueError: a NUL or a character outside ASCII
            return ""
        if raw.startswith(_MAPPED):
            return self._v4.name(int.from_bytes(raw[12:]))
        if raw.startswith(_SIX_TO_FOUR):
            return self._v4.name(int.from_bytes(raw[2:6]))
        return self._v6.name(int.from_bytes(raw[:V6_BYTES]))


def _ranges(block: memoryview, code: str, width: int, names: tuple[str, ...]) -> _Ranges:
    """One family's ranges: byte planes of the starts, then the names' indices."""
    end = len(block) // (width + 1) * width
    return _Ranges(_from_planes(block[:end], code, width), bytes(block[end:]), names)


def _from_planes(planes: memoryview, code: str, width: int) -> "array[int]":
    """Unsigned numbers of `width` bytes (array type `code`), put together from their byte planes."""
    count = len(planes) // width
    packed = bytearray(len(planes))
    for place in range(width):
        target = width - 1 - place if sys.byteorder == "little" else place
        packed[target::width] = planes[place * count : (place + 1) * count]
    numbers = array(code)
    numbers.frombytes(packed)
    return numbers


def pack(word: str, v4: Iterable[Row], v6: Iterable[Row]) -> tuple[bytes, str]:
    """The packed file of both families' rows, and a line that says how much it holds.

    Rows are sorted and don't overlap (ValueError); neighbours of one name become one range. IPv6 is cut to
    its upper 64 bits.
    """
    changes4 = _changes(v4, 256**V4_BYTES)
    changes6 = _changes(_upper_halves(v6), 256**V6_BYTES)
    names = [NO_NAME, *sorted({name for _, name in [*changes4, *changes6]} - {NO_NAME})]
    head = " ".join([word, str(len(changes4)), str(len(changes6)), *names]) + "\n"
    body = head.encode("ascii") + _block(changes4, V4_BYTES, names) + _block(changes6, V6_BYTES, names)
    lzma2 = {"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME, "dict_size": _DICTIONARY}
    packed = lzma.compress(body, filters=[lzma2])
    return packed, f"{len(changes4):,} IPv4 and {len(changes6):,} IPv6 ranges in {len(packed):,} bytes"


def _upper_halves(rows: Iterable[Row]) -> Iterator[Row]:
    """IPv6 rows as ranges of whole /64 networks; a network split between rows goes to the first of them."""
    free = 0
    for first, last, name in rows:
        start, end = max(first >> _V6_LOW_BITS, free), last >> _V6_LOW_BITS
        if start <= end:
            yield start, end, name
            free = end + 1


def _changes(rows: Iterable[Row], end: int) -> list[_Change]:
    """Where the name changes below `end`, gaps included; neighbours of one name are one range."""
    points: list[_Change] = []
    free = 0
    for first, last, name in rows:
        if first < free:
            raise ValueError(f"rows overlap or are not sorted at {first}")
        if first > free:
            _append(points, free, NO_NAME)
        _append(points, first, name)
        free = last + 1
    if free < end:
        _append(points, free, NO_NAME)
    return points


def _append(points: list[_Change], start: int, name: str) -> None:
    if not points or points[-1][1] != name:
        points.append((start, name))


def _block(points: list[_Change], width: int, names: list[str]) -> bytes:
    """One family: the byte planes of the starts, then each range's name as an index."""
    starts = b"".join(start.to_bytes(width) for start, _ in points)
    planes = b"".join(starts[place::width] for place in range(width))
    index = {name: place for place, name in enumerate(names)}
    return planes + bytes(index[name] for _, name in points)
