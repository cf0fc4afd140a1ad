"""Funnels by day of entry: computed where their events changed, and kept when these are gone.

A day counts who entered on it, so its numbers change as long as a funnel may take after it, and whenever an event comes
late; by variant also when an exposure does. What a day is made of is known by the fingerprints of published runs.
Where raw events of these days have expired the numbers stay as they are, also for a funnel that is declared anew.
"""

import threading
import time
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from hashlib import blake2b
from itertools import accumulate, groupby

import structlog

from tallymark.answer.behaviour.daily_funnel import daily_funnel, daily_params
from tallymark.api.experiment_book import ExperimentBook
from tallymark.control.funnels import Funnels
from tallymark.engine.base import Engine
from tallymark.engine.refused import EngineRefused
from tallymark.engine.source import utc
from tallymark.rollup.funnel_days import FunnelDay, keep, kept
from tallymark.rollup.run import Run, published
from tallymark.spec.catalog import Catalog
from tallymark.spec.declared_funnels import declared
from tallymark.spec.experiment import Experiment
from tallymark.spec.funnel import Funnel
from tallymark.spec.project import Project
from tallymark.spec.window import midnight, today

_log = structlog.get_logger()

#: A reader waits for a refresh that takes less than this, in seconds; longer ones are left to the clock.
_SHORT = 5.0

_FIRST, _LAST = date(1970, 1, 1), date(2099, 12, 31)
_ONE = timedelta(days=1)

#: Days that one statement computes at most.
_TOGETHER = 31


@dataclass(frozen=True)
class _Inputs:
    """The published days of a project, oldest first, and its experiments; `now` is the engine's clock."""

    project: Project
    runs: Mapping[date, Run]
    experiments: Sequence[Experiment]
    now: datetime

    def running(self, day: date) -> list[str]:
        """The experiments that ran on a day."""
        start, end = (midnight(each, self.project.timezone) for each in (day, day + _ONE))
        return sorted(
            each.key
            for each in self.experiments
            if each.started_at is not None and each.started_at < end
            and (each.stopped_at is None or each.stopped_at >= start)
        )  # fmt: skip

    def whole(self, funnel: Funnel, day: date) -> bool:
        """Whether every raw event that a day is made of is still there."""
        reach = (self.runs[each] for each in self._ordered[self._place(day) : self._end(funnel, day)])
        return not any(run.sealed(self.now) for run in reach)

    def steady(self, funnel: Funnel, kept: FunnelDay, waiting: Collection[date]) -> bool:
        """Whether a day that is kept can be computed again, and is made of no day that waits for a refresh."""
        day, last, any_before = kept.day, self._last(funnel, kept.day), bool(self.running(kept.day))
        unsettled = any((any_before or day <= each) and each <= last for each in waiting)
        return not unsettled and self.whole(funnel, day) and kept.version == self.version(funnel, day)

    def version(self, funnel: Funnel, day: date) -> int:
        """A number that stands for what a day is made of: its events, and exposures of any day before."""
        running, end = self.running(day), self._end(funnel, day)
        events = self._since_ever[end] if running else self._told(self._place(day), end)
        return _hash(definition(funnel), self.project.timezone, running, events)

    def _last(self, funnel: Funnel, day: date) -> date:
        """The last day that an entry of a day may go on in."""
        zone = self.project.timezone
        return today(zone, midnight(day + _ONE, zone) + timedelta(seconds=funnel.within, milliseconds=-1))

    def _place(self, day: date) -> int:
        return bisect_left(self._ordered, day)

    def _end(self, funnel: Funnel, day: date) -> int:
        return bisect_right(self._ordered, self._last(funnel, day))

    @cached_property
    def _ordered(self) -> Sequence[date]:
        return list(self.runs)

    @cached_property
    def _since_ever(self) -> Sequence[int]:
        """What stands for the events of the first days, for each number of them."""
        return list(accumulate((self._told(i, i + 1) for i in range(len(self.runs))), _hash, initial=0))

    def _told(self, first: int, end: int) -> tuple[tuple[date, int, int], ...]:
        """What stands for the events of some of the days, by their places."""
        runs = (self.runs[day] for day in self._ordered[first:end])
        return tuple((run.day, run.fingerprint, run.events) for run in runs)


def _hash(*parts: object) -> int:
    return int.from_bytes(blake2b(repr(parts).encode(), digest_size=8).digest(), "big")


