"""How a variant differs from control: absolute and relative effects with intervals, and p-values, by tea-tasting.

The p-value is of Welch's t-test of the absolute difference, so that it and the absolute interval always agree; for
ratios with variances by the delta method. Shares that are all or nothing in both variants have Fisher's exact
p-value, since nothing varies; quantiles have their own, of `ranks`. The relative interval is of the logarithm of the
ratio, by the delta method: it never goes below -100 %, and near the edge of significance it may disagree with the
p-value. Deng, Knoblich and Lu, "Applying the Delta Method in Metric Analytics", KDD 2018.
"""

import math
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from tea_tasting.aggr import Aggregates
from tea_tasting.metrics import Mean, RatioOfMeans
from tea_tasting.metrics.mean import MeanResult

from tallymark.experiment.sample import LOWER, LOWER_BEFORE, SHARES, UPPER, UPPER_BEFORE, Sample
from tallymark.experiment.shares import PValues, Share, exact
from tallymark.spec.experiment import Direction, MetricKind


@dataclass(frozen=True)
class Interval:
    """An effect and the interval around it; None what can't be told."""

    effect: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Effect:
    """Absolute and relative effect of a variant, and the p-values of the absolute one."""

    absolute: Interval = Interval()
    relative: Interval = Interval()
    p_values: PValues = field(default_factory=PValues)

    @property
    def p_value(self) -> float | None:
        """Two-sided."""
        return self.p_values.two_sided


@dataclass(frozen=True)
class Cuped:
    """The effect with what was there before taken out, and the share of the variance that went with it."""

    effect: Effect
    variance_reduction: float


@dataclass(frozen=True)
class Estimate:
    """A metric in a variant: `n` units, its value, and the variance of the value times n; None what is not known."""

    n: int
    value: float | None
    variance: float | None

    @property
    def standard_error(self) -> float | None:
        """Of the value."""
        return None if self.variance is None else math.sqrt(self.variance / self.n)


_NONE: Final = Effect()

#: One unit says nothing of how much units vary.
_FEWEST: Final = 2

#: So many standard errors away from zero the logarithm of a ratio is no trouble.
_FAR: Final = 10


def estimate(sample: Sample, kind: MetricKind) -> Estimate:
    """The value of a metric; a ratio's is of the sums, its variance by the delta method."""
    if not sample.n or (kind == "ratio" and sample.means[LOWER] == 0):
        return Estimate(sample.n, None, None)
    lower = _lower(kind)
    value = sample.means[UPPER] / (sample.means[LOWER] if lower else 1)
    if sample.variance(UPPER) is None:
        return Estimate(sample.n, value, None)
    return Estimate(sample.n, value, max(0.0, float(_aggregates(sample).ratio_var(UPPER, lower))))


def error_between(control: Estimate, treated: Estimate) -> float | None:
    """The standard error of the difference of two values; None where it is not known, or nothing varies."""
    if control.variance is None or treated.variance is None:
        return None
    return math.sqrt(control.variance / control.n + treated.variance / treated.n) or None


def effect(control: Sample, treated: Sample, kind: MetricKind, alpha: float) -> Effect:
    """How `treated` differs from `control`. Intervals hold with a chance of 1 - alpha."""
    one, other = estimate(control, kind), estimate(treated, kind)
    if one.value is None or other.value is None:
        return _NONE
    known = Effect(Interval(other.value - one.value), Interval(_relative(one.value, other.value)))
    error = error_between(one, other)
    if error is None:
        return replace(known, p_values=_without_spread(control, treated, kind))
    metric = Mean("value", confidence_level=1 - alpha, use_t=kind != "quantile")
    found = _analyzed(metric, _alone(one), _alone(other))
    if found is not None:
        return found
    far = abs(one.value) + abs(other.value) + _FAR * error
    moved = _analyzed(metric, _alone(one, far), _alone(other, far)) or _NONE
    return replace(moved, relative=known.relative)


