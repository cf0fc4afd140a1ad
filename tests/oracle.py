"""What the numbers of the packs must be: plain Python over the events as they were sent.

Written from the rules, not from the code: nothing of the package is imported.

- An event counts once: of those with the same name, actor and `eventId` (without one: the same content, where a
  time was given) the first to arrive is the one.
- An actor's first event is its first one of any name; bots are nobody.
- A session is what one actor does, or one actor under one session id, with silences of at most 30 minutes, or of
  24 hours under an id; an access log's other requests are no part of it. It belongs to the day it begins on in the
  project's zone, and ends with the day after that at the latest; what goes on after is of no session.
"""

import json
import math
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from functools import cache, partial
from itertools import pairwise
from operator import attrgetter
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

Wire = Mapping[str, Any]

#: User agents and what they say: device, browser, system, bot.
AGENTS: dict[str, tuple[str, str, str, str]] = {
    "": ("other", "", "", ""),
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0": (
        "desktop", "Firefox", "Windows", "",
    ),
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 "
    "Mobile/15E148 Safari/604.1": ("mobile", "Safari", "iOS", ""),
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)": ("other", "", "", "Googlebot"),
}  # fmt: skip

#: Addresses and their countries.
COUNTRIES: dict[str, str] = {"8.8.8.8": "US", "193.99.144.80": "DE", "133.11.0.1": "JP", "10.0.0.1": ""}

#: Referrer and query of a page, and what they say: referrer's host, source, channel, medium, campaign, term, content.
ORIGINS: dict[tuple[str, str], tuple[str, str, str, str, str, str, str]] = {
    ("", ""): ("", "(direct)", "direct", "", "", "", ""),
    ("https://www.google.com/search?q=x", ""): ("google.com", "Google", "organic_search", "", "", "", ""),
    ("https://blog.example.org/post", ""): ("blog.example.org", "blog.example.org", "referral", "", "", "", ""),
    ("https://chatgpt.com/", ""): ("chatgpt.com", "ChatGPT", "ai_assistant", "", "", "", ""),
    ("https://shop.example/a", ""): ("shop.example", "shop.example", "referral", "", "", "", ""),
    ("", "?utm_source=newsletter&utm_medium=email&utm_campaign=Frühling&utm_term=a%20b&utm_content=top"): (
        "", "newsletter", "email", "email", "Frühling", "a b", "top",
    ),
}  # fmt: skip

_NOWHERE = ("", "", "", "", "", "", "")

_SILENCE_MS = 30 * 60 * 1000
_SILENCE_WITH_ID_MS = 24 * 3600 * 1000
_HALF_OF_LAST_DIGIT = 5.1e-7


@dataclass(frozen=True)
class Event:
    """An event that counts."""

    event: str
    at: int
    actor: str
    session: str
    value: Fraction | None
    bot: str
    host: str
    path: str
    referrer_host: str
    source: str
    channel: str
    medium: str
    campaign: str
    term: str
    content: str
    country: str
    device: str
    browser: str
    os: str
    props: Mapping[str, Any]

    @property
    def request_kind(self) -> str:
        return str(self.props.get("kind", ""))

    @property
    def form(self) -> str:
        return str(self.props.get("form", ""))

    @property
    def outbound_host(self) -> str:
        return str(self.props.get("outboundHost", ""))

    @property
    def file(self) -> str:
        return str(self.props.get("file", ""))

    @property
    def network(self) -> str:
        return str(self.props.get("network", ""))

    @property
    def sdk_version(self) -> str:
        return str(self.props.get("sdkVersion", ""))

    @property
    def network_counter(self) -> str:
        return f"{self.network}/{self.event}"

    @property
    def level(self) -> str:
        return str(self.props.get("level", ""))

    @property
    def platform(self) -> str:
        return str(self.props.get("platform", ""))

    @property
    def app_version(self) -> str:
        return str(self.props.get("appVersion", ""))

    @property
    def exposed_variant(self) -> str:
        return f"{self.props.get('experiment', '')}/{self.props.get('variant', '')}"

    def says(self, flag: str) -> bool | None:
        """Whether a flag is set; None where nothing is said."""
        return {"true": True, "false": False}.get(str(self.props.get(flag, "")).lower())

    def number(self, name: str) -> float | None:
        """A property as a number of zero or more; text that is one counts too."""
        given = self.props.get(name)
        try:
            number = float(given) if isinstance(given, str | int | float) and not isinstance(given, bool) else math.nan
        except ValueError:
            return None
        return number if 0 <= number <= 1e15 else None