class FunnelRollups:
    """Computes days of funnels. May be called from any thread."""

    def __init__(self, engine: Engine, catalog: Catalog, funnels: Funnels, book: ExperimentBook) -> None:
        self._engine = engine
        self._catalog = catalog
        self._funnels = funnels
        self._book = book
        self._lock = threading.Lock()
        self._took: dict[int, float] = {}  # seconds for a day of a funnel, about

    def of_project(self, project: Project) -> dict[str, Funnel]:
        """The funnels of a project by name."""
        return declared(self._catalog.only(project.packs), self._funnels.of_project(project.id))

    def refresh(self, project: Project, first: date = _FIRST, last: date = _LAST) -> list[FunnelDay]:
        """Computes the days of a window whose events, experiments or funnels changed since; gives them.

        What is not rolled up yet is not seen: refresh the project's days before.
        """
        with self._lock:
            return self._refresh(project, list(self._due(project, first, last)))

    def freshen(self, project: Project) -> None:
        """Computes what changed for a reader, if that is known to be quick."""
        with self._lock:
            due = list(self._due(project, _FIRST, _LAST))
            if self._took.get(project.id, 0.0) * sum(len(asked.days) for _, asked in due) < _SHORT:
                self._refresh(project, due)

    def rehearse(
        self, project: Project, first: date, last: date, waiting: Collection[date] = ()
    ) -> tuple[int, list[tuple[FunnelDay, FunnelDay]]]:
        """Computes the days that are kept of a window again, and keeps nothing; gives how many, and what differs.

        Days are left out that are made of any that are `waiting` for a refresh.
        """
        inputs, pairs = self._inputs(project), list[tuple[FunnelDay, FunnelDay]]()
        with self._lock:
            old = {(each.funnel, each.day): each for each in kept(self._engine, project.id, first, last)}
            for funnel in self.of_project(project).values():
                mine = [each for each in old.values() if each.funnel == funnel.name]
                days = [each.day for each in mine if inputs.steady(funnel, each, waiting)]
                pairs += [(old[each.funnel, each.day], each) for each in self._days(funnel, _Asked(inputs, days))]
        return len(pairs), [(before, after) for before, after in pairs if before != after]

    def _refresh(self, project: Project, due: Sequence[tuple[Funnel, "_Asked"]]) -> list[FunnelDay]:
        started = time.monotonic()
        found = [each for funnel, asked in due for each in self._possible(funnel, asked)]
        if found:
            keep(self._engine, project.id, found)
            self._took[project.id] = (time.monotonic() - started) / len(found)
        return found

    def _due(self, project: Project, first: date, last: date) -> Iterator[tuple[Funnel, "_Asked"]]:
        """Each funnel with its days that are to be computed."""
        funnels = self.of_project(project)
        if not funnels:
            return
        inputs = self._inputs(project)
        known = {(each.funnel, each.day): each.version for each in kept(self._engine, project.id, first, last)}
        inside = [day for day in inputs.runs if first <= day <= last]
        for funnel in funnels.values():
            whole = [day for day in inside if inputs.whole(funnel, day)]
            due = [day for day in whole if known.get((funnel.name, day)) != inputs.version(funnel, day)]
            if due:
                yield funnel, _Asked(inputs, due)

    def _inputs(self, project: Project) -> _Inputs:
        ((now,),) = self._engine.query("SELECT now64(3, 'UTC')")
        runs = {run.day: run for run in published(self._engine, project.id)}
        return _Inputs(project, runs, list(self._book.of(project.id).values()), utc(now))

    def _possible(self, funnel: Funnel, asked: "_Asked") -> list[FunnelDay]:
        """Days of a funnel; none where the engine refuses what it asks for, which must not stop the others."""
        try:
            return self._days(funnel, asked)
        except EngineRefused as error:
            _log.error("funnel refused", project=asked.inputs.project.name, funnel=funnel.name, why=error.message)
            return []

    def _days(self, funnel: Funnel, asked: "_Asked") -> list[FunnelDay]:
        """Days of a funnel, computed from raw events."""
        project, counts = asked.inputs.project, {day: dict[str, tuple[int, ...]]() for day in asked.days}
        for days in _consecutive(asked.days):
            self._count(funnel, project, None, days[0], days[-1], counts)
        for day in asked.days:
            # day by day: who counts to a variant depends on what is known until the day's funnel ends
            for experiment in asked.inputs.running(day):
                self._count(funnel, project, experiment, day, day, counts)
        steps = tuple(step.name for step in funnel.steps)
        return [
            FunnelDay(funnel.name, day, definition(funnel), asked.inputs.version(funnel, day), steps, counts[day])
            for day in asked.days
        ]

    def _count(
        self,
        funnel: Funnel,
        project: Project,
        experiment: str | None,
        first: date,
        last: date,
        counts: Mapping[date, dict[str, tuple[int, ...]]],
    ) -> None:
        """Adds the counts of some days, of everybody or by the variants of an experiment."""
        params = daily_params(project, first, last, funnel.within)
        rows = self._engine.query(daily_funnel(funnel, experiment), params)
        for (day, variant), steps in groupby(rows, lambda row: (row[0], row[1])):
            key = "" if experiment is None else f"{experiment}/{variant}"
            counts[day][key] = tuple(actors for *_, actors in steps)


@dataclass(frozen=True)
class _Asked:
    """Days that are to be computed, in order."""

    inputs: _Inputs
    days: Sequence[date]


def definition(funnel: Funnel) -> str:
    """A text that stands for what a funnel counts."""
    return f"{_hash([(step.name, str(step.where)) for step in funnel.steps], funnel.within):016x}"


def _consecutive(days: Sequence[date]) -> Iterator[Sequence[date]]:
    """Runs of consecutive days, not too long."""
    span: list[date] = []
    for day in days:
        if span and (day - span[-1] != _ONE or len(span) == _TOGETHER):
            yield span
            span = []
        span.append(day)
    if span:
        yield span
