"""Views of a dashboard that somebody saved."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import delete, func, select

from tallymark.control.audit import Deed, record
from tallymark.control.dashboard_models import ViewRow
from tallymark.control.database import Database
from tallymark.errors import Conflict

#: So many views a project may have.
MOST_VIEWS: Final = 200


@dataclass(frozen=True)
class SavedView:
    """A view; `view` is the dashboard's query that it opens."""

    id: str
    title: str
    view: str
    created_at: datetime


class SavedViews:
    """The store of views; every change is audited in its own transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of_project(self, project_id: int) -> tuple[SavedView, ...]:
        """The views of a project, by title."""
        mine = select(ViewRow).where(ViewRow.project_id == project_id).order_by(ViewRow.title, ViewRow.id)
        with self._database.read(project_id) as session:
            return tuple(map(_view, session.scalars(mine)))

    def add(self, project_id: int, view: SavedView, by: str) -> None:
        """Adds a view. Errors: `Conflict` beside `MOST_VIEWS` others."""
        count = select(func.count()).where(ViewRow.project_id == project_id)
        with self._database.write(project_id) as session:
            if (session.scalar(count) or 0) >= MOST_VIEWS:
                raise Conflict(f"A project has at most {MOST_VIEWS} saved views: delete some.")
            session.add(
                ViewRow(id=view.id, project_id=project_id, title=view.title, view=view.view, created_at=view.created_at)
            )
            detail = {"title": view.title, "view": view.view}
            record(session, Deed(project_id, _subject(view.id), "created", by, view.created_at, detail))

    def change(
        self, project_id: int, view_id: str, by: str, now: datetime, title: str | None = None, view: str | None = None
    ) -> SavedView | None:
        """Gives a view another title, or makes it open another query; gives what it is then."""
        with self._database.write(project_id) as session:
            row = session.get(ViewRow, view_id)
            if row is None or row.project_id != project_id:
                return None
            was = _told(row)
            row.title, row.view = title or row.title, view or row.view
            if was != _told(row):
                detail = {"from": was, "to": _told(row)}
                record(session, Deed(project_id, _subject(view_id), "changed", by, now, detail))
            return _view(row)

    def remove(self, project_id: int, view_id: str, by: str, now: datetime) -> SavedView | None:
        """Deletes a view; gives what it was."""
        with self._database.write(project_id) as session:
            row = session.get(ViewRow, view_id)
            if row is None or row.project_id != project_id:
                return None
            session.delete(row)
            record(session, Deed(project_id, _subject(view_id), "deleted", by, now, {"title": row.title}))
            return _view(row)

    def forget_project(self, project_id: int) -> None:
        """Forgets every view of a project."""
        with self._database.write(project_id) as session:
            session.execute(delete(ViewRow).where(ViewRow.project_id == project_id))


def _subject(view_id: str) -> str:
    return f"view/{view_id}"


def _told(row: ViewRow) -> dict[str, str]:
    return {"title": row.title, "view": row.view}


def _view(row: ViewRow) -> SavedView:
    return SavedView(row.id, row.title, row.view, row.created_at)
