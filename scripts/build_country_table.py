"""Builds src/tallymark/ingest/data/country.xz from range tables in CSV.

    python scripts/build_country_table.py FOLDER [OUTPUT]

FOLDER is an unpacked package of the `@ip-location-db` family (npm), which holds one `*-ipv4-num.csv` and one
`*-ipv6-num.csv` with rows `first,last,country`: addresses as numbers, both ends included, sorted, no overlap.
Afterwards bring `src/tallymark/ingest/data/NOTICE.md` up to date. The format is described in
`tallymark/ingest/ranges.py`.
"""

import argparse
import csv
from collections.abc import Iterator
from pathlib import Path

from tallymark.ingest.country import FORMAT
from tallymark.ingest.ranges import Row, pack

OUTPUT = Path(__file__).parent.parent / "src" / "tallymark" / "ingest" / "data" / "country.xz"


def read_ranges(folder: Path, family: str) -> Iterator[Row]:
    """The rows (first, last, country) of the folder's one table of that family: 'ipv4' or 'ipv6'."""
    (table,) = folder.glob(f"*-{family}-num.csv")
    with table.open(newline="", encoding="ascii") as lines:
        for first, last, country in csv.reader(lines):
            yield int(first), int(last), country


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("output", type=Path, nargs="?", default=OUTPUT)
    wanted = parser.parse_args()
    packed, told = pack(FORMAT, read_ranges(wanted.folder, "ipv4"), read_ranges(wanted.folder, "ipv6"))
    wanted.output.write_bytes(packed)
    print(told)


if __name__ == "__main__":
    main()
