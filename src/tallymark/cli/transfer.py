"""The way of files to a project: opened, read as events, cut into chunks, sent, and the answers added up."""

import gzip
import io
import os
import sys
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple, cast

import msgspec

from tallymark.cli.connection import Connection, Refused, Unreachable
from tallymark.cli.tally import Place, Tally
from tallymark.errors import BadRequest, BodyTooLarge
from tallymark.ingest.decode import decode
from tallymark.ingest.log_events import Numbered, Wire
from tallymark.ingest.tables import Times
from tallymark.spec.event import Reason

STDIN: Final = "-"

_CHUNK_EVENTS: Final = 10_000  # large inserts are twice as fast as ones of 2,000
_CHUNK_BYTES: Final = 4_000_000  # under what a body may have unless set otherwise
_GZIP: Final = b"\x1f\x8b"
_BUSY: Final = frozenset({"unavailable", "queue_full", "engine_unavailable", "too_many_requests", "unreachable"})
_PAUSES: Final = (0.1, 0.5, 1, 2, 4, 8, 15, 30, 30, 30)  # seconds before a busy server is asked again
_LATEST: Final = 4_102_444_800  # the year 2100, in epoch seconds

_encode = msgspec.json.Encoder(enc_hook=str).encode

#: Makes events of a file's plain content.
Read = Callable[[BinaryIO], Iterator[Numbered]]
#: Sends an array of events; gives the answer: `{"rejected": [{"index", "reason", "message"}, …], …}`.
Send = Callable[[bytes], dict[str, Any]]
#: Hears how many bytes of all files, or how many rows, are read.
Tell = Callable[[int], None]


class Entry(NamedTuple):
    """An event that is about to be sent: its number in the file, its time in epoch seconds, its JSON."""

    number: int
    moment: float | None
    body: bytes


def transfer(files: Sequence[str], read: Read, send: Send, tally: Tally, tell: Tell) -> None:
    """Sends what the files hold, adding up in `tally`. Errors: `BadRequest` for a file that can't be read."""
    started, before = time.perf_counter(), 0
    for path in files:
        with _opened(path) as (file, position):
            for _ in deliver(path, _named(path, read(file)), send, tally):
                tally.seconds = time.perf_counter() - started
                tell(before + position())
            before += position()


def deliver(name: str, entries: Iterable[Numbered], send: Send, tally: Tally) -> Iterator[None]:
    """Sends entries in chunks, adding up in `tally`; goes on after each. `name` says where they are from."""
    for chunk in _chunks(name, entries, tally):
        _deliver(name, chunk, send, tally)
        yield


def check_file(path: str) -> None:
    """Refuses what can't be read before anything is sent. Errors: `BadRequest`."""
    if path == STDIN:
        return
    if not Path(path).exists():
        raise BadRequest(f"There is no file {path}.")
    if Path(path).is_dir() or not os.access(path, os.R_OK):
        raise BadRequest(f"{path} can't be read.")


def sender(connection: Connection, project: str, sleep: Callable[[float], object] = time.sleep) -> Send:
    """Sends chunks to a project; while the server is busy or restarts, waits up to two minutes.

    A chunk may be sent twice for that; its events count once.
    """

    def send(body: bytes) -> dict[str, Any]:
        pauses = iter(_PAUSES)
        while True:
            try:
                answer = connection.post("/v1/import", params={"project": project}, content=body)
            except (Refused, Unreachable) as error:
                pause = next(pauses, None)
                if pause is None or error.code not in _BUSY:
                    raise
                sleep(pause)
            else:
                return cast(dict[str, Any], answer)

    return send


def only_decode(body: bytes) -> dict[str, Any]:
    """What can be said of a chunk without a project: whether its events are well-formed."""
    decoded = decode(body)
    rejected = [asdict(rejection) for rejection in decoded.rejections]
    return {"accepted": len(decoded.events), "rejected": rejected}


def _named(name: str, entries: Iterable[Numbered]) -> Iterator[Numbered]:
    """The same entries; errors of reading say the file's name."""
    try:
        yield from entries
    except BadRequest as error:
        raise BadRequest(f"{name}: {error.message}", allowed=error.allowed, field=error.field) from None
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise BadRequest(f"{name}: The gzip data is damaged or cut short.") from None


def _chunks(name: str, entries: Iterable[Numbered], tally: Tally) -> Iterator[list[Entry]]:
    """The events in portions that a request can carry; malformed entries are refused here."""
    chunk: list[Entry] = []
    size = 0
    for number, event in entries:
        tally.read += 1
        if event is None:
            tally.refuse(Reason.MALFORMED, Place(name, number), "It can't be read as what the file should hold.")
            continue
        body = _encode(event)
        if chunk and (len(chunk) == _CHUNK_EVENTS or size + len(body) > _CHUNK_BYTES):
            yield chunk
            chunk, size = [], 0
        chunk.append(Entry(number, _moment(event), body))
        size += len(body)
    if chunk:
        yield chunk


def _deliver(name: str, chunk: list[Entry], send: Send, tally: Tally) -> None:
    """Sends a chunk and counts the answer; in halves where it is too large for the server."""
    try:
        answer = send(b"[" + b",".join(entry.body for entry in chunk) + b"]")
    except Refused as error:
        if error.status != BodyTooLarge.status:
            raise
        _deliver_halves(name, chunk, send, tally)
        return
    refused = {rejection["index"]: rejection for rejection in answer["rejected"]}
    for index, entry in enumerate(chunk):
        rejection = refused.get(index)
        if rejection is None:
            tally.accept(entry.moment)
        else:
            tally.refuse(rejection["reason"], Place(name, entry.number), rejection["message"])


def _deliver_halves(name: str, chunk: list[Entry], send: Send, tally: Tally) -> None:
    if len(chunk) == 1:
        tally.refuse(Reason.TOO_LARGE, Place(name, chunk[0].number), "It is larger than a request may be.")
        return
    half = len(chunk) // 2
    _deliver(name, chunk[:half], send, tally)
    _deliver(name, chunk[half:], send, tally)


def _moment(event: Wire) -> float | None:
    """The event's time in epoch seconds; None if it has none that can be read here."""
    at = event.get("timestamp")
    if isinstance(at, str):
        at = Times().wire(at)
    if not isinstance(at, int | float):
        return None
    seconds = at / 1000 if at >= 1e11 else at
    return seconds if 0 <= seconds < _LATEST else None


@contextmanager
def _opened(path: str) -> Iterator[tuple[BinaryIO, Callable[[], int]]]:
    """The plain content of a file or of standard input, and how many of its bytes are read, packed or not."""
    raw = io.BufferedReader(_raw(path))
    try:
        packed = raw.peek(2)[:2] == _GZIP
        plain = io.BufferedReader(cast(io.RawIOBase, gzip.GzipFile(fileobj=raw)), 1 << 20) if packed else raw
        yield plain, raw.tell if raw.seekable() else lambda: 0
    finally:
        inner = raw.detach()
        if path != STDIN:
            inner.close()


def _raw(path: str) -> io.RawIOBase:
    return cast(io.RawIOBase, sys.stdin.buffer) if path == STDIN else io.FileIO(path)
