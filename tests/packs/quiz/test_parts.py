"""What is told of a quiz is what plain Python counts in the parts that were sent, half of them as statements."""

import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

import pytest

from tallymark.engine.base import Engine
from tests.packs.quiz.school import NOON, School
from tests.packs.world import application, bearer

HOME, QUIZ = "https://school.example", "https://school.example/algebra"
ANALYTICS = "/quiz/api/v1/analytics"
FIRST, LAST = date(2028, 1, 24), date(2028, 2, 29)
WINDOW = {"startDate": str(FIRST), "endDate": str(LAST)}
USERS = ("ann", "bob", "cleo", "dan", "eve")
VARIANTS = {user: "film" if user in {"ann", "dan"} else "text" for user in USERS}
BEFORE = datetime(2028, 1, 24, 8, tzinfo=UTC)
SUBMITTED = {"event": "quiz_attempt", "where": {"props.attemptState": "submitted"}}
EXPERIMENT = {
    "key": "intro", "variants": [{"key": "text", "weight": 1}, {"key": "film", "weight": 1}],
    "metrics": [
        {"name": "quiz_score", "kind": "ratio", **SUBMITTED, "of": "props.grade", "lower": SUBMITTED},
        {"name": "quiz_completion_rate", "kind": "ratio", **SUBMITTED, "lower": {"event": "quiz_attempt"}},
    ],
}  # fmt: skip
ENDS = ("submitted", "submitted", "abandoned", "submitted", None)


@dataclass(frozen=True)
class Attempt:
    """What one learner did: right or wrong at each question, 10 s apart, and how it ended."""

    place: int
    user: str
    begun: datetime
    right: Sequence[bool]
    ended: str | None

    @property
    def id(self) -> str:
        return str(UUID(int=self.place + 1))

    @property
    def grade(self) -> float:
        return 100 * sum(self.right) / len(self.right)

    @property
    def seconds(self) -> int:
        return 10 * (len(self.right) + 1)

    def parts(self) -> Iterator[tuple[str, datetime, int | None]]:
        """Names, times and, of answers, which question."""
        yield "quiz_started", self.begun, None
        for place in range(len(self.right)):
            yield "question_answered", self.begun + timedelta(seconds=10 * (place + 1)), place
        if self.ended:
            yield f"quiz_{self.ended}", self.begun + timedelta(seconds=self.seconds), None

    def event(self, name: str, at: datetime, question: int | None) -> dict[str, Any]:
        said = {} if question is None else {"questionId": f"{QUIZ}/q{question}", "correct": self.right[question]}
        ids = {"quizId": QUIZ, "attemptId": self.id, "userId": f"{HOME}|{self.user}"}
        return {"event": name, "timestamp": at.isoformat(), **ids, **said}

    def statement(self, name: str, at: datetime, question: int | None) -> dict[str, Any]:
        verbs = {
            "quiz_started": "http://adlnet.gov/expapi/verbs/initialized",
            "question_answered": "http://adlnet.gov/expapi/verbs/answered",
            "quiz_submitted": "http://adlnet.gov/expapi/verbs/completed",
            "quiz_abandoned": "https://w3id.org/xapi/adl/verbs/abandoned",
        }
        context: dict[str, Any] = {"registration": self.id}
        said: dict[str, Any] = {"object": {"id": QUIZ}}
        if question is not None:
            context["contextActivities"] = {"parent": [{"id": QUIZ}]}
            said = {"object": {"id": f"{QUIZ}/q{question}"}, "result": {"success": self.right[question]}}
        step = int((at - self.begun).total_seconds())
        return {
            "id": str(UUID(int=1_000_000 + self.place * 1_000 + step)), "timestamp": at.isoformat(),
            "actor": {"account": {"homePage": HOME, "name": self.user}}, "verb": {"id": verbs[name]},
            "context": context, **said,
        }  # fmt: skip


def drawn(random: Random) -> list[Attempt]:
    """Attempts on days of two months; all ends are there, and some learners come back in weeks and some don't."""
    days = [datetime(2028, 1, 25, 9, tzinfo=UTC) + timedelta(days=3 * n) for n in range(9)]
    taken = [(day + timedelta(hours=n), user) for day in days for n, user in enumerate(random.sample(USERS, 3))]
    return [
        Attempt(place, user, begun, [random.random() < 0.6 for _ in range(3)], ENDS[place % 5])
        for place, (begun, user) in enumerate(taken)
    ]


