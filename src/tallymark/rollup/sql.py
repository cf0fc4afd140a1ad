"""The statements of a refresh: from a day's events to rows of `actors`, `sessions` and `rollups`."""

from collections.abc import Sequence

from tallymark.engine.aggregate import NONE, STATE, Aggregation
from tallymark.engine.expression import condition_sql, literal, text_of
from tallymark.engine.source import instant, with_actors, with_experiments
from tallymark.rollup.scope import day_of, limit_of, seen_events, session_events
from tallymark.spec.catalog import Catalog
from tallymark.spec.condition import Any, Prop
from tallymark.spec.measure import AGE, FIRSTS, Measure, Rows
from tallymark.spec.metric import MOST_KEYS, OTHER, Dimension
from tallymark.spec.session import (
    CONVERSION,
    ENTRANCE,
    EXIT,
    QUIET_EVENTS,
    SILENCE_MS,
    SILENCE_WITH_ID_MS,
    VIEW_EVENTS,
)

_SESSION_DIMENSIONS = ("host", "referrer_host", "source", "channel", "medium", "campaign", "term", "content",
                       "country", "device", "browser", "os")  # fmt: skip

#: A day's run among those of the refreshed days: they are numbered on from the first.
_RUN = "{run:UInt64} + toUInt64(day - {first:Date})"

_HEAD = f"{{project:UInt32}}, day, {_RUN}, if({{shelf:UInt32}} = 0, toYYYYMM(day), {{shelf:UInt32}})"


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
    """When the actors that the days show to have begun earlier were thought to have begun."""
    return f"SELECT DISTINCT toStartOfFifteenMinutes(k.first) FROM {_moved()}"


def moved_ages(catalog: Catalog) -> str:
    """When, after the days, such actors did what their age is measured at; '' where nothing measures it."""
    measured = tuple(measure.where for measure in catalog.measures if measure.of == AGE)
    if not measured:
        return ""
    return (
        "SELECT DISTINCT toStartOfFifteenMinutes(occurred_at) FROM events WHERE project = {project:UInt32} "
        f"AND occurred_at >= {instant('end')} AND {condition_sql(Any(measured))} "
        f"AND actor IN (SELECT d.actor FROM {_moved()})"
    )


def _moved() -> str:
    """Actors of the days that are known, but as later ones."""
    return f"{_day_actors()} AS d ANY INNER JOIN {_known_actors()} AS k USING (actor) WHERE d.first < k.first"


def _day_actors() -> str:
    return (
        f"(SELECT actor, min(occurred_at) AS first, max(occurred_at) AS last FROM {seen_events()} "
        "WHERE actor != 0 AND bot = '' GROUP BY actor)"
    )


def _known_actors() -> str:
    return (
        "(SELECT actor, min(ordinal) AS ordinal, min(first_seen) AS first, max(last_seen) AS last FROM actors "
        "WHERE project = {project:UInt32} GROUP BY actor)"
    )


def sessions(several: bool) -> str:
    """Writes the sessions that begin on the days; `several` days, or one."""
    with_day = f"SELECT {day_of('started_at')} AS day, * FROM ({derived_sessions(several)})"
    return (
        "INSERT INTO sessions (project, day, run, shelf, actor, session, started_at, duration, events, views, "
        f"bounced, entrance, `exit`, converted, landed, entry_path, exit_path, {', '.join(_SESSION_DIMENSIONS)}) "
        f"SELECT {_HEAD}, * EXCEPT day FROM ({with_day})"
    )


