"""The country of an address, and of a time zone, from tables that ship with the package.

Nothing is asked of anyone: an address never leaves the process. The address table holds, for IPv4 and for
the upper 64 bits of IPv6, the sorted starts of ranges and the country of each; what lies in no range
(private, reserved, not handed out) has country ''. `data/NOTICE.md` names its source, date and licence, and
`scripts/build_country_table.py` builds it.

The packed file is an xz stream of: one line of ASCII words (`FORMAT`, the number of IPv4 ranges, the number
of IPv6 ranges, the countries in the order of their indices, `--` for none), then for each family its starts
as byte planes (all most significant bytes first, then the next ones), then one country index a range.
"""

import lzma
import socket
import sys
from array import array
from bisect import bisect_right
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Final, Self

FORMAT: Final = "country-table-1"
NOWHERE: Final = "--"
V4_BYTES: Final = 4
V6_BYTES: Final = 8

_MAPPED = bytes(10) + b"\xff\xff"
_SIX_TO_FOUR = b"\x20\x02"


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


class _Ranges:
    """Sorted range starts and each range's country; a range ends where the next one starts."""

    __slots__ = ("_countries", "_keys", "_starts")

    def __init__(self, starts: "array[int]", keys: bytes, countries: tuple[str, ...]) -> None:
        self._starts = starts
        self._keys = keys
        self._countries = countries

    def country(self, number: int) -> str:
        place = bisect_right(self._starts, number) - 1
        return self._countries[self._keys[place]] if place >= 0 else ""


class CountryTable:
    """The country of any IP address: ISO 3166 alpha-2, or '' where there is none to tell."""

    __slots__ = ("_v4", "_v6")

    def __init__(self, v4: _Ranges, v6: _Ranges) -> None:
        self._v4 = v4
        self._v6 = v6

    @classmethod
    def load(cls) -> Self:
        """The table that ships with the package: about 2 MB in memory."""
        return cls.unpack((files("tallymark.ingest") / "data" / "country.xz").read_bytes())

    @classmethod
    def unpack(cls, packed: bytes) -> Self:
        """The table in a packed file's bytes; ValueError if they are in another format."""
        head, _, body = lzma.decompress(packed).partition(b"\n")
        word, count4, count6, *names = head.decode("ascii").split()
        if word != FORMAT:
            raise ValueError(f"not a {FORMAT}: {word}")
        countries = tuple("" if name == NOWHERE else name for name in names)
        view = memoryview(body)
        split = int(count4) * (V4_BYTES + 1)
        if len(view) != split + int(count6) * (V6_BYTES + 1):
            raise ValueError("country table cut short")
        return cls(_ranges(view[:split], "I", V4_BYTES, countries), _ranges(view[split:], "Q", V6_BYTES, countries))

    def country(self, ip: str) -> str:
        """Where the address is registered: 'DE'; '' if private, unknown or not an address.

        IPv4 inside IPv6 (mapped, 6to4) counts as the IPv4 it is.
        """
        try:
            if ":" not in ip:
                return self._v4.country(int.from_bytes(socket.inet_pton(socket.AF_INET, ip)))
            raw = socket.inet_pton(socket.AF_INET6, ip)
        except (OSError, ValueError):  # ValueError: a NUL or a character outside ASCII
            return ""
        if raw.startswith(_MAPPED):
            return self._v4.country(int.from_bytes(raw[12:]))
        if raw.startswith(_SIX_TO_FOUR):
            return self._v4.country(int.from_bytes(raw[2:6]))
        return self._v6.country(int.from_bytes(raw[:V6_BYTES]))


def _ranges(block: memoryview, code: str, width: int, countries: tuple[str, ...]) -> _Ranges:
    """One family's ranges: byte planes of the starts, then the country indices."""
    end = len(block) // (width + 1) * width
    return _Ranges(_from_planes(block[:end], code, width), bytes(block[end:]), countries)


# Old names of zones that browsers still send. The tz database links each to a zone that keeps the same time,
# which here is in another country, or is the zone of a continent and of no country.
_ABROAD: Final[dict[str, str]] = {
    "Africa/Asmera": "ER",
    "Africa/Timbuktu": "ML",
    "America/Coral_Harbour": "CA",
    "America/Virgin": "VI",
    "Atlantic/Jan_Mayen": "SJ",
    "Antarctica/South_Pole": "AQ",
    "Iceland": "IS",
    "Pacific/Johnston": "UM",
    "Pacific/Ponape": "FM",
    "Pacific/Truk": "FM",
    "Pacific/Yap": "FM",
    **dict.fromkeys(("CET", "EET", "MET", "WET"), ""),
    **dict.fromkeys(("EST", "EST5EDT", "CST6CDT", "MST", "MST7MDT", "PST8PDT", "HST"), ""),
}


def country_of_timezone(name: str) -> str:
    """The country whose zone this is: 'Europe/Berlin' gives 'DE'; '' for UTC, offsets and unknown names."""
    return _country_by_zone().get(name, "")


@cache
def _country_by_zone() -> Mapping[str, str]:
    """Each zone's country from the tz database's zone.tab, and the same for its links' other names."""
    folder = files("tzdata") / "zoneinfo"
    rows = (folder / "zone.tab").read_text(encoding="utf-8").splitlines()
    fields = [row.split("\t") for row in rows if row and not row.startswith("#")]
    zones = {zone: country for country, _, zone, *_ in fields}
    links = [line.split() for line in (folder / "tzdata.zi").read_text(encoding="utf-8").splitlines()]
    linked = {link[2]: zones[link[1]] for link in links if link[:1] == ["L"] and link[1] in zones}
    return linked | zones | _ABROAD
