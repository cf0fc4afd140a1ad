"""Quantiles over thousands of experiments without any effect, also where many units have the same value."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tallymark.experiment.effects import effect
from tallymark.experiment.ranks import Ranked, p_values
from tallymark.experiment.shares import PValues

ALPHA = 0.05
EXPERIMENTS, UNITS = 2_000, 400

Values = NDArray[Any]
Drawn = Callable[[np.random.Generator, tuple[int, ...]], Values]


def ranked(values: Values, control: Values, level: float) -> list[Ranked]:
    """The quantiles of variants, a row each, as the engine gives them."""
    values, control = np.sort(values), np.sort(control)
    n = values.shape[1]
    both = np.sort(np.concatenate([values, control], axis=1))
    pooled = both[:, [math.ceil(level * both.shape[1]) - 1]]
    spread = 2 * math.sqrt(level * (1 - level) * n)
    low, high = max(1, round(level * n - spread)), n + 1 - max(1, round((1 - level) * n - spread))
    value = values[:, [math.ceil(level * n) - 1]]
    counts = ((values == value).sum(1), (values <= pooled).sum(1), (control <= pooled).sum(1))
    return [
        Ranked(n, float(value[i, 0]), low, float(values[i, low - 1]), high, float(values[i, high - 1]),
               *(int(count[i]) for count in counts))
        for i in range(len(values))
    ]  # fmt: skip


def drawn(draw: Drawn, level: float) -> list[tuple[Ranked, Ranked]]:
    """Control and variant of experiments whose variants are alike."""
    control, treated = draw(np.random.default_rng(4), (2, EXPERIMENTS, UNITS))
    return list(zip(ranked(control, control, level), ranked(treated, control, level), strict=True))


def poisson(random: np.random.Generator, shape: tuple[int, ...]) -> Values:
    return random.poisson(2.67, shape)


def half_zeros(random: np.random.Generator, shape: tuple[int, ...]) -> Values:
    return random.integers(0, 2, shape) * random.exponential(10, shape)


def amounts(random: np.random.Generator, shape: tuple[int, ...]) -> Values:
    return random.exponential(10, shape)


@pytest.mark.parametrize(
    ("draw", "level"),
    [(poisson, 0.5), (poisson, 0.9), (half_zeros, 0.5), (half_zeros, 0.75), (amounts, 0.5), (amounts, 0.95)],
)
def test_false_alarms_are_as_many_as_alpha_says(draw: Drawn, level: float) -> None:
    found = [p_values(*pair).two_sided for pair in drawn(draw, level)]
    alarms = sum(p is not None and p < ALPHA for p in found) / EXPERIMENTS
    assert 0.02 < alarms < 0.065


@pytest.mark.parametrize(("draw", "least", "most"), [(poisson, 0, 0), (half_zeros, 0.1, 0.4), (amounts, 1, 1)])
def test_intervals_are_told_where_few_units_have_the_same_value(draw: Drawn, least: float, most: float) -> None:
    pairs = [(control.sample(0.5), treated.sample(0.5)) for control, treated in drawn(draw, 0.5)[:400]]
    lows = [effect(*pair, "quantile", ALPHA).absolute.low for pair in pairs]
    assert least <= sum(low is not None for low in lows) / len(lows) <= most


def test_intervals_of_amounts_hold_as_often_as_they_say() -> None:
    pairs = drawn(amounts, 0.5)[:400]
    found = [effect(a.sample(0.5), b.sample(0.5), "quantile", ALPHA).absolute for a, b in pairs]
    assert all(each.low is not None and each.high is not None for each in found)
    held = sum((each.low or 0) <= 0 <= (each.high or 0) for each in found) / len(found)
    assert held == pytest.approx(0.95, abs=0.03)


def test_larger_values_have_risen() -> None:
    few, many = np.arange(400.0)[None, :], np.arange(400.0)[None, :] + 60
    (control,), (treated,) = ranked(few, few, 0.5), ranked(many, few, 0.5)
    found = p_values(control, treated)
    assert found.risen is not None
    assert found.fallen is not None
    assert found.risen < 0.01 < 0.99 < found.fallen


def test_without_units_nothing_is_told() -> None:
    nothing = Ranked(0, 0, 0, 0, 0, 0, 0, 0, 0)
    assert p_values(nothing, nothing) == PValues()
