"""The statements that make exchanges: a query and its outcome become one event, with what both say.

An exchange is a function of the events that there are. `rev` stands for what it is made of, so that one which has not
changed is not written again; of several versions of one the last written counts, and published days notice by its
`precedence`.
"""

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

#: What stands for what an exchange is made of.
REVISION: Final = "exchangeRevision"

#: Columns that an exchange takes from its query, or from its outcome where there is no query.
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
    kept = ", ".join(f"c.{place + 1} AS {name}" for place, name in enumerate(_TAKEN))
    identity = f"cityHash64(k, {literal(EXCHANGE)})"
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
        f"WHERE w.day NOT IN {_SEALED}"
    )


def void_exchanges() -> str:
    """Voids the versions of exchanges that stand elsewhere than the last one, which knew more: another day or actor."""
    newest = (
        "SELECT event_id, argMax(tuple(actor, toDate(occurred_at)), precedence) AS place, count() AS n "
        f"FROM {_exchanges()} WHERE {text_of(Prop(STATE))} != {literal(VOID)} GROUP BY event_id HAVING n > 1"
    )
    state = f"toJSONString(map({literal(STATE)}, {literal(VOID)}))"
    return (
        "INSERT INTO events (project, event, event_id, received_at, bot, props, precedence, occurred_at, actor, "
        "expires_at) "
        f"SELECT e.project, e.event, e.event_id, now64(3, 'UTC'), {literal(VOID_BOT)}, {state}, {_NOW}, "
        "e.occurred_at, e.actor, e.expires_at "
        f"FROM {_exchanges()} AS e INNER JOIN ({newest}) AS n ON n.event_id = e.event_id "
        f"WHERE tuple(e.actor, toDate(e.occurred_at)) != n.place AND {text_of(Prop(STATE))} != {literal(VOID)} "
        f"AND {_day('e.occurred_at')} NOT IN {_SEALED}"
    )


#: What a voided exchange has for a bot, so that it counts for nobody.
VOID_BOT: Final = "(void)"

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
        f"SELECT {_KEY} AS k, {parts}, lower(hex(cityHash64(q_is, o_is))) AS rev FROM {_near()} "
        f"WHERE k IN (SELECT {_KEY} FROM events WHERE project = {{project:UInt32}} AND {_NAMED} AND {_TOUCHED} "
        f"AND {_SPAN}) GROUP BY k HAVING (has_q AND has_o) OR max(inserted_at) <= {instant('ripe_until')}"
    )


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
