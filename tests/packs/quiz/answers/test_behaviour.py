"""Funnels, cohorts and experiments of quizzes are what plain Python makes of what learners did."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

import pytest

from tallymark.control.experiments import Doer
from tallymark.spec.experiment_draft import parse_draft
from tests import behaviour_oracle as oracle
from tests.behaviour_oracle import DAY_MS, Act
from tests.packs.quiz.answers.school import NOON, Attempt, School
from tests.packs.world import bearer

QUIZ = "algebra"
QUESTIONS = ("q2", "q10", "q'3")
WITHIN = 3_600_000
FIRST, LAST = date(2028, 1, 3), date(2028, 2, 6)
DAYS = {"startDate": str(FIRST), "endDate": str(LAST)}


def acts() -> Iterator[Act]:
    """What learners did: most go through the questions in order, some leave, some skip, some come back."""
    draw, begin = Random(5), int(datetime(2028, 1, 3, tzinfo=UTC).timestamp() * 1000)
    for n in range(70):
        user = f"u{draw.randrange(25)}" if draw.random() < 0.9 else ""
        quiz = draw.choice((QUIZ, QUIZ, "latin"))
        at = begin + draw.choice((0, 3, 7, 14, 21, 29, 35)) * DAY_MS + draw.randrange(DAY_MS - WITHIN)
        said = {"quizId": quiz, "attemptId": f"a{n}"}
        yield Act(user, "quiz_attempt", at, props={**said, "attemptState": "submitted"}, id=n)
        asked = list(QUESTIONS)
        if draw.random() < 0.2:
            asked.reverse()
        for question in asked[: draw.choice((0, 1, 2, 3, 3, 3, 3))]:
            at += draw.randrange(1_000, 900_000)
            skipped = {"skipped": "true"} if draw.random() < 0.2 else {}
            yield Act(user, "question_answered", at, props={**said, "questionId": question, **skipped}, id=n)
        if draw.random() < 0.7:
            yield Act(user, "quiz_submitted", at + draw.randrange(1, 2_500_000), props=said, id=n)


ACTS = tuple(acts())


@pytest.fixture(scope="module")
def school(running: School) -> School:
    """Some weeks of it."""
    found = running.fresh()
    found.send([act.wire(number) for number, act in enumerate(ACTS)])
    return found


def of_quiz(act: Act) -> bool:
    return act.props["quizId"] == QUIZ


def does(name: str, question: str = "") -> oracle.Fits:
    return lambda act: of_quiz(act) and act.event == name and act.props.get("questionId", "") == question


def test_a_funnel_goes_by_each_question_to_the_submission(school: School) -> None:
    steps = [does("quiz_attempt"), *(does("question_answered", q) for q in QUESTIONS), does("quiz_submitted")]

    def enters(act: Act) -> bool:
        return FIRST <= oracle.day_of(act.at, "UTC") <= LAST

    ways = [oracle.walk(mine, steps, enters, WITHIN) for mine in oracle.people(ACTS).values()]
    expected = oracle.funnel([way for way in ways if way], len(steps))
    told = school.told(f"quiz/{QUIZ}/funnel", **DAYS, within="1h")
    assert [step["questionId"] for step in told["steps"]] == [None, *QUESTIONS, None]
    assert tuple(step["actors"] for step in told["steps"]) == expected.actors
    assert 0 < expected.actors[-1] < expected.actors[1] < expected.actors[0]
    taking = [(step["medianSeconds"], step["p90Seconds"]) for step in told["steps"][1:]]
    assert taking == [pytest.approx(pair) for pair in expected.taking[:-1]]
    assert told["steps"][1]["dropped"] == expected.actors[0] - expected.actors[1]
    assert (told["overall"]["entered"], told["overall"]["completed"]) == (expected.actors[0], expected.actors[-1])
    assert (told["questionsLeftOut"], told["complete"], told["quizId"]) == (0, True, QUIZ)


def test_a_funnel_has_as_many_questions_as_it_can_show(running: School) -> None:
    school, at = running.fresh(), int(NOON.timestamp() * 1000) - 3_600_000
    said = {"quizId": "long", "attemptId": "1"}
    names = [f"question {n:02}" for n in range(33)]
    answers = [Act("ann", "question_answered", at + n, props={**said, "questionId": q}) for n, q in enumerate(names)]
    made = [Act("ann", "quiz_attempt", at - 1, props=said), *answers, Act("ann", "quiz_submitted", at + 99, props=said)]
    school.send([act.wire(number) for number, act in enumerate(made)])
    told = school.told("quiz/long/funnel")
    assert [step["questionId"] for step in told["steps"]] == [None, *names[:30], None]
    assert [step["actors"] for step in told["steps"]] == [1] * 32
    assert told["questionsLeftOut"] == 3


@pytest.mark.parametrize("returning", ["quiz", "any"])
@pytest.mark.parametrize(("period", "periods"), [("week", 3), ("month", 1)])
def test_cohorts_are_learners_by_when_they_began(school: School, period: str, periods: int, returning: str) -> None:
    ask = oracle.Ask(
        FIRST, LAST, period, periods, "UTC", does("quiz_attempt"), of_quiz if returning == "quiz" else lambda _: True
    )
    sizes, returned = oracle.retention(ACTS, ask)[""]
    told = school.told(f"quiz/{QUIZ}/retention", **DAYS, period=period, periods=periods, returning=returning)
    assert {date.fromisoformat(row["t"]): row["actors"] for row in told["cohorts"] if row["actors"]} == sizes
    begun = {
        (date.fromisoformat(row["t"]), later["period"]): later["actors"]
        for row in told["cohorts"]
        for later in row["periods"]
        if later["actors"]
    }
    assert begun == returned
    assert any(after for _, after in returned)
    assert told["window"]["period"] == period


SCORE: Mapping[str, Any] = {"event": "quiz_attempt", "where": {"props.attemptState": "submitted"}}
METRICS: list[Mapping[str, Any]] = [
    {"name": "quiz_score", "kind": "ratio", **SCORE, "of": "props.grade", "lower": SCORE},
    {"name": "quiz_completion_rate", "kind": "ratio", **SCORE, "lower": {"event": "quiz_attempt"}},
]


def test_an_experiment_on_a_quiz_tells_score_and_completion_by_variant(running: School) -> None:
    """docs/quiz.md's metrics, of whoever met a variant, from then on."""
    school = running.fresh(packs=["quiz", "ab"])
    project, doer = school.application.project(school.name), Doer("test", NOON - timedelta(days=9))
    variants = [{"key": "text", "weight": 1}, {"key": "film", "weight": 1}]
    draft = parse_draft({"key": "intro", "variants": variants, "metrics": METRICS})
    school.here.experiments.create(project.id, draft, doer)
    school.here.experiments.start(project.id, "intro", doer)
    school.here.experiment_book.forget()
    draw, met, taken = Random(3), {f"u{n}": ("text", "film")[n % 2] for n in range(40)}, []
    for n in range(160):
        user, at = f"u{draw.randrange(44)}", NOON - timedelta(days=6) + timedelta(seconds=draw.randrange(5 * 86_400))
        state = draw.choice(("submitted", "submitted", "abandoned"))
        high = 60 if met.get(user) == "film" else 40
        grade = float(high + draw.randrange(40)) if state == "submitted" else None
        taken.append(Attempt(QUIZ, f"t{n}", user, at, state, grade, None))
    early = [Attempt(QUIZ, f"e{n}", f"u{n}", NOON - timedelta(days=8), "submitted", 0.0, None) for n in range(9)]
    school.send([exposed(user, variant) for user, variant in met.items()])
    school.take([*early, *taken])

    answer = school.application.client.get(
        "/ab/v1/experiments/intro/results", params={"project": school.name}, headers=bearer(school.keys["read"])
    )
    told = answer.json()
    assert answer.status_code == 200, answer.text
    assert told["exposedUnits"] == {"text": 20, "film": 20}
    for variant in ("text", "film"):
        theirs = [one for one in taken if met.get(one.user) == variant]
        grades = [one.grade for one in theirs if one.grade is not None]
        assert value(told, "quiz_score", variant) == pytest.approx(sum(grades) / len(grades))
        assert value(told, "quiz_completion_rate", variant) == pytest.approx(len(grades) / len(theirs))


def exposed(user: str, variant: str) -> dict[str, Any]:
    """An exposure, seven days ago."""
    at = (NOON - timedelta(days=7)).isoformat()
    said = {"experiment": "intro", "variant": variant}
    return {"event": "experiment_exposure", "userId": user, "timestamp": at, "properties": said}


def value(told: Mapping[str, Any], metric: str, variant: str) -> float:
    (found,) = (each for each in told["metrics"] if each["name"] == metric)
    (shown,) = (each for each in found["variants"] if each["variant"] == variant)
    number: float = shown["value"]
    return number
