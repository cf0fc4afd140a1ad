"""The statements that make exchanges: a query and its outcome become one event, with what both say.

An exchange is a function of the events that there are. `rev` stands for what it is made of, so that one which has not
changed is not written again; of several versions of one the last written counts, and published days notice by its
`precedence`.
"""

from datetime import timedelta
from typing import Final

from tallymark.engine.expression import literal, text_of
from tallymark.engine.source import instant
from tallymark.packs.voice.names import (
    ANSWERED,
    EXCHANGE,
    OUTCOME,
    QUERY,
    QUERY_ID,
    STATE,
    UNANSWERED,
    UNASKED,
    VOID,
)
from tallymark.spec.condition import Prop

#: A query and its outcome happen within this of each other.
REACH: Final = timedelta(days=1)
_REACH_MS: Final = int(REACH.total_seconds() * 1000)

#: What stands for what an exchange is made of.
REVISION: Final = "exchangeRevision"

#: Columns that an exchange takes from its query, or from its outcome where there is no query; the actor also where
#: the query names nobody.
_TAKEN: Final = (
    "occurred_at", "actor", "session", "bot", "host", "path", "referrer_host", "source", "channel", "medium",
    "campaign", "term", "content", "country", "device", "browser", "os", "variants", "expires_at",
)  # fmt: skip

_NAMED: Final = f"event IN ({literal(QUERY)}, {literal(OUTCOME)})"

#: What joins a query and its outcome; one without an id is alone.
_KEY: Final = f"if(empty({text_of(Prop(QUERY_ID))}), hex(event_id), {text_of(Prop(QUERY_ID))})"

#: What was inserted since the last look, and what was then when a lone one is due now.
_TOUCHED: Final = (
    f"((inserted_at > {instant('since')} AND inserted_at <= {instant('until')}) "
    f"OR (inserted_at > {instant('ripe_since')} AND inserted_at <= {instant('ripe_until')}))"
)


def touched() -> str:
    """How many events to look at, and when the first and the last of them happened."""
    return (
        "SELECT count(), toUnixTimestamp64Milli(min(occurred_at)), toUnixTimestamp64Milli(max(occurred_at)) "
        f"FROM events WHERE project = {{project:UInt32}} AND {_NAMED} AND {_TOUCHED}"
    )


def nth_insertion(*events: str) -> str:
    """When the event of these names was inserted that is so many after `since`: looks are bounded."""
    named = ", ".join(map(literal, events))
    return (
        "SELECT toUnixTimestamp64Milli(inserted_at) FROM events WHERE project = {project:UInt32} "
        f"AND event IN ({named}) AND inserted_at > {instant('since')} ORDER BY inserted_at LIMIT 1 OFFSET {{n:UInt32}}"
    )


def written() -> str:
    """How many exchanges were written since an instant."""
    return (
        f"SELECT count() FROM events WHERE project = {{project:UInt32}} AND event = {literal(EXCHANGE)} "
        f"AND inserted_at >= {instant('since')}"
    )


def write_exchanges() -> str:
    """Writes the exchanges that are new or changed, of the queries and outcomes that were touched.

    One whose partner is missing is written once all that there is of it was inserted before `ripe_until`. Days whose
    raw events have begun to expire take none.
    """
    kept = ", ".join(f"{_taken(place, name)} AS {name}" for place, name in enumerate(_TAKEN, 1))
    identity = f"cityHash64(k, {literal(EXCHANGE)})"  # the same in whatever project an archive brings it back
    # The engine writes the names `x` and `x.y` of one event as two `x`; merged with another's, they may both be `x.y`.
    said = f"jsonMergePatch(q_props, o_props, toJSONString(map({literal(STATE)}, state, {literal(REVISION)}, rev)))"
    made = f"SELECT *, if(has_q, q, o) AS c, {identity} AS event_id, {_state()} AS state FROM ({_paired()})"
    whole = f"SELECT *, {kept}, {said} AS props, {_day('c.1')} AS day FROM ({made})"
    columns = ", ".join(name for name in _TAKEN)
    return (
        f"INSERT INTO events (project, event, event_id, received_at, props, precedence, {columns}) "
        f"SELECT {{project:UInt32}}, {literal(EXCHANGE)}, w.event_id, now64(3, 'UTC'), w.props, {_NOW}, "
        f"{', '.join(f'w.{name}' for name in _TAKEN)} "
        f"FROM ({whole}) AS w LEFT ANTI JOIN ({_existing()}) AS x "
        "ON x.event_id = w.event_id AND x.rev = w.rev AND x.actor = w.actor AND x.day = toDate(w.occurred_at) "
        f"WHERE w.day NOT IN {_SEALED} SETTINGS type_json_skip_duplicated_paths = 1"
    )


def _taken(place: int, name: str) -> str:
    """A column of an exchange. Who is named in either part can have it deleted, so that a query of nobody is theirs."""
    return f"if(c.{place} = 0, o.{place}, c.{place})" if name == "actor" else f"c.{place}"


