"""Everybody walks through every route of the pack: no body ever holds what is of others."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import pytest
from litestar.routes import ASGIRoute, HTTPRoute

from tallymark.engine.base import Engine
from tests.packs.quiz.bearers import BELIEVING, token_of
from tests.packs.quiz.school import NOON, School, event
from tests.packs.world import Application, application, bearer

ONE, TWO = "quiz-one", "quiz-two"
OWNERS = {ONE: "tom", TWO: "tess"}
#: Who took what, with a grade and a time that nobody else has.
TAKEN = {
    ("ada", ONE): (11.7, 61.03), ("bob", ONE): (23.9, 62.07), ("ada", TWO): (41.3, 63.11), ("bob", TWO): (67.1, 64.13),
    ("cleo", TWO): (83.7, 65.17),
}  # fmt: skip


@dataclass(frozen=True)
class Asked:
    """A request, and all that came back."""

    method: str
    url: str
    sent: str
    status: int
    body: str


@dataclass(frozen=True)
class Schools:
    """Two projects with the same quizzes and users, and other grades and texts."""

    mine: School
    other: School

    def marks(self, school: School, user: str, quiz: str) -> set[str]:
        """What tells of a user's attempt at a quiz."""
        shift = 0 if school is self.mine else 4
        grade, seconds = TAKEN[user, quiz]
        return {
            f"{grade + shift:g}", f"{seconds + shift:g}", f"text-{school.name}-{user}-{quiz}",
            f"attempt-{school.name}-{user}-{quiz}",
        }  # fmt: skip

    def send(self, school: School) -> None:
        shift = 0 if school is self.mine else 4
        for (user, quiz), (grade, seconds) in TAKEN.items():
            attempt, text = (f"{word}-{school.name}-{user}-{quiz}" for word in ("attempt", "text"))
            school.send(
                event("question_answered", quiz, attempt, userId=user, questionId=f"q-{quiz}", answer=text),
                event("quiz_submitted", quiz, attempt, userId=user, score=round(grade + shift, 2), maxScore=100,
                      timeMs=round((seconds + shift) * 1000)),
            )  # fmt: skip
        for quiz, owner in OWNERS.items():
            self.put(school, quiz, owner)

    def put(self, school: School, quiz: str, owner: str) -> None:
        school.here.quizzes.put(school.id, quiz, f"title-{school.name}-{quiz}", owner, "a test", NOON)

    def walk(self, key: str | None, project: str) -> Iterator[Asked]:
        """Asks for everything there is."""
        for method, url, body in requests(self.mine.application):
            answer = self.mine.application.client.request(
                method, url, params={"project": project}, json=body, headers=bearer(key) if key else {}
            )
            yield Asked(method, url, f"{url} {body}", answer.status_code, answer.text)
            if answer.status_code == 201 and "downloadUrl" in answer.text:
                while (file := self.mine.application.client.get(answer.json()["downloadUrl"])).status_code == 503:
                    pass
                yield Asked("GET", "file", str(body), file.status_code, file.text)


VALUES: Mapping[str, Sequence[str]] = {
    "quiz_id": (ONE, TWO), "user_id": ("ada", "bob"), "question_id": (f"q-{ONE}", f"q-{TWO}"),
    "table": ("quiz_attempts", "quiz_answers"),
}  # fmt: skip
EXPORTS: Sequence[Mapping[str, str]] = ({}, {"quizId": TWO}, {"userId": "bob"}, {"quizId": ONE, "userId": "ada"})


