"""Power: how small an effect could be found with the units there are, and how many a planned effect needs.

Nothing here looks at the effect that was found: power at that says no more than the p-value does (Hoenig and Heisey,
"The Abuse of Power", The American Statistician 55 (2001)). Control's mean and variance are taken for both
variants.
"""

import math
from dataclasses import dataclass
from functools import cache
from typing import Final

import scipy.special
from tea_tasting.aggr import Aggregates
from tea_tasting.metrics import Mean

from tallymark.experiment.effects import Estimate

#: The chance of finding an effect that is there.
TARGET: Final = 0.8

#: Two units of either variant with a variance of one: their difference has a standard error of one.
_ONE_ERROR: Final = Aggregates(4, {"value": 0.0}, {"value": 1.0})

#: Nobody has more units; a need of more is not told.
_MOST_UNITS: Final = 10**12


@dataclass(frozen=True)
class Power:
    """The smallest effect found with a chance of `TARGET`, absolute and in parts of control.

    `at_planned`: the chance of finding the planned effect; `units_needed`: how many units of both variants together
    it needs for a chance of `TARGET`, in the proportion that they have now. None what can't be told.
    """

    minimal_effect: float | None = None
    minimal_relative_effect: float | None = None
    at_planned: float | None = None
    units_needed: int | None = None


def power(control: Estimate, treated: Estimate, planned: float, alpha: float) -> Power:
    """The power of a comparison; `planned` is an effect in parts of control's value."""
    if not control.variance or control.value is None or min(control.n, treated.n) < 2:
        return Power()
    error = math.sqrt(control.variance / control.n + control.variance / treated.n)
    minimal = _detectable(alpha) * error
    if control.value <= 0:
        return Power(minimal)
    errors = planned * control.value / error
    needed = (control.n + treated.n) * (_detectable(alpha) / errors) ** 2
    units = math.ceil(needed) if needed <= _MOST_UNITS else None
    return Power(minimal, minimal / control.value, _power(errors, alpha), units)


@cache
def _detectable(alpha: float) -> float:
    """How many standard errors of the difference an effect needs for `TARGET`."""
    (found,) = Mean("value", alpha=alpha, ratio=1, power=TARGET, use_t=False).solve_power_from_aggregates(
        _ONE_ERROR, "effect_size"
    )
    return float(found.effect_size)


def _power(errors: float, alpha: float) -> float:
    """The chance of finding an effect of so many standard errors, in either direction."""
    edge = float(scipy.special.ndtri(alpha / 2))
    return float(scipy.special.ndtr(edge - errors) + scipy.special.ndtr(edge + errors))
