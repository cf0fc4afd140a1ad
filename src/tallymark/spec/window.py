"""Windows of days in a time zone, and the buckets a series has in them.

A day is from local midnight to local midnight: 23, 24 or 25 hours, or any other number the zone's rules give.
Both ends of a window are included. Buckets never overlap and leave nothing out, so that they add up to the window.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import cached_property
from itertools import pairwise
from zoneinfo import ZoneInfo


class Grain(StrEnum):
    """How long a bucket of a series is."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True)
class Bucket:
    """A part of a window: its label as answered, and its instants in epoch seconds, the end excluded."""

    label: str
    start: int
    end: int


@dataclass(frozen=True)
class Window:
    """The days `first` to `last`, both included, in a time zone."""

    first: date
    last: date
    timezone: str = "UTC"
    grain: Grain = Grain.DAY

    @property
    def length(self) -> int:
        """How many days."""
        return (self.last - self.first).days + 1

    @property
    def start(self) -> datetime:
        """The first instant, in UTC."""
        return midnight(self.first, self.timezone)

    @property
    def end(self) -> datetime:
        """The first instant after it, in UTC."""
        return midnight(self.last + timedelta(days=1), self.timezone)

    def days(self) -> Iterator[date]:
        """Every day, in order."""
        for offset in range(self.length):
            yield self.first + timedelta(days=offset)

    def before(self) -> "Window":
        """The equally long window that ends just before this one."""
        return replace(self, first=self.first - timedelta(days=self.length), last=self.first - timedelta(days=1))

    def buckets(self) -> Sequence[Bucket]:
        """The buckets of the series, in order; the first and last week or month may be cut by the window."""
        return self._buckets

    @cached_property
    def _buckets(self) -> Sequence[Bucket]:
        if self.grain is Grain.HOUR:
            return _hours(self)
        firsts = sorted({max(bucket_day(day, self.grain), self.first) for day in self.days()})
        starts = [int(midnight(day, self.timezone).timestamp()) for day in firsts] + [int(self.end.timestamp())]
        labels = [bucket_day(day, self.grain).isoformat() for day in firsts]
        return [Bucket(label, *span) for label, span in zip(labels, pairwise(starts), strict=True)]


def midnight(day: date, timezone: str) -> datetime:
    """The instant at which a day begins, in UTC.

    Where the clock skips midnight the day begins at the first instant there is; where midnight comes twice, at
    the first of them.
    """
    local = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(timezone))
    instant = local.astimezone(UTC)
    if instant.astimezone(local.tzinfo).date() < day:
        instant = _first_instant(day, local.tzinfo, instant)  # type: ignore[arg-type]  # set two lines above
    return instant


def _first_instant(day: date, zone: ZoneInfo, before: datetime) -> datetime:
    """The first second of a day whose midnight does not exist; `before` is a little earlier."""
    low, high = before, before + timedelta(hours=3)
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) / 2
        if middle.astimezone(zone).date() < day:
            low = middle
        else:
            high = middle
    return high.replace(microsecond=0)


def bucket_day(day: date, grain: Grain) -> date:
    """The first day of the ISO week or month that a day lies in; the day itself for other grains."""
    if grain is Grain.WEEK:
        return day - timedelta(days=day.weekday())
    if grain is Grain.MONTH:
        return day.replace(day=1)
    return day


def _hours(window: Window) -> list[Bucket]:
    """Hours from each midnight on; the last one of a day whose length is no whole number of hours is shorter."""
    zone = ZoneInfo(window.timezone)
    buckets = []
    for day in window.days():
        end = int(midnight(day + timedelta(days=1), window.timezone).timestamp())
        start = int(midnight(day, window.timezone).timestamp())
        for second in range(start, end, 3600):
            label = datetime.fromtimestamp(second, zone).isoformat()
            buckets.append(Bucket(label, second, min(second + 3600, end)))
    return buckets


def today(timezone: str, now: datetime) -> date:
    """The day it is in a time zone."""
    return now.astimezone(ZoneInfo(timezone)).date()
