"""Funnels as JSON: read step by step, every mistake told with what is allowed, and told back.

    {"title": "Sign-up", "steps": ["page_view", {"name": "Paid", "event": "purchase", "where": {…}}], "within": "7d"}

A step is the name of an event, or a selection (see `spec.selection`) with a name of its own.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, NotRequired, TypedDict

from tallymark.errors import BadRequest
from tallymark.spec.condition import ALWAYS, Condition
from tallymark.spec.duration import seconds, written
from tallymark.spec.funnel import WITHIN_SECONDS, Funnel, Step
from tallymark.spec.selection import selection, told

#: A funnel has so many steps.
FEWEST_STEPS: Final = 2
MOST_STEPS: Final = 20

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_NAME_RULE: Final = "1 to 64 of a-z, 0-9, '.', '_', '-', the first a letter or a digit"
_FIELDS: Final = ("title", "steps", "within")
_STEP_FIELDS: Final = ("name", "event", "where")
_LONGEST_TEXT: Final = 200


class PublicStep(TypedDict):
    """A step: its name, the events it takes, and what must be true of them besides."""

    name: str
    event: NotRequired[list[str]]
    where: NotRequired[dict[str, Any]]


class PublicFunnel(TypedDict):
    """A funnel. `within`: how long after the first step the last one may be."""

    name: str
    title: str
    steps: list[PublicStep]
    within: str


def read_funnel(name: str, said: object) -> Funnel:
    """The funnel of that name that a JSON body means. Errors: `BadRequest`."""
    read_name(name)
    if not isinstance(said, Mapping):
        raise BadRequest("A funnel is an object with a title, steps and within.", allowed=_FIELDS)
    unknown = sorted(set(map(str, said)) - set(_FIELDS))
    if unknown:
        raise BadRequest(f"A funnel has no field {_shown(unknown[0])}.", field=unknown[0][:80], allowed=_FIELDS)
    steps = said.get("steps")
    if not isinstance(steps, list):
        raise BadRequest("steps is a list of events.", field="steps")
    title = _text(said.get("title", name), "title")
    return Funnel(name, title, read_steps(steps, "steps"), read_within(said.get("within")))


def read_name(name: str) -> str:
    """The name, if a funnel can have it. Errors: `BadRequest`."""
    if not _NAME.fullmatch(name):
        raise BadRequest(f"{_shown(name)} can't be a funnel's name.", field="name", allowed=[_NAME_RULE])
    return name


def read_steps(said: Sequence[object], field: str) -> tuple[Step, ...]:
    """The steps that are meant, each with a name of its own. Errors: `BadRequest`."""
    if not FEWEST_STEPS <= len(said) <= MOST_STEPS:
        raise BadRequest(f"A funnel has {FEWEST_STEPS} to {MOST_STEPS} steps, not {len(said)}.", field=field)
    steps: list[Step] = []
    for place, one in enumerate(said):
        step = _step(one, f"{field}[{place}]")
        steps.append(Step(_unused(step.name, {other.name for other in steps}), step.where))
    return tuple(steps)


def read_within(said: object) -> int:
    """The seconds that a funnel may take; seven days where nothing is said. Errors: `BadRequest`."""
    if said is None:
        return WITHIN_SECONDS
    if isinstance(said, bool) or not isinstance(said, str | int):
        raise BadRequest("within is a text such as 7d, 12h or 30m.", field="within")
    return seconds(said if isinstance(said, str) else f"{said}s", "within")


def public_funnel(funnel: Funnel) -> PublicFunnel:
    """A funnel as JSON."""
    steps = [PublicStep(name=step.name, **told(step.where)) for step in funnel.steps]  # type: ignore[typeddict-item]  # its other two fields
    return {"name": funnel.name, "title": funnel.title, "steps": steps, "within": written(funnel.within)}


def _step(said: object, field: str) -> Step:
    if isinstance(said, Mapping):
        unknown = sorted(set(map(str, said)) - set(_STEP_FIELDS))
        if unknown:
            raise BadRequest(f"A step has no field {_shown(unknown[0])}.", field=field, allowed=_STEP_FIELDS)
        where = selection({name: value for name, value in said.items() if name != "name"}, field)
    elif isinstance(said, str) and said:
        where = selection(said, field)
    else:
        raise BadRequest(f"{field} is the name of an event, or {{name, event, where}}.", field=field)
    if where == ALWAYS:
        raise BadRequest(f"{field} says no event.", field=field, allowed=_STEP_FIELDS)
    name = said.get("name") if isinstance(said, Mapping) else None
    return Step(_default_name(where) if name is None else _text(name, f"{field}.name"), where)


def _default_name(where: Condition) -> str:
    return " | ".join(told(where).get("event", ["any event"]))[:_LONGEST_TEXT]


def _unused(name: str, taken: set[str]) -> str:
    """The name, with a number where another step has it already."""
    numbered = (f"{name} {number}" for number in range(2, MOST_STEPS + 1))
    return name if name not in taken else next(text for text in numbered if text not in taken)


def _text(value: object, field: str) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_TEXT:
        raise BadRequest(f"{field} is a text of 1 to {_LONGEST_TEXT} characters.", field=field)
    return value


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
