"""Turns: work that is done once since a time, by one process, and again after it has failed."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from tallymark.control.database import Database
from tallymark.control.jobs import JobRuns
from tallymark.control.leases import Leases
from tallymark.control.projects import Projects
from tallymark.control.turns import Turns
from tallymark.spec.project import ProjectDraft

#: Rows of `job_runs` have the time of the clock on the wall.
NOW = datetime.now(UTC)
HOUR = timedelta(hours=1)
EARLIER = NOW - HOUR

TurnsOf = Callable[[str], Turns]


@pytest.fixture
def turns(database: Database) -> TurnsOf:
    """Makes the turns of a process."""
    return lambda holder: Turns(JobRuns(database), Leases(database), holder, lambda: datetime.now(UTC).timestamp())


@dataclass
class Work:
    """Counts how often it is done; fails while it is told to."""

    done: int = 0
    failing: bool = False
    meanwhile: list[Callable[[], object]] = field(default_factory=list)

    def __call__(self) -> str:
        self.done += 1
        for act in self.meanwhile:
            act()
        if self.failing:
            raise RuntimeError("secret of a customer")
        return "7 things"


def test_work_is_done_once_since_a_time(turns: TurnsOf) -> None:
    here, work = turns("here"), Work()
    for _ in range(2):
        here.recorded("report", EARLIER, work)
        turns("there").recorded("report", EARLIER, work)
    assert work.done == 1
    (run,) = here.job_runs.recent("report")
    assert (run.project_id, run.status, run.detail) == (None, "done", "7 things")
    here.recorded("report", datetime.now(UTC) + HOUR, work)
    assert work.done == 2
    here.recorded("other", EARLIER, work)
    assert work.done == 3


def test_a_run_at_the_very_time_counts(turns: TurnsOf) -> None:
    here, work = turns("here"), Work()
    here.recorded("report", EARLIER, work)
    (run,) = here.job_runs.recent("report")
    here.recorded("report", run.started_at, work)
    assert work.done == 1
    here.recorded("report", run.started_at + timedelta(microseconds=1), work)
    assert work.done == 2


def test_a_run_of_one_project_is_no_turn(turns: TurnsOf, database: Database) -> None:
    here, work = turns("here"), Work()
    project = Projects(database).create(ProjectDraft("site"))
    here.job_runs.finish(here.job_runs.start("report", project.id), "done")
    here.recorded("report", EARLIER, work)
    assert work.done == 1


def test_what_failed_comes_again_and_its_row_says_no_more_than_what_kind_of_error_it_was(turns: TurnsOf) -> None:
    here, work = turns("here"), Work(failing=True)
    for _ in range(2):
        with pytest.raises(RuntimeError):
            here.recorded("report", EARLIER, work)
    work.failing = False
    turns("there").recorded("report", EARLIER, work)
    assert work.done == 3
    found = [(run.status, run.detail) for run in here.job_runs.recent("report")]
    assert found == [("done", "7 things"), ("failed", "RuntimeError"), ("failed", "RuntimeError")]


def test_a_run_that_never_ended_is_not_done(turns: TurnsOf) -> None:
    here, work = turns("here"), Work()
    here.job_runs.start("report")
    here.recorded("report", EARLIER, work)
    assert work.done == 1


def test_work_that_leaves_no_row_comes_again(turns: TurnsOf) -> None:
    here, work = turns("here"), Work()
    here.take("report", EARLIER, work)
    here.take("report", EARLIER, work)
    assert work.done == 2


def test_while_one_process_works_the_others_pass(turns: TurnsOf) -> None:
    here, there = turns("here"), turns("there")
    theirs = Work()
    work = Work(meanwhile=[lambda: there.recorded("report", EARLIER, theirs)])
    here.recorded("report", EARLIER, work)
    assert (work.done, theirs.done) == (1, 0)
    there.recorded("other", EARLIER, theirs)
    assert theirs.done == 1


def test_of_many_at_once_one_works(turns: TurnsOf) -> None:
    work = Work()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda i: turns(f"process {i}").recorded("report", EARLIER, work), range(16)))
    assert work.done == 1


def test_the_right_is_given_back_whatever_happens(turns: TurnsOf) -> None:
    here, there, work = turns("here"), turns("there"), Work(failing=True)
    with pytest.raises(RuntimeError):
        here.recorded("report", EARLIER, work)
    assert there.leases.acquire("report", "there", 60)
    there.leases.release("report", "there")


@pytest.mark.parametrize(
    ("now", "time", "since"),
    [
        ("2026-03-04T00:30:00", 30, "2026-03-04T00:30:00"),
        ("2026-03-04T00:29:59.999999", 30, "2026-03-03T00:30:00"),
        ("2026-03-04T23:59:59", 30, "2026-03-04T00:30:00"),
        ("2026-03-01T00:00:00", 60, "2026-02-28T01:00:00"),
        ("2026-03-01T05:00:00", 0, "2026-03-01T00:00:00"),
    ],
)
def test_the_last_time_that_it_was_so_late(database: Database, now: str, time: int, since: str) -> None:
    at = datetime.fromisoformat(now).replace(tzinfo=UTC)
    turns = Turns(JobRuns(database), Leases(database), "here", at.timestamp)
    assert turns.at() == at
    assert turns.since(timedelta(minutes=time)) == datetime.fromisoformat(since).replace(tzinfo=UTC)
