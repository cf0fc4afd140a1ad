"""The statements of a refresh: from a day's events to rows of `actors`, `sessions` and `rollups`."""

from collections.abc import Sequence

from tallymark.engine.aggregate import NO_DIST, NO_SQUARES, NO_TOTAL, STATE_COLUMNS, aggregates
from tallymark.engine.expression import literal, text_of
from tallymark.engine.source import SILENCE_MS, SILENCE_WITH_ID_MS, events_between, instant, with_ordinals
from tallymark.rollup.scope import session_events
from tallymark.spec.catalog import Catalog, rolled_up
from tallymark.spec.measure import FIRSTS, Measure, Rows
from tallymark.spec.metric import Dimension

#: Keys of a dimension kept for a day; the rest is added up under `OTHER`.
KEPT_KEYS = 1_000
OTHER = "(other)"

#: Events that are views: what a session counts as pages.
VIEW_EVENTS = ("page_view", "screen_view")

_SESSION_DIMENSIONS = ("host", "referrer_host", "source", "channel", "medium", "campaign", "country", "device",
                       "browser", "os")  # fmt: skip

_HEAD = "{project:UInt32}, {day:Date}, {run:UInt64}, {shelf:UInt32}"


def new_actors() -> str:
    """Actors met for the first time, earlier than known, or on a later day than known.

    New ones get the next ordinals, in order of their first event. Bots are no actors.
    """
    return (
        "INSERT INTO actors (project, actor, ordinal, first_seen, last_seen) "
        "SELECT {project:UInt32}, d.actor, "
        "if(k.ordinal > 0, k.ordinal, toUInt32(top + row_number() OVER (PARTITION BY k.ordinal > 0 "
        "ORDER BY d.first, d.actor))), d.first, d.last "
        f"FROM {_day_actors()} AS d ANY LEFT JOIN {_known_actors()} AS k USING (actor) "
        "CROSS JOIN (SELECT max(ordinal) AS top FROM actors WHERE project = {project:UInt32}) AS t "
        "WHERE k.ordinal = 0 OR d.first < k.first OR toDate(d.last) > toDate(k.last)"
    )


def moved_firsts() -> str:
    """The instants at which actors of the day were thought to have begun, where the day shows an earlier one."""
    return (
        f"SELECT DISTINCT toStartOfFifteenMinutes(k.first) FROM {_day_actors()} AS d "
        f"ANY INNER JOIN {_known_actors()} AS k USING (actor) WHERE d.first < k.first AND k.first >= {instant('end')}"
    )


def _day_actors() -> str:
    return (
        f"(SELECT actor, min(occurred_at) AS first, max(occurred_at) AS last FROM {events_between()} "
        "WHERE actor != 0 AND bot = '' GROUP BY actor)"
    )


def _known_actors() -> str:
    return (
        "(SELECT actor, min(ordinal) AS ordinal, min(first_seen) AS first, max(last_seen) AS last FROM actors "
        "WHERE project = {project:UInt32} GROUP BY actor)"
    )


def sessions() -> str:
    """The sessions that begin on the day, cut at silence; each has its first event's dimensions."""
    order = "occurred_at, event_id, event"
    view = f"event IN ({', '.join(map(literal, VIEW_EVENTS))})"
    dims = ", ".join(_SESSION_DIMENSIONS)
    begins = (
        f"SELECT *, toUnixTimestamp64Milli(occurred_at) AS at, "
        f"at - lagInFrame(at, 1, at) OVER (PARTITION BY actor, session ORDER BY {order} "
        "ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS gap, "
        f"gap > if(session = 0, {SILENCE_MS}, {SILENCE_WITH_ID_MS}) AS begins FROM {session_events()}"
    )
    visits = (
        f"SELECT *, sum(begins) OVER (PARTITION BY actor, session ORDER BY {order} "
        f"ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS visit FROM ({begins})"
    )
    grouped = (
        f"SELECT actor, session, min(occurred_at) AS started_at, (max(at) - min(at)) / 1000 AS duration, "
        f"count() AS events, countIf({view}) AS views, argMinIf(path, ({order}), {view}) AS entry_path, "
        f"argMaxIf(path, ({order}), {view}) AS exit_path, argMin(({dims}), ({order})) AS first "
        f"FROM ({visits}) GROUP BY actor, session, visit HAVING started_at >= {instant('start')} "
        f"AND started_at < {instant('end')}"
    )
    firsts = ", ".join(f"first.{i}" for i in range(1, len(_SESSION_DIMENSIONS) + 1))
    return (
        "INSERT INTO sessions (project, day, run, shelf, actor, session, started_at, duration, events, views, bounced, "
        f"entry_path, exit_path, {dims}) SELECT {_HEAD}, actor, session, started_at, duration, events, views, "
        f"events = 1, entry_path, exit_path, {firsts} FROM ({grouped})"
    )


def rollups(catalog: Catalog) -> list[str]:
    """The statements that fill a run's rows of `rollups`; they read the actors and sessions written before."""
    of_run = "(SELECT * FROM sessions WHERE project = {project:UInt32} AND day = {day:Date} AND run = {run:UInt64})"
    return [
        *_broken_down(catalog, Rows.EVENTS, with_ordinals(events_between())),
        *_broken_down(catalog, Rows.SESSIONS, with_ordinals(of_run)),
        *_totals_only(catalog, Rows.EVENTS, with_ordinals(events_between())),
        *_totals_only(catalog, Rows.SESSIONS, with_ordinals(of_run)),
        _firsts(),
    ]


