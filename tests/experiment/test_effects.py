"""Effects against figures that others have published."""

import math
from collections.abc import Sequence

import pytest
import scipy.stats

from tallymark.experiment.effects import Effect, cuped, effect, error_between, estimate, harm
from tallymark.experiment.ranks import Ranked
from tallymark.experiment.sample import UPPER, Sample, Sums, pair


def of_values(**values: Sequence[float]) -> Sample:
    """The sample of plain numbers by name, whole ones or thousandths."""
    scaled = {name: [round(value * 1_000) for value in numbers] for name, numbers in values.items()}
    products = {
        pair(one, other): sum(a * b for a, b in zip(scaled[one], scaled[other], strict=True))
        for one in scaled
        for other in scaled
    }
    totals = {name: sum(numbers) for name, numbers in scaled.items()}
    (n,) = {len(numbers) for numbers in values.values()}
    return Sums(n, totals, products, dict.fromkeys(values, 1_000)).sample()


def of_share(did: int, n: int) -> Sample:
    return Sums(n, {UPPER: did}, {(UPPER, UPPER): did}, {UPPER: 1}).sample()


# R, ?sleep: t.test(extra ~ group, data = sleep), after Student (1908).
SLEEP = (
    [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0],
    [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4],
)


def test_welch_s_test_is_r_s_of_the_sleep_data() -> None:
    found = effect(of_values(upper=SLEEP[0]), of_values(upper=SLEEP[1]), "mean", 0.05)
    assert found.p_value == pytest.approx(0.07939, abs=5e-6)
    assert found.absolute.effect == pytest.approx(2.33 - 0.75)
    assert (found.absolute.low, found.absolute.high) == pytest.approx((-0.2054832, 3.3654832), abs=5e-7)


def test_two_shares_are_those_of_the_physicians_health_study() -> None:
    # Agresti, An Introduction to Categorical Data Analysis, section 2.2: heart attacks of 11,034 on placebo (189) and
    # 11,037 on aspirin (104): a difference of 0.0077 with (0.005, 0.011); SAS, PROC FREQ, has a relative risk of
    # 1.8178 with (1.4330, 2.3059).
    found = effect(of_share(104, 11_037), of_share(189, 11_034), "conversion", 0.05)
    told = (found.absolute.effect, found.absolute.low, found.absolute.high)
    assert [round(value or 0, 3) for value in told] == [0.008, 0.005, 0.011]
    assert found.absolute.effect == pytest.approx(0.0077, abs=5e-5)
    risk = [1 + (value or 0) for value in (found.relative.effect, found.relative.low, found.relative.high)]
    assert risk == pytest.approx([1.8178, 1.4330, 2.3059], abs=2e-4)


def test_shares_of_cookie_cats_are_as_published() -> None:
    # 90,189 players; two-proportion z-tests in many write-ups of the data: p = 0.0744 and p = 0.0016.
    day_1 = effect(of_share(20_034, 44_700), of_share(20_119, 45_489), "conversion", 0.05)
    day_7 = effect(of_share(8_502, 44_700), of_share(8_279, 45_489), "conversion", 0.05)
    assert (day_1.p_value, day_7.p_value) == pytest.approx((0.0744, 0.0016), abs=5e-5)
    assert (day_1.absolute.effect, day_7.absolute.effect) == pytest.approx((-0.00591, -0.00820), abs=5e-6)


def test_ratios_have_the_variance_of_the_delta_method() -> None:
    # Cochran, Sampling Techniques, 3rd ed., section 6.5: the variance of a ratio of sums is that of the residuals
    # y - R x over the mean of x squared; here of sessions (x) and orders (y) of eight users.
    orders, sessions = [1, 0, 2, 3, 0, 1, 4, 1], [3, 1, 4, 5, 2, 2, 6, 3]
    found = estimate(of_values(upper=orders, lower=sessions), "ratio")
    ratio = sum(orders) / sum(sessions)
    residuals = [y - ratio * x for y, x in zip(orders, sessions, strict=True)]
    variance = sum(r * r for r in residuals) / 7 / (sum(sessions) / 8) ** 2
    assert found.value == pytest.approx(ratio)
    assert found.variance == pytest.approx(variance)


def test_units_and_not_their_events_are_what_varies() -> None:
    # A ratio whose events are all alike within a unit: twice the events of every unit say nothing new.
    one, other = [1.0, 0.0, 1.0, 0.0, 0.0, 1.0], [1.0, 1.0, 1.0, 0.0, 0.0, 1.0]
    p_values = {
        effect(
            of_values(upper=[v * events for v in one], lower=[events] * 6),
            of_values(upper=[v * events for v in other], lower=[events] * 6),
            "ratio",
            0.05,
        ).p_value
        for events in (1.0, 2.0)
    }
    assert len(p_values) == 1


