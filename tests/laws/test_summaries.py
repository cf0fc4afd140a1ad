"""Summaries are monoids, and parts merged are the whole: as Python values, and on the engine."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from functools import reduce
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallymark.spec.catalog import Catalog
from tallymark.spec.condition import ALWAYS, Column, Condition, Prop, event, human
from tallymark.spec.measure import Kind, Measure, Rows, actors, count, moments, quantiles, total
from tallymark.spec.metric import Mean, Metric, Newcomers, Plain, Quantile, Ratio, shared
from tallymark.spec.pack import Pack
from tallymark.spec.query import Query
from tallymark.spec.summary import SCALE, Distribution, Moments, bucket_of, value_of
from tallymark.spec.window import Window
from tests.conftest import SLOW, World, Worlds

numbers = st.floats(-1e15, 1e15, allow_nan=False) | st.integers(-1000, 1000).map(float)
several = st.lists(numbers, max_size=20)
positives = st.floats(0, 1e15, allow_nan=False)


@given(several, several, several)
def test_moments_are_a_commutative_monoid(a: list[float], b: list[float], c: list[float]) -> None:
    x, y, z = Moments.of(a), Moments.of(b), Moments.of(c)
    assert x.merge(y).merge(z) == x.merge(y.merge(z))
    assert x.merge(y) == y.merge(x)
    assert x.merge(Moments()) == x == Moments().merge(x)


@given(st.lists(several, max_size=6))
def test_merged_moments_are_those_of_the_whole(parts: list[list[float]]) -> None:
    merged = reduce(Moments.merge, map(Moments.of, parts), Moments())
    assert merged == Moments.of(value for part in parts for value in part)


@given(st.lists(st.integers(-(2**53), 2**53), max_size=50))
def test_whole_numbers_add_up_exactly_however_large(numbers: list[int]) -> None:
    assert Moments.of(float(n) for n in numbers).total == sum(numbers) * SCALE


@given(st.floats(-1e15, 1e15))
def test_a_number_is_kept_to_the_ninth_decimal(number: float) -> None:
    assert abs(Fraction(Moments.of([number]).total, SCALE) - Fraction(number)) <= Fraction(1, 2 * SCALE)


@given(st.lists(st.integers(-(10**9), 10**9), min_size=2, max_size=50))
def test_moments_present_the_sum_the_mean_and_the_unbiased_variance(billionths: list[int]) -> None:
    found = Moments.of(n / SCALE for n in billionths)
    exact = [Fraction(n, SCALE) for n in billionths]
    mean = sum(exact) / len(exact)
    assert found.total == sum(billionths)
    assert found.mean == pytest.approx(float(mean), rel=1e-12)
    variance = sum((n - mean) ** 2 for n in exact) / (len(exact) - 1)
    assert found.variance == pytest.approx(float(variance), rel=1e-12)


def test_moments_of_nothing_have_no_mean_and_of_one_no_variance() -> None:
    assert (Moments().sum, Moments().mean, Moments().variance) == (0, None, None)
    assert (Moments.of([2.5]).mean, Moments.of([2.5]).variance) == (2.5, None)


@given(*[st.lists(positives, max_size=20)] * 3)
def test_distributions_are_a_commutative_monoid(a: list[float], b: list[float], c: list[float]) -> None:
    x, y, z = Distribution.of(a), Distribution.of(b), Distribution.of(c)
    assert x.merge(y).merge(z) == x.merge(y.merge(z))
    assert x.merge(y) == y.merge(x)
    assert x.merge(Distribution()) == x == Distribution().merge(x)


@given(st.lists(st.lists(positives, max_size=20), max_size=6))
def test_merged_distributions_are_that_of_the_whole(parts: list[list[float]]) -> None:
    merged = reduce(Distribution.merge, map(Distribution.of, parts), Distribution())
    assert merged == Distribution.of(value for part in parts for value in part)


@given(st.lists(st.floats(1e-9, 1e15), min_size=1, max_size=200), st.sampled_from([0.0, 0.5, 0.75, 0.95, 0.99, 1.0]))
def test_a_quantile_is_within_half_a_percent_of_the_nearest_rank(values: list[float], level: float) -> None:
    rank = max(1, -(-Fraction(str(level)) * len(values) // 1))
    exact = sorted(values)[int(rank) - 1]
    assert Distribution.of(values).quantile(level) == pytest.approx(exact, rel=0.005)


def test_zeros_count_negative_numbers_do_not_and_nothing_has_no_quantile() -> None:
    assert Distribution.of([-1, -0.5]).quantile(0.5) is None
    assert Distribution.of([0, 0, 5]).quantile(0.5) == 0
    assert Distribution.of([0, 0, 5]).n == 3


@given(positives)
def test_a_number_is_in_a_bucket_that_stands_for_it(value: float) -> None:
    assert value_of(bucket_of(value)) == pytest.approx(value, rel=0.005, abs=1.01e-9)


def _plain(name: str, measure: Measure) -> Metric:
    return Metric(name, name, name, Plain(measure))


WHERE: dict[str, Condition] = {"all": ALWAYS, "some": event("a") & human()}
METRICS = (
    *(_plain(f"count_{w}", count(c)) for w, c in WHERE.items()),
    *(_plain(f"sum_{w}", total(Column("value"), c)) for w, c in WHERE.items()),
    *(_plain(f"actors_{w}", actors(c)) for w, c in WHERE.items()),
    *(Metric(f"mean_{w}", w, w, Mean(moments(Column("value"), c))) for w, c in WHERE.items()),
    *(Metric(f"median_{w}", w, w, Quantile(0.5, quantiles(Prop("n"), c))) for w, c in WHERE.items()),
    Metric("share", "", "", Ratio(count(WHERE["some"]), count())),
    Metric("newcomers", "", "", Newcomers(actors())),
    Metric("visits", "", "", Plain(count(rows=Rows.SESSIONS))),
    Metric("length", "", "", Mean(moments(Column("duration"), rows=Rows.SESSIONS))),
)
CATALOG = Catalog.of([Pack("core", "", "", METRICS, (shared("os", "", ""), shared("country", "", "")))])

FIRST = date(2026, 5, 1)
DAYS = 6


@dataclass(frozen=True)
class Drawn:
    """An event of a law: on which day and when on it, by whom and with what."""

    day: int
    second: int
    name: str
    actor: str
    value: float | None
    n: float | str | None

    def wire(self, place: int) -> dict[str, Any]:
        at = datetime(FIRST.year, FIRST.month, FIRST.day, tzinfo=UTC) + timedelta(days=self.day, seconds=self.second)
        sent: dict[str, Any] = {"event": self.name, "timestamp": at.isoformat(), "eventId": str(place)}
        sent |= {"actor": self.actor} if self.actor else {}
        sent |= {"value": self.value} if self.value is not None else {}
        return sent | ({"properties": {"n": self.n}} if self.n is not None else {})


drawn = st.builds(
    Drawn,
    day=st.integers(0, DAYS - 1),
    second=st.integers(0, 80_000),
    name=st.sampled_from(["a", "b"]),
    actor=st.sampled_from(["", "x", "y", "z", "ä"]),
    value=st.none() | st.integers(-(10**6), 10**6).map(lambda n: n / 1000),
    n=st.none() | st.integers(0, 10**6) | st.floats(0, 1e6) | st.sampled_from(["", "many", "7"]),
)


def _whole(metrics: Sequence[str]) -> Query:
    return Query(tuple(metrics), Window(FIRST, FIRST + timedelta(days=DAYS - 1)))


@settings(SLOW, max_examples=6)
@given(st.lists(drawn, min_size=1, max_size=60), st.randoms(use_true_random=False))
def test_days_merged_by_the_engine_are_the_whole_in_one_go(world: Worlds, events: list[Drawn], random: Random) -> None:
    """Rollups of days, made in any order, say what the same engine says of all events at once."""
    here = replace(world(), catalog=CATALOG)
    here.send([e.wire(i) for i, e in enumerate(events)], datetime(2026, 6, 1, tzinfo=UTC))
    days = [FIRST + timedelta(days=i) for i in range(DAYS)]
    random.shuffle(days)
    cut = random.randrange(DAYS)
    here.refresh(days[:cut])
    here.refresh(days[cut:])
    here.settle()
    query = _whole([m.name for m in METRICS])
    merged, at_once = here.ask(query), here.ask(replace(query, exact=True))
    assert merged["metrics"] == at_once["metrics"]
    _check_in_python(here, events)


def _check_in_python(here: World, events: list[Drawn]) -> None:
    """The engine's states are those of the Python summaries."""
    told = here.ask(_whole(["count_all", "sum_all", "actors_all", "mean_all", "median_all"]))["metrics"]
    values = [e.value for e in events if e.value is not None]
    ns = [float(e.n) for e in events if e.n not in (None, "", "many")]
    expected = Moments.of(values)
    assert told["count_all"]["value"] == len(events)
    assert told["sum_all"]["value"] == round(expected.sum, 6)
    assert told["actors_all"]["value"] == len({e.actor for e in events if e.actor})
    assert told["mean_all"]["value"] == (None if expected.mean is None else round(expected.mean, 6))
    assert told["median_all"]["value"] == Distribution.of(ns).quantile(0.5)


