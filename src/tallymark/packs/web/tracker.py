"""`GET /web/tracker.js`: the script that pages load, compressed once."""

import gzip
from collections.abc import Callable, Mapping
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Any, Final

import brotli
from litestar import Request, Response, get, head
from litestar.openapi.datastructures import ResponseSpec

from tallymark.api.rate_limits import UNLIMITED

PATH: Final = "/web/tracker.js"

_TYPE: Final = "text/javascript"  # the framework adds the charset
_HEADERS: Final = {
    "Cache-Control": "public, max-age=3600, stale-while-revalidate=86400",
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Vary": "Accept-Encoding",
    "X-Content-Type-Options": "nosniff",
}
#: The best first; '' is no encoding.
_ENCODERS: Final[Mapping[str, Callable[[bytes], bytes]]] = {
    "br": brotli.compress,
    "gzip": lambda plain: gzip.compress(plain, mtime=0),
    "": bytes,
}


@get(
    PATH,
    sync_to_thread=False,
    opt={UNLIMITED: True},
    tags=["web"],
    security=[],
    summary="The script for pages",
    responses={304: ResponseSpec(None, description="The browser has it already")},
)
def tracker(request: Request[Any, Any, Any]) -> Response[bytes]:
    """The script that a page loads to send its views."""
    return _answer(request)


@head(PATH, sync_to_thread=False, include_in_schema=False, opt={UNLIMITED: True})
def tracker_head(request: Request[Any, Any, Any]) -> Response[None]:
    """What `GET` says of it."""
    told = _answer(request)
    headers = told.headers if told.status_code == 304 else {**told.headers, "Content-Length": str(len(told.content))}
    return Response(None, status_code=told.status_code, headers=headers, media_type=_TYPE)


def _answer(request: Request[Any, Any, Any]) -> Response[bytes]:
    encoding = encoding_for(request.headers.get("accept-encoding", ""), request.headers.get("origin", ""))
    tag, body = _encoded(encoding)
    headers = {**_HEADERS, "ETag": tag}
    if _has(request.headers.get("if-none-match", ""), tag):
        return Response(b"", status_code=304, headers=headers, media_type=_TYPE)
    if encoding:
        headers["Content-Encoding"] = encoding
    return Response(body, headers=headers, media_type=_TYPE)


def encoding_for(accepted: str, origin: str) -> str:
    """The best encoding that a browser takes, '' for none.

    None either where the request names its origin: CORS then lets the answer vary by that alone, and a cache would
    give it to all.
    """
    if origin:
        return ""
    wanted = dict(_weighed(part) for part in accepted.lower().split(","))
    return next((name for name in _ENCODERS if name and wanted.get(name, wanted.get("*", 0)) > 0), "")


def _weighed(part: str) -> tuple[str, float]:
    name, _, weight = part.partition(";")
    try:
        return name.strip(), float(weight.partition("q=")[2] or 1)
    except ValueError:
        return name.strip(), 0


def _has(tags: str, tag: str) -> bool:
    """Whether a browser says that it has this version."""
    return tags.strip() == "*" or tag in {one.strip().removeprefix("W/") for one in tags.split(",")}


def script() -> bytes:
    """The script without its comments and indentation, which no browser needs."""
    text = (files("tallymark.packs.web") / "static" / "tracker.js").read_text(encoding="utf-8")
    lines = (line.strip() for line in text.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//")).encode()


@cache
def _encoded(encoding: str) -> tuple[str, bytes]:
    """The script and its ETag."""
    plain = script()
    version = sha256(plain).hexdigest()[:16]
    return f'"{version}-{encoding}"' if encoding else f'"{version}"', _ENCODERS[encoding](plain)