@dataclass(frozen=True)
class Session:
    """Consecutive events of one actor or session id."""

    events: tuple[Event, ...]

    @property
    def at(self) -> int:
        return self.events[0].at

    @property
    def views(self) -> tuple[Event, ...]:
        return tuple(e for e in self.events if e.event in ("page_view", "screen_view"))

    @property
    def entry_path(self) -> str:
        return self.views[0].path if self.views else ""

    @property
    def exit_path(self) -> str:
        return self.views[-1].path if self.views else ""

    @property
    def loud(self) -> list[Event]:
        """All but what only tells more of a view."""
        return [e for e in self.events if e.event not in ("engagement", "web_vitals")]

    @property
    def bounced(self) -> bool:
        return len(self.loud) == 1

    @property
    def pages(self) -> list[list[Event]]:
        """Each view with what comes before the next one, and what comes before the first one."""
        found: list[list[Event]] = []
        for e in self.events:
            if e in self.views or not found:
                found.append([e])
            else:
                found[-1].append(e)
        return found

    def marked(self, flag: str) -> int:
        """How many events bear a flag; one where nothing is said."""
        said = [told for e in self.loud if (told := e.says(flag)) is not None]
        return sum(said) if said else 1

    @property
    def landed(self) -> int:
        """How many entrances convert before the next page."""
        converts = [any(e.says("isConversion") for e in page) for page in self.pages]
        if any(e.says("isEntrance") is not None for e in self.loud):
            return sum(c for c, page in zip(converts, self.pages, strict=True) if page[0].says("isEntrance"))
        return int(next(c for c, page in zip(converts, self.pages, strict=True) if page[0] in self.views))

    @property
    def converted(self) -> bool:
        return any(e.says("isConversion") for e in self.events)

    @property
    def seconds(self) -> Fraction:
        return Fraction(self.events[-1].at - self.events[0].at, 1000)

    def __getattr__(self, name: str) -> Any:
        """Everything else a session has of its first event."""
        return getattr(self.events[0], name)


@dataclass(frozen=True)
class Participation:
    """An event in one of the experiments that its actor takes part in."""

    event_itself: Event
    experiment_variant: str

    @property
    def experiment_variant_event(self) -> str:
        return f"{self.experiment_variant}/{self.event_itself.event}"

    @property
    def at(self) -> int:
        return self.event_itself.at

    def __getattr__(self, name: str) -> Any:
        """Everything else it has of the event."""
        return getattr(self.event_itself, name)


Row = Event | Session | Participation

#: The property by which tests say which experiments the actor takes part in, each as `experiment/variant`.
TAKES_PART = "takesPart"


@dataclass(frozen=True)
class Near:
    """A quantile: what is told lies within 0.5 % of it."""

    value: float


Expected = int | Fraction | Near | None


def agrees(told: Any, expected: Expected) -> bool:
    """Whether a told number is the expected one, as exactly as it is promised."""
    match expected:
        case None:
            return told is None
        case Near(value):
            return told is not None and abs(told - value) <= 0.005 * value
        case Fraction():
            return told is not None and abs(told - expected) <= _HALF_OF_LAST_DIGIT
    return isinstance(told, int) and told == expected


