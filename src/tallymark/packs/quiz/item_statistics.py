"""Classical item analysis, from sums over attempts: how hard each question is, and how well it tells learners apart.

The definitions are those of Moodle's quiz statistics report, as shares and correlations instead of percents:
<https://docs.moodle.org/dev/Quiz_statistics_calculations> (item statistics) and
<https://docs.moodle.org/dev/Quiz_report_statistics> (what they mean). Variances and covariances divide by n - 1.
What is not defined, such as a correlation with something that does not vary, is None.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt


@dataclass(frozen=True)
class ItemSums:
    """What is known of a question's marks in `n` submitted attempts that were shown it.

    A mark is the score of the last answer, 0 where it was skipped or is not marked; the rest is the sum of the other
    questions' marks of the same attempt. `skipped` and `marked` of the `n` were skipped, or have a mark of their own;
    `max_mark` is the highest possible, `options` how many answers are offered. `covariance_max` is that of marks and
    rests each sorted: the highest that these could have. Variances and covariances need two attempts. Times are of
    answers, in milliseconds. `ended` attempts that were not submitted came to their end here.
    """

    question: str
    n: int
    skipped: int
    marked: int
    max_mark: float
    options: int | None
    mean: float | None
    rest_mean: float | None
    variance: float | None
    rest_variance: float | None
    covariance: float | None
    covariance_max: float | None
    time_median: float | None
    time_p90: float | None
    ended: int

    @property
    def graded(self) -> bool:
        """Whether it counts: somebody's answer is marked, or everybody skipped it."""
        return self.n > 0 and (self.marked > 0 or self.skipped == self.n)

    @property
    def facility(self) -> float | None:
        """The mean mark as a share of the highest possible."""
        return self.mean / self.max_mark if self.graded and self.mean is not None else None

    @property
    def standard_deviation(self) -> float | None:
        """Of the marks, as a share of the highest possible."""
        return sqrt(self.variance) / self.max_mark if self.graded and self.variance is not None else None

    @property
    def random_guess(self) -> float | None:
        """The facility if everybody guessed, one of the answers offered being right."""
        return 1 / self.options if self.options else None

    @property
    def discrimination(self) -> float | None:
        """The correlation of the mark with the rest."""
        return correlation(self.covariance, self.variance, self.rest_variance)

    @property
    def efficiency(self) -> float | None:
        """The covariance of mark and rest as a share of the highest that these marks and rests could have."""
        if self.covariance is None or not self.covariance_max:
            return None
        return self.covariance / self.covariance_max

    @property
    def total_covariance(self) -> float | None:
        """The covariance of the mark with the sum of all marks."""
        return None if self.covariance is None or self.variance is None else self.covariance + self.variance


def intended_weights(items: Sequence[ItemSums]) -> list[float | None]:
    """The share of each in the highest possible sum of marks."""
    graded = sum(item.max_mark for item in items if item.graded)
    return [item.max_mark / graded if item.graded else None for item in items]


def effective_weights(items: Sequence[ItemSums]) -> list[float | None]:
    """The share of each in what makes sums of marks vary: root of the covariance with the sum, over all such roots.

    None for one that goes against the sum.
    """
    roots = [_root(item.total_covariance if item.graded else None) for item in items]
    together = sum(root for root in roots if root is not None)
    return [None if root is None or not together else root / together for root in roots]


def _root(covariance: float | None) -> float | None:
    return None if covariance is None or covariance < 0 else sqrt(covariance)


def correlation(covariance: float | None, one: float | None, other: float | None) -> float | None:
    """The correlation of two values with these variances; None where one does not vary."""
    if covariance is None or not one or not other:
        return None
    return max(-1.0, min(1.0, covariance / sqrt(one * other)))


@dataclass(frozen=True)
class AnswerSums:
    """An answer that `n` attempts chose, and means of their marks and rests.

    `correct` says whether it is marked right, None where it is not marked; `other` stands for all that are not listed.
    """

    answer: str
    n: int
    correct: bool | None
    mean: float
    rest_mean: float
    other: bool = False

    def share(self, item: ItemSums) -> float:
        """The share of the attempts that were shown the question which chose it."""
        return self.n / item.n

    def point_biserial(self, item: ItemSums) -> float | None:
        """The correlation of choosing it (1, else 0) with the rest.

        Of the right answer of a question that gives 1 or 0 this is the question's discrimination.
        """
        if item.n < 2 or item.rest_mean is None:
            return None
        covariance = self.n * (self.rest_mean - item.rest_mean) / (item.n - 1)
        variance = self.n * (item.n - self.n) / (item.n * (item.n - 1))
        return correlation(covariance, variance, item.rest_variance)
