"""Refreshing days: from raw events to published runs, in named steps.

All steps see the same events: those inserted before the refresh began. If one of these turns up only later, the days
are computed again. Nothing a reader can see changes before the last step. A refresh of unchanged events publishes
nothing new. The caller holds the project's lease: ordinals are dense because one refresh at a time gives them.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum

from tallymark.engine.base import Engine, Params
from tallymark.engine.source import utc
from tallymark.errors import Conflict
from tallymark.rollup import sql
from tallymark.rollup.run import Run, month_shelf, new_run_id, open_shelf, publish, published
from tallymark.rollup.scope import Scope, Sight, latecomers, look
from tallymark.rollup.stale import mark, marked
from tallymark.spec.catalog import Catalog
from tallymark.spec.metric import MOST_KEYS
from tallymark.spec.project import Project
from tallymark.spec.window import today

#: How often days are computed because events turn up in them meanwhile.
_TRIES = 5


class Outcome(StrEnum):
    """What a refresh did with a day."""

    PUBLISHED = "published"
    UNCHANGED = "unchanged"
    EMPTY = "empty"
    SEALED = "sealed"


@dataclass(frozen=True)
class Refreshed:
    """What became of a day."""

    project: str
    day: date
    outcome: Outcome
    message: str = ""


@dataclass(frozen=True)
class _Case:
    """A day, what is published of it, what its events are now, and what is to be done."""

    day: date
    last: Run | None
    sight: Sight
    outcome: Outcome

    def refreshed(self, project: Project) -> Refreshed:
        """The outcome of a day that is left as it is."""
        why = _why(project, self.last) if self.outcome is Outcome.SEALED else ""
        return Refreshed(project.name, self.day, self.outcome, why)


@dataclass
class _View:
    """What a refresh sees of the days that it computes; `lately` is the count that shows whether that has changed."""

    scope: Scope
    lately: int
    sights: Mapping[date, Sight]


@dataclass(frozen=True)
class Refresher:
    """Refreshes days of projects. `settle` is how long an inserted batch may stay invisible, in seconds.

    `together`: days that the same statements compute at most, for the engine plans one as long as it computes a
    small day.
    """

    engine: Engine
    catalog: Catalog
    settle: int
    workers: Executor = field(default_factory=lambda: ThreadPoolExecutor(2, "refresh"))
    together: int = 31

    def refresh(self, project: Project, days: Sequence[date], force: bool = False) -> Iterator[Refreshed]:
        """Publishes the numbers of days whose events or definitions changed, or of all with `force`.

        Gives the outcome of each day as it is done. A day is sealed, and left alone, once raw events of its published
        run have expired.
        """
        for several in _in_parts(sorted(days), self.together):
            yield from self._refresh(project, several, force)

    def _refresh(self, project: Project, days: Sequence[date], force: bool) -> Iterator[Refreshed]:
        started, scope = time.monotonic(), self._scope(project, days)
        lately = latecomers(self.engine, scope, self.settle)
        assessed = self._assess(project, days, force, scope.seen_at)
        view = _View(scope, lately, {c.day: c.sight for c in assessed if c.outcome is Outcome.PUBLISHED})
        settled = [case for case in assessed if case.outcome is not Outcome.PUBLISHED]
        touched = [
            replace(case.last, watermark=self._watermark(case.sight))
            for case in settled
            if case.last is not None and case.outcome is Outcome.UNCHANGED
        ]
        if touched:
            publish(self.engine, touched)
        yield from (case.refreshed(project) for case in settled)
        created = {case.day: case.last.created_at for case in assessed if case.last is not None}
        for span in _spans(list(view.sights), today(project.timezone, scope.seen_at)):
            runs = self._runs(project, span, view, started)
            publish(self.engine, [replace(run, created_at=created.get(run.day, run.made_at)) for run in runs])
            yield from (Refreshed(project.name, day, Outcome.PUBLISHED) for day in span)

    def due(self, project: Project, days: Sequence[date]) -> list[date]:
        """Those of some days whose published numbers are not what a refresh would publish."""
        if not days:
            return []
        cases = self._assess(project, days, False, self._scope(project, days).seen_at)
        return [case.day for case in cases if case.outcome is Outcome.PUBLISHED]

    def rehearse(self, project: Project, days: Sequence[date], shelf: int) -> dict[date, int]:
        """Computes days and publishes none of them; gives the runs that their rows on the shelf are of."""
        runs: dict[date, int] = {}
        for several in _in_parts(sorted(days), self.together):
            whole = self._scope(project, several)
            for span in _spans(several, today(project.timezone, whole.seen_at)):
                first_run = new_run_id(whole.seen_at)
                scope = replace(whole, first=span[0], last=span[-1])
                self._write(scope, first_run, shelf, self.catalog.only(project.packs), few=False)
                runs.update({day: first_run + place for place, day in enumerate(span)})
        return runs

    def _scope(self, project: Project, days: Sequence[date]) -> Scope:
        """Some days as they are now."""
        ((now,),) = self.engine.query("SELECT now64(3, 'UTC')")
        return Scope(project.id, min(days), max(days), project.timezone, utc(now))

    def _look(self, project: Project, day: date, seen_at: datetime) -> Sight:
        return look(self.engine, project.id, day, project.timezone, seen_at)

    def _assess(self, project: Project, days: Sequence[date], force: bool, seen_at: datetime) -> list[_Case]:
        """What is to be done with each day."""
        catalog = self.catalog.only(project.packs)
        runs = {run.day: run for run in published(self.engine, project.id, min(days), max(days))}
        marks = marked(self.engine, project.id)
        sights = self.workers.map(lambda day: self._look(project, day, seen_at), days)
        cases = []
        for day, sight in zip(days, sights, strict=True):
            last = runs.get(day)
            forced = force or _marked(last, marks.get(day))
            cases.append(_Case(day, last, sight, _outcome(project, last, sight, catalog, forced, day)))
        return cases

    def _watermark(self, sight: Sight) -> datetime:
        return sight.seen_at - timedelta(seconds=self.settle)

    def _runs(self, project: Project, span: Sequence[date], view: _View, started: float) -> list[Run]:
        """The runs of consecutive days, computed from events that no others joined meanwhile.

        Errors: `Conflict` where others keep turning up.
        """
        scope = replace(view.scope, first=span[0], last=span[-1])
        for _ in range(_TRIES):
            runs = self._compute(project, scope, view.sights, started)
            lately = latecomers(self.engine, view.scope, self.settle)
            if lately == view.lately:
                return runs
            view.lately = lately
            view.sights = {day: self._look(project, day, scope.seen_at) for day in view.sights}
        raise Conflict(f"Events of {project.name} keep turning up in the days that are refreshed.")

    def _compute(self, project: Project, scope: Scope, sights: Mapping[date, Sight], started: float) -> list[Run]:
        """Writes consecutive days' rows; gives their runs, which are not published yet."""
        catalog, first_run = self.catalog.only(project.packs), new_run_id(scope.seen_at)
        open_day = scope.first >= today(project.timezone, scope.seen_at)
        shelf = open_shelf(scope.seen_at) if open_day else 0
        few = all(sights[day].events <= MOST_KEYS for day in scope.days)
        self._write(scope, first_run, shelf, catalog, few)
        seconds = (time.monotonic() - started) / len(scope.days)
        return [
            Run(
                project.id, day, first_run + place, shelf or month_shelf(day), self._watermark(sights[day]),
                sights[day].events, sights[day].fingerprint, sights[day].expires_from, project.timezone,
                catalog.digest, seconds,
            )
            for place, day in enumerate(scope.days)
        ]  # fmt: skip

    def _write(self, scope: Scope, run: int, shelf: int, catalog: Catalog, few: bool) -> None:
        """All rows of the runs, none of them visible yet; what doesn't need each other is written side by side."""
        params = {**scope.params(), "run": run, "shelf": shelf}
        self._mark_moved(scope, params, catalog)
        self.engine.command(sql.new_actors(), params)
        from_events, from_sessions = sql.rollups(catalog, few)
        writing = [self.workers.submit(self.engine.command, statement, params) for statement in from_events]
        self.engine.command(sql.sessions(several=len(scope.days) > 1), params)
        writing += [self.workers.submit(self.engine.command, statement, params) for statement in from_sessions]
        for written in writing:
            written.result()

    def _mark_moved(self, scope: Scope, params: Params, catalog: Catalog) -> None:
        """Marks the later days that change because actors turn out to have begun on these."""
        moments = [utc(row[0]) for row in self.engine.query(sql.moved_firsts(), params)]
        if moments and (ages := sql.moved_ages(catalog)):
            moments += [utc(row[0]) for row in self.engine.query(ages, params)]
        moved = {today(scope.timezone, moment) for moment in moments} - set(scope.days)
        if moved:
            mark(self.engine, scope.project, moved, "an actor was first seen earlier")


