"""The country of an address, and of a time zone, from tables that ship with the package.

Nothing is asked of anyone: an address never leaves the process. The address table's file is of the form that
`tallymark/ingest/ranges.py` describes, its names are countries; what lies in no range (private, reserved, not
handed out) has country ''. `data/NOTICE.md` names its source, date and licence, and
`scripts/build_country_table.py` builds it.
"""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Final, Self

from tallymark.ingest.ranges import RangeTable

FORMAT: Final = "country-table-1"


class CountryTable:
    """The country of any IP address: ISO 3166 alpha-2, or '' where there is none to tell."""

    __slots__ = ("_ranges",)

    def __init__(self, ranges: RangeTable) -> None:
        self._ranges = ranges

    @classmethod
    def load(cls) -> Self:
        """The table that ships with the package: about 2 MB in memory."""
        return cls.unpack((files("tallymark.ingest") / "data" / "country.xz").read_bytes())

    @classmethod
    def unpack(cls, packed: bytes) -> Self:
        """The table in a packed file's bytes; ValueError if they are in another format."""
        return cls(RangeTable.unpack(packed, FORMAT))

    def country(self, ip: str) -> str:
        """Where the address is registered: 'DE'; '' if private, unknown or not an address.

        IPv4 inside IPv6 (mapped, 6to4) counts as the IPv4 it is.
        """
        return self._ranges.name(ip)


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
