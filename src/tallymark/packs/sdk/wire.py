"""A payload of counters as SDKs send it, and the events that it is."""

import hashlib
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec

from tallymark.errors import BadRequest
from tallymark.ingest.decode import Decoded, Rejection, WireEvent, well_formed
from tallymark.packs.sdk.contract import TooManyNames
from tallymark.packs.sdk.names import ALL, NETWORK, VERSION
from tallymark.spec.event import Reason

MOST_COUNTERS: Final = 64
_LARGEST: Final = 1e15
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.:-]{0,99}", re.ASCII)
_NETWORK: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,31}", re.ASCII)
_VERSION: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+_-]{0,63}", re.ASCII)
_LONGEST_ID: Final = 200

_encode = msgspec.json.Encoder(order="deterministic").encode


class Payload(msgspec.Struct, rename="camel"):
    """The body of `POST /sdk/api/v1/events`; other fields are let pass and dropped."""

    sdk_version: str
    network: str
    timestamp: float | datetime
    metrics: dict[str, Any]
    app_id_hash: str | None = None
    idempotency_key: str | None = None


#: Field: what it must look like, and in words.
_TEXTS: Final[Mapping[str, tuple[re.Pattern[str], str]]] = {
    "sdkVersion": (_VERSION, "1 to 64 of letters, digits, '.', '+', '_', '-'"),
    "network": (_NETWORK, "1 to 32 of letters, digits, '.', '_', ':', '-'"),
}


@dataclass(frozen=True)
class Counters:
    """A payload, and the names of its counters in order, which places in refusals count."""

    payload: Payload
    names: tuple[str, ...]

    def events(self) -> Decoded:
        """An event for each counter; a counter that is none is refused alone.

        Each has an identity: that of the payload's `idempotencyKey`, or of all it says, so that one which is sent
        again counts once.
        """
        payload, restamped = self.payload, self.payload.idempotency_key is not None
        identity = f"{payload.app_id_hash or ''}\n{self._identity()}"
        decoded = Decoded([], [], restamped=restamped)
        events: list[WireEvent] = []
        places: list[int] = []
        for place, name in enumerate(self.names):
            if (problem := _problem(name, payload.metrics[name])) is not None:
                decoded.rejections.append(Rejection(place, *problem))
                continue
            places.append(place)
            events.append(
                WireEvent(
                    event=name,
                    timestamp=payload.timestamp,
                    event_id=f"{identity}\n{name}",
                    actor=payload.app_id_hash,
                    value=float(payload.metrics[name]),
                    properties={NETWORK: payload.network, VERSION: payload.sdk_version},
                )
            )
        return Decoded(events, places, decoded.rejections, restamped)

    def _identity(self) -> str:
        if self.payload.idempotency_key is not None:
            return f"k{self.payload.idempotency_key}"
        metrics = {name: _plain(value) for name, value in self.payload.metrics.items()}
        said = msgspec.structs.replace(self.payload, metrics=metrics)
        return f"c{hashlib.blake2b(_encode(said), digest_size=16).hexdigest()}"


def _plain(value: Any) -> Any:
    """The same number for 1 and 1.0, which some clients write for each other."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def read(body: bytes) -> Any:
    """What the JSON of a body says. Errors: `UnreadableBody`."""
    return well_formed(body, msgspec.json.decode)


def counters(said: Any) -> Counters:
    """The counters that a body's JSON says. Errors: `BadRequest`, which names fields and never values."""
    try:
        payload = msgspec.convert(said, Payload)
    except msgspec.ValidationError as error:
        raise _mistake(error) from None
    _check_texts(payload)
    if not payload.metrics:
        raise BadRequest("A payload has at least one counter.", field="metrics")
    if len(payload.metrics) > MOST_COUNTERS:
        message = f"{len(payload.metrics)} counters are more than the {MOST_COUNTERS} allowed in a payload."
        raise TooManyNames(message, field="metrics")
    return Counters(payload, tuple(payload.metrics))


def is_network(text: str) -> bool:
    """Whether a text may be a network's name."""
    return _NETWORK.fullmatch(text) is not None and text != ALL


def _check_texts(payload: Payload) -> None:
    for field, text in (("sdkVersion", payload.sdk_version), ("network", payload.network)):
        pattern, rule = _TEXTS[field]
        if not pattern.fullmatch(text) or text == ALL:
            raise BadRequest(f"{field} can't be that.", field=field, allowed=[rule])
    for field, given in (("appIdHash", payload.app_id_hash), ("idempotencyKey", payload.idempotency_key)):
        if given is not None and not 0 < len(given) <= _LONGEST_ID:
            raise BadRequest(f"{field} must have 1 to {_LONGEST_ID} characters.", field=field)


def _problem(name: str, value: Any) -> tuple[Reason, str] | None:
    """Why a counter is none."""
    if not _NAME.fullmatch(name):
        rule = "1 to 100 of letters, digits, '_', '.', ':', '-', the first a letter"
        return Reason.MALFORMED, f"A counter's name is {rule}."
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not math.isfinite(value) or not 0 <= value <= _LARGEST:
        return Reason.BAD_VALUE, "An increment is a number between 0 and 1e15."
    return None


def _mistake(error: msgspec.ValidationError) -> BadRequest:
    """What msgspec says, which names fields and types but never values."""
    text = str(error)[:300].rstrip(".")
    missing = re.search(r"required field `([A-Za-z]+)`", text)
    wrong = re.search(r"`\$\.([A-Za-z]+)", text)
    found = missing or wrong
    return BadRequest(f"{text}.", field=found[1] if found else None)
