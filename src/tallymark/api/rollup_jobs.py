"""The jobs that keep rollups: the days' numbers, those by experiment, and funnels; each is noted in `rollup_runs`.

The numbers of a day are published together, so the first two do the same work, and what one has done the other finds
done; funnels are computed from days that are up to date.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, get_args

from tallymark.api.services import Services
from tallymark.engine.base import Engine
from tallymark.errors import BadQuery
from tallymark.rollup.job import JobName, noted
from tallymark.rollup.refresh import Outcome, Refreshed
from tallymark.rollup.run import published
from tallymark.spec.measure import Rows
from tallymark.spec.project import Project
from tallymark.spec.window import today

ALL: Final = "all"
JOBS: Final[Sequence[JobName]] = get_args(JobName)

MOST_DAYS: Final = 3_660

#: Does a project's refresh of the days from one on; gives what became of each.
Refresh = Callable[[Project, date], list[Refreshed]]


@dataclass(frozen=True)
class Ran:
    """A job that was done: how many rows it made."""

    project: str
    job: JobName
    first: date | None
    last: date | None
    rows: int

    def body(self) -> dict[str, Any]:
        """As JSON."""
        window = {"from": _text(self.first), "to": _text(self.last)}
        return {"project": self.project, "job": self.job, **window, "rows": self.rows}


def _text(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def jobs_of(text: str) -> Sequence[JobName]:
    """The jobs that a name means. Errors: `BadQuery`."""
    if text in ("", ALL):
        return JOBS
    found = [job for job in JOBS if job == text]
    if not found:
        raise BadQuery(f"There is no job {text[:40]!r}.", field="job", allowed=[*JOBS, ALL])
    return found


def run_jobs(
    here: Services, project: Project, jobs: Sequence[JobName], window_days: int | None, refresh: Refresh
) -> tuple[list[Refreshed], list[Ran]]:
    """Does jobs for the last days of a project, or for every day; gives the days that were refreshed, and the jobs.

    A job that a project has nothing for is left out.
    """
    first, last = _window(here, project, window_days)
    days: list[Refreshed] | None = None
    ran: list[Ran] = []
    for job in jobs:
        if not _has(here, project, job):
            continue
        with noted(here.engine, project, job, first, last) as done:
            if days is None:
                days = refresh(project, first or date.min)
            done.rows = _rows(here, project, job, days, first, last)
        ran.append(Ran(project.name, job, first, last, done.rows))
    return days or [], ran


def _window(here: Services, project: Project, days: int | None) -> tuple[date | None, date | None]:
    if days is None:
        return None, None
    last = today(project.timezone, datetime.fromtimestamp(here.now(), UTC))
    return last - timedelta(days=days - 1), last


def _has(here: Services, project: Project, job: JobName) -> bool:
    """Whether a project has anything that a job is about."""
    if job == "funnels":
        return bool(here.funnel_rollups.of_project(project))
    return job == "daily" or bool(here.catalog.only(project.packs).measures_on(Rows.EXPOSED))


def _rows(
    here: Services, project: Project, job: JobName, days: Sequence[Refreshed], first: date | None, last: date | None
) -> int:
    """How many rows a job has made of refreshed days."""
    if job == "funnels":
        return sum(day.rows for day in here.funnel_rollups.refresh(project, first or date.min, last or date.max))
    computed = {day.day for day in days if day.outcome is Outcome.PUBLISHED}
    return _published_rows(here.engine, project, computed, job == "experiments")


def _published_rows(engine: Engine, project: Project, days: set[date], of_experiments: bool) -> int:
    """How many rows of rollups hold some days."""
    if not days:
        return 0
    runs = [run.run for run in published(engine, project.id, min(days), max(days)) if run.day in days]
    ((count,),) = engine.query(
        "SELECT countIf(startsWith(measure, {exposed:String}) = {wanted:UInt8}) FROM rollups "
        "WHERE project = {project:UInt32} AND run IN {runs:Array(UInt64)}",
        {"project": project.id, "runs": runs, "exposed": f"{Rows.EXPOSED}:", "wanted": int(of_experiments)},
    )
    return int(count)
