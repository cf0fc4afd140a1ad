"""The queue of exports: the right to write one, held by one writer at a time and taken over when that one is gone."""

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, select, update
from sqlalchemy.orm import Session

from tallymark.control.database import Database
from tallymark.control.export_models import ExportRow
from tallymark.control.exports import Export, export_of

#: A writer that says nothing for this long, in seconds, is taken to be gone.
HELD_SECONDS = 60

#: An export whose writers ended this often without a word is not tried again: it may be what ends them.
_MOST_CRASHES = 3


class ExportQueue:
    """Takes exports and reports on them. `holder` names this process among those that share the store."""

    def __init__(self, database: Database, holder: str) -> None:
        self._database = database
        self._holder = holder

    def claim(self, now: datetime) -> Export | None:
        """The export that was ordered first, this process's to write from now on; None if none waits, or is due."""
        with self._database.read() as session:
            if session.scalar(_next(now)) is None:
                return None
        with self._database.write() as session:
            while (row := session.scalar(_next(now))) is not None:
                if self._take(row, now):
                    return export_of(row)
                session.flush()
        return None

    def _take(self, row: ExportRow, now: datetime) -> bool:
        """Whether the export may be tried."""
        row.crashes += row.status == "running"
        if row.crashes >= _MOST_CRASHES:
            row.status, row.finished_at = "failed", now
            row.error = f"The server ended {row.crashes} times while it wrote this."
            return False
        row.status, row.holder, row.held_until = "running", self._holder, _until(now)
        row.attempt, row.rows, row.expected = row.attempt + 1, 0, None
        return True

    def recover(self, now: datetime) -> None:
        """Lets go of what this process held when it ended the last time; call it before anything is claimed."""
        with self._database.write() as session:
            session.execute(update(ExportRow).where(self._mine()).values(held_until=now))

    def renew(self, export_ids: Collection[str], now: datetime) -> None:
        """Says that this process is still writing these."""
        if export_ids:
            with self._database.write() as session:
                own = self._mine() & ExportRow.id.in_(export_ids)
                session.execute(update(ExportRow).where(own).values(held_until=_until(now)))

    def progress(self, export: Export, rows: int, expected: int) -> bool:
        """Whether the export is still this writer's; how far it is, is noted."""
        return self._report(export, rows=rows, expected=expected)

    def finish(self, export: Export, rows: int, size: int, sha256: str, now: datetime, expires_at: datetime) -> bool:
        """Whether the export is done now; False if it was deleted or taken over meanwhile."""
        return self._report(
            export, status="done", rows=rows, expected=rows, bytes=size, sha256=sha256, finished_at=now,
            expires_at=expires_at, held_until=None,
        )  # fmt: skip

    def fail(self, export: Export, message: str, now: datetime) -> None:
        """Ends the export with what went wrong."""
        self._report(export, status="failed", error=message, finished_at=now, held_until=None)

    def release(self, export: Export) -> None:
        """Puts the export back into the queue, where it was; this is no failure."""
        self._report(export, status="waiting", rows=0, expected=None, held_until=None)

    def postpone(self, export: Export, until: datetime) -> None:
        """Puts the export back into the queue after a failure; nobody takes it before `until`."""
        self._report(
            export, status="waiting", rows=0, expected=None, held_until=None, not_before=until,
            failures=export.failures + 1,
        )  # fmt: skip

    def _report(self, export: Export, **values: object) -> bool:
        own = self._mine() & (ExportRow.id == export.id) & (ExportRow.attempt == export.attempt)
        with self._database.write(export.project_id) as session:
            return _changed(session, own, values)

    def _mine(self) -> ColumnElement[bool]:
        return (ExportRow.status == "running") & (ExportRow.holder == self._holder)


def _changed(session: Session, condition: ColumnElement[bool], values: dict[str, object]) -> bool:
    return session.scalar(update(ExportRow).where(condition).values(values).returning(ExportRow.id)) is not None


def _next(now: datetime) -> Select[ExportRow]:
    due = ExportRow.not_before.is_(None) | (ExportRow.not_before <= now)
    waiting = (ExportRow.status == "waiting") & due
    left = (ExportRow.status == "running") & (ExportRow.held_until <= now)
    return select(ExportRow).where(waiting | left).order_by(ExportRow.created_at, ExportRow.id).limit(1)


def _until(now: datetime) -> datetime:
    return now + timedelta(seconds=HELD_SECONDS)
