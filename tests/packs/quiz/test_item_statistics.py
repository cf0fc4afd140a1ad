"""The formulas of item analysis: an example worked out by hand, and laws."""

import statistics
from collections.abc import Sequence
from dataclasses import replace
from math import sqrt
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tallymark.packs.quiz import item_notes
from tallymark.packs.quiz.item_notes import Note
from tallymark.packs.quiz.item_statistics import AnswerSums, ItemSums, effective_weights, intended_weights
from tallymark.packs.quiz.quiz_statistics import Scores, alpha, error_ratio, standard_error

Marks = Sequence[Sequence[int]]

#: Four attempts at three questions, each harder than the one before: who solves one has solved those before.
STAIRS = ((1, 1, 1), (1, 1, 0), (1, 0, 0), (0, 0, 0))

LAW = settings(max_examples=40)


def items_of(marks: Marks) -> list[ItemSums]:
    """The sums over attempts (rows) of each question (column)."""
    return [_item(f"q{column}", marks, column) for column in range(len(marks[0]))]


def _item(question: str, marks: Marks, column: int) -> ItemSums:
    own, rests = [row[column] for row in marks], [sum(row) - row[column] for row in marks]
    covariance, most = statistics.covariance(own, rests), statistics.covariance(sorted(own), sorted(rests))
    return ItemSums(
        question, len(own), 0, len(own), 1, None, statistics.fmean(own), statistics.fmean(rests),
        statistics.variance(own), statistics.variance(rests), covariance, most, None, None, 0,
    )  # fmt: skip


def scores_of(grades: Sequence[float]) -> Scores:
    """The sums over grades."""
    mean = statistics.fmean(grades)
    squares, cubes, fourths = (sum((grade - mean) ** power for grade in grades) for power in (2, 3, 4))
    return Scores(len(grades), mean, statistics.median(grades), squares, cubes, fourths, (0,) * 10)


def alpha_of(marks: Marks) -> float | None:
    """Of those attempts, all of which were shown everything."""
    return alpha(items_of(marks), len(marks), statistics.variance([sum(row) for row in marks]))


def test_an_example_worked_out_by_hand() -> None:
    items = items_of(STAIRS)
    assert [item.facility for item in items] == [0.75, 0.5, 0.25]
    assert [item.standard_deviation for item in items] == pytest.approx([0.5, sqrt(1 / 3), 0.5])
    # Of the first question: its rests are 2, 1, 0, 0, their variance 11/12, the covariance 1/4.
    assert items[0].discrimination == pytest.approx(0.25 / sqrt(0.25 * 11 / 12))
    assert [item.efficiency for item in items] == pytest.approx([1, 1, 1])
    assert intended_weights(items) == pytest.approx([1 / 3, 1 / 3, 1 / 3])
    roots = [sqrt(1 / 2), sqrt(2 / 3), sqrt(1 / 2)]
    assert effective_weights(items) == pytest.approx([root / sum(roots) for root in roots])
    # Variances of 1/4, 1/3 and 1/4, and of 5/3 for the sums 3, 2, 1, 0.
    assert alpha_of(STAIRS) == pytest.approx(3 / 2 * (1 - (5 / 6) / (5 / 3)))
    scores = scores_of([100, 200 / 3, 100 / 3, 0])
    assert scores.standard_deviation == pytest.approx(100 / 3 * sqrt(5 / 3))
    assert standard_error(scores.standard_deviation, 0.75) == pytest.approx(100 / 6 * sqrt(5 / 3))
    assert scores.skewness == pytest.approx(0, abs=1e-12)
    assert scores.kurtosis == pytest.approx(-1.2)


def test_a_question_that_some_were_not_shown_counts_nothing_for_them() -> None:
    seen = replace(_item("q", [(1, 0), (1, 1), (0, 1)], 0), question="seen")
    filled = _item("filled", [(1, 0), (1, 1), (0, 1), (0, 0), (0, 1)], 0)
    others = items_of([(0, 0), (0, 1), (0, 1), (0, 0), (0, 1)])[1:]
    assert alpha([seen, *others], 5, 0.7) == pytest.approx(alpha([filled, *others], 5, 0.7))


@st.composite
def matrices(draw: st.DrawFn, most: int = 3) -> list[list[int]]:
    """Marks of up to eight attempts at two to four questions, whose sums are not all the same."""
    columns = draw(st.integers(2, 4))
    row = st.lists(st.integers(0, most), min_size=columns, max_size=columns)
    return draw(st.lists(row, min_size=2, max_size=8).filter(lambda rows: len({sum(each) for each in rows}) > 1))


