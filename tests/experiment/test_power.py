"""Power against published tables."""

import math

import pytest

from tallymark.experiment.effects import Estimate
from tallymark.experiment.power import Power, power


def test_units_needed_are_those_of_lehr_s_rule() -> None:
    # Lehr (1992): sixteen variances over the squared difference, for each variant; 15.7 before he rounds.
    found = power(Estimate(1_000, 10.0, 4.0), Estimate(1_000, 10.0, 4.0), 0.05, 0.05)
    assert found.units_needed == math.ceil(2 * 15.69776 * 4 / 0.5**2)


def test_units_needed_are_those_of_a_table() -> None:
    # Fleiss, Levin and Paik, Statistical Methods for Rates and Proportions, formula 4.14 with equal variances: from
    # (1.959964 + 0.841621)^2 * 2 * 0.25 / 0.05^2 units each for 50 % against 55 %.
    found = power(Estimate(500, 0.5, 0.25), Estimate(500, 0.5, 0.25), 0.1, 0.05)
    assert found.units_needed == 3_140


@pytest.mark.parametrize(("d", "n", "expected"), [(0.2, 393, 0.80), (0.5, 63, 0.80), (0.5, 85, 0.90), (0.8, 25, 0.80)])
def test_power_is_that_of_cohen_s_table(d: float, n: int, expected: float) -> None:
    # Cohen, Statistical Power Analysis for the Behavioral Sciences, table 2.4.1 (two-sided 0.05): 393, 64, 85 and 26
    # units each; the normal distribution needs one less where there are few.
    found = power(Estimate(n, 1.0, 1.0), Estimate(n, 1.0, 1.0), d, 0.05)
    assert found.at_planned == pytest.approx(expected, abs=0.01)


def test_the_smallest_effect_is_found_with_that_power() -> None:
    one = Estimate(44_700, 0.19, 0.1539)
    other = Estimate(15_489, 0.18, 0.15)
    smallest = power(one, other, 0.05, 0.05)
    assert smallest.minimal_relative_effect is not None
    assert smallest.minimal_effect == pytest.approx(
        (1.959964 + 0.841621) * math.sqrt(0.1539 / 44_700 + 0.1539 / 15_489), rel=1e-5
    )
    again = power(one, other, smallest.minimal_relative_effect, 0.05)
    assert again.at_planned == pytest.approx(0.8, abs=1e-6)
    assert again.units_needed == pytest.approx(44_700 + 15_489, abs=1)


def test_a_smaller_value_may_be_planned() -> None:
    one = Estimate(5_000, 2.0, 1.0)
    assert power(one, one, -0.02, 0.05).at_planned == pytest.approx(power(one, one, 0.02, 0.05).at_planned or 0)


@pytest.mark.parametrize("control", [Estimate(0, None, None), Estimate(1, 1.0, None), Estimate(100, 1.0, 0.0)])
def test_without_spread_there_is_no_power(control: Estimate) -> None:
    assert power(control, Estimate(100, 1.0, 1.0), 0.05, 0.05) == Power()


def test_nothing_is_planned_relative_to_nothing() -> None:
    found = power(Estimate(100, 0.0, 1.0), Estimate(100, 0.0, 1.0), 0.05, 0.05)
    assert found.minimal_effect is not None
    assert (found.minimal_relative_effect, found.at_planned, found.units_needed) == (None, None, None)


def test_more_units_than_anybody_has_are_not_told() -> None:
    assert power(Estimate(100, 1e-6, 1e6), Estimate(100, 1e-6, 1e6), 0.001, 0.05).units_needed is None