def cuped(control: Sample, treated: Sample, kind: MetricKind, alpha: float) -> Cuped | None:
    """The effect with the values from before the first exposure as covariate; None without any that vary.

    Deng, Xu, Kohavi and Walker, "Improving the Sensitivity of Online Controlled Experiments by Utilizing
    Pre-Experiment Data", WSDM 2013.
    """
    plain = effect(control, treated, kind, alpha)
    if plain.absolute.low is None or not _varied_before(control, treated, kind):
        return None
    metric = RatioOfMeans(
        UPPER, _lower(kind), UPPER_BEFORE, LOWER_BEFORE if kind == "ratio" else None, confidence_level=1 - alpha
    )
    found = _analyzed(metric, _aggregates(control), _aggregates(treated))
    widths = (_width(plain.absolute), None if found is None else _width(found.absolute))
    if found is None or found.p_value is None or not widths[0] or widths[1] is None:
        return None
    return Cuped(found, 1 - (widths[1] / widths[0]) ** 2)


def harm(effect: Effect, direction: Direction) -> float | None:
    """The one-sided p-value of a metric having got worse."""
    return effect.p_values.fallen if direction == "up" else effect.p_values.risen


def did(sample: Sample) -> Share:
    """How many units did, and how many there are."""
    return (round(sample.means[UPPER] * sample.n) if sample.n else 0, sample.n)


def _without_spread(control: Sample, treated: Sample, kind: MetricKind) -> PValues:
    """P-values where nothing varies: shares that are all in one variant and nothing in the other still say much."""
    one, other = did(control), did(treated)
    if kind not in SHARES or min(one[1], other[1]) < _FEWEST or one[0] * other[1] == other[0] * one[1]:
        return PValues()
    return exact(one, other)


def _lower(kind: MetricKind) -> str | None:
    return LOWER if kind == "ratio" else None


def _aggregates(sample: Sample) -> Aggregates:
    """A sample as tea-tasting takes it."""
    variances = {name: sample.covariances[name, name] for name in sample.means}
    covariances = {names: value for names, value in sample.covariances.items() if names[0] != names[1]}
    return Aggregates(sample.n, dict(sample.means), variances, covariances)


def _alone(estimate: Estimate, moved: float = 0.0) -> Aggregates:
    """An estimate as the mean of something, moved along the line."""
    assert estimate.value is not None
    return Aggregates(estimate.n, {"value": estimate.value + moved}, {"value": estimate.variance})


def _analyzed(metric: RatioOfMeans, control: Aggregates, treated: Aggregates) -> Effect | None:
    """What tea-tasting says; None where the interval of the ratio goes beyond what numbers can be."""
    with np.errstate(all="ignore"):
        try:
            return _told(metric.analyze_aggregates(control, treated))
        except OverflowError:
            return None


def _varied_before(control: Sample, treated: Sample, kind: MetricKind) -> bool:
    samples = (control, treated)
    if kind == "ratio" and any(not sample.means.get(LOWER_BEFORE) for sample in samples):
        return False
    return any(sample.variance(UPPER_BEFORE) for sample in samples)


def _told(result: MeanResult) -> Effect:
    """A result of tea-tasting with None for what is no number, or means nothing."""
    absolute = Interval(
        _known(result.effect_size), _known(result.effect_size_ci_lower), _known(result.effect_size_ci_upper)
    )
    change = _relative(result.control, result.treatment)
    relative = Interval(change)
    if change is not None and result.treatment > 0:
        low, high = _known(result.rel_effect_size_ci_lower), _known(result.rel_effect_size_ci_upper)
        relative = replace(relative, low=low, high=high)
    return Effect(absolute, relative, _sided(_known(result.pvalue), absolute.effect))


def _sided(p_value: float | None, effect: float | None) -> PValues:
    """The two-sided p-value with the one-sided ones, of a distribution that is the same on both sides."""
    if p_value is None or effect is None:
        return PValues(p_value)
    one, other = p_value / 2, 1 - p_value / 2
    return PValues(p_value, one, other) if effect > 0 else PValues(p_value, other, one)


def _relative(control: float, treated: float) -> float | None:
    """The change in parts of control; None where control is zero or less."""
    return _known(treated / control - 1) if control > 0 else None


def _width(interval: Interval) -> float | None:
    return None if interval.low is None or interval.high is None else interval.high - interval.low


def _known(number: float) -> float | None:
    """A number as a plain float; None for what is none or has no end."""
    return float(number) if math.isfinite(number) else None
