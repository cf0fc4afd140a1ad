"""How far the rows of tables elsewhere were taken in."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select

from tallymark.control.database import Database
from tallymark.control.quiz_models import SyncRow
from tallymark.errors import Conflict

#: So many syncs a project may have.
MOST_SYNCS = 200


@dataclass(frozen=True)
class Sync:
    """A sync: what it says of the last row that was taken, which only itself understands, and how many were."""

    name: str
    cursor: str
    rows: int
    updated_at: datetime


class Syncs:
    """The store of syncs."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, project_id: int, name: str) -> Sync | None:
        """The sync of that name; None before its first rows."""
        with self._database.read(project_id) as session:
            row = session.get(SyncRow, (project_id, name))
            return None if row is None else _sync(row)

    def of_project(self, project_id: int) -> tuple[Sync, ...]:
        """Every sync of a project, by name."""
        query = select(SyncRow).where(SyncRow.project_id == project_id)
        with self._database.read(project_id) as session:
            return tuple(sorted(map(_sync, session.scalars(query)), key=lambda sync: sync.name))

    def put(self, project_id: int, sync: Sync) -> None:
        """Notes how far a sync is. Errors: `Conflict` where the project has `MOST_SYNCS` others."""
        with self._database.write(project_id) as session:
            names = session.scalars(select(SyncRow.name).where(SyncRow.project_id == project_id)).all()
            if sync.name not in names and len(names) >= MOST_SYNCS:
                raise Conflict(f"A project has at most {MOST_SYNCS} syncs: delete one.")
            session.merge(
                SyncRow(
                    project_id=project_id, name=sync.name, cursor=sync.cursor, rows=sync.rows,
                    updated_at=sync.updated_at,
                )
            )  # fmt: skip

    def remove(self, project_id: int, name: str) -> Sync | None:
        """Has a sync begin anew; gives how far it was."""
        with self._database.write(project_id) as session:
            row = session.get(SyncRow, (project_id, name))
            if row is None:
                return None
            session.delete(row)
            return _sync(row)

    def forget_project(self, project_id: int) -> None:
        """Forgets every sync of a project."""
        with self._database.write(project_id) as session:
            session.execute(delete(SyncRow).where(SyncRow.project_id == project_id))


def _sync(row: SyncRow) -> Sync:
    return Sync(row.name, row.cursor, row.rows, row.updated_at)
