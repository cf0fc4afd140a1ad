"""Quizzes as rows: the views `quiz_attempts`, whole ones, and `quiz_answers`, each as it was sent."""

from typing import Final

from tallymark.packs.event_rows import ID, WHEN, WHO, EventViews, flag, numbers, texts
from tallymark.packs.quiz import names
from tallymark.spec.condition import event, human

_IDS: Final = {**ID, **texts(quiz_id=names.QUIZ, attempt_id=names.ATTEMPT_ID)}
_SCORE: Final = numbers(score=names.SCORE, max_score=names.MAX_SCORE)

TABLES: Final = EventViews("quiz", {
    "quiz_attempts": (
        event(names.ATTEMPT) & human(),
        {
            **_IDS, **WHO, **texts(state=names.STATE), **_SCORE, **numbers(grade=names.GRADE),
            **texts(grade_band=names.BAND), **numbers(seconds=names.SECONDS, questions=names.QUESTIONS), **WHEN,
        },
    ),
    "quiz_answers": (
        event(names.ANSWERED) & human(),
        {
            **_IDS, **texts(question_id=names.QUESTION), **WHO, **texts(answer=names.ANSWER),
            "correct": flag(names.CORRECT), "skipped": flag(names.SKIPPED), **numbers(options=names.OPTIONS), **_SCORE,
            **numbers(time_ms=names.TIME), **WHEN,
        },
    ),
})  # fmt: skip

COLUMNS: Final = TABLES.columns

VIEWS: Final = TABLES.statements
