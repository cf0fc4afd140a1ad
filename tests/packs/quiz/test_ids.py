"""Ids of quizzes, questions and users stand percent-encoded in paths, whatever characters they have."""

from typing import Any
from urllib.parse import quote

import pytest

from tests.packs.quiz.school import NOON, School, event
from tests.packs.world import Application

IDS = (
    "a/b", "a%2Fb", "a%252Fb", "CCC/2014B/TMA/24295", "https://school.example/quizzes/algebra?v=1#top", "..", "größe é",
    "a b", "/", "//", "%", "items", "ann@example.org", "https://lms.example|ann+1@example.org", "quiz_id", "a\\b;c=d&e",
)  # fmt: skip


@pytest.fixture(scope="module")
def sent(opened: Application) -> School:
    """A quiz and a user of each id, and a question of the same one, answered so often as its place says."""
    school = School(opened).fresh(pii="allow")
    school.send(
        *(event(name, id_, f"at-{place}-{n}", userId=id_, **said)
          for place, id_ in enumerate(IDS) for n in range(place + 1)
          for name, said in (("question_answered", {"questionId": id_, "answer": "x", "correct": True}),
                             ("quiz_submitted", {"score": 1, "maxScore": 2})))
    )  # fmt: skip
    return school


def ask(school: School, path: str, method: str = "GET", body: Any = None) -> dict[str, Any]:
    answer = school.request(method, f"/api/v1/{path}", body, school.keys["admin"])
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


@pytest.mark.parametrize(("place", "id_"), list(enumerate(IDS)))
def test_any_id_is_one_segment(sent: School, place: int, id_: str) -> None:
    segment = quote(id_, safe="").replace(".", "%2E")
    told = ask(sent, f"analytics/quiz/{segment}/metrics")
    assert (told["quizId"], told["totalAttempts"], told["averageScore"]) == (id_, place + 1, 50)
    told = ask(sent, f"analytics/user/{segment}/metrics")
    assert (told["userId"], told["attempts"], told["lastActivity"][:10]) == (id_, place + 1, f"{NOON:%Y-%m-%d}")
    item = ask(sent, f"analytics/quiz/{segment}/items/{segment}")["item"]
    assert (item["questionId"], item["n"]) == (id_, place + 1)
    assert ask(sent, f"analytics/quiz/{segment}/statistics")["quizId"] == id_


@pytest.mark.parametrize("id_", IDS)
def test_whose_it_is(sent: School, id_: str) -> None:
    path = f"quizzes/{quote(id_, safe='').replace('.', '%2E')}"
    assert ask(sent, path, "PUT", {"owner": id_})["quiz"]["owner"] == id_
    assert ask(sent, path)["quiz"]["quizId"] == id_
    assert ask(sent, path, "DELETE")["deleted"]["quizId"] == id_


def test_a_slash_parts_segments_where_it_is_one(sent: School) -> None:
    for path in ("analytics/quiz/a/b/metrics", "analytics%2Fquiz/a%2Fb/metrics", "analytics/quiz//metrics"):
        assert sent.request("GET", f"/api/v1/{path}", key=sent.keys["read"]).status_code == 404
