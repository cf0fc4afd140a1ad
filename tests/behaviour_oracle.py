"""What funnels, retention, lifecycle, stickiness and journeys must say: plain Python over events as they were sent.

Written from docs/funnels.md, not from the code: nothing of the package is imported.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

DAY_MS = 86_400_000
SILENCE_MS = 30 * 60_000
SILENCE_WITH_ID_MS = 24 * 3_600_000

GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
ADDRESSES = {"DE": "193.99.144.80", "US": "8.8.8.8", "JP": "133.11.0.1", "": "10.0.0.1"}


@dataclass(frozen=True)
class Act:
    """An event: who did what when, in epoch milliseconds. `id` tells those of the same instant apart."""

    actor: str
    event: str
    at: int
    country: str = ""
    path: str = "/"
    bot: bool = False
    session: str = ""
    props: Mapping[str, str] = field(default_factory=dict)
    id: int = 0

    def wire(self, number: int) -> dict[str, Any]:
        """As it is sent; `number` finds it again."""
        return {
            "event": self.event, "timestamp": self.at, "eventId": f"e{number}", "userId": self.actor,
            "ip": ADDRESSES[self.country], "url": f"https://a.example{self.path}",
            "properties": {**self.props, "n": str(number)},
            **({"userAgent": GOOGLEBOT} if self.bot else {}), **({"sessionId": self.session} if self.session else {}),
        }  # fmt: skip


Fits = Callable[[Act], bool]


def people(acts: Iterable[Act]) -> dict[str, list[Act]]:
    """The events of each actor; those of bots and of nobody are left out."""
    found: dict[str, list[Act]] = defaultdict(list)
    for act in acts:
        if act.actor and not act.bot:
            found[act.actor].append(act)
    return found


def walk(acts: Sequence[Act], steps: Sequence[Fits], enters: Fits, within: int) -> list[Act]:
    """The events by which one actor took the steps, as far as they came."""
    fitting = [(act.at, next(i for i, fits in enumerate(steps) if fits(act)), act.id, act) for act in acts
               if any(fits(act) for fits in steps)]  # fmt: skip
    line = [act for *_, act in sorted(fitting, key=lambda one: one[:3])]
    while line and not (steps[0](line[0]) and enters(line[0])):
        line.pop(0)
    if not line:
        return []
    taken = [line.pop(0)]
    for fits in steps[1:]:
        while line and not fits(line[0]):
            line.pop(0)
        if not line or line[0].at - taken[0].at > within:
            break
        taken.append(line.pop(0))
    return taken


def quantile(values: Sequence[int], level: float) -> float | None:
    """A quantile between the values around it, in seconds."""
    if not values:
        return None
    ordered, place = sorted(values), level * (len(values) - 1)
    below, above = ordered[math.floor(place)], ordered[math.ceil(place)]
    return round((below + (above - below) * (place - math.floor(place))) / 1000, 6)


@dataclass(frozen=True)
class Funnel:
    """Actors by step, and seconds (median, p90) from each step to the next, and from the first to the last."""

    actors: tuple[int, ...]
    taking: tuple[tuple[float | None, float | None], ...]


def funnel(ways: Sequence[Sequence[Act]], steps: int) -> Funnel:
    """The funnel of ways that `walk` gives."""
    stretches = [(i, i - 1) for i in range(1, steps)] + [(steps - 1, 0)]
    times = [[way[i].at - way[j].at for way in ways if len(way) > i] for i, j in stretches]
    return Funnel(
        tuple(sum(len(way) > i for way in ways) for i in range(steps)),
        tuple((quantile(took, 0.5), quantile(took, 0.9)) for took in times),
    )


def day_of(at: int, zone: str) -> date:
    """The day in a time zone."""
    return datetime.fromtimestamp(at / 1000, UTC).astimezone(ZoneInfo(zone)).date()


def period_of(day: date, period: str) -> date:
    """The first day of the week, from Monday, or month; the day itself."""
    if period == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if period == "month" else day


def following(first: date, period: str) -> date:
    """The first day of the next period."""
    return period_of(first + timedelta(days={"day": 1, "week": 7, "month": 31}[period]), period)


def periods(first: date, last: date, period: str) -> list[date]:
    """The first days of the periods that have a day between these."""
    found = [period_of(first, period)]
    while following(found[-1], period) <= last:
        found.append(following(found[-1], period))
    return found


def begins(acts: Sequence[Act], cohort: Fits | None, span: tuple[date, date], zone: str) -> date | None:
    """The day on which an actor begins: of their first event ever, or of the first one in the span that fits."""
    days = sorted(day_of(act.at, zone) for act in acts if cohort is None or cohort(act))
    inside = [day for day in days if span[0] <= day <= span[1]]
    if cohort is None:
        return days[0] if days and days[0] in inside else None
    return inside[0] if inside else None


@dataclass(frozen=True)
class Ask:
    """A question about retention."""

    first: date
    last: date
    period: str
    periods: int
    zone: str
    cohort: Fits | None = None
    returning: Fits = lambda _: True
    passes: Fits = lambda _: True
    key: Callable[[Act], str] = lambda _: ""


def retention(acts: Iterable[Act], ask: Ask) -> dict[str, tuple[dict[date, int], dict[tuple[date, int], int]]]:
    """By key: the sizes of the cohorts, and how many of each came in which period after."""
    firsts = periods(ask.first, ask.last, ask.period)
    span = (firsts[0], following(firsts[-1], ask.period) - timedelta(days=1))
    found: dict[str, tuple[dict[date, int], dict[tuple[date, int], int]]] = {}
    for mine in people(acts).values():
        day = begins(mine, ask.cohort, span, ask.zone)
        if day is None:
            continue
        on_day = [act for act in mine if day_of(act.at, ask.zone) == day and (ask.cohort or (lambda _: True))(act)]
        active = {period_of(day_of(act.at, ask.zone), ask.period) for act in mine if ask.returning(act)}
        for key in {ask.key(act) for act in on_day if ask.passes(act)}:
            sizes, returned = found.setdefault(key, ({}, {}))
            cohort = then = period_of(day, ask.period)
            sizes[cohort] = sizes.get(cohort, 0) + 1
            for after in range(ask.periods + 1):
                if then in active:
                    returned[cohort, after] = returned.get((cohort, after), 0) + 1
                then = following(then, ask.period)
    return found


def lifecycle(acts: Iterable[Act], first: date, last: date, period: str, zone: str, counts: Fits) -> list[list[int]]:
    """New, returning, resurrecting and dormant actors of each period."""
    rows = [[0, 0, 0, 0] for _ in periods(first, last, period)]
    for mine in people(acts).values():
        born = period_of(min(day_of(act.at, zone) for act in mine), period)
        active = {period_of(day_of(act.at, zone), period) for act in mine if counts(act)}
        for row, now in zip(rows, periods(first, last, period), strict=True):
            before = period_of(now - timedelta(days=1), period) in active
            kind = (1 if before else 0 if born == now else 2) if now in active else 3 if before else None
            if kind is not None:
                row[kind] += 1
    return rows


def stickiness(
    acts: Iterable[Act], first: date, last: date, within: str, zone: str, counts: Fits
) -> list[dict[int, int]]:
    """For each week or month, how many actors were active on how many days."""
    rows: list[dict[int, int]] = [defaultdict(int) for _ in periods(first, last, within)]
    for mine in people(acts).values():
        days = {day_of(act.at, zone) for act in mine if counts(act)}
        for row, start in zip(rows, periods(first, last, within), strict=True):
            number = sum(period_of(day, within) == start for day in days)
            if number:
                row[number] += 1
    return [dict(row) for row in rows]


def active(acts: Iterable[Act], first: date, last: date, zone: str, counts: Fits) -> int:
    """How many actors were active on the days."""
    return sum(
        any(counts(act) and first <= day_of(act.at, zone) <= last for act in mine) for mine in people(acts).values()
    )


def sessions(acts: Iterable[Act]) -> list[list[Act]]:
    """What each actor did without a long silence, under one session id."""
    found = []
    for mine in people(acts).values():
        by_id: dict[str, list[Act]] = defaultdict(list)
        for act in mine:
            if act.event != "request":
                by_id[act.session].append(act)
        for id, told in by_id.items():
            told.sort(key=lambda act: (act.at, act.id))
            visit = [told[0]]
            for act in told[1:]:
                if act.at - visit[-1].at > (SILENCE_WITH_ID_MS if id else SILENCE_MS):
                    found.append(visit)
                    visit = []
                visit.append(act)
            found.append(visit)
    return found


def way(visit: Sequence[Act], node: str, start: str | None, end: str | None, depth: int) -> tuple[str, ...]:
    """The way through a session; () without one."""
    if node == "path":
        stations = [act.path for act in visit if act.event in ("page_view", "screen_view")]
    else:
        stations = [act.event for act in visit if act.event not in ("engagement", "web_vitals")]
    stations = [name for i, name in enumerate(stations) if i == 0 or stations[i - 1] != name]
    if start is not None:
        return tuple(stations[stations.index(start) :][:depth]) if start in stations else ()
    if end is not None:
        return tuple(stations[: stations.index(end) + 1][-depth:]) if end in stations else ()
    return tuple(stations[:depth])
