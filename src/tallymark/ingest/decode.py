"""From bytes to events: JSON (one event, an array, `{"events": […]}`) or NDJSON, each parsed once.

A body whose every event is well-formed is decoded in one go. Only where that fails is each event looked at alone,
so that a bad one is refused by itself and its batch-mates are kept.
"""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

import msgspec

from tallymark.errors import UnreadableBody
from tallymark.ingest import pii
from tallymark.spec.event import Reason

_T = TypeVar("_T")


class WireEvent(msgspec.Struct, gc=False, forbid_unknown_fields=True, rename="camel"):
    """An event as it is sent. `userAgent` and `ip` are for servers that send for a browser; neither is stored."""

    event: str = ""
    timestamp: datetime | float | None = None
    sent_at: datetime | float | None = None
    event_id: str | None = None
    actor: str | None = None
    user_id: str | None = None
    visitor_id: str | None = None
    anonymous_id: str | None = None
    session_id: str | None = None
    value: float | None = None
    url: str | None = None
    referrer: str | None = None
    properties: dict[str, Any] | None = None
    user_agent: str | None = None
    ip: str | None = None
    channel: str | None = None


class _Body(WireEvent, gc=False, forbid_unknown_fields=True, rename="camel"):
    """One event, or an envelope around many."""

    events: list[WireEvent] | None = None


class _RawBody(msgspec.Struct, rename="camel"):
    events: list[msgspec.Raw] | None = None
    sent_at: msgspec.Raw = msgspec.Raw()


@dataclass(frozen=True)
class Rejection:
    """A refused event: its place in the request, why, and what to do about it."""

    index: int
    reason: Reason
    message: str


@dataclass
class Decoded:
    """The well-formed events of a body with their places in it, and the others as rejections.

    `restamped`: a sender that sends an event again may give it another time.
    """

    events: Sequence[WireEvent]
    places: Sequence[int]
    rejections: list[Rejection] = field(default_factory=list)
    restamped: bool = False


_ARRAY = msgspec.json.Decoder(list[WireEvent])
_BODY = msgspec.json.Decoder(_Body)
_EVENT = msgspec.json.Decoder(WireEvent)
_RAW_ARRAY = msgspec.json.Decoder(list[msgspec.Raw])
_RAW_BODY = msgspec.json.Decoder(_RawBody)

_NOT_OF_AN_ENVELOPE = [name for name in WireEvent.__struct_fields__ if name not in ("event", "sent_at")]
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_PATH = re.compile(r"`\$\.?([A-Za-z]*)")
_REASONS = {"timestamp": Reason.BAD_TIMESTAMP, "sentAt": Reason.BAD_TIMESTAMP, "value": Reason.BAD_VALUE}
_HINTS = {
    Reason.BAD_TIMESTAMP: " A time is ISO 8601 text or a number of seconds or milliseconds since 1970.",
    Reason.BAD_VALUE: " A value is a finite number.",
}
_BROKEN = (msgspec.DecodeError, RecursionError, ValueError)


def decode(body: bytes, ndjson: bool = False) -> Decoded:
    """The events of a body. Errors: `UnreadableBody` where it can't be parsed as a whole."""
    return _decode_lines(body) if ndjson else well_formed(body, _decode_json)


def well_formed(body: bytes, read: Callable[[bytes], _T]) -> _T:
    """What `read` makes of a body that is JSON, halves of characters mended. Errors: `UnreadableBody`."""
    try:
        try:
            return read(body)
        except msgspec.DecodeError:
            if not _SURROGATE.search(body):
                raise
            return read(_without_lone_surrogates(body))
    except _BROKEN as error:
        raise UnreadableBody(f"The body is no JSON: {_text(error)}") from None


def _decode_json(body: bytes) -> Decoded:
    try:
        return _whole(_decode_at_once(body))
    except msgspec.ValidationError:
        return _each(_raw_events(body))


