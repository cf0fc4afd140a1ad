"""Attempts: what one says of its parts, where it lies, how it ends, and what later parts change of it."""

import json
from datetime import timedelta
from typing import Any

from tests.api.sealing import seal
from tests.packs.quiz.pupil import NOON, PATIENCE, Quiz, part

SECOND, MINUTE, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(days=1)
STARTED, ANSWERED, SUBMITTED, ABANDONED = "quiz_started", "question_answered", "quiz_submitted", "quiz_abandoned"


def said(quiz: Quiz, *events: dict[str, Any]) -> dict[str, Any]:
    """What the one attempt says that is made of these."""
    quiz.send(*events)
    quiz.make()
    (attempt,) = quiz.attempts()
    return attempt


def test_an_attempt_says_what_its_parts_say_together(quiz: Quiz) -> None:
    assert said(
        quiz,
        part(STARTED),
        part(ANSWERED, NOON + SECOND, questionId="q1", correct=True),
        part(ANSWERED, NOON + 2 * SECOND, questionId="q2", skipped=True),
        part(SUBMITTED, NOON + 90 * SECOND, score=57, maxScore=60),
    ) == {
        "quizId": "algebra", "attemptId": "a-1", "attemptState": "submitted", "score": 57, "maxScore": 60, "grade": 95,
        "gradeBand": "90-100", "seconds": 90, "questions": 1,
    }  # fmt: skip


def test_nobody_waits_for_an_attempt(quiz: Quiz) -> None:
    assert said(quiz, part(STARTED)) == {
        "quizId": "algebra", "attemptId": "a-1", "attemptState": "open", "questions": 0
    }  # fmt: skip


def test_a_score_without_a_highest_is_a_percentage_and_grades_stay_within_0_and_100(quiz: Quiz) -> None:
    quiz.send(
        *(
            part(SUBMITTED, NOON + n * SECOND, attemptId=f"a-{n}", score=score, maxScore=highest)
            for n, (score, highest) in enumerate([(70, None), (100, None), (120, 100), (-3, 10), (5, 0), (0.57, 1)])
        )
    )
    quiz.make()
    assert [(each.get("grade"), each.get("gradeBand")) for each in quiz.attempts()] == [
        (70, "70-80"), (100, "90-100"), (100, "90-100"), (0, "0-10"), (None, None), (57, "50-60")
    ]  # fmt: skip


def test_where_nothing_is_marked_a_skipped_question_makes_no_score(quiz: Quiz) -> None:
    assert said(
        quiz,
        part(ANSWERED, NOON, questionId="q1", answer="by bicycle"),
        part(ANSWERED, NOON + SECOND, questionId="q2", skipped=True),
        part(SUBMITTED, NOON + 90 * SECOND),
    ) == {"quizId": "algebra", "attemptId": "a-1", "attemptState": "submitted", "seconds": 90, "questions": 1}


def test_the_last_answers_are_the_score_where_the_submission_has_none(quiz: Quiz) -> None:
    told = said(
        quiz,
        part(ANSWERED, NOON, questionId="q1", correct=False),
        part(ANSWERED, NOON + SECOND, questionId="q1", correct=True),
        part(ANSWERED, NOON, questionId="q2", score=1.5, maxScore=3, correct=True),
        part(ANSWERED, NOON, questionId="q3", skipped=True, maxScore=2),
        part(ANSWERED, NOON, questionId="q4", correct=True, maxScore=4),
        part(ANSWERED, NOON, questionId="q5", answer="an essay"),
        part(SUBMITTED, NOON + MINUTE),
    )
    assert (told["score"], told["maxScore"], told["grade"], told["questions"]) == (6.5, 10, 65, 4)


def test_the_time_is_what_the_submission_says_or_what_passed_and_unknown_of_a_submission_alone(quiz: Quiz) -> None:
    quiz.send(part(SUBMITTED, attemptId="alone", score=1))
    quiz.send(part(SUBMITTED, NOON + SECOND, attemptId="says", timeMs=2_500))
    quiz.send(part(STARTED, NOON + MINUTE, attemptId="passed"), part(SUBMITTED, NOON + 3 * MINUTE, attemptId="passed"))
    for name, minutes in ((SUBMITTED, 4), (STARTED, 5)):
        quiz.send(part(name, NOON + minutes * MINUTE, attemptId="after"))
    quiz.make()
    assert [each.get("seconds") for each in quiz.attempts()] == [None, 2.5, 120, None]


def test_an_attempt_is_abandoned_when_that_is_said_or_nothing_comes_and_a_submission_makes_it_good(quiz: Quiz) -> None:
    quiz.send(part(STARTED), part(STARTED, attemptId="left"), part(ABANDONED, NOON + SECOND, attemptId="left"))
    quiz.make()
    assert sorted(each["attemptState"] for each in quiz.attempts()) == ["abandoned", "open"]
    quiz.wait(PATIENCE - MINUTE)
    assert quiz.make() == 0
    quiz.wait(MINUTE)
    assert quiz.make() == 1
    assert [each["attemptState"] for each in quiz.attempts()] == ["abandoned", "abandoned"]
    quiz.send(part(SUBMITTED, NOON + MINUTE, score=80))
    assert quiz.make() == 1
    assert sorted(each["attemptState"] for each in quiz.attempts()) == ["abandoned", "submitted"]


