"""From bytes to events: the web contract's fields in any of their spellings, onto what the core takes.

A body whose every event has the usual names is decoded in one go. Only where that fails is each event looked at
alone: names are put right, unknown fields become properties, a wrong type refuses that event.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import msgspec

from tallymark.errors import UnreadableBody
from tallymark.ingest.decode import Rejection, well_formed
from tallymark.packs.web.address import Surroundings
from tallymark.packs.web.settle import MEASURES, settle
from tallymark.packs.web.web_event import NAMES, WebEvent, named
from tallymark.spec.event import Reason


class _Body(WebEvent, gc=False, forbid_unknown_fields=True, rename="camel"):
    """One event, or an envelope around many."""

    events: list[WebEvent] | None = None


@dataclass
class Sent:
    """The well-formed events of a body with their places in it; refused ones with the property that they name."""

    events: Sequence[WebEvent]
    places: Sequence[int]
    refused: list[tuple[str | None, Rejection]] = field(default_factory=list)


_ARRAY = msgspec.json.Decoder(list[WebEvent])
_BODY = msgspec.json.Decoder(_Body)

_TIMES: Final = ("occurredAt", "sentAt")
_NUMBERS: Final = ("value", *MEASURES)


def decode(body: bytes, around: Surroundings) -> Sent:
    """The events of JSON: one, an array, or an envelope whose other fields are those of every event without its own.

    Errors: `UnreadableBody`.
    """
    return _settled(well_formed(body, _read), around)


def decode_form(fields: Mapping[str, Any], around: Surroundings) -> Sent:
    """The one event of a form's fields, where numbers and flags are texts."""
    return _settled(_each([fields], strict=False), around)


def _read(body: bytes) -> Sent:
    try:
        events = _at_once(body)
    except msgspec.ValidationError:
        events = None
    return _each(_loose(msgspec.json.decode(body))) if events is None else Sent(events, range(len(events)))


def _at_once(body: bytes) -> list[WebEvent] | None:
    """All events; None for an envelope that has more to say than when it was sent."""
    if body.lstrip()[:1] == b"[":
        return _ARRAY.decode(body)
    decoded = _BODY.decode(body)
    if decoded.events is None:
        return [decoded]
    if decoded != _Body(events=decoded.events, sent_at=decoded.sent_at):
        return None
    for event in decoded.events:
        if event.sent_at is None:
            event.sent_at = decoded.sent_at
    return decoded.events


def _loose(body: Any) -> list[Any]:
    """The events of what the JSON says, each with the envelope's fields that it doesn't have itself."""
    if isinstance(body, list):
        return body
    if not isinstance(body, dict):
        raise UnreadableBody("The body is no event, array of events or envelope.")
    if "events" not in body:
        return [body]
    events = body.pop("events")
    if not isinstance(events, list):
        raise UnreadableBody("The `events` of an envelope are an array.")
    fields, unknown, _ = named(body)
    return [_within(fields, unknown, event) if isinstance(event, dict) else event for event in events]


def _within(fields: Mapping[str, Any], unknown: Mapping[str, Any], event: Mapping[str, Any]) -> dict[str, Any]:
    """An event with an envelope's fields."""
    own = {NAMES[name][0] for name, value in event.items() if name in NAMES and value is not None}
    return {**unknown, **{name: value for name, value in fields.items() if name not in own}, **event}


def _each(loose: Sequence[Any], strict: bool = True) -> Sent:
    """Every event by itself: the slow way."""
    events: list[WebEvent] = []
    places: list[int] = []
    sent = Sent(events, places)
    for place, event in enumerate(loose):
        if not isinstance(event, Mapping):
            sent.refused.append((None, Rejection(place, Reason.MALFORMED, "An event is a JSON object.")))
            continue
        fields, unknown, called = named(event)
        try:
            events.append(_one(fields, unknown, strict))
            places.append(place)
        except msgspec.ValidationError as error:
            meant = fields.get("propertyId")
            sent.refused.append((meant if isinstance(meant, str) else None, _rejection(place, error, called)))
    return sent


def _one(fields: dict[str, Any], unknown: dict[str, Any], strict: bool) -> WebEvent:
    """An event of named fields; its times may be ISO 8601 in any of its forms."""
    for name in _TIMES:
        if isinstance(fields.get(name), str):
            fields[name] = _time(fields[name])
    event = msgspec.convert(fields, WebEvent, strict=strict)
    if unknown:
        event.properties = {**unknown, **(event.properties or {})}
    return event


def _time(text: str) -> datetime | str:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return text


def _rejection(place: int, error: Exception, called: Mapping[str, str]) -> Rejection:
    """Why an event is refused: what msgspec says, which names places and types but never values."""
    text = str(error)[:300].rstrip(".")
    name = text.rpartition("`$.")[2].partition("`")[0].partition(".")[0].partition("[")[0]
    text = text.replace(f"`$.{name}", f"`$.{called.get(name, name)}")
    if name in _TIMES:
        hint = "A time is ISO 8601 text or a number of seconds or milliseconds since 1970."
        return Rejection(place, Reason.BAD_TIMESTAMP, f"{text}. {hint}")
    return Rejection(place, Reason.BAD_VALUE if name in _NUMBERS else Reason.MALFORMED, f"{text}.")


def _settled(sent: Sent, around: Surroundings) -> Sent:
    """The same events as the core takes them; those that say what can't be are refused."""
    bad = {i: problem for i, event in enumerate(sent.events) if (problem := settle(event, around))}
    if not bad:
        return sent
    for i, problem in bad.items():
        sent.refused.append((sent.events[i].property_id, Rejection(sent.places[i], Reason.MALFORMED, problem)))
    kept = [i for i in range(len(sent.events)) if i not in bad]
    return Sent([sent.events[i] for i in kept], [sent.places[i] for i in kept], sent.refused)
