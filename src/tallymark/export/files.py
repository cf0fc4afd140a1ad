"""Where files are kept: a directory, or a bucket that speaks S3; both by way of obstore."""

import os
import re
import shutil
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO, Final
from urllib.parse import parse_qsl, urlsplit

import obstore
from obstore.exceptions import BaseError, GenericError, PermissionDeniedError, UnauthenticatedError
from obstore.store import LocalStore, ObjectStore, S3Store

from tallymark.config import Settings
from tallymark.control.exports import Export
from tallymark.errors import BadSetting, Unavailable

_NAME: Final = re.compile(r"(exp_[A-Za-z0-9_-]{32})(\.[a-z]+|-[0-9]+)", re.ASCII)

#: Files up to this size are uploaded at once, larger ones in parts of it; in bytes.
_PART: Final = 8 << 20
_PARTS_AT_ONCE: Final = 2

#: A download reads at least this much at a time, in bytes.
_CHUNK: Final = 1 << 20

#: What the library says of servers that answer a part of a file with 200, as some do.
_NO_RANGES: Final = "NotPartial"

#: The first byte of a part of a file, and the first one after it.
Span = tuple[int, int]

_OPTIONS: Final = ("region", "endpoint")

#: A download may take hours; silence may not.
_CLIENT: Final = {
    "connect_timeout": timedelta(seconds=5),
    "read_timeout": timedelta(minutes=2),
    "timeout": timedelta(hours=12),
}
_RETRIES: Final = {"max_retries": 5, "retry_timeout": timedelta(seconds=30)}


class Misconfigured(Unavailable):
    """The bucket says no, and will until somebody changes settings or rights."""


@dataclass(frozen=True)
class Stored:
    """A file that is there, and when it was put there."""

    name: str
    modified: datetime


class Files(ABC):
    """Keeps files by name. `drafts` is a local directory for what is being written."""

    def __init__(self, store: ObjectStore, drafts: Path) -> None:
        self._store = store
        self.drafts = drafts

    @abstractmethod
    def put(self, draft: Path, name: str, media_type: str, going: Callable[[], None]) -> None:
        """Makes a draft the file of that name: all of it or nothing; the draft may be gone then.

        `going` is called now and then and may raise, which ends it. Errors: `Unavailable`, of which `Misconfigured`
        lasts; `OSError`.
        """

    async def read(self, name: str, span: Span | None = None) -> AsyncIterator[bytes]:
        """The chunks of a file, or of a part of it. Errors: `FileNotFoundError`, `Unavailable`."""
        with _told():
            if span is None:
                return (await obstore.get_async(self._store, name)).stream(_CHUNK)
            try:
                return (await obstore.get_async(self._store, name, options={"range": span})).stream(_CHUNK)
            except GenericError as error:
                if _NO_RANGES not in str(error):
                    raise
            return _cut((await obstore.get_async(self._store, name)).stream(_CHUNK), span)

    def fetch(self, name: str, sink: BinaryIO, going: Callable[[], None]) -> None:
        """Writes a file into a sink; `going` is as of `put`. Errors: `FileNotFoundError`, `Unavailable`."""
        with _told():
            for chunk in obstore.get(self._store, name).stream(_CHUNK):
                sink.write(chunk)
                going()

    def delete(self, name: str) -> None:
        """Deletes a file; one that is not there is no error. Errors: `Unavailable`."""
        with _told(), suppress(FileNotFoundError):
            obstore.delete(self._store, name)

    def stored(self) -> Iterator[Stored]:
        """Every file. Errors: `Unavailable`."""
        with _told():
            for some in obstore.list(self._store):
                yield from (Stored(file["path"], file["last_modified"]) for file in some)


class Directory(Files):
    """Files in a local directory, on the same disk as the drafts."""

    def __init__(self, folder: Path, drafts: Path) -> None:
        super().__init__(LocalStore(folder, mkdir=True), drafts)
        self._folder = folder

    def put(self, draft: Path, name: str, media_type: str, going: Callable[[], None]) -> None:
        """Renames the draft; it is on disk then."""
        with draft.open("rb") as file:
            os.fsync(file.fileno())
        self._folder.mkdir(parents=True, exist_ok=True)
        draft.replace(self._folder / name)
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