def _in_parts(days: Sequence[date], length: int) -> Iterator[Sequence[date]]:
    for first in range(0, len(days), length):
        yield days[first : first + length]


def _spans(days: Sequence[date], current: date) -> Iterator[Sequence[date]]:
    """Runs of consecutive days that have ended; a day that has not stands alone."""
    span: list[date] = []
    for day in days:
        if span and (day - span[-1] != timedelta(days=1) or day >= current):
            yield span
            span = []
        span.append(day)
    if span:
        yield span


def _outcome(project: Project, last: Run | None, sight: Sight, catalog: Catalog, force: bool, day: date) -> Outcome:
    """What is to be done with a day."""
    if last is None:
        return Outcome.PUBLISHED if sight.events else Outcome.EMPTY
    if last.sealed(sight.seen_at):
        return Outcome.SEALED
    open_day = day >= today(project.timezone, sight.seen_at)
    same = (
        last.events == sight.events
        and last.fingerprint == sight.fingerprint
        and last.digest == catalog.digest
        and last.timezone == project.timezone
        and last.provisional == open_day
    )
    return Outcome.UNCHANGED if same and not force else Outcome.PUBLISHED


def _marked(last: Run | None, at: datetime | None) -> bool:
    return last is not None and at is not None and at >= last.made_at


def _why(project: Project, last: Run | None) -> str:
    if last is None:
        return ""
    return (
        f"{last.day} of {project.name} is sealed: its raw events have been expiring since "
        f"{last.expires_from:%Y-%m-%d %H:%M} UTC, so its numbers stay as published."
    )
