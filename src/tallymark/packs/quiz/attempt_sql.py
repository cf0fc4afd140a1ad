"""The statements that make attempts: the parts of one become one event, with its score, its time and how it ended.

Parts belong together that name the same quiz and attempt, and the same user: of what names nobody that user is meant
who alone is named. An attempt lies where its first part lies.
"""

from datetime import timedelta
from typing import Final

from tallymark.engine.expression import literal, text_of
from tallymark.engine.source import instant
from tallymark.packs import derived_sql as derived
from tallymark.packs.quiz import attempt_score as score
from tallymark.packs.quiz.names import (
    ABANDONED,
    ANSWERED,
    ATTEMPT,
    ATTEMPT_ID,
    COMPLETED,
    LEFT,
    OPEN,
    PARTS,
    QUESTION,
    QUIZ,
    STATE,
    SUBMITTED,
)
from tallymark.spec.condition import Prop

#: Whoever goes on after a longer pause begins another attempt.
REACH: Final = timedelta(days=31)
_REACH_MS: Final = int(REACH.total_seconds() * 1000)

#: What stands for what an attempt is made of, and epoch milliseconds of its last part.
REVISION: Final = "attemptRevision"
LAST: Final = "lastPartMs"

_QUIZ: Final = text_of(Prop(QUIZ))

#: A part that names no attempt is one of its own.
_ATTEMPT: Final = f"if(empty({text_of(Prop(ATTEMPT_ID))}), hex(event_id), {text_of(Prop(ATTEMPT_ID))})"

#: What joins parts, and is the identity of their attempt, in whatever project an archive brings it back.
_KEY: Final = f"cityHash64({_QUIZ}, {_ATTEMPT}, {literal(ATTEMPT)})"

#: A question that has no name is one of its own.
_QUESTION: Final = f"if(empty({text_of(Prop(QUESTION))}), hex(event_id), {text_of(Prop(QUESTION))})"

#: The order of parts; whole, so that an attempt is the same whatever order they are read in.
_ORDER: Final = ("occurred_at", "event_id", "event", "actor")
_PLACE: Final = f"({', '.join(_ORDER)})"

_TOUCHED_KEYS: Final = f"(SELECT {_KEY} FROM events WHERE {derived.named(PARTS)} AND {derived.TOUCHED})"


def around() -> str:
    """How many attempts there are already of what was touched, when the first begins and when the last ends.

    Every part that was ever looked at is in one, so that no others have to be looked through for them.
    """
    last = f"toInt64OrZero({text_of(Prop(LAST))})"
    return (
        "SELECT count(), toUnixTimestamp64Milli(min(occurred_at)), max(last) "
        f"FROM (SELECT occurred_at, {last} AS last FROM events PREWHERE event_id IN {_TOUCHED_KEYS} "
        f"WHERE {derived.named([ATTEMPT])} AND occurred_at <= {instant('end')}) WHERE last >= {{start:Int64}}"
    )


def write_attempts() -> str:
    """Writes the attempts that are new or changed, of the parts that were touched.

    One that nobody ended is abandoned once all that there is of it was inserted before `ripe_until`. Days whose raw
    events have begun to expire take none.
    """
    kept = ", ".join(
        f"{'owner' if name == 'actor' else f'first.{place}'} AS {name}" for place, name in enumerate(derived.TAKEN, 1)
    )
    told = {
        QUIZ: ("quiz", "String"), ATTEMPT_ID: ("attempt", "String"), STATE: ("state", "String"), **score.TOLD,
        LAST: ("last", "Int64"), REVISION: ("rev", "String"),
    }  # fmt: skip
    shape = ", ".join(f"`{name}` {kind}" for name, (_, kind) in told.items())
    said = f"toJSONString(CAST(({', '.join(sql for sql, _ in told.values())}), {literal(f'Tuple({shape})')}))"
    rev = "lower(hex(cityHash64(made_of, state))) AS rev"
    whole = f"SELECT *, {rev}, {score.SCORED} FROM ({_together()})"
    return derived.write(ATTEMPT, REVISION, f"SELECT event_id, rev, {kept}, {said} AS props FROM ({whole})")


