"""Compressed bodies: gzip, zstd and br, never inflated past the limit."""

import sys
import zlib
from collections.abc import Callable
from typing import Any

import brotli

from tallymark.errors import BadRequest, BodyTooLarge, UnreadableBody

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

ENCODINGS = ("identity", "gzip", "zstd", "br")

#: Each stream after the first one copies what is left of the body.
_MOST_STREAMS = 64


def inflate(body: bytes, encoding: str, limit: int) -> bytes:
    """The body as it was before compression.

    Errors: `BadRequest` for an encoding we don't know; `UnreadableBody` for broken data; `BodyTooLarge`.
    """
    if encoding in ("", "identity"):
        return body
    if encoding not in ENCODINGS:
        raise BadRequest(f"Content-Encoding {encoding[:40]!r} is not known.", allowed=ENCODINGS)
    try:
        plain, complete = _INFLATE[encoding](body, limit + 1)
    except (zlib.error, zstd.ZstdError, brotli.error, EOFError) as error:
        raise UnreadableBody(f"The body is no {encoding}: {str(error)[:200]}.") from None
    if len(plain) > limit:
        raise BodyTooLarge(f"The body is longer than {limit} bytes after decompression.")
    if not complete:
        raise UnreadableBody(f"The body is no {encoding}: it ends too early.")
    return plain


def _gzip(body: bytes, most: int) -> tuple[bytes, bool]:
    return _members(body, most, lambda: zlib.decompressobj(wbits=31))


def _zstd(body: bytes, most: int) -> tuple[bytes, bool]:
    return _members(body, most, zstd.ZstdDecompressor)


def _members(body: bytes, most: int, begin: Callable[[], Any]) -> tuple[bytes, bool]:
    """Everything in a body of one or several compressed streams, one after another."""
    parts: list[bytes] = []
    for _ in range(_MOST_STREAMS):
        stream = begin()
        part: bytes = stream.decompress(body, most)
        parts.append(part)
        most -= len(part)
        body = stream.unused_data
        if not stream.eof or not body or most <= 0:
            return b"".join(parts), bool(stream.eof)
    raise UnreadableBody(f"The body is of more than {_MOST_STREAMS} compressed streams.")


def _br(body: bytes, most: int) -> tuple[bytes, bool]:
    stream = brotli.Decompressor()
    plain: bytes = stream.process(body, output_buffer_limit=most)
    while len(plain) < most and not stream.can_accept_more_data() and not stream.is_finished():
        plain += stream.process(b"", output_buffer_limit=most - len(plain))
    return plain, stream.is_finished()


_INFLATE = {"gzip": _gzip, "zstd": _zstd, "br": _br}