def derived_sessions(several: bool) -> str:
    """The sessions that begin on the days, cut at silence; each has its first event's dimensions.

    A visitor's events become one sorted array, which is split where a gap is too long. A session ends with the day
    after its first at the latest: for one day no later event is read, of `several` days each session is cut.
    """
    hit = ", ".join([_hit(), *_SESSION_DIMENSIONS])
    hits = (
        f"SELECT actor, session, arraySort(groupArray(({hit}))) AS hits FROM {session_events()} GROUP BY actor, session"
    )
    too_long = f"(hit, gap) -> gap > if(session = 0, {SILENCE_MS}, {SILENCE_WITH_ID_MS})"
    split = f"arraySplit({too_long}, hits, arrayDifference(hits.1))"
    visits = f"SELECT actor, session, arrayJoin({split}) AS visit FROM ({hits})"
    cut = f"arrayFilter(hit -> hit.1 < {limit_of('visit[1].1')}, visit)" if several else "visit"
    begun = (
        f"SELECT actor, session, visit[1].1 AS began, {cut} AS hits FROM ({visits}) "
        "WHERE began >= {start:Int64} AND began < {end:Int64}"
    )
    pages = f"SELECT *, arraySplit({_VIEW}, hits) AS pages FROM ({begun})"
    firsts = ", ".join(f"hits[1].{i} AS {name}" for i, name in enumerate(_SESSION_DIMENSIONS, _HIT_FIELDS + 1))
    return (
        "SELECT actor, session, fromUnixTimestamp64Milli(began, 'UTC') AS started_at, "
        f"(hits[-1].1 - began) / 1000 AS duration, length(hits) AS events, arrayCount({_VIEW}, hits) AS views, "
        f"arrayCount(hit -> hit.3 != 2, hits) = 1 AS bounced, {_stated(5)} AS entrance, {_stated(6)} AS exit, "
        f"arrayExists(hit -> hit.7, hits) AS converted, {_LANDED} AS landed, "
        f"arrayFirst({_VIEW}, hits).4 AS entry_path, arrayLast({_VIEW}, hits).4 AS exit_path, {firsts} FROM ({pages})"
    )


#: What of an event a session is made of: time, identity, kind (1 a view, 2 quiet, 0 any other), path, whether an
#: entrance and whether an exit (1 yes, 0 no, 2 not said), whether a conversion.
_HIT_FIELDS = 7


def _hit() -> str:
    kind = f"multiIf(event IN ({_names(VIEW_EVENTS)}), 1, event IN ({_names(QUIET_EVENTS)}), 2, 0)"
    said = [
        f"multiIf(({text}) AS t{i} = 'true', 1, t{i} = 'false', 0, 2)"
        for i, text in enumerate(map(_flag, (ENTRANCE, EXIT)))
    ]
    return ", ".join(
        ["toUnixTimestamp64Milli(occurred_at)", "event_id", kind, "path", *said, f"{_flag(CONVERSION)} = 'true'"]
    )


def _flag(name: str) -> str:
    return text_of(Prop(name))


def _names(events: Sequence[str]) -> str:
    return ", ".join(map(literal, events))


_VIEW = "hit -> hit.3 = 1"


def _stated(field: int) -> str:
    """How many events the sender says are entrances or exits; one a session where nothing is said.

    What quiet events say doesn't count: a page that is hidden can't know whether another one of the site follows.
    """
    said = f"hit.3 != 2 AND hit.{field}"
    return f"if(arrayExists(hit -> {said} != 2, hits), arrayCount(hit -> {said} = 1, hits), 1)"


#: How many entrances convert before the next page.
_LANDED = (
    "if(arrayExists(hit -> hit.3 != 2 AND hit.5 != 2, hits), "
    "arrayCount(page -> page[1].5 = 1 AND arrayExists(hit -> hit.7, page), pages), "
    "arrayExists(hit -> hit.7, arrayFirst(page -> page[1].3 = 1, pages)))"
)


def rollups(catalog: Catalog, few: bool) -> tuple[list[str], list[str]]:
    """The statements that fill the runs' rows of `rollups`: from events, once actors are known, and from sessions.

    `few`: no day has more events than keys are kept, so that none can have more keys; that saves planning a third.
    """
    of_runs = (
        f"(SELECT * FROM sessions WHERE project = {{project:UInt32}} AND day IN {{days:Array(Date)}} AND run = {_RUN})"
    )
    with_day = f"(SELECT *, {day_of('occurred_at')} AS day FROM {with_actors(seen_events())})"
    of_events = [*_rollups_of(catalog, Rows.EVENTS, with_day, few), _firsts()]
    # one event makes a row for each experiment: there may be more keys than events
    of_events += _rollups_of(catalog, Rows.EXPOSED, with_experiments(with_day), few=False)
    return of_events, _rollups_of(catalog, Rows.SESSIONS, of_runs, few)


def _rollups_of(catalog: Catalog, rows: Rows, source: str, few: bool) -> list[str]:
    measures = catalog.measures_on(rows)
    broken_down = [measure for measure in measures if not measure.totals_only]
    totals_only = [measure for measure in measures if measure.totals_only]
    statements = []
    if broken_down:
        keyed = _broken_down(broken_down, catalog.rolled_up_on(rows), rows, source, few)
        statements.append(_insert(broken_down, keyed))
    if totals_only:
        statements.append(_insert(totals_only, _totals(totals_only, source)))
    return statements


