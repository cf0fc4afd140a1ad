"""The summary's numbers: those of plain Python, fresh as it says, and from the cache only where that is the same."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from litestar.stores.memory import MemoryStore

from tallymark.answer.run import Answerer
from tallymark.api.answers import Answers
from tallymark.engine.base import Engine, Params, Row
from tallymark.packs.web.summary import freshness
from tallymark.rollup.refresh import Outcome, Refresher
from tallymark.rollup.run import made_at
from tallymark.spec.condition import Op
from tallymark.spec.query import Clause, Filter, Query
from tallymark.spec.window import Window
from tests.engines import Passing
from tests.flow.test_oracle import PLACES, Traffic
from tests.oracle import Expected, Near, Oracle, Span, agrees, series, window
from tests.packs.web.property import Properties, Property, properties, view

FIGURES = {
    "uniqueVisitors": "visitors",
    "returningVisitorsPct": "returning_share",
    "totalPageViews": "page_views",
    "leadCaptureRate": "lead_capture_rate",
    "formCompletionRate": "form_completion_rate",
    "landingPageConversionRate": "landing_conversion_rate",
    "avgTimeToFirstCaptureHrs": "time_to_capture",
}
TREND = {"uniqueVisitors": "visitors", "pageViews": "page_views", "newLeads": "new_leads"}
SUMMARY = "/metrics/summary"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory, engine: Engine) -> Iterator[Properties]:
    now = datetime(2026, 4, 20, 12, tzinfo=UTC)
    with properties(tmp_path_factory.mktemp("summary"), engine, now=now) as running:
        yield running


@pytest.mark.parametrize(("seed", "place"), list(enumerate(PLACES[1::2])))
def test_numbers(app: Properties, seed: int, place: tuple[str, date]) -> None:
    zone, first = place
    site, traffic = app.make(timezone=zone), Traffic(Random(seed), zone, first)
    arrival, sent = datetime(2026, 4, 20, tzinfo=UTC), []
    for batch in traffic.batches(150):
        site.bring(*batch)
        sent += [(round(arrival.timestamp() * 1000), event) for event in batch]
    oracle = Oracle.of(sent, zone)
    shifted, last = [timedelta(days=n) for n in (1, 2)], first + timedelta(days=4)
    check(site, oracle, (first, last), None, "")
    check(site, oracle, (last, last), (last - shifted[0], last - shifted[0]), "previous")
    check(site, oracle, (first + shifted[1], last), (first - shifted[0], first + shifted[0]), "previous")
    explicit = (first, first + shifted[0])
    check(site, oracle, (first + shifted[1], last), explicit, f"{explicit[0]}..{explicit[1]}")
    year = (first.replace(year=first.year + 1), last.replace(year=last.year + 1))
    check(site, oracle, year, (first, last), "previous_year")


def check(
    site: Property, oracle: Oracle, days: tuple[date, date], compared: tuple[date, date] | None, compare_to: str
) -> None:
    """Every number of a summary is the oracle's."""
    zone = site.project.timezone
    answer = site.get(SUMMARY, from_=f"{days[0]}", to=f"{days[1]}", compareTo=compare_to)
    assert answer.status_code == 200, answer.text
    told, span = answer.json(), window(*days, zone)
    for figure, metric in FIGURES.items():
        scale = 3_600 if metric == "time_to_capture" else 1
        value, expected = told["metrics"][figure]["value"], oracle.ask(metric, span)
        assert agrees(value, _over(expected, scale)), (figure, value, expected)
        before = oracle.ask(metric, window(*compared, zone)) if compared else None
        assert told["metrics"][figure]["delta"] == _delta(expected, before), figure
    check_mix(told["metrics"]["trafficSourceMix"], oracle, span)
    assert told["ingest"]["totalEventsAccepted"] == oracle.ask("events_accepted", span)
    p95 = oracle.ask("ttfb_p95", span)
    if isinstance(p95, Near):
        assert abs(told["ingest"]["p95TtfbMs"] - p95.value) <= 0.005 * p95.value + 0.5
    else:
        assert told["ingest"]["p95TtfbMs"] is None
    for entry, day in zip(told["trend"], series(*days, zone, "day"), strict=True):
        assert entry == {"day": day.label, **{name: oracle.ask(metric, day) for name, metric in TREND.items()}}


