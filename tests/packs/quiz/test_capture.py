"""`POST /quiz/events` through the real application: what quizzes send, who may, and what is stored."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from tallymark.engine.base import Engine
from tests.packs.quiz.school import NOON, School, event
from tests.packs.world import application

PARTS = [
    event("quiz_started", userId="u-7", sessionId="s-1"),
    event("question_answered", userId="u-7", questionId="q3", answer="B", correct=True, timeMs=900),
    event("quiz_submitted", userId="u-7", score=8, maxScore=10, timeSpent=61.5),
    event("quiz_abandoned", "algebra", "a-2"),
]


@pytest.mark.parametrize("wrap", [lambda e: e, lambda e: {"events": e}], ids=["array", "envelope"])
def test_an_attempt_is_stored_once_and_its_user_hashed(school: School, wrap: Any) -> None:
    for _ in range(2):
        answer = school.post(wrap(PARTS))
        assert (answer.status_code, answer.json()) == (202, {"success": True, "accepted": 4, "rejected": []})
    ada = school.actor("u-7")
    assert school.stored("event, actor, session > 0, occurred_at") == [
        ("question_answered", ada, 0, NOON.replace(tzinfo=None)),
        ("quiz_abandoned", 0, 0, NOON.replace(tzinfo=None)),
        ("quiz_started", ada, 1, NOON.replace(tzinfo=None)),
        ("quiz_submitted", ada, 0, NOON.replace(tzinfo=None)),
    ]
    assert school.said() == [
        {"quizId": "algebra", "attemptId": "a-1", "questionId": "q3", "answer": "B", "correct": True, "timeMs": 900},
        {"quizId": "algebra", "attemptId": "a-2"},
        {"quizId": "algebra", "attemptId": "a-1"},
        {"quizId": "algebra", "attemptId": "a-1", "score": 8, "maxScore": 10, "timeMs": 61_500},
    ]


def test_one_event_may_come_alone_and_compressed(school: School) -> None:
    body = gzip.compress(json.dumps(PARTS[0]).encode())
    answer = school.request("POST", "/events", body, headers={"content-encoding": "gzip"})
    assert (answer.status_code, len(school.stored())) == (202, 1)


def test_what_is_the_same_again_is_the_same_event(school: School) -> None:
    """Beginning and end by their attempt, whenever they are sent; answers by all that they say."""
    school.send(event("quiz_submitted", score=8, maxScore=10), event("quiz_submitted", score=8, maxScore=10, at=2))
    school.send(*[event("question_answered", questionId="q3", answer=answer) for answer in "ABB"])
    assert sorted(said.get("answer", "-") for said in school.said()) == ["-", "A", "B"]


def test_a_bad_event_is_refused_alone(school: School) -> None:
    answer = school.post([PARTS[0], event("quiz_submitted", score=9, maxScore=8), 7])
    assert answer.status_code == 202
    assert answer.json() == {"success": True, "accepted": 1, "rejected": [
        {"index": 1, "reason": "bad_value", "message": "`score` is at most `maxScore`."},
        {"index": 2, "reason": "malformed", "message": "An event is a JSON object."},
    ]}  # fmt: skip
    assert school.refused() == {"bad_value": 1, "malformed": 1}


def test_a_body_of_bad_events_alone_is_an_error(school: School) -> None:
    answer = school.post({"event": "quiz_started"})
    assert (answer.status_code, answer.json()["success"], answer.json()["error"]) == (400, False, "malformed")
    assert school.post(b"{").json()["error"] == "unreadable_body"
    assert school.request("GET", "/events").status_code == 405


def test_the_project_is_the_one_that_is_named(school: School) -> None:
    assert school.post({**PARTS[0], "project": "nowhere"}).status_code == 404
    assert school.post({**PARTS[0], "project": school.name}, project=None).status_code == 202
    assert school.post(PARTS[1], school.keys["ingest"], project=None).status_code == 202
    assert school.post(PARTS[1], school.keys["read"]).status_code == 403
    assert school.post(PARTS[1], "tm_ingest_none").status_code == 401
    assert len(school.stored()) == 2


def test_a_key_may_be_needed(tmp_path: Path, engine: Engine) -> None:
    with application(tmp_path, engine, NOON, quiz_capture="keyed") as found:
        school = School(found).fresh()
        answer = school.post(PARTS[0])
        assert (answer.status_code, answer.json()["error"]) == (401, "unauthorized")
        assert school.post(PARTS[0], school.keys["ingest"]).status_code == 202
