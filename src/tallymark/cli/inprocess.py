"""The application as a transport for requests: started here, running in an event loop of its own thread."""

from collections.abc import Iterator
from contextlib import ExitStack
from queue import SimpleQueue
from typing import Any, cast

import anyio
import httpx
from anyio.from_thread import start_blocking_portal
from litestar import Litestar

#: What a request's task gives its caller: the status and headers, then chunks, then None or what went wrong.
_Said = tuple[int, list[tuple[bytes, bytes]]] | bytes | BaseException | None


class InProcess(httpx.BaseTransport):
    """The application as a transport; answers come as the application sends them."""

    def __init__(self, app: Litestar) -> None:
        self._app = cast(Any, app)  # httpx and Litestar describe ASGI in different words
        with ExitStack() as stack:
            self._portal = stack.enter_context(start_blocking_portal())
            try:
                stack.enter_context(self._portal.wrap_async_context_manager(app.lifespan()))
            except ExceptionGroup as group:
                raise _only(group) from group
            self._running = stack.pop_all()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The application's answer."""
        said: SimpleQueue[_Said] = SimpleQueue()
        self._portal.start_task_soon(self._run, request, said)
        first = said.get()
        if isinstance(first, BaseException):
            raise first
        status, headers = cast(tuple[int, list[tuple[bytes, bytes]]], first)
        return httpx.Response(status, headers=headers, stream=_Chunks(said))

    def close(self) -> None:
        """Ends the application."""
        self._running.close()

    async def _run(self, request: httpx.Request, said: "SimpleQueue[_Said]") -> None:
        parts = [request.read()]
        answered = anyio.Event()

        async def receive() -> dict[str, Any]:
            if parts:
                return {"type": "http.request", "body": parts.pop(), "more_body": False}
            await answered.wait()
            return {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                said.put((message["status"], list(message["headers"])))
                return
            if message.get("body"):
                said.put(message["body"])
            if not message.get("more_body", False):
                answered.set()

        try:
            await self._app(_scope(request), receive, send)
        except BaseException as error:
            said.put(error)
            raise
        said.put(None)


class _Chunks(httpx.SyncByteStream):
    """The chunks of an answer, as they come."""

    def __init__(self, said: "SimpleQueue[_Said]") -> None:
        self._said = said

    def __iter__(self) -> Iterator[bytes]:
        while (chunk := self._said.get()) is not None:
            if isinstance(chunk, BaseException):
                raise chunk
            yield cast(bytes, chunk)


def _only(group: "ExceptionGroup[Exception]") -> Exception:
    """The one error in a group of one, however deep; else the group."""
    if len(group.exceptions) > 1:
        return group
    inner = group.exceptions[0]
    return _only(inner) if isinstance(inner, ExceptionGroup) else inner


def _scope(request: httpx.Request) -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": request.method,
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "scheme": request.url.scheme,
        "path": request.url.path,
        "raw_path": request.url.raw_path.split(b"?")[0],
        "query_string": request.url.query,
        "server": (request.url.host, request.url.port),
        "client": ("127.0.0.1", 0),
        "root_path": "",
    }