def check_mix(told: dict[str, float], oracle: Oracle, span: Span) -> None:
    channels = oracle.keys("arrivals", span, "channel")
    assert list(told) == [name or "unknown" for name in channels]
    arrivals = _float(oracle.ask("arrivals", span))
    for share, name in zip(told.values(), channels, strict=True):
        assert abs(share - _float(oracle.by_key("arrivals", span, "channel", name)) / arrivals) <= 5.1e-7
    assert all(a >= b for a, b in pairwise(told.values()))


def _over(expected: Expected, scale: int) -> Expected:
    assert not isinstance(expected, Near)
    return expected if expected is None or scale == 1 else Fraction(expected) / scale


def _float(expected: Expected) -> float:
    assert expected is not None
    assert not isinstance(expected, Near)
    return float(expected)


def _delta(value: Expected, before: Expected) -> Any:
    """The relative change, as near as numbers of six digits tell it."""
    if value is None or not before:
        return None
    return pytest.approx((_float(value) - _float(before)) / _float(before), abs=2e-6 + 2e-6 / abs(_float(before)))


def test_visitors_are_told_once(app: Properties) -> None:
    site = app.make()
    site.bring(view("2026-04-10"), view("2026-04-11"), view("2026-04-12"))
    told = site.get(SUMMARY, from_="2026-04-10", to="2026-04-12").json()
    assert told["metrics"]["uniqueVisitors"]["value"] == 1
    assert [entry["uniqueVisitors"] for entry in told["trend"]] == [1, 1, 1]


def test_p95_is_of_all_page_loads(app: Properties) -> None:
    site = app.make()
    slow = [view("2026-04-10", f"v{i}", properties={"ttfbMs": 1_000}) for i in range(1)]
    fast = [view("2026-04-11", f"v{i}", properties={"ttfbMs": 100}) for i in range(99)]
    site.bring(*slow, *fast)
    told = site.get(SUMMARY, from_="2026-04-10", to="2026-04-11").json()
    assert told["ingest"]["p95TtfbMs"] == 100


RUNS = {date(2026, 3, 1): 1_700_000_000_000 << 20, date(2026, 3, 5): 1_700_000_100_000 << 20}
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("waiting", "zone", "days", "expected"),
    [
        ([], "UTC", (1, 5), ("2026-03-10", 0, "2023-11-14T22:15:00.000Z")),
        ([], "UTC", (1, 2), ("2026-03-10", 0, "2023-11-14T22:13:20.000Z")),
        ([], "UTC", (7, 9), ("2026-03-10", 0, "2023-11-14T22:15:00.000Z")),
        ([], "Pacific/Kiritimati", (1, 5), ("2026-03-11", 0, "2023-11-14T22:15:00.000Z")),
        ([8, 9], "UTC", (1, 5), ("2026-03-07", 3, "2023-11-14T22:15:00.000Z")),
        ([12], "UTC", (1, 5), ("2026-03-10", 0, "2023-11-14T22:15:00.000Z")),
    ],
)
def test_freshness(waiting: list[int], zone: str, days: tuple[int, int], expected: tuple[str, int, str]) -> None:
    asked = Window(date(2026, 3, days[0]), date(2026, 3, days[1]), zone)
    told = freshness(RUNS, [date(2026, 3, day) for day in waiting], asked, NOON)
    assert (told["rolledUpThrough"], told["lagDays"], told["generatedAt"]) == expected


def test_nothing_is_fresh_before_there_is_anything() -> None:
    told = freshness({}, [], Window(date(2026, 3, 1), date(2026, 3, 2)), NOON)
    assert set(told.values()) == {None}


@dataclass
class Counted(Passing):
    """An engine, and the statements that it was asked."""

    asked: list[str] = field(default_factory=list)

    def query(self, sql: str, params: Params | None = None) -> Sequence[Row]:
        self.asked.append(sql)
        return super().query(sql, params)


@dataclass
class Cached:
    """A property's questions through a cache of their own."""

    site: Property
    counted: Counted
    answers: Answers

    def ask(self, query: Query) -> tuple[Any, int]:
        """The answer and how many statements it took beside the one for the runs."""
        runs = self.answers.fresh_runs(self.site.project)
        before = len(self.counted.asked)
        told = asyncio.run(self.answers.answer(query, self.site.project, runs))
        return told, len(self.counted.asked) - before

    def value(self, query: Query) -> tuple[Any, bool]:
        """The value of the first metric, and whether it came from the cache."""
        told, statements = self.ask(query)
        return told["metrics"][query.metrics[0]]["value"], statements == 0


