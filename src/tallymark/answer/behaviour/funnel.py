"""Funnels: how many actors take each step, how long that takes them, and who does not go on."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tallymark.answer.behaviour.funnel_sql import (
    entered,
    entering,
    exposed_units,
    funnel_params,
    step_events,
    taken,
    units_of_several,
    walked,
)
from tallymark.answer.cells import dimension_condition
from tallymark.engine.base import Engine, Params
from tallymark.engine.expression import text_of
from tallymark.errors import BadQuery
from tallymark.spec.behaviour import FunnelQuery
from tallymark.spec.catalog import Catalog
from tallymark.spec.measure import Rows
from tallymark.spec.metric import OTHER
from tallymark.spec.project import Project

_DIGITS = 6


@dataclass(frozen=True)
class Taking:
    """How long something took those who did it, in seconds: the middle one, and what nine of ten kept below."""

    median: float | None
    p90: float | None


@dataclass(frozen=True)
class Reached:
    """How many actors reached each step; `taking[i]` is from step i to the next one, the last from first to last."""

    key: str
    actors: tuple[int, ...]
    taking: tuple[Taking, ...]


@dataclass(frozen=True)
class FunnelAnswer:
    """Everybody, and the groups that were asked for, largest first; `of_several`: units left out of all groups."""

    overall: Reached
    groups: tuple[Reached, ...]
    of_several: int | None = None


def answer_funnel(engine: Engine, query: FunnelQuery, project: Project, catalog: Catalog) -> FunnelAnswer:
    """The answer from raw events; `catalog` is that of the project's packs. Errors: `BadQuery`."""
    params = {**funnel_params(project.id, query.window, query.funnel.within), "limit": query.limit}
    grouped = query.by is not None or query.experiment is not None
    rows = engine.query(_counted(query, catalog, grouped), params)
    overall = next(_reached(row, len(query.funnel.steps)) for row in rows if row[0] == 1)
    groups = [_reached(row, len(query.funnel.steps)) for row in rows if row[0] == 0] if grouped else []
    groups.sort(key=lambda group: (group.key == OTHER, -group.actors[0], group.key))
    return FunnelAnswer(overall, tuple(groups), _of_several(engine, query, params))


def actors_who_left(
    engine: Engine, query: FunnelQuery, project: Project, catalog: Catalog, step: int, after: str
) -> list[str]:
    """Hashes of actors who reached the step before this one (counted from 0), and not this one, in order.

    At most `limit` of those above `after`. Errors: `BadQuery`.
    """
    params = {**funnel_params(project.id, query.window, query.funnel.within), "limit": query.limit, "after": after}
    hashed = "leftPad(lower(hex(actor)), 16, '0')"
    gone = f"SELECT {hashed} AS hash FROM {_walked(query, catalog, 'actor')} WHERE n{step - 1} > 0 AND n{step} = 0"
    rows = engine.query(
        f"SELECT hash FROM ({gone}) WHERE hash > {{after:String}} ORDER BY hash LIMIT {{limit:UInt32}}", params
    )
    return [row[0] for row in rows]


def _walked(query: FunnelQuery, catalog: Catalog, *kept: str) -> str:
    """The places of every actor who enters."""
    steps = len(query.funnel.steps)
    for clause in query.filter.clauses:
        _known(catalog, clause.dimension, "filter")
    filter = dimension_condition(query.filter, catalog.dimensions, Rows.EVENTS)
    exposed = "" if query.experiment is None else exposed_units(query.experiment)
    key = "variant" if exposed else _key(query, catalog)
    entries = entered(step_events(query.funnel, key, exposed), entering(filter), steps)
    return walked(entries, steps, query.funnel.within, kept)


def _key(query: FunnelQuery, catalog: Catalog) -> str:
    if query.by is None:
        return "''"
    _known(catalog, query.by, "by")
    field = catalog.dimensions[query.by].events
    return "''" if field is None else text_of(field)


def _known(catalog: Catalog, name: str, field: str) -> None:
    """Raises `BadQuery` for a dimension that events don't have."""
    allowed = sorted(dimension.name for dimension in catalog.dimensions_on(Rows.EVENTS))
    if name not in allowed:
        raise BadQuery(f"Events have no dimension {name[:80]!r}.", field=field, allowed=allowed)


def _counted(query: FunnelQuery, catalog: Catalog, grouped: bool) -> str:
    """Rows `(total?, key, actors by step…, quantiles by stretch…)`: the total, and the largest keys."""
    steps = len(query.funnel.steps)
    counts = [f"countIf(n{i} > 0) AS c{i}" for i in range(steps)]
    stretches = [(i, i - 1) for i in range(1, steps)] + [(steps - 1, 0)]
    times = [
        f"quantilesExactInclusiveStateIf(0.5, 0.9)({taken(f'n{i}', f'n{j}')}, n{i} > 0) AS q{place}"
        for place, (i, j) in enumerate(stretches)
    ]
    by_key = f"SELECT key, {', '.join(counts + times)} FROM {_walked(query, catalog, 'key')} GROUP BY key"
    ranked = f"SELECT *, row_number() OVER (ORDER BY c0 DESC, key) AS rank FROM ({by_key})"
    shown = f"if(rank <= {{limit:UInt32}}, key, '{OTHER}')" if grouped else "''"
    merged = [f"sum(c{i})" for i in range(steps)]
    merged += [f"quantilesExactInclusiveMerge(0.5, 0.9)(q{place})" for place in range(len(stretches))]
    return (
        f"SELECT grouping(shown) AS level, shown, {', '.join(merged)} "
        f"FROM (SELECT {shown} AS shown, * FROM ({ranked})) GROUP BY GROUPING SETS ((), (shown))"
    )


def _reached(row: Sequence[Any], steps: int) -> Reached:
    _, key, *numbers = row
    return Reached(key, tuple(numbers[:steps]), tuple(Taking(*map(_seconds, pair)) for pair in numbers[steps:]))


def _seconds(milliseconds: float) -> float | None:
    return None if math.isnan(milliseconds) else round(milliseconds / 1000, _DIGITS)


def _of_several(engine: Engine, query: FunnelQuery, params: Params) -> int | None:
    if query.experiment is None:
        return None
    ((count,),) = engine.query(units_of_several(query.experiment), params)
    return int(count)
