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
from typing import Any, Final, NamedTuple, TypeVar
from zoneinfo import ZoneInfo

from tallymark.ingest.decode import WireEvent

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


_T = TypeVar("_T")


def _spread(weights: Mapping[_T, float], scale: int = 1) -> tuple[_T, ...]:
    """Things as often as they weigh, so that one is drawn by its place alone."""
    return tuple(thing for thing, weight in weights.items() for _ in range(round(weight * scale)))


class Country(NamedTuple):
    """Where visitors are: how many of them, in which time zone, at which addresses (`block`.x.y)."""

    weight: float
    code: str
    zone: str
    block: str


COUNTRIES: Final = (
    Country(15, "US", "America/New_York", "73.92"), Country(7, "US", "America/Chicago", "174.45"),
    Country(9, "US", "America/Los_Angeles", "98.210"), Country(13, "DE", "Europe/Berlin", "91.12"),
    Country(9, "GB", "Europe/London", "86.150"), Country(6, "FR", "Europe/Paris", "90.40"),
    Country(5, "NL", "Europe/Amsterdam", "84.85"), Country(5, "IN", "Asia/Kolkata", "106.200"),
    Country(4, "CA", "America/Toronto", "99.230"), Country(2.5, "ES", "Europe/Madrid", "83.40"),
    Country(2.5, "CH", "Europe/Zurich", "85.2"), Country(2.2, "AT", "Europe/Vienna", "91.115"),
    Country(2.2, "SE", "Europe/Stockholm", "78.70"), Country(2.2, "PL", "Europe/Warsaw", "83.10"),
    Country(2, "BR", "America/Sao_Paulo", "177.100"), Country(2, "AU", "Australia/Sydney", "1.130"),
    Country(1.8, "IT", "Europe/Rome", "79.20"), Country(1.6, "JP", "Asia/Tokyo", "126.40"),
    Country(1.3, "BE", "Europe/Brussels", "81.240"), Country(1.2, "DK", "Europe/Copenhagen", "87.50"),
    Country(1.1, "NO", "Europe/Oslo", "84.208"), Country(1, "IE", "Europe/Dublin", "86.40"),
    Country(0.9, "CZ", "Europe/Prague", "90.180"), Country(0.8, "PT", "Europe/Lisbon", "85.240"),
    Country(0.7, "KR", "Asia/Seoul", "121.140"), Country(0.4, "ZA", "Africa/Johannesburg", "105.10"),
)  # fmt: skip

_WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64"
_MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7"
_LINUX = "Mozilla/5.0 (X11; Linux x86_64"
_BLINK = ") AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{}.0.0.0"
_WEBKIT = " AppleWebKit/605.1.15 (KHTML, like Gecko)"
_GECKO = "; rv:{0}.0) Gecko/20100101 Firefox/{0}.0"
_ANDROID = "Mozilla/5.0 (Linux; Android 10; K"
_SAMSUNG = "AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/{} Chrome/130.0.0.0"
_IPHONE = f"Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X){_WEBKIT}"
_IPAD = f"Mozilla/5.0 (iPad; CPU OS 17_7 like Mac OS X){_WEBKIT}"
_IOS = "Mobile/15E148 Safari/604.1"

#: Kind of device, user agent without its version, versions with their weights.
_BROWSERS: tuple[tuple[str, str, Mapping[str, float]], ...] = (
    ("desktop", f"{_WINDOWS}{_BLINK} Safari/537.36", {"141": 13, "140": 6, "138": 1.5}),
    ("desktop", f"{_MAC}{_BLINK} Safari/537.36", {"141": 10, "140": 4, "137": 1}),
    ("desktop", f"{_LINUX}{_BLINK} Safari/537.36", {"141": 2.5, "140": 0.8}),
    ("desktop", f"{_WINDOWS}{_BLINK} Safari/537.36 Edg/141.0.0.0", {"141": 8}),
    ("desktop", f"{_MAC}{_BLINK} Safari/537.36 Edg/141.0.0.0", {"141": 0.7}),
    ("desktop", f"{_WINDOWS}{_BLINK} Safari/537.36 OPR/122.0.0.0", {"138": 0.8}),
    ("desktop", f"{_WINDOWS}{_GECKO}", {"143": 3, "140": 0.8}),
    ("desktop", f"{_MAC.replace('_15_7', '.15')}{_GECKO}", {"143": 1.8}),
    ("desktop", f"{_LINUX}{_GECKO}", {"143": 2, "140": 0.6}),
    ("desktop", f"{_MAC}){_WEBKIT} Version/{{}} Safari/605.1.15", {"26.0": 4, "18.6": 3, "17.6": 0.8}),
    ("mobile", f"{_IPHONE} Version/{{}} {_IOS}", {"26.0": 8, "18.6": 5, "18.5": 1.5}),
    ("mobile", f"{_IPHONE} CriOS/{{}}.0.7390.41 {_IOS}", {"141": 2}),
    ("mobile", f"{_ANDROID}{_BLINK} Mobile Safari/537.36", {"141": 9, "140": 3}),
    ("mobile", f"{_ANDROID}) {_SAMSUNG} Mobile Safari/537.36", {"28.0": 1.8}),
    ("mobile", "Mozilla/5.0 (Android 15; Mobile; rv:{0}.0) Gecko/{0}.0 Firefox/{0}.0", {"143": 0.7}),
    ("tablet", f"{_IPAD} Version/{{}} {_IOS}", {"17.6": 1.2, "16.6": 0.4}),
    ("tablet", f"{_IPAD} CriOS/{{}}.0.7390.41 {_IOS}", {"141": 0.5}),
    ("tablet", f"Mozilla/5.0 (Linux; Android 14; SM-X710{_BLINK} Safari/537.36", {"140": 1}),
)  # fmt: skip

