"""The demo's school: always the same, taken as it is, with learners who learn and a question whose key is wrong."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime
from statistics import mean
from typing import Any

import pytest

from tallymark.engine.base import Engine
from tallymark.ingest.decode import Decoded, WireEvent
from tallymark.ingest.gate import Limits, admit
from tallymark.jobs import demo as demos
from tallymark.packs.quiz.demo import PROJECT, days, finish, seed_hints
from tallymark.packs.quiz.demo_quizzes import QUIZZES
from tallymark.spec.project import Project, parse_draft
from tests.packs.world import Application, application

LAST = date(2026, 6, 30)
Days = dict[date, list[WireEvent]]


@pytest.fixture(scope="module")
def demo() -> Days:
    return dict(days(LAST))


def _at(event: WireEvent) -> float:
    assert isinstance(event.timestamp, float)
    return event.timestamp


def _said(demo: Days, name: str) -> list[dict[str, Any]]:
    return [{**(e.properties or {}), "actor": e.actor} for of in demo.values() for e in of if e.event == name]


def test_the_same_arguments_give_the_same_events(demo: Days) -> None:
    again = dict(days(LAST, 3))
    assert again == {day: demo[day] for day in again}
    assert dict(days(LAST, 3, seed=6)) != again


def test_every_event_lies_in_its_day_in_order(demo: Days) -> None:
    assert (len(demo), 20_000 < sum(map(len, demo.values())) < 40_000) == (90, True)
    for day, events in demo.items():
        start = datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1000
        times = [_at(event) for event in events]
        assert times == sorted(times)
        assert start <= times[0] <= times[-1] < start + 86_400_000
        assert len({event.event_id for event in events}) == len(events)


def test_the_gate_refuses_nothing(demo: Days) -> None:
    project = Project(1, **vars(parse_draft(PROJECT, {"quiz": {}, "ab": {}})), created_at=datetime.now(UTC))
    now = datetime(2026, 7, 1, tzinfo=UTC).timestamp() * 1000
    for events in demo.values():
        batch = admit(Decoded(events, range(len(events))), project, Limits(None, 0, 9, 999), int(now), "", b"")
        assert not batch.refused


def test_learners_learn_and_a_wrong_key_stands_out(demo: Days) -> None:
    submitted = [said for said in _said(demo, "quiz_submitted") if said["quizId"] == "algebra-1"]
    of_learner = defaultdict(list)
    for said in submitted:
        of_learner[said["actor"]].append(said["score"])
    several = [scores for scores in of_learner.values() if len(scores) > 1]
    assert mean(scores[-1] - scores[0] for scores in several) > 0.3
    right = {(said["attemptId"], said["questionId"]): said.get("correct", False)
             for said in _said(demo, "question_answered")}  # fmt: skip
    above = [said for said in submitted if said["score"] >= 6]
    below = [said for said in submitted if said["score"] <= 4]

    def share(among: list[dict[str, Any]], question: str) -> float:
        return float(mean(right[said["attemptId"], question] for said in among))

    gaps = {q.name: share(above, q.name) - share(below, q.name) for q in QUIZZES[0].questions}
    assert min(gaps, key=lambda name: gaps[name]) == "square-root"


def test_hints_keep_learners_from_giving_up(demo: Days) -> None:
    variants = {said["actor"]: said["variant"] for said in _said(demo, "experiment_exposure")}
    assert len(_said(demo, "experiment_exposure")) == len(variants)
    since = {day: events for day, events in demo.items() if (LAST - day).days <= 41}
    rates = {}
    for variant in ("control", "hints"):
        begun, done = (
            sum(said["quizId"] == "algebra-1" and variants.get(said["actor"]) == variant for said in _said(since, name))
            for name in ("quiz_started", "quiz_submitted")
        )
        rates[variant] = done / begun
    assert rates["hints"] > rates["control"]


NOON = datetime(2028, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, engine: Engine) -> Iterator[Application]:
    with application(tmp_path_factory.mktemp("demo"), engine, NOON) as found:
        yield found


def test_its_attempts_are_there_before_anybody_looks(running: Application) -> None:
    sample = demos.Sample(PROJECT, days, seed_hints, finish)
    keys = demos.Demo(running.here, running.client.app.state.packs, 30, [sample]).prepare(NOON, lambda *_: None)
    window = {"project": "demo-quiz", "startDate": "2028-02-01", "endDate": "2028-03-01"}
    key = {"x-api-key": keys["demo-quiz"]["read"]}
    there = [e for _, of in days(NOON.date(), 30) for e in of if _at(e) <= NOON.timestamp() * 1000]
    algebra = [e for e in there if (e.properties or {}).get("quizId") == "algebra-1"]
    begun = {(e.properties or {})["attemptId"] for e in algebra}
    grades = [100 * said["score"] / said["maxScore"] for e in algebra if e.event == "quiz_submitted"
              for said in [e.properties or {}]]  # fmt: skip
    path = "/quiz/api/v1/analytics/quiz/algebra-1"
    told, items = (
        running.client.get(f"{path}/{page}", params=window, headers=key).json() for page in ("metrics", "items")
    )
    assert told["totalAttempts"] == len(begun) > 100
    assert told["completionRate"] == pytest.approx(len(grades) / len(begun), abs=1e-4)
    assert told["averageScore"] == pytest.approx(mean(grades), abs=1e-3)
    tells_apart = {item["questionId"]: item["discriminationIndex"] for item in items["items"]}
    assert min(tells_apart, key=lambda question: tells_apart[question]) == "square-root"
    assert tells_apart["square-root"] < 0
    owned = running.here.quizzes.list(running.project("demo-quiz").id)
    assert {quiz.id: quiz.owner for quiz in owned} == {quiz.name: quiz.owner for quiz in QUIZZES}
