"""A Tallymark server as a process of its own, for tests that take it down.

It is forked off a process that has imported everything, which takes longer than all else that a server does to start;
an `UnforkedServer` has a process of its own from the first to the last moment of Python's.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

ADMIN = "admin-of-every-project"

_COMMAND = "import sys; from tallymark.cli import main; sys.exit(main(sys.argv[1:]))"
_START_SECONDS = 120.0

_FORKED = multiprocessing.get_context("forkserver")
_FORKED.set_forkserver_preload(["tallymark.app", "tallymark.cli", "tallymark.serving"])


class RunningServer:
    """`tallymark serve` over the data in `data`; a context manager, whose port outlives kills and restarts.

    `settings` are environment variables. What the server says goes to `log`. `command` is what runs in `serve`'s place.
    """

    _forked = True

    def __init__(self, data: Path, command: Sequence[str] = ("serve",), **settings: str) -> None:
        self.data = data
        self.log = data.with_suffix(".log")
        self.port = free_port()
        self._command = tuple(command)
        self._settings = settings
        self._process: ForkServerProcess | _Unforked | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.is_alive()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def start(self) -> None:
        """Start the process and wait until it answers."""
        self.launch()
        self._wait_until_it_answers()

    def launch(self) -> None:
        """Start the process and wait for nothing."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR", "PYTHONPATH") if name in os.environ}
        own = {
            "TALLYMARK_DATA": str(self.data),
            "TALLYMARK_PORT": str(self.port),
            "ADMIN_API_KEY": ADMIN,
            "TALLYMARK_LOG_FORMAT": "json",
        }
        arguments = (self._command, self.data.parent, kept | own | self._settings, self.log)
        self._process = _FORKED.Process(target=_serve, args=arguments) if self._forked else _Unforked(*arguments)
        self._process.start()

    def kill(self) -> None:
        """SIGKILL: whatever it is doing, it does no more."""
        if self._process:
            self._process.kill()
            self._process.join(30)
        self._process = None

    def restart(self) -> None:
        """Kill it if it runs, and start it on the same port with the same data."""
        self.kill()
        self.start()

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        if self._process and self._process.pid:
            os.kill(self._process.pid, number)

    def wait(self, seconds: float = 30.0) -> int:
        """Its exit code, once it has ended by itself."""
        if self._process is None:
            raise RuntimeError("The server does not run.")
        self._process.join(seconds)
        code = self._process.exitcode
        if code is None:
            raise TimeoutError(f"The server has not ended after {seconds} s.")
        self._process = None
        return code

    def terminate(self, seconds: float = 30.0) -> int:
        """SIGTERM: an orderly end; gives the exit code."""
        self.signal(signal.SIGTERM)
        return self.wait(seconds)

    def client(self, key: str = ADMIN, **options: Any) -> httpx.Client:
        """An HTTP client with that key."""
        headers = {"Authorization": f"Bearer {key}"}
        return httpx.Client(base_url=self.url, headers=headers, **{"timeout": 60.0, "trust_env": False} | options)

    def ask(self, method: str, path: str, key: str = ADMIN, **request: Any) -> httpx.Response:
        """One request on a connection of its own."""
        with self.client(key) as client:
            return client.request(method, path, **request)

    def project(self, name: str, **more: Any) -> dict[str, str]:
        """The keys of a new project."""
        answer = self.ask("POST", "/v1/projects", json={"name": name, **more})
        assert answer.status_code == 201, answer.text
        keys: dict[str, str] = answer.json()["keys"]
        return keys

    def _wait_until_it_answers(self) -> None:
        until = time.monotonic() + _START_SECONDS
        with self.client(timeout=1.0) as client:
            while time.monotonic() < until and self.alive:
                try:
                    client.get("/health")
                except httpx.TransportError:
                    time.sleep(0.02)
                else:
                    return
        self.kill()
        raise RuntimeError(f"The server did not start:\n{self.log.read_text(errors='replace')[-4_000:]}")


class UnforkedServer(RunningServer):
    """A server whose process begins as a user's does."""

    _forked = False


class _Unforked:
    """A process of its own, with what is used of `multiprocessing.Process`."""

    def __init__(self, command: Sequence[str], directory: Path, environment: Mapping[str, str], log: Path) -> None:
        self._command, self._directory, self._environment, self._log = command, directory, environment, log

    def start(self) -> None:
        with self._log.open("ab") as said:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _COMMAND, *self._command], cwd=self._directory, env=self._environment,
                stdin=subprocess.DEVNULL, stdout=said, stderr=said,
            )  # fmt: skip

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def exitcode(self) -> int | None:
        return self._process.poll()

    def is_alive(self) -> bool:
        return self.exitcode is None

    def kill(self) -> None:
        self._process.kill()

    def join(self, seconds: float) -> None:
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)


def _serve(command: Sequence[str], directory: Path, environment: Mapping[str, str], log: Path) -> None:
    """A command of `tallymark` that serves, in this process."""
    from tallymark.cli import main  # noqa: PLC0415  # whoever starts servers has no need of it

    os.chdir(directory)
    os.environ.clear()
    os.environ.update(environment)
    with log.open("ab") as said:
        for stream in (sys.stdout, sys.stderr):
            os.dup2(said.fileno(), stream.fileno())
    sys.exit(main(command))


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
