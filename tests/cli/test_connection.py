"""Where a command's requests go: the endpoint, the server of this machine, or an application of its own."""

import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from litestar import Litestar

from tallymark.access.keys import local_key
from tallymark.cli.connection import Build, Refused, Unreachable, announce, connect, running_server
from tallymark.config import Settings, load
from tallymark.control.database import open_database
from tallymark.errors import EngineLocked
from tests.api.control_app import control_app


def settings(data: Path, **more: Any) -> Settings:
    return load({}, data / ".env", data=data, **more)


def build(of: Settings) -> Litestar:
    return control_app(open_database(of.control_url), local_key(of.data))


def unused(_: Settings) -> Litestar:
    raise AssertionError("there is a server")


class Answer(BaseHTTPRequestHandler):
    """Says which key it was given; `/broken` and `/text` answer no JSON."""

    def do_GET(self) -> None:
        body = b"plain" if self.path == "/text" else json.dumps({"key": self.headers["Authorization"]}).encode()
        self.send_response(500 if self.path == "/broken" else 200)
        self.send_header("content-type", "text/plain" if self.path == "/text" else "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""


@contextmanager
def serving() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def url() -> Iterator[str]:
    with serving() as running:
        yield running


def key_seen(of: Settings, built: Build = unused) -> Any:
    with connect(of, built) as connection:
        return connection.get("/")["key"]


def test_an_endpoint_is_asked_with_the_key_given(tmp_path: Path, url: str) -> None:
    assert key_seen(settings(tmp_path, endpoint=url, key="mine")) == "Bearer mine"
    assert key_seen(settings(tmp_path, endpoint=url)) is None
    assert list(tmp_path.iterdir()) == []


def test_the_server_of_this_machine_is_asked_with_the_local_key(tmp_path: Path, url: str) -> None:
    with announce(tmp_path, url):
        assert stat.S_IMODE((tmp_path / "server.json").stat().st_mode) == 0o600
        assert running_server(tmp_path) == url
        assert key_seen(settings(tmp_path)) == f"Bearer {local_key(tmp_path)}"
        assert key_seen(settings(tmp_path, key="mine")) == "Bearer mine"
    assert running_server(tmp_path) is None
    assert [path.name for path in tmp_path.iterdir()] == ["local.key"]


def test_a_server_that_is_gone_is_not_asked(tmp_path: Path, url: str) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    for said in (
        json.dumps({"pid": ended.pid, "url": url}),
        json.dumps({"pid": os.getpid(), "url": "http://127.0.0.1:9"}),
        json.dumps({"pid": "x", "url": url}),
        json.dumps({"url": url}),
        "[]",
        "{",
    ):
        (tmp_path / "server.json").write_text(said)
        assert running_server(tmp_path) is None, said


def test_without_a_server_the_application_runs_in_the_command(tmp_path: Path) -> None:
    ended = []
    of = settings(tmp_path / "data")

    def noted(of: Settings) -> Litestar:
        app = build(of)
        app.on_shutdown.append(lambda: ended.append(True))
        return app

    with connect(of, noted) as connection:
        created = connection.post("/v1/projects", json={"name": "site"})
        assert created["project"]["name"] == "site"
        assert connection.get("/v1/keys", params={"project": "site"})["keys"]
        assert connection.patch("/v1/projects/site", json={"quota": 7})["project"]["quota"] == 7
        assert not ended
    assert ended == [True]
    with connect(of, build) as connection:
        assert connection.post("/v1/keys", content=b'{"project": "site", "scope": "read"}')["key"]["id"] == 4
        assert connection.delete("/v1/projects/site")["deleted"]["quota"] == 7


def test_a_refusal_says_what_the_server_said(tmp_path: Path) -> None:
    with connect(settings(tmp_path), build) as connection, pytest.raises(Refused) as caught:
        connection.post("/v1/projects", json={"name": "a", "pii": "x"})
    error = caught.value
    assert (error.status, error.code, error.field) == (400, "bad_request", "pii")
    assert error.allowed == ["reject", "redact", "allow"]
    assert "'x'" in error.message


def test_an_answer_without_a_message(tmp_path: Path, url: str) -> None:
    with connect(settings(tmp_path, endpoint=url), unused) as connection:
        assert connection.get("/text") == "plain"
        with pytest.raises(Refused, match="The server answered 500"):
            connection.get("/broken")


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:9", "nowhere", "ftp://127.0.0.1"])
def test_nobody_answers(tmp_path: Path, endpoint: str) -> None:
    of = settings(tmp_path, endpoint=endpoint)
    with connect(of, unused) as connection, pytest.raises(Unreachable, match="Nothing answers at"):
        connection.get("/")


def test_an_application_that_can_not_start_says_why(tmp_path: Path) -> None:
    def locked(_: Settings) -> Litestar:
        async def fail() -> None:
            raise EngineLocked("Another process owns the directory.")

        return Litestar(on_startup=[fail], logging_config=None)

    with pytest.raises(EngineLocked):
        connect(settings(tmp_path), locked)