def _without_lone_surrogates(body: bytes) -> bytes:
    """The same JSON with `?` for halves of characters: browsers send them where a text was cut within an emoji."""
    return json.dumps(json.loads(body), ensure_ascii=False).encode("utf-8", "replace")


def _decode_at_once(body: bytes) -> list[WireEvent]:
    if body.lstrip()[:1] == b"[":
        return _ARRAY.decode(body)
    decoded = _BODY.decode(body)
    if decoded.events is None:
        return [decoded]
    if decoded.event or any(getattr(decoded, name) is not None for name in _NOT_OF_AN_ENVELOPE):
        raise UnreadableBody("An envelope has `events` and `sentAt`; an event's own fields belong into its events.")
    if decoded.sent_at is not None:
        for event in decoded.events:
            if event.sent_at is None:
                event.sent_at = decoded.sent_at
    return decoded.events


def _decode_lines(body: bytes) -> Decoded:
    try:
        return _whole(_EVENT.decode_lines(body))
    except _BROKEN:
        return _each([line for line in body.split(b"\n") if line.strip()])


def _whole(events: list[WireEvent]) -> Decoded:
    return Decoded(events, range(len(events)))


def _raw_events(body: bytes) -> list[bytes]:
    """The events of a well-formed body as bytes, with the envelope's `sentAt` left to each event's own."""
    try:
        if body.lstrip()[:1] == b"[":
            return [bytes(raw) for raw in _RAW_ARRAY.decode(body)]
        decoded = _RAW_BODY.decode(body)
    except msgspec.ValidationError as error:
        raise UnreadableBody(f"The body is no event, array of events or envelope: {_text(error)}") from None
    if decoded.events is None:
        return [body]
    return [_with_sent_at(bytes(raw), bytes(decoded.sent_at)) for raw in decoded.events]


def _with_sent_at(event: bytes, sent: bytes) -> bytes:
    """An event that takes over the envelope's `sentAt`, first, so that its own wins."""
    rest = event.lstrip()
    if not sent or not rest.startswith(b"{"):
        return event
    inside = rest[1:].lstrip()
    return b'{"sentAt":' + sent + (b"" if inside.startswith(b"}") else b",") + inside


def _each(lines: list[bytes]) -> Decoded:
    """Every event by itself: the slow way, for bodies with a malformed event in them."""
    decoded = Decoded([], [])
    events: list[WireEvent] = []
    places: list[int] = []
    for place, line in enumerate(lines):
        try:
            events.append(_one(line))
            places.append(place)
        except _BROKEN as error:
            decoded.rejections.append(_rejection(place, error))
    decoded.events, decoded.places = events, places
    return decoded


def _one(line: bytes) -> WireEvent:
    """An event by itself; its times may be ISO 8601 in any of its forms, a bare day too."""
    try:
        return _EVENT.decode(line)
    except msgspec.ValidationError as error:
        found = _PATH.search(str(error))
        if found is None or found.group(1) not in ("timestamp", "sentAt"):
            raise
        loose = msgspec.json.decode(line)
        parsed = {name: _iso(loose[name]) for name in ("timestamp", "sentAt") if isinstance(loose.get(name), str)}
        if None in parsed.values() or not parsed:
            raise
        return msgspec.convert({**loose, **parsed}, WireEvent)


def _iso(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _rejection(place: int, error: Exception) -> Rejection:
    found = _PATH.search(str(error))
    reason = _REASONS.get(found.group(1), Reason.MALFORMED) if found else Reason.MALFORMED
    return Rejection(place, reason, _text(error) + _HINTS.get(reason, _FIELDS if "unknown field" in str(error) else ""))


_FIELDS = f" Fields are {', '.join(WireEvent.__struct_encode_fields__)}."


def _text(error: Exception) -> str:
    """What msgspec says, which names places and types but never values; personal data in a field's name is none."""
    if isinstance(error, RecursionError):
        return "It is nested too deeply."
    return str(pii.redacted(str(error)[:300])).rstrip(".") + "."
