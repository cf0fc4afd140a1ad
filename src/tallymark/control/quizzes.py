"""The quizzes that somebody owns."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from tallymark.control.audit import Deed, record
from tallymark.control.database import Database
from tallymark.control.quiz_models import QuizRow
from tallymark.errors import Conflict

#: So many quizzes an owner may have: they go with every question that a teacher asks.
MOST_OWNED = 500


@dataclass(frozen=True)
class Quiz:
    """A quiz as it is known here; `owner` is the `sub` of their tokens, '' for nobody."""

    id: str
    title: str
    owner: str
    created_at: datetime
    updated_at: datetime


class Quizzes:
    """The store of quizzes and their owners; every change is audited in its own transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list(self, project_id: int, owner: str | None = None) -> tuple[Quiz, ...]:
        """The quizzes of a project, or of one owner in it, by id."""
        mine = select(QuizRow).where(QuizRow.project_id == project_id)
        if owner is not None:
            mine = mine.where(QuizRow.owner == owner)
        with self._database.of(project_id, owner).read() as session:
            return tuple(sorted(map(_quiz, session.scalars(mine)), key=lambda quiz: quiz.id))

    def get(self, project_id: int, quiz: str) -> Quiz | None:
        """The quiz of that id."""
        with self._database.read(project_id) as session:
            row = session.get(QuizRow, (project_id, quiz))
            return None if row is None else _quiz(row)

    def put(self, project_id: int, quiz: str, title: str, owner: str, by: str, now: datetime) -> Quiz:
        """The quiz with that title and owner, new or not.

        Errors: `Conflict` where the owner has `MOST_OWNED` others.
        """
        with self._database.write(project_id) as session:
            row = session.get(QuizRow, (project_id, quiz))
            was = None if row is None else _told(row)
            if owner and (was is None or was["owner"] != owner):
                _check_room(session, project_id, owner)
            if row is None:
                row = QuizRow(project_id=project_id, quiz=quiz, created_at=now)
                session.add(row)
            row.title, row.owner, row.updated_at = title, owner, now
            if was != _told(row):
                detail = {"to": _told(row)} if was is None else {"from": was, "to": _told(row)}
                record(session, Deed(project_id, subject(quiz), "set", by, now, detail))
            session.flush()
            return _quiz(row)

    def remove(self, project_id: int, quiz: str, by: str, now: datetime) -> Quiz | None:
        """Forgets a quiz, though no event of it; gives what it was."""
        with self._database.write(project_id) as session:
            row = session.get(QuizRow, (project_id, quiz))
            if row is None:
                return None
            session.delete(row)
            record(session, Deed(project_id, subject(quiz), "deleted", by, now, {"from": _told(row)}))
            return _quiz(row)

    def forget_project(self, project_id: int) -> None:
        """Forgets every quiz of a project."""
        with self._database.write(project_id) as session:
            session.execute(delete(QuizRow).where(QuizRow.project_id == project_id))


def subject(quiz: str) -> str:
    """What the audit calls a quiz."""
    return f"quiz/{quiz}"[:200]


def _check_room(session: Session, project_id: int, owner: str) -> None:
    mine = select(func.count()).where(QuizRow.project_id == project_id, QuizRow.owner == owner)
    if (session.scalar(mine) or 0) >= MOST_OWNED:
        raise Conflict(f"An owner has at most {MOST_OWNED} quizzes.", field="owner")


def _told(row: QuizRow) -> dict[str, str]:
    return {"title": row.title, "owner": row.owner}


def _quiz(row: QuizRow) -> Quiz:
    return Quiz(row.quiz, row.title, row.owner, row.created_at, row.updated_at)
