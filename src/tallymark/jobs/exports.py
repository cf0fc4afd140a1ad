"""Writes exports: takes the oldest one that waits, writes it to a draft, puts the draft where files are kept."""

import shutil
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

import structlog

from tallymark.answer.run import Answerer
from tallymark.api.services import Services
from tallymark.control.export_queue import HELD_SECONDS, ExportQueue
from tallymark.control.exports import Export
from tallymark.engine.refused import EngineRefused
from tallymark.errors import Conflict, EngineUnavailable, Stopping, TallymarkError, Unavailable
from tallymark.export.files import Misconfigured, draft_name, free_bytes, stored_name
from tallymark.export.formats import media_type
from tallymark.export.sink import Hashing
from tallymark.export.source import Source
from tallymark.export.write import write
from tallymark.jobs.expired import forget_expired
from tallymark.spec.export import What

_log = structlog.get_logger()

#: How often a writer looks for exports that it was not told of, in seconds.
_LOOK_SECONDS: Final = 2.0
#: How often progress is noted, and looked whether the export is still wanted, in seconds.
_NOTE_SECONDS: Final = 1.0
#: Exports leave this much of the disk to events, in bytes.
_RESERVE: Final = 512 << 20
#: An export that something gets in the way of is tried again after so many seconds, and after the last ones given up.
_PAUSES: Final = (2, 4, 8, 16)
_AWAY: Final = "The engine could not be reached: order it again later."
_TOO_LARGE: Final = "The engine has not enough memory for this: order fewer days, or give it more memory."
#: ClickHouse's code for a statement that needs more memory than there is now.
_NO_MEMORY: Final = 241


class _Unwanted(Exception):
    """The export was deleted, or another writer has it."""


class Exporter:
    """The threads that write exports, and the one that says that they are alive."""

    def __init__(self, here: Services, queue: ExportQueue) -> None:
        self._here = here
        self._queue = queue
        self._stopping = threading.Event()
        self._wanted = threading.Event()
        self._active: set[str] = set()
        self._answerer = Answerer(here.engine, here.catalog)
        names = [(self._work, "export")] * here.settings.export_workers + [(self._hold, "export holder")]
        self._threads = [threading.Thread(target=target, name=name, daemon=True) for target, name in names]

    def start(self) -> None:
        """Begins, with what was left over when the process ended the last time."""
        self._queue.recover(self._now())
        for thread in self._threads:
            thread.start()

    def wake(self) -> None:
        """Says that there is something to do."""
        self._wanted.set()

    def stop(self) -> None:
        """Ends; what is being written goes back into the queue."""
        self._stopping.set()
        self._wanted.set()
        for thread in self._threads:
            if thread.is_alive():
                thread.join()

    def clean(self) -> None:
        """Deletes the files of exports that have expired."""
        forget_expired(self._here.exports, self._here.files, self._now())

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._here.now(), UTC)

    def _work(self) -> None:
        while not self._stopping.is_set():
            if not self._attempt(self._next):
                self._wanted.wait(_LOOK_SECONDS)
                self._wanted.clear()

    def _hold(self) -> None:
        while not self._stopping.wait(HELD_SECONDS / 6):
            self._attempt(lambda: self._queue.renew(tuple(self._active), self._now()))

    def _attempt(self, step: Callable[[], Any]) -> Any:
        """What a step gives; None where it fails, which is logged."""
        try:
            return step()
        except Unavailable as error:
            _log.warning("exports wait", why=error.message)
        except Exception:
            _log.exception("exports failed")
        return None

    def _next(self) -> bool:
        """Whether there was an export to write."""
        export = self._queue.claim(self._now())
        if export is not None:
            self._write(export)
        return export is not None

    def _write(self, export: Export) -> None:
        folder = self._here.files.drafts / draft_name(export)
        self._active.add(export.id)
        try:
            self._sweep(export)
            folder.mkdir(parents=True)
            self._finish(export, folder)
        except Stopping:
            self._queue.release(export)
        except _Unwanted:
            pass
        except Exception as error:
            self._failed(export, error)
        finally:
            self._active.discard(export.id)
            shutil.rmtree(folder, ignore_errors=True)

    def _sweep(self, export: Export) -> None:
        """Deletes what a writer before left when it was killed."""
        for left in self._here.files.drafts.glob(f"{export.id}-*"):
            shutil.rmtree(left, ignore_errors=True)

    def _failed(self, export: Export, error: Exception) -> None:
        """Puts the export back for a later try; ends it where that can't help, or did not so far."""
        if not _passing(error) or export.failures >= len(_PAUSES):
            self._queue.fail(export, _told(export, error), self._now())
            return
        _log.info("export waits", export=export.id, why=str(error))
        self._queue.postpone(export, self._now() + timedelta(seconds=_PAUSES[export.failures]))

    def _finish(self, export: Export, folder: Path) -> None:
        """Writes the file and says that it is there; it is put there before, so that who reads `done` finds it."""
        project = self._here.projects.get(export.project_id)
        if project is None:
            raise _Unwanted
        watch = _Watch(self._queue, export, self._stopping, lambda: free_bytes(self._here.files))
        if export.order.what is not What.EVENTS:
            self._here.keeper.freshen(project)
        draft, source = folder / "file", Source(self._answerer, folder)
        with draft.open("wb") as file:
            sink = Hashing(file)
            rows = write(export.order, project, source, cast(BinaryIO, sink), watch.report)
        name = stored_name(export)
        self._here.files.put(draft, name, media_type(export.order.format), watch.look)
        now = self._now()
        until = now + timedelta(hours=self._here.settings.export_hours)
        if not self._queue.finish(export, rows, sink.size, sink.sha256, now, until):
            self._discard(export, name)

    def _discard(self, export: Export, name: str) -> None:
        """Deletes the file of an export that was deleted meanwhile; not that of one that another writer has."""
        if self._here.exports.get(export.id) is None:
            self._here.files.delete(name)


