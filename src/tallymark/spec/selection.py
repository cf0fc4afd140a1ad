"""Which events are meant, as people say it in JSON: `{"event": "purchase", "where": {"props.plan": ["pro"]}}`.

`event` is a name or several; `where` holds what must be true besides: by field, a value, several of which one must
fit, or `{"op": "contains", "values": [...]}` with the operators of filters. A field is a column or `props.…`.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
import re2

from tallymark.errors import BadRequest
from tallymark.spec.condition import ALWAYS, All, Column, Comparison, Condition, Field, Op, Prop, event

#: Columns of events that may be asked about.
COLUMNS: Final = ("event", "path", "host", "referrer_host", "source", "channel", "medium", "campaign", "term",
                  "content", "country", "device", "browser", "os", "bot")  # fmt: skip

_PROPS: Final = "props."
_LONGEST_TEXT: Final = 2_000
_LONGEST_NAME: Final = 200
_QUIET = re2.Options()
_QUIET.log_errors = False


def selection(said: object, field: str) -> Condition:
    """The condition that a selection means; `field` is where it stands. Errors: `BadRequest`."""
    if isinstance(said, str):
        return event(said)
    if not isinstance(said, Mapping) or not set(said) <= {"event", "where"}:
        raise BadRequest(
            f"{field} is the name of an event, or {{event, where}}.", field=field, allowed=["event", "where"]
        )
    names = _names(said.get("event"), f"{field}.event")
    condition: Condition = event(*names) if names else ALWAYS
    for name, values in _mapping(said.get("where"), f"{field}.where").items():
        condition = condition & _comparison(name, values, f"{field}.where.{name}")
    return condition


def read_text(text: str, field: str) -> object:
    """What a text says a selection is: JSON where it begins with a brace, else the name of an event.

    Errors: `BadRequest`.
    """
    if len(text) > _LONGEST_TEXT:
        raise BadRequest(f"{field} has more than {_LONGEST_TEXT} characters.", field=field)
    if not text.startswith("{"):
        return text
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        example = '{"event": "purchase"}'
        raise BadRequest(f"{field} is the name of an event, or JSON such as {example}.", field=field) from None


def told(condition: Condition) -> dict[str, Any]:
    """The selection that means a condition which a selection has meant."""
    parts = condition.parts if isinstance(condition, All) else (condition,)
    comparisons = [part for part in parts if isinstance(part, Comparison)]
    said: dict[str, Any] = {}
    if comparisons and comparisons[0].field == Column("event") and comparisons[0].op is Op.IS:
        said["event"] = list(comparisons.pop(0).values)
    if comparisons:
        said["where"] = {str(part.field): _told_values(part) for part in comparisons}
    return said


def field_of(name: object, where: str, columns: Sequence[str] = COLUMNS) -> Field:
    """The field of that name: one of the columns, or a property as `props.…`. Errors: `BadRequest`."""
    if isinstance(name, str) and name.startswith(_PROPS) and len(name) <= _LONGEST_NAME:
        path = name.removeprefix(_PROPS)
        if all(path.split(".")):
            return Prop(path)
    if name in columns:
        return Column(str(name))
    raise BadRequest(f"There is no field {_shown(name)}.", field=where, allowed=[*columns, "props.…"])


def _told_values(part: Comparison) -> Any:
    return list(part.values) if part.op is Op.IS else {"op": str(part.op), "values": list(part.values)}


def _names(said: object, field: str) -> tuple[str, ...]:
    names = (
        () if said is None else (said,) if isinstance(said, str) else tuple(said) if isinstance(said, list) else None
    )
    if names is None or not all(isinstance(name, str) and name for name in names):
        raise BadRequest(f"{field} is a name or a list of names.", field=field)
    return tuple(map(str, names))


def _mapping(said: object, field: str) -> Mapping[str, Any]:
    if said is None:
        return {}
    if not isinstance(said, Mapping):
        raise BadRequest(f"{field} is an object of values by field.", field=field)
    return said


def _comparison(name: str, said: Any, field: str) -> Comparison:
    """One comparison of a selection."""
    op, values = Op.IS, said
    if isinstance(said, Mapping):
        if said.get("op") not in list(Op) or set(said) != {"op", "values"}:
            raise BadRequest(f"{field} is values, or {{op, values}}.", field=field, allowed=[str(op) for op in Op])
        op, values = Op(said["op"]), said["values"]
    texts = tuple(_text(value, field) for value in (values if isinstance(values, list) else [values]))
    if not texts:
        raise BadRequest(f"{field} needs a value.", field=field)
    if op is Op.MATCHES:
        _check_patterns(texts, field)
    return Comparison(field_of(name, field), op, texts)


def _text(value: object, field: str) -> str:
    """A value as the engine shows it as text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, str | int | float):
        return str(value)
    raise BadRequest(f"{field} can't be {_shown(value)}.", field=field, allowed=["a text", "a number", "true", "false"])


def _check_patterns(patterns: tuple[str, ...], field: str) -> None:
    for pattern in patterns:
        try:
            re2.compile(pattern, _QUIET)
        except re2.error:
            raise BadRequest(f"{_shown(pattern)} is no regular expression in RE2's syntax.", field=field) from None


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
