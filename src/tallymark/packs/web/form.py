"""A form's body as the fields of one event: urlencoded or multipart, files left out."""

from collections.abc import Iterable, Iterator
from typing import Any, Final
from urllib.parse import parse_qsl

import msgspec
from multipart import (  # type: ignore[import-untyped]  # one module without py.typed
    MultipartError,
    MultipartSegment,
    PushMultipartParser,
    parse_options_header,
)

from tallymark.errors import UnreadableBody
from tallymark.packs.web.settle import FLAGS
from tallymark.packs.web.web_event import NAMES

URLENCODED: Final = b"application/x-www-form-urlencoded"
MULTIPART: Final = b"multipart/form-data"

_MOST_FIELDS: Final = 1_000
_TICKED: Final = {"on": "true", "yes": "true", "off": "false", "no": "false"}


def form_fields(body: bytes, content_type: str) -> dict[str, Any]:
    """The fields of a form, as an event's JSON would have them but that numbers and flags are texts.

    Errors: `UnreadableBody`.
    """
    kind, options = parse_options_header(content_type)
    try:
        if kind == MULTIPART.decode():
            return _event(_parts(body, options.get("boundary", "")))
        return _event(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS))
    except (MultipartError, ValueError) as error:
        raise UnreadableBody(f"The body is no form: {str(error)[:200].rstrip('.')}.") from None


def _parts(body: bytes, boundary: str) -> Iterator[tuple[str, str]]:
    """Names and texts of a multipart body. Errors: `MultipartError`."""
    name, text = "", list[bytes]()
    with PushMultipartParser(boundary, max_segment_count=_MOST_FIELDS, strict=True) as parser:
        for event in (*parser.parse(body), *parser.parse(b"")):
            if isinstance(event, MultipartSegment):
                name, text = "" if event.filename else event.name, []
            elif event is not None:
                text.append(event)
            elif name:
                yield name, b"".join(text).decode()


def _event(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """One event: an empty field of ours says nothing, the last of several counts, of others all do."""
    event: dict[str, Any] = {}
    unknown: dict[str, list[str]] = {}
    properties: dict[str, Any] = {}
    for name, text in pairs:
        field = NAMES[name][0] if name in NAMES else ""
        if not field or (field == "properties" and _object(text) is None):
            unknown.setdefault(name, []).append(text)
        elif field == "properties":
            properties |= _object(text) or {}
        elif text:
            event[name] = _TICKED.get(text.lower(), text) if field in FLAGS else text
    others = {name: texts[0] if len(texts) == 1 else texts for name, texts in unknown.items()}
    return {**event, "properties": {**others, **properties}} if others or properties else event


def _object(text: str) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = msgspec.json.decode(text, type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError):
        return None
    return found
