"""A website's traffic that never was: seeded, with the rhythm of a product that companies buy.

Weekdays are full and weekends are not, hours go by the visitor's own clock, traffic grows slowly; some people
come back, few of them often. The last weeks tell a story: ten days of advertising, a post that a news
site picks up, a newsletter on a Tuesday, some hours in which the site is down.

Sessions have no id of their own, so they are derived; every event has its id, and one in 200 is sent twice.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from math import log
from operator import attrgetter
from random import Random
from typing import Any, Final
from zoneinfo import ZoneInfo

from tallymark.ingest.decode import WireEvent
from tallymark.packs.web.demo_site import (
    ACTS,
    AGENTS,
    ANYWHERE,
    ARRIVALS,
    BOTS,
    BURSTS,
    COUNTRIES,
    FOUND,
    LINKS,
    LOADING,
    SIGMAS,
    Arrival,
    Burst,
    T,
    spread,
)

#: The project that the traffic is for, as `POST /v1/projects` takes it.
PROJECT: Final[Mapping[str, object]] = {"name": "demo-web", "packs": ["web"], "retention": "400d"}

_SITE = "https://www.lumen.example"
_HOUR = 3_600_000
_DAY = 24 * _HOUR
_SESSIONS = 870.0  # of a mean day's visitors who come by themselves, at the end
_GROWTH = 1.003  # a day
_WEEK = (1.16, 1.27, 1.24, 1.19, 1.02, 0.53, 0.59)  # Monday first
#: By the hour where the visitor is.
_WORKDAY = (5, 3, 2, 2, 3, 6, 14, 32, 62, 88, 96, 90, 70, 80, 92, 90, 80, 62, 46, 40, 38, 34, 24, 12)
_WEEKEND = (10, 6, 4, 3, 3, 5, 8, 16, 30, 46, 58, 62, 60, 60, 62, 64, 64, 62, 60, 62, 64, 58, 42, 22)
_MOST_PAGES = 12  # of a session
_MOST_VISITS = 60  # of a visitor
_MEASURED = 0.85  # views that bring web vitals
_AGAIN_TODAY = 0.06
_SENT_TWICE = 0.005


_DOWN = (4, 3, 9, 14)  # age and weekday as of a burst, from this hour, to that one
_PLACES = spread({place: country.weight for place, country in enumerate(COUNTRIES)}, 10)
_DEVICES = spread(AGENTS, 10)
_NEXT = {page: spread(links) for page, links in LINKS.items()}
_NEXT_ANYWHERE = spread(ANYWHERE)
_FIRST_WAYS = spread({arrival: arrival.first for arrival in ARRIVALS})
_LATER_WAYS = spread({arrival: arrival.later for arrival in ARRIVALS})
_FAR = ("Asia", "Australia", "Africa")
_AT = attrgetter("timestamp")
_HOURS = spread(dict(enumerate(_WORKDAY))), spread(dict(enumerate(_WEEKEND)))


def days(last: date, length: int = 90, seed: int = 1) -> Iterator[tuple[date, list[WireEvent]]]:
    """Each day up to `last` with its events in order of time; days are UTC's. Same arguments, same events.

    A visit goes on past midnight, so its events may lie in two days; what would lie after `last` is left out.
    """
    traffic = _Traffic(last, seed)
    for age in reversed(range(length)):
        day = last - timedelta(days=age)
        yield day, traffic.of(day)


def _day_of(last: date, age: int, weekday: int) -> date:
    """The weekday in the week that ends `age` days before the last."""
    end = last - timedelta(days=age)
    return end - timedelta(days=(end.weekday() - weekday) % 7)


def _ahead(day: date, zone: str) -> int:
    """How far a zone's clock is ahead of UTC on the day, in milliseconds."""
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    return (noon.astimezone(ZoneInfo(zone)).replace(tzinfo=UTC) - noon) // timedelta(milliseconds=1)


@dataclass(slots=True)
class _Visitor:
    """Who comes: `place` is their country in the table, `vitals` what their pages measure; no id: a bot."""

    id: str | None
    ip: str
    agent: str
    place: int = 0
    vitals: Sequence[dict[str, Any] | None] = (None,)
    visits_left: int = 0
    days_between: float = 1


