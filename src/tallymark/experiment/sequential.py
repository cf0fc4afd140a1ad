"""Intervals and p-values that may be looked at as often as one likes: an asymptotic confidence sequence.

A fixed interval holds at one look that was planned; who looks daily and stops at the first significant result is
wrong far more often than alpha says. These hold at all looks together, and are wider for it. Waudby-Smith, Arbour,
Sinha, Kennedy and Ramdas, "Time-uniform central limit theory and asymptotic confidence sequences", Annals of
Statistics 52 (2024), arXiv 2103.06476: the two-sided sequence with Robbins' normal mixture; the mixture's width is
tuned to a number of units as GrowthBook does it.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tallymark.experiment.effects import Estimate, error_between

#: The number of units, of both variants together, at which the interval is tightest for what it can be.
TUNED_TO: Final = 5_000

#: The theory is of large samples: with fewer units in either variant nothing is told.
FEWEST_UNITS: Final = 100

Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Sequential:
    """The interval of the absolute effect and its p-value at any look; None with too few units."""

    low: float | None = None
    high: float | None = None
    p_value: float | None = None


def sequential(control: Estimate, treated: Estimate, alpha: float) -> Sequential:
    """What holds of the difference however often one looks."""
    error = error_between(control, treated)
    if error is None or control.value is None or treated.value is None or min(control.n, treated.n) < FEWEST_UNITS:
        return Sequential()
    n, effect = control.n + treated.n, treated.value - control.value
    half = float(half_width(error, n, alpha))
    return Sequential(effect - half, effect + half, float(p_value(effect, error, n, alpha)))


def half_width(error: ArrayLike, n: ArrayLike, alpha: float) -> Floats:
    """Half of the interval's width, of a difference with this standard error between `n` units altogether (eq. 9)."""
    spread = np.asarray(n, float) * _rho_squared(alpha)
    grown = 2 * (spread + 1) / spread * np.log(np.sqrt(spread + 1) / alpha)
    return np.asarray(np.asarray(error, float) * np.sqrt(grown))


def p_value(effect: ArrayLike, error: ArrayLike, n: ArrayLike, alpha: float) -> Floats:
    """The p-value that is below alpha just where the interval leaves out zero: one over the mixture's e-value."""
    spread = np.asarray(n, float) * _rho_squared(alpha)
    z = np.asarray(effect, float) / np.asarray(error, float)
    log_e = spread * z * z / (2 * (spread + 1)) - np.log(spread + 1) / 2
    return np.asarray(np.exp(-np.maximum(log_e, 0)))


def _rho_squared(alpha: float) -> float:
    """The square of the mixture's width at which `TUNED_TO` units are served best (eq. 161)."""
    return float((-2 * np.log(alpha) + np.log(-2 * np.log(alpha) + 1)) / TUNED_TO)
