"""An event as pages send it: its fields, and everything else that they may be called."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Final

import msgspec

from tallymark.ingest.decode import WireEvent

_MOST: Final = 10**9
_Measure = Annotated[int, msgspec.Meta(ge=0, le=_MOST)] | Annotated[float, msgspec.Meta(ge=0, le=_MOST)] | None


class WebEvent(WireEvent, gc=False, forbid_unknown_fields=True, rename="camel"):
    """The web contract's fields; `tallymark.packs.web.settle` puts them into those of a `WireEvent`."""

    event_type: str | None = None
    occurred_at: datetime | float | None = None
    property_id: str | None = None
    path: str | None = None
    title: Any = None
    device_type: Any = None
    traffic_source: str | None = None
    utm: dict[str, str | None] | None = None
    utm_source: str | None = None
    utm_medium: str | None = None
    utm_campaign: str | None = None
    utm_term: str | None = None
    utm_content: str | None = None
    engaged_time_ms: _Measure = None
    scroll_depth_percent: _Measure = None
    ttfb_ms: _Measure = None
    fcp_ms: _Measure = None
    lcp_ms: _Measure = None
    inp_ms: _Measure = None
    cls_score: _Measure = None
    is_entrance: bool | None = None
    is_exit: bool | None = None
    is_conversion: bool | None = None
    consent: bool | str | dict[str, Any] | None = None


#: Fields by what else they may be called, the better name first; snake_case goes without saying.
ALIASES: Final[Mapping[str, tuple[str, ...]]] = {
    "eventType": ("event", "type"),
    "eventId": ("id",),
    "occurredAt": ("timestamp",),
    "url": ("pageUrl", "page_url"),
    "trafficSource": ("channel",),
    "properties": ("payload", "data", "metadata"),
}
_INHERITED: Final = {alias for aliases in ALIASES.values() for alias in aliases}

#: Of every name that is known: the field, and how good a name of it it is, 0 the best.
NAMES: Final[Mapping[str, tuple[str, int]]] = {
    **{
        spelling: (camel, 0)
        for camel, snake in zip(WebEvent.__struct_encode_fields__, WebEvent.__struct_fields__, strict=True)
        for spelling in (snake, camel)
        if camel not in _INHERITED
    },
    **{alias: (name, rank) for name, aliases in ALIASES.items() for rank, alias in enumerate(aliases, 1)},
}


def named(event: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any], dict[str, str]]:
    """An event's fields by their right names, the unknown ones, and what the sender called each that is known.

    A field that is given twice counts by its better name; the other one is then an unknown one. What is null is not
    given.
    """
    called: dict[str, str] = {}
    for name, value in event.items():
        if name in NAMES and value is not None:
            field, rank = NAMES[name]
            if field not in called or rank < NAMES[called[field]][1]:
                called[field] = name
    used = {*called.values()}
    unknown = {name: value for name, value in event.items() if name not in used and value is not None}
    return {field: event[name] for field, name in called.items()}, unknown, called
