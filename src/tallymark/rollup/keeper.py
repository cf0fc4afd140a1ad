"""The keeper: keeps projects' rollups true, one refresh per project at a time, whoever asks for it."""

import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from tallymark.control.leases import Leases
from tallymark.control.projects import Projects
from tallymark.engine.base import Engine
from tallymark.engine.source import utc
from tallymark.errors import Conflict, Stopping, Unavailable
from tallymark.rollup.expire import Leaving, delete, leaving, orphans, seal
from tallymark.rollup.forget import forget
from tallymark.rollup.refresh import Outcome, Refreshed, Refresher
from tallymark.rollup.rehearse import Discrepancy, rehearse
from tallymark.rollup.resession import derive_again
from tallymark.rollup.run import Run, published
from tallymark.rollup.stale import StaleDays, marked
from tallymark.spec.catalog import Catalog
from tallymark.spec.project import Project

#: A lease outlives its holder by this many seconds at most.
_LEASE_SECONDS = 60

#: Between refreshes by the clock passes at least what the last one took, this many times.
_CLOCK_REST = 9

#: How often days are refreshed until none is stale: one may make a later one stale.
_ROUNDS = 3


@dataclass
class _Progress:
    """What the keeper knows of a project's refreshes in this process."""

    lock: threading.RLock = field(default_factory=threading.RLock)
    dirty: bool = True
    version: int = 0
    complete_at: datetime | None = None
    ended: float = 0.0
    took: float = 0.0  # seconds for a day, about


