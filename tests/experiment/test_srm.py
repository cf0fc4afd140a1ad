"""The check of the variants' sizes against published ones."""

import pytest

from tallymark.experiment.srm import srm
from tallymark.spec.experiment import Variant


def variants(*weights: float) -> list[Variant]:
    return [Variant(f"v{i}", weight) for i, weight in enumerate(weights)]


def test_srm_is_the_chi_square_test_of_mendel_s_peas() -> None:
    # Mendel (1866): 315, 108, 101 and 32 peas for 9:3:3:1; Fisher (1936): chi-square 0.4700, p = 0.925.
    found = srm(variants(9, 3, 3, 1), {"v0": 315, "v1": 108, "v2": 101, "v3": 32})
    assert found.p_value == pytest.approx(0.9254, abs=5e-5)
    assert found.expected["v0"] == pytest.approx(312.75)
    assert not found.alert


def test_srm_alerts_as_microsoft_s_example_does() -> None:
    # Kohavi, Tang and Xu, Trustworthy Online Controlled Experiments, chapter 3: 821,588 and 815,482 users for halves
    # have a p-value of 1.8e-6.
    found = srm(variants(0.5, 0.5), {"v0": 821_588, "v1": 815_482})
    assert found.p_value == pytest.approx(1.8e-6, abs=5e-8)
    assert found.alert


def test_srm_of_cookie_cats_has_no_alert_at_one_in_a_thousand() -> None:
    found = srm(variants(1, 1), {"v0": 44_700, "v1": 45_489})
    assert found.p_value == pytest.approx(0.0086, abs=5e-5)
    assert not found.alert


def test_srm_needs_units() -> None:
    assert srm(variants(1, 1), {"v0": 0, "v1": 0}).p_value is None
    assert srm(variants(1, 1), {"v0": 8, "v1": 0}).p_value is None
    assert srm(variants(1), {"v0": 80}).p_value is None


def test_srm_knows_units_of_a_variant_without_weight() -> None:
    assert srm(variants(1, 1, 0), {"v0": 50, "v1": 50, "v2": 1}).alert
    assert srm(variants(1, 1, 0), {"v0": 50, "v1": 50, "v2": 0}).p_value == 1
    assert not srm(variants(0, 0), {"v0": 0, "v1": 0}).alert
