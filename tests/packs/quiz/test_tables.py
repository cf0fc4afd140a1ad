"""`quiz_attempts` and `quiz_answers`: each row is an attempt as it is now, or an answer as it was sent."""

from datetime import timedelta
from typing import Any

from tallymark.engine.expression import literal
from tallymark.engine.views import define, note
from tallymark.packs import VIEWS
from tallymark.packs.quiz import PRODUCT
from tallymark.packs.quiz.views import COLUMNS
from tests.packs.quiz.pupil import NOON, Quiz, part
from tests.packs.world import bearer

ANSWER: dict[str, Any] = {
    "questionId": "q1",
    "answer": "größe",
    "correct": True,
    "options": 4,
    "score": 1.5,
    "timeMs": 800,
}


def rows(quiz: Quiz, view: str) -> list[dict[str, Any]]:
    """The view's rows of the project as an SQL client gets them, oldest first."""
    define(quiz.here.engine, VIEWS)
    note(quiz.here.engine, quiz.here.projects.list)
    found = quiz.here.engine.query(f"SELECT * FROM {view} WHERE project = {literal(quiz.name)} ORDER BY created_at, id")
    return [dict(zip(COLUMNS[view], row, strict=True)) for row in found]


def test_rows_are_attempts_and_answers_and_the_api_tells_the_same(quiz: Quiz) -> None:
    begin = NOON - timedelta(minutes=1)
    quiz.send(
        part("quiz_started", begin),
        part("question_answered", NOON, **ANSWER),
        part("question_answered", NOON, questionId="q2", skipped=True),
        part("quiz_submitted", NOON, score=3, maxScore=4),
    )
    told = quiz.ask("/quiz/tables/quiz_attempts", project=quiz.name)["rows"]
    (attempt,) = rows(quiz, "quiz_attempts")
    ann = quiz.here.receiver.enricher.actor(quiz.id, "ann")
    assert int(attempt.pop("user_id"), 16) == ann
    assert told[0]["id"] == attempt.pop("id")
    assert attempt == {
        "project": quiz.name, "quiz_id": "algebra", "attempt_id": "a-1", "session_id": "", "state": "submitted",
        "score": 3, "max_score": 4, "grade": 75, "grade_band": "70-80", "seconds": 60, "questions": 1,
        "created_at": begin.replace(tzinfo=None),
    }  # fmt: skip
    assert [(row["state"], row["grade"], row["created_at"]) for row in told] == [
        ("submitted", 75, "2028-02-29T11:59:00.000Z")
    ]  # fmt: skip
    answers = {row["question_id"]: row for row in rows(quiz, "quiz_answers")}
    assert {name: answers["q1"][name] for name in ("answer", "correct", "skipped", "options", "score", "time_ms")} == {
        "answer": "größe", "correct": True, "skipped": None, "options": 4, "score": 1.5, "time_ms": 800
    }  # fmt: skip
    assert (answers["q2"]["skipped"], answers["q2"]["correct"], answers["q2"]["max_score"]) == (True, None, None)
    assert len(quiz.ask("/quiz/tables/quiz_answers", project=quiz.name, limit=1)["rows"]) == 1


def test_rows_need_a_key_and_a_table_that_there_is(quiz: Quiz) -> None:
    get, key = quiz.application.client.get, bearer(quiz.keys["read"])
    refused = get("/quiz/tables/quiz_attempts", params={"project": quiz.name})
    unknown = get("/quiz/tables/voice_queries", params={"project": quiz.name}, headers=key)
    assert (refused.status_code, refused.json()["success"]) == (401, False)
    assert (unknown.status_code, unknown.json()["allowed"]) == (404, ["quiz_attempts", "quiz_answers"])
    assert get("/quiz/health").json()["status"] == "ok"


def test_the_clock_makes_attempts(quiz: Quiz) -> None:
    """The job of the pack, as the clock calls it; and how long an attempt stays open is a setting."""
    quiz.send(part("quiz_started"))
    assert quiz.here.settings.quiz_abandon_minutes == 1_440
    (work,) = [work for name, work, _ in PRODUCT.jobs(quiz.here) if name == "quiz attempts"]
    assert work() == 1
