"""A body's fields, however they are written: JSON, urlencoded or multipart."""

from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qsl

import msgspec
from multipart import (  # type: ignore[import-untyped]  # one module without py.typed
    MultipartError,
    MultipartSegment,
    ParserLimitReached,
    PushMultipartParser,
    parse_options_header,
)

from tallymark.errors import UnreadableBody
from tallymark.ingest.decode import well_formed
from tallymark.packs.web.settle import FLAGS
from tallymark.packs.web.web_event import NAMES

URLENCODED: Final = b"application/x-www-form-urlencoded"
MULTIPART: Final = b"multipart/form-data"

#: The most fields of a form, each repetition of a name counted.
MOST_PAIRS: Final = 200
#: The most bytes of an urlencoded form: every byte of it may be an escape, and those take time.
MOST_URLENCODED: Final = 262_144

_MARK: Final = b"\xef\xbb\xbf"
_json = msgspec.json.Decoder(msgspec.Raw).decode
_TICKED: Final = {"on": "true", "yes": "true", "off": "false", "no": "false"}


class Pair(NamedTuple):
    """A field of a form; the text of a file is its name."""

    name: str
    text: str
    file: bool = False


def without_mark(body: bytes) -> bytes:
    """A text without the byte order mark that some editors and languages write before it."""
    return body.removeprefix(_MARK)


def json_in(body: bytes, kind: bytes) -> bytes | None:
    """The JSON of a body of some media type, without a byte order mark; None for a form.

    JSON under the type of urlencoded forms, which is what curl sends unless told otherwise, is JSON.
    """
    plain = without_mark(body)
    if kind not in (URLENCODED, MULTIPART):
        return plain
    if kind == MULTIPART or plain.lstrip()[:1] not in (b"{", b"["):
        return None
    try:
        well_formed(plain, _json)
    except UnreadableBody:
        return None
    return plain


def pairs_of(body: bytes, content_type: str) -> list[Pair]:
    """The fields of a form in their order. Errors: `UnreadableBody`, for too many before any is read."""
    kind, options = parse_options_header(content_type)
    try:
        if kind == MULTIPART.decode():
            return list(_parts(body, options.get("boundary", "")))
        if len(body) > MOST_URLENCODED:
            raise UnreadableBody(f"The form has {len(body)} bytes; {MOST_URLENCODED} are allowed without multipart.")
        if body.count(b"&") >= MOST_PAIRS:
            raise UnreadableBody(f"A form has at most {MOST_PAIRS} fields.")
        return [Pair(*pair) for pair in parse_qsl(body.decode(), keep_blank_values=True, errors="strict")]
    except UnicodeDecodeError:
        raise UnreadableBody("The form can't be read: its text is not UTF-8.") from None
    except ParserLimitReached:
        raise UnreadableBody(f"The form can't be read: it has over {MOST_PAIRS} parts or too long ones.") from None
    except (MultipartError, ValueError) as error:
        raise UnreadableBody(f"The form can't be read: {str(error)[:200].rstrip('.')}.") from None


def fields_of(pairs: Iterable[Pair]) -> dict[str, Any]:
    """A form's fields by name, as JSON would have them: of a file its name, of a name that comes again a list."""
    texts: dict[str, list[str]] = {}
    for pair in pairs:
        texts.setdefault(pair.name, []).append(pair.text)
    return {name: found[0] if len(found) == 1 else found for name, found in texts.items()}


def form_fields(body: bytes, content_type: str) -> dict[str, Any]:
    """The fields of a form, as an event's JSON would have them but that numbers and flags are texts; files left out.

    Errors: `UnreadableBody`.
    """
    return _event(pair for pair in pairs_of(body, content_type) if not pair.file)


def _parts(body: bytes, boundary: str) -> Iterator[Pair]:
    """The fields of a multipart body. Errors: `MultipartError`, `UnreadableBody`."""
    part, text = None, list[bytes]()
    with PushMultipartParser(boundary, max_segment_count=MOST_PAIRS, strict=True) as parser:
        for event in (*parser.parse(body), *parser.parse(b"")):
            if isinstance(event, MultipartSegment):
                part, text = event, []
                if not part.name:
                    raise UnreadableBody("The form can't be read: a part of it has no name.")
            elif event is not None:
                text.append(event)
            elif part is not None and part.filename:
                yield Pair(part.name, part.filename, file=True)
            elif part is not None:
                yield Pair(part.name, b"".join(text).decode())


def _event(pairs: Iterable[Pair]) -> dict[str, Any]:
    """One event: an empty field of ours says nothing, the last of several counts, of others all do."""
    event: dict[str, Any] = {}
    unknown: list[Pair] = []
    properties: dict[str, Any] = {}
    for pair in pairs:
        field = NAMES[pair.name][0] if pair.name in NAMES else ""
        said = _object(pair.text) if field == "properties" else None
        if said is not None:
            properties |= said
        elif field in ("", "properties"):
            unknown.append(pair)
        elif pair.text:
            event[pair.name] = _TICKED.get(pair.text.lower(), pair.text) if field in FLAGS else pair.text
    others = fields_of(unknown)
    return {**event, "properties": {**others, **properties}} if others or properties else event


def _object(text: str) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = msgspec.json.decode(text, type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError):
        return None
    return found
