"""Statistics of a quiz as a whole, from sums over attempts: how its scores lie, and how far they can be relied on.

The definitions are those of Moodle's quiz statistics report:
<https://docs.moodle.org/dev/Quiz_statistics_calculations> (test statistics). Variances divide by n - 1; skewness and
kurtosis are the k-statistics k3 / k2^1.5 and k4 / k2^2. What is not defined is None.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

from tallymark.packs.quiz.item_statistics import ItemSums


@dataclass(frozen=True)
class Scores:
    """The scores of `n` submitted attempts, in percent.

    `squares`, `cubes` and `fourths` are sums of powers of what they are off their mean; `bands` how many lie in each
    tenth from 0 to 100, which the last includes.
    """

    n: int
    mean: float | None
    median: float | None
    squares: float
    cubes: float
    fourths: float
    bands: tuple[int, ...]

    @property
    def standard_deviation(self) -> float | None:
        """Their spread; None of fewer than two."""
        return sqrt(self.squares / (self.n - 1)) if self.n > 1 else None

    @property
    def skewness(self) -> float | None:
        """Above 0 with a tail to the right; None of fewer than three, or of equal ones."""
        if self.n < 3 or not self.squares:
            return None
        k2, k3 = self.squares / (self.n - 1), self.n * self.cubes / ((self.n - 1) * (self.n - 2))
        return float(k3 / k2**1.5)

    @property
    def kurtosis(self) -> float | None:
        """0 for a normal distribution; None of fewer than four, or of equal ones."""
        n = self.n
        if n < 4 or not self.squares:
            return None
        k2, m2, m4 = self.squares / (n - 1), self.squares / n, self.fourths / n
        k4 = n**2 * ((n + 1) * m4 - 3 * (n - 1) * m2**2) / ((n - 1) * (n - 2) * (n - 3))
        return k4 / k2**2


def alpha(items: Sequence[ItemSums], n: int, variance: float | None) -> float | None:
    """Cronbach's alpha, which Moodle calls the coefficient of internal consistency.

    `n` attempts have sums of marks with that `variance`; a question that one was not shown counts 0 in it. None with
    fewer than two questions or attempts, or where no sum differs from another.
    """
    graded = [item for item in items if item.graded]
    if len(graded) < 2 or n < 2 or not variance:
        return None
    own = sum(_variance(item, n) for item in graded)
    return len(graded) / (len(graded) - 1) * (1 - own / variance)


def _variance(item: ItemSums, n: int) -> float:
    """The variance of its marks with a 0 for each of the `n` attempts that were not shown it."""
    within = (item.n - 1) * (item.variance or 0)
    between = item.n * (item.mean or 0) ** 2 * (1 - item.n / n)
    return (within + between) / (n - 1)


def error_ratio(alpha: float | None) -> float | None:
    """The share of a score's standard deviation that chance explains."""
    return None if alpha is None else sqrt(max(0.0, 1 - alpha))


def standard_error(deviation: float | None, alpha: float | None) -> float | None:
    """How far a score is off its true value: the standard error of measurement."""
    ratio = error_ratio(alpha)
    return None if ratio is None or deviation is None else deviation * ratio
