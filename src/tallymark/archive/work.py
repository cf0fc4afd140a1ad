"""Work on archives: one at a time over threads and processes, watched, in a directory that goes with it."""

import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tallymark.control.leases import Leases
from tallymark.errors import Conflict, Stopping, Unavailable
from tallymark.export.files import Files, free_bytes

_LEASE: Final = "archives"
_LEASE_SECONDS: Final = 300
#: Who comes while others are at work waits for so long, in seconds.
_PATIENCE: Final = 60.0

#: How often it is looked whether work may go on, in seconds.
_LOOK_SECONDS: Final = 1.0
#: Archives leave this much of the disk to events, in bytes.
_RESERVE: Final = 512 << 20

_DRAFTS: Final = "archive-"

#: Is told how many rows are done, and of how many.
Tell = Callable[[int, int], None]


@dataclass
class Work:
    """What is being done: a directory for drafts, and who is told of it."""

    folder: Path
    tell: Tell
    _check: Callable[[], None]
    _looked: float = field(default_factory=time.monotonic)

    def report(self, rows: int, of: int) -> None:
        """Says that so many rows of so many are done. Errors: as `look`."""
        self.tell(rows, of)
        self.look()

    def look(self) -> None:
        """Ends what must not go on. Errors: `Stopping`, `Unavailable`."""
        if time.monotonic() - self._looked >= _LOOK_SECONDS:
            self._looked = time.monotonic()
            self._check()


class Workplace:
    """Where archives are worked on. `holder` names this process among those that share the control store."""

    def __init__(self, files: Files, leases: Leases, holder: str, patience: float = _PATIENCE) -> None:
        self._files = files
        self._leases = leases
        self._holder = holder
        self._patience = patience
        self._lock = threading.Lock()
        self._stopping = threading.Event()

    @contextmanager
    def alone(self, tell: Tell) -> Iterator[Work]:
        """Work that nobody else does meanwhile. Errors: `Conflict` where others are at it, `Stopping`."""
        if not self._lock.acquire(timeout=self._patience):
            raise _busy()
        try:
            self._take()
            try:
                with self._folder() as folder:
                    yield Work(folder, tell, self._check)
            finally:
                self._leases.release(_LEASE, self._holder)
        finally:
            self._lock.release()

    def stop(self) -> None:
        """Ends what is being done, for good."""
        self._stopping.set()

    @contextmanager
    def _folder(self) -> Iterator[Path]:
        """A directory for drafts; those that a killed process left are deleted."""
        drafts = self._files.drafts
        drafts.mkdir(parents=True, exist_ok=True)
        for left in drafts.glob(f"{_DRAFTS}*"):
            shutil.rmtree(left, ignore_errors=True)
        with tempfile.TemporaryDirectory(prefix=_DRAFTS, dir=drafts) as folder:
            yield Path(folder)

    def _take(self) -> None:
        until = time.monotonic() + self._patience
        while not self._leases.acquire(_LEASE, self._holder, _LEASE_SECONDS):
            if self._stopping.is_set() or time.monotonic() >= until:
                raise _busy()
            time.sleep(0.2)

    def _check(self) -> None:
        if self._stopping.is_set():
            raise Stopping("The server is stopping; ask for it again when it is back.")
        if not self._leases.acquire(_LEASE, self._holder, _LEASE_SECONDS):
            raise Conflict("Another process works on archives now.")
        if free_bytes(self._files) < _RESERVE:
            raise Unavailable(f"Less than {_RESERVE >> 20} MB of disk are free.")


def _busy() -> Conflict:
    return Conflict("An archive is being written, restored or changed: try again when that is done.")
