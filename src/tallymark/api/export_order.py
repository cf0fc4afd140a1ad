"""The body of an export's order: read field by field, every mistake told with what is allowed."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, TypeVar

from litestar.openapi.spec import Schema
from litestar.openapi.spec.enums import OpenAPIFormat, OpenAPIType

from tallymark.api.body import read_json
from tallymark.api.filter_list import listed_filter
from tallymark.api.question import asked_window
from tallymark.errors import BadQuery, BodyTooLarge
from tallymark.spec.export import Format, Order, What
from tallymark.spec.window import Grain

_LARGEST: Final = 65_536
_RANGE: Final = ("from", "to", "timezone", "grain")
_FIELDS: Final = ("project", "what", "format", "range", *_RANGE, "metrics", "by", "filters", "segments")

_TEXT: Final = Schema(type=OpenAPIType.STRING)
_TEXTS: Final = Schema(type=OpenAPIType.ARRAY, items=_TEXT)
_DAY: Final = Schema(
    type=OpenAPIType.STRING, format=OpenAPIFormat.DATE, description="YYYY-MM-DD; by default the last 30 days."
)
_DAYS: Final = {
    "from": _DAY,
    "to": _DAY,
    "timezone": Schema(type=OpenAPIType.STRING, description="Zone of the days; default the project's."),
    "grain": Schema(type=OpenAPIType.STRING, enum=[str(grain) for grain in Grain], description="Of metrics."),
}
#: The body for OpenAPI.
BODY: Final = Schema(
    type=OpenAPIType.OBJECT,
    properties={
        "project": Schema(type=OpenAPIType.STRING, description="Name or id; default: the key's own."),
        "what": Schema(type=OpenAPIType.STRING, enum=[str(what) for what in What]),
        "format": Schema(type=OpenAPIType.STRING, enum=[str(format) for format in Format]),
        "range": Schema(type=OpenAPIType.OBJECT, properties={**_DAYS}, additional_properties=False),
        **_DAYS,
        "metrics": Schema(type=OpenAPIType.ARRAY, items=_TEXT, description="Names; of metrics and rollups."),
        "by": Schema(type=OpenAPIType.STRING, description="A dimension; of metrics and rollups."),
        "filters": Schema(
            type=OpenAPIType.ARRAY, items=_TEXT, description="dimension:operator:value|value; all must hold."
        ),
        "segments": Schema(
            type=OpenAPIType.ARRAY, items=_TEXT, description="Keys of segments, whose filters must hold besides."
        ),
    },
    required=["what", "format"],
    additional_properties=False,
    examples=[
        {
            "project": "demo-web", "what": "metrics", "format": "csv", "metrics": ["visitors", "page_views"],
            "range": {"from": "2026-11-01", "to": "2026-11-21", "grain": "day"}, "filters": ["country:is:DE|FR"],
        }
    ],
)  # fmt: skip

_Word = TypeVar("_Word", bound=StrEnum)


def read_fields(body: bytes) -> Mapping[str, Any]:
    """The fields of an order. Errors: `UnreadableBody`, `BodyTooLarge`, `BadQuery`."""
    if len(body) > _LARGEST:
        raise BodyTooLarge(f"An order has at most {_LARGEST} bytes.")
    fields = read_json(body)
    if not isinstance(fields, dict):
        raise BadQuery("An order is a JSON object.", allowed=_FIELDS)
    _check_names(fields, _FIELDS, "")
    return fields


def read_project(fields: Mapping[str, Any]) -> str | None:
    """The project that is named, if one is. Errors: `BadQuery`."""
    return _text(fields, "project")


def read_what(fields: Mapping[str, Any]) -> What:
    """What is to be exported. Errors: `BadQuery`."""
    return _word(fields, "what", What)


def read_segments(fields: Mapping[str, Any]) -> list[str]:
    """The keys of segments that are named. Errors: `BadQuery`."""
    return _texts(fields, "segments")


def read_order(fields: Mapping[str, Any], timezone: str, now: datetime, segment_filters: Sequence[str] = ()) -> Order:
    """The order of a project in `timezone`, given at `now`; what `segments` stand for is given. Errors: `BadQuery`."""
    what = read_what(fields)
    days = _days(fields)
    if "grain" in days and what is not What.METRICS:
        raise BadQuery(f"There is no grain in {what}: it is of metrics.", field="grain")
    return Order(
        what=what,
        format=_word(fields, "format", Format),
        window=asked_window({name: [text] for name, text in days.items()}, timezone, now),
        metrics=tuple(dict.fromkeys(_texts(fields, "metrics"))),
        by=_text(fields, "by") or None,
        filter=listed_filter([*_texts(fields, "filters"), *segment_filters]),
    )


def _days(fields: Mapping[str, Any]) -> dict[str, str]:
    """What is said of the window, in `range` or beside it."""
    inside = fields.get("range")
    if inside is None:
        inside = {}
    if not isinstance(inside, dict):
        raise BadQuery('range is an object such as {"from": "2026-11-01", "to": "2026-11-21"}.', field="range")
    _check_names(inside, _RANGE, "range.")
    twice = [name for name in _RANGE if inside.get(name) is not None and fields.get(name) is not None]
    if twice:
        raise BadQuery(f"{twice[0]} is given in range and beside it; once is allowed.", field=twice[0])
    both = {name: _text(inside, name) or _text(fields, name) for name in _RANGE}
    return {name: text for name, text in both.items() if text}


def _check_names(fields: Mapping[str, Any], allowed: tuple[str, ...], where: str) -> None:
    unknown = sorted(set(fields) - set(allowed))
    if unknown:
        name = f"{where}{unknown[0][:80]}"
        raise BadQuery(f"An order has no field {name!r}.", field=name, allowed=allowed)


def _text(fields: Mapping[str, Any], name: str) -> str | None:
    value = fields.get(name)
    if value is not None and not isinstance(value, str):
        raise BadQuery(f"{name} is a text.", field=name)
    return value


def _texts(fields: Mapping[str, Any], name: str) -> list[str]:
    value = fields.get(name)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise BadQuery(f"{name} is a list of texts.", field=name)
    return value


def _word(fields: Mapping[str, Any], name: str, words: type[_Word]) -> _Word:
    given = _text(fields, name)
    if given not in list(words):
        said = "is missing" if given is None else f"can't be {given[:80]!r}"
        raise BadQuery(f"{name} {said}.", field=name, allowed=[str(word) for word in words])
    return words(given)