def _broken_down(catalog: Catalog, rows: Rows, source: str) -> list[str]:
    """One scan for the total and every dimension of all measures that have them."""
    dimensions = catalog.dimensions_on(rows)
    measures = [m for m in catalog.measures_on(rows) if all(rolled_up(m, d) for d in dimensions)]
    if not measures:
        return []
    states = [aggregates(measure).columns() for measure in measures]
    columns = ", ".join(
        f"{sql} AS {name}{i}" for i, state in enumerate(states) for name, sql in zip(STATE_COLUMNS, state, strict=True)
    )
    fields = ", ".join(f"{text_of(d.on(rows))} AS d{i}" for i, d in enumerate(dimensions))  # type: ignore[arg-type]
    names = [f"d{i}" for i in range(len(dimensions))]
    sets = ", ".join(["()", *(f"({name})" for name in names)])
    grouped = (
        f"SELECT grouping({', '.join(names)}) AS g, {', '.join(names)}, count() AS size, {columns} "
        f"FROM (SELECT *, {fields} FROM {source}) GROUP BY GROUPING SETS ({sets})"
    )
    keyed = (
        f"SELECT {_dim_of(dimensions, names)}, size, {', '.join(_flat(len(states)))} FROM ({grouped}) WHERE size > 0"
    )
    return [_insert(measures, _capped(keyed, states))]


def _dim_of(dimensions: Sequence[Dimension], names: Sequence[str]) -> str:
    """The dimension's name and key of a row of grouping sets: the bit of the one that is grouped by is 0."""
    count = len(names)
    bits = [f"bitTest(g, {count - 1 - i}) = 0" for i in range(count)]
    dims = ", ".join(f"{bit}, {literal(d.name)}" for bit, d in zip(bits, dimensions, strict=True))
    keys = ", ".join(f"{bit}, {name}" for bit, name in zip(bits, names, strict=True))
    return f"multiIf({dims}, '') AS dim, multiIf({keys}, '') AS key"


def _flat(count: int) -> list[str]:
    return [f"{name}{i}" for i in range(count) for name in STATE_COLUMNS]


def _capped(keyed: str, states: Sequence[tuple[str, ...]]) -> str:
    """Those rows with all but the largest keys of a dimension added up under one."""
    merges = ("sum", "sum", "sum", "groupBitmapMergeState", "sumMap")
    ranked = f"SELECT *, row_number() OVER (PARTITION BY dim ORDER BY size DESC, key) AS rank FROM ({keyed})"
    columns = ", ".join(
        f"{merge}({name}{i}) AS {name}{i}"
        for i in range(len(states))
        for name, merge in zip(STATE_COLUMNS, merges, strict=True)
    )
    shown = f"if(rank <= {KEPT_KEYS}, r.key, {literal(OTHER)})"
    return f"SELECT dim, {shown} AS key, {columns} FROM ({ranked}) AS r GROUP BY dim, key"


def _insert(measures: Sequence[Measure], keyed: str) -> str:
    """Rows of `rollups` from rows with `dim`, `key` and five columns for each measure; empty ones are left out."""
    rows = ", ".join(
        f"({literal(measure.key)}, {', '.join(f'{name}{i}' for name in STATE_COLUMNS)})"
        for i, measure in enumerate(measures)
    )
    return (
        "INSERT INTO rollups (project, day, run, shelf, measure, dim, key, n, total, squares, actors, dist) "
        f"SELECT {_HEAD}, m.1, dim, key, m.2, m.3, m.4, m.5, m.6 FROM "
        f"(SELECT dim, key, [{rows}] AS ms FROM ({keyed})) ARRAY JOIN ms AS m WHERE m.2 > 0"
    )


def _totals_only(catalog: Catalog, rows: Rows, source: str) -> list[str]:
    """The distributions, whose states are kept for totals only."""
    dimensions = catalog.dimensions_on(rows)
    measures = [m for m in catalog.measures_on(rows) if not all(rolled_up(m, d) for d in dimensions)]
    if not measures:
        return []
    columns = ", ".join(
        f"{sql} AS {name}{i}"
        for i, measure in enumerate(measures)
        for name, sql in zip(STATE_COLUMNS, aggregates(measure).columns(), strict=True)
    )
    return [_insert(measures, f"SELECT '' AS dim, '' AS key, {columns} FROM {source}")]


def _firsts() -> str:
    """The actors whose first event ever falls on the day."""
    return (
        "INSERT INTO rollups (project, day, run, shelf, measure, dim, key, n, total, squares, actors, dist) "
        f"SELECT {_HEAD}, {literal(FIRSTS.key)}, '', '', count() AS n, {NO_TOTAL}, {NO_SQUARES}, "
        f"groupBitmapState(ordinal), {NO_DIST} FROM (SELECT actor, min(actors.ordinal) AS ordinal, "
        "min(first_seen) AS first FROM actors WHERE project = {project:UInt32} GROUP BY actor "
        f"HAVING first >= {instant('start')} AND first < {instant('end')}) HAVING n > 0"
    )


