"""Sums over units, against an oracle in plain Python that sees the same events."""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallymark.experiment.ranks import Ranked
from tallymark.experiment.sample import LOWER, LOWER_BEFORE, UPPER, UPPER_BEFORE, Sums
from tallymark.experiment.span import Span, span_of
from tallymark.experiment.units import Measured, Units, measure
from tallymark.spec.condition import Prop, event
from tallymark.spec.experiment import EXPOSURE, Experiment, ExperimentMetric, Taken, Variant
from tests.conftest import SLOW, World

BEGIN = datetime(2026, 3, 26, tzinfo=UTC)
END = datetime(2026, 4, 2, 9, 30, tzinfo=UTC)
NOW = datetime(2026, 4, 3, tzinfo=UTC)
ZONE = "Europe/Berlin"  # has a day of 23 hours in the middle: the 29th of March

BUY = Taken(event("buy"), Prop("amount"))
METRICS = (
    ExperimentMetric("bought", "conversion", Taken(event("buy"))),
    ExperimentMetric("buys", "mean", Taken(event("buy"))),
    ExperimentMetric("revenue", "mean", BUY),
    ExperimentMetric("first_day", "mean", BUY, hours=24),
    ExperimentMetric("basket", "ratio", BUY, Taken(event("buy"))),
    ExperimentMetric("p75", "quantile", BUY, level=0.75),
    ExperimentMetric("back_1", "retention", Taken(event("open")), day=1),
    ExperimentMetric("back_3", "retention", Taken(event("open")), day=3),
)


class Sent(NamedTuple):
    """An event of a test, in minutes since `BEGIN`."""

    unit: str
    minute: int
    name: str
    props: Mapping[str, Any] = {}

    @property
    def at(self) -> datetime:
        return BEGIN + timedelta(minutes=self.minute)

    def wire(self, number: int) -> dict[str, Any]:
        return {
            "event": self.name,
            "actor": self.unit,
            "timestamp": self.at.isoformat(),
            "eventId": str(number),
            "properties": dict(self.props),
        }


def met(unit: str, minute: int, variant: str, experiment: str = "checkout") -> Sent:
    return Sent(unit, minute, EXPOSURE, {"experiment": experiment, "variant": variant})


def bought(unit: str, minute: int, amount: Any) -> Sent:
    return Sent(unit, minute, "buy", {"amount": amount})


def opened(unit: str, minute: int) -> Sent:
    return Sent(unit, minute, "open")


def experiment(**fields: Any) -> Experiment:
    given = {"metrics": METRICS, **fields}
    variants = (Variant("old", 0.5), Variant("new", 0.5))
    return Experiment(1, 1, "checkout", "", "", "running", "s", variants, BEGIN, **given)


WHOLE = Span(BEGIN, BEGIN, END)


def found_in(world: World, sent: Sequence[Sent], span: Span = WHOLE, bots: Iterable[Sent] = (), **fields: Any) -> Units:
    events = [one.wire(i) for i, one in enumerate(sent)]
    events += [{**one.wire(-1 - i), "userAgent": "Googlebot/2.1"} for i, one in enumerate(bots)]
    assert world.send(events, NOW) == []
    tried = experiment(**fields)
    return measure(world.engine, world.project, tried, span)


