"""Every metric of the packs agrees with an oracle in plain Python, from rollups and from raw events."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

import pytest

from tallymark.spec.catalog import Catalog
from tallymark.spec.condition import Op
from tallymark.spec.measure import Rows
from tallymark.spec.query import Clause, Filter, Query
from tallymark.spec.window import Grain, Window
from tests.conftest import World, Worlds
from tests.oracle import (
    AGENTS,
    COUNTRIES,
    DIMENSIONS_OF_EVENTS,
    DIMENSIONS_OF_EXPOSED,
    DIMENSIONS_OF_SESSIONS,
    METRICS,
    NEWCOMERS,
    OF_ANY_SESSION,
    OF_EVENTS,
    OF_EXPOSED,
    OF_SESSIONS,
    ORIGINS,
    QUANTILES,
    TAKES_PART,
    Oracle,
    Row,
    Where,
    agrees,
    compares,
    day_start,
    series,
    text,
    window,
)
from tests.packs.quiz import oracle as quiz
from tests.packs.voice import oracle as voice

Sent = list[tuple[int, dict[str, Any]]]

#: Zones with the first of five days that have a change of the clock, a skipped midnight or a month's end in them.
PLACES = [
    ("UTC", date(2026, 2, 27)),
    ("Asia/Kolkata", date(2026, 2, 26)),
    ("America/St_Johns", date(2026, 3, 6)),
    ("Australia/Lord_Howe", date(2026, 4, 3)),
    ("Europe/Berlin", date(2026, 3, 27)),
    ("Europe/Berlin", date(2025, 10, 24)),
    ("America/Sao_Paulo", date(2018, 11, 2)),
]
DAYS = 5
OTHER_ZONES = ("UTC", "Asia/Kolkata", "Pacific/Auckland", "America/St_Johns")

ACTORS = ("ann", "bob", "用户", "зоя", "e\u0301 😀", "dan")
NAMES = (
    *("page_view",) * 6, "screen_view", "request", "click", "größe", "engagement", "engagement", "form_start",
    "form_submit", "lead_captured", "lead_captured", "consent_given", "consent_withdrawn", "outbound_click",
    "file_download",
)  # fmt: skip
COUNTERS = (
    "wallet_connect_attempts", "wallet_connect_success", "sessions_created", "sessions_restored", "restore_attempts",
    "registry_fetch", "registry_cache_hit", "error_TIMEOUT", "errors",
)  # fmt: skip
OF_APPS = ("app_open", "level_start", "level_start", "level_complete", "purchase", "experiment_exposure")
VARIANTS = ("checkout/green", "checkout/ß'", "price/9.99", "price/0")
PATHS = ("/", "/a", "/ß/ünder", "/a'b\\c", "/日本", "/A")
GAPS_MS = (1, 1_000, 60_000, 1_799_999, 1_800_000, 1_800_001, 86_399_999, 86_400_000, 86_400_001)
EDGES_MS = (-1_800_001, -1_800_000, -1_799_999, -1, 0, 1, 1_799_999)
MEASURED = ("ttfbMs", "fcpMs", "lcpMs", "inpMs", "clsScore", "engagedTimeMs", "scrollDepthPercent")
NUMBERS = (0, 0.001, 0.1, 0.25, 12, 12.5, 250, 800, 2_000, 3_500, 1_000_000, -3, "17.25", "fast", "", True)
MARKS = ("isEntrance", "isExit", "isConversion", "newLead", "more")


@dataclass
class Traffic:
    """Makes events of one project, out of a random number's seed."""

    random: Random
    zone: str
    first: date

    def batches(self, size: int) -> list[list[dict[str, Any]]]:
        """All events, cut into batches in another order than they happened, some of them sent again."""
        days = self.random.sample(range(DAYS), 3)
        moments = self._moments(size, days)
        events = [self._event(i, at, actor, session) for i, (at, actor, session) in enumerate(moments)]
        self.random.shuffle(events)
        cuts = sorted(self.random.sample(range(1, size), 2))
        batches = [events[: cuts[0]], events[cuts[0] : cuts[1]], events[cuts[1] :]]
        for place, batch in enumerate(batches):
            again = [e for earlier in batches[: place + 1] for e in earlier if self.random.random() < 0.1]
            batches[place] = batch + [self._again(e, e in batch) for e in again]
        return batches

    def _moments(self, size: int, days: Sequence[int]) -> list[tuple[int, str, str]]:
        """When, who and under which session id; nobody does two things in the same millisecond."""
        moments = [self._moment(self.random.choice(days))]
        while len(moments) < size:
            at, actor, session = self.random.choice(moments)
            moment = (at + self.random.choice(GAPS_MS), actor, session)
            if self.random.random() < 0.4:
                moment = self._moment(self.random.choice(days))
            if moment not in moments:
                moments.append(moment)
        return moments

    def _moment(self, day: int) -> tuple[int, str, str]:
        start = day_start(self.first + timedelta(days=day), self.zone)
        at = start + (self.random.choice(EDGES_MS) if self.random.random() < 0.5 else self.random.randrange(82_800_000))
        actor = self.random.choice((*ACTORS, ""))
        return at, actor, self.random.choice(("", "", "s1", "s2"))

    def _event(self, place: int, at: int, actor: str, session: str) -> dict[str, Any]:
        (referrer, query), random = self.random.choice(list(ORIGINS)), self.random
        host = random.choice(("shop.example", "www.shop.example", "docs.example"))
        event: dict[str, Any] = {
            "event": random.choice(NAMES),
            "timestamp": at if random.random() < 0.3 else _iso(at),
            "eventId": f"e{place}",
            random.choice(("visitorId", "userId", "anonymousId", "actor")): actor,
            "url": f"https://{host}{random.choice(PATHS)}{query}",
            "referrer": referrer,
            "userAgent": random.choice(list(AGENTS)),
            "ip": random.choice(list(COUNTRIES)),
            "properties": {name: random.choice(NUMBERS) for name in random.sample(MEASURED, 2)},
        }
        marked = random.sample(MARKS, random.choice((0, 0, 1, 2)))
        event["properties"] |= {name: random.choice((True, True, False, "true", "")) for name in marked}
        for name, texts in (("form", ("signup", "ß")), ("outboundHost", ("a.example",)), ("file", ("/a.pdf",))):
            if random.random() < 0.1:
                event["properties"][name] = random.choice(texts)
        if session:
            event["sessionId"] = session
        if random.random() < 0.3:
            event["value"] = random.choice((1, 0.1, 0.2, -2.5, 99_999.999, 0, 1e9))
        if random.random() < 0.2:
            event["event"] = random.choice(COUNTERS)
            event["value"] = random.choice((1, 2, 0.25, 40))
            event["properties"] |= {"network": random.choice(("mainnet", "devnet")), "sdkVersion": "0.3.0"}
        self._in_app(event)
        if event["event"] == "request":
            event["properties"]["kind"] = random.choice(("feed", "asset", "failed"))
        for optional in random.sample(("eventId", "url", "referrer", "ip"), random.choice((0, 0, 1))):
            if optional != "url" or not query:
                del event[optional]
        return event

    def _in_app(self, event: dict[str, Any]) -> None:
        """Makes some events those of an app, and some actors take part in experiments."""
        random = self.random
        if random.random() < 0.2:
            event["event"] = random.choice(OF_APPS)
            event["properties"] |= {"level": random.choice((1, 2, "last")), "platform": "ios", "appVersion": "2.0"}
        if event["event"] == "experiment_exposure":
            event["properties"] |= dict(zip(("experiment", "variant"), random.choice(VARIANTS).split("/"), strict=True))
        if random.random() < 0.4:
            event["properties"][TAKES_PART] = random.sample(VARIANTS, random.choice((1, 1, 2)))

    def _again(self, event: dict[str, Any], same_batch: bool) -> dict[str, Any]:
        """The same event once more; one that its sender named may come back with other content."""
        if same_batch or "eventId" not in event or self.random.random() < 0.5:
            return dict(event)
        return {**event, "url": "https://again.example/again", "referrer": "", "value": 1_000_000, "properties": {}}