def send(school: School, attempts: Sequence[Attempt], random: Random) -> None:
    """Sends parts in any order, each by one of the doors, and some of them again by the same."""
    parts = [(attempt, part) for attempt in attempts for part in attempt.parts()]
    random.shuffle(parts)
    half = len(parts) // 2
    events = [attempt.event(*part) for attempt, part in parts[:half]]
    statements = [attempt.statement(*part) for attempt, part in parts[half:]]
    school.send(*events)
    school.send(*random.sample(events, 10))
    for batch in (statements, random.sample(statements, 10)):
        answer = school.request("POST", "/xapi/statements", batch)
        assert answer.status_code == 200, answer.text


def begin_experiment(school: School) -> None:
    """An experiment that begins before any attempt, and every learner's variant in it."""
    client, key = school.application.client, bearer(school.keys["admin"])
    school.application.clock.now = BEFORE
    for path, body in (("", EXPERIMENT), ("/intro/start", None)):
        answer = client.post(f"/v1/experiments{path}", json=body, headers=key)
        assert answer.status_code in (200, 201), answer.text
    school.application.clock.now = NOON
    exposures = [
        {"event": "experiment_exposure", "timestamp": BEFORE.isoformat(), "userId": f"{HOME}|{user}",
         "properties": {"experiment": "intro", "variant": variant}}
        for user, variant in VARIANTS.items()
    ]  # fmt: skip
    answer = client.post("/v1/events", json=exposures, headers=key)
    assert answer.json()["accepted"] == len(exposures), answer.text


@dataclass(frozen=True)
class World:
    """A school, and what was sent to it."""

    school: School
    attempts: Sequence[Attempt]

    def ask(self, path: str, **params: str) -> dict[str, Any]:
        answer = self.school.application.client.get(
            ANALYTICS + path, params={**WINDOW, **params}, headers=bearer(self.school.keys["admin"])
        )
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        return told


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, engine: Engine) -> Iterator[World]:
    random = Random(7)
    with application(tmp_path_factory.mktemp("parts"), engine, NOON, settle_seconds=0, accept_past_days=60) as found:
        made = World(School(found).fresh(packs=["quiz", "ab"]), drawn(random))
        begin_experiment(made.school)
        send(made.school, made.attempts, random)
        found.client.get("/quiz/tables/quiz_attempts", headers=bearer(made.school.keys["read"]))  # makes attempts
        found.settle(made.school.name)
        yield made


def numbers(attempts: Sequence[Attempt]) -> dict[str, Any]:
    """The numbers of a quiz."""
    done = [each for each in attempts if each.ended == "submitted"]
    return {
        "totalAttempts": len(attempts), "submitted": len(done), "learners": len({each.user for each in attempts}),
        "abandoned": sum(each.ended == "abandoned" for each in attempts),
        "completionRate": near(len(done) / len(attempts)) if attempts else None,
        "averageScore": near(sum(each.grade for each in done) / len(done)) if done else None,
        "timeSpent": near(sum(each.seconds for each in done) / len(done)) if done else None,
    }  # fmt: skip


def near(number: float) -> Any:
    return pytest.approx(number, abs=1e-5)


def bucket(day: date, by: str) -> str:
    starts = {"day": day, "week": day - timedelta(days=day.weekday()), "month": day.replace(day=1)}
    return str(starts[by])


@pytest.mark.parametrize("by", ["day", "week", "month"])
def test_series_are_those_of_the_parts(world: World, by: str) -> None:
    told = world.ask("/quiz/https%3A%2F%2Fschool.example%2Falgebra/metrics", aggregation=by)
    whole = numbers(world.attempts)
    assert {name: told[name] for name in whole} == whole
    days = [FIRST + timedelta(days=n) for n in range((LAST - FIRST).days + 1)]
    expected = {
        start: numbers([each for each in world.attempts if bucket(each.begun.date(), by) == start])
        for start in dict.fromkeys(bucket(day, by) for day in days)
    }
    assert {row["t"]: {name: row[name] for name in whole} for row in told["series"]} == expected


