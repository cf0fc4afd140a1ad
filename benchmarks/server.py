"""A real server in a process of its own, as a user starts it."""

import os
import secrets
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import typer.main

from benchmarks.figures import BenchmarkError
from tallymark import cli

_START_SECONDS = 60
_STOP_SECONDS = 60

_WITHOUT_COMMAND = (
    "from tallymark.config import load; from tallymark.serving import serve; "
    "from tallymark.logs import configure; configure('warning', 'json'); serve(load(), print)"
)
_COMMAND = "from tallymark.cli import main; raise SystemExit(main(['serve']))"


@dataclass
class Server:
    """A running server: where it listens, its admin key, and what it uses."""

    process: "subprocess.Popen[bytes]"
    port: int
    admin_key: str
    client: httpx.Client
    log: Path
    _peak: float = 0.0
    _ended: threading.Event = field(default_factory=threading.Event)

    def get(self, path: str, **params: Any) -> Any:
        """The JSON of a path."""
        return self._json(self.client.get(path, params=params))

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """The JSON that is answered to a JSON."""
        return self._json(self.client.post(path, json=body))

    def memory_mb(self) -> float:
        """Resident memory now."""
        status = Path(f"/proc/{self.process.pid}/status")
        if status.is_file():
            lines = status.read_text(encoding="ascii").splitlines()
            return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) / 1024
        told = subprocess.run(["ps", "-o", "rss=", "-p", str(self.process.pid)], capture_output=True, check=True)
        return int(told.stdout) / 1024

    @property
    def peak_mb(self) -> float:
        """The most resident memory seen since the start."""
        return self._peak

    def watch(self) -> None:
        """Keeps `peak_mb`, until the server is stopped."""
        while not self._ended.wait(0.2) and self.process.poll() is None:
            self._peak = max(self._peak, self.memory_mb())

    def stop(self) -> None:
        """Stops it as an operator does."""
        self._ended.set()
        self.client.close()
        self.process.terminate()
        self.process.wait(_STOP_SECONDS)

    def _json(self, response: httpx.Response) -> Any:
        if response.is_error:
            raise BenchmarkError(f"{response.request.url.path} answered {response.status_code}: {response.text[:500]}")
        return response.json()


@contextmanager
def serving(data: Path, **settings: str) -> Iterator[Server]:
    """A server over a data directory, ready; `settings` are `TALLYMARK_…` by their last words."""
    port, key = _free_port(), secrets.token_urlsafe(24)
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("TALLYMARK_")}
    given = {f"TALLYMARK_{name.upper()}": value for name, value in settings.items()}
    environment = {
        **inherited,
        "TALLYMARK_DATA": str(data),
        "TALLYMARK_PORT": str(port),
        "TALLYMARK_LOG_LEVEL": "warning",
        "ADMIN_API_KEY": key,
        **given,
    }
    data.mkdir(parents=True, exist_ok=True)
    log = data / "server.log"
    code = _COMMAND if "serve" in typer.main.get_command(cli.app).commands else _WITHOUT_COMMAND  # type: ignore[attr-defined]  # a group
    with log.open("wb") as said:
        process = subprocess.Popen([sys.executable, "-c", code], cwd=data, env=environment, stdout=said, stderr=said)
    client = httpx.Client(
        base_url=f"http://127.0.0.1:{port}", headers={"x-admin-key": key}, timeout=600, trust_env=False
    )
    server = Server(process, port, key, client, log)
    try:
        _wait_until_ready(server)
        threading.Thread(target=server.watch, daemon=True).start()
        yield server
    finally:
        server.stop()


def _wait_until_ready(server: Server) -> None:
    until = time.monotonic() + _START_SECONDS
    while time.monotonic() < until and server.process.poll() is None:
        try:
            if server.client.get("/ready").status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    raise BenchmarkError(f"The server did not get ready. It said: {server.log.read_text(errors='replace')[-2_000:]}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