def void_exchanges() -> str:
    """Voids the versions of exchanges that stand elsewhere than a later one, which knew more: another day or actor.

    An id that is used again makes another exchange, `REACH` or more away.
    """
    state = f"toJSONString(map({literal(STATE)}, {literal(VOID)}))"
    live = f"(SELECT * FROM {_exchanges()} WHERE {text_of(Prop(STATE))} != {literal(VOID)})"
    return (
        "INSERT INTO events (project, event, event_id, received_at, bot, props, precedence, occurred_at, actor, "
        "expires_at) "
        f"SELECT DISTINCT e.project, e.event, e.event_id, now64(3, 'UTC'), {literal(OF_NOBODY)}, {state}, {_NOW}, "
        "e.occurred_at, e.actor, e.expires_at "
        f"FROM {live} AS e INNER JOIN {live} AS n ON n.event_id = e.event_id "
        "WHERE n.precedence > e.precedence AND tuple(e.actor, toDate(e.occurred_at)) != tuple(n.actor, "
        f"toDate(n.occurred_at)) AND {_apart('n.occurred_at', 'e.occurred_at')} <= {_REACH_MS} "
        f"AND {_day('e.occurred_at')} NOT IN {_SEALED}"
    )


#: What a voided exchange has for a bot, so that it counts for nobody.
OF_NOBODY: Final = "(void)"

_NOW: Final = "toUInt64(toUnixTimestamp64Milli(now64(3)))"

_SEALED: Final = (
    "(SELECT day FROM runs FINAL WHERE project = {project:UInt32} AND events > 0 AND expires_from <= now())"
)


def _day(moment: str) -> str:
    return f"toDate({moment}, {{timezone:String}})"


def _state() -> str:
    return f"multiIf(has_q AND has_o, {literal(ANSWERED)}, has_q, {literal(UNANSWERED)}, {literal(UNASKED)})"


def _paired() -> str:
    """The first query and the first outcome of each key that is due."""
    first, taken = "(occurred_at, event_id, actor)", f"tuple({', '.join(_TAKEN)})"
    parts = ", ".join(
        f"countIf({is_it}) > 0 AS has_{short}, argMinIf({taken}, {first}, {is_it}) AS {short}, "
        f"argMinIf(toJSONString(props), {first}, {is_it}) AS {short}_said, "
        f"if(has_{short}, {short}_said, '{{}}') AS {short}_props, "
        f"argMinIf((event_id, precedence), {first}, {is_it}) AS {short}_is"
        for short, is_it in (("q", f"event = {literal(QUERY)}"), ("o", f"event = {literal(OUTCOME)}"))
    )
    return (
        f"SELECT k, {parts}, lower(hex(cityHash64(q_is, o_is))) AS rev FROM {_spells()} GROUP BY k, spell "
        f"HAVING max(seen) AND ((has_q AND has_o) OR max(inserted_at) <= {instant('ripe_until')})"
    )


def _spells() -> str:
    """The events of the keys that were touched, each in the spell that its key was used in then, after `REACH` without.

    `seen` says which were touched: a spell without any is as it was, and may not be there as a whole.
    """
    touched = f"(SELECT {_KEY} FROM events WHERE project = {{project:UInt32}} AND {_NAMED} AND {_TOUCHED} AND {_SPAN})"
    near = f"(SELECT *, {_KEY} AS k, {_TOUCHED} AS seen FROM {_near()} WHERE k IN {touched})"
    order = "PARTITION BY k ORDER BY occurred_at, event_id"
    before = f"lagInFrame(occurred_at, 1, occurred_at) OVER ({order} ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)"
    begins = f"(SELECT *, {_apart('occurred_at', before)} > {_REACH_MS} AS begins FROM {near})"
    return f"(SELECT *, sum(begins) OVER ({order} ROWS UNBOUNDED PRECEDING) AS spell FROM {begins})"


def _apart(later: str, earlier: str) -> str:
    """Milliseconds between two instants."""
    return f"abs(toUnixTimestamp64Milli({later}) - toUnixTimestamp64Milli({earlier}))"


_SPAN: Final = f"occurred_at >= {instant('start')} AND occurred_at <= {instant('end')}"


def _near() -> str:
    """The queries and outcomes that may belong together with those that were touched."""
    return f"(SELECT * FROM events FINAL WHERE project = {{project:UInt32}} AND {_NAMED} AND {_SPAN})"


def _exchanges() -> str:
    return (
        f"(SELECT * FROM events FINAL WHERE project = {{project:UInt32}} AND event = {literal(EXCHANGE)} AND {_SPAN})"
    )


def _existing() -> str:
    return f"SELECT event_id, actor, toDate(occurred_at) AS day, {text_of(Prop(REVISION))} AS rev FROM {_exchanges()}"
