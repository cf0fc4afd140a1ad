"""The body of an order for attempts as a file: read field by field, every mistake told with what is allowed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from litestar.openapi.spec import Schema
from litestar.openapi.spec.enums import OpenAPIFormat, OpenAPIType

from tallymark.api.body import read_json
from tallymark.api.question import window_of
from tallymark.errors import BadQuery, BodyTooLarge
from tallymark.spec.export import Format
from tallymark.spec.window import Window

_LARGEST: Final = 65_536
_FORMATS: Final = (Format.CSV, Format.JSON, Format.XLSX)
_FIELDS: Final = ("format", "filters")
_FILTERS: Final = ("quizId", "userId", "dateRange")
_RANGE: Final = ("start", "end")
_ENDS: Final = ("filters.dateRange.start", "filters.dateRange.end")

_TEXT: Final = Schema(type=OpenAPIType.STRING)
_DAY: Final = Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.DATE)
#: The body for OpenAPI.
BODY: Final = Schema(
    type=OpenAPIType.OBJECT,
    properties={
        "format": Schema(type=OpenAPIType.STRING, enum=[str(known) for known in _FORMATS]),
        "filters": Schema(
            type=OpenAPIType.OBJECT,
            properties={
                "quizId": _TEXT,
                "userId": _TEXT,
                "dateRange": Schema(
                    type=OpenAPIType.OBJECT,
                    properties={"start": _DAY, "end": _DAY},
                    additional_properties=False,
                    description="Both included; default: the last 30 days.",
                ),
            },
            additional_properties=False,
        ),
    },
    required=["format"],
    additional_properties=False,
    examples=[
        {
            "format": "xlsx",
            "filters": {"quizId": "algebra", "dateRange": {"start": "2026-11-01", "end": "2026-11-30"}},
        }
    ],
)


@dataclass(frozen=True)
class Wanted:
    """What is ordered."""

    format: Format
    quiz: str | None
    user: str | None
    days: Mapping[str, str]

    @classmethod
    def of(cls, body: bytes) -> "Wanted":
        """What a body orders; its days are read by `window`. Errors: `UnreadableBody`, `BodyTooLarge`, `BadQuery`."""
        if len(body) > _LARGEST:
            raise BodyTooLarge(f"An order has at most {_LARGEST} bytes.")
        fields = _object(read_json(body), "", _FIELDS)
        filters = _object(fields.get("filters"), "filters", _FILTERS)
        days = _object(filters.get("dateRange"), "filters.dateRange", _RANGE)
        return cls(
            _format(fields.get("format")),
            _text(filters, "quizId", "filters."),
            _text(filters, "userId", "filters."),
            {f"filters.dateRange.{name}": text for name in _RANGE if (text := _text(days, name, "filters.dateRange."))},
        )

    def window(self, timezone: str, now: datetime) -> Window:
        """The days. Errors: `BadQuery`."""
        return window_of({name: [text] for name, text in self.days.items()}, timezone, now, _ENDS)


def _object(said: Any, field: str, known: tuple[str, ...]) -> Mapping[str, Any]:
    """An object with no other fields than these; nothing is an empty one."""
    if said is None and field:
        return {}
    if not isinstance(said, Mapping):
        raise BadQuery(f"{field or 'An order'} is a JSON object.", field=field or None, allowed=known)
    unknown = sorted(set(said) - set(known))
    if unknown:
        name = f"{field}.{unknown[0][:80]}" if field else unknown[0][:80]
        raise BadQuery(f"An order has no field {name!r}.", field=name, allowed=known)
    return said


def _text(said: Mapping[str, Any], name: str, where: str) -> str | None:
    value = said.get(name)
    if value is not None and not (isinstance(value, str) and value):
        raise BadQuery(f"{where}{name} is a text.", field=f"{where}{name}")
    return value


def _format(said: Any) -> Format:
    if said not in _FORMATS:
        told = "is missing" if said is None else f"can't be {str(said)[:80]!r}"
        raise BadQuery(f"format {told}.", field="format", allowed=[str(known) for known in _FORMATS])
    return Format(said)
