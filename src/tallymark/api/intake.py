"""What bare ASGI endpoints share: a request's body, its sender's address, and a JSON answer."""

from typing import Any

import msgspec
from litestar.types import Receive, Scope, Send

from tallymark.api.compression import inflate
from tallymark.errors import BodyTooLarge, RateLimited, TallymarkError, TooManyRequests, Unauthorized, Unavailable

#: How many times the largest allowed body is read of one that is too large.
_DRAINED = 8

_READ = frozenset({b"content-encoding", b"content-length", b"content-type", b"origin", b"referer", b"user-agent",
                   b"x-forwarded-for"})  # fmt: skip

#: The headers that are looked at, by name in lower case.
Headers = dict[bytes, bytes]


def headers_of(scope: Scope) -> Headers:
    """Those of a request's headers that endpoints look at."""
    return {name: value for name, value in scope["headers"] if name in _READ}


def media_type(headers: Headers) -> bytes:
    """The body's type in lower case, without parameters."""
    return headers.get(b"content-type", b"").split(b";", 1)[0].strip().lower()


async def plain_body(receive: Receive, headers: Headers, limit: int) -> bytes:
    """The whole body, decompressed. One that is too large is read to its end, within bounds, so the answer arrives.

    Errors: `BodyTooLarge`, `UnreadableBody`, `BadRequest` for an unknown compression.
    """
    body = await _body(receive, headers, limit)
    return inflate(body, headers.get(b"content-encoding", b"").decode("latin-1").lower(), limit)


async def _body(receive: Receive, headers: Headers, limit: int) -> bytes:
    length = headers.get(b"content-length", b"")
    parts: list[bytes] = []
    size, more = 0, True
    while more:
        message: Any = await receive()
        part = message.get("body", b"")
        more = message.get("more_body", False)
        size += len(part)
        if size <= limit:
            parts.append(part)
        elif size > limit * _DRAINED:
            break
    if size > limit:
        told = int(length) if length.isdigit() else size
        raise BodyTooLarge(f"The body has {told} bytes; {limit} are allowed.")
    return parts[0] if len(parts) == 1 else b"".join(parts)


def client_address(scope: Scope, headers: Headers, trusted_proxies: int) -> str:
    """The client's address: the connection's, or what the outermost trusted proxy saw."""
    if trusted_proxies and b"x-forwarded-for" in headers:
        hops = [hop.strip() for hop in headers[b"x-forwarded-for"].decode("latin-1").split(",")]
        return hops[max(0, len(hops) - trusted_proxies)]
    client = scope.get("client")
    return client[0] if client else ""


async def answer(send: Send, status: int, body: bytes, headers: list[tuple[bytes, bytes]]) -> None:
    """Sends an answer in JSON."""
    length = (b"content-length", str(len(body)).encode())
    head = [(b"content-type", b"application/json"), length, *headers]
    await send({"type": "http.response.start", "status": status, "headers": head})
    await send({"type": "http.response.body", "body": body, "more_body": False})


async def answer_error(send: Send, error: TallymarkError) -> None:
    """Sends an error in the shape of the common API."""
    headers = [(name.lower().encode(), value.encode()) for name, value in error_headers(error).items()]
    await answer(send, error.status, msgspec.json.encode(error.body()), headers)


def error_headers(error: TallymarkError) -> dict[str, str]:
    """The headers that go with an error."""
    headers = {}
    if isinstance(error, Unavailable | TooManyRequests):
        headers["Retry-After"] = str(error.retry_after)
    if isinstance(error, RateLimited):
        headers |= error.fields
    if isinstance(error, Unauthorized):
        headers["WWW-Authenticate"] = "Bearer"
    return headers
