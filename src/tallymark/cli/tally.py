"""What an import has come to, as a table for people and as JSON for programs."""

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any, Final, NamedTuple

from rich.console import Console
from rich.table import Table

from tallymark.ingest.access_log import RequestKind

_EXAMPLES: Final = 5

_KINDS: Final[dict[RequestKind, str]] = {
    "page": "page views",
    "bot": "page views of bots",
    "asset": "assets",
    "feed": "feeds",
    "failed": "failures",
    "redirect": "redirects",
    "not_get": "other methods",
}


class Place(NamedTuple):
    """Where an entry stands: a file, and the number of its line or row."""

    file: str
    number: int


@dataclass
class Tally:
    """Entries read, accepted, and refused by reason; where the first few stand, what was said of the first.

    `kinds` are an access log's requests by kind; `refreshed` the days whose numbers are new, None if nobody
    asked for that; `keys` those of a project that was made for the import.
    """

    project: str
    dry_run: bool = False
    kinds: Counter[RequestKind] | None = None
    read: int = 0
    accepted: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[Place]] = field(default_factory=dict)
    messages: dict[str, str] = field(default_factory=dict)
    first: float = math.inf
    last: float = -math.inf
    seconds: float = 0.0
    refreshed: int | None = None
    keys: dict[str, str] | None = None

    def accept(self, moment: float | None) -> None:
        """Counts an accepted event with its time in epoch seconds, if it says one."""
        self.accepted += 1
        if moment is not None:
            self.first, self.last = min(self.first, moment), max(self.last, moment)

    def refuse(self, reason: str, place: Place, message: str) -> None:
        """Counts a refused entry; `message` says what is wrong, and nothing of its content."""
        self.refused[reason] += 1
        self.messages.setdefault(reason, message)
        places = self.examples.setdefault(reason, [])
        if len(places) < _EXAMPLES:
            places.append(place)

    def days(self) -> tuple[str, str] | None:
        """The first and the last day (UTC) of what was accepted; None if no event said its time."""
        if self.first > self.last:
            return None
        return _day(self.first), _day(self.last)

    def rate(self) -> int:
        """Accepted events per second."""
        return round(self.accepted / self.seconds) if self.seconds else 0

    def told(self) -> dict[str, Any]:
        """All of it as JSON."""
        first, last = self.days() or (None, None)
        told: dict[str, Any] = {
            "project": self.project,
            "dryRun": self.dry_run,
            "read": self.read,
            "accepted": self.accepted,
            "refused": dict(self.refused),
            "examples": {
                reason: {"message": self.messages[reason], "places": [place._asdict() for place in places]}
                for reason, places in self.examples.items()
            },
            "firstDay": first,
            "lastDay": last,
            "seconds": round(self.seconds, 3),
            "eventsPerSecond": self.rate(),
            "daysRefreshed": self.refreshed,
        }
        if self.kinds is not None:
            told["kinds"] = {kind: self.kinds[kind] for kind in _KINDS}
        if self.keys is not None:
            told["keys"] = self.keys
        return told

    def show(self) -> None:
        """Prints a table."""
        console = Console(highlight=False, markup=False)
        table = Table(box=None, pad_edge=False, show_header=False)
        table.add_column()
        table.add_column(justify="right")
        table.add_column(overflow="fold", style="dim")
        for row in self._rows():
            table.add_row(*row)
        console.print(table)
        if self.keys:
            console.print(f"\nCreated project {self.project}. Keys, shown this once:")
            for scope, key in self.keys.items():
                console.print(f"{scope:8}{key}", soft_wrap=True)

    def _rows(self) -> Iterator[tuple[str, str, str]]:
        """The table's lines: label, number, note."""
        yield "Read", f"{self.read:,}", ""
        if self.kinds is not None:
            yield from ((f"  {label}", f"{self.kinds[kind]:,}", "") for kind, label in _KINDS.items())
        yield (
            "Well-formed" if self.dry_run else "Accepted",
            f"{self.accepted:,}",
            " to ".join(self.days() or ()),
        )
        yield "Refused", f"{self.refused.total():,}", ""
        for reason, number in self.refused.most_common():
            yield f"  {reason}", f"{number:,}", self._where(reason)
            yield "", "", self.messages[reason]
        yield "Seconds", f"{self.seconds:,.1f}", f"{self.rate():,} events/s"
        if self.refreshed is not None:
            yield "Days refreshed", f"{self.refreshed:,}", "last of all; the numbers are up to date"

    def _where(self, reason: str) -> str:
        """The places of the first refused entries, as in `a.csv: 2, 7; b.csv: 3, …`."""
        places = self.examples[reason]
        texts = [
            f"{Path(file).name}: {', '.join(str(place.number) for place in group)}"
            for file, group in groupby(places, lambda place: place.file)
        ]
        return "; ".join(texts) + (", …" if self.refused[reason] > len(places) else "")


def _day(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).date().isoformat()