class _Watch:
    """Hears how far an export is; ends it where it is not wanted any more, or can't be finished."""

    def __init__(self, queue: ExportQueue, export: Export, stopping: threading.Event, free: Callable[[], int]) -> None:
        self._queue = queue
        self._export = export
        self._stopping = stopping
        self._free = free
        self._noted = 0.0
        self._progress = (0, 0)

    def report(self, rows: int, expected: int) -> None:
        """Notes that so many rows of so many are written. Errors: `Stopping`, `_Unwanted`, `OSError`."""
        self._progress = (rows, expected)
        self.look()

    def look(self) -> None:
        """Ends what must not go on. Errors: as `report`."""
        if self._stopping.is_set():
            raise Stopping("The server is stopping.")
        if time.monotonic() - self._noted < _NOTE_SECONDS:
            return
        self._noted = time.monotonic()
        if not self._queue.progress(self._export, *self._progress):
            raise _Unwanted
        if self._free() < _RESERVE:
            raise OSError(0, f"Less than {_RESERVE >> 20} MB of disk are free")


def _passing(error: Exception) -> bool:
    """Whether the same export may succeed later: what it reads was changed meanwhile, or something is away now."""
    if isinstance(error, Misconfigured):
        return False
    return isinstance(error, Conflict | Unavailable) or _no_memory(error)


def _no_memory(error: Exception) -> bool:
    return isinstance(error, EngineRefused) and getattr(error.__cause__, "code", None) == _NO_MEMORY


def _told(export: Export, error: Exception) -> str:
    """Why an export failed, in a sentence that holds nothing of what only the log should."""
    if isinstance(error, EngineUnavailable) or _no_memory(error):
        _log.warning("export failed", export=export.id, why=str(error))
        return _AWAY if isinstance(error, EngineUnavailable) else _TOO_LARGE
    if isinstance(error, Unavailable) or (isinstance(error, TallymarkError) and error.status < 500):
        _log.warning("export failed", export=export.id, why=error.message, cause=str(error.__cause__ or "")[:500])
        return error.message
    if isinstance(error, OSError) and error.strerror:
        _log.warning("export failed", export=export.id, why=str(error))
        return f"The file could not be written: {error.strerror}."
    _log.error("export failed", export=export.id, exc_info=error)
    return "Something went wrong here; it is logged."
