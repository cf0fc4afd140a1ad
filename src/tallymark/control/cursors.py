"""Cursors: how far jobs have come, in time."""

from datetime import datetime

from sqlalchemy import delete

from tallymark.control.database import Database
from tallymark.control.evaluation_models import CursorRow


class Cursors:
    """The store of cursors."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, name: str) -> datetime | None:
        """How far the job of that name has come; None before its first step."""
        with self._database.read() as session:
            row = session.get(CursorRow, name)
            return None if row is None else row.at

    def set(self, name: str, at: datetime) -> None:
        """Notes how far the job has come."""
        with self._database.write() as session:
            session.merge(CursorRow(name=name, at=at))

    def forget(self, name: str) -> None:
        """Has the job begin anew."""
        with self._database.write() as session:
            session.execute(delete(CursorRow).where(CursorRow.name == name))
