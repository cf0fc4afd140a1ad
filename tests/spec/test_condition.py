"""Conditions compose, read well, and mean on the engine what they say."""

from typing import Any as Anything

import pytest

from tallymark.engine.base import Engine
from tallymark.engine.expression import LARGEST, condition_sql, number_of
from tallymark.spec.condition import (
    ALWAYS,
    Above,
    All,
    Any,
    Column,
    Comparison,
    Condition,
    Op,
    Prop,
    column,
    event,
    flag,
    human,
    measured,
)

A, B, C = column("os", "a"), column("os", "b"), column("os", "c")

ROWS = "(SELECT arrayJoin(['', 'Ä', 'ä', 'a''b\\\\c', 'x.y', '%']) AS text, 0 AS bot)"


def _texts(engine: Engine, condition: Condition) -> set[str]:
    return {row[0] for row in engine.query(f"SELECT text FROM {ROWS} WHERE {condition_sql(condition)}")}


@pytest.mark.parametrize(
    ("chain", "parts"),
    [
        (A & B & C, All((A, B, C))),
        (A | B | C, Any((A, B, C))),
        (A & (B | C), All((A, Any((B, C))))),
        ((A & B) | C, Any((All((A, B)), C))),
    ],
)
def test_chains_stay_flat_and_others_nest(chain: Condition, parts: Condition) -> None:
    assert chain == parts


@pytest.mark.parametrize(
    ("condition", "text"),
    [
        (event("a", "b"), "event is 'a' | 'b'"),
        (event("page_view") & human(), "event is 'page_view' and bot is ''"),
        (A & (B | C), "os is 'a' and (os is 'b' or os is 'c')"),
        ((A & B) | C, "(os is 'a' and os is 'b') or os is 'c'"),
        (~(A | B), "not (os is 'a' or os is 'b')"),
        (Above(Prop("cart.total")), "props.cart.total > 0"),
        (Above(Prop("clsScore"), 0.1), "props.clsScore > 0.1"),
        (measured("inpMs"), "props.inpMs >= 0"),
        (flag("isExit"), "props.isExit is 'true'"),
        (ALWAYS, ""),
    ],
)
def test_a_condition_reads_as_text(condition: Condition, text: str) -> None:
    assert str(condition) == text


@pytest.mark.parametrize(
    ("op", "values", "found"),
    [
        (Op.IS, ("Ä", "x.y"), {"Ä", "x.y"}),
        (Op.IS, ("a'b\\c",), {"a'b\\c"}),
        (Op.IS_NOT, ("Ä", "ä", "x.y", "%"), {"", "a'b\\c"}),
        (Op.CONTAINS, ("ä",), {"Ä", "ä"}),
        (Op.CONTAINS, ("%", "'B"), {"%", "a'b\\c"}),
        (Op.MATCHES, ("^x.y$", r"b\\c"), {"x.y", "a'b\\c"}),
    ],
)
def test_comparisons_on_the_engine(engine: Engine, op: Op, values: tuple[str, ...], found: set[str]) -> None:
    assert _texts(engine, Comparison(Column("text"), op, values)) == found


def test_composed_conditions_on_the_engine(engine: Engine) -> None:
    upper, lower = column("text", "Ä"), column("text", "ä")
    assert _texts(engine, upper | lower) == {"Ä", "ä"}
    assert _texts(engine, upper & lower) == set()
    assert _texts(engine, ~(upper | lower)) == {"", "a'b\\c", "x.y", "%"}
    assert _texts(engine, Any()) == set()
    assert len(_texts(engine, ALWAYS)) == 6
    assert _texts(engine, Above(Column("bot"))) == set()


@pytest.mark.parametrize(
    ("given", "number"),
    [
        ("12.5", 12.5),
        (-3, -3.0),
        (LARGEST, LARGEST),
        (LARGEST * 1.1, None),
        ("nan", None),
        ("inf", None),
        ("", None),
        ("1e3", 1000.0),
        (True, None),
    ],
)
def test_what_is_a_number_of_a_property(engine: Engine, given: Anything, number: float | None) -> None:
    rows = "(SELECT CAST(map('n', {value:String})::JSON AS JSON) AS props)"
    if not isinstance(given, str):
        rows = f"(SELECT '{{\"n\": {str(given).lower()}}}'::JSON AS props)"
    ((found,),) = engine.query(f"SELECT {number_of(Prop('n'))} FROM {rows}", {"value": str(given)})
    assert found == number
