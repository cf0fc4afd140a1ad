"""A ClickHouse HTTP server over an embedded chDB engine, so that tests reach ClickHouse as production does.

`python tests/clickhouse_http.py --path DIR --port 0` prints `{"port": N}` once it answers, ends on SIGTERM.
`ClickHouseHttp` runs that as a process, and takes it down in the ways that servers go down.

Faithful: queries, settings, parameters, sessions, every input and output format, compression both ways, the
X-ClickHouse-* headers, errors with their codes and statuses. Not there: users, progress headers, external
data, async inserts, streamed answers (an error always comes instead of an answer, never within one).

Two endpoints break inserts on purpose: `/-/refuse?on=1` answers each with 503, while
`/-/crash-after-insert?times=1` does the next ones and hangs up instead of answering.
"""

from __future__ import annotations

import argparse
import contextlib
import email
import email.policy
import http.client
import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import uuid
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlencode, urlsplit

import chdb
import pyarrow as pa

# What the HTTP interface takes for itself; every other URL parameter is a setting of the query.
TRANSPORT = frozenset(
    {"buffer_size", "client_protocol_version", "compress", "database", "decompress", "default_format"}
    | {"password", "query", "query_id", "quota_key", "role", "session_check", "session_id"}
    | {"session_timeout", "user", "wait_end_of_query"}
)
# Exception codes with a status of their own; all others answer 500.
STATUSES = {
    400: (6, 26, 27, 36, 38, 41, 42, 43, 44, 53, 62, 69, 70, 72, 117, 130, 457),
    404: (16, 46, 47, 50, 56, 60, 73, 81, 115),
    408: (159,),
    501: (48,),
    503: (242, 439),
}
STATUS_OF = {code: status for status, codes in STATUSES.items() for code in codes}
UNITS = ("rows", "bytes")
CODECS = ("lz4", "zstd", "gzip", "br")

# Blanks and comments before a statement.
LEAD = rb"(?:\s|--[^\n]*\n|/\*.*?\*/)*"
# An INSERT up to its FORMAT, in no quotes: what follows is data. Data may hold any byte.
INSERT_FORMAT = re.compile(
    LEAD + rb"""(INSERT\s+INTO\b(?:'(?:[^'\\]|\\.)*'|`(?:[^`\\]|\\.)*`|"(?:[^"\\]|\\.)*"|[^'`"])*?)"""
    rb"""\bFORMAT\s+(\w+)[ \t\r;]*\n?""",
    re.IGNORECASE | re.DOTALL,
)
INPUT = re.compile(r"\binput\s*\(\s*('(?:[^'\\]|\\.)*')\s*\)", re.IGNORECASE)
SELECT = re.compile(r"\bSELECT\b", re.IGNORECASE)
IS_INSERT = re.compile(LEAD + rb"INSERT\b", re.IGNORECASE | re.DOTALL)
CHANGES_SESSION = re.compile(LEAD + rb"(SET|USE)\b", re.IGNORECASE | re.DOTALL)
HAS_RESULT = re.compile(
    LEAD + rb"\(*\s*(SELECT|WITH|SHOW|DESC|DESCRIBE|EXISTS|EXPLAIN|CHECK|VALUES)\b", re.IGNORECASE | re.DOTALL
)
OUTPUT_FORMAT = re.compile(rb"\bFORMAT\s+(\w+)\s*;?\s*$", re.IGNORECASE)


class EngineError(Exception):
    """What ClickHouse answers instead of a result: `Code: N. DB::Exception: …`."""

    @property
    def code(self) -> int:
        found = re.search(r"Code: (\d+)", str(self))
        return int(found[1]) if found else 1002


@dataclass(frozen=True)
class Call:
    """One query as it came: its text with its data, and what the URL says about it."""

    sql: bytes
    args: dict[str, str]

    @property
    def settings(self) -> dict[str, str]:
        return {k: v for k, v in self.args.items() if k not in TRANSPORT and not k.startswith("param_")}

    @property
    def parameters(self) -> dict[str, str]:
        return {k.removeprefix("param_"): v for k, v in self.args.items() if k.startswith("param_")}

    @property
    def is_insert(self) -> bool:
        return IS_INSERT.match(self.sql) is not None

    @property
    def output_format(self) -> str:
        named = OUTPUT_FORMAT.search(self.sql)
        return named[1].decode() if named else self.args.get("default_format", "TabSeparated")