def void_attempts() -> str:
    """Voids the attempts that stand where none stands any more: another part came first, or another user is theirs."""
    each = f"SELECT k, spell, owner, min(occurred_at) AS at, max(occurred_at) AS until FROM {_owned()} GROUP BY ALL"
    spell = (
        "SELECT k, groupArray((owner, toDate(at))) AS places, min(at) AS begin, max(until) AS last "
        f"FROM ({each}) GROUP BY k, spell"
    )
    return derived.void(
        STATE,
        f"{derived.live(ATTEMPT, STATE)} AS e INNER JOIN ({spell}) AS n ON n.k = e.event_id "
        "WHERE e.occurred_at >= n.begin AND e.occurred_at <= n.last "
        "AND NOT has(n.places, (e.actor, toDate(e.occurred_at)))",
    )


def _together() -> str:
    """The attempts that were touched, with what is summed up of their parts."""
    state = (
        f"multiIf(submitted, {literal(COMPLETED)}, countIf(event = {literal(ABANDONED)}) > 0 "
        f"OR max(inserted_at) <= {instant('ripe_until')}, {literal(LEFT)}, {literal(OPEN)})"
    )
    return (
        f"SELECT k AS event_id, owner, argMin(tuple({', '.join(derived.TAKEN)}), {_PLACE}) AS first, "
        "any(quiz) AS quiz, any(attempt) AS attempt, toUnixTimestamp64Milli(max(occurred_at)) AS last, "
        "groupBitXor(cityHash64(events.event_id, event, actor, precedence)) AS made_of, "
        f"countIf(event = {literal(SUBMITTED)}) > 0 AS submitted, {state} AS state, {score.sums(_PLACE)} "
        f"FROM {_latest()} AS events GROUP BY k, spell, owner"
    )


def _latest() -> str:
    """The parts, each with whether it is the last of its kind: of several answers to a question the last counts."""
    order = ", ".join(f"{name} DESC" for name in _ORDER)
    over = f"PARTITION BY k, spell, owner, event, question ORDER BY {order}"
    return f"(SELECT *, event = {literal(ANSWERED)} AND row_number() OVER ({over}) = 1 AS latest FROM {_owned()})"


def _owned() -> str:
    """The parts of the spells that were touched, with their `owner`: its user, or who alone is named in its spell."""
    over = "OVER (PARTITION BY k, spell)"
    named = f"max(actor) {over} AS one, minIf(actor, actor != 0) {over} AS other, max(seen) {over} AS here"
    spells = derived.spells(_near(), _REACH_MS, ", ".join(_ORDER))
    owner = "if(actor = 0 AND one = other, one, actor) AS owner"
    return f"(SELECT *, {owner} FROM (SELECT *, {named} FROM {spells}) WHERE here)"


def _near() -> str:
    """The parts with a key that was touched; bots' don't count.

    What is sent again replaces itself whatever it says, so only its identity may be looked at before that.
    """
    where = f"{derived.named(PARTS)} AND {derived.SPAN}"
    ids = f"(SELECT event_id FROM events WHERE {where} AND {_KEY} IN {_TOUCHED_KEYS})"
    columns = ", ".join((*derived.TAKEN, "event", "event_id", "precedence", "inserted_at"))
    said = f"{_QUIZ} AS quiz, {_ATTEMPT} AS attempt, {_QUESTION} AS question, {score.SAID}"
    return (
        f"(SELECT {columns}, {_KEY} AS k, {derived.TOUCHED} AS seen, {said} FROM events FINAL "
        f"PREWHERE event_id IN {ids} WHERE {where} AND bot = '' AND k IN {_TOUCHED_KEYS})"
    )