def _iso(at: int) -> str:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at)).isoformat(timespec="milliseconds")


def _play(world: World, traffic: Traffic, size: int) -> Sent:
    """Sends the batches, refreshing between some of them and at the end; gives what was sent and when."""
    sent: Sent = []
    arrival = datetime(traffic.first.year, traffic.first.month, traffic.first.day, tzinfo=UTC) + timedelta(days=9)
    for batch in traffic.batches(size):
        arrival += timedelta(hours=1)
        assert world.send(batch, arrival) == []
        sent += [(round(arrival.timestamp() * 1000), event) for event in batch]
        if traffic.random.random() < 0.6:
            world.settle()
    world.settle()
    return sent


@dataclass(frozen=True)
class Asked:
    """A question's answer beside the oracle's."""

    world: World
    oracle: Oracle

    def check(self, query: Query, where: Where = lambda _: True) -> None:
        """Every number of the answer is the oracle's."""
        told = self.world.ask(query)
        self._check_window(told["metrics"], "value", "series", query.window, query, where)
        if query.compare:
            self._check_window(told["metrics"], "previous", "previousSeries", query.compare, query, where)
            self._check_deltas(told["metrics"])
        if query.by:
            self._check_rows(told["breakdown"], query, where)

    def _check_window(
        self, told: Mapping[str, Any], value: str, points: str, asked: Window, query: Query, where: Where
    ) -> None:
        span = window(asked.first, asked.last, asked.timezone)
        buckets = series(asked.first, asked.last, asked.timezone, asked.grain)
        for metric in query.metrics:
            got = [("total", told[metric][value]), *((p["t"], p["value"]) for p in told[metric][points])]
            expected = [("total", self.oracle.ask(metric, span, where))]
            expected += [(bucket.label, self.oracle.ask(metric, bucket, where)) for bucket in buckets]
            assert [t for t, _ in got] == [t for t, _ in expected]
            wrong = [(t, n, e) for (t, n), (_, e) in zip(got, expected, strict=True) if not agrees(n, e)]
            assert wrong == [], f"{metric}, {query}"

    def _check_deltas(self, told: Mapping[str, Any]) -> None:
        for metric in told.values():
            value, before = metric["value"], metric["previous"]
            if value is None or not before:
                assert metric["delta"] is None
            else:
                assert metric["delta"] == pytest.approx((value - before) / before, abs=5.1e-7)

    def _check_rows(self, rows: Sequence[Mapping[str, Any]], query: Query, where: Where) -> None:
        assert query.by is not None
        span = window(query.window.first, query.window.last, query.window.timezone)
        keys = self.oracle.keys(query.metrics[0], span, query.by, where)
        assert [row["key"] for row in rows] == keys[: query.limit], query
        for row in rows:
            for metric in query.metrics:
                expected = self.oracle.by_key(metric, span, query.by, row["key"], where)
                assert agrees(row[metric], expected), f"{metric} of {row['key']!r}: {row[metric]} {expected}, {query}"


