"""What a unit gets: each answer there is, what comes before what, and what must hold for many units."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from growthbook import Experiment as Told
from growthbook import GrowthBook
from growthbook.core import gbhash
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from tallymark.experiment.decide import Decision, Reason, decide
from tallymark.spec.experiment import Experiment, Holdout, Namespace, Variant
from tallymark.spec.targeting import Rule, Targeting

CONTROL = Variant("control", 1.0, "old")
BLUE = Variant("blue", 1.0, {"colour": "blue"})
RUNNING = Experiment(
    1, 1, "checkout", "Checkout", "", "running", "checkout", (CONTROL, BLUE), datetime(2026, 11, 1, tzinfo=UTC)
)
GERMANS = Targeting(((Rule("country", "is", ("DE",)),),))
GERMAN = {"country": "DE"}
UNITS = [f"unit-{number}" for number in range(3_000)]
NOBODY = Namespace("mutual", 0.0, 1e-9)

UNIT_IDS = st.text(max_size=20)


def variants(*weights: float) -> tuple[Variant, ...]:
    return tuple(Variant(f"v{index}", weight, index) for index, weight in enumerate(weights))


def given_to(experiment: Experiment, units: list[str] = UNITS) -> dict[str, str]:
    """The variants of the units that take part."""
    decided = {unit: decide(experiment, unit, {}, None) for unit in units}
    return {unit: decision.variant for unit, decision in decided.items() if decision.in_experiment}


#: What is changed of an experiment in which unit-1 would be assigned, and the reason that it leads to.
CASES: tuple[tuple[Mapping[str, Any], Reason], ...] = (
    ({}, Reason.ASSIGNED),
    ({"status": "draft"}, Reason.NOT_RUNNING),
    ({"status": "archived"}, Reason.NOT_RUNNING),
    ({"status": "stopped"}, Reason.STOPPED),
    ({"status": "shipped", "shipped": "blue"}, Reason.SHIPPED),
    ({"killed": True}, Reason.KILLED),
    ({"forced": {"unit-1": "blue"}}, Reason.FORCED),
    ({"targeting": GERMANS}, Reason.NOT_TARGETED),
    ({"holdout": Holdout("all", 1.0)}, Reason.HELD_OUT),
    ({"namespace": NOBODY}, Reason.EXCLUDED),
    ({"coverage": 0.0}, Reason.NOT_COVERED),
)


@pytest.mark.parametrize(("fields", "reason"), CASES, ids=[str(reason) for _, reason in CASES])
def test_every_reason(fields: Mapping[str, Any], reason: Reason) -> None:
    decision = decide(replace(RUNNING, **fields), "unit-1", {}, None)
    assert decision.reason is reason
    assert decision.in_experiment is decision.new is (reason is Reason.ASSIGNED)
    expected = BLUE if reason in (Reason.SHIPPED, Reason.FORCED) else CONTROL
    if reason is not Reason.ASSIGNED:
        assert (decision.variant, decision.value) == (expected.key, expected.value)


def test_every_reason_is_tried() -> None:
    assert {reason for _, reason in CASES} | {Reason.STICKY} == set(Reason)


#: From what comes first to what comes last.
ORDER: tuple[tuple[Reason, Mapping[str, Any]], ...] = (
    (Reason.STOPPED, {"status": "stopped"}),
    (Reason.KILLED, {"killed": True}),
    (Reason.FORCED, {"forced": {"unit-1": "blue"}}),
    (Reason.NOT_TARGETED, {"targeting": GERMANS}),
    (Reason.HELD_OUT, {"holdout": Holdout("all", 1.0)}),
    (Reason.EXCLUDED, {"namespace": NOBODY}),
    (Reason.STICKY, {}),
    (Reason.NOT_COVERED, {"coverage": 0.0}),
)


@pytest.mark.parametrize("first", range(len(ORDER)), ids=[str(reason) for reason, _ in ORDER])
def test_what_comes_first(first: int) -> None:
    fields = {name: value for _, given in ORDER[first:] for name, value in given.items()}
    stored = "blue" if first <= [reason for reason, _ in ORDER].index(Reason.STICKY) else None
    assert decide(replace(RUNNING, **fields), "unit-1", {}, stored).reason is ORDER[first][0]


def test_a_shipped_variant_is_for_everybody_even_if_nobody_was_targeted() -> None:
    shipped = replace(RUNNING, status="shipped", shipped="blue", targeting=GERMANS, forced={"unit-1": "control"})
    assert decide(shipped, "unit-1", {}, "control") == Decision("blue", BLUE.value, False, Reason.SHIPPED)


def test_a_stored_assignment_stays_whatever_becomes_of_weights_and_coverage() -> None:
    before = given_to(RUNNING)
    changed = replace(RUNNING, coverage=0.0, variants=(replace(CONTROL, weight=0), replace(BLUE, weight=9)))
    for unit, variant in before.items():
        decision = decide(changed, unit, {}, variant)
        assert (decision.variant, decision.in_experiment, decision.reason) == (variant, True, Reason.STICKY)
        assert not decision.new


def test_a_stored_variant_that_is_gone_does_not_count() -> None:
    assert decide(RUNNING, "unit-1", {}, "green") == decide(RUNNING, "unit-1", {}, None)


def test_who_does_not_fit_any_more_leaves_and_comes_back() -> None:
    german = replace(RUNNING, targeting=GERMANS)
    assert decide(german, "unit-1", GERMAN, "blue").reason is Reason.STICKY
    assert decide(german, "unit-1", {"country": "FR"}, "blue") == Decision("control", "old", False, Reason.NOT_TARGETED)


@given(UNIT_IDS, st.sampled_from([None, "control", "blue"]))
def test_the_same_question_has_the_same_answer(unit: str, stored: str | None) -> None:
    again = replace(RUNNING, revision=7, name="Other", hypothesis="Other", metrics=())
    assert decide(RUNNING, unit, GERMAN, stored) == decide(again, unit, dict(GERMAN), stored)


@given(UNIT_IDS, st.floats(0, 1), st.floats(0, 1), st.lists(st.integers(0, 9), min_size=2, max_size=5).filter(any))
def test_coverage_only_adds_units(unit: str, one: float, other: float, weights: list[int]) -> None:
    less, more = (
        decide(replace(RUNNING, variants=variants(*weights), coverage=share), unit, {}, None)
        for share in sorted((one, other))
    )
    assert not less.in_experiment or less == more


@given(UNIT_IDS, st.floats(0, 1))
def test_disjoint_parts_of_a_namespace_exclude_each_other(unit: str, border: float) -> None:
    parts = [Namespace("mutual", 0.0, border), Namespace("mutual", border, 1.0)]
    decisions = [decide(replace(RUNNING, seed=str(part), namespace=part), unit, {}, None) for part in parts]
    assert [decision.reason for decision in decisions].count(Reason.EXCLUDED) == 1


@given(UNIT_IDS, st.floats(0, 1))
def test_a_holdout_keeps_the_same_units_from_all_its_experiments(unit: str, share: float) -> None:
    holdout = Holdout("all", share)
    decisions = [decide(replace(RUNNING, seed=seed, holdout=holdout), unit, {}, None) for seed in "abc"]
    assert len({decision.reason for decision in decisions}) == 1


@given(UNIT_IDS)
def test_where_a_holdout_ends(unit: str) -> None:
    """A unit is held out from the share on that lies just above its part, which is GrowthBook's."""
    part = gbhash("holdout:all", unit, 2)
    assert part is not None
    at, above = (
        decide(replace(RUNNING, holdout=Holdout("all", share)), unit, {}, None) for share in (part, part + 1e-9)
    )
    assert (at.reason, above.reason) == (Reason.ASSIGNED, Reason.HELD_OUT)


