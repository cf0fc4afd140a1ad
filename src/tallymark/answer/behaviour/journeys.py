"""Journeys: the ways that actors take through their sessions, from raw events.

A session is what one actor does, under one session id if there is one, without a long silence: see `spec.session`.
"""

from dataclasses import dataclass

from tallymark.answer.behaviour.activity import Activity, check_dimensions
from tallymark.answer.cells import dimension_condition
from tallymark.answer.run import Answerer
from tallymark.engine.expression import array, condition_sql, literal
from tallymark.engine.source import span
from tallymark.spec.behaviour import JourneyQuery, Node
from tallymark.spec.catalog import Catalog
from tallymark.spec.condition import event
from tallymark.spec.measure import Rows
from tallymark.spec.project import Project
from tallymark.spec.session import PASSIVE_EVENTS, QUIET_EVENTS, SILENCE_MS, SILENCE_WITH_ID_MS, VIEW_EVENTS


@dataclass(frozen=True)
class Counted:
    """How many actors and how many of their sessions."""

    actors: int
    sessions: int


@dataclass(frozen=True)
class Path:
    """A way, and who took it."""

    nodes: tuple[str, ...]
    counted: Counted


@dataclass(frozen=True)
class Edge:
    """A step of the ways; `position` is the place of where it begins: from 1 on, or, where ways end alike, up to -1."""

    position: int
    source: str
    target: str
    counted: Counted


@dataclass(frozen=True)
class JourneyAnswer:
    """All ways together, the most taken ones, and the most taken steps of all."""

    overall: Counted
    paths: tuple[Path, ...]
    edges: tuple[Edge, ...]


def answer_journeys(answerer: Answerer, query: JourneyQuery, project: Project) -> JourneyAnswer:
    """The answer from raw events. Errors: `BadQuery`."""
    catalog = answerer.catalog.only(project.packs)
    check_dimensions(catalog, query.filter)
    window = query.window
    params = {**span(project.id, window.start, window.end), "most": query.limit * (query.depth - 1)}
    found: dict[int, list[tuple[int, tuple[str, ...], Counted]]] = {_ALL: [], _PATH: [], _EDGE: []}
    for kind, position, nodes, *numbers in answerer.engine.query(_counted(query, catalog), params):
        found[kind].append((position, tuple(nodes), Counted(*numbers)))
    return JourneyAnswer(
        found[_ALL][0][2] if found[_ALL] else Counted(0, 0),
        tuple(Path(nodes, counted) for _, nodes, counted in found[_PATH][: query.limit]),
        tuple(Edge(position, nodes[0], nodes[1], counted) for position, nodes, counted in found[_EDGE]),
    )


#: What a row is about: all ways, one way, or a step of ways.
_ALL, _PATH, _EDGE = 0, 1, 2


def _counted(query: JourneyQuery, catalog: Catalog) -> str:
    """Rows `(kind, position, nodes, actors, sessions)`, the most taken ones of each kind first.

    A session's way is told as all that it is at once, so that sessions are made once.
    """
    position = "place" if query.end is None else "place - toInt64(length(way))"
    edges = f"arrayMap(place -> ({_EDGE}, toInt64({position}), [way[place], way[place + 1]]), range(1, length(way)))"
    whole = f"[({_ALL}, toInt64(0), CAST([], 'Array(String)')), ({_PATH}, toInt64(0), way)]"
    told = f"SELECT actor, arrayJoin(arrayConcat({whole}, {edges})) AS told FROM {_ways(query, catalog)}"
    return (
        "SELECT told.1 AS kind, told.2 AS position, told.3 AS nodes, uniqExact(actor) AS actors, count() AS sessions "
        f"FROM ({told}) GROUP BY kind, position, nodes "
        "ORDER BY kind, actors DESC, sessions DESC, position, nodes LIMIT {most:UInt32} BY kind"
    )


def _ways(query: JourneyQuery, catalog: Catalog) -> str:
    """A row per session that has one: `actor` and `way`."""
    cut = f"arraySlice(stations, 1, {query.depth})"
    if query.start is not None:
        cut = f"arraySlice(stations, indexOf(stations, {literal(query.start)}), {query.depth})"
    if query.end is not None:
        last = f"indexOf(stations, {literal(query.end)})"
        cut = f"arraySlice(stations, greatest(1, {last} - {query.depth - 1}), least({last}, {query.depth}))"
    needed = query.start if query.start is not None else query.end
    there = "notEmpty(stations)" if needed is None else f"has(stations, {literal(needed)})"
    return f"(SELECT actor, {cut} AS way FROM {_stations(query, catalog)} WHERE {there})"


def _stations(query: JourneyQuery, catalog: Catalog) -> str:
    """A row per session that passes the filter by its first event: `actor` and `stations`, none twice in a row."""
    node, shown = _node(query.node)
    passes = condition_sql(dimension_condition(query.filter, catalog.dimensions, Rows.EVENTS))
    hit = f"(toUnixTimestamp64Milli(occurred_at) AS at, event_id, {node} AS node, {shown} AS shown, {passes} AS passes)"
    acting = f"(SELECT * FROM {Activity().events(catalog)} WHERE event NOT IN {array(PASSIVE_EVENTS)})"
    hits = f"SELECT actor, session, arraySort(groupArray({hit})) AS hits FROM {acting} GROUP BY actor, session"
    too_long = f"(hit, gap) -> gap > if(session = 0, {SILENCE_MS}, {SILENCE_WITH_ID_MS})"
    split = f"arraySplit({too_long}, hits, arrayDifference(hits.1))"
    visits = f"SELECT actor, arrayJoin({split}) AS visit FROM ({hits})"
    stations = "arrayCompact(arrayMap(hit -> hit.3, arrayFilter(hit -> hit.4, visit)))"
    return f"(SELECT actor, {stations} AS stations FROM ({visits}) WHERE visit[1].5)"


def _node(node: Node) -> tuple[str, str]:
    """What of an event a station is called by, and whether it is one."""
    if node is Node.PATH:
        return "path", condition_sql(event(*VIEW_EVENTS))
    return "toString(event)", f"event NOT IN {array(QUIET_EVENTS)}"