def requests(app: Application) -> Iterator[tuple[str, str, Any]]:
    """Every request to a route below `/quiz`, by method, path and body."""
    for route in app.client.app.routes:
        if not route.path.startswith("/quiz"):
            continue
        if isinstance(route, ASGIRoute):
            yield "POST", route.path, event("quiz_started", TWO, "walked", userId="bob")
            continue
        assert isinstance(route, HTTPRoute)
        names = re.findall(r"{(\w+)(?::\w+)?}", route.path)
        for values in product(*(VALUES[name] for name in names)):
            url = route.path
            for name, value in zip(names, values, strict=True):
                url = re.sub(rf"{{{name}(:\w+)?}}", value, url)
            methods = {method for handler in route.route_handlers for method in handler.http_methods}
            for method in sorted(methods - {"OPTIONS"}):
                yield from ((method, url, body) for body in bodies(method, url))


def bodies(method: str, url: str) -> Sequence[Any]:
    if url.endswith("/export"):
        return [{"format": "csv", "filters": filters} for filters in EXPORTS]
    if url.endswith("/leads"):
        return [{"quizId": TWO, "email": "walker@example.org", "userId": "bob"}]
    return [{"title": "walked"} if method in {"PUT", "POST"} else None]


@pytest.fixture(scope="module")
def schools(tmp_path_factory: pytest.TempPathFactory, engine: Engine) -> Iterator[Schools]:
    with application(tmp_path_factory.mktemp("walk"), engine, NOON, **BELIEVING) as found:
        made = Schools(School(found).fresh(), School(found).fresh())
        for school in (made.mine, made.other):
            made.send(school)
            found.client.get("/quiz/tables/quiz_attempts", headers=bearer(school.keys["read"]))  # makes attempts
            found.settle(school.name)
        yield made


def strangers(schools: Schools, school: School, users: Sequence[str], quizzes: Sequence[str]) -> set[str]:
    """What tells of attempts of others than these users, or at other quizzes, and all of the other project."""
    other = schools.other if school is schools.mine else schools.mine
    found = {mark for taken in TAKEN for mark in schools.marks(other, *taken)}
    found |= {f"title-{other.name}-{quiz}" for quiz in OWNERS} | {f"{other.actor(user):016x}" for user, _ in TAKEN}
    for user, quiz in TAKEN:
        if user not in users or quiz not in quizzes:
            found |= schools.marks(school, user, quiz)
    return found


#: Numbers of all who took a quiz, which only who teaches it may see: mean grade and time.
MEANS = {ONE: {"17.8", "61.55"}, TWO: {"64.033333", "64.136667"}}


def check(walked: Sequence[Asked], hidden: set[str]) -> None:
    """Nothing that is hidden was told, but for what was sent itself."""
    assert len(walked) > 35
    for asked in walked:
        words = set(re.findall(r"[\w.-]*\w", asked.body)) | set(re.findall(r"\d+\.\d+", asked.body))
        told = {mark for mark in words & hidden if mark not in asked.sent}
        assert not told, asked
        assert asked.status < 500, asked


def seen(walked: Sequence[Asked]) -> str:
    return "\n".join(asked.body for asked in walked if asked.status < 300)


def test_a_learner_sees_themself_alone(schools: Schools) -> None:
    school = schools.mine
    walked = list(schools.walk(token_of("ada", school.name), school.name))
    hidden = strangers(schools, school, ["ada"], [ONE, TWO]) | {
        f"{school.actor(user):016x}" for user in ("bob", "cleo")
    }
    hidden |= {f"title-{school.name}-{quiz}" for quiz in OWNERS} | set(OWNERS.values()) | MEANS[ONE] | MEANS[TWO]
    check(walked, hidden)
    for quiz in (ONE, TWO):
        assert all(mark in seen(walked) for mark in schools.marks(school, "ada", quiz) if not mark.startswith("text"))
    refused = {deed.subject for deed in school.here.audit.list(school.id) if deed.by == "user ada"}
    assert refused == {f"user/{school.actor('bob'):016x}", f"quiz/{ONE}", f"quiz/{TWO}", "quizzes", "tables"}


