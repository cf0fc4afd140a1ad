"""What the options of `tallymark experiments` mean, as JSON of the API."""

import math
import sys
from pathlib import Path
from typing import Any

import msgspec
import typer


def finite(number: float | None) -> float | None:
    """The number, which JSON can hold. Errors: `BadParameter`."""
    if number is not None and not math.isfinite(number):
        raise typer.BadParameter(f"{number} is no number that can be sent")
    return number


def read_variant(text: str) -> dict[str, Any]:
    """The variant that `blue` or `blue:2` means. Errors: `BadParameter`."""
    key, colon, weight = text.partition(":")
    try:
        return {"key": key, "weight": finite(float(weight))} if colon else {"key": key}
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no KEY:WEIGHT, as in blue:2", param_hint="--variant") from None


def read_metric(text: str) -> dict[str, Any]:
    """The metric that `[NAME=]KIND:EVENT[:OF]` means; without a name it is called by event and kind.

    Errors: `BadParameter`.
    """
    named, equals, rest = text.partition("=")
    kind, *parts = (rest if equals else text).split(":")
    if not 1 <= len(parts) <= 2:
        raise typer.BadParameter(f"{text!r} is no KIND:EVENT, as in conversion:purchase", param_hint="--metric")
    of = {"of": parts[1]} if len(parts) == 2 else {}
    return {"name": named if equals else f"{parts[0]}_{kind}", "kind": kind, "event": parts[0], **of}


def read_definition(file: Path | None) -> dict[str, Any]:
    """The JSON object in a file, or on standard input; nothing without a file. Errors: `BadParameter`."""
    if file is None:
        return {}
    content = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    try:
        said = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise typer.BadParameter(f"{file} is not JSON: {error}", param_hint="--file") from None
    if not isinstance(said, dict):
        raise typer.BadParameter(f"{file} holds no JSON object", param_hint="--file")
    return said