@pytest.mark.parametrize("user", USERS)
def test_a_users_numbers_are_those_of_their_parts(world: World, user: str) -> None:
    told = world.ask(f"/user/https%3A%2F%2Fschool.example%7C{user}/metrics")
    mine = [each for each in world.attempts if each.user == user]
    done = [each for each in mine if each.ended == "submitted"]
    expected = {
        "attempts": len(mine), "attemptsSubmitted": len(done), "quizzesCompleted": 1,
        "averageScore": near(sum(each.grade for each in done) / len(done)),
        "totalTimeSpent": near(sum(each.seconds for each in done)),
    }  # fmt: skip
    assert {name: told[name] for name in expected} == expected


@pytest.mark.parametrize("format_", ["csv", "json"])
def test_a_file_has_the_attempts_of_the_parts(world: World, format_: str) -> None:
    client, key = world.school.application.client, bearer(world.school.keys["admin"])
    order = {"format": format_, "filters": {"dateRange": {"start": str(FIRST), "end": str(LAST)}}}
    answer = client.post(f"{ANALYTICS}/export", json=order, headers=key)
    assert answer.status_code == 201, answer.text
    while (file := client.get(answer.json()["downloadUrl"])).status_code == 503:
        pass
    rows = list(csv.DictReader(io.StringIO(file.text.lstrip("\ufeff")))) if format_ == "csv" else json.loads(file.text)
    found = {row["attempt_id"]: (row["state"], float(row["grade"] or -1), int(row["questions"])) for row in rows}
    assert len(rows) == len(world.attempts)
    assert found == {
        each.id: (each.ended or "open", near(each.grade if each.ended == "submitted" else -1), 3)
        for each in world.attempts
    }


def test_the_funnel_is_that_of_the_parts(world: World) -> None:
    """Of a learner the first attempt counts: nobody begins another within the day that a funnel may take."""
    told = world.ask("/quiz/https%3A%2F%2Fschool.example%2Falgebra/funnel")
    firsts = {each.user: each for each in reversed(world.attempts)}.values()
    done = [each for each in firsts if each.ended == "submitted"]
    expected = [("Start", len(firsts)), *((f"{QUIZ}/q{n}", len(firsts)) for n in range(3)), ("Submission", len(done))]
    assert 0 < len(done) < len(firsts)
    assert [(step["name"], step["actors"]) for step in told["steps"]] == expected
    assert [step["medianSeconds"] for step in told["steps"]] == [None, 10, 10, 10, 10]


def test_cohorts_are_those_of_the_parts(world: World) -> None:
    told = world.ask("/quiz/https%3A%2F%2Fschool.example%2Falgebra/retention", period="week", periods="5")
    weeks = {user: sorted({bucket(each.begun.date(), "week") for each in world.attempts if each.user == user})
             for user in USERS}  # fmt: skip
    assert len({tuple(active) for active in weeks.values()}) > 1
    for cohort in told["cohorts"]:
        mine = [active for active in weeks.values() if active[0] == cohort["t"]]
        assert cohort["actors"] == len(mine)
        begun = date.fromisoformat(cohort["t"])
        for period in cohort["periods"]:
            week = begun + timedelta(weeks=period["period"])
            here = sum(str(week) in active for active in mine)
            assert period["actors"] == (None if week > LAST else here), (cohort, period)
    assert sum(cohort["actors"] for cohort in told["cohorts"]) == len(USERS)


def test_an_experiments_results_are_those_of_the_parts(world: World) -> None:
    client, key = world.school.application.client, bearer(world.school.keys["read"])
    answer = client.get("/ab/v1/experiments/intro/results", headers=key)
    assert answer.status_code == 200, answer.text
    told = {metric["name"]: {each["variant"]: each["value"] for each in metric["variants"]}
            for metric in answer.json()["metrics"]}  # fmt: skip
    by_variant = {
        variant: numbers([each for each in world.attempts if VARIANTS[each.user] == variant])
        for variant in ("text", "film")
    }
    assert answer.json()["exposedUnits"] == {"text": 3, "film": 2}
    assert told["quiz_score"] == {variant: found["averageScore"] for variant, found in by_variant.items()}
    assert told["quiz_completion_rate"] == {variant: found["completionRate"] for variant, found in by_variant.items()}