def _filter(random: Random, dimensions: Sequence[str], rows: Sequence[Row]) -> tuple[Filter, Where]:
    """A filter over values that there are, and the same in Python."""
    groups = []
    for _ in range(random.choice((1, 1, 2))):
        clauses = []
        for _ in range(random.choice((1, 1, 2))):
            dimension = random.choice(dimensions)
            known = sorted({text(row, dimension) for row in rows} | {"nothing"})
            op = random.choice(list(Op))
            values = tuple(random.sample(known, min(len(known), random.choice((1, 2)))))
            clauses.append(Clause(dimension, op, {Op.MATCHES: ("^/a", "oo"), Op.CONTAINS: ("A", "ß")}.get(op, values)))
        groups.append(tuple(clauses))
    chosen = Filter(tuple(groups))

    def where(row: Any) -> bool:
        return all(any(compares(text(row, c.dimension), c.op, c.values) for c in group) for group in chosen.groups)

    return chosen, where


OF_EVENTS_AND_ACTORS = (
    "events", "time_to_capture", *(name for name in (*OF_EVENTS, *NEWCOMERS) if name != "events")
)  # fmt: skip

#: How many events there are in each place.
SIZES = (150, 20, 80, 110, 150, 60, 130)


@dataclass(frozen=True)
class Scene:
    """The traffic of a seed in a zone, what was made of it, and the days that it is in."""

    seed: int
    asked: Asked
    days: Window