def test_what_is_sent_again_counts_once_and_bots_do_not(quiz: Quiz) -> None:
    robot = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
    quiz.send(part(STARTED), part(STARTED, attemptId="crawled", user="", agent=robot))
    assert quiz.make() == 1
    quiz.send(part(STARTED))
    assert quiz.make() == 0
    assert len(quiz.attempts()) == 1


def test_an_earlier_part_and_a_user_who_becomes_known_move_an_attempt_and_published_days_follow(quiz: Quiz) -> None:
    quiz.send(part(SUBMITTED, user="", score=50))
    quiz.make()
    assert numbers(quiz) == {"2028-02-27": 0, "2028-02-28": 0, "2028-02-29": 1}
    quiz.send(part(STARTED, NOON - 2 * DAY, user="bob"))
    quiz.make()
    assert numbers(quiz) == {"2028-02-27": 1, "2028-02-28": 0, "2028-02-29": 0}
    ((actor, seconds),) = quiz.stored("actor, toFloat64(props.seconds)")
    assert (actor, seconds) == (quiz.here.receiver.enricher.actor(quiz.id, "bob"), 2 * 86_400)
    project = quiz.application.project(quiz.name)
    quiz.application.settle(quiz.name)
    assert quiz.here.keeper.rehearse(project, (NOON - 3 * DAY).date(), NOON.date()) == (2, [])


def numbers(quiz: Quiz) -> dict[str, int]:
    """Attempts by day."""
    asked = {"metrics": "quiz_attempts", "from": "2028-02-27", "to": "2028-02-29", "grain": "day"}
    told = quiz.ask("/v1/query", project=quiz.name, **asked)["metrics"]["quiz_attempts"]
    assert told["value"] == sum(point["value"] for point in told["series"])
    return {point["t"]: point["value"] for point in told["series"]}


def test_users_who_send_the_same_id_have_an_attempt_each(quiz: Quiz) -> None:
    quiz.send(part(STARTED, user=""), part(SUBMITTED, NOON + MINUTE, user="ann", score=40))
    assert quiz.make() == 1
    quiz.send(part(SUBMITTED, NOON + 2 * MINUTE, user="bob", score=90))
    quiz.make()
    actor = quiz.here.receiver.enricher.actor
    assert quiz.stored("actor, toString(props.grade)") == [
        (0, ""), (actor(quiz.id, "ann"), "40"), (actor(quiz.id, "bob"), "90")
    ]  # fmt: skip
    assert quiz.anew() == 0


def test_who_goes_on_within_31_days_goes_on_with_the_same_attempt(quiz: Quiz) -> None:
    for days in (92, 62, 32, 122):
        quiz.send(part(ANSWERED, NOON - days * DAY, questionId=f"q{days}"))
        quiz.make()
    assert [each["questions"] for each in quiz.attempts()] == [4]
    quiz.send(part(STARTED, NOON))
    quiz.make()
    assert [each["questions"] for each in quiz.attempts()] == [4, 0]
    quiz.send(part(SUBMITTED, NOON - 16 * DAY, score=5))
    quiz.make()
    assert [(each["questions"], each["grade"]) for each in quiz.attempts()] == [(4, 5)]
    assert quiz.anew() == 0


def test_a_part_without_an_attempt_is_one_of_its_own(quiz: Quiz) -> None:
    quiz.send(part(STARTED, attemptId=None), part(SUBMITTED, NOON + SECOND, attemptId=None))
    assert quiz.make() == 2
    (ids,) = zip(*quiz.stored("toString(props.attemptId)"), strict=True)
    parts = "SELECT hex(event_id) FROM events WHERE project = {project:UInt32} AND event != 'quiz_attempt'"
    assert sorted(ids) == sorted(text for (text,) in quiz.here.engine.query(parts, {"project": quiz.id}))


def test_a_day_whose_numbers_are_final_takes_no_attempts(quiz: Quiz) -> None:
    yesterday = NOON - DAY
    quiz.send(part(STARTED, yesterday))
    quiz.make()
    seal_before = numbers(quiz)
    seal(quiz.application, quiz.name, yesterday.date())
    quiz.send(part(STARTED, yesterday, attemptId="late"))
    assert quiz.make() == 0
    assert numbers(quiz) == seal_before == {"2028-02-27": 0, "2028-02-28": 1, "2028-02-29": 0}


def test_who_is_deleted_takes_their_attempts_along(quiz: Quiz) -> None:
    quiz.send(part(STARTED, user=""), part(SUBMITTED, NOON + MINUTE, user="ann", score=40), part(STARTED, user="bob"))
    quiz.make()
    ann = quiz.here.receiver.enricher.actor(quiz.id, "ann")
    quiz.here.keeper.forget(quiz.application.project(quiz.name), [ann])
    assert ann not in [actor for (actor,) in quiz.stored("actor")]
    quiz.anew()
    assert ann not in [actor for (actor,) in quiz.stored("actor")]
    assert "40" not in json.dumps(quiz.attempts())


def test_a_backlog_is_made_in_looks_of_a_bounded_size(quiz: Quiz) -> None:
    for n in range(0, 12, 3):
        ids = [(m, name) for m in range(n, n + 3) for name in (STARTED, ABANDONED)]
        quiz.send(*(part(name, NOON - m * MINUTE, attemptId=f"a-{m}") for m, name in ids))
    assert quiz.make(at_once=5) == 12
    assert [each["attemptState"] for each in quiz.attempts()] == ["abandoned"] * 12
    assert quiz.anew() == 0
