"""Experiments as JSON: what is read, what is refused and where, and that what is written is read as the same."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallymark.errors import BadRequest
from tallymark.spec.condition import ALWAYS, Column, Op, Prop, event
from tallymark.spec.experiment import Experiment, ExperimentMetric, Holdout, Namespace, Taken, Variant
from tallymark.spec.experiment_draft import FIELDS, changed, parse_draft, public, public_draft
from tallymark.spec.experiment_metrics import MOST_METRICS
from tallymark.spec.experiment_parts import MOST_FORCED, MOST_VARIANTS
from tallymark.spec.targeting import Rule, Targeting

TWO = [{"key": "control"}, {"key": "blue"}]


def nested(levels: int) -> Any:
    """Lists and objects within one another."""
    value: Any = []
    for level in range(levels - 1):
        value = [value] if level % 2 else {"a": value}
    return value


LEAST = {"key": "checkout", "variants": TWO}
PURCHASES = {"name": "purchases", "kind": "conversion", "event": "purchase"}

WHOLE: dict[str, Any] = {
    "key": "checkout",
    "name": "Checkout",
    "hypothesis": "Blue buttons sell.",
    "seed": "s-1",
    "variants": [{"key": "control", "weight": 1}, {"key": "blue", "weight": 2, "value": {"colour": ["blue"]}}],
    "coverage": 0.5,
    "namespace": {"name": "mutual", "start": 0.25, "end": 1},
    "holdout": {"name": "all", "share": 0.05},
    "targeting": [
        {"attribute": "country", "values": ["DE", "AT"]},
        [{"attribute": "plan", "op": "exists"}, {"attribute": "app", "op": "version_at_least", "values": "2.10"}],
    ],
    "forced": {"qa-1": "blue"},
    "killed": True,
    "metrics": [
        PURCHASES,
        {"name": "revenue", "kind": "mean", "event": ["purchase", "renewal"], "of": "value", "hours": 24},
        {"name": "basket", "kind": "ratio", "event": "purchase", "of": "props.items", "lower": {"event": "purchase"}},
        {"name": "p90", "kind": "quantile", "where": {"props.ms": {"op": "is_not", "values": 0}}, "of": "props.ms",
         "level": 0.9, "direction": "down", "guardrail": True},
        {"name": "day_7", "kind": "retention", "day": 7},
    ],
    "alpha": 0.01,
    "correction": "holm",
    "preDays": 14,
}  # fmt: skip


def test_the_least_that_is_said() -> None:
    draft = parse_draft(LEAST)
    assert draft.variants == (Variant("control", 1.0, "control"), Variant("blue", 1.0, "blue"))
    assert (draft.name, draft.seed, draft.coverage, draft.alpha) == ("checkout", "checkout", 1.0, 0.05)
    assert (draft.namespace, draft.holdout, draft.forced, draft.killed) == (None, None, None, False)
    assert (draft.targeting.groups, draft.metrics, draft.correction, draft.pre_days) == (
        (), (), "benjamini-hochberg", 0,
    )  # fmt: skip


def test_all_that_can_be_said() -> None:
    draft = parse_draft(WHOLE)
    assert (draft.key, draft.name, draft.hypothesis, draft.seed) == (
        "checkout", "Checkout", "Blue buttons sell.", "s-1",
    )  # fmt: skip
    assert draft.variants == (Variant("control", 1, "control"), Variant("blue", 2, {"colour": ["blue"]}))
    assert (draft.namespace, draft.holdout) == (Namespace("mutual", 0.25, 1), Holdout("all", 0.05))
    german, known = Rule("country", "is", ("DE", "AT")), Rule("plan", "exists")
    assert draft.targeting == Targeting(((german,), (known, Rule("app", "version_at_least", ("2.10",)))))
    assert (draft.coverage, draft.forced, draft.killed) == (0.5, {"qa-1": "blue"}, True)
    assert (draft.alpha, draft.correction, draft.pre_days) == (0.01, "holm", 14)
    purchases, revenue, basket, p90, day_7 = draft.metrics
    assert purchases == ExperimentMetric("purchases", "conversion", Taken(event("purchase")))
    assert revenue.taken == Taken(event("purchase", "renewal"), Column("value"))
    assert revenue.hours == 24
    assert basket.taken == Taken(event("purchase"), Prop("items"))
    assert basket.lower == Taken(event("purchase"))
    assert p90.taken.of == Prop("ms")
    assert str(p90.taken.where) == "props.ms is_not '0'"
    assert (p90.level, p90.direction, p90.guardrail) == (0.9, "down", True)
    assert (day_7.kind, day_7.day, day_7.taken) == ("retention", 7, Taken(ALWAYS))


#: What is wrong with an experiment, where it is wrong, and one of the things that would be allowed.
WRONG: tuple[tuple[dict[str, Any], str, str | None], ...] = (
    ({"colour": 1}, "colour", "coverage"),
    ({"key": ""}, "key", "1 to 64"),
    ({"key": "a/b"}, "key", "1 to 64"),
    ({"key": "-a"}, "key", "1 to 64"),
    ({"key": 7}, "key", "1 to 64"),
    ({"key": "k" * 65}, "key", "1 to 64"),
    ({"name": 1}, "name", None),
    ({"name": "n" * 201}, "name", None),
    ({"hypothesis": None}, "hypothesis", None),
    ({"seed": ""}, "seed", None),
    ({"variants": []}, "variants", None),
    ({"variants": [{"key": "control"}]}, "variants", None),
    ({"variants": {"control": 1}}, "variants", None),
    ({"variants": [{"key": f"v{n}"} for n in range(MOST_VARIANTS + 1)]}, "variants", None),
    ({"variants": [*TWO, {"key": "blue"}]}, "variants", None),
    ({"variants": [{"key": "a", "weight": 0}, {"key": "b", "weight": 0}]}, "variants", None),
    ({"variants": [{"key": "a", "weight": -1}, {"key": "b"}]}, "variants.0.weight", "0 to 1000000000"),
    ({"variants": [{"key": "a"}, {"key": "b", "weight": True}]}, "variants.1.weight", "0 to 1000000000"),
    ({"variants": [{"key": "a"}, {"key": "b", "weight": float("nan")}]}, "variants.1.weight", "0 to 1000000000"),
    ({"variants": [{"key": "a"}, {"key": "b", "weight": 10**400}]}, "variants.1.weight", "0 to 1000000000"),
    ({"variants": [{"key": "a"}, {"key": "b", "share": 1}]}, "variants.1.share", "weight"),
    ({"variants": [{"key": "a"}, "b"]}, "variants.1", "weight"),
    ({"variants": [{"key": "a"}, {}]}, "variants.1.key", "1 to 64"),
    ({"variants": [{"key": "a"}, {"key": "b", "value": nested(33)}]}, "variants.1.value", None),
    ({"variants": [{"key": "a"}, {"key": "b", "value": ["x" * 16_384]}]}, "variants.1.value", None),
    ({"targeting": [{"attribute": "a", "op": "matches", "values": ["a"] * 101}]}, "targeting.0.values", None),
    ({"targeting": [{"attribute": "a", "op": "contains", "values": ["a"] * 101}]}, "targeting.0.values", None),
    ({"coverage": 1.1}, "coverage", "0 to 1"),
    ({"coverage": "1"}, "coverage", "0 to 1"),
    ({"namespace": {"name": "n", "start": 0.5, "end": 0.5}}, "namespace.end", None),
    ({"namespace": {"name": "n", "start": -1}}, "namespace.start", "0 to 1"),
    ({"namespace": {"start": 0}}, "namespace.name", "1 to 64"),
    ({"namespace": "n"}, "namespace", "start"),
    ({"holdout": {"name": "h"}}, "holdout.share", "0 to 1"),
    ({"holdout": {"name": "h", "share": 0.1, "of": 1}}, "holdout.of", "share"),
    ({"targeting": {"country": "DE"}}, "targeting", None),
    ({"targeting": [[]]}, "targeting.0", None),
    ({"targeting": ["country"]}, "targeting.0", "attribute"),
    ({"targeting": [{"attribute": ""}]}, "targeting.0.attribute", None),
    ({"targeting": [{"attribute": "a", "op": "like", "values": ["x"]}]}, "targeting.0.op", "contains"),
    ({"targeting": [{"attribute": "a"}]}, "targeting.0.values", None),
    ({"targeting": [{"attribute": "a", "values": [None]}]}, "targeting.0.values", "a text"),
    ({"targeting": [{"attribute": "a", "op": "above", "values": True}]}, "targeting.0.values", "a number"),
    ({"targeting": [{"attribute": "a", "op": "contains", "values": 3}]}, "targeting.0.values", "a text"),
    ({"targeting": [{"attribute": "a", "op": "exists", "values": [1]}]}, "targeting.0.values", None),
    ({"targeting": [{"attribute": "a", "op": "matches", "values": ["("]}]}, "targeting.0.values", None),
    ({"targeting": [{"attribute": "a", "op": "matches", "values": [r"(a)\1"]}]}, "targeting.0.values", None),
    ({"targeting": [{"attribute": "a", "op": "version_below", "values": ["x"]}]}, "targeting.0.values", "2.10.0"),
    ({"forced": {"u": "green"}}, "forced", "blue"),
    ({"forced": {"u": None}}, "forced", "blue"),
    ({"forced": {"": "blue"}}, "forced", None),
    ({"forced": ["u"]}, "forced", None),
    ({"forced": {f"u{n}": "blue" for n in range(MOST_FORCED + 1)}}, "forced", None),
    ({"killed": 1}, "killed", "true"),
    ({"metrics": {}}, "metrics", None),
    ({"metrics": [PURCHASES, PURCHASES]}, "metrics", None),
    ({"metrics": [{**PURCHASES, "name": f"m{n}"} for n in range(MOST_METRICS + 1)]}, "metrics", None),
    ({"metrics": ["purchases"]}, "metrics.0", None),
    ({"metrics": [{**PURCHASES, "kind": "sum"}]}, "metrics.0.kind", "conversion"),
    ({"metrics": [{**PURCHASES, "name": "a b"}]}, "metrics.0.name", "1 to 64"),
    ({"metrics": [{**PURCHASES, "of": "value"}]}, "metrics.0.of", "hours"),
    ({"metrics": [{**PURCHASES, "day": 1}]}, "metrics.0.day", "hours"),
    ({"metrics": [{"name": "m", "kind": "conversion"}]}, "metrics.0.event", None),
    ({"metrics": [{**PURCHASES, "event": 3}]}, "metrics.0.event", None),
    ({"metrics": [{**PURCHASES, "where": {"colour": "x"}}]}, "metrics.0.where.colour", "props.…"),
    ({"metrics": [{**PURCHASES, "where": {"props.a..b": "x"}}]}, "metrics.0.where.props.a..b", "props.…"),
    ({"metrics": [{**PURCHASES, "kind": "mean", "of": "props.a."}]}, "metrics.0.of", "value"),
    ({"metrics": [{**PURCHASES, "kind": "mean", "of": "path"}]}, "metrics.0.of", "value"),
    ({"metrics": [{**PURCHASES, "hours": 0}]}, "metrics.0.hours", "1 to"),
    ({"metrics": [{**PURCHASES, "hours": 1.5}]}, "metrics.0.hours", "1 to"),
    ({"metrics": [{**PURCHASES, "direction": "left"}]}, "metrics.0.direction", "down"),
    ({"metrics": [{**PURCHASES, "guardrail": "no"}]}, "metrics.0.guardrail", "true"),
    ({"metrics": [{**PURCHASES, "kind": "mean", "of": "amount"}]}, "metrics.0.of", "value"),
    ({"metrics": [{**PURCHASES, "kind": "quantile", "level": 1}]}, "metrics.0.level", "0.95"),
    ({"metrics": [{**PURCHASES, "kind": "ratio"}]}, "metrics.0.lower", None),
    ({"metrics": [{**PURCHASES, "kind": "ratio", "lower": {}}]}, "metrics.0.lower.event", None),
    ({"metrics": [{**PURCHASES, "kind": "ratio", "lower": {"event": "e", "day": 1}}]}, "metrics.0.lower.day", "of"),
    ({"metrics": [{"name": "m", "kind": "retention", "day": 0}]}, "metrics.0.day", "1 to"),
    ({"alpha": 0}, "alpha", "0.0001"),
    ({"alpha": 0.6}, "alpha", "0.5"),
    ({"correction": "bonferroni"}, "correction", "holm"),
    ({"preDays": -1}, "preDays", "0 to 90"),
    ({"preDays": True}, "preDays", "0 to 90"),
)  # fmt: skip


@pytest.mark.parametrize(("fields", "where", "allowed"), WRONG, ids=range(len(WRONG)))
def test_a_mistake_is_told_with_where_it_is(fields: dict[str, Any], where: str, allowed: str | None) -> None:
    with pytest.raises(BadRequest) as raised:
        parse_draft({**LEAST, **fields})
    assert raised.value.field == where
    assert len(raised.value.message) < 250
    if allowed is not None:
        assert allowed in " ".join(raised.value.allowed or ())


def test_every_field_has_a_mistake() -> None:
    assert {next(iter(fields)) for fields, _, _ in WRONG} >= set(FIELDS)


@pytest.mark.parametrize("body", [None, [], "checkout", {}, {"key": "k"}, {"variants": TWO}])
def test_what_is_no_experiment(body: object) -> None:
    with pytest.raises(BadRequest):
        parse_draft(body)


@pytest.mark.parametrize("body", [LEAST, WHOLE])
def test_what_is_written_is_read_as_the_same(body: dict[str, Any]) -> None:
    draft = parse_draft(body)
    written = msgspec.json.decode(msgspec.json.encode(public_draft(draft)))
    assert parse_draft(written) == draft
    assert public_draft(parse_draft(written)) == public_draft(draft)


WORDS = st.text("abc", min_size=1, max_size=3)
SELECTIONS = st.fixed_dictionaries(
    {"event": WORDS | st.lists(WORDS, min_size=1, max_size=3)},
    optional={
        "where": st.dictionaries(
            st.sampled_from(["path", "event", "props.a", "props.b.c"]),
            st.lists(WORDS, min_size=1) | st.integers() | st.booleans()
            | st.fixed_dictionaries({"op": st.sampled_from([str(op) for op in Op]), "values": WORDS}),
        )
    },
)  # fmt: skip


@given(SELECTIONS, st.sampled_from(["mean", "quantile", "conversion"]))
def test_any_selection_is_written_as_what_it_means(selection: dict[str, Any], kind: str) -> None:
    draft = parse_draft({**LEAST, "metrics": [{"name": "m", "kind": kind, **selection}]})
    assert parse_draft(public_draft(draft)) == draft


def test_a_change_leaves_the_rest_alone() -> None:
    draft = parse_draft(WHOLE)
    after = changed(draft, {"coverage": 1, "namespace": None})
    assert public_draft(after) == {**public_draft(draft), "coverage": 1.0, "namespace": None}
    assert changed(draft, {}) == draft


def test_a_variant_keeps_what_a_change_leaves_out() -> None:
    draft = parse_draft(WHOLE)
    after = changed(draft, {"variants": [{"key": "control"}, {"key": "blue", "weight": 5}]})
    assert after.variants == (Variant("control", 1, "control"), Variant("blue", 5, {"colour": ["blue"]}))
    green = changed(draft, {"forced": {}, "variants": [{"key": "control"}, {"key": "green"}]})
    assert green.variants[1] == Variant("green", 1, "green")


def test_a_variant_that_is_forced_can_not_be_taken_away() -> None:
    with pytest.raises(BadRequest, match="There is no variant 'blue'"):
        changed(parse_draft(WHOLE), {"variants": [{"key": "control"}, {"key": "green"}]})


def test_as_the_api_shows_it() -> None:
    draft, noon = parse_draft(LEAST), datetime(2026, 11, 1, 12, tzinfo=UTC)
    shown = public(Experiment(**vars(draft), id=1, project_id=1, status="running", created_at=noon, started_at=noon))
    assert (shown["status"], shown["createdAt"], shown["startedAt"], shown["stoppedAt"], shown["revision"]) == (
        "running", "2026-11-01T12:00:00.000Z", "2026-11-01T12:00:00.000Z", None, 1,
    )  # fmt: skip
    assert {"id", "projectId"} & set(shown) == set()


def test_a_value_may_be_nested_and_large() -> None:
    for value in (nested(32), "x" * 16_382):
        body = {**LEAST, "variants": [{"key": "a", "value": value}, {"key": "b"}]}
        assert parse_draft(body).variants[0].value == value
