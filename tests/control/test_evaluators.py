"""The store of evaluators: what is kept, which changes make a version, what pauses one, and the line of every deed."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tallymark.control.audit import Audit
from tallymark.control.database import Database
from tallymark.control.evaluations import Evaluations
from tallymark.control.evaluators import Evaluators, evaluator_subject
from tallymark.control.experiments import Doer
from tallymark.control.projects import Projects
from tallymark.errors import BadRequest, Conflict, NotFound
from tallymark.spec.evaluator import MOST_FAILURES_IN_ROW, Evaluator, EvaluatorDraft
from tallymark.spec.evaluator_draft import parse_draft
from tallymark.spec.project import ProjectDraft

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def ana(minutes: int = 0) -> Doer:
    return Doer("ana", NOON + timedelta(minutes=minutes))


def draft(key: str = "tone", **fields: Any) -> EvaluatorDraft:
    return parse_draft({"key": key, "judge": "gemini", "model": "gemini-2.5-flash", **fields})


@pytest.fixture
def evaluators(database: Database) -> Evaluators:
    return Evaluators(database)


@pytest.fixture
def evaluations(database: Database) -> Evaluations:
    return Evaluations(database)


@pytest.fixture
def audit(database: Database) -> Audit:
    return Audit(database)


@pytest.fixture
def shop(database: Database) -> int:
    """The id of a project."""
    return Projects(database).create(ProjectDraft("shop", packs=("voice",))).id


def known(evaluators: Evaluators, shop: int, key: str = "tone") -> Evaluator:
    found = evaluators.get(shop, key)
    assert found is not None
    return found


def lines(audit: Audit, project_id: int, key: str = "tone") -> list[tuple[str, str, Any]]:
    return [(deed.action, deed.by, deed.detail) for deed in reversed(audit.list(project_id, evaluator_subject(key)))]


def test_what_is_made_is_found(evaluators: Evaluators, audit: Audit, shop: int) -> None:
    asked = draft(sampleRate=0.5, filter=["language:de"], inputPrice=0.3)
    made = evaluators.create(shop, asked, ana())
    assert (made.name, made.version, made.status, made.draft) == ("tone@1", 1, "active", asked)
    assert (made.automatic, made.failures_in_row, made.pause_reason, made.held_until) == (False, 0, "", None)
    assert (made.created_at, made.updated_at) == (NOON, NOON)
    other = evaluators.create(shop, draft("other"), ana())
    assert evaluators.all(shop) == (made, other)
    assert evaluators.get(shop, "tone") == made
    assert evaluators.get(shop + 1, "tone") is None
    assert evaluators.all(shop + 1) == ()
    assert lines(audit, shop) == [("create", "ana", {})]


def test_keys_are_unique_in_a_project(database: Database, evaluators: Evaluators, shop: int) -> None:
    evaluators.create(shop, draft(), ana())
    with pytest.raises(Conflict, match="There is already an evaluator 'tone'"):
        evaluators.create(shop, draft(), ana())
    elsewhere = Projects(database).create(ProjectDraft("elsewhere")).id
    assert evaluators.create(elsewhere, draft(), ana()).project_id == elsewhere


@pytest.mark.parametrize(
    "change",
    [
        {"model": "gemini-2.5-pro"},
        {"prompt": "Be strict."},
        {"rubric": "5 is kind."},
        {"sampleRate": 0.5},
        {"filter": ["language:de"]},
        {"inputPrice": 1.0},
        {"judge": "rules"},
    ],
)
def test_a_change_makes_a_version(evaluators: Evaluators, shop: int, change: dict[str, Any]) -> None:
    before = evaluators.create(shop, draft(), ana())
    after = evaluators.update(shop, "tone", change, Doer("ben", NOON + HOUR))
    assert (after.version, after.name, after.created_at, after.updated_at) == (2, "tone@2", NOON, NOON + HOUR)
    latest, first = evaluators.versions(shop, "tone")
    assert (latest.version, latest.draft, latest.by, latest.created_at) == (2, after.draft, "ben", NOON + HOUR)
    assert (first.version, first.draft, first.by, first.created_at) == (1, before.draft, "ana", NOON)


def test_a_change_says_what_changed(evaluators: Evaluators, audit: Audit, shop: int) -> None:
    evaluators.create(shop, draft(), ana())
    evaluators.update(shop, "tone", {"sampleRate": 0.5, "rubric": "5 is kind."}, ana())
    assert lines(audit, shop)[1:] == [
        (
            "update",
            "ana",
            {"version": 2, "rubric": {"from": "", "to": "5 is kind."}, "sampleRate": {"from": 1.0, "to": 0.5}},
        )
    ]


def test_a_change_of_nothing_makes_no_version(evaluators: Evaluators, audit: Audit, shop: int) -> None:
    made = evaluators.create(shop, draft(), ana())
    assert evaluators.update(shop, "tone", {"sampleRate": 1}, ana(1)) == made
    assert len(evaluators.versions(shop, "tone")) == len(lines(audit, shop)) == 1


def test_what_can_not_be_changed(evaluators: Evaluators, shop: int) -> None:
    evaluators.create(shop, draft(), ana())
    with pytest.raises(NotFound):
        evaluators.update(shop, "none", {}, ana())
    with pytest.raises(NotFound):
        evaluators.versions(shop, "none")
    with pytest.raises(BadRequest):
        evaluators.update(shop, "tone", {"sampleRate": 2}, ana())
    evaluators.archive(shop, "tone", ana())
    with pytest.raises(Conflict, match="is archived"):
        evaluators.update(shop, "tone", {"sampleRate": 0.5}, ana())


def test_a_whole_life(evaluators: Evaluators, audit: Audit, shop: int) -> None:
    made = evaluators.create(shop, draft(), ana())
    assert evaluators.active() == (made,)
    paused = evaluators.pause(shop, "tone", ana(1), "Too dear.")
    assert (paused.status, paused.pause_reason, paused.updated_at) == ("paused", "Too dear.", ana(1).at)
    assert evaluators.active() == ()
    resumed = evaluators.resume(shop, "tone", ana(2))
    assert (resumed.status, resumed.pause_reason) == ("active", "")
    assert evaluators.archive(shop, "tone", ana(3)).status == "archived"
    assert evaluators.active() == ()
    assert evaluators.resume(shop, "tone", ana(4)).status == "active"
    assert lines(audit, shop)[1:] == [
        ("pause", "ana", {"from": "active", "reason": "Too dear."}),
        ("resume", "ana", {"from": "paused"}),
        ("archive", "ana", {"from": "active"}),
        ("resume", "ana", {"from": "archived"}),
    ]


def test_what_can_not_be_done_says_what_can(evaluators: Evaluators, shop: int) -> None:
    evaluators.create(shop, draft(), ana())
    with pytest.raises(Conflict, match="'tone' is active: it can be paused or archived") as refused:
        evaluators.resume(shop, "tone", ana())
    assert refused.value.allowed == ["pause", "archive"]
    evaluators.pause(shop, "tone", ana())
    with pytest.raises(Conflict, match="'tone' is paused: it can be resumed or archived"):
        evaluators.pause(shop, "tone", ana())
    with pytest.raises(NotFound):
        evaluators.pause(shop, "none", ana())


def test_what_is_archived_waits_no_more(evaluators: Evaluators, evaluations: Evaluations, shop: int) -> None:
    made = evaluators.create(shop, draft(), ana())
    assert evaluations.enqueue(made, [(1, NOON), (2, NOON)], NOON) == 2
    evaluators.archive(shop, "tone", ana())
    assert evaluations.standing(made.id).counts == {"gone": 2}
    assert evaluations.enqueue(made, [(3, NOON)], NOON) == 0


def test_a_project_without_an_evaluator_gets_one(evaluators: Evaluators, audit: Audit, shop: int) -> None:
    evaluators.ensure_default(shop, "rules", "", NOON)
    made = known(evaluators, shop, "quality")
    assert (made.name, made.automatic, made.draft) == ("quality@1", True, EvaluatorDraft("quality", "rules"))
    evaluators.ensure_default(shop, "rules", "", NOON + HOUR)
    assert known(evaluators, shop, "quality") == made
    assert [by for _, by, _ in lines(audit, shop, "quality")] == ["settings"]


def test_what_nobody_changed_follows_the_settings(evaluators: Evaluators, shop: int) -> None:
    evaluators.ensure_default(shop, "rules", "", NOON)
    evaluators.ensure_default(shop, "gemini", "gemini-2.5-flash", NOON + HOUR)
    now = known(evaluators, shop, "quality")
    assert (now.name, now.draft.judge, now.draft.model, now.automatic) == (
        "quality@2", "gemini", "gemini-2.5-flash", True,
    )  # fmt: skip
    assert [version.by for version in evaluators.versions(shop, "quality")] == ["settings", "settings"]
    changed = evaluators.update(shop, "quality", {"sampleRate": 0.5}, ana())
    assert not changed.automatic
    evaluators.ensure_default(shop, "rules", "", NOON + HOUR)
    assert known(evaluators, shop, "quality") == changed


def test_a_project_with_another_evaluator_gets_none(evaluators: Evaluators, shop: int) -> None:
    made = evaluators.create(shop, draft(), ana())
    evaluators.archive(shop, "tone", ana())
    evaluators.ensure_default(shop, "rules", "", NOON)
    assert [found.id for found in evaluators.all(shop)] == [made.id]


def test_settings_that_can_not_be_are_refused(evaluators: Evaluators, shop: int) -> None:
    with pytest.raises(BadRequest):
        evaluators.ensure_default(shop, "gemini", "", NOON)
    assert evaluators.all(shop) == ()


def test_many_failures_in_a_row_pause(evaluators: Evaluators, audit: Audit, shop: int) -> None:
    made = evaluators.create(shop, draft(), ana())
    told = [evaluators.failed(made.id, "It timed out.", NOON) for _ in range(MOST_FAILURES_IN_ROW)]
    assert told == [False] * (MOST_FAILURES_IN_ROW - 1) + [True]
    paused = known(evaluators, shop)
    reason = f"Its judge failed {MOST_FAILURES_IN_ROW} times in a row, the last time: It timed out."
    assert (paused.status, paused.pause_reason, paused.failures_in_row) == ("paused", reason, MOST_FAILURES_IN_ROW)
    assert lines(audit, shop)[-1] == ("pause", "tallymark", {"from": "active", "reason": reason})
    assert not evaluators.failed(made.id, "Again.", NOON)
    resumed = evaluators.resume(shop, "tone", ana())
    assert (resumed.failures_in_row, resumed.pause_reason) == (0, "")
    assert not evaluators.failed(made.id, "Again.", NOON)
    assert not evaluators.failed(made.id + 1, "Nobody's.", NOON)


def test_a_success_begins_the_row_anew(evaluators: Evaluators, shop: int) -> None:
    made = evaluators.create(shop, draft(), ana())
    for _ in range(MOST_FAILURES_IN_ROW - 1):
        evaluators.failed(made.id, "No.", NOON)
    evaluators.succeeded(made.id)
    assert known(evaluators, shop).failures_in_row == 0
    assert not evaluators.failed(made.id, "No.", NOON)


def test_a_judge_is_held_for_the_longest_that_was_asked(evaluators: Evaluators, shop: int) -> None:
    made = evaluators.create(shop, draft(), ana())
    evaluators.hold(made.id, NOON + HOUR)
    evaluators.hold(made.id, NOON)
    assert known(evaluators, shop).held_until == NOON + HOUR
    evaluators.hold(made.id, NOON + 2 * HOUR)
    assert known(evaluators, shop).held_until == NOON + 2 * HOUR


def test_a_new_version_has_not_the_faults_of_the_one_before(
    evaluators: Evaluators, evaluations: Evaluations, shop: int
) -> None:
    made = evaluators.create(shop, draft(), ana())
    evaluations.enqueue(made, [(1, NOON)], NOON)
    evaluators.failed(made.id, "No.", NOON)
    evaluators.hold(made.id, NOON + HOUR)
    after = evaluators.update(shop, "tone", {"model": "gemini-2.5-pro"}, ana())
    assert (after.failures_in_row, after.held_until) == (0, None)
    assert evaluations.enqueue(after, [(1, NOON)], NOON) == 0
    assert evaluations.enqueue(made, [(1, NOON)], NOON) == 1


def test_nothing_is_left_of_a_forgotten_project(
    database: Database, evaluators: Evaluators, evaluations: Evaluations, shop: int
) -> None:
    elsewhere = Projects(database).create(ProjectDraft("elsewhere")).id
    kept = evaluators.create(elsewhere, draft(), ana())
    evaluations.enqueue(kept, [(1, NOON)], NOON)
    made = evaluators.create(shop, draft(), ana())
    evaluations.enqueue(made, [(1, NOON)], NOON)
    evaluators.forget_project(shop)
    assert evaluators.all(shop) == ()
    assert evaluations.standing(made.id).counts == {}
    assert evaluations.enqueue(made, [(2, NOON)], NOON) == 0
    assert evaluations.standing(kept.id).counts == {"waiting": 1}
