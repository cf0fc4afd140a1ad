"""A month of the calendar, whatever the zone: `2026-02`."""

import re
from calendar import monthrange
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, Self

from tallymark.errors import BadQuery
from tallymark.spec.window import Window

_WRITTEN: Final = re.compile(r"((?:19|20|21)[0-9]{2})-(0[1-9]|1[0-2])", re.ASCII)

_ONE_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, order=True)
class Month:
    """A month; its days are those of some zone."""

    year: int
    number: int

    @classmethod
    def of(cls, day: date) -> Self:
        """The month that a day lies in."""
        return cls(day.year, day.month)

    def __str__(self) -> str:
        return f"{self.year:04}-{self.number:02}"

    def window(self, timezone: str) -> Window:
        """Its days in a time zone, all of them."""
        last = monthrange(self.year, self.number)[1]
        return Window(date(self.year, self.number, 1), date(self.year, self.number, last), timezone)

    def over(self, timezone: str, now: datetime) -> bool:
        """Whether its last day has ended."""
        return self.window(timezone).end <= now


def read_month(text: str, field: str = "month") -> Month:
    """The month that a text names. Errors: `BadQuery`."""
    written = _WRITTEN.fullmatch(text)
    if written is None:
        raise BadQuery(f"{field} must be a month as YYYY-MM, not {text[:40]!r}.", field=field, allowed=["2026-02"])
    return Month(int(written[1]), int(written[2]))


def months_near(days: Iterable[date]) -> list[Month]:
    """The months of days, and of the days beside them: those that UTC's days may belong to in any zone, in order."""
    return sorted({Month.of(day + offset) for day in days for offset in (-_ONE_DAY, timedelta(0), _ONE_DAY)})
