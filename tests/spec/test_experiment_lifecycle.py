"""What may be done to an experiment when, and what of it may change when."""

from typing import Any, get_args

import pytest

from tallymark.errors import Conflict
from tallymark.spec.experiment import Status
from tallymark.spec.experiment_draft import FIELDS, changed, parse_draft
from tallymark.spec.experiment_lifecycle import STEPS, Action, check_action, check_change

BEFORE = parse_draft({"key": "checkout", "variants": [{"key": "control"}, {"key": "blue"}]})
METRIC = {"name": "m", "kind": "conversion", "event": "purchase"}

#: A change of every field.
CHANGES: dict[str, Any] = {
    "key": "other", "name": "Other", "hypothesis": "Other", "seed": "other",
    "variants": [{"key": "control"}, {"key": "blue", "weight": 2}], "coverage": 0.5, "namespace": {"name": "n"},
    "holdout": {"name": "h", "share": 0.1}, "targeting": [{"attribute": "a", "op": "exists"}],
    "forced": {"u": "blue"}, "killed": True, "metrics": [METRIC], "alpha": 0.1, "correction": "holm", "preDays": 1,
}  # fmt: skip
READING = {"name", "hypothesis", "metrics", "alpha", "correction", "preDays"}
FIXED = {"key", "seed", "namespace", "holdout"}

MAY_CHANGE: dict[Status, set[str]] = {
    "draft": set(FIELDS),
    "running": set(FIELDS) - FIXED,
    "stopped": set(FIELDS) - FIXED,
    "shipped": READING,
    "archived": set(),
}


@pytest.mark.parametrize("status", get_args(Status))
def test_what_may_change_when(status: Status) -> None:
    assert set(CHANGES) == set(FIELDS)
    for field in MAY_CHANGE[status]:
        check_change(status, BEFORE, changed(BEFORE, {field: CHANGES[field]}))
    for field in set(FIELDS) - MAY_CHANGE[status]:
        with pytest.raises(Conflict, match=f"^'checkout' is {status}: ") as raised:
            check_change(status, BEFORE, changed(BEFORE, {field: CHANGES[field]}))
        assert raised.value.field == field


@pytest.mark.parametrize(
    ("variants", "sentence"),
    [
        ([{"key": "blue"}, {"key": "control"}], "their order stay"),
        ([{"key": "control"}, {"key": "green"}], "their order stay"),
        ([{"key": "control"}, {"key": "blue"}, {"key": "green"}], "their order stay"),
        ([{"key": "control"}, {"key": "blue", "value": 7}], "values of its variants stay"),
        ([{"key": "control", "value": True}, {"key": "blue"}], "values of its variants stay"),
    ],
)
def test_variants_stay_once_it_has_started(variants: list[Any], sentence: str) -> None:
    check_change("draft", BEFORE, changed(BEFORE, {"variants": variants}))
    with pytest.raises(Conflict, match=sentence):
        check_change("running", BEFORE, changed(BEFORE, {"variants": variants}))


@pytest.mark.parametrize("status", get_args(Status))
def test_nothing_changed_is_no_change(status: Status) -> None:
    check_change(status, BEFORE, changed(BEFORE, {"key": "checkout"}))


@pytest.mark.parametrize("status", get_args(Status))
@pytest.mark.parametrize("action", get_args(Action))
def test_a_refused_step_names_the_allowed_ones(status: Status, action: Action) -> None:
    if action in STEPS[status]:
        check_action("checkout", status, action)
        return
    with pytest.raises(Conflict, match=f"^'checkout' is {status}: ") as raised:
        check_action("checkout", status, action)
    assert raised.value.allowed == list(STEPS[status])


def test_what_the_sentences_say() -> None:
    with pytest.raises(Conflict, match="is stopped: it can be started, shipped or archived"):
        check_action("checkout", "stopped", "stop")
    with pytest.raises(Conflict, match="is archived: nothing can be done to it any more"):
        check_action("checkout", "archived", "start")