#: Kind of device and user agent, with the weight.
AGENTS: Final[Mapping[tuple[str, str], float]] = {
    (device, agent.format(version)): weight
    for device, agent, versions in _BROWSERS
    for version, weight in versions.items()
}

#: Views a day, whether of all pages, user agent, addresses (the first three numbers).
BOTS: Final = (
    (48, False, "Mozilla/5.0+(compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)", "69.162.124"),
    (58, True, "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "66.249.66"),
    (34, True, "Mozilla/5.0 (compatible; GPTBot/1.2; +https://openai.com/gptbot)", "20.171.207"),
    (28, True, "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)", "54.36.148"),
)

#: Medians: milliseconds to the first byte, on to the first paint, on to the largest one; INP; CLS.
_LOADING = {
    "desktop": (180, 560, 520, 62, 0.020),
    "mobile": (310, 1_050, 760, 128, 0.045),
    "tablet": (260, 860, 680, 104, 0.035),
}
_SIGMAS = (0.55, 0.5, 0.6, 0.75, 1.2)

_POSTS = tuple(
    f"/blog/{post}"
    for post in ("count-once", "sessions-without-cookies", "exact-uniques", "reading-a-funnel", "small-teams",
                 "time-zones-are-hard", "what-bots-cost")
)  # fmt: skip
_DOCS = "/docs", *(
    f"/docs/{topic}"
    for topic in ("quickstart", "install", "events", "sessions", "metrics", "funnels", "webhooks", "api",
                  "api/query", "sdk/javascript", "sdk/python", "self-hosting", "faq")
)  # fmt: skip

#: Where a page leads, with the links' weights; pages that are not here lead to `_ANYWHERE`.
_ANYWHERE = {"/": 3, "/pricing": 3, "/about": 2, "/careers": 1, "/contact": 1, "/docs": 1}
_LINKS: Mapping[str, Mapping[str, int]] = {
    "/": {"/pricing": 7, "/features": 6, "/docs": 5, "/customers": 2, "/blog": 2, "/signup": 2, "/about": 1},
    "/features": {"/features/funnels": 3, "/features/retention": 3, "/features/alerts": 2, "/pricing": 4},
    "/features/funnels": {"/features/retention": 3, "/docs/funnels": 2, "/pricing": 3, "/signup": 1},
    "/features/retention": {"/features/alerts": 3, "/features/funnels": 1, "/pricing": 3, "/signup": 1},
    "/features/alerts": {"/integrations": 2, "/docs/webhooks": 2, "/pricing": 3, "/signup": 1},
    "/pricing": {"/signup": 5, "/features": 3, "/docs": 3, "/security": 2, "/contact": 1, "/customers": 2,
                 "/checkout": 1, "/": 2},
    "/customers": {"/customers/northwind": 4, "/customers/acorn": 3, "/pricing": 3, "/": 1},
    "/customers/northwind": {"/customers/acorn": 2, "/pricing": 3, "/contact": 1, "/signup": 1},
    "/integrations": {"/docs/webhooks": 3, "/docs/sdk/javascript": 2, "/docs/sdk/python": 2, "/pricing": 1},
    "/security": {"/docs/self-hosting": 3, "/pricing": 2, "/contact": 1},
    "/changelog": {"/docs": 3, "/features": 2, "/blog": 1, "/pricing": 1},
    "/blog": dict.fromkeys(_POSTS, 2) | {"/": 1, "/changelog": 2},
    "/signup": {"/pricing": 3, "/": 2, "/security": 1},
    "/signup/verify": {"/welcome": 1},
    "/welcome": {"/docs/quickstart": 5, "/docs/install": 3, "/checkout": 4, "/integrations": 1},
    **{post: dict.fromkeys(_POSTS, 1) | {post: 0, "/": 4, "/pricing": 2, "/docs": 2, "/blog": 3}
       for post in _POSTS},
    **{doc: dict.fromkeys(_DOCS, 1) | {doc: 0, after: 9, "/pricing": 2, "/signup": 1, "/changelog": 1}
       for doc, after in zip(_DOCS, [*_DOCS[1:], "/docs"], strict=True)},
}  # fmt: skip


class Act(NamedTuple):
    """What may be done on a page: how likely, as which event with one of which properties, where it leads."""

    chance: float
    event: str
    properties: tuple[dict[str, Any], ...]
    leads: str = ""
    values: tuple[float | None, ...] = (None,)


def _form(name: str, begun: float, sent: float, leads: str = "") -> tuple[Act, ...]:
    return Act(begun, "form_start", ({"form": name},)), Act(sent, "form_submit", ({"form": name},), leads)


def _outbound(chance: float, *targets: str) -> tuple[Act, ...]:
    return (Act(chance, "click", tuple({"kind": "outbound", "target": target} for target in targets)),)


def _call(chance: float, label: str, leads: str) -> tuple[Act, ...]:
    return (Act(chance, "click", ({"kind": "cta", "label": label},), leads),)


_QUERIES = ("webhooks", "funnels", "python", "export", "api key", "docker", "timezone", "gdpr", "bots", "sso")
_SEARCH = (Act(0.13, "search", tuple({"query": q, "results": 5 * i % 17} for i, q in enumerate(_QUERIES))),)

#: What is done where, in this order: who leaves out an act does none of the later ones.
_ACTS: Mapping[str, tuple[Act, ...]] = {
    "/": _call(0.05, "Start free", "/signup"),
    "/pricing": _call(0.13, "Choose a plan", "/signup"),
    "/features/funnels": _call(0.06, "Try it", "/signup"),
    "/signup": _form("signup", 0.36, 0.5, "/signup/verify"),
    "/signup/verify": _call(0.75, "Confirm", "/welcome"),
    "/welcome": (Act(0.97, "signup", ({"plan": "free"}, {"plan": "free"}, {"plan": "team"})),),
    "/checkout": _form("billing", 0.7, 0.6, "/checkout/done"),
    "/checkout/done": (Act(1, "purchase", ({"currency": "EUR"},), "", (29, 29, 29, 79, 79, 290, 790)),),
    "/contact": _form("contact", 0.5, 0.55),
    "/blog": _form("newsletter", 0.06, 0.6),
    "/changelog": _outbound(0.08, "github.com"),
    "/integrations": _outbound(0.1, "slack.com", "zapier.com", "github.com"),
    **dict.fromkeys(("/docs", "/docs/api", "/docs/faq"), _SEARCH),
    **dict.fromkeys(("/docs/sdk/javascript", "/docs/sdk/python"), _outbound(0.12, "github.com")),
    **dict.fromkeys(_POSTS, _outbound(0.04, "github.com", "en.wikipedia.org")),
}


class Arrival(NamedTuple):
    """A way to the site: its share of first and of later visits, how many leave at once, where it leads."""

    first: float
    later: float
    referrer: str
    query: str
    bounces: float
    pages: tuple[str, ...]


_HOME = _spread({"/": 16, "/pricing": 3, "/docs": 6, "/features": 1, "/changelog": 2, "/docs/api": 2})
_FOUND = _spread({"/": 9, "/pricing": 2, "/features": 2, **dict.fromkeys((*_POSTS, *_DOCS), 1)})
_ANSWERED = _spread({"/": 2, "/pricing": 2, **dict.fromkeys(_DOCS, 1), "/docs/quickstart": 4})
_READ = _spread({"/": 3, **dict.fromkeys(_POSTS, 2), "/changelog": 1})

ARRIVALS: Final = (
    Arrival(22, 58, "", "", 0.45, _HOME),
    Arrival(34, 20, "https://www.google.com/", "", 0.49, _FOUND),
    Arrival(5, 2, "https://www.bing.com/", "", 0.50, _FOUND),
    Arrival(4, 3, "https://duckduckgo.com/", "", 0.47, _FOUND),
    Arrival(3, 1, "https://news.ycombinator.com/", "", 0.62, _READ),
    Arrival(4, 2, "https://t.co/", "", 0.64, _READ),
    Arrival(6, 3, "https://www.linkedin.com/", "", 0.56, _READ),
    Arrival(2, 1, "https://www.reddit.com/", "", 0.60, _READ),
    Arrival(5, 3, "https://chatgpt.com/", "?utm_source=chatgpt.com", 0.41, _ANSWERED),
    Arrival(2, 1, "https://www.perplexity.ai/", "", 0.42, _ANSWERED),
    Arrival(5, 3, "https://github.com/", "", 0.40, _ANSWERED),
    Arrival(3, 1, "https://stack.acorn.example/", "", 0.48, _HOME),
    Arrival(2, 1, "https://www.northwind.example/", "?utm_source=northwind&utm_medium=referral", 0.45, _HOME),
)


class Burst(NamedTuple):
    """Visits beside the usual: by day from the `weekday` in the week that ends `age` days before the last.

    Where `begins` is given, the first day's begin then and fade. `known` of them are earlier visitors.
    """

    age: int
    weekday: int
    sessions: tuple[int, ...]
    begins: float | None
    known: float
    arrival: Arrival


_NEWS = "?utm_source=newsletter&utm_medium=email&utm_campaign=release-notes"
_AD = "?utm_source=google&utm_medium=cpc&utm_campaign=product-analytics&gclid={click}"
_NEWSLETTER = Arrival(0, 0, "", _NEWS, 0.34, ("/changelog", _POSTS[3]))
_VIRAL = ARRIVALS[4]._replace(bounces=0.66, pages=(_POSTS[2],))
_PAID = Arrival(0, 0, "https://www.google.com/", _AD, 0.52, ("/", "/pricing", "/features/funnels"))
BURSTS: Final = (
    Burst(10, 1, (520, 190, 80, 30, 12), 7.5, 0.6, _NEWSLETTER),
    Burst(19, 2, (1_900, 520, 170, 70, 40, 20), 13, 0, _VIRAL),
    Burst(36, 0, (90, 130, 150, 150, 140, 70, 75, 150, 150, 110), None, 0, _PAID),
)

_DOWN = (4, 3, 9, 14)  # age and weekday as of a burst, from this hour, to that one
_PLACES = _spread({place: country.weight for place, country in enumerate(COUNTRIES)}, 10)
_DEVICES = _spread(AGENTS, 10)
_NEXT = {page: _spread(links) for page, links in _LINKS.items()}
_NEXT_ANYWHERE = _spread(_ANYWHERE)
_FIRST_WAYS = _spread({arrival: arrival.first for arrival in ARRIVALS})
_LATER_WAYS = _spread({arrival: arrival.later for arrival in ARRIVALS})
_FAR = ("Asia", "Australia", "Africa")
_AT = attrgetter("timestamp")
_HOURS = _spread(dict(enumerate(_WORKDAY))), _spread(dict(enumerate(_WEEKEND)))


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
        kinds = [(device, far) for device in _LOADING for far in (False, True)]
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
                url = _SITE + (self._one(_FOUND) if pages else "/")
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
            at, leads = self._act(page, visitor, url, at) if page in _ACTS else (at, "")
            if seen >= length and not leads:
                return
            at += self._one(self._pauses)
            page, referrer = leads or self._one(_NEXT.get(page, _NEXT_ANYWHERE)), url
            url = f"{_SITE}{page}"

    def _act(self, page: str, visitor: _Visitor, url: str, at: int) -> tuple[int, str]:
        """What is done on a page; when it was done, and where it leads."""
        leads = ""
        for act in _ACTS[page]:
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

    def _one(self, things: Sequence[_T]) -> _T:
        return things[int(self._chance() * len(things))]

    def _loads(self, device: str, far: bool) -> list[dict[str, Any] | None]:
        """What views on a device measure, some of them nothing; far away, the wire takes its time."""
        return [self._load(device, far) if self._chance() < _MEASURED else None for _ in range(1_024)]

    def _load(self, device: str, far: bool) -> dict[str, Any]:
        medians = zip(_LOADING[device], _SIGMAS, strict=True)
        drawn = [self._random.lognormvariate(log(median), sigma) for median, sigma in medians]
        ttfb = drawn[0] + 260 * far
        times = {"ttfbMs": ttfb, "fcpMs": ttfb + drawn[1], "lcpMs": ttfb + sum(drawn[1:3]), "inpMs": drawn[3]}
        return {name: round(time) for name, time in times.items()} | {"clsScore": round(drawn[4], 3)}
