"""What statistics know of a metric in a variant: how many units, and means and covariances of their values.

A unit's values have names: `UPPER` is what is measured, `LOWER` what it is divided by where the metric is a ratio;
`UPPER_BEFORE` and `LOWER_BEFORE` are the same from before the unit's first exposure.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

UPPER: Final = "upper"
LOWER: Final = "lower"
UPPER_BEFORE: Final = "upper_before"
LOWER_BEFORE: Final = "lower_before"

#: The kinds of metrics that say whether a unit has done something, rather than how much.
SHARES: Final = ("conversion", "retention")

#: Two names of values in the order of the alphabet; a variance has the same name twice.
Pair = tuple[str, str]


def pair(one: str, other: str) -> Pair:
    """Two names in their order."""
    return (one, other) if one <= other else (other, one)


@dataclass(frozen=True)
class Sample:
    """`n` units; the means of their values by name, and unbiased covariances, which need two units, by pairs."""

    n: int
    means: Mapping[str, float] = field(default_factory=dict)
    covariances: Mapping[Pair, float] = field(default_factory=dict)

    def variance(self, name: str) -> float | None:
        """The variance of a value; None with fewer than two units."""
        return self.covariances.get((name, name))


@dataclass(frozen=True)
class Sums:
    """Exact sums over units: of values, and of products of two, each in the value's own fraction of one.

    `scales` says how many parts of a value are one. Nothing is rounded before `sample` divides, so that neither
    large values nor a small spread around them lose digits.
    """

    n: int
    totals: Mapping[str, int]
    products: Mapping[Pair, int]
    scales: Mapping[str, int]

    def sample(self) -> Sample:
        """Means and covariances."""
        if not self.n:
            return Sample(0)
        means = {name: total / (self.n * self.scales[name]) for name, total in self.totals.items()}
        return Sample(self.n, means, {} if self.n < 2 else {names: self._covariance(names) for names in self.products})

    def _covariance(self, names: Pair) -> float:
        one, other = names
        whole = self.n * self.products[names] - self.totals[one] * self.totals[other]
        return whole / (self.n * (self.n - 1) * self.scales[one] * self.scales[other])
