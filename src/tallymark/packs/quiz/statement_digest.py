"""What an xAPI statement says, as a digest: the same for statements that are equal to the standard.

What a store may assign or show otherwise counts for nothing (part two, section 2.3.1 of the Experience API 1.0.3):
`id`, `stored`, `authority`, `version`, what verbs and activities are called, the order of a group's members, what
durations say beyond 0.01 s. Nor does what JSON leaves open: the order of names, `null`, how numbers are written.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, Final

import msgspec

_ASSIGNED: Final = frozenset({"id", "stored", "authority", "version"})
_SHOWN: Final = frozenset({"definition", "display"})

_encode = msgspec.json.Encoder(order="deterministic").encode


def digest_of(statement: Mapping[str, Any]) -> str:
    """SHA-256 of what it says, in hexadecimal; its parts are those of a statement."""
    told = {name: value for name, value in statement.items() if name not in _ASSIGNED and value is not None}
    return sha256(_encode({name: _said(name, value) for name, value in told.items()})).hexdigest()


def _said(name: str, value: Any) -> Any:
    """What stands under a name, in the one way in which it is compared."""
    kind, way = _WAYS.get(name, (object, None))
    if way is not None and isinstance(value, kind):
        return way(value)
    if isinstance(value, dict):
        return {name: _said(name, each) for name, each in value.items() if name not in _SHOWN and each is not None}
    return [_said("", each) for each in value] if isinstance(value, list) else _number(value)


def _as_it_is(value: Any) -> Any:
    """Of what the standard does not know, all of it."""
    if isinstance(value, dict):
        return {name: _as_it_is(each) for name, each in value.items()}
    return [_as_it_is(each) for each in value] if isinstance(value, list) else _number(value)


def _number(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _instant(value: Any) -> Any:
    try:
        at = datetime.fromisoformat(value)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC).isoformat()
    except (ValueError, OverflowError):
        return value


def _duration(value: Any) -> Any:
    try:
        return int(msgspec.convert(value, timedelta) / timedelta(milliseconds=10))
    except msgspec.ValidationError:  # in years or months
        return value


def _members(value: Any) -> Any:
    return sorted((_said("", member) for member in value), key=_encode)


def _activities(value: Any) -> Any:
    """One alone is the same as a list of one."""
    lists = {name: each if isinstance(each, list) else [each] for name, each in value.items() if each is not None}
    return {name: _said("", each) for name, each in lists.items()}


_WAYS: Final[Mapping[str, tuple[type, Callable[[Any], Any]]]] = {
    "extensions": (dict, _as_it_is),
    "timestamp": (str, _instant),
    "duration": (str, _duration),
    "member": (list, _members),
    "contextActivities": (dict, _activities),
    "registration": (str, str.lower),
}
