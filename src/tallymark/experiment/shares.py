"""Whether two shares differ: by the normal distribution, and exactly where that does not fit."""

import math
from dataclasses import dataclass
from typing import Final

import scipy.special
import scipy.stats

#: With fewer units expected on either side, the normal distribution does not fit.
_FEWEST_EXPECTED: Final = 5

#: How many units did, and how many there are.
Share = tuple[int, int]


@dataclass(frozen=True)
class PValues:
    """P-values of a difference: two-sided, of having risen and of having fallen; None what can't be told."""

    two_sided: float | None = None
    risen: float | None = None
    fallen: float | None = None


def exact(control: Share, treated: Share) -> PValues:
    """Fisher's exact test: good for any number of units, and where a share is all or nothing."""
    table = [_sides(treated), _sides(control)]
    two_sided, risen, fallen = (
        float(scipy.stats.fisher_exact(table, alternative=alternative).pvalue)
        for alternative in ("two-sided", "greater", "less")
    )
    return PValues(min(1.0, two_sided), min(1.0, risen), min(1.0, fallen))


def compared(control: Share, treated: Share) -> PValues:
    """The score test: the difference in standard errors of a share that both have; exact with few units."""
    if not control[1] or not treated[1]:
        return PValues()
    if _fewest_expected(control, treated) < _FEWEST_EXPECTED:
        return exact(control, treated)
    share = (control[0] + treated[0]) / (control[1] + treated[1])
    error = math.sqrt(share * (1 - share) * (1 / control[1] + 1 / treated[1]))
    z = (treated[0] / treated[1] - control[0] / control[1]) / error
    risen, fallen = float(scipy.special.ndtr(-z)), float(scipy.special.ndtr(z))
    return PValues(min(1.0, 2 * min(risen, fallen)), risen, fallen)


def _sides(share: Share) -> tuple[int, int]:
    return share[0], share[1] - share[0]


def _fewest_expected(control: Share, treated: Share) -> float:
    """The smallest number of units that both together let expect in a variant, of those that did or did not."""
    did, n = control[0] + treated[0], control[1] + treated[1]
    return min(did, n - did) * min(control[1], treated[1]) / n
