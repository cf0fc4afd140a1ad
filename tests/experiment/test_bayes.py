"""The Bayesian view against closed forms."""

import math
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallymark.experiment.bayes import Bayes, bayes_of_difference, bayes_of_shares
from tallymark.experiment.effects import Estimate


def beta(a: int, b: int) -> Fraction:
    return Fraction(math.factorial(a - 1) * math.factorial(b - 1), math.factorial(a + b - 1))


def chance(control: tuple[int, int], treated: tuple[int, int]) -> Fraction:
    """The chance that B beats A in whole fractions: Miller, "Formulas for Bayesian A/B Testing" (2014), formula 6."""
    a_a, b_a, a_b, b_b = control[0] + 1, control[1] - control[0] + 1, treated[0] + 1, treated[1] - treated[0] + 1
    return sum(
        (beta(a_a + i, b_b + b_a) / ((b_b + i) * beta(1 + i, b_b) * beta(a_a, b_a)) for i in range(a_b)), Fraction(0)
    )


def loss(control: tuple[int, int], treated: tuple[int, int]) -> Fraction:
    """Stucchio's closed form of what choosing B costs: the mean of A - B where A is larger."""

    def shifted(did: int, n: int) -> tuple[int, int]:
        return did + 1, n + 1

    mean_a = Fraction(control[0] + 1, control[1] + 2)
    mean_b = Fraction(treated[0] + 1, treated[1] + 2)
    return mean_a * (1 - chance(shifted(*control), treated)) - mean_b * (1 - chance(control, shifted(*treated)))


SHARES = st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@settings(max_examples=60)
@given(control=SHARES, treated=SHARES)
def test_shares_are_those_of_the_closed_form(control: tuple[int, int], treated: tuple[int, int]) -> None:
    found = bayes_of_shares(control, treated, "up")
    # Miller's formula sums over B, where a beta distribution of A's failures comes first.
    assert found.chance_to_win == pytest.approx(float(chance(control, treated)), abs=1e-9)
    assert found.expected_loss == pytest.approx(float(loss(control, treated)), abs=1e-9)


def test_equal_shares_are_a_toss() -> None:
    assert bayes_of_shares((50, 500), (50, 500), "up").chance_to_win == pytest.approx(0.5, abs=1e-9)


@pytest.mark.parametrize(("control", "treated"), [((5, 100), (9, 110)), ((20_034, 44_700), (20_119, 45_489))])
def test_what_one_direction_wins_the_other_loses(control: tuple[int, int], treated: tuple[int, int]) -> None:
    up, down = bayes_of_shares(control, treated, "up"), bayes_of_shares(control, treated, "down")
    assert (up.chance_to_win or 0) + (down.chance_to_win or 0) == pytest.approx(1, abs=1e-9)
    # The mean of A - B is what is lost less what is won.
    means = [(did + 1) / (n + 2) for did, n in (control, treated)]
    assert (up.expected_loss or 0) - (down.expected_loss or 0) == pytest.approx(means[0] - means[1], abs=1e-9)


def test_many_units_are_as_the_normal_distribution_says() -> None:
    control, treated = (20_034, 44_700), (20_119, 45_489)
    one, other = (Estimate(n, did / n, did / n * (1 - did / n)) for did, n in (control, treated))
    exact, normal = bayes_of_shares(control, treated, "up"), bayes_of_difference(one, other, "up")
    assert exact.chance_to_win == pytest.approx(normal.chance_to_win, abs=1e-4)
    assert exact.expected_loss == pytest.approx(normal.expected_loss, rel=1e-3)


@pytest.mark.parametrize("shares", [((0, 10**6), (10**6, 10**6)), ((0, 1), (10**7, 10**7)), ((1, 10**8), (3, 10**8))])
def test_edges_stay_within_what_is_possible(shares: tuple[tuple[int, int], tuple[int, int]]) -> None:
    found = bayes_of_shares(*shares, "up")
    assert found.chance_to_win is not None
    assert found.expected_loss is not None
    assert 0.5 < found.chance_to_win <= 1
    assert 0 <= found.expected_loss < 1e-6


def test_a_difference_is_normal() -> None:
    # z = 1: 0.8413 of a normal distribution lies below, and 0.08332 is its unit loss (Raiffa and Schlaifer's table).
    found = bayes_of_difference(Estimate(100, 10.0, 50.0), Estimate(100, 11.0, 50.0), "up")
    assert found.chance_to_win == pytest.approx(0.8413, abs=5e-5)
    assert found.expected_loss == pytest.approx(0.08332, abs=5e-6)
    worse = bayes_of_difference(Estimate(100, 10.0, 50.0), Estimate(100, 11.0, 50.0), "down")
    assert worse.chance_to_win == pytest.approx(1 - 0.8413, abs=5e-5)
    assert worse.expected_loss == pytest.approx(1.08332, abs=5e-6)


def test_without_units_or_spread_nothing_is_told() -> None:
    assert bayes_of_shares((0, 0), (1, 3), "up") == Bayes()
    assert bayes_of_difference(Estimate(3, 1.0, 0.0), Estimate(3, 2.0, 0.0), "up") == Bayes()
    assert bayes_of_difference(Estimate(1, 1.0, None), Estimate(3, 2.0, 1.0), "up") == Bayes()
