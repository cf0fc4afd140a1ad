"""The statements that make exchanges: a query and its outcome become one event, with what both say."""

from datetime import timedelta
from typing import Final

from tallymark.engine.expression import literal, text_of
from tallymark.engine.source import instant
from tallymark.packs import derived_sql as derived
from tallymark.packs.voice.names import (
    ANSWERED,
    EXCHANGE,
    OUTCOME,
    QUERY,
    QUERY_ID,
    STATE,
    UNANSWERED,
    UNASKED,
)
from tallymark.spec.condition import Prop

PARTS: Final = (QUERY, OUTCOME)

#: A query and its outcome happen within this of each other.
REACH: Final = timedelta(days=1)
_REACH_MS: Final = int(REACH.total_seconds() * 1000)

#: What stands for what an exchange is made of.
REVISION: Final = "exchangeRevision"

#: What joins a query and its outcome; one without an id is alone.
_KEY: Final = f"if(empty({text_of(Prop(QUERY_ID))}), hex(event_id), {text_of(Prop(QUERY_ID))})"


def write_exchanges() -> str:
    """Writes the exchanges that are new or changed, of the queries and outcomes that were touched.

    One whose partner is missing is written once all that there is of it was inserted before `ripe_until`. Days whose
    raw events have begun to expire take none.
    """
    kept = ", ".join(f"{_taken(place, name)} AS {name}" for place, name in enumerate(derived.TAKEN, 1))
    identity = f"cityHash64(k, {literal(EXCHANGE)})"  # the same in whatever project an archive brings it back
    # The engine writes the names `x` and `x.y` of one event as two `x`; merged with another's, they may both be `x.y`.
    said = f"jsonMergePatch(q_props, o_props, toJSONString(map({literal(STATE)}, state, {literal(REVISION)}, rev)))"
    made = f"SELECT *, if(has_q, q, o) AS c, {identity} AS event_id, {_state()} AS state FROM ({_paired()})"
    return derived.write(EXCHANGE, REVISION, f"SELECT *, {kept}, {said} AS props FROM ({made})")


def _taken(place: int, name: str) -> str:
    """A column of an exchange: its query's, or its outcome's where there is no query.

    Who is named in either part can have it deleted, so that a query of nobody is theirs.
    """
    return f"if(c.{place} = 0, o.{place}, c.{place})" if name == "actor" else f"c.{place}"


def void_exchanges() -> str:
    """Voids the versions of exchanges that stand elsewhere than a later one, which knew more: another day or actor.

    An id that is used again makes another exchange, `REACH` or more away.
    """
    live = derived.live(EXCHANGE, STATE)
    return derived.void(
        STATE,
        f"{live} AS e INNER JOIN {live} AS n ON n.event_id = e.event_id "
        "WHERE n.precedence > e.precedence AND tuple(e.actor, toDate(e.occurred_at)) != tuple(n.actor, "
        f"toDate(n.occurred_at)) AND {derived.apart('n.occurred_at', 'e.occurred_at')} <= {_REACH_MS}",
    )


def _state() -> str:
    return f"multiIf(has_q AND has_o, {literal(ANSWERED)}, has_q, {literal(UNANSWERED)}, {literal(UNASKED)})"


def _paired() -> str:
    """The first query and the first outcome of each key that is due."""
    first, taken = "(occurred_at, event_id, actor)", f"tuple({', '.join(derived.TAKEN)})"
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
    touched = f"(SELECT {_KEY} FROM events WHERE {derived.named(PARTS)} AND {derived.TOUCHED} AND {derived.SPAN})"
    near = f"(SELECT * FROM events FINAL WHERE {derived.named(PARTS)} AND {derived.SPAN})"
    mine = f"(SELECT *, {_KEY} AS k, {derived.TOUCHED} AS seen FROM {near} WHERE k IN {touched})"
    return derived.spells(mine, _REACH_MS)