def received(sent: Iterable[tuple[int, Wire]]) -> list[Event]:
    """The events that count, of `(arrival in epoch milliseconds, event)` in order of arrival."""
    first: dict[object, Event] = {}
    for place, (now, wire) in enumerate(sent):
        event = _event(now, wire)
        identity: object = place
        if "eventId" in wire:
            identity = (event.event, event.actor, wire["eventId"])
        elif "timestamp" in wire:
            named = {k: v for k, v in wire.items() if k not in ("visitorId", "userId", "anonymousId", "actor")}
            named = {k: v for k, v in named.items() if k not in ("ip", "userAgent")}
            identity = (event.actor, json.dumps(named, sort_keys=True))
        first.setdefault(identity, event)
    return sorted(first.values(), key=attrgetter("at"))


def _event(now: int, wire: Wire) -> Event:
    url = urlsplit(wire.get("url", ""))
    query = f"?{url.query}" if url.query else ""
    origin = ORIGINS[wire.get("referrer", ""), query] if wire.get("url") or wire.get("referrer") else _NOWHERE
    host = (url.hostname or "").removeprefix("www.")
    if host and host == origin[0]:
        origin = ("", "(internal)", "internal", "", "", "", "")
    device, browser, os, bot = AGENTS[wire.get("userAgent", "")]
    given = (wire.get(name) for name in ("actor", "userId", "visitorId", "anonymousId"))
    return Event(
        wire["event"], _milliseconds(wire["timestamp"]) if "timestamp" in wire else now,
        next((text for text in given if text), ""), wire.get("sessionId", ""),
        Fraction(str(wire["value"])) if "value" in wire else None, bot,
        host, url.path or ("/" if "url" in wire else ""), *origin,
        COUNTRIES.get(wire.get("ip", ""), ""), device, browser, os, wire.get("properties", {}),
    )  # fmt: skip


def _milliseconds(time: str | int) -> int:
    if isinstance(time, int):
        return time
    since = datetime.fromisoformat(time) - datetime(1970, 1, 1, tzinfo=UTC)
    return since // timedelta(milliseconds=1)


@cache
def day_start(day: date, zone: str) -> int:
    """The first millisecond of a day: the first minute around its midnight that its date, or a later one, has."""
    minute = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) - 16 * 3600
    while datetime.fromtimestamp(minute, ZoneInfo(zone)).date() < day:
        minute += 60
    return minute * 1000


