"""Rules over attributes: what fits each operator, and what does not."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallymark.spec.targeting import (
    EVERYBODY,
    MOST_ITEMS,
    MOST_LOOKED_AT,
    Rule,
    RuleOp,
    Targeting,
    matches,
    overlong,
    version,
)


def fits(op: RuleOp, values: tuple[Any, ...], attributes: dict[str, Any]) -> bool:
    return matches(Targeting(((Rule("a", op, values),),)), attributes)


#: An operator, its values, what of `a` fits, and what does not.
CASES: tuple[tuple[RuleOp, tuple[Any, ...], list[Any], list[Any]], ...] = (
    ("is", ("DE", "FR"), ["DE", "FR"], ["de", "", None, "D", 1, ["IT"], {}]),
    ("is", (3,), [3, 3.0, [1, 3]], ["3", 4, True, None]),
    ("is", (1,), [1, 1.0], [True, "1"]),
    ("is", (True,), [True], [1, "true", False, None]),
    ("is_not", ("DE", "FR"), ["IT", None, 1, [], ["IT"]], ["DE", "FR", ["IT", "FR"]]),
    ("contains", ("pro", "team"), ["pro", "a pro plan", "teams", ["free", "pro"]], ["PRO", "", None, 3, True]),
    ("matches", ("^a.c$", "z"), ["abc", "äz", "zz"], ["abcd", "", None, 3]),
    ("above", (3,), [3.5, 4, 10**30, [1, 4]], [3, 2, "4", True, None]),
    ("below", (3,), [2, -1, 2.9], [3, "2", False, None]),
    ("above", ("2026-01-01",), ["2026-01-02", "2027"], ["2026-01-01", "2025-12-31", 3000]),
    ("below", ("b",), ["a", ""], ["b", "c", 1]),
    ("exists", (), ["", 0, False, [], {}], [None]),
    ("missing", (), [None], ["", 0, False, []]),
    ("version_at_least", ("2.9",), ["2.9", "2.10", "2.9.0", "v3", "2.9-beta", "10"], ["2.8.9", "2", "", "x", 3, None]),
    ("version_below", ("2.10.0", "1"), ["2.9.99", "2", "0.1", "v2.9-rc1"], ["2.10", "2.10.0.1", "11", "", "x", 1]),
)


@pytest.mark.parametrize(("op", "values", "good", "bad"), CASES, ids=[f"{op}-{values}" for op, values, *_ in CASES])
def test_what_fits(op: RuleOp, values: tuple[Any, ...], good: list[Any], bad: list[Any]) -> None:
    assert [value for value in good if not fits(op, values, {"a": value})] == []
    assert [value for value in bad if fits(op, values, {"a": value})] == []


@pytest.mark.parametrize("op", ["is", "contains", "matches", "above", "below", "exists", "version_below"])
def test_a_missing_attribute_fits_missing_and_is_not_alone(op: RuleOp) -> None:
    values = () if op == "exists" else ("1",)
    assert not fits(op, values, {})
    assert not fits(op, values, {"a": None})
    assert fits("missing", (), {})
    assert fits("is_not", ("1",), {})


def test_an_and_of_ors() -> None:
    german, french = Rule("country", "is", ("DE",)), Rule("country", "is", ("FR",))
    paying = Rule("plan", "is", ("pro",))
    targeting = Targeting(((german, french), (paying,)))
    assert matches(targeting, {"country": "FR", "plan": "pro"})
    assert not matches(targeting, {"country": "FR", "plan": "free"})
    assert not matches(targeting, {"country": "IT", "plan": "pro"})
    assert matches(EVERYBODY, {})


def test_attributes_within_attributes() -> None:
    rule = Targeting(((Rule("device.os", "is", ("ios",)),),))
    assert matches(rule, {"device": {"os": "ios"}})
    assert matches(rule, {"device.os": "ios", "device": {"os": "android"}})
    assert not matches(rule, {"device": "ios"})
    assert not matches(rule, {"device": {}})


@given(st.lists(st.integers(0, 10**18 - 1), min_size=1, max_size=4), st.lists(st.integers(0, 30), max_size=4))
def test_versions_are_numbers_part_by_part(one: list[int], more: list[int]) -> None:
    text, other = ".".join(map(str, one)), ".".join(map(str, [*one, *more]))
    assert version(text) == tuple(one)
    assert fits("version_at_least", (text,), {"a": f"v{other}-beta+7"})
    assert fits("version_below", (f"{text}.0.1",), {"a": text})
    assert fits("version_below", (other,), {"a": text}) is any(more)


@given(st.sampled_from(CASES), st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists))
def test_any_value_is_compared(case: tuple[RuleOp, tuple[Any, ...], Any, Any], value: Any) -> None:
    op, values, _, _ = case
    assert isinstance(fits(op, values, {"a": value}), bool)
    if op in ("above", "below", "is"):
        opposite = sum(fits(other, values[:1], {"a": value}) for other in ("above", "below", "is"))
        assert isinstance(value, list) or opposite <= 1


@pytest.mark.parametrize("op", ["is", "is_not", "above", "below"])
def test_many_items_are_compared_with_many_values(op: RuleOp) -> None:
    wanted = tuple(f"{n:05}" for n in range(50_000, 51_000))
    rule = Targeting(((Rule("a", op, wanted),),))
    value = {"a": ["49999" if op == "above" else "60000"] * 10_000}
    assert matches(rule, value) is (op == "is_not")


def test_of_a_long_text_the_beginning_is_looked_at() -> None:
    cases: tuple[tuple[RuleOp, str], ...] = (("contains", "needle"), ("matches", "need.e"))
    for op, wanted in cases:
        assert fits(op, (wanted,), {"a": "x" * (MOST_LOOKED_AT - 6) + "needle"})
        assert not fits(op, (wanted,), {"a": "x" * (MOST_LOOKED_AT - 5) + "needle"})


def test_a_list_that_is_too_long_is_found() -> None:
    short, long = [0] * MOST_ITEMS, [0] * (MOST_ITEMS + 1)
    assert overlong({"a": short, "b": {"c": {"d": short}}, "e": "x" * 1_000}) is None
    assert overlong({"a": short, "b": long}) == "b"
    assert overlong({"b": {"c": {"d": long}}}) == "b.c.d"
