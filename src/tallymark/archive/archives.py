"""The archives of an installation: made, restored, deleted, and kept free of people who are to be forgotten."""

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeVar

from tallymark.archive.columns import HEAD
from tallymark.archive.forget import Theirs, forget
from tallymark.archive.manifest import Manifest, Owner, archive_id
from tallymark.archive.restore import Restored, restore
from tallymark.archive.shelf import Shelf
from tallymark.archive.work import Tell, Workplace
from tallymark.archive.write import Seen, check, draft, look, unchanged, write
from tallymark.control.jobs import JobRuns
from tallymark.control.turns import Turns
from tallymark.engine.base import Engine
from tallymark.engine.source import utc
from tallymark.rollup.keeper import Keeper
from tallymark.rollup.restores import note
from tallymark.spec.month import Month, months_near, read_month
from tallymark.spec.project import Project
from tallymark.spec.window import today

_T = TypeVar("_T")

_MILLISECOND: Final = timedelta(milliseconds=1)

#: A file that belongs to no archive may be about to: it is left alone for this long.
_YOUNG: Final = timedelta(hours=1)


@dataclass(frozen=True)
class Made:
    """An archive, and whether anything was written: what holds everything already is left as it is."""

    archive: Manifest
    written: bool


@dataclass(frozen=True)
class Back:
    """What was restored, into which project, and until when it stays at least."""

    archive: Manifest
    project: Project
    restored: Restored
    until: datetime


class Archives:
    """Archives of all projects. One is worked on at a time. Errors of all methods: `Unavailable`."""

    def __init__(
        self, engine: Engine, shelf: Shelf, workplace: Workplace, keeper: Keeper, job_runs: JobRuns, turns: Turns
    ) -> None:
        self.shelf = shelf
        self._engine = engine
        self._workplace = workplace
        self._keeper = keeper
        self._job_runs = job_runs
        self._turns = turns

    def months(self, project: Project) -> list[Month]:
        """The past months that a project may have events of, in order."""
        rows = self._engine.query(
            "SELECT DISTINCT toDate(occurred_at) FROM events WHERE project = {project:UInt32}", {"project": project.id}
        )
        return [month for month in months_near(row[0] for row in rows) if month.over(project.timezone, self._now())]

    def check(self, project: Project, month: Month, incomplete: bool = False) -> Manifest | Seen:
        """The archive of a month where it holds everything already, else what there is to archive.

        Errors: `NotFound` where that is nothing; `Conflict` where some is missing and `incomplete` doesn't allow it,
        and where there is an archive that may hold more.
        """
        seen = look(self._engine, project, month, self._now())
        before = self.shelf.find(archive_id(project, month))
        if before is not None and unchanged(before, seen, project):
            return before
        if not incomplete:
            check(seen, project, month)
        return seen

    def make(self, project: Project, month: Month, incomplete: bool, tell: Tell) -> Made:
        """Makes the archive of a month, or makes it anew where it has changed. Errors: as `check`."""
        with self._workplace.alone(tell) as work:
            seen = self.check(project, month, incomplete)
            if isinstance(seen, Manifest):
                return Made(seen, False)

            def archived() -> tuple[Manifest, str]:
                archive = write(self._engine, project, month, seen, self._now(), work)
                self.shelf.put(archive, draft(work), work.look)
                return archive, f"{archive.id}: {archive.rows} events"

            return Made(self._recorded("archive", project, archived), True)

    def restore(self, archive: str, project: Project, keep: timedelta, tell: Tell) -> Back:
        """Puts the events of an archive into a project, where they stay for a while at least.

        Errors: `NotFound`; `Conflict` where the file is not what was written: then nothing was restored.
        """
        with self._workplace.alone(tell) as work:
            manifest = self.shelf.get(archive)
            window = read_month(manifest.month).window(manifest.timezone)

            def restored() -> tuple[Back, str]:
                file = self.shelf.fetch(manifest, HEAD, work.folder / "file", work.look)
                until = _midnight_after(self._engine_now() + keep)
                note(self._engine, project, window, until)
                done = restore(self._engine, file, project, until, work)
                self._keeper.touched([project.id])
                last = today(project.timezone, window.end - _MILLISECOND)
                self._keeper.restore_sessions(project, today(project.timezone, window.start), last)
                return Back(manifest, project, done, until), f"{manifest.id}: {done.written} of {done.rows} events"

            return self._recorded("restore", project, restored)

    def delete(self, archive: str) -> Manifest:
        """Deletes an archive; gives it as it was. Errors: `NotFound`, `Conflict`."""
        with self._workplace.alone(_nobody):
            manifest = self.shelf.get(archive)
            self.shelf.remove(archive)
            return manifest

    @contextmanager
    def without(
        self, project: Project, actors: Collection[int], events: Collection[int], kept: Callable[[], Collection[int]]
    ) -> Iterator[int]:
        """Takes the events of some actors out of a project's archives; nothing can be restored while the block runs.

        `events` and `kept` are as of `Keeper.forget`, of all that there ever were. Gives how many archives changed.
        Errors: `Conflict` where an archive can't be read, or others are being worked on.
        """
        with self._workplace.alone(_nobody) as work:
            archives = self._of(project)
            theirs = Theirs(actors, events, kept() if archives else ())
            yield sum(forget(self.shelf, one, theirs, self._now(), work) > 0 for one in archives)

    def sweep(self, gone: Iterable[Project], dry_run: bool) -> int:
        """Deletes what belongs to no archive, and archives of projects that are gone; gives how many."""
        orphans = self.shelf.orphans(self._now() - _YOUNG)
        left = [archive for project in gone for archive in self.shelf.ids_of(Owner.of(project).key)]
        if not dry_run:
            for name in orphans:
                self.shelf.files.delete(name)
            for archive in left:
                self.shelf.remove(archive)
        return len(orphans) + len(left)

    def forget_project(self, project: Project) -> None:
        """Deletes the archives of a project."""
        with self._workplace.alone(_nobody):
            for archive in self.shelf.ids_of(Owner.of(project).key):
                self.shelf.remove(archive)

    def stop(self) -> None:
        """Ends what is being done, for good."""
        self._workplace.stop()

    def _of(self, project: Project) -> list[Manifest]:
        """The archives that may hold events of a project's actors: its own, and those of one with the same hashes."""
        own = self.shelf.ids_of(Owner.of(project).key)
        others = [one for one in self.shelf.all() if one.project.id == project.id and one.id not in own]
        return [*map(self.shelf.get, own), *others]

    def _recorded(self, job: str, project: Project, work: Callable[[], tuple[_T, str]]) -> _T:
        """What work gives; a row of `job_runs` says when it was done, and what came of it."""
        row = self._job_runs.start(job, project.id)
        try:
            done, said = work()
        except Exception as error:
            self._job_runs.finish(row, "failed", type(error).__name__)
            raise
        self._job_runs.finish(row, "done", said)
        return done

    def _now(self) -> datetime:
        return self._turns.at()

    def _engine_now(self) -> datetime:
        """By the clock that events expire by."""
        ((now,),) = self._engine.query("SELECT now64(3, 'UTC')")
        return utc(now)


def _midnight_after(moment: datetime) -> datetime:
    """The end of its UTC day, so that what is restored twice in a day is written once."""
    return moment.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)


def _nobody(_rows: int, _of: int) -> None:
    """Nobody is told."""
