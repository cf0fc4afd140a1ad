"""A quantile of the units' values by its rank: how sure it is, and whether it differs from control's.

Whether it differs is asked of the shares of units at or below the quantile of both variants together, a score test:
that holds for any values, also where many units have the same. How far it differs is as sure as order statistics and
the binomial distribution say, which is right only where few units share a value.
"""

import math
from dataclasses import dataclass

import scipy.special
import scipy.stats

from tallymark.experiment.sample import UPPER, Sample
from tallymark.experiment.shares import PValues, compared


@dataclass(frozen=True)
class Ranked:
    """Of `n` values in order: the one at the quantile's rank, and two around it with their ranks, which begin at 1.

    `equal` units have just its value. `at_most` units, and `control_at_most` of control's, have at most the quantile
    of control and this variant together.
    """

    n: int
    value: float
    low_rank: int
    low: float
    high_rank: int
    high: float
    equal: int
    at_most: int
    control_at_most: int

    def sample(self, level: float) -> Sample:
        """The quantile as a mean whose standard error is its own.

        Between two order statistics lies the quantile with a chance that the binomial distribution gives exactly; so
        many standard errors of a normal distribution are they apart. Price and Bonett, "Distribution-free confidence
        intervals for difference and ratio of medians", Journal of Statistical Computation and Simulation 72 (2002);
        for any quantile and large samples: Deng, Knoblich and Lu, "Applying the Delta Method in Metric Analytics",
        KDD 2018, section 4.
        """
        error = self._standard_error(level)
        return Sample(self.n, {UPPER: self.value}, {} if error is None else {(UPPER, UPPER): error * error * self.n})

    def _standard_error(self, level: float) -> float | None:
        """None where too few values are around the quantile, or more share its value than its rank is unsure by.

        With that many equal ones the quantile moves by whole steps or not at all, and order statistics say neither.
        """
        below = scipy.stats.binom.cdf(self.low_rank - 1, self.n, level)
        above = scipy.stats.binom.sf(self.high_rank - 1, self.n, level)
        outside = float(below + above)
        tied = self.equal > max(1.0, math.sqrt(self.n * level * (1 - level)))
        if tied or self.low == self.high or not 0 < outside < _MOST_OUTSIDE:
            return None
        return (self.high - self.low) / (-2 * float(scipy.special.ndtri(outside / 2)))


def p_values(control: Ranked, treated: Ranked) -> PValues:
    """Whether the quantile differs from control's; where fewer units are below, it has risen."""
    shares = compared((treated.control_at_most, control.n), (treated.at_most, treated.n))
    return PValues(shares.two_sided, risen=shares.fallen, fallen=shares.risen)


#: The two order statistics must hold the quantile between them with a chance of at least four in five.
_MOST_OUTSIDE = 0.2
