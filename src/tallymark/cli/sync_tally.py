"""What a sync has come to: the tally of its events, and what of the table became none."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tallymark.cli.tally import Tally


@dataclass
class SyncTally(Tally):
    """A tally that knows the table: rows read for the first time and again, and rows and columns that are left out.

    `unplaced` rows have no cursor, `ahead` lie more than a day ahead, `timeless` have none of the event's time.
    """

    name: str = ""
    rows: int = 0
    again: int = 0
    unplaced: int = 0
    ahead: int = 0
    timeless: int = 0
    left_out: tuple[str, ...] = ()

    def told(self) -> dict[str, Any]:
        """All of it as JSON."""
        return super().told() | {
            "sync": self.name,
            "rows": self.rows,
            "readAgain": self.again,
            "withoutCursor": self.unplaced,
            "aheadOfTime": self.ahead,
            "withoutTime": self.timeless,
            "columnsLeftOut": list(self.left_out),
        }

    def _rows(self) -> Iterator[tuple[str, str, str]]:
        yield "Sync", "", self.name
        yield "New rows", f"{self.rows:,}", f"and {self.again:,} read again" if self.again else ""
        yield from super()._rows()
        for label, number, note in (
            ("No cursor", self.unplaced, "rows without one are never read"),
            ("Ahead", self.ahead, "rows more than a day ahead are read when their time comes"),
            ("No time", self.timeless, "rows without a time are no events yet"),
        ):
            if number:
                yield label, f"{number:,}", note
        if self.left_out:
            yield "Left out", f"{len(self.left_out):,}", "columns: " + ", ".join(self.left_out)
