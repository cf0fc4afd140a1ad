"""Item analysis of what was sent says what plain Python makes of it."""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from tallymark.engine.base import Engine
from tests.packs.quiz.bearers import BELIEVING, token_of
from tests.packs.quiz.item_oracle import ItemOracle
from tests.packs.quiz.sitting import NOON, Reply, Sitting
from tests.packs.world import Application, application, bearer

DAY = timedelta(days=1)
WINDOW = {"startDate": "2028-02-20", "endDate": "2028-03-01"}
BOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


@pytest.fixture(scope="module")
def world(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    with application(tmp_path_factory.mktemp("items"), engine, NOON, **BELIEVING) as found:
        yield found


@dataclass(frozen=True)
class School:
    """A project whose attempts have been sent."""

    world: Application
    name: str
    keys: Mapping[str, str]

    @classmethod
    def of(cls, world: Application, sittings: Sequence[Sitting]) -> "School":
        school = cls(world, *world.make("quiz"))
        school.send(sittings)
        return school

    def send(self, sittings: Sequence[Sitting]) -> None:
        events = [event for sitting in sittings for event in sitting.events()]
        answer = self.world.client.post("/v1/events", json=events, headers=bearer(self.keys["ingest"]))
        assert answer.json() == {"accepted": len(events), "rejected": []}

    def get(self, path: str, quiz: str = "algebra", **asked: Any) -> Any:
        """The answer, which is no error."""
        response = self.world.client.get(
            f"/quiz/api/v1/analytics/quiz/{quiz}/{path}", params={**WINDOW, **asked}, headers=bearer(self.keys["read"])
        )
        assert response.status_code == 200, response.text
        return response.json()


def agrees(told: Any, expected: Any) -> bool:
    """Equal, numbers as far as they are told."""
    return bool(told == pytest.approx(expected, abs=2e-6)) if isinstance(expected, float) else told == expected


def check(told: Mapping[str, Any], expected: Mapping[str, Any]) -> None:
    """What is expected is told."""
    flat = {name: value for name, value in expected.items() if not isinstance(value, dict)}
    wrong = {name: (told[name], value) for name, value in flat.items() if not agrees(told[name], value)}
    assert wrong == {}
    for name, value in expected.items():
        if isinstance(value, dict):
            check(told[name], value)


def reply(draw: random.Random, number: int, able: float) -> Reply:
    """To one of five questions: right or wrong, in points of four, in text, skipped, never marked wrong."""
    time = draw.choice((None, float(draw.randrange(500, 90_000))))
    right = draw.random() < able
    if draw.random() < 0.12:
        return Reply(f"q{number}", skipped=True, time=time)
    if number == 1:
        return Reply("q1", draw.choice("ABCD") if right else "é 漢字 'q'", score=draw.choice((0, 0.5, 2.5, 4)),
                     max_score=4, time=time)  # fmt: skip
    if number == 2:
        return Reply("q2", str(draw.randrange(40)), correct=right, max_score=2, time=time, options=4)
    return Reply(f"q{number}", "yes" if right else draw.choice(("no", "maybe")), correct=right, time=time, options=3)


def sitting(draw: random.Random, number: int) -> Sitting:
    """An attempt of one of thirty learners, or of nobody; some questions are not shown, some answered twice."""
    able, shown = draw.random(), [q for q in range(5) if draw.random() < 0.9]
    replies = [reply(draw, q, able) for q in shown]
    replies += [reply(draw, q, able) for q in shown if draw.random() < 0.15]
    state = draw.choices(("submitted", "open", "abandoned"), (8, 1, 1))[0]
    grade = None if draw.random() < 0.05 else round(draw.choice((able * 100, 100, 0)), 2)
    user = draw.choice((None, *(f"u{n}" for n in range(30))))
    begun = NOON - timedelta(minutes=draw.randrange(20, 9 * 24 * 60), seconds=number)
    return Sitting(f"t{number}", user, begun, grade, replies if draw.random() < 0.95 else (), state)


@pytest.fixture(scope="module")
def sittings() -> list[Sitting]:
    draw = random.Random(4)
    return [sitting(draw, number) for number in range(120)]


@pytest.fixture(scope="module")
def school(world: Application, sittings: list[Sitting]) -> School:
    """Those attempts, beside some that don't count: before the window, at another quiz, by a bot."""
    a, *_ = sittings
    other = Sitting("t1", a.user, a.begun, 1, a.replies, quiz="geometry")
    bot = Sitting("bot", "u1", NOON - DAY, 100, [Reply("q0", "yes", correct=True)], agent=BOT)
    before = Sitting("early", "u2", NOON - 15 * DAY, 100, [Reply("q9", "yes", correct=True)])
    return School.of(world, [*sittings, other, bot, before])


@pytest.mark.parametrize("policy", ["all", "first", "last", "best"])
def test_questions_and_the_quiz(school: School, sittings: list[Sitting], policy: str) -> None:
    oracle = ItemOracle(sittings, policy)
    body = school.get("items", attempts=policy)
    assert [item["questionId"] for item in body["items"]] == [f"q{number}" for number in range(5)]
    for item in body["items"]:
        check(item, oracle.item(item["questionId"]))
    assert body["attempts"] == {
        "submitted": len(oracle.submitted),
        "unsubmitted": len(oracle.unsubmitted),
        "scored": oracle.quiz()["n"],
        "withQuestions": len(oracle.sheets),
        "leftBeforeQuestions": sum(not each.replies for each in oracle.unsubmitted),
    }
    told = school.get("statistics", attempts=policy)
    told["histogram"] = [band["attempts"] for band in told["histogram"]]
    check(told, oracle.quiz())
    assert (told["attemptPolicy"], told["variance"], told["questions"]) == (policy, "n-1", 5)
    assert ("repeated_attempts" in told["notes"]) == (policy == "all")
    assert "not_seen_by_all" in told["notes"]
    assert told["window"] == {**WINDOW, "timezone": "UTC"}


@pytest.mark.parametrize("question", ["q1", "q2", "q3"])
def test_answers(school: School, sittings: list[Sitting], question: str) -> None:
    expected = ItemOracle(sittings).answers(question)
    item = school.get(f"items/{question}", limit=200)["item"]
    assert item["differentAnswers"] == len(expected)
    assert [answer["answer"] for answer in item["answers"]] == list(expected)
    for answer in item["answers"]:
        check(answer, expected[answer["answer"]])
    assert sum(answer["share"] for answer in item["answers"]) == pytest.approx(1 - item["skips"] / item["n"], abs=1e-4)


def test_the_right_answer_tells_learners_apart_as_the_question_does(school: School) -> None:
    item = school.get("items/q3")["item"]
    (right,) = [answer for answer in item["answers"] if answer["correct"]]
    assert right["answer"] == "yes"
    assert right["pointBiserial"] == pytest.approx(item["discriminationIndex"], abs=2e-6)
    assert right["meanScore"] == 1
    assert item["randomGuessScore"] == pytest.approx(1 / 3, abs=1e-6)


def test_all_other_answers_are_one(school: School, sittings: list[Sitting]) -> None:
    expected = ItemOracle(sittings).answers("q2")
    *listed, other = school.get("items/q2", limit=3)["item"]["answers"]
    assert [answer["answer"] for answer in listed] == list(expected)[:3]
    assert (other["answer"], other["other"], other["correct"]) == ("(other)", True, None)
    assert other["n"] == sum(each["n"] for each in expected.values()) - sum(answer["n"] for answer in listed)


def test_thousands_of_texts_are_told_in_a_few_lines(world: Application) -> None:
    essays = [Sitting(f"e{n}", None, NOON - DAY, 50, [Reply("essay", f"{n} " + "字" * 300)]) for n in range(2_000)]
    school = School.of(world, essays)
    item = school.get("items/essay")["item"]
    assert (item["differentAnswers"], len(item["answers"]), item["answers"][-1]["n"]) == (2_000, 21, 1_980)
    assert max(len(answer["answer"]) for answer in item["answers"]) == 200
    assert (item["facility"], item["intendedWeight"], item["notes"]) == (None, None, ["not_graded"])


def test_no_attempts_and_no_questions(world: Application) -> None:
    school = School.of(world, [Sitting("old", "ann", NOON - 20 * DAY, 70, [Reply("q0", "yes", correct=True)])])
    nothing = school.get("statistics")
    assert (nothing["n"], nothing["mean"], nothing["cronbachAlpha"], nothing["retakes"]) == (
        0, None, None, {"learners": 0, "gain": None}
    )  # fmt: skip
    assert school.get("items")["items"] == []
    school.send([Sitting("a", "ann", NOON - DAY, 40), Sitting("b", "ben", NOON - DAY, 60)])
    told = school.get("statistics")
    assert (told["n"], told["mean"], told["median"], told["questions"], told["cronbachAlpha"]) == (2, 50, 50, 0, None)
    assert told["attempts"] | {"withQuestions": 0, "submitted": 2} == told["attempts"]


def test_one_attempt(world: Application) -> None:
    replies = [Reply("q0", "yes", correct=True, time=100), Reply("q1", skipped=True)]
    sittings = [Sitting("a", "ann", NOON - DAY, 50, replies)]
    school = School.of(world, sittings)
    oracle = ItemOracle(sittings)
    for item in school.get("items")["items"]:
        check(item, oracle.item(item["questionId"]))
        assert item["standardDeviation"] is item["discriminationIndex"] is item["effectiveWeight"] is None
    told = school.get("statistics")
    assert (told["n"], told["mean"], told["standardDeviation"], told["skewness"], told["standardError"]) == (
        1, 50, None, None, None
    )  # fmt: skip
    assert school.get("items/q0")["item"]["answers"][0]["pointBiserial"] is None


def test_equal_attempts(world: Application) -> None:
    """Marks that binary fractions can't hold: nothing varies all the same."""
    replies = [Reply(f"q{q}", "x", score=0.1 * (q + 1), max_score=1) for q in range(3)]
    school = School.of(world, [Sitting(f"a{n}", f"u{n}", NOON - DAY, 33.3, replies) for n in range(7)])
    for item in school.get("items")["items"]:
        assert (item["standardDeviation"], item["discriminationIndex"], item["discriminationEfficiency"]) == (
            0, None, None
        )  # fmt: skip
        assert "no_variance" in item["notes"]
    told = school.get("statistics")
    assert (told["standardDeviation"], told["skewness"], told["kurtosis"], told["cronbachAlpha"]) == (
        0, None, None, None
    )  # fmt: skip


def test_a_question_that_only_those_saw_who_left(world: Application) -> None:
    school = School.of(
        world,
        [
            Sitting("a", "ann", NOON - DAY, 100, [Reply("q0", "yes", correct=True)]),
            Sitting("b", "ben", NOON - DAY, None, [Reply("q0", "no", correct=False), Reply("trap", "?")], "abandoned"),
            Sitting("c", "cid", NOON - DAY, None, (), "open"),
        ],
    )
    body = school.get("items")
    first, trap = body["items"]
    assert (trap["questionId"], trap["n"], trap["facility"], trap["dropOff"]) == (
        "trap", 0, None, {"attempts": 1, "share": 0.5}
    )  # fmt: skip
    assert (first["n"], first["dropOff"]["attempts"], body["attempts"]["leftBeforeQuestions"]) == (1, 0, 1)
    assert school.get("items/trap")["item"]["answers"] == []


def test_an_attempt_may_go_on_after_the_window_but_not_begin_there(world: Application) -> None:
    midnight = NOON.replace(hour=0)
    night = Sitting("night", "ann", midnight - timedelta(minutes=1), 100, [Reply("q0", "yes", correct=True)] * 3)
    school = School.of(world, [night, Sitting("next", "ben", midnight, 0, [Reply("q0", "no", correct=False)])])
    (item,) = school.get("items", endDate="2028-02-29")["items"]
    assert (item["n"], item["facility"]) == (1, 1)
    (item,) = school.get("items", startDate="2028-03-01", endDate="2028-03-01")["items"]
    assert (item["n"], item["facility"]) == (1, 0)
    (item,) = school.get("items", startDate="2028-03-01", endDate="2028-03-01", timezone="Asia/Kolkata")["items"]
    assert item["n"] == 2


def test_who_may_not_and_what_is_wrong(school: School) -> None:
    client, path = school.world.client, "/quiz/api/v1/analytics/quiz/algebra/items"
    assert client.get(path).status_code == 401
    assert client.get(path, headers=bearer(school.keys["ingest"])).status_code == 403
    for asked, field in (
        ({"attempts": "worst"}, "attempts"), ({"startDate": "1.2.2028"}, "startDate"), ({"from": "x"}, "from"),
        ({"startDate": "2028-03-02"}, "startDate"), ({"timezone": "Mars"}, "timezone"), ({"limit": "5"}, "limit"),
    ):  # fmt: skip
        answer = client.get(path, params=asked, headers=bearer(school.keys["read"]))
        assert (answer.status_code, answer.json()["error"], answer.json()["field"]) == (400, "bad_query", field)
    for page in ("items", "items/q1", "statistics"):
        unknown = client.get(path.replace("algebra/items", f"algebr/{page}"), headers=bearer(school.keys["read"]))
        assert (unknown.status_code, unknown.json()["field"]) == (404, "quizId")
    missing = client.get(f"{path}/q77", params=WINDOW, headers=bearer(school.keys["read"]))
    assert (missing.status_code, missing.json()["field"]) == (404, "questionId")


def test_learners_may_not(school: School) -> None:
    here, project = school.world.here, school.world.project(school.name)
    here.quizzes.put(project.id, "algebra", "", "ann", "a test", NOON)
    for path in ("items", "items/q0", "statistics"):
        for user, role, status in (("ann", "teacher", 200), ("ben", "teacher", 403), ("u1", "learner", 403)):
            answer = school.world.client.get(
                f"/quiz/api/v1/analytics/quiz/algebra/{path}", params=WINDOW,
                headers=bearer(token_of(user, school.name, role)),
            )  # fmt: skip
            assert (answer.status_code, answer.json()["success"]) == (status, status == 200), answer.text
    refused = {(deed.subject, deed.by) for deed in here.audit.list(project.id) if deed.action == "refused"}
    assert refused == {("quiz/algebra", "user ben"), ("quiz/algebra", "user u1")}
