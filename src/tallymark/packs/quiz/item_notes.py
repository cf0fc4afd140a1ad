"""What is worth a look in the statistics of a quiz and of its questions, as codes for programs.

The limits are those of Moodle's report where it has any: <https://docs.moodle.org/dev/Quiz_report_statistics>.
"""

from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Final

from tallymark.packs.quiz.item_statistics import AnswerSums, ItemSums


class Note(StrEnum):
    """What may be wrong with a question, an answer or a quiz."""

    FEW_ATTEMPTS = "few_attempts"
    NOT_GRADED = "not_graded"
    NO_VARIANCE = "no_variance"
    NOT_SEEN_BY_ALL = "not_seen_by_all"
    VERY_EASY = "very_easy"
    VERY_HARD = "very_hard"
    NEGATIVE_DISCRIMINATION = "negative_discrimination"
    LOW_DISCRIMINATION_EFFICIENCY = "low_discrimination_efficiency"
    LOW_ALPHA = "low_alpha"
    REPEATED_ATTEMPTS = "repeated_attempts"
    RARELY_CHOSEN = "rarely_chosen"
    WRONG_BUT_PREFERRED = "wrong_but_preferred"


#: Of fewer attempts statistics say little.
_FEW: Final = 30
_EASY: Final = 0.95
_HARD: Final = 0.05
#: Moodle marks a question below it, and calls a quiz below the other unsatisfactory as a whole.
_LOW_EFFICIENCY: Final = 0.15
_LOW_ALPHA: Final = 0.64
_RARE: Final = 0.05


def of_item(item: ItemSums, attempts: int) -> Iterator[Note]:
    """Notes on a question, of a quiz with so many attempts that were shown any."""
    if item.n < _FEW:
        yield Note.FEW_ATTEMPTS
    if item.n < attempts:
        yield Note.NOT_SEEN_BY_ALL
    if not item.graded:
        yield Note.NOT_GRADED
    if item.graded and item.variance == 0:
        yield Note.NO_VARIANCE
    yield from _of_marks(item)


def _of_marks(item: ItemSums) -> Iterator[Note]:
    """Notes on how hard it is and how well it tells learners apart, as far as that is known."""
    facility, discrimination, efficiency = item.facility, item.discrimination, item.efficiency
    if facility is not None and facility > _EASY:
        yield Note.VERY_EASY
    if facility is not None and facility < _HARD:
        yield Note.VERY_HARD
    if discrimination is not None and discrimination < 0:
        yield Note.NEGATIVE_DISCRIMINATION
    elif efficiency is not None and efficiency < _LOW_EFFICIENCY:
        yield Note.LOW_DISCRIMINATION_EFFICIENCY


def of_answer(answer: AnswerSums, item: ItemSums) -> Iterator[Note]:
    """Notes on an answer that is marked wrong: hardly anyone takes it for right, or those who know more do."""
    if answer.correct is not False:
        return
    if answer.share(item) < _RARE:
        yield Note.RARELY_CHOSEN
    if (answer.point_biserial(item) or 0) > 0:
        yield Note.WRONG_BUT_PREFERRED


def of_quiz(items: Sequence[ItemSums], attempts: int, alpha: float | None, repeated: bool) -> Iterator[Note]:
    """Notes on a quiz with so many attempts, shown a question where any was; `repeated` if learners' repeats count."""
    if attempts < _FEW:
        yield Note.FEW_ATTEMPTS
    if alpha is not None and alpha < _LOW_ALPHA:
        yield Note.LOW_ALPHA
    if any(item.graded and item.n < attempts for item in items):
        yield Note.NOT_SEEN_BY_ALL
    if repeated:
        yield Note.REPEATED_ATTEMPTS
