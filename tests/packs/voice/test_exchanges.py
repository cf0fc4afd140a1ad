"""Exchanges are what plain Python makes of queries and outcomes, however these come and whenever they are joined."""

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tallymark.packs.voice.exchanges import PATIENCE, Exchanges
from tests.api.sealing import seal
from tests.conftest import SLOW
from tests.oracle import agrees, day_start, window
from tests.packs.voice.assistant import NOON, Assistant, event
from tests.packs.voice.oracle import BOT, Oracle, Row, Wire, exchanges, received
from tests.packs.world import bearer

DAY = date(2028, 2, 29)
ZONES = ("UTC", "Asia/Kolkata", "America/St_Johns", "Pacific/Auckland")
#: Milliseconds from the midnight that the day begins with; a query and its outcome are less than a day apart.
OFFSETS = (-14 * 3_600_000, -3_600_000, -1, 0, 3_600_000, 7 * 3_600_000)
SAID: dict[str, Sequence[Any]] = {
    "intent": ("weather", "unknown", "größe"), "confidence": (0, 0.3, 0.95, 1), "success": (True, False),
    "error": ("timeout",), "total_ms": (120, 3_300.5), "prompt_tokens": (7,), "completion_tokens": (11,),
    "cost_usd": (0.000125,), "store_id": ("s-1",), "language": ("de-DE",), "transcript": ("wie spät?",),
    "response": ("Zwölf.",),
}  # fmt: skip

Batches = Sequence[Sequence[Wire]]


@st.composite
def _events(draw: st.DrawFn, zone: str, name: str, query_id: str, place: int) -> Wire:
    offset = draw(st.sampled_from(OFFSETS))
    at = day_start(DAY, zone) + offset + (place if offset >= 0 else -place)
    names = draw(st.lists(st.sampled_from(sorted(SAID)), unique=True, max_size=5))
    said = {chosen: draw(st.sampled_from(SAID[chosen])) for chosen in names}
    user = draw(st.sampled_from(("ann", "bob", "")))
    agent = draw(st.sampled_from(("", "", "", BOT)))
    more = {"event_id": f"{name}-{place}-of-{query_id}", "user_id": user, "user_agent": agent}
    return event(name, query_id, instant(at), **said, **{field: text for field, text in more.items() if text})


@st.composite
def traffic(draw: st.DrawFn) -> tuple[str, Batches]:
    """A zone, and what a project there is sent: in any order, some of it again, with other content."""
    zone = draw(st.sampled_from(ZONES))
    names = ("query", "outcome", "query outcome", "outcome query", "query outcome query outcome")
    sent = [
        draw(_events(zone, name, f"q-{number}", place))
        for number in range(draw(st.integers(2, 5)))
        for place, name in enumerate(draw(st.sampled_from(names)).split())
    ]
    again = [{**each, "intent": "again"} for each in draw(st.lists(st.sampled_from(sent), max_size=2))]
    order, cut = draw(st.permutations(sent)), draw(st.integers(1, len(sent)))
    return zone, (order[:cut], [*order[cut:], *again])


def instant(at: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at)


def stored(assistant: Assistant) -> list[tuple[Any, ...]]:
    """Time, user, whether a bot, and what is said, of the exchanges that count."""
    columns = "toUnixTimestamp64Milli(occurred_at), actor, bot != '', toJSONString(props)"
    rows = assistant.stored(columns, "event = 'voice_exchange' AND bot != '(void)'")
    return sorted((at, actor, bool(bot), _said(json.loads(props))) for at, actor, bot, props in rows)


def told(assistant: Assistant, rows: Iterable[Row]) -> list[tuple[Any, ...]]:
    """The oracle's exchanges in that form."""
    actor = assistant.here.receiver.enricher.actor
    id = assistant.id
    return sorted((row.at, actor(id, row.actor) if row.actor else 0, row.bot, _said(row.said)) for row in rows)


def _said(props: Any) -> str:
    return json.dumps({name: value for name, value in props.items() if name != "exchangeRevision"}, sort_keys=True)


def check(assistant: Assistant, sent: Sequence[Wire], old: bool) -> None:
    """The exchanges are the oracle's, and joining again writes nothing, even from the beginning."""
    assistant.join()
    assert stored(assistant) == told(assistant, exchanges(received(sent), old))
    assert assistant.join() == 0
    if old:
        assistant.here.cursors.forget(f"exchanges:{assistant.id}")
        assert assistant.join() == 0


