"""The always-valid interval: against the paper's formula, and against itself over thousands of experiments."""

import math
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from tallymark.experiment.effects import Estimate, effect, error_between, estimate
from tallymark.experiment.sample import UPPER, Sums
from tallymark.experiment.sequential import FEWEST_UNITS, Sequential, half_width, p_value, sequential

ALPHA = 0.05
EXPERIMENTS, DAYS, UNITS_A_DAY = 2_000, 28, 100


def share(did: int, n: int) -> Estimate:
    return estimate(Sums(n, {UPPER: did}, {(UPPER, UPPER): did}, {UPPER: 1}).sample(), "conversion")


@cache
def conversions() -> NDArray[np.int64]:
    """Of A/A experiments, how many units of either variant have converted by the end of each day, one in ten."""
    random = np.random.default_rng(20_260_326)
    return np.cumsum(random.binomial(UNITS_A_DAY, 0.1, (2, EXPERIMENTS, DAYS)), axis=2)


def errors(did: NDArray[np.int64], n: NDArray[np.int64]) -> NDArray[Any]:
    """The standard errors of the differences, as `estimate` and `error_between` give them."""
    means = did / n
    return np.asarray(np.sqrt((means * (1 - means) / (n - 1)).sum(axis=0)))


def daily() -> tuple[NDArray[Any], NDArray[Any], NDArray[np.int64]]:
    """Effect, standard error and units of one variant by experiment and day."""
    did, n = conversions(), UNITS_A_DAY * np.arange(1, DAYS + 1)
    return (did[1] - did[0]) / n, errors(did, n), n


def test_the_simulation_s_errors_are_those_of_the_estimates() -> None:
    did = conversions()
    for e, day in ((0, 0), (7, 3), (1_999, 27)):
        n = UNITS_A_DAY * (day + 1)
        expected = error_between(share(int(did[0, e, day]), n), share(int(did[1, e, day]), n))
        assert daily()[1][e, day] == pytest.approx(expected, rel=1e-12)


def test_looking_daily_the_sequential_test_s_false_alarms_stay_under_alpha() -> None:
    effects, spreads, n = daily()
    alarms = (p_value(effects, spreads, 2 * n, ALPHA) < ALPHA).any(axis=1).mean()
    assert 0 < alarms <= ALPHA


def test_looking_daily_the_fixed_test_s_false_alarms_do_not() -> None:
    effects, spreads, _ = daily()
    assert (np.abs(effects / spreads) > 1.96).any(axis=1).mean() > 4 * ALPHA


def test_at_a_single_look_the_fixed_test_s_false_alarms_are_near_alpha() -> None:
    did, n = conversions()[:, :, -1], UNITS_A_DAY * DAYS
    samples = [[Sums(n, {UPPER: k}, {(UPPER, UPPER): k}, {UPPER: 1}).sample() for k in one] for one in did.tolist()]
    p_values = [effect(one, other, "conversion", ALPHA).p_value for one, other in zip(*samples, strict=True)]
    alarms = np.mean([p is not None and p < ALPHA for p in p_values])
    # Three standard errors of a share of 0.05 in 2,000.
    assert alarms == pytest.approx(ALPHA, abs=3 * math.sqrt(ALPHA * (1 - ALPHA) / EXPERIMENTS))


def test_looking_daily_the_interval_holds_the_true_effect() -> None:
    effects, spreads, n = daily()
    missed = (np.abs(effects) > half_width(spreads, 2 * n, ALPHA)).any(axis=1).mean()
    assert missed <= ALPHA


def test_skewed_amounts_looked_at_daily_raise_no_more_false_alarms() -> None:
    # One in ten buys, for amounts whose logarithm is normal: the sort of revenue that small samples are bad at.
    random = np.random.default_rng(7)
    shape = (2, 500, DAYS, UNITS_A_DAY)
    amounts = random.lognormal(0, 1, shape) * (random.random(shape) < 0.1)
    n = UNITS_A_DAY * np.arange(1, DAYS + 1)
    totals, squares = (np.cumsum((amounts**k).sum(axis=3), axis=2) for k in (1, 2))
    spreads = np.sqrt(((squares - totals**2 / n) / (n - 1) / n).sum(axis=0))
    effects = (totals[1] - totals[0]) / n
    assert (p_value(effects, spreads, 2 * n, ALPHA) < ALPHA).any(axis=1).mean() <= ALPHA


def test_an_effect_that_is_there_is_found() -> None:
    found = sequential(share(1_000, 10_000), share(1_200, 10_000), ALPHA)
    assert found.low is not None
    assert found.high is not None
    assert found.p_value is not None
    assert found.low > 0
    assert found.low < 0.02 < found.high
    assert found.p_value < 0.05


def test_the_interval_is_that_of_the_paper() -> None:
    # Equations 9 and 161 by hand for alpha = 0.05 and 10,000 units: rho^2 = (5.9915 + ln 6.9915) / 5000 = 0.0015872,
    # t rho^2 = 15.872; sqrt(2 * 16.872 / 15.872 * ln(sqrt(16.872) / 0.05)) = 3.0615 standard errors.
    assert float(half_width(1.0, 10_000, 0.05)) == pytest.approx(3.0615, abs=5e-5)


@given(z=st.floats(-8, 8), n=st.integers(2, 10**7), alpha=st.sampled_from([0.01, 0.05, 0.1]))
def test_the_p_value_is_below_alpha_just_where_the_interval_leaves_out_zero(z: float, n: int, alpha: float) -> None:
    half = float(half_width(1.0, n, alpha))
    if abs(abs(z) - half) > 1e-9:
        assert (float(p_value(z, 1.0, n, alpha)) < alpha) == (abs(z) > half)


@given(n=st.integers(2, 10**8))
def test_it_is_always_wider_than_the_fixed_one(n: int) -> None:
    assert float(half_width(1.0, n, 0.05)) > 1.96


@pytest.mark.parametrize(
    ("control", "treated"),
    [
        (share(10, FEWEST_UNITS - 1), share(10, 5_000)),
        (share(10, 5_000), share(10, FEWEST_UNITS - 1)),
        (share(0, 5_000), share(0, 5_000)),
        (Estimate(5_000, None, None), share(10, 5_000)),
    ],
)
def test_too_little_says_nothing(control: Estimate, treated: Estimate) -> None:
    assert sequential(control, treated, ALPHA) == Sequential()