class _Traffic:
    """The site from day to day: who is known, who comes back when, and the events that lie ahead."""

    def __init__(self, last: date, seed: int) -> None:
        self._last, self._seed = last, seed
        self._random = random = Random(seed)
        self._chance = random.random
        self._known: list[_Visitor] = []
        self._due: defaultdict[date, list[_Visitor]] = defaultdict(list)
        self._events: list[WireEvent] = []
        kinds = [(device, far) for device in LOADING for far in (False, True)]
        self._vitals = {kind: self._loads(*kind) for kind in kinds}
        self._pauses = [min(round(random.lognormvariate(10, 1.1)), 20 * 60_000) + 1_500 for _ in range(4_096)]
        self._lengths = [min(2 + int(random.expovariate(0.36)), _MOST_PAGES) for _ in range(4_096)]

    def of(self, day: date) -> list[WireEvent]:
        """The events of the day, which is the one after that of the call before."""
        self._day, self._serial = day, 0
        self._midnight = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1000
        self._ahead = [_ahead(day, country.zone) for country in COUNTRIES]
        self._hours = _HOURS[day.weekday() > 4]
        self._usual()
        for burst in BURSTS:
            self._burst(burst)
        self._crawl()
        return self._taken()

    def _usual(self) -> None:
        """Those who come back today, and as many new ones as the day brings."""
        back = self._due.pop(self._day, [])
        for visitor in back:
            self._visit(visitor, self._one(_LATER_WAYS), self._moment(visitor))
        age = (self._last - self._day).days
        expected = _SESSIONS * _WEEK[self._day.weekday()] * _GROWTH**-age * self._random.gauss(1, 0.04)
        for _ in range(round(max(expected - len(back), expected / 4))):
            visitor = self._newcomer()
            self._visit(visitor, self._one(_FIRST_WAYS), self._moment(visitor))

    def _burst(self, burst: Burst) -> None:
        """The burst's visits of the day."""
        since = (self._day - _day_of(self._last, burst.age, burst.weekday)).days
        if not 0 <= since < len(burst.sessions):
            return
        for _ in range(burst.sessions[since]):
            known = self._known and self._chance() < burst.known
            visitor = self._one(self._known) if known else self._newcomer()
            at = self._moment(visitor)
            if burst.begins is not None and since == 0:
                at = self._midnight + int((burst.begins + self._random.expovariate(0.3)) * _HOUR)
            self._visit(visitor, burst.arrival, at)

    def _crawl(self) -> None:
        """The bots' views, all day long."""
        for views, pages, agent, block in BOTS:
            for _ in range(views):
                bot = _Visitor(None, f"{block}.{int(self._chance() * 254) + 1}", agent)
                url = _SITE + (self._one(FOUND) if pages else "/")
                self._send(bot, "page_view", self._midnight + int(self._chance() * _DAY), url)

    def _taken(self) -> list[WireEvent]:
        """The day's events as they arrive: those of the next day stay, those of the outage never were."""
        events = self._events
        events.sort(key=_AT)
        end = bisect_left(events, self._midnight + _DAY, key=_AT)
        self._events = events[end:]
        del events[end:]
        age, weekday, *hours = _DOWN
        if self._day == _day_of(self._last, age, weekday):
            first, after = (bisect_left(events, self._midnight + hour * _HOUR, key=_AT) for hour in hours)
            del events[first:after]
        events += self._random.sample(events, round(len(events) * _SENT_TWICE))
        events.sort(key=_AT)
        return events

    def _newcomer(self) -> _Visitor:
        """Someone new: most come once, few often, and who comes often comes soon."""
        chance, place = self._chance, self._one(_PLACES)
        device, agent = self._one(_DEVICES)
        ip = f"{COUNTRIES[place].block}.{int(chance() * 256)}.{int(chance() * 254) + 1}"
        visits = min(int((1 - chance()) ** (-1 / 1.6)), _MOST_VISITS)
        vitals = self._vitals[device, COUNTRIES[place].zone.startswith(_FAR)]
        name = f"{self._random.getrandbits(56):014x}"
        visitor = _Visitor(name, ip, agent, place, vitals, visits, 4 + 40 / visits)
        self._known.append(visitor)
        return visitor

    def _moment(self, visitor: _Visitor) -> int:
        """When in the day someone comes, by the clock where they are."""
        local = (self._one(self._hours) + self._chance()) * _HOUR
        return self._midnight + int(local - self._ahead[visitor.place]) % _DAY

    def _visit(self, visitor: _Visitor, way: Arrival, at: int) -> None:
        """A session, and perhaps another one hours later; then the day of the next is settled."""
        self._walk(visitor, way, at)
        if self._chance() < _AGAIN_TODAY:
            self._walk(visitor, self._one(_LATER_WAYS), at + int((3 + 5 * self._chance()) * _HOUR))
        visitor.visits_left -= 1
        if visitor.visits_left > 0:
            silence = 1 + int(self._random.expovariate(1 / visitor.days_between))
            next_day = self._day + timedelta(days=silence)
            if next_day.weekday() > 4 and self._chance() < 0.5:
                next_day += timedelta(days=7 - next_day.weekday() + int(4 * self._chance()))
            self._due[next_day].append(visitor)

    def _walk(self, visitor: _Visitor, way: Arrival, at: int) -> None:
        """The session's events: page after page, with what is done on each."""
        length = 1 if self._chance() < way.bounces else self._one(self._lengths)
        page, referrer = self._one(way.pages), way.referrer
        url = f"{_SITE}{page}{way.query}"
        if "{" in url:
            url = url.format(click=f"{self._random.getrandbits(80):020x}")
        for seen in range(1, _MOST_PAGES + 1):
            self._send(visitor, "page_view", at, url, referrer, self._one(visitor.vitals))
            at, leads = self._act(page, visitor, url, at) if page in ACTS else (at, "")
            if seen >= length and not leads:
                return
            at += self._one(self._pauses)
            page, referrer = leads or self._one(_NEXT.get(page, _NEXT_ANYWHERE)), url
            url = f"{_SITE}{page}"

    def _act(self, page: str, visitor: _Visitor, url: str, at: int) -> tuple[int, str]:
        """What is done on a page; when it was done, and where it leads."""
        leads = ""
        for act in ACTS[page]:
            if self._chance() >= act.chance:
                break
            at += self._one(self._pauses)
            self._send(visitor, act.event, at, url, "", self._one(act.properties), self._one(act.values))
            leads = act.leads
        return at, leads

    def _send(self, by: _Visitor, event: str, at: int, url: str, referrer: str = "",
              properties: dict[str, Any] | None = None, value: float | None = None) -> None:  # fmt: skip
        self._serial += 1
        self._events.append(WireEvent(
            event, at, None, f"{self._seed}-{self._day}-{self._serial}", None, None, by.id, None, None, value,
            url, referrer or None, properties, by.agent, by.ip,
        ))  # fmt: skip

    def _one(self, things: Sequence[T]) -> T:
        return things[int(self._chance() * len(things))]

    def _loads(self, device: str, far: bool) -> list[dict[str, Any] | None]:
        """What views on a device measure, some of them nothing."""
        return [self._load(device, far) if self._chance() < _MEASURED else None for _ in range(1_024)]

    def _load(self, device: str, far: bool) -> dict[str, Any]:
        """What one view measures; far away, the wire takes its time."""
        medians = zip(LOADING[device], SIGMAS, strict=True)
        drawn = [self._random.lognormvariate(log(median), sigma) for median, sigma in medians]
        ttfb = drawn[0] + 260 * far
        times = {"ttfbMs": ttfb, "fcpMs": ttfb + drawn[1], "lcpMs": ttfb + sum(drawn[1:3]), "inpMs": drawn[3]}
        seen = {"engagedTimeMs": self._random.lognormvariate(10, 1), "scrollDepthPercent": 100 * self._chance() ** 0.6}
        return {name: round(n) for name, n in (times | seen).items()} | {"clsScore": round(drawn[4], 3)}
