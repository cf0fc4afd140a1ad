"""From what a call says to the JSON of a payload."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import msgspec

from tallymark.client.lane import Lane


class Unsendable(Exception):
    """A payload can't be sent. Its message tells nothing of what the payload says."""


def encode(lane: Lane, given: Mapping[str, Any], largest: int) -> bytes:
    """A payload of a lane as JSON, with an identity and a time of now where it has none; what is None is left out.

    Errors: `Unsendable`, and whatever the code of a value's own class raises.
    """
    said = {name: value for name, value in given.items() if value is not None}
    _check_value(said.get("value"))
    if not any(name in said for name in lane.identities):
        said[lane.identities[0]] = uuid4().hex
    _stamp(said, lane)
    body = _ENCODER.encode(said)
    if len(body) > largest:
        raise Unsendable(f"{len(body)} bytes are more than the {largest} of a request")
    return body


def why(error: Exception) -> str:
    """Why a payload could not be made, in words without anything of what it says."""
    return str(error) if isinstance(error, Unsendable) else type(error).__name__


def _check_value(value: Any) -> None:
    """JSON has no infinity: the number would be gone without a word."""
    if isinstance(value, float) and not math.isfinite(value):
        raise Unsendable("value is no finite number")


def _stamp(said: dict[str, Any], lane: Lane) -> None:
    """Makes sure of a time; one without a zone is local, as Python has it."""
    for name in lane.times:
        if name in said:
            at = said[name]
            if isinstance(at, datetime) and at.tzinfo is None:
                said[name] = at.astimezone()
            return
    said[lane.times[0]] = datetime.now(UTC)


def _unknown(value: Any) -> Any:
    raise Unsendable(f"objects of type {type(value).__name__} are not JSON")


_ENCODER = msgspec.json.Encoder(enc_hook=_unknown)
