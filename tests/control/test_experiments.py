"""The store of experiments: what is kept, what clashes, and the line that every deed leaves."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tallymark.control.audit import Audit
from tallymark.control.database import Database
from tallymark.control.experiment_models import AssignmentRow
from tallymark.control.experiments import Doer, Experiments, subject_of
from tallymark.control.projects import Projects
from tallymark.errors import BadRequest, Conflict, NotFound
from tallymark.spec.experiment import Experiment
from tallymark.spec.experiment_draft import ExperimentDraft, parse_draft
from tallymark.spec.project import ProjectDraft

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
TWO = [{"key": "control"}, {"key": "blue"}]


def ana(minutes: int = 0) -> Doer:
    return Doer("ana", NOON + timedelta(minutes=minutes))


def draft(key: str = "checkout", **fields: Any) -> ExperimentDraft:
    return parse_draft({"key": key, "variants": TWO, **fields})


@pytest.fixture
def experiments(database: Database) -> Experiments:
    return Experiments(database)


@pytest.fixture
def audit(database: Database) -> Audit:
    return Audit(database)


@pytest.fixture
def shop(database: Database) -> int:
    """The id of a project."""
    return Projects(database).create(ProjectDraft("shop")).id


def lines(audit: Audit, project_id: int, key: str = "checkout") -> list[tuple[str, str, Any]]:
    return [(deed.action, deed.by, deed.detail) for deed in reversed(audit.list(project_id, subject_of(key)))]


def test_what_is_made_is_found(experiments: Experiments, shop: int) -> None:
    made = experiments.create(shop, draft(forced={"u": "blue"}), ana())
    assert (made.key, made.status, made.revision, made.created_at) == ("checkout", "draft", 1, NOON)
    assert (made.started_at, made.stopped_at, made.shipped, made.forced) == (None, None, None, {"u": "blue"})
    assert experiments.get(shop, "checkout") == made
    other = experiments.create(shop, draft("other"), ana())
    assert experiments.all(shop) == (made, other)
    assert experiments.get(shop + 1, "checkout") is None
    assert experiments.all(shop + 1) == ()


def test_keys_are_unique_in_a_project(database: Database, experiments: Experiments, shop: int) -> None:
    experiments.create(shop, draft(), ana())
    experiments.create(shop, draft("other"), ana())
    with pytest.raises(Conflict, match="There is already an experiment 'checkout'"):
        experiments.create(shop, draft(), ana())
    with pytest.raises(Conflict, match="There is already an experiment 'checkout'"):
        experiments.update(shop, "other", {"key": "checkout"}, ana())
    elsewhere = Projects(database).create(ProjectDraft("elsewhere")).id
    assert experiments.create(elsewhere, draft(), ana()).project_id == elsewhere


def test_a_whole_life(experiments: Experiments, audit: Audit, shop: int) -> None:
    experiments.create(shop, draft(), ana())
    started = experiments.start(shop, "checkout", ana(1))
    assert (started.status, started.started_at, started.stopped_at) == ("running", ana(1).at, None)
    stopped = experiments.stop(shop, "checkout", ana(2))
    assert (stopped.status, stopped.started_at, stopped.stopped_at) == ("stopped", ana(1).at, ana(2).at)
    again = experiments.start(shop, "checkout", ana(3))
    assert (again.status, again.started_at, again.stopped_at) == ("running", ana(1).at, None)
    shipped = experiments.ship(shop, "checkout", "blue", Doer("bob", ana(4).at))
    assert (shipped.status, shipped.shipped, shipped.stopped_at) == ("shipped", "blue", ana(4).at)
    other = experiments.ship(shop, "checkout", "control", ana(5))
    assert (other.shipped, other.stopped_at) == ("control", ana(4).at)
    archived = experiments.archive(shop, "checkout", ana(6))
    assert (archived.status, archived.shipped, archived.revision) == ("archived", "control", 7)
    assert archived == experiments.get(shop, "checkout")
    assert lines(audit, shop) == [
        ("create", "ana", {}),
        ("start", "ana", {"from": "draft"}),
        ("stop", "ana", {"from": "running"}),
        ("start", "ana", {"from": "stopped"}),
        ("ship", "bob", {"from": "running", "variant": "blue"}),
        ("ship", "ana", {"from": "shipped", "variant": "control"}),
        ("archive", "ana", {"from": "shipped"}),
    ]
    assert [deed.at for deed in audit.list(shop)] == [ana(minutes).at for minutes in (6, 5, 4, 3, 2, 1, 0)]


def test_what_was_shipped_is_taken_back(experiments: Experiments, shop: int) -> None:
    experiments.create(shop, draft(), ana())
    experiments.start(shop, "checkout", ana())
    experiments.ship(shop, "checkout", "blue", ana(1))
    stopped = experiments.stop(shop, "checkout", ana(2))
    assert (stopped.status, stopped.shipped, stopped.stopped_at) == ("stopped", None, ana(1).at)


def test_refused_steps_leave_nothing(experiments: Experiments, audit: Audit, shop: int) -> None:
    experiments.create(shop, draft(), ana())
    with pytest.raises(Conflict, match="is draft: it can be started, archived or deleted"):
        experiments.stop(shop, "checkout", ana())
    running = experiments.start(shop, "checkout", ana())
    with pytest.raises(BadRequest, match="There is no variant 'green'") as raised:
        experiments.ship(shop, "checkout", "green", ana())
    assert raised.value.allowed == ["control", "blue"]
    with pytest.raises(Conflict, match="is running: it can be stopped or shipped"):
        experiments.delete(shop, "checkout", ana())
    assert experiments.get(shop, "checkout") == running
    assert [action for action, *_ in lines(audit, shop)] == ["create", "start"]


@pytest.mark.parametrize(
    "deed",
    [
        lambda store, shop: store.start(shop, "nothing", ana()),
        lambda store, shop: store.ship(shop, "nothing", "blue", ana()),
        lambda store, shop: store.update(shop, "nothing", {}, ana()),
        lambda store, shop: store.delete(shop, "nothing", ana()),
    ],
)
def test_nothing_is_done_to_what_is_not_there(
    experiments: Experiments, shop: int, deed: Callable[[Experiments, int], Experiment]
) -> None:
    with pytest.raises(NotFound, match="There is no experiment 'nothing'"):
        deed(experiments, shop)


def test_a_killed_experiment_does_not_ship(experiments: Experiments, shop: int) -> None:
    experiments.create(shop, draft(killed=True), ana())
    experiments.start(shop, "checkout", ana())
    with pytest.raises(Conflict, match="is killed"):
        experiments.ship(shop, "checkout", "blue", ana())
    experiments.update(shop, "checkout", {"killed": False}, ana())
    assert experiments.ship(shop, "checkout", "blue", ana()).shipped == "blue"


def test_a_change_and_its_line(experiments: Experiments, audit: Audit, shop: int) -> None:
    experiments.create(shop, draft(), ana())
    experiments.start(shop, "checkout", ana())
    after = experiments.update(shop, "checkout", {"coverage": 0.5, "forced": {"secret-id": "blue"}}, ana(1))
    assert (after.coverage, after.forced, after.revision) == (0.5, {"secret-id": "blue"}, 3)
    assert after.started_at == NOON
    assert experiments.update(shop, "checkout", {"coverage": 0.5}, ana(2)) == after
    changes = {"coverage": {"from": 1.0, "to": 0.5}, "forced": {"from": 0, "to": 1}}
    assert lines(audit, shop)[2:] == [("update", "ana", changes)]


def test_a_revision_that_is_past_is_refused(experiments: Experiments, shop: int) -> None:
    experiments.create(shop, draft(), ana())
    assert experiments.update(shop, "checkout", {"coverage": 0.5}, ana(), revision=1).revision == 2
    with pytest.raises(Conflict, match="is at revision 2, not 1: somebody has changed it"):
        experiments.update(shop, "checkout", {"coverage": 0.7}, ana(), revision=1)


def test_of_many_changes_of_one_revision_one_is_made(experiments: Experiments, shop: int) -> None:
    experiments.create(shop, draft(), ana())

    def change(number: int) -> bool:
        try:
            experiments.update(shop, "checkout", {"name": f"n{number}"}, ana(), revision=1)
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(change, range(8))) == 1


def test_a_renamed_draft_has_its_line_under_both_keys(experiments: Experiments, audit: Audit, shop: int) -> None:
    experiments.create(shop, draft(), ana())
    assert experiments.update(shop, "checkout", {"key": "cart"}, ana()).seed == "checkout"
    assert experiments.get(shop, "checkout") is None
    line = ("update", "ana", {"key": {"from": "checkout", "to": "cart"}})
    assert lines(audit, shop, "cart") == [line]
    assert lines(audit, shop) == [("create", "ana", {}), line]


def test_a_deleted_draft_leaves_its_lines(experiments: Experiments, audit: Audit, shop: int) -> None:
    made = experiments.create(shop, draft(), ana())
    assert experiments.delete(shop, "checkout", ana()) == made
    assert experiments.all(shop) == ()
    assert [action for action, *_ in lines(audit, shop)] == ["create", "delete"]
    assert experiments.create(shop, draft(), ana()).key == "checkout"


def test_a_holdout_has_one_share(experiments: Experiments, shop: int) -> None:
    held = {"name": "all", "share": 0.1}
    experiments.create(shop, draft("a", holdout=held), ana())
    experiments.create(shop, draft("b", holdout=held), ana())
    other = {"name": "all", "share": 0.2}
    with pytest.raises(Conflict, match=r"The holdout 'all' has the share 0.1 in 'a'") as raised:
        experiments.create(shop, draft("c", holdout=other), ana())
    assert raised.value.field == "holdout.share"
    assert experiments.get(shop, "c") is None
    with pytest.raises(Conflict):
        experiments.update(shop, "b", {"holdout": other}, ana())
    experiments.archive(shop, "a", ana())
    assert experiments.update(shop, "b", {"holdout": other}, ana()).holdout is not None


def test_a_project_is_forgotten_with_all_that_hangs_on_it(
    database: Database, experiments: Experiments, audit: Audit, shop: int
) -> None:
    kept = Projects(database).create(ProjectDraft("kept")).id
    for project_id in (shop, kept):
        experiment = experiments.create(project_id, draft(), ana())
        with database.write() as session:
            session.add(
                AssignmentRow(
                    project_id=project_id, unit=7, experiment_id=experiment.id, variant="blue", assigned_at=0,
                    exposed_at=None, reported=False,
                )
            )  # fmt: skip
    experiments.forget_project(shop)
    assert (experiments.all(shop), audit.list(shop)) == ((), ())
    assert len(experiments.all(kept)) == len(audit.list(kept)) == 1
    with database.read() as session:
        assert [row.project_id for row in session.query(AssignmentRow)] == [kept]


def test_a_long_name_and_a_limit(experiments: Experiments, audit: Audit, shop: int) -> None:
    experiments.create(shop, draft(), Doer("x" * 300, NOON))
    for minute in range(3):
        experiments.update(shop, "checkout", {"name": f"n{minute}"}, ana(minute))
    assert [deed.action for deed in audit.list(shop, limit=2)] == ["update", "update"]
    assert [len(deed.by) for deed in audit.list(shop)] == [3, 3, 3, 200]