@pytest.fixture
def cached(app: Properties) -> Cached:
    site = app.make()
    site.bring(*(view(f"2026-04-{day:02}", url="https://a.example/a") for day in range(1, 15)))
    counted = Counted(site.here.engine)
    answers = Answers(Answerer(counted, site.here.catalog), site.here.keeper, MemoryStore())
    return Cached(site, counted, answers)


def april(first: int, last: int, **more: Any) -> Query:
    return Query(("page_views",), Window(date(2026, 4, first), date(2026, 4, last)), **more)


def test_nothing_is_asked_twice(cached: Cached) -> None:
    assert cached.value(april(4, 8)) == (5, False)
    before = len(cached.counted.asked)
    assert cached.value(april(4, 8)) == (5, True)
    assert len(cached.counted.asked) - before == 1  # for the runs
    assert cached.value(april(4, 9)) == (6, False)


def test_publishing_inside_drops_it(cached: Cached) -> None:
    for day, window_ in ((4, april(4, 8)), (8, april(4, 8)), (2, april(4, 8, compare=april(1, 3).window))):
        cached.value(window_)
        cached.site.bring(view(f"2026-04-{day:02}", "new"))
        told, from_cache = cached.value(window_)
        assert (told, from_cache) == ({4: 6, 8: 7, 2: 7}[day], False)
        assert cached.value(window_) == (told, True)


def test_publishing_outside_keeps_it(cached: Cached) -> None:
    cached.value(april(4, 8))
    for day in ("2026-04-03", "2026-04-09", "2026-01-01"):
        cached.site.bring(view(day, "new"))
        assert cached.value(april(4, 8)) == (5, True)
    assert cached.value(april(3, 9)) == (9, False)


def test_writing_keeps_it_until_that_is_published(cached: Cached) -> None:
    cached.value(april(4, 8))
    runs = cached.answers.fresh_runs(cached.site.project)
    cached.site.bring(view("2026-04-05", "new"))
    before = len(cached.counted.asked)
    told = asyncio.run(cached.answers.answer(april(4, 8), cached.site.project, runs))
    assert (told["metrics"]["page_views"]["value"], len(cached.counted.asked) - before) == (5, 0)


def test_another_process_publishes(cached: Cached) -> None:
    cached.value(april(4, 8))
    project, here = cached.site.project, cached.site.here
    version = here.keeper.version(project)
    other = Refresher(here.engine, here.catalog, 0)
    (done,) = other.refresh(project, [date(2026, 4, 5)], force=True)
    assert (done.outcome, here.keeper.version(project)) == (Outcome.PUBLISHED, version)
    assert cached.value(april(4, 8)) == (5, False)


def test_a_look_that_changes_nothing_keeps_it(cached: Cached) -> None:
    cached.value(april(4, 8))
    other = Refresher(cached.site.here.engine, cached.site.here.catalog, 0)
    days = [date(2026, 4, day) for day in range(1, 15)]
    assert {done.outcome for done in other.refresh(cached.site.project, days)} == {Outcome.UNCHANGED}
    assert cached.value(april(4, 8)) == (5, True)


PAGE_A = Filter(((Clause("path", Op.IS, ("/a",)),),))
TWO = Filter((*PAGE_A.groups, (Clause("channel", Op.IS, ("direct",)),)))


@pytest.mark.parametrize(
    ("question", "from_rollups"),
    [
        (april(4, 8, by="path"), True),
        (april(4, 8, filter=PAGE_A), True),
        (april(4, 8, filter=TWO), False),
        (april(4, 8, exact=True), False),
    ],
)
def test_what_raw_events_say_is_dropped_by_every_write(cached: Cached, question: Query, from_rollups: bool) -> None:
    cached.value(question)
    assert cached.value(question) == (5, True)
    cached.site.bring(view("2026-01-01", "new"))
    assert cached.value(question) == (5, from_rollups)


def test_other_projects_are_not_mixed_up(app: Properties, cached: Cached) -> None:
    cached.value(april(4, 8))
    other = Cached(app.make(), cached.counted, cached.answers)
    assert other.value(april(4, 8)) == (0, False)


def test_runs_say_when_they_were_made(cached: Cached) -> None:
    runs = cached.answers.fresh_runs(cached.site.project)
    told = cached.site.get(SUMMARY, from_="2026-04-01", to="2026-04-14").json()
    generated = datetime.fromisoformat(told["freshness"]["generatedAt"])
    assert generated == max(made_at(run) for run in runs.values())