@LAW
@given(matrices(), st.randoms(use_true_random=False))
def test_alpha_knows_no_order_and_is_never_above_one(marks: Marks, shuffle: Random) -> None:
    order = list(range(len(marks[0])))
    shuffle.shuffle(order)
    found = alpha_of(marks)
    assert found is not None
    assert alpha_of([[row[place] for place in order] for row in marks]) == pytest.approx(found)
    assert found <= 1 + 1e-12
    assert standard_error(10, found) == pytest.approx(10 * sqrt(max(0, 1 - found)))
    assert error_ratio(found) == pytest.approx(sqrt(max(0, 1 - found)))


@LAW
@given(matrices())
def test_questions_that_say_the_same_are_as_reliable_as_can_be(marks: Marks) -> None:
    assert alpha_of([[sum(row)] * 3 for row in marks]) == pytest.approx(1)


@LAW
@given(matrices(most=1))
def test_the_right_answer_is_chosen_as_the_question_is_solved(marks: Marks) -> None:
    for column, item in enumerate(items_of(marks)):
        rests = [sum(row) - row[column] for row in marks if row[column]]
        if not rests:
            continue
        right = AnswerSums("right", len(rests), True, 1, statistics.fmean(rests))
        told = right.point_biserial(item)
        if item.discrimination is None:
            assert told is None
        else:
            assert told == pytest.approx(item.discrimination)


@LAW
@given(matrices())
def test_correlations_and_weights_are_what_they_may_be(marks: Marks) -> None:
    items = items_of(marks)
    for item in items:
        assert item.discrimination is None or -1 <= item.discrimination <= 1
        assert item.efficiency is None or item.efficiency <= 1 + 1e-12
    weights = [weight for weight in effective_weights(items) if weight is not None]
    assert sum(weights) == pytest.approx(1)


@LAW
@given(st.lists(st.integers(0, 100), min_size=4, max_size=12).filter(lambda grades: len(set(grades)) > 1))
def test_moments_are_those_of_scipy(grades: list[int]) -> None:
    scores = scores_of(grades)
    assert scores.skewness == pytest.approx(float(stats.skew(grades, bias=False)), abs=1e-9)
    assert scores.kurtosis == pytest.approx(float(stats.kurtosis(grades, bias=False)), abs=1e-9)


@pytest.mark.parametrize("n", range(5))
def test_what_few_scores_do_not_define(n: int) -> None:
    scores = Scores(n, 1, 1, n, n, n, ())
    known = [value is not None for value in (scores.standard_deviation, scores.skewness, scores.kurtosis)]
    assert known == [n > 1, n > 2, n > 3]
    alike = Scores(n, 1, 1, 0, 0, 0, ())
    assert (alike.skewness, alike.kurtosis) == (None, None)


EVEN = replace(_item("q", STAIRS, 1), n=100, marked=100)


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (EVEN, []),
        (replace(EVEN, n=29), [Note.FEW_ATTEMPTS, Note.NOT_SEEN_BY_ALL]),
        (replace(EVEN, marked=0), [Note.NOT_GRADED]),
        (replace(EVEN, marked=0, skipped=100, mean=0.0), [Note.VERY_HARD]),
        (replace(EVEN, mean=0.96), [Note.VERY_EASY]),
        (replace(EVEN, variance=0.0), [Note.NO_VARIANCE]),
        (replace(EVEN, covariance=-0.1), [Note.NEGATIVE_DISCRIMINATION]),
        (replace(EVEN, covariance=0.01), [Note.LOW_DISCRIMINATION_EFFICIENCY]),
    ],
)
def test_notes_on_a_question(item: ItemSums, expected: list[Note]) -> None:
    assert list(item_notes.of_item(item, 100)) == expected


def test_notes_on_answers_and_quizzes() -> None:
    wrong = AnswerSums("wrong", 4, False, 0, 0.5)
    assert list(item_notes.of_answer(wrong, EVEN)) == [Note.RARELY_CHOSEN]
    assert list(item_notes.of_answer(replace(wrong, n=40, rest_mean=1.5), EVEN)) == [Note.WRONG_BUT_PREFERRED]
    assert list(item_notes.of_answer(replace(wrong, correct=True), EVEN)) == []
    assert list(item_notes.of_quiz([EVEN], 100, 0.8, repeated=False)) == []
    assert list(item_notes.of_quiz([EVEN], 101, 0.63, repeated=True)) == [
        Note.LOW_ALPHA, Note.NOT_SEEN_BY_ALL, Note.REPEATED_ATTEMPTS
    ]  # fmt: skip
    assert list(item_notes.of_quiz([EVEN], 20, None, repeated=False)) == [Note.FEW_ATTEMPTS]
