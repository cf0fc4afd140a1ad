"""Builds src/tallymark/ingest/data/country.xz from range tables in CSV.

    python scripts/build_country_table.py FOLDER [OUTPUT]

FOLDER is an unpacked package of the `@ip-location-db` family (npm), which holds one `*-ipv4-num.csv` and one
`*-ipv6-num.csv` with rows `first,last,country`: addresses as numbers, both ends included, sorted, no overlap.
Afterwards bring `src/tallymark/ingest/data/NOTICE.md` up to date. The format is described in
`tallymark/ingest/country.py`.
"""

import argparse
import csv
import lzma
from collections.abc import Iterable, Iterator
from pathlib import Path

from tallymark.ingest.country import FORMAT, NOWHERE, V4_BYTES, V6_BYTES

OUTPUT = Path(__file__).parent.parent / "src" / "tallymark" / "ingest" / "data" / "country.xz"
V6_LOW_BITS = 64
DICTIONARY = 1 << 21  # as much memory as reading the file takes; the preset's own 64 MiB gains nothing

Row = tuple[int, int, str]
Change = tuple[int, str]


def read_ranges(folder: Path, family: str) -> Iterator[Row]:
    """The rows (first, last, country) of the folder's one table of that family: 'ipv4' or 'ipv6'."""
    (table,) = folder.glob(f"*-{family}-num.csv")
    with table.open(newline="", encoding="ascii") as lines:
        for first, last, country in csv.reader(lines):
            yield int(first), int(last), country


def upper_halves(rows: Iterable[Row]) -> Iterator[Row]:
    """IPv6 rows as ranges of whole /64 networks; a network split between rows goes to the first of them."""
    free = 0
    for first, last, country in rows:
        start, end = max(first >> V6_LOW_BITS, free), last >> V6_LOW_BITS
        if start <= end:
            yield start, end, country
            free = end + 1


def changes(rows: Iterable[Row], end: int) -> list[Change]:
    """Where the country changes below `end`, gaps included; neighbours of one country are one range."""
    points: list[Change] = []
    free = 0
    for first, last, country in rows:
        if first < free:
            raise ValueError(f"rows overlap or are not sorted at {first}")
        if first > free:
            _append(points, free, NOWHERE)
        _append(points, first, country)
        free = last + 1
    if free < end:
        _append(points, free, NOWHERE)
    return points


def _append(points: list[Change], start: int, country: str) -> None:
    if not points or points[-1][1] != country:
        points.append((start, country))


def pack(v4: list[Change], v6: list[Change]) -> bytes:
    """The packed file of both families' changes."""
    names = [NOWHERE, *sorted({country for _, country in [*v4, *v6]} - {NOWHERE})]
    head = " ".join([FORMAT, str(len(v4)), str(len(v6)), *names]) + "\n"
    body = head.encode("ascii") + _block(v4, V4_BYTES, names) + _block(v6, V6_BYTES, names)
    lzma2 = {"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME, "dict_size": DICTIONARY}
    return lzma.compress(body, filters=[lzma2])


def _block(points: list[Change], width: int, names: list[str]) -> bytes:
    """One family: the byte planes of the starts, then each range's country index."""
    starts = b"".join(start.to_bytes(width) for start, _ in points)
    planes = b"".join(starts[place::width] for place in range(width))
    index = {name: place for place, name in enumerate(names)}
    return planes + bytes(index[country] for _, country in points)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("output", type=Path, nargs="?", default=OUTPUT)
    wanted = parser.parse_args()
    v4 = changes(read_ranges(wanted.folder, "ipv4"), 256**V4_BYTES)
    v6 = changes(upper_halves(read_ranges(wanted.folder, "ipv6")), 256**V6_BYTES)
    packed = pack(v4, v6)
    wanted.output.write_bytes(packed)
    print(f"{len(v4)} IPv4 and {len(v6)} IPv6 ranges in {len(packed)} bytes")


if __name__ == "__main__":
    main()
