"""Reads what item analysis needs of a quiz, with one statement for each: scores, questions, answers, retakes."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isnan
from typing import Any

from tallymark.engine.base import Engine
from tallymark.engine.source import span
from tallymark.packs.quiz import item_sql
from tallymark.packs.quiz.item_statistics import AnswerSums, ItemSums
from tallymark.packs.quiz.policy import Policy
from tallymark.packs.quiz.quiz_statistics import Scores
from tallymark.spec.project import Project
from tallymark.spec.window import Window


@dataclass(frozen=True)
class Attempts:
    """How many attempts were submitted, how many not, and the submitted ones' scores."""

    submitted: int
    unsubmitted: int
    scores: Scores


@dataclass(frozen=True)
class Items:
    """The questions of a quiz in the order attempts meet them.

    `n` submitted attempts were shown any; `variance` is that of the sums of their marks.
    """

    n: int
    variance: float | None
    items: Sequence[ItemSums]


@dataclass(frozen=True)
class Answers:
    """The most frequent answers to a question, and all others as one; there are so many `different` ones."""

    answers: Sequence[AnswerSums]
    different: int


@dataclass(frozen=True)
class Retakes:
    """How many learners submitted more than once, and what their last score is above their first, on average."""

    n: int
    gain: float | None


@dataclass(frozen=True)
class ItemAnalysis:
    """The attempts at a quiz that began within a window, as far as a policy lets them count."""

    engine: Engine
    project: Project
    quiz: str
    window: Window
    policy: Policy

    def attempts(self) -> Attempts:
        """Counts and scores of attempts."""
        ((done, undone, n, mean, median, squares, cubes, fourths, bands),) = self._read(item_sql.scores(self.policy))
        middle = _number(median)
        scores = Scores(n, mean if n else None, middle, squares, cubes, fourths, tuple(bands))
        return Attempts(done, undone, scores)

    def items(self) -> Items:
        """Every question."""
        read = [_item(row) for row in self._read(item_sql.items(self.policy))]
        whole = next((item for item in read if not item.question), None)
        items = [item for item in read if item.question]
        return Items(0, None, items) if whole is None else Items(whole.n, whole.variance, items)

    def answers(self, question: str, limit: int) -> Answers:
        """The answers to one question."""
        rows = self._read(item_sql.answers(self.policy), question=question, limit=limit)
        return Answers([_answer(row) for row in rows], rows[0][-1] if rows else 0)

    def retakes(self) -> Retakes:
        """Learners' first and last attempts, whatever the policy."""
        ((n, gain),) = self._read(item_sql.retakes())
        return Retakes(n, _number(gain))

    def _read(self, sql: str, **more: object) -> Sequence[Sequence[Any]]:
        bounds = span(self.project.id, self.window.start, self.window.end)
        return self.engine.query(sql, {**bounds, "quiz": self.quiz, **more})


def _item(row: Sequence[Any]) -> ItemSums:
    question, n, skipped, marked, max_mark, options, mean, rest_mean, *of_two, median, p90, ended = row
    variance, rest_variance, covariance, covariance_max = map(_number, of_two if n > 1 else [None] * 4)
    return ItemSums(
        question, n, skipped, marked, max_mark, None if options is None else int(options), _number(mean),
        _number(rest_mean), variance, rest_variance, covariance, covariance_max, _number(median), _number(p90), ended,
    )  # fmt: skip


def _answer(row: Sequence[Any]) -> AnswerSums:
    _, answer, other, n, correct, mean, rest_mean, _ = row
    return AnswerSums(answer, n, None if correct is None else bool(correct), mean, rest_mean, bool(other))


def _number(value: float | None) -> float | None:
    """The engine's number; it has none for what it can't compute."""
    return None if value is None or isnan(value) else value
