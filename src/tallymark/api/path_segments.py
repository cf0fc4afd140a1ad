"""Ids in paths, whatever characters they have: percent-encoded, a slash in one parts no segments."""

from typing import Any, Final
from urllib.parse import quote, unquote

from litestar.types import ASGIApp, Receive, Scope, Send

#: What of a decoded segment would be read as something else.
_ENCODED: Final = str.maketrans({"%": "%25", "/": "%2F"})


class PathSegments:
    """An application in front of another one: paths below one are routed by the segments that were sent.

    Servers decode a path as a whole. Here slashes and percent signs within segments stay encoded; `decoded`, around the
    handlers, gives parameters as they were meant.
    """

    def __init__(self, below: str, rest: ASGIApp) -> None:
        self._below = below
        self._rest = rest

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serves a request by the rest."""
        if scope["type"] == "http" and scope["path"].startswith(self._below):
            scope["path"] = _routed(scope)
        await self._rest(scope, receive, send)


def decoded(app: ASGIApp) -> ASGIApp:
    """The application of a route behind `PathSegments`, as a middleware: its parameters are decoded."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        parameters = scope["path_params"].items()  # they are the router's own, and kept for the next request
        scope["path_params"] = {name: unquote(text) for name, text in parameters}
        await app(scope, receive, send)

    return serve


def _routed(scope: Scope) -> str:
    """The path with segments as they were sent; some servers' `raw_path` has the query too, or is not there."""
    sent = scope.get("raw_path") or quote(scope["path"]).encode()
    segments = sent.partition(b"?")[0].decode("latin-1").split("/")
    return "/".join(unquote(segment).translate(_ENCODED) for segment in segments)
