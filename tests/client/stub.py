"""A real HTTP server that answers as it is told, for what a well server never does."""

import gzip
import json
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

#: Seconds after which what should have happened won't.
PATIENCE = 30.0


@dataclass(frozen=True)
class Reply:
    """What is answered: a status with a body, or nothing, before or after a wait."""

    status: int = 202
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    reset: bool = False
    after: threading.Event | None = None


@dataclass(frozen=True)
class Received:
    """A request: when it came, and its body without compression."""

    at: float
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Stub:
    """Answers requests by `replies` in turn, and then with 202; a context manager."""

    def __init__(self, *replies: Reply) -> None:
        self.replies = deque(replies)
        self.received: list[Received] = []
        self._changed = threading.Condition()
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def next_reply(self, request: Received) -> Reply:
        """Notes a request, and gives what to answer it with."""
        with self._changed:
            self.received.append(request)
            self._changed.notify_all()
            return self.replies.popleft() if self.replies else Reply()

    def wait_for(self, requests: int) -> list[Received]:
        """The requests, once there are so many."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.received) >= requests, PATIENCE)
            return list(self.received)

    @property
    def events(self) -> list[Any]:
        """The events of all requests, in order."""
        said = [request.json for request in self.received]
        return [event for body in said for event in (body if isinstance(body, list) else [body])]


class _Server(ThreadingHTTPServer):
    """A server that says nothing of connections that end in its midst."""

    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: object, client_address: object) -> None:
        pass


def _handler(stub: Stub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            plain = gzip.decompress(body) if self.headers["Content-Encoding"] == "gzip" else body
            reply = stub.next_reply(Received(time.monotonic(), self.path, dict(self.headers.items()), plain))
            if reply.after is not None:
                reply.after.wait(PATIENCE)
            if reply.reset:
                _reset(self.connection)
                self.close_connection = True
                return
            self._answer(reply, json.loads(plain))

        def _answer(self, reply: Reply, said: Any) -> None:
            events = len(said) if isinstance(said, list) else 1
            told = {"accepted": events, "rejected": []} if reply.body is None else reply.body
            text = json.dumps(told).encode()
            try:
                self.send_response(reply.status)
                for name, value in {**reply.headers, "Content-Length": str(len(text))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(text)
            except OSError:  # who asked has gone meanwhile
                self.close_connection = True

        def log_message(self, format: str, *args: Any) -> None:
            pass

    return Handler


def _reset(connection: socket.socket) -> None:
    """Ends a connection as a process that dies does: with a reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
