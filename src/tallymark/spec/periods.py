"""Periods one after another: days, weeks from Monday or months, as a window's grain says, each of them whole."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from tallymark.spec.window import Grain, Window, bucket_day, midnight

_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True)
class Periods:
    """The periods whose first days these are; the last one ends before the day `beyond`. Places count from 0."""

    firsts: tuple[date, ...]
    beyond: date
    timezone: str

    @property
    def window(self) -> Window:
        """Their days."""
        return Window(self.firsts[0], self.beyond - timedelta(days=1), self.timezone)

    @property
    def numbers(self) -> list[int]:
        """Their first days, counted from 1970."""
        return [(day - _EPOCH).days for day in self.firsts]

    @property
    def starts(self) -> list[int]:
        """Their first instants, in epoch seconds."""
        return [_second(day, self.timezone) for day in self.firsts]

    @property
    def day_starts(self) -> list[int]:
        """The first instants of their days, in epoch seconds."""
        return [_second(day, self.timezone) for day in self.window.days()]

    def length(self, place: int) -> int:
        """How many days a period has."""
        return (self._end(place) - self.firsts[place]).days

    def days(self, place: int) -> list[date]:
        """The days of a period."""
        return [self.firsts[place] + timedelta(days=n) for n in range(self.length(place))]

    def over(self, place: int, now: datetime) -> bool:
        """Whether a period is over."""
        return midnight(self._end(place), self.timezone) <= now

    def _end(self, place: int) -> date:
        return (*self.firsts, self.beyond)[place + 1]


def whole(window: Window) -> Window:
    """The window from the beginning of its first period to the end of its last one."""
    first = max(bucket_day(window.first, window.grain), _EPOCH)
    last = shifted(bucket_day(window.last, window.grain), window.grain, 1) - timedelta(days=1)
    return replace(window, first=first, last=last)


def periods_of(window: Window, before: int = 0, after: int = 0) -> Periods:
    """The periods of a window of whole ones, and so many before (as far as there are days) and after it."""
    firsts = list(dict.fromkeys(max(bucket_day(day, window.grain), _EPOCH) for day in window.days()))
    aligned, last = bucket_day(window.first, window.grain), bucket_day(window.last, window.grain)
    earlier = [shifted(aligned, window.grain, -n) for n in range(before, 0, -1)]
    later = [shifted(last, window.grain, n) for n in range(1, after + 1)]
    return Periods(
        tuple(day for day in [*earlier, *firsts, *later] if day >= _EPOCH),
        shifted(last, window.grain, after + 1),
        window.timezone,
    )


def shifted(day: date, grain: Grain, periods: int) -> date:
    """The first day of the period so many periods after the one that begins on a day."""
    if grain is Grain.MONTH:
        months = day.year * 12 + day.month - 1 + periods
        return date(months // 12, months % 12 + 1, 1)
    return day + timedelta(days=periods * (7 if grain is Grain.WEEK else 1))


def _second(day: date, timezone: str) -> int:
    return int(midnight(day, timezone).timestamp())
