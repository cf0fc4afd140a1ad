"""Whether an address belongs to a data centre, where programs run and people don't sit.

Nothing is asked of anyone: the table ships with the package, in the form that `tallymark/ingest/ranges.py`
describes. It holds the ranges announced by the clouds and hosting providers that
`scripts/hosting_networks.csv` lists, which also says whom it leaves out. `data/NOTICE.md` names its source,
date and licence, and `scripts/build_hosting_table.py` builds it.
"""

from importlib.resources import files
from typing import Final, Self

from tallymark.ingest.ranges import RangeTable

FORMAT: Final = "hosting-table-1"
HOSTING: Final = "hosting"


class HostingTable:
    """Tells addresses of data centres from all others."""

    __slots__ = ("_name",)

    def __init__(self, ranges: RangeTable) -> None:
        self._name = ranges.name

    @classmethod
    def load(cls) -> Self:
        """The table that ships with the package: about 0.3 MB in memory."""
        return cls.unpack((files("tallymark.ingest") / "data" / "hosting.xz").read_bytes())

    @classmethod
    def unpack(cls, packed: bytes) -> Self:
        """The table in a packed file's bytes; ValueError if they are in another format."""
        return cls(RangeTable.unpack(packed, FORMAT))

    def is_hosting(self, ip: str) -> bool:
        """True if the address is a data centre's; False for all others and for what is no address.

        IPv4 inside IPv6 (mapped, 6to4) counts as the IPv4 it is.
        """
        return self._name(ip) == HOSTING
