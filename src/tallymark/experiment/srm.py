"""Sample ratio mismatch: whether units met the variants as the weights say; if not, no other number can be trusted.

Fabijan et al., "Diagnosing Sample Ratio Mismatch in Online Controlled Experiments", KDD 2019.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import scipy.stats

from tallymark.spec.experiment import Variant

#: A p-value below this is an alert: looked at daily for months, a sound experiment hardly ever gets there.
ALERT_BELOW: Final = 0.001

#: With fewer units expected of a variant, the chi-square distribution does not fit.
_FEWEST_EXPECTED: Final = 5


@dataclass(frozen=True)
class Srm:
    """Units by variant, how many the weights let expect, and the p-value of the chi-square test; None with too few."""

    observed: Mapping[str, int]
    expected: Mapping[str, float]
    p_value: float | None

    @property
    def alert(self) -> bool:
        """Whether the variants' sizes can't be chance."""
        return self.p_value is not None and self.p_value < ALERT_BELOW


def srm(variants: Sequence[Variant], observed: Mapping[str, int]) -> Srm:
    """The check of an experiment's sizes. A variant without weight must have no units."""
    total, weights = sum(observed.values()), sum(variant.weight for variant in variants)
    expected = {variant.key: total * variant.weight / weights if weights else 0.0 for variant in variants}
    return Srm(observed, expected, _p_value(observed, expected))


def _p_value(observed: Mapping[str, int], expected: Mapping[str, float]) -> float | None:
    weighted = [key for key, number in expected.items() if number]
    if len(weighted) < len(expected) and any(observed[key] for key in expected if key not in weighted):
        return 0.0
    if len(weighted) < 2 or min(expected[key] for key in weighted) < _FEWEST_EXPECTED:
        return None
    return float(scipy.stats.chisquare([observed[key] for key in weighted], [expected[key] for key in weighted]).pvalue)
