"""The Bayesian view: how likely a variant is the better one, and what choosing it costs on average if it is not.

Conversions: the shares have beta distributions, from a uniform prior. Anything else: the difference has a normal
distribution, from a flat prior, which needs no more than the central limit theorem. Stucchio, "Bayesian A/B Testing
at VWO" (2015), for the expected loss.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import scipy.special
import scipy.stats
from numpy.typing import NDArray

from tallymark.experiment.effects import Estimate, error_between
from tallymark.spec.experiment import Direction

#: Where the parts of the quadrature end, in standard deviations around each mean; it is exact enough between them.
_EDGES: Final = (-12.0, -6.0, -3.0, 0.0, 3.0, 6.0, 12.0)
_POINTS, _WEIGHTS = np.polynomial.legendre.leggauss(60)

#: The two parameters of a beta distribution.
Beta = tuple[int, int]


@dataclass(frozen=True)
class Bayes:
    """The chance that the variant is better than control, and how much is lost on average by choosing it."""

    chance_to_win: float | None = None
    expected_loss: float | None = None


def bayes_of_difference(control: Estimate, treated: Estimate, direction: Direction) -> Bayes:
    """The view of a difference that is normally distributed; nothing without a spread."""
    error = error_between(control, treated)
    if error is None or control.value is None or treated.value is None:
        return Bayes()
    better = (treated.value - control.value) * (1 if direction == "up" else -1)
    z = better / error
    loss = error * (math.exp(-z * z / 2) / math.sqrt(2 * math.pi) - z * float(scipy.special.ndtr(-z)))
    return Bayes(float(scipy.special.ndtr(z)), max(0.0, loss))


def bayes_of_shares(control: tuple[int, int], treated: tuple[int, int], direction: Direction) -> Bayes:
    """The view of two shares, each given as how many did and how many units there are; nothing without units."""
    if not control[1] or not treated[1]:
        return Bayes()
    old, new = _posterior(*control), _posterior(*treated)
    better, worse = (new, old) if direction == "up" else (old, new)
    x, weights = _grid(old, new)
    chance = float(weights @ (scipy.stats.beta.pdf(x, *better) * scipy.special.betainc(*worse, x)))
    loss = float(weights @ (scipy.special.betainc(*better, x) * scipy.special.betaincc(*worse, x)))
    return Bayes(min(1.0, chance), loss)


def _posterior(did: int, units: int) -> Beta:
    return did + 1, units - did + 1


def _grid(*posteriors: Beta) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Points and weights of Gauss and Legendre, part by part."""
    edges = {0.0, 1.0}
    for a, b in posteriors:
        mean, spread = a / (a + b), math.sqrt(a * b / (a + b + 1)) / (a + b)
        edges |= {min(1.0, max(0.0, mean + k * spread)) for k in _EDGES}
    bounds = np.array(sorted(edges))
    middles, halves = (bounds[1:] + bounds[:-1]) / 2, np.diff(bounds) / 2
    return (middles[:, None] + halves[:, None] * _POINTS).ravel(), (halves[:, None] * _WEIGHTS).ravel()