def check_numbers(assistant: Assistant, sent: Sequence[Wire], old: bool) -> None:
    """The summary is the oracle's."""
    zone, first = assistant.application.project(assistant.name).timezone, DAY - timedelta(days=1)
    page = assistant.page("summary", **{"from": str(first), "to": str(DAY), "compareTo": "none"})
    oracle, span = Oracle.of(sent, old), window(first, DAY, zone)
    numbers = {name: (metric["value"], oracle.ask(name, span)) for name, metric in page["metrics"].items()}
    assert {name: pair for name, pair in numbers.items() if not agrees(*pair)} == {}


@settings(SLOW, max_examples=3)
@given(traffic(), st.booleans())
def test_exchanges_are_what_plain_python_makes_of_them(
    running: Assistant, drawn: tuple[str, Batches], asked_before: bool
) -> None:
    zone, (first, second) = drawn
    assistant, sent = running.fresh(timezone=zone), [*first, *second]
    assistant.send(*first)
    check(assistant, first, old=False)
    if asked_before:
        check_numbers(assistant, first, old=False)
    assistant.wait()
    check(assistant, first, old=True)
    if second:
        assistant.send(*second)
        assistant.join()
        assistant.wait()
    check(assistant, sent, old=True)
    check_numbers(assistant, sent, old=True)


def test_an_exchange_moves_where_its_query_lies_and_published_days_follow(assistant: Assistant) -> None:
    late = NOON - timedelta(hours=11, minutes=59)
    outcome = event("outcome", "q-1", late, user_id="bob", success=True, total_ms=500)
    assistant.send(outcome)
    assistant.wait()
    assert assistant.join() == 1
    check_numbers(assistant, [outcome], old=True)
    query = event("query", "q-1", late - timedelta(minutes=2), user_id="ann", intent="weather")
    assistant.send(query)
    check_numbers(assistant, [outcome, query], old=True)
    check(assistant, [outcome, query], old=True)
    project = assistant.application.project(assistant.name)
    assistant.application.settle(assistant.name)
    assert assistant.here.keeper.rehearse(project, DAY - timedelta(days=2), DAY) == (2, [])
    told_by_day = assistant.page("summary", **{"from": "2028-02-28", "to": "2028-02-29"})["metrics"]["voice_exchanges"]
    assert [point["value"] for point in told_by_day["series"]] == [1, 0]


def test_one_without_the_other_is_due_after_ten_minutes_and_not_before(assistant: Assistant) -> None:
    assistant.send(event("query", "q-1"), event("outcome", "q-2"), event("query"))
    assert assistant.join() == 0
    assistant.wait(PATIENCE - timedelta(minutes=1))
    assert assistant.join() == 0
    assistant.wait(timedelta(minutes=1))
    assert assistant.join() == 3
    assert sorted(said["exchangeState"] for said in assistant.said("event = 'voice_exchange'")) == [
        "unanswered", "unanswered", "unasked"
    ]  # fmt: skip


def test_what_is_sent_again_does_not_have_one_wait_longer(assistant: Assistant) -> None:
    """A retry is no news: what counts is when the first came."""
    assistant.send(event("query", "q-1"))
    assistant.wait(PATIENCE - timedelta(minutes=1))
    assistant.send(event("query", "q-1"))
    assistant.wait(timedelta(minutes=1))
    assert assistant.join() == 1


def test_what_the_outcome_says_wins_and_what_only_one_says_stays(assistant: Assistant) -> None:
    assistant.send(
        event("query", "q-1", intent="weather", confidence=0.4, properties={"app": {"a": 1, "b": 2}, "x": [1]}),
        event("outcome", "q-1", intent="time", confidence=0.96, properties={"app": {"b": 3}, "x": [2, 3]}),
    )
    assistant.join()
    (said,) = assistant.said("event = 'voice_exchange'")
    assert {name: said[name] for name in ("intent", "confidence", "confidenceBand", "app", "x")} == {
        "intent": "time", "confidence": 0.96, "confidenceBand": "0.9-1.0", "app": {"a": 1, "b": 3}, "x": [2, 3]
    }  # fmt: skip


