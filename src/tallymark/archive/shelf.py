"""Where archives are kept: a manifest and the file that it names, and nothing that isn't told by a manifest.

The file is put there first, under a name of its own, then the manifest in one step. So there is the archive as it was
or as it will be, whatever breaks off in between; what that leaves is swept.
"""

import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Final

import pyarrow as pa
import pyarrow.parquet as pq
import structlog

from tallymark.archive.manifest import Manifest, decode, encode, heads
from tallymark.errors import Conflict, NotFound
from tallymark.export.files import Files
from tallymark.export.formats import media_type
from tallymark.export.sink import Hashing
from tallymark.export.source import Column, schema
from tallymark.spec.export import Format

_log = structlog.get_logger()

_ID: Final = re.compile(r"arc_[0-9]{4}-[0-9]{2}_([0-9a-f]{16})", re.ASCII)
_FILE: Final = re.compile(rf"({_ID.pattern})-[0-9a-f]{{16}}\.parquet", re.ASCII)

_MANIFEST: Final = ".json"

#: Is called now and then while files are moved, and ends that by what it raises.
Going = Callable[[], None]


@dataclass(frozen=True)
class Shelf:
    """Archives by id. Errors of all methods: `Unavailable`."""

    files: Files

    def all(self) -> list[Manifest]:
        """Every archive whose manifest can be read: the latest month first, then by project."""
        found = []
        for name in self._names():
            try:
                found += [self._read(name)] if _id_of(name) else []
            except (Conflict, NotFound) as error:
                _log.warning("archive passed over", manifest=name, why=error.message)
        return sorted(found, key=lambda manifest: (_later_first(manifest.month), manifest.project.name, manifest.id))

    def ids_of(self, key: str) -> list[str]:
        """The archives of an owner, by its key, readable or not."""
        ids = (_id_of(name) for name in self._names())
        return sorted(found for found in ids if found and found.endswith(f"_{key}"))

    def get(self, archive: str) -> Manifest:
        """The archive with that id. Errors: `NotFound`; `Conflict` where its manifest can't be read."""
        if not _ID.fullmatch(archive):
            raise NotFound(f"There is no archive {archive[:64]!r}.", field="id")
        return self._read(f"{archive}{_MANIFEST}")

    def find(self, archive: str) -> Manifest | None:
        """As `get`; None where there is none."""
        try:
            return self.get(archive)
        except NotFound:
            return None

    def put(self, manifest: Manifest, draft: Path, going: Going) -> None:
        """Makes a draft the file of an archive, new or changed."""
        self.files.put(draft, manifest.file, media_type(Format.PARQUET), going)
        written = draft.with_name("manifest")
        written.write_bytes(encode(manifest))
        self.files.put(written, f"{manifest.id}{_MANIFEST}", media_type(Format.JSON), going)
        self._sweep(manifest.id, manifest.file)

    def remove(self, archive: str) -> None:
        """Deletes an archive; from the first step on it is not listed any more."""
        self.files.delete(f"{archive}{_MANIFEST}")
        self._sweep(archive, None)

    def orphans(self, before: datetime) -> list[str]:
        """The files from before an instant that no manifest names, as what breaks off leaves them."""
        stored = list(self.files.stored())
        manifests = {found for file in stored if (found := _id_of(file.name))}
        return [
            file.name
            for file in stored
            if (told := _FILE.fullmatch(file.name)) and file.modified <= before
            and self._orphan(file.name, told[1], manifests)
        ]  # fmt: skip

    def fetch(self, manifest: Manifest, columns: tuple[Column, ...], path: Path, going: Going) -> pq.ParquetFile:
        """The file of an archive, copied to a path and compared with its manifest. Errors: `Conflict`."""
        with path.open("wb") as file:
            sink = Hashing(file)
            try:
                self.files.fetch(manifest.file, _binary(sink), going)
            except FileNotFoundError:
                raise Conflict(f"The file of {manifest.id} is gone: {manifest.file}.") from None
        if (sink.size, sink.sha256) != (manifest.bytes, manifest.sha256):
            raise Conflict(f"The file of {manifest.id} is not the one that was written: its SHA-256 is another.")
        return _parquet(manifest, columns, path)

    def _names(self) -> list[str]:
        return sorted(stored.name for stored in self.files.stored())

    def _read(self, name: str) -> Manifest:
        sink = io.BytesIO()
        try:
            self.files.fetch(name, sink, lambda: None)
        except FileNotFoundError:
            raise NotFound(f"There is no archive {name.removesuffix(_MANIFEST)!r}.", field="id") from None
        return decode(sink.getvalue(), name)

    def _sweep(self, archive: str, kept: str | None) -> None:
        for name in self._names():
            if name != kept and (file := _FILE.fullmatch(name)) and file[1] == archive:
                self.files.delete(name)

    def _orphan(self, name: str, archive: str, manifests: set[str]) -> bool:
        """Whether a file belongs to no archive; where a manifest can't be read, it may name it."""
        if archive not in manifests:
            return True
        try:
            return self.get(archive).file != name
        except Conflict:
            return False


def file_name(archive: str, sha256: str) -> str:
    """The name of an archive's file: another one for other bytes."""
    return f"{archive}-{sha256[:16]}.parquet"


def row_groups(file: pq.ParquetFile) -> Iterator[pa.Table]:
    """The rows of a file, a few thousand at a time."""
    for place in range(file.num_row_groups):
        yield file.read_row_group(place)


def _parquet(manifest: Manifest, columns: tuple[Column, ...], path: Path) -> pq.ParquetFile:
    file = pq.ParquetFile(path)
    has = [(field.name, field.type) for field in file.schema_arrow]
    expected = [(field.name, field.type) for field in schema(columns)]
    if manifest.columns != heads(columns) or has != expected or file.metadata.num_rows != manifest.rows:
        raise Conflict(f"The file of {manifest.id} has other columns or rows than its manifest says.")
    return file


def _id_of(name: str) -> str | None:
    """The archive that a name is the manifest of."""
    stem = name.removesuffix(_MANIFEST)
    return stem if stem != name and _ID.fullmatch(stem) else None


def _later_first(month: str) -> int:
    return -int(month.replace("-", ""))


def _binary(sink: Hashing) -> BinaryIO:
    binary: BinaryIO = sink  # type: ignore[assignment]  # it is written to, and nothing else
    return binary
