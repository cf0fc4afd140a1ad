"""The projects there are."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import cast

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from tallymark.control.database import Database
from tallymark.control.keys import KeyDraft, key_row
from tallymark.control.models import KeyRow, ProjectRow
from tallymark.errors import Conflict, NotFound
from tallymark.spec.project import Bots, Pii, Project, ProjectChange, ProjectDraft


class Projects:
    """The store of projects. A deleted one is not there any more, and its name is free."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, draft: ProjectDraft, keys: Sequence[KeyDraft] = ()) -> Project:
        """The new project, made together with its first keys.

        Errors: `Conflict` where the name is taken.
        """
        now = datetime.now(UTC)
        with self._database.write() as session:
            row = ProjectRow(**{name: _stored(value) for name, value in vars(draft).items()}, created_at=now)
            session.add(row)
            _flush(session, draft.name)
            session.add_all(key_row(row.id, key, now) for key in keys)
            return _project(row)

    def get(self, project_id: int) -> Project | None:
        """The project with that id."""
        with self._database.read(project_id) as session:
            row = session.scalar(_LIVE.where(ProjectRow.id == project_id))
            return None if row is None else _project(row)

    def find(self, name: str) -> Project | None:
        """The project with that name."""
        with self._database.read() as session:
            row = session.scalar(_LIVE.where(ProjectRow.name == name))
            return None if row is None else _project(row)

    def list(self) -> tuple[Project, ...]:
        """Every project, by name."""
        with self._database.read() as session:
            found = map(_project, session.scalars(_LIVE))
            return tuple(sorted(found, key=lambda project: project.name))

    def gone(self) -> tuple[Project, ...]:
        """Every project that was deleted, as it was."""
        with self._database.read() as session:
            rows = session.scalars(select(ProjectRow).where(ProjectRow.deleted_at.is_not(None)))
            return tuple(_project(row) for row in rows)

    def update(self, project_id: int, change: ProjectChange) -> Project:
        """The project with that change made.

        Errors: `NotFound`; `Conflict` where the name is taken.
        """
        with self._database.write(project_id) as session:
            row = _live(session, project_id)
            for attribute, value in change.items():
                setattr(row, attribute, _stored(value))
            _flush(session, row.name)
            return _project(row)

    def delete(self, project_id: int) -> Project:
        """The project as it was; its name is free and its keys are revoked.

        Errors: `NotFound`.
        """
        now = datetime.now(UTC)
        with self._database.write(project_id) as session:
            row = _live(session, project_id)
            row.deleted_at = now
            good = (KeyRow.project_id == project_id) & KeyRow.revoked_at.is_(None)
            session.execute(update(KeyRow).where(good).values(revoked_at=now))
            return _project(row)


_LIVE = select(ProjectRow).where(ProjectRow.deleted_at.is_(None))


def _live(session: Session, project_id: int) -> ProjectRow:
    row = session.scalar(_LIVE.where(ProjectRow.id == project_id))
    if row is None:
        raise NotFound(f"There is no project {project_id}.")
    return row


def _stored(value: object) -> object:
    """A field's value as a column holds it: JSON has lists."""
    return list(value) if isinstance(value, tuple) else value


def _flush(session: Session, name: str) -> None:
    try:
        session.flush()
    except IntegrityError as error:
        raise Conflict(f"There is already a project {name!r}.", field="name") from error


def _project(row: ProjectRow) -> Project:
    return Project(
        row.id,
        row.name,
        tuple(row.packs),
        row.timezone,
        row.retention_hours,
        cast(Pii, row.pii),
        cast(Bots, row.bots),
        row.quota,
        row.created_at,
        None if row.event_names is None else tuple(row.event_names),
        row.max_event_names,
        row.public_summary,
    )
