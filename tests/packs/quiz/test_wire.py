"""From what quizzes send to events: every spelling, and every reason for refusing one."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallymark.ingest.decode import WireEvent
from tallymark.packs.loose import Refused
from tallymark.packs.quiz.checks import SPENT
from tallymark.packs.quiz.wire import EVENTS, NAMES, PROPERTIES, decode, event_of
from tests.packs.quiz.school import event

ANSWER: Mapping[str, Any] = {
    "quizId": "algebra", "attemptId": "a-1", "questionId": "q3", "answer": "B", "correct": False, "skipped": False,
    "options": 4, "score": -0.25, "maxScore": 1, "timeMs": 8_400,
}  # fmt: skip
SPELLINGS = {name: spellings for name, spellings in {**NAMES, **PROPERTIES}.items() if name != SPENT}


def spelled(name: str) -> st.SearchStrategy[tuple[str, str]]:
    return st.sampled_from(SPELLINGS[name]).map(lambda spelling: (name, spelling))


@given(
    st.tuples(*(spelled(name) for name in ANSWER)), st.sampled_from(NAMES["event"]), st.sampled_from(NAMES["actor"]),
    st.sets(st.sampled_from(sorted(ANSWER))),
)  # fmt: skip
@settings(max_examples=40)
def test_spellings_are_the_same_event(
    found: Sequence[tuple[str, str]], called: str, actor: str, inside: set[str]
) -> None:
    """At the top, or among properties."""
    top = {spelling: ANSWER[name] for name, spelling in found if name not in inside}
    properties = {spelling: ANSWER[name] for name, spelling in found if name in inside}
    made = event_of({called: "question_answered", actor: "u-7", **top, "properties": properties})
    assert made == WireEvent(event="question_answered", actor="u-7", properties=dict(ANSWER))


@pytest.mark.parametrize(("said", "meant"), EVENTS.items())
def test_every_name_of_an_event_is_heard(said: str, meant: str) -> None:
    made = event_of({"event": said, "quizId": "algebra", "questionId": "q3"})
    assert made.event == meant


def test_words_of_names_may_be_joined_in_any_way() -> None:
    names = ("quizStarted", "Quiz Started", "quiz-started", "QUIZ_STARTED")
    assert {event_of({"event": name, "quizId": "algebra"}).event for name in names} == {"quiz_started"}


@pytest.mark.parametrize("spelling", PROPERTIES[SPENT])
def test_seconds_are_kept_as_milliseconds(spelling: str) -> None:
    assert event_of(event("quiz_submitted", **{spelling: 8.4})).properties == {
        "quizId": "algebra", "attemptId": "a-1", "timeMs": 8_400,
    }  # fmt: skip
    both = event_of(event("quiz_submitted", **{spelling: 8.4, "timeMs": 5}))
    assert (both.properties or {})["timeMs"] == 5


@pytest.mark.parametrize(
    ("answer", "kept"),
    [("B", "B"), (3, "3"), (0.5, "0.5"), (True, "true"), (["C", "A"], "A[,]C"), ([2, 1], "1[,]2")],
)
def test_answers_are_texts(answer: Any, kept: str) -> None:
    made = event_of(event("question_answered", questionId=3, answer=answer, options=["A", "B", "C"]))
    assert made.properties == {
        "quizId": "algebra", "attemptId": "a-1", "questionId": "3", "answer": kept, "options": 3,
    }  # fmt: skip


def test_what_is_no_name_here_is_kept_as_it_is() -> None:
    made = event_of(event("quiz_started", level=2, properties={"course": "m1", "none": None}))
    assert made.properties == {"level": 2, "course": "m1", "quizId": "algebra", "attemptId": "a-1"}


def test_no_name_of_a_user_is_left_among_properties() -> None:
    """They would be stored as they are."""
    said = event("quiz_started", user_id="u-7", actor="u-8", properties={"studentId": "u-9", "learner_id": 3})
    made = event_of(said)
    assert (made.actor, made.properties) == ("u-7", {"quizId": "algebra", "attemptId": "a-1"})
    assert event_of(event("quiz_started", properties={"userId": 7})).actor == "7"


def test_a_skipped_question_may_be_an_event_of_its_own() -> None:
    made = event_of(event("question_skipped", questionId="q3"))
    assert (made.event, (made.properties or {})["skipped"]) == ("question_answered", True)


def test_beginning_and_end_are_known_by_their_attempt() -> None:
    names = ("quiz_started", "quiz_submitted", "quiz_abandoned")
    assert [event_of(event(name)).event_id for name in names] == [f"{name}\nalgebra\na-1" for name in names]
    alike = [("a\nb", "c"), ("a", "b\nc"), ("a\\nb", "c"), ("a\\", "nb\nc")]
    assert len({event_of(event("quiz_started", *ids)).event_id for ids in alike}) == len(alike)
    assert event_of(event("quiz_started", event_id="own")).event_id == "own"
    assert event_of(event("quiz_started", "algebra", None)).event_id is None
    assert event_of(event("question_answered", questionId="q3")).event_id is None


def test_what_an_envelope_says_holds_for_every_event_that_does_not_say_it() -> None:
    body = {"quiz_id": "algebra", "attempt": "a-1", "project": "school", "timeSpent": 3, "events": [
        {"event": "quiz_started"}, {"event": "quiz_submitted", "quizId": "logic", "timeMs": 5},
    ]}  # fmt: skip
    sent = decode(json.dumps(body).encode())
    assert sent.project == "school"
    assert [made.properties for made in sent.decoded.events] == [
        {"quizId": "algebra", "attemptId": "a-1", "timeMs": 3_000},
        {"quizId": "logic", "attemptId": "a-1", "timeMs": 5},
    ]


REFUSED: Sequence[tuple[dict[str, Any], str, str]] = [
    (event("quiz_paused"), "malformed",
     "`event` must be one of quiz_started, question_answered, quiz_submitted, quiz_abandoned."),
    ({"quizId": "algebra"}, "malformed",
     "`event` must be one of quiz_started, question_answered, quiz_submitted, quiz_abandoned."),
    (event("quiz_lead", email="ada@example.org"), "malformed", "Leads are sent to POST /quiz/leads."),
    (event("quiz_started", properties=[1]), "malformed", "`properties` are a JSON object."),
    ({"event": "quiz_started"}, "malformed", "`quizId` is missing: which quiz it is about."),
    (event("quiz_started", ""), "malformed", "`quizId` is missing: which quiz it is about."),
    (event("quiz_started", " "), "malformed", "`quizId` is a text of at most 200 characters, or a whole number."),
    (event("quiz_started", "q" * 201), "malformed", "`quizId` is a text of at most 200 characters, or a whole number."),
    (event("quiz_started", "algebra", None, attempt_id=1.5), "malformed",
     "`attemptId` is a text of at most 200 characters, or a whole number."),
    (event("question_answered"), "malformed", "`questionId` is missing: which question was answered."),
    (event("question_answered", questionId="q", answer={"a": 1}), "malformed",
     "`answer` is a text, a number, true, false, or a list of these."),
    (event("question_answered", questionId="q", answer=[["a"]]), "malformed",
     "`answer` is a text, a number, true, false, or a list of these."),
    (event("question_answered", questionId="q", correct="yes"), "malformed", "`correct` is true or false."),
    (event("question_answered", questionId="q", skipped=2), "malformed", "`skipped` is true or false."),
    (event("question_answered", questionId="q", options=0), "bad_value",
     "`options` is how many answers are offered, 1 to 1000."),
    (event("question_answered", questionId="q", score=2), "bad_value",
     "`score` is at most `maxScore`. Without `maxScore` that is 1."),
    (event("question_answered", questionId="q", score=-3, maxScore=2), "bad_value",
     "`score` is at least -`maxScore`."),
    (event("quiz_submitted", score="9"), "bad_value", "`score` is a number."),
    (event("quiz_submitted", score=9, maxScore=8), "bad_value", "`score` is at most `maxScore`."),
    (event("quiz_submitted", score=-1, maxScore=8), "bad_value", "`score` is at least 0."),
    (event("quiz_submitted", score=101), "bad_value", "`score` is at most `maxScore`. Without `maxScore` that is 100."),
    (event("quiz_submitted", score=1, maxScore=0), "bad_value", "`maxScore` is more than 0."),
    (event("quiz_submitted", score=1, maxScore=-8), "bad_value", "`maxScore` is more than 0."),
    (event("quiz_submitted", timeMs=-1), "bad_value", "`timeMs` is 0 or more."),
    (event("quiz_submitted", time_spent=True), "bad_value", "`timeSpent` is a number."),
    (event("quiz_started", value="x"), "bad_value", "Expected `float | null`, got `str` - at `$.value`."),
]  # fmt: skip


@pytest.mark.parametrize(("said", "reason", "message"), REFUSED)
def test_what_can_not_be_taken_is_refused_with_its_reason(said: dict[str, Any], reason: str, message: str) -> None:
    with pytest.raises(Refused) as refused:
        event_of(said)
    assert (refused.value.reason, refused.value.message) == (reason, message)