@dataclass(frozen=True)
class Answer:
    """A result's bytes and the counts of the X-ClickHouse-Summary header."""

    body: bytes
    summary: dict[str, str]


@dataclass
class Session:
    """A connection that lives on between queries, and the SET and USE statements that shaped it."""

    handle: Any
    shaped_by: list[bytes] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)


class Engine:
    """The chDB engine of one directory: a connection per query, or per session where one is named."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._anchor = chdb.connect(path)  # the engine shuts down with its last connection
        self._sessions: dict[str, Session] = {}
        self._lock = threading.Lock()
        self.version = _run(self._anchor, "SELECT version()").body.decode().strip()
        self.timezone = _run(self._anchor, "SELECT timezone()").body.decode().strip()

    def run(self, call: Call) -> Answer:
        """The query's result; raises EngineError."""
        with self._session(call) as session:
            _shape(session.handle, call)
            answer = _execute(session.handle, call)
            if CHANGES_SESSION.match(call.sql):
                session.shaped_by.append(call.sql)
            return answer

    @contextlib.contextmanager
    def _session(self, call: Call) -> Iterator[Session]:
        name = call.args.get("session_id")
        if not name:
            with contextlib.closing(chdb.connect(self._path)) as handle:
                yield Session(handle)
            return
        session = self._named(name)
        if not session.lock.acquire(blocking=False):
            raise EngineError(f"Code: 373. DB::Exception: Session {name} is locked. (SESSION_IS_LOCKED)")
        try:
            yield session
        finally:
            _unshape(session, call)
            session.lock.release()

    def _named(self, name: str) -> Session:
        with self._lock:
            if name not in self._sessions:
                self._sessions[name] = Session(chdb.connect(self._path))
            return self._sessions[name]


def _shape(handle: Any, call: Call) -> None:
    """Give the connection the database and the settings that the URL asks for."""
    if database := call.args.get("database"):
        _run(handle, f"USE `{database}`")
    if call.settings:
        _run(handle, "SET " + ", ".join(f"{_name(k)} = {_quoted(v)}" for k, v in call.settings.items()))


def _unshape(session: Session, call: Call) -> None:
    """Take back what `_shape` did: it was for one query, the session keeps only its own SET and USE."""
    with contextlib.suppress(EngineError):
        for name in call.settings:
            _run(session.handle, f"SET {_name(name)} = DEFAULT")
    if call.args.get("database"):
        _run(session.handle, "USE default")
    for statement in session.shaped_by:
        _run(session.handle, statement)


def _name(setting: str) -> str:
    if not re.fullmatch(r"\w+", setting):
        raise EngineError(f"Code: 115. DB::Exception: Unknown setting '{setting}'. (UNKNOWN_SETTING)")
    return setting


def _quoted(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _execute(handle: Any, call: Call) -> Answer:
    """Run the query. chDB ends inline data at a `;` before a newline, so data never stays in the text."""
    found = INSERT_FORMAT.match(call.sql)
    if not found:
        return _run(handle, call.sql, call.output_format, call.parameters)
    statement, fmt, data = found[1].decode(), found[2].decode(), call.sql[found.end() :]
    if INPUT.search(statement):
        return _insert_from_input(handle, statement, fmt, data, call.parameters)
    if SELECT.search(statement):
        return _run(handle, call.sql, call.output_format, call.parameters)
    return _insert(handle, statement, fmt, data)


def _insert(handle: Any, statement: str, fmt: str, data: bytes) -> Answer:
    began = time.perf_counter()
    with _engine_errors(), handle.send_insert(statement, fmt) as insert:
        insert.append(data)
        done = insert.finish()  # its `elapsed` counts from the start of the engine
    written = done.rows_written, done.bytes_written
    return Answer(b"", _summary(written=written, elapsed=time.perf_counter() - began))


def _insert_from_input(handle: Any, statement: str, fmt: str, data: bytes, parameters: dict[str, str]) -> Answer:
    """INSERT … SELECT … FROM input('…'): chDB has no stream to read from, a file stands in."""
    with tempfile.NamedTemporaryFile(suffix=".data") as file:
        file.write(data)
        file.flush()
        table = f"file({_quoted(file.name)}, {fmt}, "
        return _run(handle, INPUT.sub(lambda m: f"{table}{m[1]})", statement), parameters=parameters)


def _run(handle: Any, sql: str | bytes, fmt: str = "TabSeparated", parameters: dict[str, str] | None = None) -> Answer:
    with _engine_errors():
        result = handle.query(sql, fmt, params=parameters or {})
    read = result.rows_read(), result.bytes_read()
    written = result.rows_written(), result.bytes_written()
    return Answer(result.bytes() or b"", _summary(read, written, result.elapsed()))


@contextlib.contextmanager
def _engine_errors() -> Iterator[None]:
    try:
        yield
    except (chdb.ChdbError, RuntimeError) as error:
        text = str(error)
        raise EngineError(text[max(text.find("Code: "), 0) :].strip()) from error


def _summary(read: tuple[int, int] = (0, 0), written: tuple[int, int] = (0, 0), elapsed: float = 0.0) -> dict[str, str]:
    pairs = {"read": read, "written": written, "result": written if any(written) else read}
    counts = {f"{kind}_{unit}": str(n) for kind, pair in pairs.items() for unit, n in zip(UNITS, pair, strict=True)}
    return counts | {"elapsed_ns": str(int(elapsed * 1e9))}


def _decompressed(data: bytes, codec: str) -> bytes:
    if codec in ("", "identity"):
        return data
    if codec == "deflate":
        return zlib.decompress(data)
    stream = pa.CompressedInputStream(pa.BufferReader(data), {"br": "brotli"}.get(codec, codec))
    plain: bytes = stream.read()
    return plain


def _compressed(data: bytes, codec: str) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, {"br": "brotli"}.get(codec, codec)) as stream:
        stream.write(data)
    compressed: bytes = sink.getvalue().to_pybytes()
    return compressed


