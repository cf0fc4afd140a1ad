"""Turns: work that is done once a day or a month, by one process, and again after it has failed."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from tallymark.control.jobs import JobRuns
from tallymark.control.leases import Leases
from tallymark.errors import TooManyRequests

#: The process that takes a turn has it to itself for this long, in seconds.
_LEASE_SECONDS = 3_600


def deriving(project_id: int) -> str:
    """What it is called to make events of a project out of others: meanwhile nobody's are deleted."""
    return f"exchanges:{project_id}"


@dataclass(frozen=True)
class Turns:
    """Who takes which turn. `holder` names this process among those that share the store, `now` gives epoch seconds."""

    job_runs: JobRuns
    leases: Leases
    holder: str
    now: Callable[[], float]
    _locks: dict[str, threading.Lock] = field(default_factory=dict, init=False)
    _there: Counter[str] = field(default_factory=Counter, init=False)
    _counting: threading.Lock = field(default_factory=threading.Lock, init=False)

    def take(self, job: str, since: datetime, work: Callable[[], object]) -> None:
        """Does the work unless a run of the job for all projects was started and done since; it leaves such a row."""
        if not self._due(job, since):
            return
        with self.alone(job, _LEASE_SECONDS) as mine:
            if mine and self._due(job, since):
                work()

    @contextmanager
    def alone(self, name: str, seconds: float, most: int | None = None) -> Iterator[bool]:
        """Whether nobody else does what has this name while the block runs, for so long at most.

        Threads of this process wait for each other; another process that is at it is not waited for. Errors:
        `TooManyRequests` where `most` threads are at it or wait already.
        """
        with self._queued(name, most) as lock, lock:  # a lease is its holder's again, whichever thread asks
            mine = self.leases.acquire(name, self.holder, seconds)
            try:
                yield mine
            finally:
                if mine:
                    self.leases.release(name, self.holder)

    @contextmanager
    def _queued(self, name: str, most: int | None) -> Iterator[threading.Lock]:
        """The lock of a name, counted for as one that has or awaits it while the block runs."""
        with self._counting:
            lock, there = self._locks.setdefault(name, threading.Lock()), self._there[name]
            if most is not None and there >= most:
                raise TooManyRequests("Others are at this, and others wait for it: ask again later.")
            self._there[name] += 1
        try:
            yield lock
        finally:
            with self._counting:
                self._there[name] -= 1

    def renew(self, name: str, seconds: float) -> bool:
        """Whether whoever is `alone` at this still is, from now on for so long again."""
        return self.leases.renew(name, self.holder, seconds)

    def recorded(self, job: str, since: datetime, work: Callable[[], str]) -> None:
        """As `take`, of work that gives what its row in `job_runs` says."""
        self.take(job, since, lambda: self._record(job, work))

    def at(self) -> datetime:
        """Now."""
        return datetime.fromtimestamp(self.now(), UTC)

    def since(self, time: timedelta) -> datetime:
        """The last time that it was so late in a UTC day."""
        return (self.at() - time).replace(hour=0, minute=0, second=0, microsecond=0) + time

    def _due(self, job: str, since: datetime) -> bool:
        recent = self.job_runs.recent(job)
        return not any(r.project_id is None and r.status == "done" and r.started_at >= since for r in recent)

    def _record(self, job: str, work: Callable[[], str]) -> None:
        row = self.job_runs.start(job)
        try:
            said = work()
        except Exception as error:
            self.job_runs.finish(row, "failed", type(error).__name__)
            raise
        self.job_runs.finish(row, "done", said)
