"""Bodies of events in any of several spellings: what clients call a field, onto what the core calls it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

import msgspec

from tallymark.errors import UnreadableBody
from tallymark.ingest.decode import Decoded, Rejection, WireEvent, well_formed
from tallymark.ingest.receive import Receipt
from tallymark.spec.event import Reason

#: What is called by several names: of several in one event the first counts.
Names = Mapping[str, Sequence[str]]

_encode = msgspec.json.encode

_TIMES: Final = ("timestamp", "sentAt")
_TEXTS: Final = ("eventId", "sessionId", "actor")


class Sent(NamedTuple):
    """The events of a body, and the project that it names."""

    decoded: Decoded
    project: str | None


class Refused(Exception):
    """An event can't be taken. The message names fields and never values."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason, self.message = reason, message


def decode(body: bytes, project_field: str, groups: Iterable[Sequence[str]], event: Callable[[Any], WireEvent]) -> Sent:
    """The events of JSON: one, an array, or an envelope whose other fields are those of every event without its own.

    `groups` are the names that mean the same; `event` makes an event of what is said of one, or raises `Refused`.
    Errors: `UnreadableBody`.
    """
    said = well_formed(body, msgspec.json.decode)
    project = said.pop(project_field, None) if isinstance(said, dict) else None
    events: list[WireEvent] = []
    places: list[int] = []
    decoded = Decoded(events, places)
    for place, loose in enumerate(_each(said, groups)):
        try:
            if not isinstance(loose, dict):
                raise Refused(Reason.MALFORMED, "An event is a JSON object.")
            events.append(event(loose))
            places.append(place)
        except Refused as refused:
            decoded.rejections.append(Rejection(place, refused.reason, refused.message))
    return Sent(decoded, project if isinstance(project, str) else None)


def _each(said: Any, groups: Iterable[Sequence[str]]) -> list[Any]:
    if isinstance(said, list):
        return said
    if not isinstance(said, dict):
        raise UnreadableBody("The body is no event, array of events or envelope.")
    if "events" not in said:
        return [said]
    events = said.pop("events")
    if not isinstance(events, list):
        raise UnreadableBody("The `events` of an envelope are an array.")
    known = list(groups)
    return [_within(said, event, known) if isinstance(event, dict) else event for event in events]


def _within(envelope: Mapping[str, Any], event: Mapping[str, Any], groups: Sequence[Sequence[str]]) -> dict[str, Any]:
    """An event with what its envelope says of every event that doesn't say it itself, by whatever name."""
    own = {name for names in groups if any(event.get(name) is not None for name in names) for name in names}
    return {**{name: value for name, value in envelope.items() if name not in own}, **event}


def told(receipt: Receipt) -> tuple[int, bytes]:
    """Status and body of the answer to such a body: `{success, accepted, rejected}`, an error where all is refused."""
    rejected = [{"index": r.index, "reason": r.reason, "message": r.message} for r in receipt.rejected]
    body: dict[str, Any] = {"success": True, "accepted": receipt.accepted, "rejected": rejected}
    if receipt.rejected and not receipt.accepted:
        first = receipt.rejected[0]
        return 400, _encode({**body, "success": False, "error": first.reason, "message": first.message})
    return 202, _encode(body)


def taken(rest: dict[str, Any], names: Names) -> dict[str, Any]:
    """What is said under these names, taken out: by what each is called here."""
    found: dict[str, Any] = {}
    for called, spellings in names.items():
        for name in spellings:
            if rest.get(name) is not None:
                found[called] = rest.pop(name)
                break
    return found


def converted(fields: dict[str, Any], loose: Mapping[str, Any], names: Names) -> WireEvent:
    """The event of fields as the core calls them; times may be any ISO 8601, ids whole numbers.

    `names` are those that the sender has for fields. Errors: `Refused`.
    """
    for name in _TIMES:
        if isinstance(fields.get(name), str):
            fields[name] = _time(fields[name])
    for name in _TEXTS:
        if isinstance(fields.get(name), int) and not isinstance(fields[name], bool):
            fields[name] = str(fields[name])
    try:
        return msgspec.convert(fields, WireEvent)
    except msgspec.ValidationError as error:
        raise _refusal(error, loose, names) from None


def _time(text: str) -> datetime | str:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return text


def _refusal(error: Exception, loose: Mapping[str, Any], names: Names) -> Refused:
    """Why an event is refused: what msgspec says, with the field as its sender calls it."""
    text = str(error)[:300].rstrip(".")
    field = text.rpartition("`$.")[2].partition("`")[0].partition(".")[0].partition("[")[0]
    called = next((name for name in names.get(field, ()) if loose.get(name) is not None), field)
    text = text.replace(f"`$.{field}", f"`$.{called}")
    if field in _TIMES:
        hint = "A time is ISO 8601 text or a number of seconds or milliseconds since 1970."
        return Refused(Reason.BAD_TIMESTAMP, f"{text}. {hint}")
    return Refused(Reason.BAD_VALUE if field == "value" else Reason.MALFORMED, f"{text}.")