@pytest.fixture(
    scope="module",
    params=[
        pytest.param((seed, size, place), id=f"{place[0]}-{place[1]}")
        for seed, (size, place) in enumerate(zip(SIZES, PLACES, strict=True))
    ],
)
def scene(request: pytest.FixtureRequest, world: Worlds) -> Scene:
    """Traffic of another seed in each zone, played once for all tests that ask of it."""
    seed, size, (zone, first) = request.param
    here = world(timezone=zone, packs=("sdk", "web", "ab"))
    sent = _play(here, Traffic(Random(seed), zone, first), size)
    return Scene(seed, Asked(here, Oracle.of(sent, zone)), Window(first, first + timedelta(days=DAYS), zone))


def test_totals_and_series_of_every_metric(scene: Scene) -> None:
    random, asked, days = Random(scene.seed), scene.asked, scene.days
    for exact in (False, True):
        middle = replace(days, first=days.first + timedelta(days=3))
        asked.check(Query(METRICS, middle, middle.before(), exact=exact))
    asked.check(Query(METRICS, replace(days, grain=random.choice((Grain.WEEK, Grain.MONTH)))))
    asked.check(Query(METRICS, replace(days, grain=Grain.HOUR)))
    asked.check(Query(METRICS, replace(days, timezone=random.choice(OTHER_ZONES), grain=Grain.DAY)))


def test_breakdowns_and_filters(scene: Scene) -> None:
    random, asked, days = Random(scene.seed), scene.asked, scene.days
    for metrics, dimensions in (
        (OF_EVENTS_AND_ACTORS, DIMENSIONS_OF_EVENTS),
        (("events", *QUANTILES), DIMENSIONS_OF_EVENTS),
        (tuple(OF_SESSIONS), DIMENSIONS_OF_SESSIONS),
        (tuple(OF_ANY_SESSION), DIMENSIONS_OF_SESSIONS),
        (tuple(OF_EXPOSED), DIMENSIONS_OF_EXPOSED),
    ):
        for by in random.sample(dimensions, 2):
            asked.check(Query(metrics, days, by=by, limit=random.choice((2, 1_000)), exact=random.random() < 0.3))
        for few in (dimensions, [random.choice(dimensions)]):
            chosen, where = _filter(random, few, asked.oracle.rows(metrics[0]))
            asked.check(Query(metrics, days, days.before(), filter=chosen), where)
            asked.check(Query(metrics, days, by=random.choice(dimensions), filter=chosen), where)
            asked.check(Query(metrics, days, by=few[0], filter=chosen), where)


def test_the_oracle_knows_every_metric_and_dimension(catalog: Catalog) -> None:
    assert {*METRICS, *voice.METRICS, *quiz.METRICS} == set(catalog.metrics)
    known = {*DIMENSIONS_OF_EXPOSED, *DIMENSIONS_OF_SESSIONS, *voice.DIMENSIONS, *quiz.DIMENSIONS}
    assert known == set(catalog.dimensions)
    exposed = {dimension.name for dimension in catalog.rolled_up_on(Rows.EXPOSED)}
    assert {*DIMENSIONS_OF_EXPOSED} - exposed == {*DIMENSIONS_OF_EVENTS}
