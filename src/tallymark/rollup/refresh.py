"""Refreshing a day: from raw events to a published run, in named steps.

Nothing a reader can see changes before the last step. A refresh of unchanged events publishes nothing new.
The caller holds the project's lease: ordinals are dense because one refresh at a time gives them.
"""

import time
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

from tallymark.engine.base import Engine
from tallymark.errors import DaySealed
from tallymark.rollup import sql
from tallymark.rollup.run import Run, new_run_id, publish, published, shelf_of
from tallymark.rollup.scope import Scope, Sight, look
from tallymark.rollup.stale import mark
from tallymark.spec.catalog import Catalog
from tallymark.spec.project import Project
from tallymark.spec.window import today


class Outcome(StrEnum):
    """What a refresh did."""

    PUBLISHED = "published"
    UNCHANGED = "unchanged"
    EMPTY = "empty"


@dataclass(frozen=True)
class Refresher:
    """Refreshes days of projects. `settle` is how long an inserted batch may stay invisible, in seconds."""

    engine: Engine
    catalog: Catalog
    settle: int
    workers: Executor = field(default_factory=lambda: ThreadPoolExecutor(1, "refresh"))

    def refresh(self, project: Project, day: date, force: bool = False) -> Outcome:
        """Publishes the day's numbers if its events, its definition or (`force`) the caller ask for it.

        Errors: `DaySealed` where raw events of the published run have expired.
        """
        started = time.monotonic()
        scope = Scope(project.id, day, project.timezone)
        catalog = self.catalog.only(project.packs)
        sight = look(self.engine, scope)
        last = next(iter(published(self.engine, project.id, day)), None)
        self._check_sealed(project, last, sight)
        if last is None and sight.events == 0:
            return Outcome.EMPTY
        open_day = day >= today(project.timezone, sight.seen_at)
        if last is not None and not force and _same(last, sight, catalog, project) and last.provisional == open_day:
            self._publish(last, sight, started, last.seconds)
            return Outcome.UNCHANGED
        run = Run(
            project.id, day, new_run_id(sight.seen_at), shelf_of(day, open_day, sight.seen_at), sight.seen_at,
            sight.events, sight.fingerprint, sight.expires_from, project.timezone, catalog.digest, 0.0,
        )  # fmt: skip
        self._write(scope, run, catalog)
        self._publish(run, sight, started)
        return Outcome.PUBLISHED

    def _check_sealed(self, project: Project, last: Run | None, sight: Sight) -> None:
        if last is not None and last.sealed(sight.seen_at):
            raise DaySealed(
                f"{last.day} of {project.name} is sealed: its raw events have been expiring since "
                f"{last.expires_from:%Y-%m-%d %H:%M} UTC, so its numbers stay as published."
            )

    def _write(self, scope: Scope, run: Run, catalog: Catalog) -> None:
        """All rows of the run, none of them visible yet."""
        params = {**scope.params(), "run": run.run, "shelf": run.shelf}
        moved = [_day(row[0], scope.timezone) for row in self.engine.query(sql.moved_firsts(), params)]
        if moved:
            mark(self.engine, scope.project, moved, "an actor was first seen earlier")
        self.engine.command(sql.new_actors(), params)
        events, sessions = sql.rollups(catalog)
        of_events = [self.workers.submit(self.engine.command, statement, params) for statement in events]
        self.engine.command(sql.sessions(), params)
        for statement in sessions:
            self.engine.command(statement, params)
        for written in of_events:
            written.result()

    def _publish(self, run: Run, sight: Sight, started: float, seconds: float | None = None) -> None:
        took = time.monotonic() - started if seconds is None else seconds
        watermark = sight.seen_at - timedelta(seconds=self.settle)
        publish(self.engine, replace(run, watermark=watermark, seconds=took))


def _same(last: Run, sight: Sight, catalog: Catalog, project: Project) -> bool:
    return (
        last.events == sight.events
        and last.fingerprint == sight.fingerprint
        and last.digest == catalog.digest
        and last.timezone == project.timezone
    )


def _day(moment: datetime, timezone: str) -> date:
    instant = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return today(timezone, instant)
