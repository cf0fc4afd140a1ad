"""The statements that make events out of others, its parts: what was written since, what is new, what stands wrongly.

A derived event is a function of the events that there are. Its revision stands for what it is made of, so that one
which has not changed is not written again; of several versions of one the last written counts, and published days
notice by its `precedence`.

Statements that make events call what joins the parts of one `k`.
"""

from collections.abc import Sequence
from typing import Final

from tallymark.engine.expression import literal, text_of
from tallymark.engine.source import instant
from tallymark.spec.condition import Prop

#: Columns that a derived event takes from one of its parts.
TAKEN: Final = (
    "occurred_at", "actor", "session", "bot", "host", "path", "referrer_host", "source", "channel", "medium",
    "campaign", "term", "content", "country", "device", "browser", "os", "variants", "expires_at",
)  # fmt: skip

#: What a voided version has for a bot, so that it counts for nobody; it has no other revision than the empty one.
OF_NOBODY: Final = "(void)"
VOID: Final = "void"

#: What was inserted since the last look, and what was then when one that waits is due now.
TOUCHED: Final = (
    f"((inserted_at > {instant('since')} AND inserted_at <= {instant('until')}) "
    f"OR (inserted_at > {instant('ripe_since')} AND inserted_at <= {instant('ripe_until')}))"
)

#: The span of time that a look is about.
SPAN: Final = f"occurred_at >= {instant('start')} AND occurred_at <= {instant('end')}"

_NOW: Final = "toUInt64(toUnixTimestamp64Milli(now64(3)))"

_SEALED: Final = (
    "(SELECT day FROM runs FINAL WHERE project = {project:UInt32} AND events > 0 AND expires_from <= now())"
)


def named(events: Sequence[str]) -> str:
    """The condition for the project's events of these names."""
    return f"project = {{project:UInt32}} AND event IN ({', '.join(map(literal, events))})"


def touched(parts: Sequence[str]) -> str:
    """How many parts to look at, and when the first and the last of them happened."""
    return (
        "SELECT count(), toUnixTimestamp64Milli(min(occurred_at)), toUnixTimestamp64Milli(max(occurred_at)) "
        f"FROM events WHERE {named(parts)} AND {TOUCHED}"
    )


def nth_insertion(parts: Sequence[str]) -> str:
    """When the part was inserted that is so many after `since`: looks are bounded."""
    return (
        f"SELECT toUnixTimestamp64Milli(inserted_at) FROM events WHERE {named(parts)} "
        f"AND inserted_at > {instant('since')} ORDER BY inserted_at LIMIT 1 OFFSET {{n:UInt32}}"
    )


def written(event: str) -> str:
    """How many derived events were written since an instant."""
    return f"SELECT count() FROM events WHERE {named([event])} AND inserted_at >= {instant('since')}"


def write(event: str, revision: str, made: str) -> str:
    """Writes those of `made` that are new or changed.

    `made` are rows of `event_id`, `rev`, `props`, and the columns `TAKEN`. `revision` is the property that has `rev`.
    Days whose raw events have begun to expire take none.
    """
    existing = f"SELECT event_id, actor, toDate(occurred_at) AS day, {text_of(Prop(revision))} AS rev"
    return (
        f"INSERT INTO events (project, event, event_id, received_at, props, precedence, {', '.join(TAKEN)}) "
        f"SELECT {{project:UInt32}}, {literal(event)}, w.event_id, now64(3, 'UTC'), w.props, {_NOW}, "
        f"{', '.join(f'w.{name}' for name in TAKEN)} "
        f"FROM ({made}) AS w LEFT ANTI JOIN ({existing} FROM {stored(event)}) AS x "
        "ON x.event_id = w.event_id AND x.rev = w.rev AND x.actor = w.actor AND x.day = toDate(w.occurred_at) "
        f"WHERE {_day('w.occurred_at')} NOT IN {_SEALED} SETTINGS type_json_skip_duplicated_paths = 1"
    )


def void(state: str, stale: str) -> str:
    """Voids versions: `stale` is what follows `FROM`, with them as `e`. `state` is the property that says so."""
    return (
        "INSERT INTO events (project, event, event_id, received_at, bot, props, precedence, occurred_at, actor, "
        "expires_at) "
        f"SELECT DISTINCT e.project, e.event, e.event_id, now64(3, 'UTC'), {literal(OF_NOBODY)}, "
        f"toJSONString(map({literal(state)}, {literal(VOID)})), {_NOW}, e.occurred_at, e.actor, e.expires_at "
        f"FROM {stale} AND {_day('e.occurred_at')} NOT IN {_SEALED}"
    )


def stored(event: str) -> str:
    """The derived events in the span, voided ones too."""
    return f"(SELECT * FROM events FINAL WHERE {named([event])} AND {SPAN})"


def live(event: str, state: str) -> str:
    """The derived events in the span that count."""
    return f"(SELECT * FROM {stored(event)} WHERE {text_of(Prop(state))} != {literal(VOID)})"


def spells(parts: str, reach: int, order: str = "occurred_at, event_id") -> str:
    """These parts, each in the `spell` that its `k` was used in then: so many milliseconds without make another."""
    over = f"PARTITION BY k ORDER BY {order}"
    before = f"lagInFrame(occurred_at, 1, occurred_at) OVER ({over} ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)"
    begins = f"(SELECT *, {apart('occurred_at', before)} > {reach} AS begins FROM {parts})"
    return f"(SELECT *, sum(begins) OVER ({over} ROWS UNBOUNDED PRECEDING) AS spell FROM {begins})"


def apart(later: str, earlier: str) -> str:
    """Milliseconds between two instants."""
    return f"abs(toUnixTimestamp64Milli({later}) - toUnixTimestamp64Milli({earlier}))"


def _day(moment: str) -> str:
    return f"toDate({moment}, {{timezone:String}})"
