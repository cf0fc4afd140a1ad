"""Values of JSON, read one by one; each mistake is told with where it stands and what is allowed.

`field` is where a value stands, as in `metrics.0.name`. Every reader raises `BadRequest`.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, TypeVar

from tallymark.errors import BadRequest

_KEY: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
KEY_RULE: Final = "1 to 64 letters, digits, '.', '_', '-', the first a letter or a digit"

Word = TypeVar("Word", bound=str)


def key(said: object, field: str) -> str:
    """A name that stands in paths and in answers."""
    if not isinstance(said, str) or not _KEY.fullmatch(said):
        raise BadRequest(f"{field} can't be {shown(said)}.", field=field, allowed=[KEY_RULE])
    return said


def text(said: object, field: str, most: int) -> str:
    """A text of at most that many characters, which may be empty."""
    if not isinstance(said, str) or len(said) > most or "\0" in said:
        raise BadRequest(f"{field} is a text of at most {most} characters.", field=field)
    return said


def number(said: object, field: str, least: float, most: float) -> float:
    """A number between these, both included."""
    if not isinstance(said, int | float) or isinstance(said, bool) or not least <= said <= most:
        allowed = [f"a number from {least:.12g} to {most:.12g}"]
        raise BadRequest(f"{field} can't be {shown(said)}.", field=field, allowed=allowed)
    return float(said)


def whole(said: object, field: str, least: int, most: int) -> int:
    """A whole number between these, both included."""
    if not isinstance(said, int) or isinstance(said, bool) or not least <= said <= most:
        allowed = [f"a whole number from {least} to {most}"]
        raise BadRequest(f"{field} can't be {shown(said)}.", field=field, allowed=allowed)
    return said


def flag(said: object, field: str) -> bool:
    """True or false."""
    if not isinstance(said, bool):
        raise BadRequest(f"{field} can't be {shown(said)}.", field=field, allowed=["true", "false"])
    return said


def one_of(said: object, field: str, words: Sequence[Word]) -> Word:
    """One of these words."""
    found = next((word for word in words if word == said), None)
    if found is None:
        raise BadRequest(f"{field} can't be {shown(said)}.", field=field, allowed=words)
    return found


def mapping(said: object, field: str, fields: Sequence[str] | None = None) -> Mapping[str, Any]:
    """An object; with no other fields than these, if they are given."""
    if not isinstance(said, Mapping):
        raise BadRequest(f"{field} is an object, not {shown(said)}.", field=field, allowed=fields)
    if fields is not None:
        known_only(said, field, fields)
    return said


def known_only(said: Mapping[str, Any], field: str, fields: Sequence[str]) -> None:
    """Raises `BadRequest` for an object with another field than these."""
    unknown = next((name for name in said if name not in fields), None)
    if unknown is not None:
        message = f"{field} has no field {shown(unknown)}."
        raise BadRequest(message, field=f"{field}.{unknown[:64]}", allowed=fields)


def items(said: object, field: str, least: int, most: int) -> list[Any]:
    """A list of that many things."""
    if not isinstance(said, list) or not least <= len(said) <= most:
        raise BadRequest(f"{field} is a list of {least} to {most}.", field=field)
    return said


def is_deeper(value: object, most: int) -> bool:
    """Whether lists and objects stand within one another more than that many levels deep."""
    level = _holders([value])
    for _ in range(most):
        level = _holders(item for held in level for item in (held.values() if isinstance(held, Mapping) else held))
    return bool(level)


def _holders(values: Iterable[Any]) -> list[Any]:
    return [value for value in values if isinstance(value, Mapping | list)]


def shown(value: object) -> str:
    """A value as an error may show it, never longer than a line."""
    said = repr(value)
    return said if len(said) <= 80 else f"{said[:77]}..."
