"""Two versions of an evaluator, compared on the exchanges that both judged."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from scipy import stats

#: How many exchanges got a score from the one version and a score from the other.
Table = Mapping[tuple[int, int], int]

#: Of the interval around the mean difference.
CONFIDENCE: Final = 0.95


@dataclass(frozen=True)
class Compared:
    """A score by two versions, on `n` exchanges: means, the mean difference and its interval, and how many moved where.

    `better`, `worse` and `equal` are shares of the exchanges. None is what no exchange tells; the interval is None
    where all differ by the same as well.
    """

    n: int
    before: float | None
    after: float | None
    difference: float | None
    low: float | None
    high: float | None
    better: float | None
    worse: float | None
    equal: float | None


_NOTHING: Final = Compared(0, None, None, None, None, None, None, None, None)


def compare(table: Table) -> Compared:
    """The later version less the earlier one, exchange by exchange; the interval is that of the paired t-test."""
    n = sum(table.values())
    if not n:
        return _NOTHING
    before, after = (sum(pair[place] * count for pair, count in table.items()) / n for place in (0, 1))
    total = sum((new - old) * count for (old, new), count in table.items())
    better = sum(count for (old, new), count in table.items() if new > old)
    worse = sum(count for (old, new), count in table.items() if new < old)
    low, high = _interval(table, n, total)
    return Compared(
        n=n,
        before=before,
        after=after,
        difference=total / n,
        low=low,
        high=high,
        better=better / n,
        worse=worse / n,
        equal=(n - better - worse) / n,
    )


def _interval(table: Table, n: int, total: int) -> tuple[float | None, float | None]:
    """Around the mean of the differences. Sums are whole numbers, so that equal differences have no spread at all."""
    squares = sum((new - old) ** 2 * count for (old, new), count in table.items())
    spread = n * squares - total**2
    if n < 2 or not spread:
        return None, None
    error = math.sqrt(spread / (n - 1)) / n
    reach = float(stats.t.ppf((1 + CONFIDENCE) / 2, n - 1)) * error
    return total / n - reach, total / n + reach