def test_a_person_of_two_names_is_one_exchange_of_the_first(assistant: Assistant) -> None:
    """Two users send the same id at the same time: the exchange is one of them, and stays it."""
    assistant.send(*(event("query", "q-1", user_id=f"user-{n}", intent=f"intent-{n}") for n in range(8)))
    assistant.send(event("outcome", "q-1", success=True))
    assistant.join()
    ((actor, said),) = assistant.stored("actor, toString(props.intent)", "event = 'voice_exchange'")
    assert actor == assistant.here.receiver.enricher.actor(assistant.id, f"user-{said.removeprefix('intent-')}")
    for _ in range(5):
        assistant.here.cursors.forget(f"exchanges:{assistant.id}")
        assert assistant.join() == 0


def test_who_is_deleted_takes_along_what_was_said_to_them(assistant: Assistant) -> None:
    """Also where only the outcome names them."""
    assistant.send(event("query", "q-1", transcript="where do I live"))
    assistant.send(event("outcome", "q-1", user_id="ann", response="You live in Elm Street."))
    assistant.join()
    project = assistant.application.project(assistant.name)
    assistant.here.keeper.forget(project, [assistant.here.receiver.enricher.actor(project.id, "ann")])
    assert "Elm Street" not in json.dumps(assistant.said())


def test_projects_keep_to_themselves(assistant: Assistant) -> None:
    other = assistant.fresh()
    assistant.send(event("query", "q-1", transcript="mine"))
    other.send(event("outcome", "q-1", response="theirs"))
    assert (assistant.join(), other.join()) == (0, 0)
    both = Exchanges(assistant.here)
    assert {assistant.name, other.name} <= {project.name for project in both.projects()}


def test_a_day_whose_numbers_are_final_takes_no_exchanges(assistant: Assistant) -> None:
    yesterday = NOON - timedelta(days=1)
    assistant.send(event("query", "q-1", yesterday), event("outcome", "q-1", yesterday))
    assistant.join()
    before = assistant.page("summary", **{"from": "2028-02-28", "to": "2028-02-28"})["metrics"]["voice_exchanges"]
    seal(assistant.application, assistant.name, yesterday.date())
    assistant.send(event("outcome", "q-2", NOON - timedelta(hours=11)))
    query = {"event": "voice_query", "timestamp": yesterday.isoformat(), "properties": {"queryId": "q-2"}}
    imported = assistant.application.client.post("/v1/import", json=[query], headers=bearer(assistant.keys["admin"]))
    assert imported.json()["accepted"] == 1
    assert assistant.join() == 0
    after = assistant.page("summary", **{"from": "2028-02-28", "to": "2028-02-28"})["metrics"]["voice_exchanges"]
    assert (before["value"], after["value"]) == (1, 1)


def test_an_id_that_is_used_again_makes_another_exchange_whatever_else_comes(assistant: Assistant) -> None:
    """The pairs of one id, days apart, are what they were when others are looked at before, between and after."""

    def pair(query_id: str, days: int, cost: float) -> None:
        at = NOON - timedelta(days=days)
        assistant.send(event("query", query_id, at), event("outcome", query_id, at, cost_usd=cost))

    pair("again", 6, 1)
    assert assistant.join() == 1
    pair("again", 2, 10)
    assert assistant.join() == 1
    pair("before", 7, 100)
    pair("between", 4, 1_000)
    pair("after", 0, 10_000)
    assert assistant.join() == 3
    costs = assistant.stored("toFloat64(props.costUsd), bot", "event = 'voice_exchange'")
    assert costs == [(100, ""), (1, ""), (1_000, ""), (10, ""), (10_000, "")]
    assistant.wait()
    assert assistant.join() == 0


def test_a_backlog_is_joined_in_looks_of_a_bounded_size(assistant: Assistant) -> None:
    sent = [
        event(name, None if n % 7 == 0 else f"q-{n}", NOON - timedelta(seconds=n), event_id=f"{name}-{n}", total_ms=n)
        for n in range(12)
        for name in ("query", "outcome")
    ]
    for start in range(0, len(sent), 5):
        assistant.send(*sent[start : start + 5])
    project = assistant.application.project(assistant.name)
    pairs = exchanges(received(sent), old=False)
    assert Exchanges(assistant.here, at_once=3).join(project) == len(pairs)
    assistant.wait()
    assert Exchanges(assistant.here, at_once=3).join(project) == len(exchanges(received(sent))) - len(pairs)
    assert stored(assistant) == told(assistant, exchanges(received(sent)))