class Oracle:
    """The same in plain Python: one unit after the other, one event after the other."""

    def __init__(self, sent: Sequence[Sent], span: Span, pre_days: int) -> None:
        self.span, self.pre_days = span, pre_days
        self.zone = ZoneInfo(ZONE)
        self.of_unit: dict[str, list[Sent]] = defaultdict(list)
        for one in sent:
            self.of_unit[one.unit].append(one)

    def first(self, unit: str) -> tuple[datetime, set[str]] | None:
        """When the unit was exposed first, and what it met."""
        exposures = [
            one for one in self.of_unit[unit]
            if one.name == EXPOSURE and one.props["experiment"] == "checkout" and one.props["variant"] in ("old", "new")
            and self.span.since <= one.at < self.span.end
        ]  # fmt: skip
        if not exposures or min(one.at for one in exposures) < self.span.start:
            return None
        return min(one.at for one in exposures), {one.props["variant"] for one in exposures}

    def units(self, variant: str) -> list[tuple[str, datetime]]:
        firsts = {unit: self.first(unit) for unit in self.of_unit}
        return [(unit, first[0]) for unit, first in firsts.items() if first is not None and first[1] == {variant}]

    def several(self) -> int:
        firsts = [self.first(unit) for unit in self.of_unit]
        return sum(first is not None and len(first[1]) > 1 for first in firsts)

    def day(self, at: datetime) -> date:
        return at.astimezone(self.zone).date()

    def values(self, metric: ExperimentMetric, variant: str) -> list[dict[str, Fraction]]:
        """The values of every unit that counts."""
        return [
            self._values(metric, unit, first)
            for unit, first in self.units(variant)
            if metric.kind != "retention" or self.day(first) + timedelta(days=metric.day) < self.day(self.span.end)
        ]

    def _values(self, metric: ExperimentMetric, unit: str, first: datetime) -> dict[str, Fraction]:
        def after(one: Sent) -> bool:
            if metric.kind == "retention":
                return one.at >= first and self.day(one.at) == self.day(first) + timedelta(days=metric.day)
            return one.at >= first and (metric.hours is None or one.at < first + timedelta(hours=metric.hours))

        def before(one: Sent) -> bool:
            return first - timedelta(days=self.pre_days) <= one.at < first

        values = {UPPER: self._value(metric, metric.taken, unit, after)}
        if metric.lower is not None:
            values[LOWER] = self._value(metric, metric.lower, unit, after)
        if self.pre_days and metric.kind != "quantile":
            values[UPPER_BEFORE] = self._value(metric, metric.taken, unit, before)
            if metric.lower is not None:
                values[LOWER_BEFORE] = self._value(metric, metric.lower, unit, before)
        return values

    def _value(self, metric: ExperimentMetric, taken: Taken, unit: str, when: Callable[[Sent], bool]) -> Fraction:
        name = "open" if metric.kind == "retention" else "buy"
        events = [one for one in self.of_unit[unit] if one.name == name and one.at < self.span.end and when(one)]
        if metric.kind in ("conversion", "retention"):
            return Fraction(bool(events))
        if taken.of is None:
            return Fraction(len(events))
        amounts = [one.props["amount"] for one in events]
        return sum((Fraction(str(amount)) for amount in amounts if not isinstance(amount, str)), Fraction(0))


def assert_same(found: Units, sent: Sequence[Sent], span: Span = WHOLE, pre_days: int = 0) -> None:
    oracle = Oracle(sent, span, pre_days)
    assert found.several == oracle.several()
    assert found.exposed == {variant: len(oracle.units(variant)) for variant in ("old", "new")}
    for metric in METRICS:
        for variant in ("old", "new"):
            values, control = (oracle.values(metric, each) for each in (variant, "old"))
            assert_measured(found.measured[metric.name][variant], metric, values, control)


OfUnits = Sequence[Mapping[str, Fraction]]


def assert_measured(measured: Measured, metric: ExperimentMetric, values: OfUnits, control: OfUnits) -> None:
    if isinstance(measured.of, Ranked):
        ordered, others = (sorted(value[UPPER] for value in each) for each in (values, control))
        assert_ranked(measured.of, metric.level, ordered, others)
        return
    sums = measured.of
    assert sums.n == len(values)
    assert set(sums.totals) == set(values[0] if values else sums.totals)
    for name in sums.totals:
        assert Fraction(sums.totals[name], sums.scales[name]) == sum(value[name] for value in values)
    for one, other in sums.products:
        scale = sums.scales[one] * sums.scales[other]
        assert Fraction(sums.products[one, other], scale) == sum(value[one] * value[other] for value in values)


def assert_ranked(ranked: Ranked, level: float, values: Sequence[Fraction], control: Sequence[Fraction]) -> None:
    assert ranked.n == len(values)
    if values:
        assert ranked.value == float(values[max(1, math.ceil(level * len(values))) - 1])
        assert 1 <= ranked.low_rank <= ranked.high_rank <= len(values)
        assert ranked.low == float(values[ranked.low_rank - 1])
        assert ranked.high == float(values[ranked.high_rank - 1])
        assert ranked.equal == sum(float(value) == ranked.value for value in values)
        both = sorted([*values, *control])
        pooled = both[max(1, math.ceil(level * len(both))) - 1]
        at_most = [sum(value <= pooled for value in each) for each in (values, control)]
        assert [ranked.at_most, ranked.control_at_most] == at_most


