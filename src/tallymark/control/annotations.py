"""Notes on days: what happened when, as charts show it."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlalchemy import delete, func, select

from tallymark.control.audit import Deed, record
from tallymark.control.dashboard_models import AnnotationRow
from tallymark.control.database import Database
from tallymark.errors import Conflict

#: So many notes a project may have.
MOST_ANNOTATIONS: Final = 5_000


@dataclass(frozen=True)
class Annotation:
    """A note; `by` is who wrote it."""

    id: str
    day: date
    text: str
    by: str
    created_at: datetime


class Annotations:
    """The store of notes; every change is audited in its own transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def between(self, project_id: int, first: date, last: date) -> tuple[Annotation, ...]:
        """The notes of a project on these days, by day."""
        mine = (
            select(AnnotationRow)
            .where(AnnotationRow.project_id == project_id, AnnotationRow.day.between(first, last))
            .order_by(AnnotationRow.day, AnnotationRow.created_at, AnnotationRow.id)
        )
        with self._database.read(project_id) as session:
            return tuple(map(_annotation, session.scalars(mine)))

    def add(self, project_id: int, note: Annotation) -> None:
        """Adds a note. Errors: `Conflict` beside `MOST_ANNOTATIONS` others."""
        count = select(func.count()).where(AnnotationRow.project_id == project_id)
        with self._database.write(project_id) as session:
            if (session.scalar(count) or 0) >= MOST_ANNOTATIONS:
                raise Conflict(f"A project has at most {MOST_ANNOTATIONS} annotations: delete some.")
            session.add(
                AnnotationRow(
                    id=note.id, project_id=project_id, day=note.day, text=note.text, by=note.by[:200],
                    created_at=note.created_at,
                )
            )  # fmt: skip
            detail = {"day": str(note.day), "text": note.text}
            record(session, Deed(project_id, _subject(note.id), "created", note.by, note.created_at, detail))

    def change(
        self, project_id: int, note_id: str, by: str, now: datetime, day: date | None = None, text: str | None = None
    ) -> Annotation | None:
        """Gives a note another day or text; gives what it is then. Who wrote it stays."""
        with self._database.write(project_id) as session:
            row = session.get(AnnotationRow, note_id)
            if row is None or row.project_id != project_id:
                return None
            was = _told(row)
            row.day, row.text = day or row.day, text or row.text
            if was != _told(row):
                detail = {"from": was, "to": _told(row)}
                record(session, Deed(project_id, _subject(note_id), "changed", by, now, detail))
            return _annotation(row)

    def remove(self, project_id: int, note_id: str, by: str, now: datetime) -> Annotation | None:
        """Deletes a note; gives what it was."""
        with self._database.write(project_id) as session:
            row = session.get(AnnotationRow, note_id)
            if row is None or row.project_id != project_id:
                return None
            session.delete(row)
            record(session, Deed(project_id, _subject(note_id), "deleted", by, now, _told(row)))
            return _annotation(row)

    def forget_project(self, project_id: int) -> None:
        """Forgets every note of a project."""
        with self._database.write(project_id) as session:
            session.execute(delete(AnnotationRow).where(AnnotationRow.project_id == project_id))


def _subject(note_id: str) -> str:
    return f"annotation/{note_id}"


def _told(row: AnnotationRow) -> dict[str, str]:
    return {"day": str(row.day), "text": row.text}


def _annotation(row: AnnotationRow) -> Annotation:
    return Annotation(row.id, row.day, row.text, row.by, row.created_at)
