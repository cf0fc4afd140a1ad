"""Shares against published figures."""

import pytest
import scipy.stats

from tallymark.experiment.shares import PValues, compared, exact


def test_fisher_s_exact_test_is_that_of_the_tea_tasting_lady() -> None:
    # Agresti, An Introduction to Categorical Data Analysis, section 2.6.2: 3 of 4 against 1 of 4.
    found = exact((1, 4), (3, 4))
    assert (found.risen, found.two_sided) == pytest.approx((0.243, 0.486), abs=5e-4)
    assert found.fallen == pytest.approx(0.986, abs=5e-4)


def test_few_units_are_compared_exactly() -> None:
    assert compared((1, 4), (3, 4)) == exact((1, 4), (3, 4))
    assert compared((0, 300), (4, 200)) == exact((0, 300), (4, 200))


def test_many_units_are_compared_by_the_score() -> None:
    # Agresti, section 2.4: of 189 of 11,034 and 104 of 11,037 Pearson's chi-square is 25.01; R, prop.test without a
    # correction, is the same test.
    found = compared((104, 11_037), (189, 11_034))
    assert found.two_sided == pytest.approx(scipy.stats.chi2.sf(25.01, 1), rel=0.01)
    assert found.risen == pytest.approx((found.two_sided or 0) / 2)


def test_equal_shares_don_t_differ() -> None:
    assert compared((0, 300), (0, 200)).two_sided == compared((50, 100), (50, 100)).two_sided == 1
    assert compared((0, 0), (1, 3)) == PValues()
