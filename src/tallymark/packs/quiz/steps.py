"""The steps of a quiz: its start, its questions in the order they are met in, its submission."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tallymark.engine.expression import condition_sql, text_of
from tallymark.engine.source import events_between, span
from tallymark.packs.quiz import names
from tallymark.packs.quiz.policy import ATTEMPT, of_quiz
from tallymark.packs.quiz.viewer import Viewer
from tallymark.spec.condition import Comparison, Op, Prop, event, human
from tallymark.spec.funnel import Funnel, Step
from tallymark.spec.window import Window

#: Questions that a funnel shows; it has two steps besides, and no more than 32.
MOST_QUESTIONS: Final = 30

_QUESTION: Final = text_of(Prop(names.QUESTION))
_ATTEMPT: Final = f"if({text_of(Prop(names.ATTEMPT_ID))} = '', hex(event_id), {text_of(Prop(names.ATTEMPT_ID))})"


@dataclass(frozen=True)
class Questions:
    """The questions of a quiz in their order, and how many more there are than are shown."""

    shown: tuple[str, ...]
    left_out: int


def questions(viewer: Viewer, quiz: str, window: Window) -> Questions:
    """The questions that were answered or skipped in a window, by their median place in attempts, then by name."""
    asked = condition_sql(event(names.ANSWERED) & human() & of_quiz(quiz))
    first = (
        f"SELECT {_ATTEMPT} AS attempt, {_QUESTION} AS question, min((occurred_at, event_id)) AS met "
        f"FROM {events_between()} WHERE {asked} AND question != '' GROUP BY attempt, question"
    )
    placed = f"SELECT question, row_number() OVER (PARTITION BY attempt ORDER BY met) AS place FROM ({first})"
    rows = viewer.engine.query(
        f"SELECT question FROM ({placed}) GROUP BY question ORDER BY quantileExactInclusive(0.5)(place), question",
        span(viewer.project.id, window.start, window.end),
    )
    found = [question for (question,) in rows]
    return Questions(tuple(found[:MOST_QUESTIONS]), max(0, len(found) - MOST_QUESTIONS))


def funnel_of(quiz: str, asked: Sequence[str], within: int) -> Funnel:
    """From the start of an attempt by each question, answered or skipped, to the submission."""
    mine = human() & of_quiz(quiz)
    answers = (
        Step(name, event(names.ANSWERED) & mine & Comparison(Prop(names.QUESTION), Op.IS, (name,))) for name in asked
    )
    steps = (Step("Start", ATTEMPT & of_quiz(quiz)), *answers, Step("Submission", event(names.SUBMITTED) & mine))
    return Funnel("", f"Quiz {quiz}", steps, within)