@pytest.mark.parametrize("weights", [(1, 1), (9, 1), (2, 3, 5), (1,) * 20])
def test_shares_are_those_of_the_weights(weights: tuple[int, ...]) -> None:
    counts = Counter(given_to(replace(RUNNING, variants=variants(*weights))).values())
    observed = [counts[f"v{index}"] for index in range(len(weights))]
    assert sum(observed) == len(UNITS)
    expected = [len(UNITS) * weight / sum(weights) for weight in weights]
    assert chisquare(observed, expected).pvalue > 0.001


def test_shares_of_coverage_holdouts_and_namespaces() -> None:
    kept = {
        "coverage": replace(RUNNING, coverage=0.3),
        "holdout": replace(RUNNING, holdout=Holdout("all", 0.7)),
        "namespace": replace(RUNNING, namespace=Namespace("mutual", 0.2, 0.5)),
    }
    for name, experiment in kept.items():
        inside = len(given_to(experiment))
        assert chisquare([inside, len(UNITS) - inside], [900, 2_100]).pvalue > 0.001, name


def test_experiments_are_independent_of_each_other() -> None:
    """Of the units that get blue in one, half get blue in another, and as many of those that are held out."""
    one, other = given_to(RUNNING), given_to(replace(RUNNING, seed="other"))
    pairs = Counter((one[unit], other[unit]) for unit in UNITS)
    assert chisquare(list(pairs.values())).pvalue > 0.001
    assert len(pairs) == 4


def test_a_weight_of_zero_gets_nobody() -> None:
    assert set(given_to(replace(RUNNING, variants=variants(0, 1, 0))).values()) == {"v1"}


@settings(max_examples=50)
@given(
    st.lists(st.text(min_size=1, max_size=20), min_size=1, max_size=20),
    st.lists(st.integers(0, 10), min_size=2, max_size=6).filter(any),
    st.floats(0.1, 1),
    st.sampled_from([None, Namespace("mutual", 0.25, 0.75)]),
)
def test_as_growthbook_decides(units: list[str], weights: list[int], coverage: float, part: Namespace | None) -> None:
    """Its SDK, asked by its front door, gives every unit the same variant."""
    shares = [weight / sum(weights) for weight in weights]
    told = Told(
        key="checkout", seed="checkout", hashVersion=2, variations=list(range(len(weights))), weights=shares,
        coverage=coverage, namespace=None if part is None else (part.name, part.start, part.end),
    )  # fmt: skip
    experiment = replace(RUNNING, variants=variants(*weights), coverage=coverage, namespace=part)
    book = GrowthBook()
    for unit in units:
        book.set_attributes({"id": unit})
        result, decision = book.run(told), decide(experiment, unit, {}, None)
        assert (decision.value, decision.in_experiment) == (result.value, result.inExperiment)
    book.destroy()
