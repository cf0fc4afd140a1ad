"""Lifecycle: of each period's actors, who is new, who returned, who came back after a pause, and who stayed away."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from tallymark.answer.behaviour.activity import (
    Activity,
    Reading,
    check_dimensions,
    period_params,
    place_of,
    published,
    reading,
    rolled_up_firsts,
)
from tallymark.answer.run import Answerer, Runs, near
from tallymark.engine.aggregate import BITMAP
from tallymark.engine.base import Row
from tallymark.engine.source import instant
from tallymark.spec.behaviour import ActivityQuery
from tallymark.spec.catalog import Catalog
from tallymark.spec.periods import Periods, periods_of
from tallymark.spec.project import Project


@dataclass(frozen=True)
class Turnover:
    """The actors of a period. `dormant` ones were active in the period before, and are not in this one."""

    new: int = 0
    returning: int = 0
    resurrecting: int = 0
    dormant: int = 0


@dataclass(frozen=True)
class LifecycleAnswer:
    """Each period of the window with its actors."""

    periods: Periods
    turnover: tuple[Turnover, ...]
    reading: Reading


def answer_lifecycle(answerer: Answerer, query: ActivityQuery, project: Project, runs: Runs) -> LifecycleAnswer:
    """The answer, from rollups where they can tell. Errors: `BadQuery`."""
    catalog = answerer.catalog.only(project.packs)
    check_dimensions(catalog, query.filter)
    activity, asked = Activity(query.event, query.filter), periods_of(query.window)
    looked_at = periods_of(query.window, before=1)
    ids = [*near(runs, looked_at.window, timedelta(0)).values()]
    params = period_params(project, looked_at, ids)
    read = reading(answerer.engine, project, query.window, params, activity.dims, [activity.why_raw], query.exact)
    rows = answerer.engine.query(_bitmaps(activity) if read.rolled_up else _raw(activity, catalog), params)
    return LifecycleAnswer(asked, _turnover(rows, len(looked_at.firsts) - len(asked.firsts), len(asked.firsts)), read)


def _turnover(rows: Sequence[Row], before: int, count: int) -> tuple[Turnover, ...]:
    """Each period's; `before` is how many periods are looked at that are not asked for."""
    known = {place - 1 - before: Turnover(*numbers) for place, *numbers in rows}
    return tuple(known.get(place, Turnover()) for place in range(count))


def _bitmaps(activity: Activity) -> str:
    """Rows `(place, new, returning, resurrecting, dormant)` out of rollups: a day counts for the next period, too."""
    active, firsts = f"({activity.rolled_up()})", f"({rolled_up_firsts()})"
    sets = ", ".join(
        f"CAST(groupBitmapMergeStateIf(actors, {condition}), '{BITMAP}') AS {name}"
        for name, condition in (
            ("now", "acting AND place = at"),
            ("before", "acting AND place + 1 = at"),
            ("born", "beginning AND place = at"),
        )
    )
    rows = f"SELECT actors, place, {active} AS acting, {firsts} AS beginning FROM {published(f'{active} OR {firsts}')}"
    both = f"SELECT *, arrayJoin([place, place + 1]) AS at FROM ({rows})"
    return (
        "SELECT at, bitmapCardinality(fresh), bitmapAndCardinality(now, before), "
        "bitmapAndnotCardinality(bitmapAndnot(now, before), fresh), bitmapAndnotCardinality(before, now) "
        f"FROM (SELECT *, bitmapAnd(bitmapAndnot(now, before), born) AS fresh FROM (SELECT at, {sets} FROM ({both}) "
        "GROUP BY at))"
    )


def _raw(activity: Activity, catalog: Catalog) -> str:
    """The same out of raw events; who no refresh has met is new where these events begin."""
    places = f"groupUniqArray({place_of('occurred_at')}) AS places"
    active = f"SELECT actor, {places} FROM {activity.events(catalog)} GROUP BY actor"
    known = "SELECT actor, min(first_seen) AS first FROM actors WHERE project = {project:UInt32} GROUP BY actor"
    born = f"multiIf(k.actor = 0, arrayMin(a.places), k.first >= {instant('start')}, {place_of('k.first')}, 0)"
    rows = (
        f"SELECT a.places AS places, {born} AS born, "
        "arrayJoin(arrayDistinct(arrayConcat(a.places, arrayMap(place -> place + 1, a.places)))) AS at, "
        "has(places, at) AS now, has(places, at - 1) AS before "
        f"FROM ({active}) AS a ANY LEFT JOIN ({known}) AS k ON a.actor = k.actor"
    )
    return (
        "SELECT at, countIf(now AND NOT before AND born = at), countIf(now AND before), "
        f"countIf(now AND NOT before AND born != at), countIf(before AND NOT now) FROM ({rows}) GROUP BY at"
    )