def sums(found: Units, metric: str, variant: str = "new") -> Sums:
    of = found.measured[metric][variant].of
    assert isinstance(of, Sums)
    return of


UNITS = st.sampled_from(["ann", "ben", "cai", "dee", "eve", "fay"])
MINUTES = st.integers(-3 * 1_440, 8 * 1_440)
AMOUNTS = st.one_of(st.decimals(-50, 50, places=2).map(float), st.integers(-3, 3), st.just("many"))
EVENTS = st.one_of(
    st.builds(
        met, UNITS, MINUTES, st.sampled_from(["old", "new", "new", "other"]), st.sampled_from(["checkout"] * 4 + ["x"])
    ),
    st.builds(bought, UNITS, MINUTES, AMOUNTS),
    st.builds(opened, UNITS, MINUTES),
)


@settings(SLOW, max_examples=25)
@given(sent=st.lists(EVENTS, max_size=40), pre_days=st.sampled_from([0, 2]), skipped=st.sampled_from([0, 2]))
def test_sums_are_those_of_the_events(
    world: Callable[..., World], sent: list[Sent], pre_days: int, skipped: int
) -> None:
    span = Span(BEGIN, BEGIN + timedelta(days=skipped), END)
    found = found_in(world(timezone=ZONE), sent, span, pre_days=pre_days)
    assert_same(found, sent, span, pre_days)


def test_a_unit_active_on_two_days_is_one_unit_with_one_sum(world: Callable[..., World]) -> None:
    sent = [met("ann", 0, "new"), bought("ann", 10, 5), met("ann", 1_500, "new"), bought("ann", 1_510, 7)]
    found = sums(found_in(world(), sent), "revenue")
    assert (found.n, found.totals[UPPER], found.products[UPPER, UPPER]) == (1, 12 * 10**9, 144 * 10**18)


def test_what_came_before_the_first_exposure_does_not_count(world: Callable[..., World]) -> None:
    sent = [bought("ann", 9, 5), met("ann", 10, "new"), bought("ann", 10, 7), met("ann", 30, "new")]
    assert sums(found_in(world(), sent), "revenue").totals[UPPER] == 7 * 10**9


def test_the_exposure_may_carry_what_is_measured(world: Callable[..., World]) -> None:
    rounds = ExperimentMetric("rounds", "mean", Taken(event(EXPOSURE), Prop("rounds")))
    sent = [met("ann", 0, "new"), met("ben", 0, "new")]
    carrying = [one._replace(props={**one.props, "rounds": 3}) for one in sent]
    found = found_in(world(), carrying, metrics=(rounds,))
    assert sums(found, "rounds").sample().means[UPPER] == 3


def test_an_exposed_unit_counts_with_nothing_measured(world: Callable[..., World]) -> None:
    found = found_in(world(), [met("ann", 0, "new"), met("ben", 0, "new"), bought("ben", 1, 4)])
    assert sums(found, "revenue").sample().means[UPPER] == 2
    assert sums(found, "revenue", "old").n == 0


def test_a_unit_of_two_variants_is_left_out(world: Callable[..., World]) -> None:
    sent = [met("ann", 0, "new"), met("ann", 5, "old"), bought("ann", 6, 4), met("ben", 0, "old"), met("cai", 0, "x")]
    found = found_in(world(), sent)
    assert (found.exposed, found.several) == ({"old": 1, "new": 0}, 1)
    assert sums(found, "revenue", "old").totals[UPPER] == 0


def test_bots_are_no_units(world: Callable[..., World]) -> None:
    found = found_in(world(), [met("ann", 0, "new")], bots=[met("bot", 0, "new"), bought("ann", 3, 4)])
    assert found.exposed == {"old": 0, "new": 1}
    assert sums(found, "buys").totals[UPPER] == 0


def test_events_without_an_actor_are_no_unit(world: Callable[..., World]) -> None:
    assert found_in(world(), [met("", 0, "new")]).exposed == {"old": 0, "new": 0}


