"""What the jobs did."""

from datetime import UTC, datetime, timedelta

import pytest

from tallymark.control.database import Database
from tallymark.control.jobs import JobRuns
from tallymark.control.projects import Projects
from tallymark.errors import NotFound
from tallymark.spec.project import ProjectDraft


def test_a_run_starts_and_ends(database: Database) -> None:
    runs = JobRuns(database)
    run = runs.start("refresh")
    (running,) = runs.recent()
    assert (running.id, running.job, running.status, running.finished_at) == (run, "refresh", "running", None)
    finished = runs.finish(run, "failed", "The engine is away.")
    assert (finished.status, finished.detail) == ("failed", "The engine is away.")
    assert finished.finished_at is not None
    assert finished.finished_at >= finished.started_at
    assert runs.recent() == (finished,)


def test_the_latest_runs_come_first_and_are_told_apart(database: Database) -> None:
    runs, project = JobRuns(database), Projects(database).create(ProjectDraft("site"))
    ids = [runs.start("refresh"), runs.start("refresh", project.id), runs.start("prune")]
    assert [run.id for run in runs.recent()] == ids[::-1]
    assert [run.id for run in runs.recent(limit=1)] == [ids[2]]
    assert [run.id for run in runs.recent("refresh")] == [ids[1], ids[0]]
    assert [run.id for run in runs.recent(project_id=project.id)] == [ids[1]]


def test_old_runs_are_forgotten(database: Database) -> None:
    runs = JobRuns(database)
    runs.start("refresh")
    assert runs.count(datetime.now(UTC) - timedelta(hours=1)) == 0
    assert runs.count(datetime.now(UTC) + timedelta(hours=1)) == 1
    runs.prune(datetime.now(UTC) - timedelta(hours=1))
    assert len(runs.recent()) == 1
    runs.prune(datetime.now(UTC) + timedelta(hours=1))
    assert runs.recent() == ()


def test_a_run_that_is_not_there(database: Database) -> None:
    with pytest.raises(NotFound):
        JobRuns(database).finish(1, "done")
