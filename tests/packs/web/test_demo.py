"""The demo's traffic: the same every time, of the promised size and shape, with nothing that is refused."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest

from tallymark.ingest.country import CountryTable
from tallymark.ingest.decode import Decoded, WireEvent
from tallymark.ingest.gate import Limits, admit
from tallymark.ingest.page import host_of, page_of
from tallymark.ingest.traffic_source import Source, classify
from tallymark.ingest.user_agent import describe
from tallymark.packs.web.demo import PROJECT, days
from tallymark.packs.web.demo_site import AGENTS, BOTS, COUNTRIES
from tallymark.spec.project import Project, parse_draft

# One worker makes the traffic once for the whole file.
LAST = date(2026, 3, 31)
IMPORTED = Limits(past_ms=None, future_ms=0, max_properties=30, max_event_bytes=4_096)
SILENCE_MS = 30 * 60_000

Days = dict[date, list[WireEvent]]


@pytest.fixture(scope="module")
def traffic() -> Days:
    return dict(days(LAST))


@pytest.fixture(scope="module")
def distinct(traffic: Days) -> list[WireEvent]:
    return list({e.event_id: e for events in traffic.values() for e in events}.values())


@pytest.fixture(scope="module")
def sessions(distinct: list[WireEvent]) -> list[list[WireEvent]]:
    by_visitor = defaultdict(list)
    for e in distinct:
        if e.visitor_id:
            by_visitor[e.visitor_id].append(e)
    return [session for events in by_visitor.values() for session in _cut(sorted(events, key=_at))]


def _at(event: WireEvent) -> float:
    assert isinstance(event.timestamp, float | int)
    return event.timestamp


def _cut(events: list[WireEvent]) -> Iterator[list[WireEvent]]:
    begins = (i for i, (a, b) in enumerate(pairwise(events), 1) if _at(b) - _at(a) > SILENCE_MS)
    return (events[first:end] for first, end in pairwise([0, *begins, len(events)]))


def _midnight(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1000)


def test_the_same_arguments_give_the_same_events() -> None:
    assert list(days(LAST, 6)) == list(days(LAST, 6))
    assert list(days(LAST, 2)) != list(days(LAST, 2, seed=2))


def test_it_has_every_day_up_to_the_last_and_enough_events(traffic: Days, distinct: list[WireEvent]) -> None:
    assert list(traffic) == [LAST - timedelta(days=age) for age in reversed(range(90))]
    assert sum(map(len, traffic.values())) >= 230_000
    assert len(distinct) >= 200_000


def test_a_days_events_lie_within_it_in_order(traffic: Days) -> None:
    for day, events in traffic.items():
        times = [_at(e) for e in events]
        assert times == sorted(times)
        assert _midnight(day) <= times[0] <= times[-1] < _midnight(day + timedelta(days=1))


def test_some_events_are_sent_twice_and_are_then_the_same(traffic: Days, distinct: list[WireEvent]) -> None:
    total = sum(map(len, traffic.values()))
    assert 0.004 < 1 - len(distinct) / total < 0.006
    known = {e.event_id: e for e in distinct}
    assert all(known[e.event_id] == e for events in traffic.values() for e in events)


def test_the_gate_refuses_nothing(traffic: Days) -> None:
    draft = parse_draft(PROJECT, {"web": {}})
    project = Project(1, **vars(draft), created_at=datetime(2026, 4, 1, tzinfo=UTC))
    now = _midnight(LAST + timedelta(days=1))
    for events in traffic.values():
        batch = admit(Decoded(events, range(len(events))), project, IMPORTED, now, "", b"")
        assert not batch.refused
        assert not any(batch.unpinned)


def test_weekdays_are_fuller_than_weekends(traffic: Days) -> None:
    usual = [(day, len(events)) for day, events in traffic.items() if day < LAST - timedelta(days=45)]
    mean = [_mean([n for day, n in usual if day.weekday() == weekday]) for weekday in range(7)]
    assert 0.4 < max(mean[5:]) / max(mean[:5]) < 0.7
    assert max(mean) in mean[1:3]


def test_it_grows(traffic: Days) -> None:
    counts = [len(events) for events in traffic.values()]
    assert 1.1 < sum(counts[-7:]) / sum(counts[:7]) < 1.6


def test_hours_go_by_the_visitors_clock(distinct: list[WireEvent]) -> None:
    def share_by_nine_utc(block: str) -> float:
        hours = [int(_at(e)) // 3_600_000 % 24 for e in distinct if (e.ip or "").startswith(block)]
        return sum(5 <= hour < 10 for hour in hours) / len(hours)

    zones = {country.zone: f"{country.block}." for country in COUNTRIES}
    assert share_by_nine_utc(zones["Asia/Kolkata"]) > 0.3
    assert share_by_nine_utc(zones["Europe/Berlin"]) > 0.15
    assert share_by_nine_utc(zones["America/Los_Angeles"]) < 0.1


def test_the_last_weeks_have_their_story(traffic: Days) -> None:
    def busiest(word: str) -> date:
        return max(traffic, key=lambda day: sum(word in f"{e.url} {e.referrer}" for e in traffic[day]))

    viral, letter, down = date(2026, 3, 11), date(2026, 3, 17), date(2026, 3, 26)
    assert busiest("news.ycombinator.com") == viral
    assert len(traffic[viral]) > 1.6 * len(traffic[viral - timedelta(days=7)])
    assert busiest("utm_campaign=release-notes") == letter
    assert letter.strftime("%A") == "Tuesday"
    advertised = [day for day, events in traffic.items() if any("gclid=" in (e.url or "") for e in events)]
    assert len(advertised) in (10, 11)  # the last night's visits go on past midnight
    assert {_at(e) // 3_600_000 % 24 for e in traffic[down]} == set(range(24)) - set(range(9, 14))


def test_visitors_return_and_sessions_end_as_people_do(sessions: list[list[WireEvent]]) -> None:
    visits = Counter(session[0].visitor_id for session in sessions)
    assert 0.30 < sum(n > 1 for n in visits.values()) / len(visits) < 0.35
    assert max(visits.values()) > 12
    assert 0.42 < sum(len(session) == 1 for session in sessions) / len(sessions) < 0.49
    views = Counter(sum(e.event == "page_view" for e in session) for session in sessions)
    assert sum(views[n] for n in range(1, 13)) > 0.999 * len(sessions)
    assert all(views[n] for n in range(1, 13))


def test_sessions_come_from_everywhere(sessions: list[list[WireEvent]]) -> None:
    channels = Counter(_source(session[0]).channel for session in sessions)
    assert set(channels) >= {"organic_search", "social", "ai_assistant", "referral", "email", "paid_search"}
    assert 0.25 < channels["direct"] / len(sessions) < 0.45
    names = {_source(session[0]).name for session in sessions}
    assert names >= {"Google", "Bing", "DuckDuckGo", "Hacker News", "X", "LinkedIn", "ChatGPT", "Perplexity"}


def _source(event: WireEvent) -> Source:
    page = page_of(event.url or "")
    return classify(host_of(event.referrer or ""), page.host, page.source, page.medium, page.ad_click)


def test_events_are_those_of_a_product_site(distinct: list[WireEvent]) -> None:
    counts = Counter(e.event for e in distinct)
    words = {"page_view", "click", "outbound_click", "form_start", "form_submit", "lead_captured", "search", "signup"}
    assert set(counts) == words | {"purchase"}
    assert counts["page_view"] > 0.85 * len(distinct)
    assert counts["form_start"] > counts["form_submit"] > counts["signup"] > counts["purchase"] > 100
    assert {e.event for e in distinct if e.value is not None} == {"purchase"}
    assert 38 <= len({page_of(e.url or "").path for e in distinct}) <= 50


def test_web_vitals_are_slower_on_telephones(distinct: list[WireEvent]) -> None:
    loads = defaultdict(list)
    for e in distinct:
        if e.properties and "lcpMs" in e.properties:
            assert set(e.properties) == {
                "ttfbMs", "fcpMs", "lcpMs", "inpMs", "clsScore", "engagedTimeMs", "scrollDepthPercent",
            }  # fmt: skip
            loads[describe(e.user_agent or "").device].append(e.properties["lcpMs"])
    desktop, mobile = (sorted(loads[device])[len(loads[device]) // 2] for device in ("desktop", "mobile"))
    assert 1_000 < desktop < mobile < 4_000


def test_bots_have_their_share_and_people_their_devices(distinct: list[WireEvent]) -> None:
    agents = [describe(e.user_agent or "") for e in distinct]
    assert 0.05 < sum(agent.bot != "" for agent in agents) / len(agents) < 0.07
    assert {agent.bot for agent in agents} - {""} == {describe(row[2]).bot for row in BOTS}
    devices = Counter(agent.device for agent in agents if not agent.bot)
    assert set(devices) == {"desktop", "mobile", "tablet"}
    assert all(e.visitor_id is None for e, agent in zip(distinct, agents, strict=True) if agent.bot)


@pytest.mark.parametrize(("device", "agent"), AGENTS)
def test_a_user_agent_is_of_its_device(device: str, agent: str) -> None:
    told = describe(agent)
    assert (told.device, told.bot) == (device, "")
    assert told.browser
    assert told.os


def test_countries_are_those_of_the_addresses(distinct: list[WireEvent]) -> None:
    table = CountryTable.load()
    codes = {country.block: country.code for country in COUNTRIES}
    people = {e.ip or "" for e in distinct if e.visitor_id}
    assert all(table.country(ip) == codes[".".join(ip.split(".")[:2])] for ip in people)
    assert all(table.country(f"{row[3]}.{n}") for row in BOTS for n in range(1, 255))
    assert len({country.code for country in COUNTRIES}) > 20


def _mean(numbers: list[int]) -> float:
    return sum(numbers) / len(numbers)
