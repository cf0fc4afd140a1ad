"""A stand-in for the server: it hands out the tracker, records what the tracker sends and answers as told."""

from __future__ import annotations

import json
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Condition, Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tallymark.packs.web.tracker import script

TRACKER = script()

Event = dict[str, Any]

_WAIT_SECONDS = 8.0
_CORS = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "Retry-After"}


@dataclass(frozen=True)
class Answer:
    """How a request is answered."""

    status: int = 202
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True)
class Received:
    """A request as it came."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes

    @property
    def events(self) -> list[Event]:
        events: list[Event] = json.loads(self.body)
        return events


class Collector:
    """What came in, and how the next requests are answered: as in `answers`, first to last, then with 202."""

    def __init__(self) -> None:
        self.url = ""
        self.answers: deque[Answer] = deque()
        self.requests: list[Received] = []
        self._news = Condition()

    def answer(self, request: Received) -> Answer:
        if request.method == "GET":
            found = request.path == "/web/tracker.js"
            return Answer(200, {"Content-Type": "text/javascript"}, TRACKER) if found else Answer(404)
        with self._news:
            self.requests.append(request)
            self._news.notify_all()
            answer = self.answers.popleft() if self.answers else Answer()
        return replace(answer, headers={**_CORS, **answer.headers})

    def events(self, name: str | None = None) -> list[Event]:
        """The events so far, refused ones too, in the order they came; `name`: only those of that name."""
        with self._news:
            events = [event for request in self.requests for event in request.events]
        return [event for event in events if name in (None, event["event"])]

    def wait(self, name: str, count: int = 1) -> list[Event]:
        """The events of that name, when there are `count` of them."""
        deadline = time.monotonic() + _WAIT_SECONDS
        while len(self.events(name)) < count:
            with self._news:
                arrived = self._news.wait(deadline - time.monotonic())
            assert arrived, f"{count} {name} did not come: {self.events()}"
        return self.events(name)


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Says what went wrong, unless it is that a browser left before the answer."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


@contextmanager
def serving(answer: Callable[[Received], Answer]) -> Iterator[str]:
    """The origin of a loopback server that answers like that."""

    class Handler(BaseHTTPRequestHandler):
        timeout = 5

        def do_GET(self) -> None:
            url = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            given = answer(Received(self.command, url.path, parse_qs(url.query), headers, body))
            self.send_response(given.status)
            for name, value in {**given.headers, "Content-Length": str(len(given.body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(given.body)

        do_POST = do_OPTIONS = do_GET  # noqa: N815  # named by the standard library

        def log_message(self, format: str, *args: object) -> None:
            pass

    with _Server(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def collecting() -> Iterator[Collector]:
    """A running collector."""
    collector = Collector()
    with serving(collector.answer) as collector.url:
        yield collector