def _form_fields(content_type: str, body: bytes) -> dict[str, str]:
    """The fields of a multipart form: clickhouse-connect sends long parameters so."""
    head = f"Content-Type: {content_type}\r\n\r\n".encode()
    form = email.message_from_bytes(head + body, policy=email.policy.HTTP)
    parts = ((part, part.get_payload(decode=True)) for part in form.iter_parts())
    return {
        str(part.get_param("name", header="content-disposition")): value.decode()
        for part, value in parts
        if isinstance(value, bytes)
    }


class ClickHouseServer(ThreadingHTTPServer):
    """The listening socket, the engine behind it, and the faults that are switched on."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, engine: Engine, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.engine = engine
        self.refusing = False
        self._crashes = 0
        self._lock = threading.Lock()

    def control(self, path: str, args: dict[str, str]) -> bool:
        """Switch a fault; whether there is such a fault."""
        if path == "/-/refuse":
            self.refusing = args.get("on", "1") == "1"
        elif path == "/-/crash-after-insert":
            self._crashes = int(args.get("times", "1"))
        else:
            return False
        return True

    def takes_crash(self) -> bool:
        """Whether this insert is one to hang up after."""
        with self._lock:
            self._crashes -= 1
            return self._crashes >= 0

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that hang up."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    """One client's connection, kept alive between its queries."""

    server: ClickHouseServer
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet: the tests' output is the tests'."""

    def _serve(self) -> None:
        url = urlsplit(self.path)
        args = dict(parse_qsl(url.query, keep_blank_values=True))
        body = self._body()
        if url.path == "/" and (args or body):
            self._query(self._call(args, body))
        elif url.path in ("/", "/ping") or self.server.control(url.path, args):
            self._answer(200, b"Ok.\n")
        else:
            self._answer(404, b"There is no handle " + url.path.encode() + b"\n")

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            raw = b"".join(self._chunks())
        else:
            raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        return _decompressed(raw, self.headers.get("Content-Encoding", "").lower())

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self.rfile.readline().split(b";")[0], 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass

    def _call(self, args: dict[str, str], body: bytes) -> Call:
        content_type = self.headers.get("Content-Type", "")
        if content_type.startswith("multipart/form-data"):
            args, body = args | _form_fields(content_type, body), b""
        if fmt := self.headers.get("X-ClickHouse-Format"):
            args.setdefault("default_format", fmt)
        query = args.get("query", "").encode().strip()
        return Call(b"\n".join(part for part in (query, body) if part), args)

    def _query(self, call: Call) -> None:
        query_id = call.args.get("query_id") or str(uuid.uuid4())
        headers = {"X-ClickHouse-Query-Id": query_id, "X-ClickHouse-Timezone": self.server.engine.timezone}
        try:
            if call.is_insert and self.server.refusing:
                raise EngineError("Code: 242. DB::Exception: Inserts are refused. (TABLE_IS_READ_ONLY)")
            answer = self.server.engine.run(call)
        except EngineError as error:
            self._fail(error, headers)
            return
        if call.is_insert and self.server.takes_crash():
            self._hang_up()
            return
        if HAS_RESULT.match(call.sql):
            headers["X-ClickHouse-Format"] = call.output_format
        headers["X-ClickHouse-Summary"] = json.dumps(answer.summary, separators=(",", ":"))
        self._answer(200, *self._encoded(answer.body, call, headers))

    def _encoded(self, body: bytes, call: Call, headers: dict[str, str]) -> tuple[bytes, dict[str, str]]:
        """The body in the first encoding that the client names and asks for, with its header."""
        accepted = [name.split(";")[0].strip() for name in self.headers.get("Accept-Encoding", "").split(",")]
        codec = next((name for name in accepted if name in CODECS), None)
        if not codec or not body or call.args.get("enable_http_compression") != "1":
            return body, headers
        return _compressed(body, codec), headers | {"Content-Encoding": codec}

    def _fail(self, error: EngineError, headers: dict[str, str]) -> None:
        text = f"{error} (version {self.server.engine.version} (official build))\n"
        headers = headers | {"X-ClickHouse-Exception-Code": str(error.code)}
        self._answer(STATUS_OF.get(error.code, 500), text.encode(), headers)

    def _answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        named = {"Content-Type": "text/plain; charset=UTF-8", "Content-Length": str(len(body))}
        for name, value in (named | (headers or {})).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def _hang_up(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)


class ClickHouseHttp:
    """A server process over the data in `path`; a context manager, whose port outlives kills and restarts."""

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self.port = 0
        self._process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        return f"clickhouse://default:@127.0.0.1:{self.port}/default"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def start(self, timeout: float = 30.0) -> None:
        """Start the process, on the former port if there was one, and wait until it answers."""
        command = [sys.executable, __file__, "--path", str(self.path), "--port", str(self.port)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        with self._process.stdout or contextlib.nullcontext() as out:
            ready = out is not None and select.select([out], [], [], timeout)[0]
            line = out.readline() if out is not None and ready else ""
        if not line:
            self.kill()
            raise RuntimeError("the ClickHouse test server did not start; its stderr says why")
        self.port = json.loads(line)["port"]

    def kill(self) -> None:
        """SIGKILL: connections break, new ones are refused."""
        self._end(signal.SIGKILL)

    def close(self) -> None:
        """SIGTERM, and SIGCONT lest it is stopped: an orderly end."""
        self.resume()
        self._end(signal.SIGTERM)

    def restart(self) -> None:
        """Kill it if it runs, and start it on the same port with the same data."""
        self.kill()
        self.start()

    def stop(self) -> None:
        """SIGSTOP: connections are taken and nothing answers, until `resume`."""
        self._signal(signal.SIGSTOP)
        if self._process is not None:
            os.waitid(os.P_PID, self._process.pid, os.WSTOPPED | os.WNOWAIT)  # the signal takes its time

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def refuse_inserts(self, on: bool = True) -> None:
        """Let every insert fail with 503, or let them pass again."""
        self._control("/-/refuse", on=int(on))

    def crash_after_insert(self, times: int = 1) -> None:
        """Do the next inserts, and hang up instead of answering them."""
        self._control("/-/crash-after-insert", times=times)

    def _control(self, path: str, **args: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        with contextlib.closing(connection):
            connection.request("GET", f"{path}?{urlencode(args)}")
            if connection.getresponse().status != 200:
                raise RuntimeError(f"the ClickHouse test server refused {path}")

    def _signal(self, number: signal.Signals) -> None:
        if self._process:
            self._process.send_signal(number)

    def _end(self, number: signal.Signals) -> None:
        self._signal(number)
        if self._process:
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(10)
        self._process = None


def main() -> None:
    parser = argparse.ArgumentParser(description="A ClickHouse HTTP server over an embedded chDB engine.")
    parser.add_argument("--path", required=True, help="the directory of the data")
    parser.add_argument("--port", type=int, default=0, help="0: any that is free")
    options = parser.parse_args()
    over = threading.Event()
    server = ClickHouseServer(Engine(options.path), options.port)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: over.set())
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(json.dumps({"port": server.server_port}), flush=True)
    over.wait()
    server.shutdown()
    os._exit(0)  # not through the interpreter's end: queries may still be in the engine


if __name__ == "__main__":
    main()