def _broken_down(
    measures: Sequence[Measure], dimensions: Sequence[Dimension], rows: Rows, source: str, few: bool
) -> str:
    """One scan for the total and every dimension of the measures; all but the largest keys are added up."""
    aggregation = Aggregation.of(measures)
    fields = {f"d{i}": text_of(field) for i, d in enumerate(dimensions) if (field := d.on(rows)) is not None}
    inner = ", ".join([*(f"{sql} AS {name}" for name, sql in fields.items()), *aggregation.inner])
    sets = ", ".join(["(day)", *(f"(day, {name})" for name in fields)])
    grouped = (
        f"SELECT day, grouping({', '.join(fields)}) AS g, {', '.join(fields)}, count() AS size, {NONE}, "
        f"{', '.join(aggregation.outer)} FROM (SELECT *, {inner} FROM {source}) GROUP BY GROUPING SETS ({sets})"
    )
    keyed = f"SELECT *, {_dim_and_key(dimensions, list(fields))} FROM ({grouped}) WHERE size > 0"
    if few:
        return keyed
    ranked = f"SELECT *, row_number() OVER (PARTITION BY day, dim ORDER BY size DESC, key) AS rank FROM ({keyed})"
    shown = f"if(rank <= {_most_keys(dimensions)}, r.key, {literal(OTHER)})"
    merged = ", ".join([*aggregation.merges(), "groupBitmapMergeState(none) AS none"])
    return f"SELECT day, dim, {shown} AS key, {merged} FROM ({ranked}) AS r GROUP BY day, dim, key"


def _most_keys(dimensions: Sequence[Dimension]) -> str:
    """How many keys of a row's dimension are kept for a day."""
    others = [d for d in dimensions if d.most_keys != MOST_KEYS]
    cases = "".join(f"dim = {literal(d.name)}, {d.most_keys}, " for d in others)
    return f"multiIf({cases}{MOST_KEYS})" if cases else str(MOST_KEYS)


def _dim_and_key(dimensions: Sequence[Dimension], names: Sequence[str]) -> str:
    """The dimension's name and key of a row of grouping sets: the bit of the one that is grouped by is 0."""
    count = len(names)
    bits = [f"bitTest(g, {count - 1 - i}) = 0" for i in range(count)]
    dims = ", ".join(f"{bit}, {literal(d.name)}" for bit, d in zip(bits, dimensions, strict=True))
    keys = ", ".join(f"{bit}, {name}" for bit, name in zip(bits, names, strict=True))
    return f"multiIf({dims}, '') AS dim, multiIf({keys}, '') AS key"


def _totals(measures: Sequence[Measure], source: str) -> str:
    """The totals of measures that are kept for totals only."""
    aggregation = Aggregation.of(measures)
    return (
        f"SELECT day, '' AS dim, '' AS key, {NONE}, {', '.join(aggregation.outer)} "
        f"FROM (SELECT day, {', '.join(aggregation.inner)} FROM {source}) GROUP BY day"
    )


def _insert(measures: Sequence[Measure], keyed: str) -> str:
    """Rows of `rollups` from rows with `dim`, `key` and the measures' columns; empty ones are left out."""
    columns = Aggregation.of(measures).columns
    states = ", ".join(
        f"({literal(measure.key)}, {', '.join(state.values())})"
        for measure, state in zip(measures, columns, strict=True)
    )
    return (
        f"INSERT INTO rollups (project, day, run, shelf, measure, dim, key, {', '.join(STATE)}) "
        f"SELECT {_HEAD}, m.1, dim, key, m.2, m.3, m.4, m.5, m.6 FROM "
        f"(SELECT day, dim, key, [{states}] AS ms FROM ({keyed})) ARRAY JOIN ms AS m WHERE m.2 > 0"
    )


def _firsts() -> str:
    """The actors whose first event ever falls on the days."""
    known = (
        "SELECT actor, min(actors.ordinal) AS ordinal, min(first_seen) AS first FROM actors "
        "WHERE project = {project:UInt32} GROUP BY actor "
        f"HAVING first >= {instant('start')} AND first < {instant('end')}"
    )
    return (
        f"INSERT INTO rollups (project, day, run, shelf, measure, dim, key, {', '.join(STATE)}) "
        f"SELECT {_HEAD}, {literal(FIRSTS.key)}, '', '', count(), {STATE['total']}, {STATE['squares']}, "
        f"groupBitmapState(ordinal), {STATE['dist']} FROM (SELECT {day_of('first')} AS day, ordinal FROM ({known})) "
        "GROUP BY day"
    )
