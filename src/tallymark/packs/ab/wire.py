"""From bytes to events: what mobile clients send, in any of the usual spellings, onto what the core takes."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

import msgspec

from tallymark.errors import UnreadableBody
from tallymark.ingest.decode import Decoded, Rejection, WireEvent, well_formed
from tallymark.packs.ab.contract import CONTRACT
from tallymark.packs.ab.names import APP_VERSION
from tallymark.packs.ab.unit import NAMES as UNIT_NAMES
from tallymark.packs.ab.unit import unit_in
from tallymark.spec.event import Reason
from tallymark.spec.experiment import EXPERIMENT, EXPOSURE, VARIANT

#: What the core calls a field: the names that clients use. Of several in one event the first here counts.
NAMES: Final[Mapping[str, Sequence[str]]] = {
    "event": ("eventName", "event_name", "event", "name"),
    "timestamp": ("occurredAt", "occurred_at", "timestamp"),
    "sentAt": ("sentAt", "sent_at"),
    "eventId": ("eventId", "event_id", "id"),
    "sessionId": ("sessionId", "session_id"),
    "value": ("value",),
    "properties": ("properties", "props", "metadata"),
}

#: Names of properties that may stand beside `properties`, and what they are called there.
_PROPERTIES: Final[Mapping[str, Sequence[str]]] = {
    EXPERIMENT: ("experimentId", "experiment_id", "experimentKey", "experiment_key", "experiment"),
    VARIANT: ("variant", "variantId", "variant_id"),
    APP_VERSION: (APP_VERSION, "app_version"),
}

_EXPOSURES: Final = ("exposure", EXPOSURE)
_TIMES: Final = ("timestamp", "sentAt")
_TEXTS: Final = ("eventId", "sessionId")


class Sent(NamedTuple):
    """The events of a body, and the project that it names."""

    decoded: Decoded
    project: str | None


class _Refused(Exception):
    """An event can't be taken."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason, self.message = reason, message


def decode(body: bytes) -> Sent:
    """The events of JSON: one, an array, or an envelope whose other fields are those of every event without its own.

    Errors: `UnreadableBody`.
    """
    said = well_formed(body, msgspec.json.decode)
    project = said.pop(CONTRACT.field, None) if isinstance(said, dict) else None
    events: list[WireEvent] = []
    places: list[int] = []
    decoded = Decoded(events, places)
    for place, loose in enumerate(_loose(said)):
        try:
            events.append(_event(loose))
            places.append(place)
        except _Refused as refused:
            decoded.rejections.append(Rejection(place, refused.reason, refused.message))
    return Sent(decoded, project if isinstance(project, str) else None)


def _loose(said: Any) -> list[Any]:
    if isinstance(said, list):
        return said
    if not isinstance(said, dict):
        raise UnreadableBody("The body is no event, array of events or envelope.")
    if "events" not in said:
        return [said]
    events = said.pop("events")
    if not isinstance(events, list):
        raise UnreadableBody("The `events` of an envelope are an array.")
    return [_within(said, event) if isinstance(event, dict) else event for event in events]


def _within(envelope: Mapping[str, Any], event: Mapping[str, Any]) -> dict[str, Any]:
    """An event with what its envelope says of every event that doesn't say it itself, by whatever name."""
    groups = (UNIT_NAMES, *NAMES.values(), *_PROPERTIES.values())
    own = {name for names in groups if any(event.get(name) is not None for name in names) for name in names}
    return {**{name: value for name, value in envelope.items() if name not in own}, **event}


def _event(loose: Any) -> WireEvent:
    """One event. Errors: `_Refused`, which names fields and never values."""
    if not isinstance(loose, dict):
        raise _Refused(Reason.MALFORMED, "An event is a JSON object.")
    rest = dict(loose)
    fields = {field: value for field, names in NAMES.items() if (value := _taken(rest, names)) is not None}
    beside = {name: value for name, names in _PROPERTIES.items() if (value := _taken(rest, names)) is not None}
    unit = _unit(rest)
    given = fields.pop("properties", {})
    if not isinstance(given, dict):
        raise _Refused(Reason.MALFORMED, "`properties` are a JSON object.")
    properties = {**rest, **beside, **given}
    if fields.get("event") in _EXPOSURES:
        fields["event"] = EXPOSURE
        _check_exposure(unit, properties)
    return _converted({**fields, "properties": properties or None, "actor": unit}, loose)


def _taken(rest: dict[str, Any], names: Sequence[str]) -> Any:
    """The value of the first of these names that has one, taken out."""
    found = next((name for name in names if rest.get(name) is not None), None)
    return None if found is None else rest.pop(found)


def _unit(rest: dict[str, Any]) -> str | None:
    """Whose event it is. None of the names of units is left among the properties."""
    try:
        unit = unit_in(rest)
    except ValueError as error:
        raise _Refused(Reason.MALFORMED, str(error)) from None
    for name in UNIT_NAMES:
        rest.pop(name, None)
    return unit


def _check_exposure(unit: str | None, properties: Mapping[str, Any]) -> None:
    told = {"unitId": unit, "experimentId": properties.get(EXPERIMENT), VARIANT: properties.get(VARIANT)}
    for name, given in told.items():
        if not isinstance(given, str) or not given:
            raise _Refused(Reason.MALFORMED, f"An exposure names who met which variant of what: `{name}` is missing.")


def _converted(fields: dict[str, Any], loose: Mapping[str, Any]) -> WireEvent:
    for name in _TIMES:
        if isinstance(fields.get(name), str):
            fields[name] = _time(fields[name])
    for name in _TEXTS:
        if isinstance(fields.get(name), int) and not isinstance(fields[name], bool):
            fields[name] = str(fields[name])
    try:
        return msgspec.convert(fields, WireEvent)
    except msgspec.ValidationError as error:
        raise _refusal(error, loose) from None


def _time(text: str) -> datetime | str:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return text


def _refusal(error: Exception, loose: Mapping[str, Any]) -> _Refused:
    """Why an event is refused: what msgspec says, with the field as its sender calls it."""
    text = str(error)[:300].rstrip(".")
    field = text.rpartition("`$.")[2].partition("`")[0].partition(".")[0].partition("[")[0]
    called = next((name for name in NAMES.get(field, ()) if loose.get(name) is not None), field)
    text = text.replace(f"`$.{field}", f"`$.{called}")
    if field in _TIMES:
        hint = "A time is ISO 8601 text or a number of seconds or milliseconds since 1970."
        return _Refused(Reason.BAD_TIMESTAMP, f"{text}. {hint}")
    return _Refused(Reason.BAD_VALUE if field == "value" else Reason.MALFORMED, f"{text}.")
