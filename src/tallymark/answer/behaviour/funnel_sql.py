"""Funnels as SQL: from events to a row per actor who enters, with the places of the steps that they reach.

An event's place says when it happened, and which of those of the same millisecond comes first: the one that fits an
earlier step, then the one with the smaller id. It is one number, `time << 69 | step << 64 | id`, so that the next step
is the smallest place above the last one, and nothing has to be sorted.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from tallymark.engine.base import Params
from tallymark.engine.expression import condition_sql, literal, text_of
from tallymark.engine.source import events_between, instant, milliseconds, span
from tallymark.spec.condition import Condition, Prop, event, human
from tallymark.spec.experiment import EXPERIMENT, EXPOSURE, VARIANT
from tallymark.spec.funnel import Funnel
from tallymark.spec.window import Window

_TIME: Final = 69
_ID: Final = 64
_NOWHERE: Final = "toUInt128(0)"


def funnel_params(project: int, window: Window, within: int) -> Params:
    """The parameters of the statements here: who enters in the window may go on for `within` seconds after it."""
    until = window.end + timedelta(seconds=within)
    return {**span(project, window.start, window.end), "until": milliseconds(until), "ever": 0}


def step_events(funnel: Funnel, key: str = "''", exposed: str = "") -> str:
    """The events that fit a step, each with its `place`, `key`, and which steps it fits (`s0`, `s1`, …).

    `exposed`: those of the units of `exposed_units` alone, from their exposure on; their variant is the key.
    """
    conditions = [condition_sql(step.where) for step in funnel.steps]
    acting = f"{condition_sql(human())} AND actor != 0 AND ({' OR '.join(conditions)})"
    events = f"(SELECT * FROM {events_between('start', 'until')} WHERE {acting})"
    fits = ", ".join(f"{condition} AS s{i}" for i, condition in enumerate(conditions))
    if exposed:
        events = (
            f"(SELECT e.*, v.variant AS variant FROM {events} AS e INNER JOIN {exposed} AS v USING (actor) "
            "WHERE e.occurred_at >= v.first)"
        )
    return f"(SELECT *, {key} AS key, {fits}, {_place(len(conditions))} AS place FROM {events})"


def _place(steps: int) -> str:
    first = f"multiIf({', '.join(f's{i}, {i}' for i in range(steps - 1))}, {steps - 1})"
    at = f"bitShiftLeft(toUInt128(toUnixTimestamp64Milli(occurred_at)), {_TIME})"
    return f"{at} + bitShiftLeft(toUInt128({first}), {_ID}) + event_id"


def exposed_units(experiment: str) -> str:
    """The units that met one variant of an experiment before the funnel's end, with it and the `first` exposure."""
    return (
        f"(SELECT actor, any(shown) AS variant, min(at) AS first FROM {_exposures(experiment)} "
        "GROUP BY actor HAVING uniqExact(shown) = 1)"
    )


def units_of_several(experiment: str) -> str:
    """How many units met several variants of an experiment before the funnel's end."""
    units = f"SELECT actor FROM {_exposures(experiment)} GROUP BY actor HAVING uniqExact(shown) > 1"
    return f"SELECT count() FROM ({units})"


def _exposures(experiment: str) -> str:
    exposure = f"{condition_sql(event(EXPOSURE) & human())} AND actor != 0"
    of_this = f"{text_of(Prop(EXPERIMENT))} = {literal(experiment)}"
    return (
        f"(SELECT actor, occurred_at AS at, {text_of(Prop(VARIANT))} AS shown FROM {events_between('ever', 'until')} "
        f"WHERE {exposure} AND {of_this})"
    )


def entering(filter: Condition) -> str:
    """The condition for an event that an actor may enter with."""
    return f"s0 AND occurred_at < {instant('end')} AND {condition_sql(filter)}"


def entered(events: str, entry: str, steps: int) -> str:
    """A row per actor who enters: `actor`, `key`, `n0`, the place they enter at, and the places of later steps."""
    later = ", ".join(_later(steps))
    return (
        f"(SELECT actor, minIf(place, {entry}) AS n0, argMinIf(key, place, {entry}) AS key, {later} "
        f"FROM {events} GROUP BY actor HAVING n0 > 0)"
    )


def entered_by_day(events: str, entry: str, day: str, steps: int) -> str:
    """A row per actor and day they enter on, as `entered` gives them, with the `day`."""
    later = ", ".join(_later(steps))
    days = f"minMapIf(map({day}, place), {entry})"
    entries = f"SELECT actor, any(key) AS key, {days} AS days, {later} FROM {events} GROUP BY actor"
    return (
        f"(SELECT * EXCEPT (days, entry), entry.1 AS day, entry.2 AS n0 FROM (SELECT *, "
        f"arrayJoin(CAST(days, 'Array(Tuple(Date, UInt128))')) AS entry FROM ({entries})))"
    )


def _later(steps: int) -> Sequence[str]:
    return [f"groupArrayIf(place, s{i}) AS a{i}" for i in range(1, steps)]


def walked(entries: str, steps: int, within: int, kept: Sequence[str]) -> str:
    """The entries with `n1`, `n2`, …, the places of the later steps, 0 where one is not reached; `kept` columns too."""
    limit = f"bitShiftLeft(bitShiftRight(n0, {_TIME}) + {within * 1000 + 1}, {_TIME})"
    table = f"(SELECT *, {limit} AS beyond FROM {entries})"
    for i in range(1, steps):
        after = f"arrayMin(arrayFilter(place -> place > n{i - 1} AND place < beyond, a{i}))"
        table = f"(SELECT *, if(n{i - 1} = 0, {_NOWHERE}, {after}) AS n{i} FROM {table})"
    return f"(SELECT {', '.join([*kept, *(f'n{i}' for i in range(steps))])} FROM {table})"


def taken(place: str, before: str) -> str:
    """Milliseconds from one place to another."""
    return f"toInt64(bitShiftRight({place}, {_TIME}) - bitShiftRight({before}, {_TIME}))"
