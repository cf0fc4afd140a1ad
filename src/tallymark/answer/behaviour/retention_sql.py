"""Retention as SQL: who begins in which period, and who of them is active in which later one.

A cohort is told in two ways. From rollups: a row per `place` of a period and `key` with `state`, the bitmap of those
who begin. From raw events: a row per actor with the `place` and the `keys`. Both take a key from the day on which an
actor begins: one who had several keys that day is in each of them.
"""

from tallymark.answer.behaviour.activity import (
    Activity,
    day_of,
    place_of,
    published,
    rolled_up_by,
    rolled_up_firsts,
)
from tallymark.answer.cells import dimension_condition
from tallymark.engine.expression import condition_sql, text_of
from tallymark.engine.source import instant
from tallymark.spec.behaviour import RetentionQuery
from tallymark.spec.catalog import Catalog
from tallymark.spec.measure import Rows

_COHORTS = "place <= {cohorts:UInt32}"
_MERGED = "groupBitmapMergeState(actors)"

#: How many periods after its own a cohort is looked at.
_IN_REACH = "a.place >= c.place AND a.place <= c.place + {periods:UInt32}"


def bitmap_cohorts(query: RetentionQuery) -> str:
    """The cohorts out of rollups."""
    if query.cohort is not None:
        return _first_in_window(Activity(query.cohort))
    dim = query.by or next(iter({clause.dimension for clause in query.filter.clauses}), "")
    firsts = published(rolled_up_firsts())
    if not dim:
        return f"(SELECT place, '' AS key, {_MERGED} AS state FROM {firsts} WHERE {_COHORTS} GROUP BY place)"
    key = "key" if query.by else "'' AS key"
    begun = f"SELECT day, place, {_MERGED} AS begun FROM {firsts} WHERE {_COHORTS} GROUP BY day, place"
    acting = (
        f"SELECT day, {key}, {_MERGED} AS acting FROM {published(rolled_up_by(dim, query.filter))} GROUP BY day, key"
    )
    return (
        f"(SELECT place, key, groupBitmapMergeState(both) AS state FROM (SELECT f.place AS place, a.key AS key, "
        f"bitmapAnd(f.begun, a.acting) AS both FROM ({begun}) AS f INNER JOIN ({acting}) AS a USING (day)) "
        "GROUP BY place, key HAVING bitmapCardinality(state) > 0)"
    )


def _first_in_window(activity: Activity) -> str:
    """Those whose first such event of the window is in the period."""
    by_place = (
        f"SELECT place, {_MERGED} AS acting FROM {published(activity.rolled_up())} WHERE {_COHORTS} GROUP BY place"
    )
    before = "groupBitmapMergeState(acting) OVER (ORDER BY place ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)"
    return (
        "(SELECT place, '' AS key, bitmapAndnot(acting, before) AS state "
        f"FROM (SELECT place, acting, {before} AS before FROM ({by_place})) WHERE bitmapCardinality(state) > 0)"
    )


def bitmap_sizes(cohorts: str) -> str:
    """Rows `(place, key, actors)`."""
    return f"SELECT place, key, bitmapCardinality(state) AS size FROM {cohorts}"


def bitmap_returns(cohorts: str, returning: Activity) -> str:
    """Rows `(place, key, place of the activity, actors)` of the keys that are shown."""
    active = f"SELECT place, {_MERGED} AS active FROM {published(returning.rolled_up())} GROUP BY place"
    return (
        "SELECT c.place, c.key, a.place, bitmapAndCardinality(c.state, a.active) AS n "
        f"FROM (SELECT * FROM {cohorts} WHERE {_SHOWN}) AS c CROSS JOIN ({active}) AS a WHERE {_IN_REACH}"
    )


_SHOWN = "key IN {keys:Array(String)}"


def raw_cohorts(query: RetentionQuery, catalog: Catalog) -> str:
    """The cohorts out of raw events, and when actors were first seen."""
    firsts = (
        f"SELECT actor, {place_of('first')} AS place, {day_of('first')} AS day FROM (SELECT actor, min(first_seen) "
        "AS first FROM actors WHERE project = {project:UInt32} GROUP BY actor "
        f"HAVING first >= {instant('start')} AND first < {instant('begun')})"
    )
    if query.cohort is None and query.by is None and not query.filter.groups:
        return f"(SELECT actor, place, [''] AS keys FROM ({firsts}))"
    events = _keyed(query, catalog)
    if query.cohort is None:
        return (
            f"(SELECT e.actor AS actor, any(f.place) AS place, groupUniqArrayIf(e.key, e.passes AND e.day = f.day) "
            f"AS keys FROM {events} AS e INNER JOIN ({firsts}) AS f USING (actor) GROUP BY actor HAVING notEmpty(keys))"
        )
    on_first = "arrayDistinct(arrayMap(seen -> seen.2, arrayFilter(seen -> seen.1 = began, had)))"
    return (
        f"(SELECT actor, place, {on_first} AS keys FROM (SELECT actor, min(day) AS began, min(period) AS place, "
        f"groupUniqArrayIf((day, key), passes) AS had FROM {events} GROUP BY actor) WHERE notEmpty(keys))"
    )


def _keyed(query: RetentionQuery, catalog: Catalog) -> str:
    """The events that actors may begin with, each with its `key`, and whether it `passes` the filter."""
    field = None if query.by is None else catalog.dimensions[query.by].events
    key = "''" if field is None else text_of(field)
    passes = condition_sql(dimension_condition(query.filter, catalog.dimensions, Rows.EVENTS))
    events = Activity(query.cohort).events(catalog, "start", "begun")
    at = f"{day_of('occurred_at')} AS day, {place_of('occurred_at')} AS period"
    return f"(SELECT actor, {at}, {key} AS key, {passes} AS passes FROM {events})"


def raw_sizes(cohorts: str) -> str:
    """As `bitmap_sizes`."""
    return f"SELECT place, key, count() AS size FROM {cohorts} ARRAY JOIN keys AS key GROUP BY place, key"


def raw_returns(cohorts: str, returning: Activity, catalog: Catalog) -> str:
    """As `bitmap_returns`."""
    active = f"SELECT DISTINCT actor, {place_of('occurred_at')} AS place FROM {returning.events(catalog)}"
    joined = (
        "SELECT c.place AS cohort, c.keys AS keys, a.place AS active "
        f"FROM ({active}) AS a INNER JOIN {cohorts} AS c USING (actor) WHERE {_IN_REACH}"
    )
    return (
        f"SELECT cohort, key, active, count() AS n FROM ({joined}) ARRAY JOIN keys AS key WHERE {_SHOWN} "
        "GROUP BY cohort, key, active"
    )


def largest(sizes: str) -> str:
    """The largest keys of all cohorts together, with how many keys there are."""
    return (
        f"SELECT key, sum(size) AS total, count() OVER () AS keys FROM ({sizes}) GROUP BY key "
        "ORDER BY total DESC, key LIMIT {limit:UInt32}"
    )


def shown(sizes: str) -> str:
    """The sizes of the keys that are shown."""
    return f"SELECT * FROM ({sizes}) WHERE {_SHOWN}"
