"""A manifest: what is in an archive, as JSON beside its file, so that it can be read without any other store."""

import hashlib
from collections.abc import Sequence
from datetime import date, datetime
from typing import Final

import msgspec

from tallymark import __version__
from tallymark.errors import Conflict
from tallymark.export.source import Column, schema
from tallymark.spec.month import Month
from tallymark.spec.project import Project, instant_text

#: How manifests are written, and which columns files have.
FORMAT: Final = 1
SCHEMA_VERSION: Final = 1

MADE_BY: Final = f"tallymark {__version__}"


class Owner(msgspec.Struct, frozen=True, rename="camel"):
    """The project whose events they are. Its id alone does not tell it from one of another installation."""

    id: int
    name: str
    created_at: str

    @classmethod
    def of(cls, project: Project) -> "Owner":
        """A project as an owner."""
        return cls(project.id, project.name, instant_text(project.created_at))

    @property
    def key(self) -> str:
        """What tells it from any other project, 16 hexadecimal digits."""
        return hashlib.sha256(f"{self.id} {self.created_at}".encode()).hexdigest()[:16]


class Head(msgspec.Struct, frozen=True):
    """A column of the file, and its type as Arrow names it."""

    name: str
    type: str


class Manifest(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """An archive. `first_day` and `last_day` are the first and the last one with events, in its zone.

    `complete`: the month was over, and none of its events had gone. `fingerprint` is of the events that were archived;
    None where some were taken out since.
    """

    format: int = FORMAT
    id: str
    project: Owner
    month: str
    timezone: str
    complete: bool
    rows: int
    first_day: date
    last_day: date
    file: str
    bytes: int
    sha256: str
    fingerprint: str | None
    schema_version: int = SCHEMA_VERSION
    columns: tuple[Head, ...]
    made_at: datetime
    made_by: str = MADE_BY


class _Format(msgspec.Struct):
    format: int


def archive_id(project: Project, month: Month) -> str:
    """The id that the archive of a project's month has, and no other."""
    return f"arc_{month}_{Owner.of(project).key}"


def heads(columns: Sequence[Column]) -> tuple[Head, ...]:
    """The columns of a file as a manifest names them."""
    return tuple(Head(field.name, str(field.type)) for field in schema(columns))


def encode(manifest: Manifest) -> bytes:
    """The manifest as a file."""
    return msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n"


def decode(content: bytes, name: str) -> Manifest:
    """The manifest that a file of that name holds. Errors: `Conflict` where that is none, or a later version's."""
    try:
        written = msgspec.json.decode(content, type=_Format).format
        manifest = msgspec.json.decode(content, type=Manifest) if written == FORMAT else None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Conflict(f"{name} is not the manifest of an archive any more.") from None
    if manifest is None:
        raise Conflict(f"{name} is of format {written}, which a later version of Tallymark reads.")
    if name != f"{manifest.id}.json":
        raise Conflict(f"{name} is the manifest of another archive, {manifest.id[:64]}.")
    return manifest
