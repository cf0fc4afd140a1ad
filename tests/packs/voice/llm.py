"""A server that answers as Gemini and as OpenAI do, by a script, and keeps what it was asked."""

import json
import re
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

from tallymark.spec.evaluation import SCORES

Dialect = Literal["gemini", "openai"]

_GEMINI = re.compile(r"/v1(?:beta)?/models/([^/:]+):generateContent")
_OPENAI = "/v1/chat/completions"
_CASE = re.compile(r"<case>(.*?)</case>", re.DOTALL)
_RETRY_INFO = "type.googleapis.com/google.rpc.RetryInfo"


@dataclass(frozen=True)
class Reply:
    """What the server does with one request.

    `text` is the model's; `body` stands in the place of all that a dialect makes of it. `ends`: why the model stopped.
    `manner`: `cut` ends the connection amid the body, `trickle` sends it byte by byte without an end, `hang` sends
    nothing, `reset` ends the connection before an answer. `seconds`: how long it takes to begin.
    """

    text: str = ""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    ends: Literal["stop", "length", "filter", "blocked", "refusal"] = "stop"
    manner: Literal["whole", "cut", "hang", "trickle", "reset"] = "whole"
    seconds: float = 0.0
    prompt_tokens: int = 100
    completion_tokens: int = 20


@dataclass(frozen=True)
class Request:
    """What the server was asked."""

    dialect: Dialect
    path: str
    model: str
    key: str
    body: Mapping[str, Any]

    @property
    def instructions(self) -> str:
        """What the model was told of its task."""
        if self.dialect == "gemini":
            return str(self.body["systemInstruction"]["parts"][0]["text"])
        return str(self.body["messages"][0]["content"])

    @property
    def shown(self) -> str:
        """What the model was shown."""
        if self.dialect == "gemini":
            return str(self.body["contents"][0]["parts"][0]["text"])
        return str(self.body["messages"][1]["content"])

    @property
    def case(self) -> Mapping[str, Any]:
        """The case that was to be judged."""
        (written,) = _CASE.findall(self.shown)
        found: Mapping[str, Any] = json.loads(written)
        return found


class Llm:
    """The server as a test sees it: it answers by `script` in turn, then as `otherwise` says."""

    def __init__(self, port: int) -> None:
        self.address = f"http://127.0.0.1:{port}"
        self.otherwise: Callable[[Request], Reply] = lambda _: ok()
        self._requests: list[Request] = []
        self._script: list[Reply] = []
        self._lock = threading.Lock()
        self.closing = threading.Event()

    @property
    def gemini_url(self) -> str:
        """The base URL for a client of Gemini."""
        return f"{self.address}/"

    @property
    def openai_url(self) -> str:
        """The base URL for a client of OpenAI."""
        return f"{self.address}/v1"

    @property
    def requests(self) -> list[Request]:
        """All requests so far."""
        with self._lock:
            return list(self._requests)

    @property
    def transcripts(self) -> list[str]:
        """The queries of all cases that it was shown, in order."""
        return [str(request.case["transcript"]) for request in self.requests]

    def script(self, *replies: Reply) -> None:
        """Replies to the next requests, after those that wait already."""
        with self._lock:
            self._script.extend(replies)

    def forget(self) -> None:
        """Has been asked nothing, and answers as one that is well."""
        with self._lock:
            self._requests.clear()
            self._script.clear()
            self.otherwise = lambda _: ok()

    def take(self, request: Request) -> Reply:
        """Keeps the request; gives what to do with it."""
        with self._lock:
            self._requests.append(request)
            if self._script:
                return self._script.pop(0)
        return self.otherwise(request)


def ok(rationale: str = "It answers the query.", labels: tuple[str, ...] = (), **scores: int) -> Reply:
    """A verdict: 4 for whatever is not named."""
    return text(json.dumps({"rationale": rationale, **dict.fromkeys(SCORES, 4), **scores, "labels": list(labels)}))


def text(said: str) -> Reply:
    """A model that says this."""
    return Reply(said)


def status(code: int, body: str = "", **headers: str) -> Reply:
    """An error; of headers, `_` is `-`."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status=code, body=body.encode(), headers=named)


def google_error(code: int, word: str, *details: Mapping[str, Any], **headers: str) -> Reply:
    """An error in Google's form."""
    error = {"code": code, "message": f"It is {word}.", "status": word, "details": list(details)}
    return status(code, json.dumps({"error": error}), **headers)


def rate_limited(retry_delay: str = "", retry_after: str = "") -> Reply:
    """429, with Google's `RetryInfo`, with the header, with both or with neither."""
    details = [{"@type": _RETRY_INFO, "retryDelay": retry_delay}] if retry_delay else []
    return google_error(429, "RESOURCE_EXHAUSTED", *details, **({"Retry_After": retry_after} if retry_after else {}))


def overloaded(retry_delay: str = "") -> Reply:
    """503, perhaps with `RetryInfo`."""
    details = [{"@type": _RETRY_INFO, "retryDelay": retry_delay}] if retry_delay else []
    return google_error(503, "UNAVAILABLE", *details)


def no_schema(of: str = "response_format") -> Reply:
    """400 of a server that takes no JSON Schema."""
    return status(400, json.dumps({"error": {"message": f"{of}.type must be 'text' or 'json_object'.", "param": None}}))


def no_temperature() -> Reply:
    """400 of a model that takes no temperature."""
    return status(400, json.dumps({"error": {"message": "Only the default is supported.", "param": "temperature"}}))


