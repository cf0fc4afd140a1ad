"""Lifecycle agrees with an oracle in plain Python, from rollups' bitmaps and from raw events."""

from collections.abc import Callable
from dataclasses import astuple, replace
from datetime import date, timedelta
from typing import Any

import pytest

from tallymark.answer.behaviour.activity import Standing
from tallymark.answer.behaviour.lifecycle import LifecycleAnswer, answer_lifecycle
from tallymark.answer.behaviour.tell import tell_lifecycle
from tallymark.answer.plan import Origin
from tallymark.spec.behaviour import ActivityQuery
from tallymark.spec.condition import Op
from tallymark.spec.periods import whole
from tallymark.spec.query import Clause, Filter
from tallymark.spec.selection import selection
from tallymark.spec.window import Grain, Window
from tests import behaviour_oracle as oracle
from tests.answer.crowd import FIRST, NOW, Crowd, settled
from tests.behaviour_oracle import Act
from tests.conftest import Worlds

LAST = date(2026, 4, 8)
GERMAN = Filter(((Clause("country", Op.IS, ("DE",)),),))
ON_A = Filter(((Clause("path", Op.IS, ("/a",)),),))

#: What is asked, what that means, and whether rollups can answer it.
CASES: dict[str, tuple[dict[str, Any], Callable[[Act], bool], bool]] = {
    "any": ({}, lambda _: True, True),
    "an event": ({"event": selection("click", "")}, lambda act: act.event == "click", True),
    "a filter": ({"filter": GERMAN}, lambda act: act.country == "DE", True),
    "both": (
        {"event": selection("click", ""), "filter": GERMAN},
        lambda act: act.event == "click" and act.country == "DE", False,
    ),
    "two filters": (
        {"filter": Filter(GERMAN.groups + ON_A.groups)}, lambda act: act.country == "DE" and act.path == "/a", False
    ),
}  # fmt: skip


def ask(here: Crowd, query: ActivityQuery) -> LifecycleAnswer:
    return answer_lifecycle(here.answerer, query, here.project, here.runs)


@pytest.mark.parametrize("name", CASES)
def test_it_agrees_with_the_oracle(here: Crowd, name: str) -> None:
    asked, meant, rolled_up = CASES[name]
    for period in (Grain.DAY, Grain.WEEK, Grain.MONTH):
        query = ActivityQuery(whole(Window(FIRST + timedelta(days=8), LAST, here.zone, period)), **asked)
        expected = oracle.lifecycle(here.acts, query.window.first, query.window.last, str(period), here.zone, meant)
        answer = ask(here, query)
        assert answer.reading.origin is (Origin.ROLLUPS if rolled_up else Origin.RAW)
        assert [list(astuple(turnover)) for turnover in answer.turnover] == expected
        exact = ask(here, replace(query, exact=True))
        assert [list(astuple(turnover)) for turnover in exact.turnover] == expected


def test_the_crowd_has_actors_of_each_kind(here: Crowd) -> None:
    answer = ask(here, ActivityQuery(whole(Window(FIRST, LAST, here.zone, Grain.WEEK))))
    assert all(sum(column) for column in zip(*map(astuple, answer.turnover), strict=True))


def test_who_stays_away_is_known_when_a_period_is_over(here: Crowd) -> None:
    query = ActivityQuery(whole(Window(LAST - timedelta(days=7), LAST, here.zone, Grain.WEEK)))
    last, this = tell_lifecycle(query.window, ask(here, query), Standing(NOW))["series"]
    assert (last["complete"], this["complete"]) == (True, False)
    assert last["dormant"] is not None
    assert this["dormant"] is None
    assert last["actors"] == last["new"] + last["returning"] + last["resurrecting"] > 0


def test_the_first_days_there_are_have_nothing_before(world: Worlds) -> None:
    there = settled(world(), [Act("ann", "click", 5_000)])
    query = ActivityQuery(whole(Window(date(1970, 1, 1), date(1970, 1, 2), "UTC", Grain.WEEK)))
    for asked in (query, replace(query, exact=True)):
        assert [astuple(turnover) for turnover in ask(there, asked).turnover] == [(1, 0, 0, 0)]
