"""What was asked of rollups, when, and what came of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Literal

import pyarrow as pa

from tallymark.engine.base import Engine
from tallymark.engine.source import milliseconds
from tallymark.rollup.run import new_run_id
from tallymark.spec.project import Project

JobName = Literal["daily", "experiments", "funnels"]
Status = Literal["running", "done", "failed"]


@dataclass
class Done:
    """What a job has done so far: how many rows it made."""

    rows: int = 0


@dataclass(frozen=True)
class RollupJob:
    """A job over a project's rollups. `first` and `last` are the days it was asked for, None for every day."""

    project: int
    id: int
    job: JobName
    first: date | None
    last: date | None
    started_at: datetime
    finished_at: datetime | None = None
    rows: int = 0
    status: Status = "running"
    message: str = ""


@contextmanager
def noted(
    engine: Engine, project: Project, job: JobName, first: date | None = None, last: date | None = None
) -> Iterator[Done]:
    """Notes that a job runs, and how it ends; whoever does it says in what is given how many rows it made."""
    now = datetime.now(UTC)
    running, done = RollupJob(project.id, new_run_id(now), job, first, last, now), Done()
    _note(engine, running)
    try:
        yield done
    except Exception as error:
        _note(engine, replace(running, finished_at=datetime.now(UTC), status="failed", message=type(error).__name__))
        raise
    _note(engine, replace(running, finished_at=datetime.now(UTC), status="done", rows=done.rows))


def _note(engine: Engine, job: RollupJob) -> None:
    instant = pa.timestamp("ms", "UTC")
    finished = None if job.finished_at is None else milliseconds(job.finished_at)
    table = pa.table(
        {
            "project": pa.array([job.project], pa.uint32()),
            "id": pa.array([job.id], pa.uint64()),
            "job": pa.array([job.job]),
            "first": pa.array([job.first], pa.date32()),
            "last": pa.array([job.last], pa.date32()),
            "started_at": pa.array([milliseconds(job.started_at)], instant),
            "finished_at": pa.array([finished], instant),
            "rows": pa.array([job.rows], pa.uint64()),
            "status": pa.array([job.status]),
            "message": pa.array([job.message]),
        }
    )
    engine.insert("rollup_jobs", table)
