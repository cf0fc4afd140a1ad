"""Stickiness: on how many days of a week or month actors are active, and how a day's actors compare with a month's."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from tallymark.answer.behaviour.activity import (
    PLACE_OF_DAY,
    Activity,
    Reading,
    check_dimensions,
    day_of,
    period_params,
    place_of,
    published,
    reading,
)
from tallymark.answer.run import Answerer, Runs, near
from tallymark.engine.base import Params
from tallymark.spec.behaviour import ActivityQuery
from tallymark.spec.catalog import Catalog
from tallymark.spec.periods import Periods, periods_of
from tallymark.spec.project import Project
from tallymark.spec.window import Grain, Window

#: Days that the actors of a week and of a month are counted over, up to a day.
WEEK: Final = 7
MONTH: Final = 30


@dataclass(frozen=True)
class Recent:
    """The actors of a day, and of the 7 and the 30 days up to it."""

    day: date
    daily: int
    weekly: int
    monthly: int


@dataclass(frozen=True)
class StickinessAnswer:
    """For each period, how many actors were active on how many days."""

    periods: Periods
    days: tuple[Mapping[int, int], ...]
    recent: Recent
    reading: Reading


@dataclass(frozen=True)
class _Asked:
    """A question with what its statements need."""

    answerer: Answerer
    project: Project
    runs: Runs
    activity: Activity
    catalog: Catalog

    def params(self, periods: Periods) -> Params:
        """The parameters of statements over periods."""
        ids = [*near(self.runs, periods.window, timedelta(0)).values()]
        return {**period_params(self.project, periods, ids), "day_starts": periods.day_starts}

    def histograms(self, periods: Periods, read: Reading) -> dict[int, dict[int, int]]:
        """By place, the number of actors by the number of days."""
        days = _days_of_bitmaps(self.activity) if read.rolled_up else _days_of_events(self.activity, self.catalog)
        per_actor = f"SELECT place, who, count() AS days FROM ({days}) GROUP BY place, who"
        found: dict[int, dict[int, int]] = {}
        for place, number, actors in self.answerer.engine.query(
            f"SELECT place, days, count() FROM ({per_actor}) GROUP BY place, days ORDER BY days", self.params(periods)
        ):
            found.setdefault(place - 1, {})[number] = actors
        return found

    def recent(self, day: date, timezone: str, read: Reading) -> Recent:
        """The actors up to a day."""
        first = max(day - timedelta(days=MONTH - 1), date(1970, 1, 1))
        periods = periods_of(Window(first, day, timezone, Grain.DAY))
        last = len(periods.firsts)
        counted = [f"place > {max(last - days, 0)}" for days in (1, WEEK, MONTH)]
        if read.rolled_up:
            numbers = ", ".join(f"groupBitmapMergeIf(actors, {condition})" for condition in counted)
            source = published(self.activity.rolled_up())
        else:
            numbers = ", ".join(f"uniqExactIf(actor, {condition})" for condition in counted)
            source = f"(SELECT actor, {place_of('occurred_at')} AS place FROM {self.activity.events(self.catalog)})"
        (row,) = self.answerer.engine.query(f"SELECT {numbers} FROM {source}", self.params(periods))
        return Recent(day, *row)


def answer_stickiness(
    answerer: Answerer, query: ActivityQuery, project: Project, runs: Runs, last_day: date
) -> StickinessAnswer:
    """The answer, from rollups where they can tell; `last_day` is the one that a month's actors are counted up to.

    Errors: `BadQuery`.
    """
    catalog, periods = answerer.catalog.only(project.packs), periods_of(query.window)
    check_dimensions(catalog, query.filter)
    activity = Activity(query.event, query.filter)
    asked = _Asked(answerer, project, runs, activity, catalog)
    read = reading(
        answerer.engine, project, query.window, asked.params(periods), activity.dims, [activity.why_raw], query.exact
    )
    found = asked.histograms(periods, read)
    days = tuple(found.get(place, {}) for place in range(len(periods.firsts)))
    return StickinessAnswer(periods, days, asked.recent(last_day, query.window.timezone, read), read)


def _days_of_bitmaps(activity: Activity) -> str:
    """Rows `(place, who)`, one for each day that an actor is active on."""
    by_day = f"SELECT day, groupBitmapMergeState(actors) AS acting FROM {published(activity.rolled_up())} GROUP BY day"
    return f"SELECT {PLACE_OF_DAY} AS place, arrayJoin(bitmapToArray(acting)) AS who FROM ({by_day})"


def _days_of_events(activity: Activity, catalog: Catalog) -> str:
    """The same out of raw events."""
    day, place = day_of("occurred_at"), place_of("occurred_at")
    return f"SELECT DISTINCT {place} AS place, actor AS who, {day} AS day FROM {activity.events(catalog)}"
