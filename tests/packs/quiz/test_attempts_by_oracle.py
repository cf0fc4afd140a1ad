"""Attempts are what plain Python makes of their parts, however these come and whenever they are looked at."""

import json
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import SLOW
from tests.oracle import agrees, window
from tests.packs.quiz.oracle import DIMENSIONS, METRICS, Oracle, Wire, attempts, received, shown, told
from tests.packs.quiz.pupil import NOON, Quiz, part
from tests.packs.world import Application

ZONES = ("UTC", "Asia/Kolkata", "America/St_Johns", "Pacific/Auckland")
NAMES = ("quiz_started", "question_answered", "question_answered", "quiz_submitted", "quiz_abandoned", "quiz_lead")
#: Before noon.
OFFSETS = tuple(
    timedelta(days=days, hours=hours) for days, hours in ((75, 0), (40, 3), (9, 12), (1, 0), (0, 1), (0, 0))
)
BOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
SAID: dict[str, Sequence[Any]] = {
    "score": (0, 1, 2.5, 57, 130), "maxScore": (0, 3, 60), "correct": (True, False), "skipped": (True, False),
    "timeMs": (0, 1_500, 90_000.5), "answer": ("größe",),
}  # fmt: skip
FIRST, LAST = (NOON - timedelta(days=76)).date(), (NOON + timedelta(days=1)).date()

Batches = Sequence[Sequence[Wire]]


@st.composite
def _parts(draw: st.DrawFn, place: int) -> Wire:
    at = NOON - draw(st.sampled_from(OFFSETS)) - timedelta(milliseconds=place)
    said = {name: draw(st.sampled_from(SAID[name])) for name in draw(st.sets(st.sampled_from(sorted(SAID))))}
    ids = {
        "quizId": draw(st.sampled_from(("algebra", "größe"))),
        "attemptId": draw(st.sampled_from(("a-1", "a-1", "a-2", None))),
        "questionId": draw(st.sampled_from(("q1", "q2"))),
    }
    user, agent = draw(st.sampled_from(("ann", "ann", "bob", ""))), draw(st.sampled_from(("", "", "", BOT)))
    return {**part(draw(st.sampled_from(NAMES)), at, user, agent, **ids, **said), "eventId": f"e-{place}"}


@st.composite
def traffic(draw: st.DrawFn) -> tuple[str, Batches]:
    """A zone, and what a project there is sent: in any order, in up to three batches, some of it again."""
    sent = [draw(_parts(place)) for place in range(draw(st.integers(6, 24)))]
    again = [{**each, "properties": {"quizId": "again"}} for each in draw(st.lists(st.sampled_from(sent), max_size=2))]
    cuts = sorted(draw(st.lists(st.integers(1, len(sent)), min_size=2, max_size=2)))
    order = draw(st.permutations(sent))
    batches = [order[: cuts[0]], order[cuts[0] : cuts[1]], [*order[cuts[1] :], *again]]
    return draw(st.sampled_from(ZONES)), [batch for batch in batches if batch]


def check(quiz: Quiz, sent: Sequence[Wire], old: bool) -> None:
    """The attempts are the oracle's."""
    rows = quiz.stored("toUnixTimestamp64Milli(occurred_at), actor, toJSONString(props)")
    found = sorted((at, actor, _said(json.loads(props))) for at, actor, props in rows)
    actor = partial(quiz.here.receiver.enricher.actor, quiz.id)
    assert found == sorted(told(row, actor) for row in attempts(received(sent), old))


def _said(props: dict[str, Any]) -> str:
    """What an attempt says; an id that it was given for its part's is none that was sent."""
    mine = {name: value for name, value in props.items() if name not in ("attemptRevision", "lastPartMs")}
    return shown({name: value for name, value in mine.items() if name != "attemptId" or value.startswith("a-")})


def check_numbers(quiz: Quiz, sent: Sequence[Wire], old: bool) -> None:
    """Every metric is the oracle's, of rollups and of raw events."""
    span = window(FIRST, LAST, quiz.application.project(quiz.name).timezone)
    oracle = Oracle.of(sent, old)
    for exact in ("false", "true"):
        asked = {"project": quiz.name, "metrics": ",".join(METRICS), "from": str(FIRST), "to": str(LAST)}
        page = quiz.ask("/v1/query", exact=exact, **asked)["metrics"]
        numbers = {name: (page[name]["value"], oracle.ask(name, span)) for name in METRICS}
        assert {name: pair for name, pair in numbers.items() if not agrees(*pair)} == {}
    for by, (metric, _) in DIMENSIONS.items():
        asked = {"project": quiz.name, "metrics": metric, "by": by, "from": str(FIRST), "to": str(LAST)}
        rows = quiz.ask("/v1/query", limit=1_000, **asked)["breakdown"]
        assert {row["key"]: row[metric] for row in rows if row[metric]} == oracle.counts(by, span)


@pytest.fixture(scope="module")
def running(opened: Application) -> Quiz:
    """The application, with nothing in it."""
    return Quiz(opened)


@settings(SLOW, max_examples=4)
@given(traffic(), st.booleans())
def test_attempts_are_what_plain_python_makes_of_them(
    running: Quiz, drawn: tuple[str, Batches], asked_before: bool
) -> None:
    zone, batches = drawn
    quiz = running.fresh(timezone=zone)
    sent: list[Wire] = []
    for batch in batches:
        sent += batch
        quiz.send(*batch)
        quiz.make()
        check(quiz, sent, old=False)
    if asked_before:
        check_numbers(quiz, sent, old=False)
    quiz.wait()
    quiz.make()
    check(quiz, sent, old=True)
    check_numbers(quiz, sent, old=True)
    assert quiz.anew() == 0