class Bucket(Files):
    """Files in a bucket below a prefix, which belongs to this installation alone."""

    def put(self, draft: Path, name: str, media_type: str, going: Callable[[], None]) -> None:
        """Uploads the draft, a large one in parts."""
        small = draft.stat().st_size <= _PART
        with draft.open("rb") as file, _told("put"):
            obstore.put(
                self._store, name, file.read() if small else _parts(file.read, going),
                attributes={"Content-Type": media_type}, chunk_size=_PART, max_concurrency=_PARTS_AT_ONCE,
            )  # fmt: skip


def open_files(settings: Settings, shelf: str = "") -> Files:
    """The files of these settings: exports, or those of another shelf, which a bucket has below the exports' place.

    Errors: `BadSetting`; nothing is asked of a bucket yet.
    """
    drafts = settings.files_path / "drafts"
    if not settings.files.startswith("s3://"):
        return Directory((settings.files_path / (shelf or "exports")).absolute(), drafts)
    url = urlsplit(settings.files)
    options = dict(parse_qsl(url.query, keep_blank_values=True))
    problem = _problem(url.hostname, url.username, options)
    if problem:
        raise BadSetting(f"TALLYMARK_FILES: {problem}", field="TALLYMARK_FILES")
    plain = options.get("endpoint", "").startswith("http://")
    client: Any = {**_CLIENT, "allow_http": plain}
    retries: Any = _RETRIES
    config: Any = options
    prefix = f"{url.path.strip('/')}/{shelf}".strip("/") or None
    return Bucket(
        S3Store(url.netloc, prefix=prefix, config=config, client_options=client, retry_config=retries), drafts
    )


def stored_name(export: Export) -> str:
    """The name that the file of an export is kept by."""
    return f"{export.id}.{export.order.format}"


def draft_name(export: Export) -> str:
    """The name of the directory that an export is written in, another one at each attempt."""
    return f"{export.id}-{export.attempt}"


def owner_of(name: str) -> str | None:
    """The id of the export that a file or a draft was made for; None for a name that is no export's."""
    found = _NAME.fullmatch(name)
    return None if found is None else found[1]


def free_bytes(files: Files) -> int:
    """How much room there is for drafts, in bytes."""
    return shutil.disk_usage(files.drafts).free


def _problem(bucket: str | None, user: str | None, options: dict[str, str]) -> str:
    if user is not None:
        return "credentials come from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, not from the URL."
    if not bucket:
        return "say which bucket, as in s3://bucket/prefix?region=eu-central-1."
    unknown = sorted(set(options) - set(_OPTIONS))
    if unknown:
        return f"there is no option {unknown[0]!r}; there are {' and '.join(_OPTIONS)}."
    endpoint = options.get("endpoint", "https://")
    return "" if endpoint.startswith(("http://", "https://")) else "an endpoint starts with http:// or https://."


@contextmanager
def _told(what: str = "") -> Iterator[None]:
    """Says in a sentence why a bucket did not do it; the library's own words may go on for a page."""
    try:
        yield
    except (PermissionDeniedError, UnauthenticatedError) as error:
        message = "The bucket refuses these credentials: see AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
        raise Misconfigured(message) from error
    except FileNotFoundError as error:
        if what != "put":
            raise
        raise Misconfigured("There is no such bucket: see TALLYMARK_FILES.") from error
    except BaseError as error:
        raise Unavailable("The place where files are kept can't be used now.") from error


def _parts(read: Callable[[int], bytes], going: Callable[[], None]) -> Iterator[bytes]:
    while part := read(_PART):
        going()
        yield part


async def _cut(stream: AsyncIterator[bytes], span: Span) -> AsyncIterator[bytes]:
    """The bytes of a span of a stream."""
    at, (first, end) = 0, span
    async for chunk in stream:
        part = chunk[max(0, first - at) : max(0, end - at)]
        at += len(chunk)
        if part:
            yield part
        if at >= end:
            return
