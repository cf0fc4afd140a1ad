"""xAPI statements that were taken: what each said, so that one that comes again is known, or contradicts itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, delete, func, insert, select

from tallymark.control.database import Database
from tallymark.control.evaluation_rows import parts
from tallymark.control.quiz_models import StatementRow


@dataclass(frozen=True)
class Noted:
    """The ids of a request that were not known before, and those that are known for saying something else."""

    new: frozenset[str]
    conflicting: frozenset[str]


class Statements:
    """The store of digests of statements."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def note(self, project_id: int, digests: Mapping[str, str], at: datetime) -> Noted:
        """Notes what statements say, by their ids: all that are new, or none where one contradicts what is known."""
        with self._database.write(project_id) as session:
            known: dict[str, str] = {}
            for part in parts(digests):
                known.update((row.id, row.digest) for row in session.execute(_digests(project_id, part)))
            conflicting = frozenset(id for id, digest in known.items() if digest != digests[id])
            new = frozenset[str]() if conflicting else frozenset(digests.keys() - known.keys())
            if new:
                rows = [{"project_id": project_id, "id": id, "digest": digests[id], "at": at} for id in sorted(new)]
                session.execute(insert(StatementRow), rows)
            return Noted(new, conflicting)

    def count(self, project_id: int, before: datetime) -> int:
        """How many of a project were taken before an instant."""
        counted = select(func.count()).select_from(StatementRow).where(*_old(project_id, before))
        with self._database.read(project_id) as session:
            return session.scalar(counted) or 0

    def prune(self, project_id: int, before: datetime) -> None:
        """Forgets those of a project from before an instant."""
        with self._database.write(project_id) as session:
            session.execute(delete(StatementRow).where(*_old(project_id, before)))

    def forget_project(self, project_id: int) -> None:
        """Forgets every statement of a project."""
        with self._database.write(project_id) as session:
            session.execute(delete(StatementRow).where(StatementRow.project_id == project_id))


def _digests(project_id: int, ids: Sequence[str]) -> Select[str, str]:
    row = StatementRow
    return select(row.id, row.digest).where(row.project_id == project_id, row.id.in_(ids))


def _old(project_id: int, before: datetime) -> tuple[ColumnElement[bool], ...]:
    return StatementRow.project_id == project_id, StatementRow.at < before
