"""What the server does by the clock: refresh, replay the spool, write counts, sweep, purge; each at its own pace."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from tallymark.control.jobs import JobRuns
from tallymark.engine.base import Engine
from tallymark.engine.schema import migrate
from tallymark.errors import Conflict, Stopping, Unavailable
from tallymark.ingest.counts import Counts
from tallymark.ingest.store import Store
from tallymark.rollup.keeper import Keeper
from tallymark.rollup.refresh import Outcome
from tallymark.rollup.sweep import sweep
from tallymark.spec.job import JobState

_log = structlog.get_logger()

#: A name, what is done, and every how many seconds.
_Job = tuple[str, Callable[[], object], float]

#: Two for what is due every few seconds, one for what takes a minute: judges answer slowly.
_THREADS = 3

#: A purge is due once a day: whether it is is looked up this often, so that a day's is not missed.
_PURGE_MINUTES = "*/10"


@dataclass(frozen=True)
class _Ended:
    """When a job ran last, for how many seconds, and why it failed, if it did."""

    at: datetime
    seconds: float
    error: str | None


class Clock:
    """Runs the jobs in threads of its own; one that fails is logged and comes again."""

    def __init__(self, refresh_seconds: int) -> None:
        self._refresh_seconds = refresh_seconds
        self._ended: dict[str, _Ended] = {}
        self._scheduler = BackgroundScheduler(
            executors={"default": ThreadPoolExecutor(_THREADS)},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
            timezone=UTC,
        )

    def start(
        self,
        engine: Engine,
        store: Store,
        counts: Counts,
        keeper: Keeper,
        job_runs: JobRuns,
        embedded: bool,
        purge: Callable[[], object],
        extra: Sequence[_Job] = (),
    ) -> None:
        """Begins. An engine that is served is migrated first, as soon as it answers; `extra` are products' jobs.

        `purge` is called every ten minutes, and knows when a day's is due.
        """
        jobs: list[_Job] = [
            ("replay spool", store.replay, 1),
            ("count refusals", counts.flush, 1),
            ("refresh", lambda: _refresh(keeper, job_runs), self._refresh_seconds),
            ("sweep", lambda: _sweep(engine, job_runs), 600),
            *extra,
        ]
        self._scheduler.add_job(self._run, "cron", ["purge", purge], minute=_PURGE_MINUTES, id="purge")
        self._add(jobs if embedded else [("migrate", lambda: self._migrate(engine, jobs), 1)])
        self._scheduler.start()

    def _migrate(self, engine: Engine, jobs: Sequence[_Job]) -> None:
        migrate(engine)
        self._scheduler.remove_job("migrate")
        self._add(jobs)

    def _add(self, jobs: Sequence[_Job]) -> None:
        for name, work, seconds in jobs:
            self._scheduler.add_job(
                self._run, "interval", [name, work], seconds=seconds, id=name, next_run_time=datetime.now(UTC)
            )

    def _run(self, name: str, work: Callable[[], object]) -> None:
        at, began = datetime.now(UTC), time.monotonic()
        error = _guarded(name, work)
        self._ended[name] = _Ended(at, round(time.monotonic() - began, 3), error)

    def jobs(self) -> list[JobState]:
        """How each job stands, by name."""
        return [
            self._state(job.id, job.next_run_time) for job in sorted(self._scheduler.get_jobs(), key=lambda j: j.id)
        ]

    def _state(self, name: str, next_at: datetime | None) -> JobState:
        ended = self._ended.get(name)
        if ended is None:
            return JobState(name, None, None, None, next_at)
        return JobState(name, ended.at, ended.seconds, ended.error, next_at)

    def stop(self) -> None:
        """Ends, after the jobs that run now."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=True)


def _guarded(name: str, work: Callable[[], object]) -> str | None:
    """Does it; says why it failed, None where it did not."""
    try:
        work()
    except Stopping:
        _log.info("job ends early", job=name)
    except (Unavailable, Conflict) as error:
        _log.warning("job waits", job=name, why=error.message)
        return error.message
    except Exception as error:
        _log.exception("job failed", job=name)
        return f"It failed ({type(error).__name__}); the log has more."
    return None


def _refresh(keeper: Keeper, job_runs: JobRuns) -> None:
    """Refreshes what is stale; leaves a row in `job_runs` where that published anything."""
    started = datetime.now(UTC)
    published = [day for day in keeper.run_rested() if day.outcome is Outcome.PUBLISHED]
    if published:
        row = job_runs.start("refresh")
        seconds = (datetime.now(UTC) - started).total_seconds()
        job_runs.finish(row, "done", f"{len(published)} days in {seconds:.1f} s")


def _sweep(engine: Engine, job_runs: JobRuns) -> None:
    swept = sweep(engine, datetime.now(UTC))
    if swept:
        job_runs.finish(job_runs.start("sweep"), "done", f"{swept} shelves")
