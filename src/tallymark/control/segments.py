"""The segments of projects: filters that are kept under a key."""

from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import delete, func, select

from tallymark.control.audit import Deed, record
from tallymark.control.dashboard_models import SegmentRow
from tallymark.control.database import Database
from tallymark.errors import Conflict
from tallymark.spec.segment import Segment

#: So many segments a project may have.
MOST_SEGMENTS: Final = 200


class Segments:
    """The store of segments; every change is audited in its own transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of_project(self, project_id: int) -> tuple[Segment, ...]:
        """The segments of a project, by key."""
        mine = select(SegmentRow).where(SegmentRow.project_id == project_id)
        with self._database.read(project_id) as session:
            return tuple(sorted(map(_segment, session.scalars(mine)), key=lambda segment: segment.key))

    def put(self, project_id: int, segment: Segment, by: str, now: datetime) -> bool:
        """Keeps a segment, in place of one with its key; gives whether it is a new one.

        Errors: `Conflict` beside `MOST_SEGMENTS` others.
        """
        with self._database.write(project_id) as session:
            row = session.get(SegmentRow, (project_id, segment.key))
            was = None if row is None else _told(row)
            if row is None:
                count = select(func.count()).where(SegmentRow.project_id == project_id)
                if (session.scalar(count) or 0) >= MOST_SEGMENTS:
                    raise Conflict(f"A project has at most {MOST_SEGMENTS} segments: delete some.")
                row = SegmentRow(project_id=project_id, key=segment.key)
                session.add(row)
            row.title, row.filters = segment.title, msgspec.json.encode(segment.filters).decode()
            if was != _told(row):
                detail = {"to": _told(row)} if was is None else {"from": was, "to": _told(row)}
                record(session, Deed(project_id, _subject(segment.key), "set", by, now, detail))
            return was is None

    def remove(self, project_id: int, key: str, by: str, now: datetime) -> Segment | None:
        """Forgets a segment; gives what it was."""
        with self._database.write(project_id) as session:
            row = session.get(SegmentRow, (project_id, key))
            if row is None:
                return None
            session.delete(row)
            record(session, Deed(project_id, _subject(key), "deleted", by, now, {"from": _told(row)}))
            return _segment(row)

    def forget_project(self, project_id: int) -> None:
        """Forgets every segment of a project."""
        with self._database.write(project_id) as session:
            session.execute(delete(SegmentRow).where(SegmentRow.project_id == project_id))


def _subject(key: str) -> str:
    return f"segment/{key}"


def _told(row: SegmentRow) -> dict[str, Any]:
    return {"title": row.title, "filters": msgspec.json.decode(row.filters)}


def _segment(row: SegmentRow) -> Segment:
    return Segment(row.key, row.title, tuple(msgspec.json.decode(row.filters)))