def test_a_teacher_sees_their_quizzes_alone(schools: Schools) -> None:
    school = schools.mine
    walked = list(schools.walk(token_of("tom", school.name, "teacher"), school.name))
    hidden = strangers(schools, school, ["ada", "bob"], [ONE]) | MEANS[TWO]
    check(walked, hidden | {f"{school.actor('cleo'):016x}", f"title-{school.name}-{TWO}", TWO, f"q-{TWO}", "tess"})
    for user in ("ada", "bob"):
        assert all(mark in seen(walked) for mark in schools.marks(school, user, ONE))
    assert MEANS[ONE] <= set(re.findall(r"\d+\.\d+", seen(walked)))
    refused = {deed.subject for deed in school.here.audit.list(school.id) if deed.by == "user tom"}
    assert refused >= {f"quiz/{TWO}", f"quiz/{ONE}"}  # the latter: whose it is, they don't say


def test_who_is_of_elsewhere_sees_nothing(schools: Schools) -> None:
    """A token of another project, by whichever role; a key that sends; nobody."""
    school, other = schools.mine, schools.other
    everything = strangers(schools, other, [], [])
    keys = [token_of("ada", other.name, role) for role in ("learner", "teacher", "admin")]
    for key in (*keys, school.keys["ingest"], other.keys["read"], other.keys["admin"], None):
        walked = list(schools.walk(key, school.name))
        check(walked, everything)
        opened = {asked.url for asked in walked if asked.status < 300}
        assert opened <= {"/quiz/health", "/quiz/events", "/quiz/leads"}, key


def test_everybody_is_answered_for_themselves_whoever_asked_before(schools: Schools) -> None:
    """The same URL, in turns: what is kept of one's answer is nobody else's."""
    school, client = schools.mine, schools.mine.application.client
    keys = {
        "admin": school.keys["read"], "ada": token_of("ada", school.name), "bob": token_of("bob", school.name),
        "tom": token_of("tom", school.name, "teacher"), "root": token_of("root", school.name, "admin"),
    }  # fmt: skip
    for _ in range(2):
        told = {
            who: client.get(f"/quiz/api/v1/analytics/quiz/{ONE}/metrics", params={"project": school.name},
                            headers=bearer(key)).json()["averageScore"]
            for who, key in keys.items()
        }  # fmt: skip
        assert told == {"admin": 17.8, "ada": 11.7, "bob": 23.9, "tom": 17.8, "root": 17.8}
        quizzes = {
            who: client.get("/quiz/api/v1/analytics/quizzes", params={"project": school.name, "sort": "quizId"},
                            headers=bearer(key)).json()["quizzes"]
            for who, key in keys.items()
        }  # fmt: skip
        grades = {who: [row["averageScore"] for row in rows if row["submitted"]] for who, rows in quizzes.items()}
        assert grades == {
            "admin": [17.8, 64.033333], "root": [17.8, 64.033333], "ada": [11.7, 41.3], "bob": [23.9, 67.1],
            "tom": [17.8],
        }  # fmt: skip


def test_a_quiz_that_nobody_took_is_known_to_who_may_know_it(schools: Schools) -> None:
    school = schools.mine
    schools.put(school, "quiz-new", "tom")
    for user, role, status in (("root", "admin", 200), ("tom", "teacher", 200), ("ada", "learner", 404)):
        answer = school.application.client.get(
            "/quiz/api/v1/analytics/quiz/quiz-new/metrics", params={"project": school.name},
            headers=bearer(token_of(user, school.name, role)),
        )  # fmt: skip
        assert answer.status_code == status, answer.text


def test_an_admin_by_token_sees_the_project(schools: Schools) -> None:
    """Last: it changes whose quizzes are."""
    school = schools.mine
    walked = list(schools.walk(token_of("root", school.name, "admin"), school.name))
    check(walked, strangers(schools, school, ["ada", "bob", "cleo"], [ONE, TWO]))
    for taken in TAKEN:
        assert all(mark in seen(walked) for mark in schools.marks(school, *taken)), taken
