"""Retention: who of those that began in a period comes back in later ones."""

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tallymark.answer.behaviour.activity import Activity, Reading, check_dimensions, period_params, reading
from tallymark.answer.behaviour.retention_sql import (
    bitmap_cohorts,
    bitmap_returns,
    bitmap_sizes,
    largest,
    raw_cohorts,
    raw_returns,
    raw_sizes,
    shown,
)
from tallymark.answer.run import Answerer, Runs, near
from tallymark.engine.base import Params
from tallymark.engine.source import milliseconds
from tallymark.spec.behaviour import RetentionQuery
from tallymark.spec.catalog import Catalog
from tallymark.spec.periods import Periods, periods_of
from tallymark.spec.project import Project


@dataclass
class Cohorts:
    """The cohorts of a key: how many began in each period, by its place, and how many of them came in which."""

    key: str
    sizes: dict[int, int] = field(default_factory=dict)
    returned: dict[tuple[int, int], int] = field(default_factory=dict)


@dataclass(frozen=True)
class RetentionAnswer:
    """The cohorts of every key that is shown, largest first; without `by` those of everybody, under ''."""

    periods: Periods
    groups: tuple[Cohorts, ...]
    keys: int
    reading: Reading


def answer_retention(
    answerer: Answerer, query: RetentionQuery, project: Project, runs: Runs, now: datetime
) -> RetentionAnswer:
    """The answer, from rollups where they can tell. Errors: `BadQuery`."""
    catalog = answerer.catalog.only(project.packs)
    check_dimensions(catalog, query.filter, query.by)
    periods = _looked_at(query, now)
    params = _params(query, project, periods, runs)
    asked = _Asked(query, catalog, Activity(query.returning))
    read = asked.reading(answerer, project, params)
    sizes, returns = asked.statements(read)
    keys, count = [""], 1
    if query.by is not None:
        rows = answerer.engine.query(largest(sizes), params)
        keys, count = [row[0] for row in rows], rows[0][2] if rows else 0
    groups = _counted(answerer, answerer.workers, [shown(sizes), returns], {**params, "keys": keys}, keys)
    return RetentionAnswer(periods, groups, count, read)


@dataclass(frozen=True)
class _Asked:
    query: RetentionQuery
    catalog: Catalog
    returning: Activity

    def reading(self, answerer: Answerer, project: Project, params: Params) -> Reading:
        """Where it is read from."""
        query, begins = self.query, Activity(self.query.cohort, self.query.filter)
        dims = begins.dims | ({query.by} if query.by else set())
        narrowed = query.cohort is not None and (query.by is not None or bool(query.filter.groups))
        several = "rollups hold one dimension at a time" if len(dims) > 1 or narrowed else ""
        whys = [begins.why_raw, several, self.returning.why_raw]
        return reading(answerer.engine, project, query.window, params, dims | self.returning.dims, whys, query.exact)

    def statements(self, read: Reading) -> tuple[str, str]:
        """What gives the sizes of cohorts, and who came back."""
        if read.rolled_up:
            cohorts = bitmap_cohorts(self.query)
            return bitmap_sizes(cohorts), bitmap_returns(cohorts, self.returning)
        cohorts = raw_cohorts(self.query, self.catalog)
        return raw_sizes(cohorts), raw_returns(cohorts, self.returning, self.catalog)


def _looked_at(query: RetentionQuery, now: datetime) -> Periods:
    """The cohorts' periods and those after them that have begun."""
    every = periods_of(query.window, after=query.periods)
    begun = [i for i in range(len(every.firsts)) if i < _cohorts(query) or _begun(every, i, now)]
    firsts = every.firsts[: len(begun)]
    beyond = every.firsts[len(begun)] if len(begun) < len(every.firsts) else every.beyond
    return Periods(firsts, beyond, every.timezone)


def _begun(periods: Periods, place: int, now: datetime) -> bool:
    return periods.starts[place] <= now.timestamp()


def _cohorts(query: RetentionQuery) -> int:
    return len(periods_of(query.window).firsts)


def _params(query: RetentionQuery, project: Project, periods: Periods, runs: Runs) -> Params:
    ids = [*near(runs, periods.window, timedelta(0)).values()]
    return {
        **period_params(project, periods, ids), "day_starts": periods.day_starts,
        "begun": milliseconds(query.window.end), "cohorts": _cohorts(query), "periods": query.periods,
        "limit": query.limit,
    }  # fmt: skip


def _counted(
    answerer: Answerer, workers: Executor, statements: Sequence[str], params: Params, keys: Sequence[str]
) -> tuple[Cohorts, ...]:
    """The cohorts of these keys."""
    sizes, returns = workers.map(lambda sql: answerer.engine.query(sql, params), statements)
    groups = {key: Cohorts(key) for key in keys}
    for place, key, size in sizes:
        groups[key].sizes[place - 1] = size
    for cohort, key, active, n in returns:
        groups[key].returned[cohort - 1, active - cohort] = n
    return tuple(groups.values())
