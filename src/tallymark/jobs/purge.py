"""The purge: what is past its time goes, step by step, once a day and whenever it is asked for.

Rollups, runs and actors stay: they are the numbers, and the ordinals that these are made of.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial

from tallymark.archive.archives import Archives
from tallymark.control.exports import Exports
from tallymark.control.jobs import JobRuns
from tallymark.control.keys import Keys
from tallymark.control.leases import Leases
from tallymark.control.projects import Projects
from tallymark.control.salts import Salts
from tallymark.control.statements import Statements
from tallymark.control.turns import Turns
from tallymark.engine.base import Engine
from tallymark.errors import Conflict, Unavailable
from tallymark.export.files import Files
from tallymark.jobs.expired import forget_expired, forget_orphans
from tallymark.rollup.keeper import Keeper
from tallymark.spec.project import Project
from tallymark.spec.purged import Purged

#: When in a UTC day it is time.
_TIME = timedelta(minutes=30)

_JOB = "purge"

_KEPT_SALTS = timedelta(days=3)
_KEPT_JOB_RUNS = timedelta(days=30)

_PINS = "project = {project:UInt32} AND expires_at <= fromUnixTimestamp({now:Int64})"

#: How many things went, a note on them, and what is still there by mistake.
_Taken = tuple[int, str, str]


@dataclass(frozen=True)
class Purge:
    """Everything that a purge needs. How old events are, the engine's clock says, all else that of `turns`.

    `before` is done with a project before it loses events.
    """

    engine: Engine
    keeper: Keeper
    projects: Projects
    keys: Keys
    salts: Salts
    job_runs: JobRuns
    turns: Turns
    leases: Leases
    exports: Exports
    files: Files
    archives: Archives
    statements: Statements
    before: Callable[[Project], object] = lambda _: None

    def run(self, project: Project | None = None, dry_run: bool = False) -> list[Purged]:
        """Takes what is past its time, of one project where given; a dry run only counts, and changes nothing.

        A step that can't be done says so and the others go on. What was done leaves a row in `job_runs`.
        """
        if dry_run:
            return list(self._steps(project, dry_run))
        row = self.job_runs.start(_JOB, None if project is None else project.id)
        try:
            done = list(self._steps(project, dry_run))
        except Exception as error:
            self.job_runs.finish(row, "failed", type(error).__name__)
            raise
        self.job_runs.finish(row, "failed" if any(p.error for p in done) else "done", _summary(done))
        return done

    def daily(self) -> None:
        """Purges if nobody has since 00:30 UTC; one process at a time."""
        self.turns.take(_JOB, self.turns.since(_TIME), self.run)

    def at(self) -> datetime:
        """Now."""
        return self.turns.at()

    def _steps(self, project: Project | None, dry_run: bool) -> Iterator[Purged]:
        if project is None:
            for name, everywhere in INSTALLATION:
                yield Purged(name, None, *_tried(partial(_counted, everywhere, self, dry_run)))
        owners = self.projects.list() if project is None else [project]
        for name, of_project in PROJECT:
            for owner in owners:
                yield Purged(name, owner.name, *_tried(partial(of_project, self, owner, dry_run)))


def _counted(step: Callable[[Purge, bool], int], purge: Purge, dry_run: bool) -> _Taken:
    return step(purge, dry_run), "", ""


def _tried(step: Callable[[], _Taken]) -> _Taken:
    try:
        return step()
    except (Conflict, Unavailable) as error:
        return 0, "", error.message


def _events(purge: Purge, project: Project, dry_run: bool) -> _Taken:
    """Raw events past the project's retention; the days that lose them are sealed before."""
    gone = purge.keeper.expire(project, dry_run, purge.before)
    notes = [f"seals {_listed(sorted(gone.sealing))}"] if gone.sealing else []
    notes += [f"keeps {day}: {why}" for day, why in sorted(gone.open.items())]
    failed = [f"{day} keeps its events: {why}" for day, why in sorted(gone.failed.items())]
    return sum(gone.events.values()), "; ".join(notes), "; ".join(failed)


