"""The report: everything together, whatever the units are like."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallymark.experiment.corrections import adjusted
from tallymark.experiment.guardrail import verdict
from tallymark.experiment.ranks import Ranked
from tallymark.experiment.report import Report, report
from tallymark.experiment.sample import LOWER_BEFORE, UPPER_BEFORE, Sums, pair
from tallymark.experiment.units import Measured, Units
from tallymark.spec.experiment import Experiment, ExperimentMetric, Taken, Variant
from tests.conftest import SLOW

KEYS = ("control", "blue", "green")
METRICS = (
    ExperimentMetric("share", "conversion", Taken()),
    ExperimentMetric("mean", "mean", Taken()),
    ExperimentMetric("ratio", "ratio", Taken(), Taken()),
    ExperimentMetric("median", "quantile", Taken()),
    ExperimentMetric("guard", "mean", Taken(), direction="down", guardrail=True),
)


def experiment(**fields: Any) -> Experiment:
    variants = tuple(Variant(key, 1) for key in KEYS)
    at = datetime(2026, 1, 1, tzinfo=UTC)
    return Experiment(1, 1, "e", "", "", "running", "s", variants, at, metrics=METRICS, pre_days=7, **fields)


def sums(**values: Sequence[int]) -> Sums:
    products = {
        pair(a, b): sum(x * y for x, y in zip(values[a], values[b], strict=True)) for a in values for b in values
    }
    n = len(next(iter(values.values())))
    return Sums(n, {name: sum(each) for name, each in values.items()}, products, dict.fromkeys(values, 1))


def ranked(values: Sequence[int], control: Sequence[int]) -> Ranked:
    if not values:
        return Ranked(0, 0, 0, 0, 0, 0, 0, 0, 0)
    ordered, both, n = sorted(values), sorted([*values, *control]), len(values)
    low, median = max(1, round(n / 2 - math.sqrt(n))), ordered[math.ceil(n / 2) - 1]
    at_most = [sum(value <= both[math.ceil(len(both) / 2) - 1] for value in each) for each in (values, control)]
    return Ranked(n, median, low, ordered[low - 1], n + 1 - low, ordered[n - low], values.count(median), *at_most)


Values = Sequence[tuple[int, int]]


def measured(metric: ExperimentMetric, values: Values, control: Values) -> Measured:
    upper, lower = [value[0] for value in values], [value[1] for value in values]
    if metric.kind == "quantile":
        return Measured(ranked(upper, [value[0] for value in control]), 0)
    if metric.kind == "conversion":
        upper, lower = [int(value > 0) for value in upper], [int(value > 0) for value in lower]
    before = {UPPER_BEFORE: lower}
    if metric.kind == "ratio":
        return Measured(sums(upper=upper, lower=lower, **before, **{LOWER_BEFORE: upper}), 0)
    return Measured(sums(upper=upper, **before), 0)


def of_units(units: Mapping[str, Sequence[tuple[int, int]]], **fields: Any) -> Report:
    found = {
        metric.name: {key: measured(metric, values, units["control"]) for key, values in units.items()}
        for metric in METRICS
    }
    exposed = {key: len(values) for key, values in units.items()}
    return report(experiment(**fields), Units(exposed, 0, found), 0.05)


def floats(value: object) -> Iterator[float]:
    if isinstance(value, float):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from floats(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from floats(each)


NUMBERS = st.one_of(st.integers(-2, 3), st.sampled_from([0, 0, 10**15, -(10**15)]))
VARIANT = st.lists(st.tuples(NUMBERS, NUMBERS), max_size=6).flatmap(
    lambda values: st.integers(1, 60).map(lambda times: values * times)
)


@settings(SLOW, max_examples=25)
@given(units=st.fixed_dictionaries({key: VARIANT for key in KEYS}))
def test_whatever_units_are_like_numbers_are_numbers(units: Mapping[str, Sequence[tuple[int, int]]]) -> None:
    told = of_units(units)
    assert all(math.isfinite(number) for number in floats(asdict(told)))
    for metric in told.metrics:
        for shown in metric.shown[1:]:
            assert shown.comparison is not None
            effect, view = shown.comparison.effect, shown.comparison.bayes
            p_values = (effect.p_value, shown.comparison.adjusted, shown.comparison.harm, view.chance_to_win)
            assert all(p is None or 0 <= p <= 1 for p in p_values)
            for interval in (effect.absolute, effect.relative):
                if interval.low is not None and interval.high is not None and interval.effect is not None:
                    assert interval.low <= interval.effect <= interval.high


def test_a_ratio_that_may_be_anything_has_no_interval() -> None:
    wild = [(10**15 * (-1) ** i, 1) for i in range(400)]
    told = of_units({"control": [*wild, (3, 1)], "blue": [*wild, (2, 1), (5, 1)], "green": []})
    (shown,) = (each for each in told.metrics[1].shown if each.variant == "blue")
    assert shown.comparison is not None
    found = shown.comparison.effect
    assert found.p_value == pytest.approx(1, abs=1e-3)
    assert found.absolute.low is not None
    assert found.absolute.low < -1e14
    assert (found.relative.low, found.relative.high) == (None, None)


BOUGHT = {
    "control": [(i % 31 - 10, 1 + i % 2) for i in range(300)],
    "blue": [(i % 31 - 9 + (i % 7 == 0), 1 + i % 2) for i in range(310)],
    "green": [(i % 42 - 10, 1 + i % 3) for i in range(290)],
}


@pytest.mark.parametrize("correction", ["benjamini-hochberg", "holm", "none"])
def test_all_metrics_and_variants_but_guardrails_are_corrected_for(correction: Any) -> None:
    told = of_units(BOUGHT, correction=correction)
    found = [shown.comparison for metric in told.metrics[:4] for shown in metric.shown[1:]]
    p_values = [None if each is None else each.effect.p_value for each in found]
    assert len(p_values) == 8
    assert None not in p_values
    assert [None if each is None else each.adjusted for each in found] == adjusted(p_values, correction)
    assert [shown.comparison.adjusted for shown in told.metrics[4].shown[1:] if shown.comparison] == [None, None]


def test_an_interval_is_of_the_experiment_s_alpha() -> None:
    found = [of_units(BOUGHT, alpha=alpha).metrics[1].shown[1].comparison for alpha in (0.01, 0.05)]
    wide, narrow = (each.effect.absolute for each in found if each is not None)
    assert wide.low is not None
    assert narrow.low is not None
    assert wide.low < narrow.low


def test_an_interval_leaves_out_zero_just_where_the_p_value_is_below_alpha() -> None:
    for alpha in (0.001, 0.01, 0.05, 0.1, 0.3, 0.6):
        # A quantile's p-value is not of its interval.
        for metric in (each for each in of_units(BOUGHT, alpha=alpha).metrics if each.metric.kind != "quantile"):
            for shown in metric.shown[1:]:
                assert shown.comparison is not None
                effect = shown.comparison.effect
                assert effect.p_value is not None
                assert effect.absolute.low is not None
                assert effect.absolute.high is not None
                assert (effect.p_value < alpha) == (not effect.absolute.low <= 0 <= effect.absolute.high)


def test_a_guardrail_is_harmed_where_any_variant_harms_it() -> None:
    assert verdict([0.2, 0.01], 0.05) == "harmed"
    assert verdict([0.2, None], 0.05) == "not shown to be harmed"
    assert verdict([None], 0.05) is None
