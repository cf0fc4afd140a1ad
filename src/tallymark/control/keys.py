"""The keys of projects: issued, found by hash, listed, revoked. A key itself is never stored."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, cast

from sqlalchemy import ColumnElement, Row, Select, or_, select
from sqlalchemy.orm import Session

from tallymark.control.database import Database
from tallymark.control.models import KeyRow, ProjectRow
from tallymark.errors import NotFound

Scope = Literal["ingest", "read", "admin"]


@dataclass(frozen=True)
class KeyDraft:
    """A key that is about to be issued: `prefix` is what people recognise it by, `hash` its SHA-256.

    From `expires_at` on it is good for nothing.
    """

    scope: Scope
    label: str
    prefix: str
    hash: str
    expires_at: datetime | None = None


@dataclass(frozen=True)
class Key:
    """An issued key. `project` is its project's name."""

    id: int
    project_id: int
    project: str
    scope: Scope
    label: str
    prefix: str
    created_at: datetime
    revoked_at: datetime | None
    expires_at: datetime | None = None


class Keys:
    """The store of keys. Keys of deleted projects are not there."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def issue(self, project_id: int, draft: KeyDraft) -> Key:
        """The key of that project, from now on good for its scope.

        Errors: `NotFound` where there is no such project.
        """
        with self._database.write(project_id) as session:
            project = session.get(ProjectRow, project_id)
            if project is None or project.deleted_at is not None:
                raise NotFound(f"There is no project {project_id}.", field="project")
            row = key_row(project_id, draft, datetime.now(UTC))
            session.add(row)
            session.flush()
            return _one(session, row.id)

    def get(self, key_id: int) -> Key | None:
        """The key with that id, be it revoked or expired."""
        with self._database.read() as session:
            return _first(session, _KEYS.where(KeyRow.id == key_id))

    def get_good(self, key_id: int) -> Key | None:
        """The key with that id, if it is good."""
        return self._good(KeyRow.id == key_id)

    def find(self, hash_: str) -> Key | None:
        """The key with that hash, if it is good: neither revoked nor expired."""
        return self._good(KeyRow.hash == hash_)

    def _good(self, which: ColumnElement[bool]) -> Key | None:
        unexpired = or_(KeyRow.expires_at.is_(None), KeyRow.expires_at > datetime.now(UTC))
        with self._database.read() as session:
            return _first(session, _KEYS.where(which, KeyRow.revoked_at.is_(None), unexpired))

    def list(self, project_id: int | None = None) -> tuple[Key, ...]:
        """Every key of a project, or of all, revoked and expired ones included, oldest first."""
        query = _KEYS if project_id is None else _KEYS.where(KeyRow.project_id == project_id)
        with self._database.read(project_id) as session:
            return tuple(_key(row) for row in session.execute(query.order_by(KeyRow.id)))

    def revoke(self, key_id: int) -> Key:
        """The key, no longer good; revoking it again changes nothing.

        Errors: `NotFound`.
        """
        with self._database.write() as session:
            row = session.get(KeyRow, key_id)
            if row is None:
                raise NotFound(f"There is no key {key_id}.")
            row.revoked_at = row.revoked_at or datetime.now(UTC)
            session.flush()
            return _one(session, key_id)


def key_row(project_id: int, draft: KeyDraft, now: datetime) -> KeyRow:
    """The row of a new key."""
    return KeyRow(
        project_id=project_id,
        scope=draft.scope,
        label=draft.label,
        prefix=draft.prefix,
        hash=draft.hash,
        created_at=now,
        expires_at=draft.expires_at,
    )


_KEYS: Select[KeyRow, str] = (
    select(KeyRow, ProjectRow.name)
    .join(ProjectRow, ProjectRow.id == KeyRow.project_id)
    .where(ProjectRow.deleted_at.is_(None))
)


def _first(session: Session, query: Select[KeyRow, str]) -> Key | None:
    row = session.execute(query).first()
    return None if row is None else _key(row)


def _one(session: Session, key_id: int) -> Key:
    key = _first(session, _KEYS.where(KeyRow.id == key_id))
    if key is None:
        raise NotFound(f"There is no key {key_id}.")
    return key


def _key(found: Row[KeyRow, str]) -> Key:
    row, project = found[0], found[1]
    return Key(
        row.id,
        row.project_id,
        project,
        cast(Scope, row.scope),
        row.label,
        row.prefix,
        row.created_at,
        row.revoked_at,
        row.expires_at,
    )
