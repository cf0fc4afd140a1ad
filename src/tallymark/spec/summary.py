"""The states of measures as Python values: zero, merge, present. The laws in the tests hold for each.

The engine merges millions of states; these present what it merged, and are its oracle in the tests.
"""

import math
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate
from typing import Self

#: Sums are kept in billionths.
SCALE = 1_000_000_000

#: Width of a bucket of a distribution, as a factor; a presented quantile is within half of it: 0.5 %.
GAMMA = 1.01

_LOG_GAMMA = math.log(GAMMA)

#: Bucket of the value zero, below every other.
ZERO_BUCKET = -32_768

#: Positive values below this share the lowest bucket.
SMALLEST = 1e-9


def scaled(value: float) -> int:
    """A number in billionths. Whole numbers are exact; of others the ninth decimal is as exact as the number has it."""
    whole = math.trunc(value)
    return whole * SCALE + round((value - whole) * SCALE)


@dataclass(frozen=True)
class Moments:
    """Count, sum (in billionths) and sum of squares (in billionths squared) of a number."""

    n: int = 0
    total: int = 0
    squares: int = 0

    @classmethod
    def of(cls, values: Iterable[float]) -> Self:
        """The moments of plain numbers."""
        found = [scaled(value) for value in values]
        return cls(len(found), sum(found), sum(value * value for value in found))

    def merge(self, other: Self) -> Self:
        """The moments of both together."""
        return type(self)(self.n + other.n, self.total + other.total, self.squares + other.squares)

    @property
    def sum(self) -> float:
        """The sum in the number's own unit."""
        return self.total / SCALE

    @property
    def mean(self) -> float | None:
        """The mean; None without rows."""
        return self.total / self.n / SCALE if self.n else None

    @property
    def variance(self) -> float | None:
        """The unbiased variance (n-1); None with fewer than two rows."""
        if self.n < 2:
            return None
        return (self.squares * self.n - self.total * self.total) / (self.n * (self.n - 1)) / SCALE**2


@dataclass(frozen=True)
class Distribution:
    """Counts of a number of zero or more in logarithmic buckets 1 % wide."""

    buckets: Mapping[int, int] = field(default_factory=dict)

    @classmethod
    def of(cls, values: Iterable[float]) -> Self:
        """The distribution of plain numbers; negative ones are left out."""
        counts: dict[int, int] = {}
        for value in values:
            if value >= 0:
                bucket = bucket_of(value)
                counts[bucket] = counts.get(bucket, 0) + 1
        return cls(counts)

    def merge(self, other: Self) -> Self:
        """The distribution of both together."""
        merged = dict(self.buckets)
        for bucket, n in other.buckets.items():
            merged[bucket] = merged.get(bucket, 0) + n
        return type(self)(merged)

    @property
    def n(self) -> int:
        """How many numbers."""
        return sum(self.buckets.values())

    def quantile(self, level: float) -> float | None:
        """The smallest number that at least `level` of all do not exceed, within 0.5 %; None without any.

        The nearest-rank definition: rank ceil(level * n), at least 1.
        """
        buckets, seen = self._cumulated
        if not buckets:
            return None
        rank = max(1, math.ceil(level * seen[-1]))
        return value_of(buckets[bisect_left(seen, rank)])

    @cached_property
    def _cumulated(self) -> tuple[list[int], list[int]]:
        """The buckets in order, and how many numbers are in each and those before it."""
        buckets = sorted(self.buckets)
        return buckets, list(accumulate(map(self.buckets.__getitem__, buckets)))


def bucket_of(value: float) -> int:
    """The bucket a number of zero or more falls into."""
    if value <= 0:
        return ZERO_BUCKET
    return math.floor(math.log(max(value, SMALLEST)) / _LOG_GAMMA)


def value_of(bucket: int) -> float:
    """The number that stands for a bucket, rounded to six significant digits: its middle, in relative terms."""
    if bucket == ZERO_BUCKET:
        return 0.0
    middle: float = GAMMA**bucket * 2 * GAMMA / (1 + GAMMA)
    return float(f"{middle:.6g}")