class Keeper:
    """Refreshes what is stale. May be called from any thread; different projects don't wait for each other.

    `holder` names this process among those that share the engine: leases are its own again after a crash.
    """

    def __init__(
        self,
        engine: Engine,
        catalog: Catalog,
        projects: Projects,
        leases: Leases,
        settle: int,
        holder: str,
        together: int = 31,
    ) -> None:
        #: A reader waits for a refresh that takes less than this, in seconds; longer ones are left to the clock.
        self.patience = 2.0
        self._engine = engine
        self._catalog = catalog
        self._projects = projects
        self._leases = leases
        self._refresher = Refresher(engine, catalog, settle, together=together)
        self._stale = StaleDays(engine, catalog, settle)
        self._finding = threading.Lock()
        self._stopping = threading.Event()
        self._holder = holder
        self._progress: dict[int, _Progress] = {}

    def touched(self, projects: Iterable[int]) -> None:
        """Notes that events of these projects were written."""
        for project in projects:
            progress = self._of(project)
            progress.dirty = True
            progress.version += 1

    def version(self, project: Project) -> int:
        """A number that grows whenever this process writes or publishes anything of a project."""
        return self._of(project.id).version

    def stale(self, project: Project) -> list[date]:
        """The days of a project whose published numbers are not what a refresh would publish."""
        return self._refresher.due(project, self._candidates(project))

    def _candidates(self, project: Project) -> list[date]:
        """Days that may be stale: a refresh looks closer."""
        with self._finding:
            return self._stale.find(self._projects.list()).get(project.id, [])

    def run(
        self,
        project: Project | None = None,
        on_day: Callable[[Refreshed], None] | None = None,
        since: date = date.min,
    ) -> list[Refreshed]:
        """Refreshes every stale day, of one project and from a day on where these are given."""
        refreshed: list[Refreshed] = []
        for owner in [project] if project else self._projects.list():
            refreshed += self._run(owner, on_day or _ignore, since)
        return refreshed

    def run_rested(self) -> list[Refreshed]:
        """Refreshes what is stale of the projects whose last refresh is long enough ago, as the clock does.

        So that refreshes take a tenth of the time at most, however fast events come.
        """
        rested = [owner for owner in self._projects.list() if self._rested(owner)]
        return [refreshed for owner in rested for refreshed in self._run(owner, _ignore)]

    def _rested(self, project: Project) -> bool:
        progress = self._of(project.id)
        return time.monotonic() - progress.ended > _CLOCK_REST * progress.took

    def freshen(self, project: Project) -> None:
        """Refreshes a project for a reader, if anything was written since and that is known to be quick."""
        progress = self._of(project.id)
        if progress.dirty and progress.took < self.patience:
            with progress.lock:
                if progress.dirty:
                    self._run(project, _ignore)

    def waiting(self, project: Project) -> list[date]:
        """Days that are stale, oldest first, where refreshing them takes longer than a reader waits."""
        progress = self._of(project.id)
        days = self._candidates(project) if progress.dirty else self._stale.pending(project.id)
        return self._refresher.due(project, days) if len(days) * progress.took >= self.patience else []

    def backfill(
        self, project: Project, first: date, last: date, on_day: Callable[[Refreshed], None] | None = None
    ) -> list[Refreshed]:
        """Computes days again, changed or not, oldest first, of those that have events or a run.

        Sealed days are left alone and named.
        """
        with self._leased(project):
            days = sorted(day for day in self._stale.eventful(project) if first <= day <= last)
            return self._refresh(project, days, True, on_day or _ignore)

    def rehearse(self, project: Project, first: date, last: date) -> tuple[int, list[Discrepancy]]:
        """Computes the published days of a window twice, for nothing; gives how many, and what differs.

        Sealed days are passed over, and days that wait for a refresh or change meanwhile.
        """
        with self._leased(project):
            now = self._now()
            days = [run.day for run in self.runs(project) if first <= run.day <= last and not run.sealed(now)]
            steady = set(days) - set(self._refresher.due(project, days))
            found = rehearse(self._engine, self._refresher, project, sorted(steady)) if steady else []
            if found:
                steady -= set(self._refresher.due(project, sorted(steady)))
            return len(steady), [each for each in found if each.day in steady]

    def forget(
        self, project: Project, actors: Collection[int], events: Collection[int] = (), kept: Collection[int] = ()
    ) -> list[date]:
        """Deletes everything of some actors, and some events, from the engine; gives the days, which are stale now.

        `kept` are ids of those of the actors' events that stay.
        """
        with self._leased(project):
            days = forget(self._engine, project, actors, events, kept)
            self.touched([project.id])
            return days

    def expire(
        self, project: Project, dry_run: bool = False, before: Callable[[Project], object] = lambda _: None
    ) -> Leaving:
        """Deletes the events past their time, and seals before, as they are, the days that lose any; says what went.

        A day whose numbers can't be brought up to date first keeps its events. `before` does what else needs them.
        """
        if dry_run:
            return leaving(self._engine, project, self._catalog)
        with self._leased(project):
            gone = self._complete(leaving(self._engine, project, self._catalog))
            if gone.events:
                before(project)
                seal(self._engine, gone)
                delete(self._engine, gone)
                self.touched([project.id])
            return gone

    def expire_sessions(self, project: Project, dry_run: bool = False) -> int:
        """Removes the rows about single sessions of sealed days none of whose events is left; says how many."""
        if dry_run:
            return orphans(self._engine, leaving(self._engine, project, self._catalog), remove=False)
        with self._leased(project):
            count = orphans(self._engine, Leaving(project, self._now()), remove=True)
            if count:
                self.touched([project.id])
            return count

    def restore_sessions(self, project: Project, first: date, last: date) -> None:
        """Derives the sessions of sealed days again, from events that came back; the days' numbers stay."""
        with self._leased(project):
            derive_again(self._engine, [run for run in self.runs(project) if first <= run.day <= last], self._now())
            self.touched([project.id])

    def _complete(self, gone: Leaving) -> Leaving:
        """What may go, now that the days that lose events are refreshed."""
        why = "its events keep changing"
        try:
            for _ in range(_ROUNDS):
                if not (stale := self._refresher.due(gone.project, gone.days)):
                    return gone
                self._refresh(gone.project, stale, False, _ignore)
        except (Conflict, Unavailable) as error:
            if self._stopping.is_set():
                raise
            why = error.message
        return gone.without(self._refresher.due(gone.project, gone.days), why)

    def _now(self) -> datetime:
        ((now,),) = self._engine.query("SELECT now64(3, 'UTC')")
        return utc(now)

    def stop(self) -> None:
        """Ends refreshes before their next days, for good."""
        self._stopping.set()

    @property
    def stopping(self) -> bool:
        """Whether the server is ending: long work ends early."""
        return self._stopping.is_set()

    def complete_at(self, project: Project) -> datetime | None:
        """When everything inserted before was last known to be rolled up, as far as this process knows."""
        return self._of(project.id).complete_at

    def runs(self, project: Project) -> list[Run]:
        """The published runs of a project, oldest first."""
        return published(self._engine, project.id)

    def _run(self, project: Project, on_day: Callable[[Refreshed], None], since: date = date.min) -> list[Refreshed]:
        progress = self._of(project.id)
        with self._leased(project):
            started, at = time.monotonic(), datetime.now(UTC)
            progress.dirty = False
            try:
                began, candidates = self._now(), self._candidates(project)
                days = [day for day in candidates if day >= since]
                refreshed = self._refresh(project, days, False, on_day)
                later, steady = self._refresh_marked(project, began, on_day)
            except Exception:
                progress.dirty = True
                raise
            progress.ended = time.monotonic()
            if steady and len(days) == len(candidates):
                progress.complete_at = at
            else:
                progress.dirty = True
            outcomes = {r.day: r for r in [*refreshed, *later]}.values()
            published = sum(r.outcome is Outcome.PUBLISHED for r in outcomes)
            progress.took = (progress.ended - started) / max(1, published)
        return [r for r in outcomes if r.outcome is not Outcome.EMPTY]

    def _refresh_marked(
        self, project: Project, since: datetime, on_day: Callable[[Refreshed], None]
    ) -> tuple[list[Refreshed], bool]:
        """Refreshes the days that were made stale since an instant; gives them, and whether none of these is left."""
        done: list[Refreshed] = []
        for _ in range(_ROUNDS):
            days = sorted(day for day, at in marked(self._engine, project.id).items() if at >= since)
            if not (stale := self._refresher.due(project, days)):
                return done, True
            done += self._refresh(project, stale, False, on_day)
        return done, False

    def _refresh(
        self, project: Project, days: list[date], force: bool, on_day: Callable[[Refreshed], None]
    ) -> list[Refreshed]:
        done: list[Refreshed] = []
        for refreshed in self._refresher.refresh(project, days, force):
            if self._stopping.is_set():
                raise Stopping("The server is stopping; the days that are left are refreshed when it is back.")
            self._leases.acquire(_lease(project), self._holder, _LEASE_SECONDS)
            self._stale.settled(project.id, refreshed.day)
            self._of(project.id).version += 1
            on_day(refreshed)
            done.append(refreshed)
        return done

    @contextmanager
    def _leased(self, project: Project) -> Iterator[None]:
        """One refresh of a project at a time, over threads and processes."""
        with self._of(project.id).lock:
            waited = 0.0
            while not self._leases.acquire(_lease(project), self._holder, _LEASE_SECONDS):
                if waited > _LEASE_SECONDS:
                    raise Conflict(f"Another process has been refreshing {project.name} for a minute.")
                time.sleep(0.2)
                waited += 0.2
            try:
                yield
            finally:
                self._leases.release(_lease(project), self._holder)

    def _of(self, project: int) -> _Progress:
        return self._progress.setdefault(project, _Progress())


def _lease(project: Project) -> str:
    return f"refresh:{project.id}"


def _ignore(_: Refreshed) -> None:
    """Nobody watches."""
