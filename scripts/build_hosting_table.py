"""Builds src/tallymark/ingest/data/hosting.xz from tables of networks in CSV.

    python scripts/build_hosting_table.py FOLDER [OUTPUT] [--networks LIST]

FOLDER is the unpacked package `@ip-location-db/asn` (npm), which holds one `*-ipv4-num.csv` and one
`*-ipv6-num.csv` with rows `first,last,number,organisation`: addresses as numbers, both ends included, sorted,
no overlap; `number` is the autonomous system that announces them. Kept are the ranges of the systems in
LIST, by default `hosting_networks.csv` beside this script, which says what belongs there.
Afterwards bring `src/tallymark/ingest/data/NOTICE.md` up to date. The format is described in
`tallymark/ingest/ranges.py`.
"""

import argparse
import csv
from pathlib import Path

from tallymark.ingest.hosting import FORMAT, HOSTING
from tallymark.ingest.ranges import Row, pack

OUTPUT = Path(__file__).parent.parent / "src" / "tallymark" / "ingest" / "data" / "hosting.xz"
NETWORKS = Path(__file__).parent / "hosting_networks.csv"


def read_networks(path: Path) -> set[str]:
    """The numbers in a list of networks: `number,name` a line, comments after '#'."""
    lines = (line.partition("#")[0].strip() for line in path.read_text(encoding="utf-8").splitlines())
    numbers = [line.partition(",")[0] for line in lines if line]
    wrong = [number for number in numbers if not number.isdecimal() or numbers.count(number) > 1]
    if wrong:
        raise ValueError(f"twice in the list, or not a number: {wrong}")
    return set(numbers)


def read_ranges(folder: Path, family: str, networks: set[str]) -> list[Row]:
    """The networks' rows (first, last, number) in the folder's one table of that family: 'ipv4' or 'ipv6'."""
    (table,) = folder.glob(f"*-{family}-num.csv")
    with table.open(newline="", encoding="utf-8") as lines:
        rows = csv.reader(lines)
        return [(int(first), int(last), number) for first, last, number, _ in rows if number in networks]


def as_hosting(rows: list[Row]) -> list[Row]:
    """The same ranges, whoever announces them."""
    return [(first, last, HOSTING) for first, last, _ in rows]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("output", type=Path, nargs="?", default=OUTPUT)
    parser.add_argument("--networks", type=Path, default=NETWORKS)
    wanted = parser.parse_args()
    networks = read_networks(wanted.networks)
    v4, v6 = (read_ranges(wanted.folder, family, networks) for family in ("ipv4", "ipv6"))
    packed, told = pack(FORMAT, as_hosting(v4), as_hosting(v6))
    wanted.output.write_bytes(packed)
    met = {number for _, _, number in [*v4, *v6]}
    print(f"{told}, of {len(met)} networks")
    if met < networks:
        print("nothing is announced by:", *sorted(networks - met, key=int))


if __name__ == "__main__":
    main()