def after(seconds: float, reply: Reply) -> Reply:
    """The reply, so much later."""
    return replace(reply, seconds=seconds)


def hang() -> Reply:
    """Takes the request and never answers."""
    return Reply(manner="hang")


def trickle() -> Reply:
    """Begins an answer and never ends it, though something always comes."""
    return replace(ok(), manner="trickle")


def cut() -> Reply:
    """Ends the connection amid the body."""
    return replace(ok(), manner="cut")


def reset() -> Reply:
    """Ends the connection before an answer."""
    return Reply(manner="reset")


def truncated() -> Reply:
    """The model wrote as much as it may, and wasn't done."""
    return Reply('{"rationale": "It ans', ends="length")


def blocked() -> Reply:
    """The model was not asked at all."""
    return Reply(ends="blocked")


def filtered() -> Reply:
    """The model's answer was withheld."""
    return Reply(ends="filter")


def refusal() -> Reply:
    """The model said that it won't."""
    return Reply("I won't judge that.", ends="refusal")


@contextmanager
def running_llm() -> Iterator[Llm]:
    """A server on this machine, until the block ends."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.llm = Llm(server.server_address[1])
    serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    serving.start()
    try:
        yield server.llm
    finally:
        server.llm.closing.set()
        server.shutdown()
        serving.join()
        server.end_connections()
        server.server_close()


class _Server(ThreadingHTTPServer):
    """Keeps connections open until the client ends them, as a real one does; knows them, to end them itself."""

    daemon_threads = False
    request_queue_size = 128
    llm: Llm

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._connections: set[socket.socket] = set()
        self.abrupt: set[socket.socket] = set()

    def finish_request(self, request: Any, client_address: Any) -> None:
        self._connections.add(request)
        try:
            with suppress(ConnectionError):
                super().finish_request(request, client_address)
        finally:
            self._connections.discard(request)

    def shutdown_request(self, request: Any) -> None:
        if request in self.abrupt:
            self.abrupt.discard(request)
            return self.close_request(request)
        return super().shutdown_request(request)

    def end_connections(self) -> None:
        """Ends those that are still open."""
        for connection in list(self._connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        request = self._request(body)
        if request is None:
            return self._send(404, {}, b"{}")
        reply = self.server.llm.take(request)
        self.server.llm.closing.wait(reply.seconds)
        if reply.manner == "hang":
            self.server.llm.closing.wait()
        if reply.manner in ("hang", "reset"):
            return self._reset()
        written = reply.body if reply.body is not None else json.dumps(_FORMS[request.dialect](reply)).encode()
        if reply.manner == "whole":
            return self._send(reply.status, reply.headers, written)
        self._begin(reply.status, reply.headers, 1 << 20)
        self.wfile.write(written[: len(written) // 2])
        while reply.manner == "trickle" and not self.server.llm.closing.wait(0.02):
            self.wfile.write(b" ")
        self.close_connection = True

    def _request(self, body: Mapping[str, Any]) -> Request | None:
        gemini = _GEMINI.fullmatch(self.path)
        if gemini:
            return Request("gemini", self.path, gemini[1], self.headers.get("x-goog-api-key", ""), body)
        if self.path == _OPENAI:
            key = self.headers.get("Authorization", "").removeprefix("Bearer ")
            return Request("openai", self.path, body["model"], key, body)
        return None

    def _send(self, code: int, headers: Mapping[str, str], body: bytes) -> None:
        self._begin(code, headers, len(body))
        self.wfile.write(body)

    def _begin(self, code: int, headers: Mapping[str, str], length: int) -> None:
        self.send_response(code)
        for name, value in {"Content-Type": "application/json", **headers, "Content-Length": str(length)}.items():
            self.send_header(name, value)
        self.end_headers()

    def _reset(self) -> None:
        """Ends the connection with a reset: what lingers is thrown away."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.server.abrupt.add(self.connection)


def _as_gemini(reply: Reply) -> dict[str, Any]:
    usage = {"promptTokenCount": reply.prompt_tokens, "candidatesTokenCount": reply.completion_tokens}
    if reply.ends == "blocked":
        return {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, "usageMetadata": usage}
    reason = {"stop": "STOP", "length": "MAX_TOKENS", "filter": "SAFETY", "refusal": "PROHIBITED_CONTENT"}[reply.ends]
    candidate: dict[str, Any] = {"finishReason": reason, "index": 0}
    if reply.text:
        candidate["content"] = {"role": "model", "parts": [{"text": reply.text}]}
    return {"candidates": [candidate], "usageMetadata": usage, "modelVersion": "a-model"}


def _as_openai(reply: Reply) -> dict[str, Any]:
    reason = {"stop": "stop", "length": "length", "filter": "content_filter", "blocked": "content_filter"}
    message = {"role": "assistant", "content": reply.text, "refusal": None}
    if reply.ends == "refusal":
        message = {"role": "assistant", "content": None, "refusal": reply.text}
    return {
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "a-model",
        "choices": [{"index": 0, "message": message, "finish_reason": reason.get(reply.ends, "stop")}],
        "usage": {"prompt_tokens": reply.prompt_tokens, "completion_tokens": reply.completion_tokens},
    }  # fmt: skip


_FORMS: Mapping[Dialect, Callable[[Reply], dict[str, Any]]] = {"gemini": _as_gemini, "openai": _as_openai}