def test_hours_end_what_counts_and_say_who_is_not_done(world: Callable[..., World]) -> None:
    late = int((END - BEGIN) / timedelta(minutes=1)) - 60
    sent = [met("ann", 0, "new"), bought("ann", 1_439, 1), bought("ann", 1_440, 10), met("ben", late, "new")]
    found = found_in(world(), sent)
    assert sums(found, "first_day").totals[UPPER] == 10**9
    assert found.measured["first_day"]["new"].unfinished == 1


def test_retention_waits_until_the_day_is_over(world: Callable[..., World]) -> None:
    # END is the 2nd of April in Berlin: of day 3, units from the 29th of March on are not counted yet.
    days = [opened(unit, 1_440 * day) for unit, day in (("ann", 5), ("ben", 6), ("cai", 7))]
    sent = [met("ann", 1_440 * 2, "new"), met("ben", 1_440 * 3, "new"), met("cai", 1_440 * 4, "new"), *days]
    found = found_in(world(timezone=ZONE), sent).measured["back_3"]["new"]
    assert isinstance(found.of, Sums)
    assert (found.of.n, found.of.totals[UPPER], found.unfinished) == (2, 2, 1)


def test_days_of_retention_are_those_of_the_zone(world: Callable[..., World]) -> None:
    # Both are on the 27th of March in UTC; in Berlin, 23:30 UTC is on the 28th.
    sent = [met("ann", 1_440 + 60, "new"), opened("ann", 1_440 + 23 * 60 + 30)]
    for zone, back in (("UTC", 0), (ZONE, 1)):
        assert sums(found_in(world(timezone=zone), sent), "back_1").totals[UPPER] == back


def test_who_was_exposed_before_the_window_is_not_first_exposed_in_it(world: Callable[..., World]) -> None:
    sent = [met("ann", 0, "new"), met("ann", 3_000, "new"), met("ben", 3_000, "new")]
    found = found_in(world(), sent, Span(BEGIN, BEGIN + timedelta(days=1), END))
    assert found.exposed == {"old": 0, "new": 1}


def test_sums_are_exact(world: Callable[..., World]) -> None:
    # In floating point the first sum has lost the tenth, and the second variance is not zero.
    sent = [met("ann", 0, "new"), bought("ann", 1, 1e15), bought("ann", 2, 0.1), bought("ann", 3, -1e15)]
    sent += [event for unit in ("ben", "cai", "dee") for event in (met(unit, 0, "old"), bought(unit, 1, 123_456_789.1))]
    found = found_in(world(), sent)
    assert sums(found, "revenue").totals[UPPER] == 10**8
    assert sums(found, "revenue", "old").sample().variance(UPPER) == 0


def test_other_projects_and_experiments_are_not_seen(world: Callable[..., World]) -> None:
    other, mine = world(), world()
    found_in(other, [met("ann", 0, "new")])
    assert found_in(mine, [met("ann", 0, "new", experiment="x")]).exposed == {"old": 0, "new": 0}


def test_an_experiment_without_metrics_has_units(world: Callable[..., World]) -> None:
    assert found_in(world(), [met("ann", 0, "new")], metrics=()) == Units({"old": 0, "new": 1}, 0, {})


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        (None, None, (BEGIN, BEGIN, END)),
        (date(2026, 3, 28), None, (BEGIN, datetime(2026, 3, 27, 23, tzinfo=UTC), END)),
        (
            date(2026, 3, 20),
            date(2026, 3, 27),
            (datetime(2026, 3, 19, 23, tzinfo=UTC),) * 2 + (datetime(2026, 3, 27, 23, tzinfo=UTC),),
        ),
        (None, date(2026, 5, 1), (BEGIN, BEGIN, END)),
        (date(2026, 6, 1), None, (BEGIN, *(datetime(2026, 5, 31, 22, tzinfo=UTC),) * 2)),
    ],
)
def test_a_span_is_where_the_experiment_ran(
    first: date | None, last: date | None, expected: tuple[datetime, ...]
) -> None:
    stopped = experiment(started_at=BEGIN, stopped_at=END)
    assert span_of(stopped, ZONE, first, last, NOW) == Span(*expected)


def test_what_has_not_happened_is_not_looked_at() -> None:
    assert span_of(experiment(), "UTC", None, None, NOW) == Span(BEGIN, BEGIN, NOW)
