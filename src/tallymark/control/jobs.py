"""What the jobs did: one row per run."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, cast

from sqlalchemy import delete, func, select

from tallymark.control.database import Database
from tallymark.control.models import JobRunRow
from tallymark.errors import NotFound

Status = Literal["running", "done", "failed"]


@dataclass(frozen=True)
class JobRun:
    """One run of a job; `project_id` is None for a job of the whole installation."""

    id: int
    job: str
    project_id: int | None
    status: Status
    detail: str
    started_at: datetime
    finished_at: datetime | None


class JobRuns:
    """The store of job runs. `clock` gives epoch seconds."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    def start(self, job: str, project_id: int | None = None) -> int:
        """The id of a run that begins now."""
        with self._database.write(project_id) as session:
            row = JobRunRow(job=job, project_id=project_id, status="running", detail="", started_at=self._now())
            session.add(row)
            session.flush()
            return row.id

    def finish(self, run_id: int, status: Literal["done", "failed"], detail: str = "") -> JobRun:
        """The run, over now, with what came of it.

        Errors: `NotFound`.
        """
        with self._database.write() as session:
            row = session.get(JobRunRow, run_id)
            if row is None:
                raise NotFound(f"There is no job run {run_id}.")
            row.status, row.detail, row.finished_at = status, detail, self._now()
            return _run(row)

    def recent(self, job: str | None = None, project_id: int | None = None, limit: int = 50) -> tuple[JobRun, ...]:
        """The latest runs, newest first; of one job or one project where given."""
        query = select(JobRunRow).order_by(JobRunRow.started_at.desc(), JobRunRow.id.desc()).limit(limit)
        if job is not None:
            query = query.where(JobRunRow.job == job)
        if project_id is not None:
            query = query.where(JobRunRow.project_id == project_id)
        with self._database.read(project_id) as session:
            return tuple(_run(row) for row in session.scalars(query))

    def count(self, before: datetime) -> int:
        """How many runs started before an instant."""
        with self._database.read() as session:
            return session.scalar(select(func.count()).where(JobRunRow.started_at < before)) or 0

    def prune(self, before: datetime) -> None:
        """Forgets the runs that started before an instant."""
        with self._database.write() as session:
            session.execute(delete(JobRunRow).where(JobRunRow.started_at < before))

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock(), UTC)


def _run(row: JobRunRow) -> JobRun:
    return JobRun(
        row.id,
        row.job,
        row.project_id,
        cast(Status, row.status),
        row.detail,
        row.started_at,
        row.finished_at,
    )