def day_of(at: int, zone: str) -> date:
    """The day an instant lies in."""
    return datetime.fromtimestamp(at // 1000, ZoneInfo(zone)).date()


@dataclass(frozen=True)
class Span:
    """A stretch of time in epoch milliseconds, the end excluded, and what a series calls it."""

    label: str
    start: int
    end: int

    def of(self, rows: Iterable[Row]) -> list[Row]:
        """The rows in it."""
        return [row for row in rows if self.start <= row.at < self.end]


def window(first: date, last: date, zone: str) -> Span:
    """The days `first` to `last`, both included."""
    return Span("", day_start(first, zone), day_start(last + timedelta(days=1), zone))


def series(first: date, last: date, zone: str, grain: str) -> list[Span]:
    """The buckets of a window."""
    days = [first + timedelta(days=i) for i in range((last - first).days + 1)]
    if grain == "hour":
        return [hour for day in days for hour in _hours(day, zone)]
    firsts: dict[str, date] = {}
    for day in days:
        begins = {"day": day, "week": day - timedelta(days=day.isoweekday() - 1), "month": day.replace(day=1)}[grain]
        firsts.setdefault(begins.isoformat(), day)
    bounds = [*(day_start(day, zone) for day in firsts.values()), day_start(last + timedelta(days=1), zone)]
    return [Span(label, *bound) for label, bound in zip(firsts, pairwise(bounds), strict=True)]


def _hours(day: date, zone: str) -> Iterator[Span]:
    start, end = day_start(day, zone), day_start(day + timedelta(days=1), zone)
    for hour in range(start, end, 3_600_000):
        label = datetime.fromtimestamp(hour // 1000, ZoneInfo(zone)).isoformat()
        yield Span(label, hour, min(hour + 3_600_000, end))


def sessions(events: Sequence[Event], zone: str) -> list[Session]:
    """The sessions in a project of this zone."""
    chains: dict[tuple[str, str], list[Event]] = defaultdict(list)
    for event in events:
        if not event.bot and event.event != "request" and (event.actor or event.session):
            chains[event.actor, event.session].append(event)
    return [Session(part) for chain in chains.values() for part in _cut(chain, zone)]


def _cut(chain: Sequence[Event], zone: str) -> Iterator[tuple[Event, ...]]:
    silence = _SILENCE_WITH_ID_MS if chain[0].session else _SILENCE_MS
    breaks = [i for i, (a, b) in enumerate(pairwise(chain), 1) if b.at - a.at > silence]
    for first, end in pairwise([0, *breaks, len(chain)]):
        limit = day_start(day_of(chain[first].at, zone) + timedelta(days=2), zone)
        yield tuple(event for event in chain[first:end] if event.at < limit)


Where = Callable[[Row], bool]


@dataclass(frozen=True)
class Oracle:
    """The events of a project in a zone; visits are its sessions with a view."""

    events: Sequence[Event]
    sessions: Sequence[Session]
    visits: Sequence[Session]
    first_seen: Mapping[str, int]

    @classmethod
    def of(cls, sent: Iterable[tuple[int, Wire]], zone: str) -> "Oracle":
        """The oracle of what was sent to a project in this zone."""
        events = received(sent)
        firsts: dict[str, int] = {}
        for event in events:
            if event.actor and not event.bot:
                firsts.setdefault(event.actor, event.at)
        found = sessions(events, zone)
        return cls(events, found, [session for session in found if session.views], firsts)

    @property
    def participations(self) -> Sequence[Participation]:
        """The events, once for each experiment."""
        return [Participation(event, variant) for event in self.events for variant in event.props.get(TAKES_PART, ())]

    def rows(self, metric: str) -> Sequence[Row]:
        """What a metric looks at."""
        if metric in OF_EXPOSED:
            return self.participations
        if metric in OF_ANY_SESSION:
            return self.sessions
        return self.visits if metric in OF_SESSIONS else self.events

    def ask(self, metric: str, span: Span, where: Where = lambda _: True) -> Expected:
        """A metric over a span."""
        rows = [row for row in span.of(self.rows(metric)) if where(row)]
        for others in (OF_SESSIONS, OF_ANY_SESSION, OF_EXPOSED):
            if metric in others:
                return others[metric](rows)
        if metric in NEWCOMERS:
            return self._newcomers(metric, _actors(NEWCOMERS[metric](rows)), span)
        if metric == "time_to_capture":
            return self._ages(_new_leads(rows))
        if metric in QUANTILES:
            name, level = QUANTILES[metric]
            return _quantile(sorted(n for e in _people(rows) if (n := e.number(name)) is not None), level)
        return OF_EVENTS[metric](rows)

    def keys(self, metric: str, span: Span, by: str, where: Where = lambda _: True) -> list[str]:
        """The keys of a breakdown by a count or a number of actors, largest first, then by the bytes of the text."""
        rows = [row for row in span.of(self.rows(metric)) if where(row)]
        sizes = {key: self.ask(metric, span, _both(where, by, key)) for key in {text(row, by) for row in rows}}
        known = [(key, size) for key, size in sizes.items() if isinstance(size, int) and size > 0]
        return [key for key, _ in sorted(known, key=lambda pair: (-pair[1], pair[0].encode()))]

    def by_key(self, metric: str, span: Span, by: str, key: str, where: Where = lambda _: True) -> Expected:
        """A row of a breakdown."""
        return self.ask(metric, span, _both(where, by, key))

    def _newcomers(self, metric: str, actors: set[str], span: Span) -> Expected:
        new = sum(span.start <= self.first_seen[actor] < span.end for actor in actors)
        if metric.startswith("new_"):
            return new
        if metric == "returning_visitors":
            return len(actors) - new
        return _over(len(actors) - new, len(actors))

    def _ages(self, events: Sequence[Event]) -> Fraction | None:
        """The mean time from an actor's first event to these, in seconds."""
        ages = [Fraction(e.at - self.first_seen[e.actor], 1000) for e in events if e.actor]
        known = [age for age in ages if age > 0]
        return _over(sum(known, Fraction(0)), len(known))


def text(row: Row, dimension: str) -> str:
    """What a row has of a dimension."""
    return str(getattr(row, dimension))


def _both(where: Where, by: str, key: str) -> Where:
    return lambda row: where(row) and text(row, by) == key


def compares(found: str, op: str, values: Sequence[str]) -> bool:
    """Whether a text fits one of the values; for `is_not`, none."""
    if op == "is":
        return found in values
    if op == "is_not":
        return found not in values
    if op == "contains":
        return any(value.lower() in found.lower() for value in values)
    return any(re.search(value, found) for value in values)


def _people(rows: Iterable[Row]) -> list[Event]:
    return [row for row in rows if isinstance(row, Event) and not row.bot]


def _views(rows: Iterable[Row]) -> list[Event]:
    return [event for event in _people(rows) if event.event == "page_view"]


def _bots(rows: Iterable[Row]) -> list[Event]:
    return [row for row in rows if isinstance(row, Event) and row.bot]


def _actors(events: Iterable[Event]) -> set[str]:
    return {event.actor for event in events if event.actor}


def _visits(rows: Iterable[Row]) -> list[Session]:
    return [row for row in rows if isinstance(row, Session)]


def _over(upper: int | Fraction, lower: int | Fraction) -> Fraction | None:
    return Fraction(upper) / lower if lower else None


def _quantile(ordered: Sequence[float], level: float) -> Near | None:
    """The nearest rank: the smallest number that at least this share of all do not exceed."""
    rank = math.ceil(Fraction(str(level)) * len(ordered))
    return Near(ordered[max(rank, 1) - 1]) if ordered else None


def _named(rows: Iterable[Row], name: str) -> list[Event]:
    return [event for event in _people(rows) if event.event == name]


def _counters(rows: Iterable[Row], *names: str) -> list[Event]:
    """Events of counters, of those with these names where any is given."""
    return [event for event in _people(rows) if event.network and (not names or event.event in names)]


def _counted(rows: Iterable[Row], *names: str) -> Fraction:
    return _sum(_counters(rows, *names))


def _in_experiments(rows: Iterable[Row]) -> list[Participation]:
    return [row for row in rows if isinstance(row, Participation) and not row.bot]


def _sum(events: Iterable[Event | Participation]) -> Fraction:
    return sum((event.value for event in events if event.value is not None), Fraction(0))


def _new_leads(rows: Iterable[Row]) -> list[Event]:
    return [event for event in _named(rows, "lead_captured") if event.says("newLead")]


def _measured(rows: Iterable[Row], prop: str) -> Fraction | None:
    """All that is measured, over the views of which anything is."""
    numbers = [(e, Fraction(str(n))) for e in _people(rows) if (n := e.number(prop)) is not None]
    return _over(sum((n for _, n in numbers), Fraction(0)), sum(not e.says("more") for e, _ in numbers))


def _graded(rows: Iterable[Row], prop: str, low: float, high: float) -> Fraction | None:
    """The share of measurements above one limit and not above the other."""
    numbers = [n for e in _people(rows) if (n := e.number(prop)) is not None]
    return _over(sum(low < n <= high for n in numbers), len(numbers))


#: Metrics of events.
OF_EVENTS: dict[str, Callable[[Sequence[Row]], Expected]] = {
    "events": lambda rows: len(_people(rows)),
    "actors": lambda rows: len(_actors(_people(rows))),
    "value": lambda rows: _sum(_people(rows)),
    "bot_events": lambda rows: len(_bots(rows)),
    "page_views": lambda rows: len(_views(rows)),
    "visitors": lambda rows: len(_actors(_views(rows))),
    "views_per_visitor": lambda rows: _over(len(_views(rows)), len(_actors(_views(rows)))),
    "bot_views": lambda rows: sum(e.event == "page_view" for e in _bots(rows)),
    "other_requests": lambda rows: sum(row.event == "request" for row in rows),
    "arrivals": lambda rows: sum(e.channel != "internal" for e in _views(rows)),
    "conversions": lambda rows: sum(e.says("isConversion") is True for e in _people(rows)),
    "engaged_time": lambda rows: _measured(rows, "engagedTimeMs"),
    "scroll_depth": lambda rows: _measured(rows, "scrollDepthPercent"),
    "form_starts": lambda rows: len(_named(rows, "form_start")),
    "form_submits": lambda rows: len(_named(rows, "form_submit")),
    "form_completion_rate": lambda rows: _over(len(_named(rows, "form_submit")), len(_named(rows, "form_start"))),
    "new_leads": lambda rows: len(_new_leads(rows)),
    "lead_captures": lambda rows: sum(row.event == "lead_captured" for row in rows),
    "lead_capture_rate": lambda rows: _over(len(_new_leads(rows)), len(_actors(_views(rows)))),
    "consents": lambda rows: sum(row.event == "consent_given" for row in rows),
    "consent_withdrawals": lambda rows: sum(row.event == "consent_withdrawn" for row in rows),
    "clicks": lambda rows: len(_named(rows, "click")),
    "outbound_clicks": lambda rows: len(_named(rows, "outbound_click")),
    "file_downloads": lambda rows: len(_named(rows, "file_download")),
    "counter_value": _counted,
    "active_apps": lambda rows: len(_actors(_counters(rows))),
    "counter_events": lambda rows: len(_counters(rows)),
    "sdk_sessions": lambda rows: _counted(rows, "sessions_created", "sessions_restored"),
    "connect_success_rate": lambda rows: _over(
        _counted(rows, "wallet_connect_success"), _counted(rows, "wallet_connect_attempts")
    ),
    "restore_success_rate": lambda rows: _over(
        _counted(rows, "sessions_restored"), _counted(rows, "restore_attempts")
    ),
    "registry_cache_hit_rate": lambda rows: _over(
        _counted(rows, "registry_cache_hit"), _counted(rows, "registry_cache_hit", "registry_fetch")
    ),
    "sdk_errors": lambda rows: _sum(e for e in _counters(rows) if e.event.startswith("error_")),
    "exposures": lambda rows: len(_named(rows, "experiment_exposure")),
    "exposed_units": lambda rows: len(_actors(_named(rows, "experiment_exposure"))),
    "app_opens": lambda rows: len(_named(rows, "app_open")),
    "levels_started": lambda rows: len(_named(rows, "level_start")),
    "levels_completed": lambda rows: len(_named(rows, "level_complete")),
    "level_completion_rate": lambda rows: _over(len(_named(rows, "level_complete")), len(_named(rows, "level_start"))),
    "purchases": lambda rows: len(_named(rows, "purchase")),
    "buyers": lambda rows: len(_actors(_named(rows, "purchase"))),
    "revenue": lambda rows: _sum(_named(rows, "purchase")),
    "buyer_share": lambda rows: _over(len(_actors(_named(rows, "purchase"))), len(_actors(_people(rows)))),
    "revenue_per_unit": lambda rows: _over(_sum(_named(rows, "purchase")), len(_actors(_people(rows)))),
    "events_accepted": lambda rows: sum(row.event != "lead_captured" for row in rows),
    **{
        f"{name}_{grade}": partial(_graded, prop=prop, low=low, high=high)
        for name, prop, good, poor in (
            ("ttfb", "ttfbMs", 800, 1800), ("fcp", "fcpMs", 1800, 3000), ("lcp", "lcpMs", 2500, 4000),
            ("inp", "inpMs", 200, 500), ("cls", "clsScore", 0.1, 0.25),
        )
        for grade, low, high in (
            ("good", -math.inf, good), ("fair", good, poor), ("poor", poor, math.inf),
        )
    },
}  # fmt: skip

#: Metrics of actors told apart by their first event, and of which events' actors.
NEWCOMERS: dict[str, Callable[[Iterable[Row]], list[Event]]] = {
    "new_actors": _people,
    "new_visitors": _views,
    "returning_visitors": _views,
    "returning_share": _views,
}

#: Quantiles: the property and the level.
QUANTILES: dict[str, tuple[str, float]] = {
    f"{name}_p{percent}": (prop, percent / 100)
    for name, prop in (
        ("ttfb", "ttfbMs"), ("fcp", "fcpMs"), ("lcp", "lcpMs"), ("inp", "inpMs"), ("cls", "clsScore"),
    )
    for percent in (75, 95)
}  # fmt: skip

#: Metrics of sessions.
OF_SESSIONS: dict[str, Callable[[Sequence[Row]], Expected]] = {
    "sessions": len,
    "entrances": lambda rows: sum(s.marked("isEntrance") for s in _visits(rows)),
    "exits": lambda rows: sum(s.marked("isExit") for s in _visits(rows)),
    "landing_conversion_rate": lambda rows: _over(
        sum(s.landed for s in _visits(rows)), sum(s.marked("isEntrance") for s in _visits(rows))
    ),
    "session_conversion_rate": lambda rows: _over(sum(s.converted for s in _visits(rows)), len(rows)),
    "views_per_session": lambda rows: _over(sum(len(s.views) for s in _visits(rows)), len(rows)),
    "bounce_rate": lambda rows: _over(sum(s.bounced for s in _visits(rows)), len(rows)),
    "session_duration": lambda rows: _over(sum((s.seconds for s in _visits(rows)), Fraction(0)), len(rows)),
}

#: Metrics of sessions, those without a view among them.
OF_ANY_SESSION: dict[str, Callable[[Sequence[Row]], Expected]] = {
    "app_sessions": len,
    "app_session_duration": lambda rows: _over(sum((s.seconds for s in _visits(rows)), Fraction(0)), len(rows)),
}

#: Metrics of events and the experiments that their actors take part in.
OF_EXPOSED: dict[str, Callable[[Sequence[Row]], Expected]] = {
    "experiment_events": lambda rows: len(_in_experiments(rows)),
    "experiment_units": lambda rows: len({row.actor for row in _in_experiments(rows) if row.actor}),
    "experiment_value": lambda rows: _sum(_in_experiments(rows)),
}

METRICS = (*OF_EVENTS, *NEWCOMERS, *QUANTILES, *OF_SESSIONS, *OF_ANY_SESSION, *OF_EXPOSED, "time_to_capture")

_SHARED = ("host", "source", "channel", "medium", "campaign", "term", "content", "referrer_host", "country", "device",
           "browser", "os")  # fmt: skip

#: Dimensions of events and of sessions.
DIMENSIONS_OF_EVENTS = ("event", "path", "bot", "request_kind", "form", "outbound_host", "file", "network",
                        "sdk_version", "network_counter", "exposed_variant", "level", "platform", "app_version",
                        *_SHARED)  # fmt: skip
DIMENSIONS_OF_EXPOSED = ("experiment_variant", "experiment_variant_event", *DIMENSIONS_OF_EVENTS)
DIMENSIONS_OF_SESSIONS = ("entry_path", "exit_path", *_SHARED)
