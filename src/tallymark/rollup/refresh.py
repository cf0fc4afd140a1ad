"""Refreshing days: from raw events to published runs, in named steps.

Nothing a reader can see changes before the last step. A refresh of unchanged events publishes nothing new.
The caller holds the project's lease: ordinals are dense because one refresh at a time gives them.
"""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum

from tallymark.engine.base import Engine
from tallymark.engine.source import utc
from tallymark.rollup import sql
from tallymark.rollup.run import Run, month_shelf, new_run_id, open_shelf, publish, published
from tallymark.rollup.scope import Scope, Sight, look
from tallymark.rollup.stale import mark, marked
from tallymark.spec.catalog import Catalog
from tallymark.spec.project import Project
from tallymark.spec.window import today

#: Days that the same statements compute at most: the engine plans one for as long as it computes a small day.
_TOGETHER = 31


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


@dataclass(frozen=True)
class Refresher:
    """Refreshes days of projects. `settle` is how long an inserted batch may stay invisible, in seconds."""

    engine: Engine
    catalog: Catalog
    settle: int
    workers: Executor = field(default_factory=lambda: ThreadPoolExecutor(2, "refresh"))

    def refresh(self, project: Project, days: Sequence[date], force: bool = False) -> Iterator[Refreshed]:
        """Publishes the numbers of days whose events or definitions changed, or of all with `force`.

        Gives the outcome of each day as it is done. A day is sealed, and left alone, once raw events of its published
        run have expired.
        """
        for several in _in_parts(sorted(days)):
            yield from self._refresh(project, several, force)

    def _refresh(self, project: Project, days: Sequence[date], force: bool) -> Iterator[Refreshed]:
        started = time.monotonic()
        assessed = self._assess(project, days, force)
        settled = [case for case in assessed if case.outcome is not Outcome.PUBLISHED]
        touched = [
            replace(case.last, watermark=self._watermark(case.sight))
            for case in settled
            if case.last is not None and case.outcome is Outcome.UNCHANGED
        ]
        if touched:
            publish(self.engine, touched)
        yield from (case.refreshed(project) for case in settled)
        sights = {case.day: case.sight for case in assessed}
        changed = [case.day for case in assessed if case.outcome is Outcome.PUBLISHED]
        for span in _spans(changed, today(project.timezone, assessed[0].sight.seen_at)):
            self._publish(project, span, sights, self.catalog.only(project.packs), started)
            yield from (Refreshed(project.name, day, Outcome.PUBLISHED) for day in span)

    def due(self, project: Project, days: Sequence[date]) -> list[date]:
        """Those of some days whose published numbers are not what a refresh would publish."""
        return [case.day for case in self._assess(project, days, False) if case.outcome is Outcome.PUBLISHED]

    def _assess(self, project: Project, days: Sequence[date], force: bool) -> list["_Case"]:
        """What is to be done with each day."""
        if not days:
            return []
        catalog = self.catalog.only(project.packs)
        runs = {run.day: run for run in published(self.engine, project.id, min(days), max(days))}
        marks = marked(self.engine, project.id)
        sights = self.workers.map(lambda day: look(self.engine, project.id, day, project.timezone), days)
        cases = []
        for day, sight in zip(days, sights, strict=True):
            last = runs.get(day)
            forced = force or _marked(last, marks.get(day))
            cases.append(_Case(day, last, sight, _outcome(project, last, sight, catalog, forced, day)))
        return cases

    def _watermark(self, sight: Sight) -> datetime:
        return sight.seen_at - timedelta(seconds=self.settle)

    def _publish(
        self, project: Project, span: Sequence[date], sights: dict[date, Sight], catalog: Catalog, started: float
    ) -> None:
        """Computes consecutive days and publishes them together."""
        seen_at = sights[span[0]].seen_at
        first_run = new_run_id(seen_at)
        open_day = span[0] >= today(project.timezone, seen_at)
        shelf = open_shelf(seen_at) if open_day else 0
        self._write(Scope(project.id, span[0], span[-1], project.timezone), first_run, shelf, catalog)
        seconds = (time.monotonic() - started) / len(span)
        runs = [
            Run(
                project.id, day, first_run + place, shelf or month_shelf(day), self._watermark(sights[day]),
                sights[day].events, sights[day].fingerprint, sights[day].expires_from, project.timezone,
                catalog.digest, seconds,
            )
            for place, day in enumerate(span)
        ]  # fmt: skip
        publish(self.engine, runs)

    def _write(self, scope: Scope, run: int, shelf: int, catalog: Catalog) -> None:
        """All rows of the runs, none of them visible yet; what doesn't need each other is written side by side."""
        params = {**scope.params(), "run": run, "shelf": shelf}
        moved = [today(scope.timezone, utc(row[0])) for row in self.engine.query(sql.moved_firsts(), params)]
        if moved:
            mark(self.engine, scope.project, moved, "an actor was first seen earlier")
        self.engine.command(sql.new_actors(), params)
        from_events, from_sessions = sql.rollups(catalog)
        writing = [self.workers.submit(self.engine.command, statement, params) for statement in from_events]
        self.engine.command(sql.sessions(several=len(scope.days) > 1), params)
        writing += [self.workers.submit(self.engine.command, statement, params) for statement in from_sessions]
        for written in writing:
            written.result()


def _in_parts(days: Sequence[date]) -> Iterator[Sequence[date]]:
    for first in range(0, len(days), _TOGETHER):
        yield days[first : first + _TOGETHER]


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


def _outcome(
    project: Project, last: Run | None, sight: Sight, catalog: Catalog, force: bool, day: date
) -> Outcome:
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
