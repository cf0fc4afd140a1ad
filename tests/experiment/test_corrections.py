"""Corrections for several comparisons against published ones."""

import pytest

from tallymark.experiment.corrections import adjusted

# Benjamini and Hochberg (1995), section 4.1: fifteen p-values; at 0.05 their procedure finds
# four, Bonferroni's three; Holm's can't find fewer, and 0.0095 is above 0.05 / 12.
P_VALUES = (
    0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0,
)  # fmt: skip


def test_corrections_find_what_benjamini_and_hochberg_found() -> None:
    assert [p < 0.05 for p in adjusted(P_VALUES, "benjamini-hochberg") if p is not None].count(True) == 4
    assert [p < 0.05 for p in adjusted(P_VALUES, "holm") if p is not None].count(True) == 3
    assert adjusted(P_VALUES, "none") == list(P_VALUES)


def test_corrections_are_r_s() -> None:
    # R: p.adjust(c(0.01, 0.02, 0.03, 0.04, 0.05), "holm") and "BH".
    p_values = (0.01, 0.02, 0.03, 0.04, 0.05)
    assert adjusted(p_values, "holm") == pytest.approx([0.05, 0.08, 0.09, 0.09, 0.09])
    assert adjusted(p_values, "benjamini-hochberg") == pytest.approx([0.05] * 5)


def test_what_has_no_p_value_is_no_comparison() -> None:
    assert adjusted((0.02, None, 0.03), "holm") == pytest.approx([0.04, None, 0.04])
    assert adjusted((None, None), "benjamini-hochberg") == [None, None]
    assert adjusted((), "holm") == []
