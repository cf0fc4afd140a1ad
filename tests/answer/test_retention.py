"""Retention agrees with an oracle in plain Python, from rollups' bitmaps and from raw events."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import pytest

from tallymark.answer.behaviour.activity import Standing
from tallymark.answer.behaviour.retention import RetentionAnswer, answer_retention
from tallymark.answer.behaviour.tell import tell_retention
from tallymark.answer.plan import Origin
from tallymark.errors import BadQuery
from tallymark.spec.behaviour import RetentionQuery
from tallymark.spec.condition import Op
from tallymark.spec.periods import whole
from tallymark.spec.query import Clause, Filter
from tallymark.spec.selection import selection
from tallymark.spec.window import Grain, Window
from tests import behaviour_oracle as oracle
from tests.answer.crowd import FIRST, NOW, Crowd, crowd, settled
from tests.behaviour_oracle import Act
from tests.conftest import Worlds

LAST = date(2026, 3, 29)


def ask(here: Crowd, query: RetentionQuery) -> RetentionAnswer:
    return answer_retention(here.answerer, query, here.project, here.runs, NOW)


def window(zone: str, period: Grain) -> Window:
    return whole(Window(FIRST + timedelta(days=2), LAST, zone, period))


Fits = Callable[[Act], bool]


@dataclass(frozen=True)
class Case:
    """A question, the same for the oracle, and whether rollups can answer it."""

    asked: dict[str, Any]
    meant: dict[str, Any]
    rolled_up: bool


def keeps(dimension: str, op: Op, *values: str) -> Filter:
    return Filter(((Clause(dimension, op, values),),))


PURCHASE = selection("purchase", "")
GOLD = selection({"event": "purchase", "where": {"props.plan": "gold"}}, "")
BOUGHT: Fits = lambda act: act.event == "purchase"  # noqa: E731  # a table of cases reads better so
CASES = {
    "first, any": Case({}, {}, True),
    "first, an event": Case({"returning": selection("größe", "")}, {"returning": lambda a: a.event == "größe"}, True),
    "first, one of two": Case(
        {"returning": selection({"event": ["click", "purchase"]}, "")},
        {"returning": lambda a: a.event in ("click", "purchase")}, True,
    ),
    "first, a property": Case(
        {"returning": GOLD}, {"returning": lambda a: BOUGHT(a) and a.props["plan"] == "gold"}, False
    ),
    "an event, any": Case({"cohort": PURCHASE}, {"cohort": BOUGHT}, True),
    "an event, another": Case(
        {"cohort": PURCHASE, "returning": selection("click", "")},
        {"cohort": BOUGHT, "returning": lambda a: a.event == "click"}, True,
    ),
    "a property, any": Case({"cohort": GOLD}, {"cohort": lambda a: BOUGHT(a) and a.props["plan"] == "gold"}, False),
    "by country": Case({"by": "country"}, {"key": lambda a: a.country}, True),
    "by event": Case({"by": "event"}, {"key": lambda a: a.event}, True),
    "an event by country": Case(
        {"cohort": PURCHASE, "by": "country"}, {"cohort": BOUGHT, "key": lambda a: a.country}, False
    ),
    "filter": Case({"filter": keeps("country", Op.IS, "DE", "")}, {"passes": lambda a: a.country in ("DE", "")}, True),
    "not": Case({"filter": keeps("country", Op.IS_NOT, "DE")}, {"passes": lambda a: a.country != "DE"}, True),
    "filter and by the same": Case(
        {"filter": keeps("path", Op.CONTAINS, "B"), "by": "path"},
        {"passes": lambda a: "b" in a.path, "key": lambda a: a.path}, True,
    ),
    "filter and by": Case(
        {"filter": keeps("path", Op.IS, "/a"), "by": "country"},
        {"passes": lambda a: a.path == "/a", "key": lambda a: a.country}, False,
    ),
    "an event with a filter": Case(
        {"cohort": PURCHASE, "filter": keeps("country", Op.IS, "US")},
        {"cohort": BOUGHT, "passes": lambda a: a.country == "US"}, False,
    ),
}  # fmt: skip


def told(answer: RetentionAnswer) -> dict[str, Any]:
    firsts = answer.periods.firsts
    return {
        group.key: (
            {firsts[place]: size for place, size in group.sizes.items()},
            {(firsts[place], after): n for (place, after), n in group.returned.items() if n},
        )
        for group in answer.groups
    }


@pytest.mark.parametrize("name", CASES)
def test_it_agrees_with_the_oracle(here: Crowd, name: str) -> None:
    case = CASES[name]
    for period, periods in ((Grain.DAY, 9), (Grain.WEEK, 4), (Grain.MONTH, 2)):
        query = RetentionQuery(window(here.zone, period), periods, limit=100, **case.asked)
        asked = oracle.Ask(query.window.first, query.window.last, str(period), periods, here.zone, **case.meant)
        expected = oracle.retention(here.acts, asked) or ({"": ({}, {})} if query.by is None else {})
        answer = ask(here, query)
        assert answer.reading.origin is (Origin.ROLLUPS if case.rolled_up else Origin.RAW)
        assert told(answer) == expected
        exact = ask(here, replace(query, exact=True))
        assert exact.reading.why == "asked for"
        assert told(exact) == expected
        assert answer.keys == exact.keys == len(expected)


def test_another_zone_is_answered_from_raw(here: Crowd) -> None:
    zone = "America/St_Johns"
    query = RetentionQuery(window(zone, Grain.WEEK), 4)
    answer = ask(here, query)
    assert answer.reading.why == f"rollups are of days in {here.zone}"
    asked = oracle.Ask(query.window.first, query.window.last, "week", 4, zone)
    assert told(answer)[""] == oracle.retention(here.acts, asked)[""]


def test_days_without_raw_events_still_have_an_answer(world: Worlds) -> None:
    here = settled(world(), crowd(2, "UTC", days=(0, 1, 7, 9, 15)))
    query = RetentionQuery(window("UTC", Grain.WEEK), 4)
    before = ask(here, query)
    here.world.engine.command("DELETE FROM events WHERE project = {project:UInt32}", {"project": here.project.id})
    assert told(ask(here, query)) == told(before)
    assert sum(before.groups[0].sizes.values()) > 10
    assert not ask(here, replace(query, exact=True)).groups[0].returned


def test_what_is_not_over_has_no_share(here: Crowd) -> None:
    """NOW is the Wednesday of the week from 6 April."""
    query = RetentionQuery(whole(Window(date(2026, 3, 30), date(2026, 4, 10), here.zone, Grain.WEEK)), 2)
    body = tell_retention(query, ask(here, query), Standing(NOW))
    assert body["window"] == {"from": "2026-03-30", "to": "2026-04-12", "timezone": here.zone, "period": "week"}
    last_week, this_week = body["cohorts"]
    assert [later["complete"] for later in last_week["periods"]] == [True, False, False]
    assert last_week["complete"]
    assert not this_week["complete"]
    assert last_week["periods"][1]["share"] is None
    assert isinstance(last_week["periods"][1]["actors"], int)
    assert last_week["periods"][2]["actors"] is None
    assert [later["actors"] is None for later in this_week["periods"]] == [False, True, True]
    assert body["overall"][0]["of"] == last_week["actors"]
    assert body["overall"][1] == {"period": 1, "actors": 0, "of": 0, "share": None}


def test_shares_are_of_the_cohort(here: Crowd) -> None:
    query = RetentionQuery(window(here.zone, Grain.WEEK), 1)
    body = tell_retention(query, ask(here, query), Standing(NOW))
    assert all(row["periods"][0]["share"] == 1 for row in body["cohorts"] if row["actors"])
    over = [row for row in body["cohorts"] if row["periods"][1]["complete"]]
    returned, begun = (
        sum(numbers) for numbers in zip(*((r["periods"][1]["actors"], r["actors"]) for r in over), strict=True)
    )
    assert body["overall"][1] == {"period": 1, "actors": returned, "of": begun, "share": round(returned / begun, 6)}


def test_the_largest_groups_are_shown(here: Crowd) -> None:
    query = RetentionQuery(window(here.zone, Grain.MONTH), 1, by="country", limit=2)
    every = ask(here, replace(query, limit=100))
    answer = ask(here, query)
    sizes = [sum(group.sizes.values()) for group in every.groups]
    assert sizes == sorted(sizes, reverse=True)
    assert [group.key for group in answer.groups] == [group.key for group in every.groups[:2]]
    assert tell_retention(query, answer, Standing(NOW))["groupsLeftOut"] == len(every.groups) - 2


def test_dimensions_that_events_have(here: Crowd) -> None:
    with pytest.raises(BadQuery) as raised:
        ask(here, RetentionQuery(window(here.zone, Grain.WEEK), 1, by="entry_path"))
    assert raised.value.field == "by"
