"""Refusals in the audit: who was told no, though not so often that a stranger could fill a disk."""

import threading
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from tallymark.control.audit import Deed, record
from tallymark.control.database import Database

_HOUR: Final = 3_600
#: In an hour, so many lines for one who asks, and for everybody.
MOST_OF_ONE: Final = 50
MOST: Final = 2_000


class Refusals:
    """Writes a line for each who, what and hour, within bounds; `now` gives epoch seconds. For any thread."""

    def __init__(self, database: Database, now: Callable[[], float]) -> None:
        self._database = database
        self._now = now
        self._hour = -1
        self._seen: set[tuple[int, str, str]] = set()
        self._lines: Counter[tuple[int, str]] = Counter()
        self._lock = threading.Lock()

    def note(self, project_id: int, subject: str, by: str) -> None:
        """Notes that somebody was refused a look at something; the last line that fits says that more is left out."""
        at = self._now()
        mine = self._line(int(at) // _HOUR, project_id, subject, by)
        if mine is None:
            return
        detail = {"more": "left out for this hour"} if mine == MOST_OF_ONE else {}
        with self._database.write(project_id) as session:
            record(session, Deed(project_id, subject[:200], "refused", by, datetime.fromtimestamp(at, UTC), detail))

    def _line(self, hour: int, project_id: int, subject: str, by: str) -> int | None:
        """Which line of the hour it is for who asks, from 1 on; None for one that is not written."""
        with self._lock:
            if hour != self._hour:
                self._hour = hour
                self._seen.clear()
                self._lines.clear()
            full = len(self._seen) >= MOST or self._lines[project_id, by] >= MOST_OF_ONE
            if full or (project_id, subject, by) in self._seen:
                return None
            self._seen.add((project_id, subject, by))
            self._lines[project_id, by] += 1
            return self._lines[project_id, by]