@pytest.mark.parametrize("kind", list(Kind))
def test_every_kind_of_measure_is_under_the_law(kind: Kind) -> None:
    assert kind in {measure.kind for measure in CATALOG.measures}


_STATES = st.lists(st.sets(st.integers(1, 300), max_size=40), min_size=3, max_size=3)


@settings(SLOW, max_examples=15)
@given(_STATES)
def test_bitmaps_are_a_commutative_monoid_and_intersect_as_sets(world: Worlds, sets: list[set[int]]) -> None:
    params = {name: sorted(members) for name, members in zip("abc", sets, strict=True)}
    a, b, c = (f"arrayReduce('groupBitmapState', {{{name}:Array(UInt32)}})" for name in "abc")
    none = "arrayReduce('groupBitmapState', CAST([], 'Array(UInt32)'))"
    lists = ", ".join(
        f"arraySort(bitmapToArray({bitmap}))"
        for bitmap in (
            f"bitmapOr(bitmapOr({a}, {b}), {c})", f"bitmapOr({a}, bitmapOr({b}, {c}))",
            f"bitmapOr({c}, bitmapOr({b}, {a}))",
            f"bitmapOr({a}, {none})", f"bitmapOr({none}, {a})", f"bitmapAnd({a}, {b})",
        )
    )  # fmt: skip
    ((left, right, turned, with_none, none_with, both),) = world().engine.query(f"SELECT {lists}", params)
    assert left == right == turned == sorted(sets[0] | sets[1] | sets[2])
    assert with_none == none_with == sorted(sets[0])
    assert both == sorted(sets[0] & sets[1])