def test_medians_have_the_standard_error_of_price_and_bonett() -> None:
    # R, statpsych: ci.median2(.05, y1, y2) gives a standard error of 4.316291 for the difference.
    one = sorted([32, 39, 26, 35, 43, 27, 40, 37, 34, 29])
    other = sorted([36, 44, 47, 42, 49, 39, 46, 31, 33, 48])
    samples = [Ranked(10, y[4], 2, y[1], 9, y[8], 1, 0, 0).sample(0.5) for y in (one, other)]
    assert error_between(*(estimate(sample, "quantile") for sample in samples)) == pytest.approx(4.316291, abs=1e-6)


def test_cuped_takes_out_what_was_there_before() -> None:
    before = [float(i % 17) for i in range(400)]
    noise = [((i * 7919) % 101) / 101 for i in range(400)]
    control = of_values(upper=[b + e for b, e in zip(before, noise, strict=True)], upper_before=before)
    treated = of_values(upper=[b + e + 0.3 for b, e in zip(before, noise[::-1], strict=True)], upper_before=before)
    plain, adjusted_for = effect(control, treated, "mean", 0.05), cuped(control, treated, "mean", 0.05)
    assert plain.p_value is not None
    assert adjusted_for is not None
    assert adjusted_for.effect.p_value is not None
    assert plain.p_value > 0.3 > 0.001 > adjusted_for.effect.p_value
    assert adjusted_for.effect.absolute.effect == pytest.approx(0.3, abs=0.02)
    # Deng et al. (2013): what is left of the variance is one less the squared correlation.
    correlation = scipy.stats.pearsonr(before, [b + e for b, e in zip(before, noise, strict=True)]).statistic
    assert adjusted_for.variance_reduction == pytest.approx(correlation**2, abs=0.01)


def test_cuped_needs_something_that_varied_before() -> None:
    same = of_values(upper=[1.0, 2.0, 4.0], upper_before=[1.0, 1.0, 1.0])
    assert cuped(same, of_values(upper=[2.0, 2.0, 5.0], upper_before=[1.0, 1.0, 1.0]), "mean", 0.05) is None


def test_bad_news_is_one_sided() -> None:
    found = effect(of_values(upper=SLEEP[1]), of_values(upper=SLEEP[0]), "mean", 0.05)
    assert harm(found, "up") == pytest.approx(0.07939 / 2, abs=5e-6)
    assert harm(found, "down") == pytest.approx(1 - 0.07939 / 2, abs=5e-6)


@pytest.mark.parametrize(
    ("control", "treated"),
    [
        (Sample(0), Sample(0)),
        (Sample(0), of_share(1, 3)),
        (of_share(1, 3), Sample(0)),
        (of_share(1, 1), of_share(2, 3)),
        (of_share(0, 5), of_share(0, 7)),
        (of_share(5, 5), of_share(7, 7)),
        (of_share(1, 1), of_share(0, 1)),
    ],
)
def test_what_can_t_be_told_is_none(control: Sample, treated: Sample) -> None:
    found = effect(control, treated, "conversion", 0.05)
    assert found.p_value is found.absolute.low is found.absolute.high is found.relative.low is None


def test_all_or_nothing_is_told_exactly() -> None:
    # All 5 against none of 7: one of the 792 ways to pick 5 of 12.
    for kind in ("conversion", "retention"):
        found = effect(of_share(5, 5), of_share(0, 7), kind, 0.05)
        assert (found.absolute.effect, found.absolute.low, found.absolute.high) == (-1, None, None)
        assert (found.p_value, harm(found, "up"), harm(found, "down")) == pytest.approx((1 / 792, 1 / 792, 1))
    assert effect(of_share(5, 5), of_share(0, 7), "mean", 0.05).p_value is None


def test_nothing_is_relative_to_nothing() -> None:
    found = effect(of_share(0, 500), of_share(20, 500), "conversion", 0.05)
    assert found.p_value is not None
    assert found.absolute.low is not None
    assert found.absolute.low > 0
    assert found.relative == Effect().relative


def test_a_variant_that_lost_everything_has_no_relative_interval() -> None:
    found = effect(of_share(20, 500), of_share(0, 500), "conversion", 0.05)
    assert (found.relative.effect, found.relative.low) == (-1, None)
    assert found.p_value is not None


def test_a_ratio_of_nothing_is_not_told() -> None:
    nothing = of_values(upper=[0.0, 0.0, 0.0], lower=[0.0, 0.0, 0.0])
    assert effect(nothing, of_values(upper=[1.0, 2.0], lower=[1.0, 2.0]), "ratio", 0.05) == Effect()


def test_large_values_with_a_small_spread_lose_no_digits() -> None:
    # NIST, Statistical Reference Datasets, NumAcc4: 1,001 values around 10,000,000.2 with a standard deviation of 0.1.
    values = [10_000_000.2] + [10_000_000.1, 10_000_000.3] * 500
    found = estimate(of_values(upper=values), "mean")
    assert found.value == 10_000_000.2
    assert math.sqrt(found.variance or 0) == pytest.approx(0.1, rel=1e-15)
