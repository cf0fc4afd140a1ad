"""Stickiness agrees with an oracle in plain Python, from rollups' bitmaps and from raw events."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from tallymark.answer.behaviour.activity import Standing
from tallymark.answer.behaviour.stickiness import StickinessAnswer, answer_stickiness
from tallymark.answer.behaviour.tell import tell_stickiness
from tallymark.answer.plan import Origin
from tallymark.spec.behaviour import ActivityQuery
from tallymark.spec.condition import Condition
from tallymark.spec.periods import whole
from tallymark.spec.selection import selection
from tallymark.spec.window import Grain, Window
from tests import behaviour_oracle as oracle
from tests.answer.crowd import FIRST, NOW, Crowd, settled
from tests.behaviour_oracle import Act
from tests.conftest import Worlds

LAST = date(2026, 4, 8)
CLICK = selection("click", "")
GOLD = selection({"where": {"props.plan": "gold"}}, "")


Case = tuple[Condition | None, Callable[[Act], bool], Origin]
CASES: list[Case] = [
    (None, lambda _: True, Origin.ROLLUPS),
    (CLICK, lambda act: act.event == "click", Origin.ROLLUPS),
    (GOLD, lambda act: act.props["plan"] == "gold", Origin.RAW),
]


def ask(here: Crowd, query: ActivityQuery, last: date) -> StickinessAnswer:
    return answer_stickiness(here.answerer, query, here.project, here.runs, last)


@pytest.mark.parametrize("case", CASES, ids=["any", "an event", "a property"])
@pytest.mark.parametrize("within", [Grain.WEEK, Grain.MONTH])
def test_it_agrees_with_the_oracle(here: Crowd, within: Grain, case: Case) -> None:
    event, meant, origin = case
    query = ActivityQuery(whole(Window(FIRST, LAST, here.zone, within)), event)
    for asked in (query, replace(query, exact=True)):
        answer = ask(here, asked, LAST)
        assert asked.exact or answer.reading.origin is origin
        assert list(answer.days) == oracle.stickiness(
            here.acts, query.window.first, query.window.last, str(within), here.zone, meant
        )
        recent = [answer.recent.daily, answer.recent.weekly, answer.recent.monthly]
        assert recent == [
            oracle.active(here.acts, LAST - timedelta(days=days - 1), LAST, here.zone, meant) for days in (1, 7, 30)
        ]


def test_how_it_is_told(world: Worlds) -> None:
    days = {"often": (0, 1, 2), "twice": (0, 3), "once": (5,), "later": (8,)}
    monday = int(datetime(2026, 3, 30, tzinfo=UTC).timestamp()) * 1000
    acts = [Act(actor, "click", monday + day * oracle.DAY_MS) for actor, on in days.items() for day in on]
    query = ActivityQuery(whole(Window(date(2026, 3, 30), LAST, "UTC", Grain.WEEK)))
    body = tell_stickiness(query.window, ask(settled(world(), acts), query, date(2026, 4, 1)), Standing(NOW))
    last, this = body["series"]
    assert last["days"] == [{"days": n, "actors": {1: 1, 2: 1, 3: 1}.get(n, 0)} for n in range(1, 8)]
    assert (last["actors"], last["perDay"], last["stickiness"]) == (3, round(6 / 7, 6), round(6 / 21, 6))
    assert (this["complete"], this["actors"], this["perDay"], this["stickiness"]) == (False, 1, None, None)
    assert body["overall"][0] == {"days": 1, "actors": 1, "share": round(1 / 3, 6)}
    assert len(body["overall"]) == 7
    assert body["recent"] == {
        "day": "2026-04-01", "dau": 1, "wau": 2, "mau": 2, "wauDays": 7, "mauDays": 30,
        "dauWau": 0.5, "dauMau": 0.5, "wauMau": 1.0,
    }  # fmt: skip