def _sessions(purge: Purge, project: Project, dry_run: bool) -> _Taken:
    """Rows about single sessions whose events are all gone; their sums stay."""
    return purge.keeper.expire_sessions(project, dry_run), "", ""


def _pins(purge: Purge, project: Project, dry_run: bool) -> _Taken:
    """Remembered times of events that are past their own."""
    params = {"project": project.id, "now": int(purge.turns.now())}
    ((count,),) = purge.engine.query(f"SELECT count() FROM pins FINAL WHERE {_PINS}", params)
    if count and not dry_run:
        purge.engine.command(f"ALTER TABLE pins DELETE WHERE {_PINS} SETTINGS mutations_sync = 2", params)
    return count, "", ""


def _keys(purge: Purge, project: Project, dry_run: bool) -> _Taken:
    """Keys past their expiry are revoked; like other revoked ones they stay listed."""
    now = purge.at()
    over = [
        key
        for key in purge.keys.list(project.id)
        if key.revoked_at is None and key.expires_at is not None and key.expires_at <= now
    ]
    if not dry_run:
        for key in over:
            purge.keys.revoke(key.id)
    return len(over), "", ""


def _statements(purge: Purge, project: Project, dry_run: bool) -> _Taken:
    """What is remembered of xAPI statements whose events are past the project's retention."""
    before = purge.at() - timedelta(hours=project.retention_hours)
    count = purge.statements.count(project.id, before)
    if count and not dry_run:
        purge.statements.prune(project.id, before)
    return count, "", ""


def _leases(purge: Purge, dry_run: bool) -> int:
    """Leases of processes that ended without giving them back."""
    count = purge.leases.expired()
    if not dry_run:
        purge.leases.prune()
    return count


def _salts(purge: Purge, dry_run: bool) -> int:
    """Salts of past days: without one nobody can tell any more whose a day's origins were."""
    before: date = (purge.at() - _KEPT_SALTS).date()
    count = purge.salts.count(before)
    if count and not dry_run:
        purge.salts.forget(before)
    return count


def _job_runs(purge: Purge, dry_run: bool) -> int:
    """What jobs did long ago."""
    before = purge.at() - _KEPT_JOB_RUNS
    count = purge.job_runs.count(before)
    if count and not dry_run:
        purge.job_runs.prune(before)
    return count


def _exports(purge: Purge, dry_run: bool) -> int:
    """Files of exports past their time, exports that are long over, files and drafts that a crash has left."""
    expired = forget_expired(purge.exports, purge.files, purge.at(), dry_run)
    return expired + forget_orphans(purge.exports, purge.files, purge.at(), dry_run)


def _archives(purge: Purge, dry_run: bool) -> int:
    """Files that a crash has left of archives, and archives of projects that were deleted while these were away."""
    return purge.archives.sweep(purge.projects.gone(), dry_run)


#: The steps that are about the whole installation, in order. Leases go first: refreshes take and return some.
INSTALLATION: Sequence[tuple[str, Callable[[Purge, bool], int]]] = (
    ("leases", _leases),
    ("salts", _salts),
    ("job_runs", _job_runs),
    ("exports", _exports),
    ("archives", _archives),
)

#: The steps that are about a project, in order.
PROJECT: Sequence[tuple[str, Callable[[Purge, Project, bool], _Taken]]] = (
    ("events", _events),
    ("sessions", _sessions),
    ("pins", _pins),
    ("keys", _keys),
    ("statements", _statements),
)


def _summary(done: Sequence[Purged]) -> str:
    steps = dict.fromkeys(purged.step for purged in done)
    counts = {step: sum(purged.count for purged in done if purged.step == step) for step in steps}
    errors = [f"{p.step} of {p.project}: {p.error}" for p in done if p.error]
    return "; ".join([f"{count} {step}" for step, count in counts.items() if count] + errors)


def _listed(days: Sequence[date]) -> str:
    shown = ", ".join(map(str, days[:3]))
    return f"{shown} and {len(days) - 3} more days" if len(days) > 3 else shown
