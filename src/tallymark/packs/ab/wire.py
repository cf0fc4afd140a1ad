"""From bytes to events: what mobile clients send, in any of the usual spellings, onto what the core takes."""

from collections.abc import Mapping
from typing import Any, Final

from tallymark.ingest.decode import WireEvent
from tallymark.packs import loose
from tallymark.packs.ab.contract import CONTRACT
from tallymark.packs.ab.names import APP_VERSION
from tallymark.packs.ab.unit import NAMES as UNIT_NAMES
from tallymark.packs.ab.unit import unit_in
from tallymark.packs.loose import Names, Refused, Sent
from tallymark.spec.event import Reason
from tallymark.spec.experiment import EXPERIMENT, EXPOSURE, VARIANT

#: What the core calls a field: the names that clients use. Of several in one event the first here counts.
NAMES: Final[Names] = {
    "event": ("eventName", "event_name", "event", "name"),
    "timestamp": ("occurredAt", "occurred_at", "timestamp"),
    "sentAt": ("sentAt", "sent_at"),
    "eventId": ("eventId", "event_id", "id"),
    "sessionId": ("sessionId", "session_id"),
    "value": ("value",),
    "properties": ("properties", "props", "metadata"),
}

#: Names of properties that may stand beside `properties`, and what they are called there.
_PROPERTIES: Final[Names] = {
    EXPERIMENT: ("experimentId", "experiment_id", "experimentKey", "experiment_key", "experiment"),
    VARIANT: ("variant", "variantId", "variant_id"),
    APP_VERSION: (APP_VERSION, "app_version"),
}

_EXPOSURES: Final = ("exposure", EXPOSURE)


def decode(body: bytes) -> Sent:
    """The events of a body. Errors: `UnreadableBody`."""
    return loose.decode(body, CONTRACT.field, (UNIT_NAMES, *NAMES.values(), *_PROPERTIES.values()), _event)


def _event(said: Mapping[str, Any]) -> WireEvent:
    """One event. Errors: `Refused`."""
    rest = dict(said)
    fields, beside = loose.taken(rest, NAMES), loose.taken(rest, _PROPERTIES)
    unit = _unit(rest)
    given = fields.pop("properties", {})
    if not isinstance(given, dict):
        raise Refused(Reason.MALFORMED, "`properties` are a JSON object.")
    properties = {**rest, **beside, **given}
    if fields.get("event") in _EXPOSURES:
        fields["event"] = EXPOSURE
        _check_exposure(unit, properties)
    return loose.converted({**fields, "properties": properties or None, "actor": unit}, said, NAMES)


def _unit(rest: dict[str, Any]) -> str | None:
    """Whose event it is. None of the names of units is left among the properties."""
    try:
        unit = unit_in(rest)
    except ValueError as error:
        raise Refused(Reason.MALFORMED, str(error)) from None
    for name in UNIT_NAMES:
        rest.pop(name, None)
    return unit


def _check_exposure(unit: str | None, properties: Mapping[str, Any]) -> None:
    told = {"unitId": unit, "experimentId": properties.get(EXPERIMENT), VARIANT: properties.get(VARIANT)}
    for name, given in told.items():
        if not isinstance(given, str) or not given:
            raise Refused(Reason.MALFORMED, f"An exposure names who met which variant of what: `{name}` is missing.")
