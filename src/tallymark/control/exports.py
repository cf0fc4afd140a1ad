"""Exports: what was ordered, how far it is, and until when its file is kept."""

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, cast

import msgspec
from sqlalchemy import ColumnElement, delete, func, select, update

from tallymark.control.database import Database
from tallymark.control.export_models import ExportRow
from tallymark.errors import TooManyRequests
from tallymark.spec.export import Order, What

Status = Literal["waiting", "running", "done", "failed", "expired"]

#: So many exports of a project may wait or be written at once.
MOST_OPEN = 20

_OPEN = ExportRow.status.in_(("waiting", "running"))
_OVER = ExportRow.status.in_(("failed", "expired"))


@dataclass(frozen=True)
class Export:
    """An export. `rows` are written of `expected` ones; `bytes` and `sha256` are those of the finished file.

    `attempt` counts those who began to write it, `failures` those that something got in the way of.
    """

    id: str
    project_id: int
    order: Order
    status: Status
    attempt: int
    failures: int
    rows: int
    expected: int | None
    bytes: int | None
    sha256: str | None
    error: str | None
    created_at: datetime
    finished_at: datetime | None
    expires_at: datetime | None


class Exports:
    """The store of exports, without the queue that writers take them from."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, project_id: int, order: Order, now: datetime) -> Export:
        """The new export, which waits for a writer; nobody can guess its id.

        Errors: `TooManyRequests` where `MOST_OPEN` of the project are not finished.
        """
        with self._database.write(project_id) as session:
            mine = select(func.count()).where(_OPEN, ExportRow.project_id == project_id)
            if (session.scalar(mine) or 0) >= MOST_OPEN:
                raise TooManyRequests(f"{MOST_OPEN} exports of this project are not finished yet: wait, or delete one.")
            row = ExportRow(
                id=f"exp_{secrets.token_urlsafe(24)}", project_id=project_id, what=order.what,
                asked=msgspec.json.encode(order).decode(), status="waiting", holder="", attempt=0, crashes=0,
                failures=0, rows=0, created_at=now,
            )  # fmt: skip
            session.add(row)
            session.flush()
            return export_of(row)

    def get(self, export_id: str) -> Export | None:
        """The export with that id."""
        with self._database.read() as session:
            row = session.get(ExportRow, export_id)
            return None if row is None else export_of(row)

    def newest(self, project_id: int, whats: Collection[What], limit: int) -> tuple[Export, ...]:
        """The latest exports of a project that are of one of these, newest first."""
        return self._where((ExportRow.project_id == project_id) & ExportRow.what.in_(whats), limit)

    def remove(self, export_id: str) -> None:
        """Forgets an export; who writes it ends at the next look."""
        with self._database.write() as session:
            session.execute(delete(ExportRow).where(ExportRow.id == export_id))

    def of_project(self, project_id: int) -> tuple[Export, ...]:
        """Every export of a project, newest first."""
        return self._where(ExportRow.project_id == project_id)

    def holding(self) -> tuple[Export, ...]:
        """The exports that have a file, or are being written."""
        return self._where(ExportRow.status.in_(("running", "done")))

    def overdue(self, now: datetime) -> tuple[Export, ...]:
        """The finished exports whose files are past their time."""
        return self._where((ExportRow.status == "done") & (ExportRow.expires_at <= now))

    def expire(self, exports: Sequence[Export]) -> None:
        """Marks exports whose files go now."""
        with self._database.write() as session:
            ids = [export.id for export in exports]
            session.execute(update(ExportRow).where(ExportRow.id.in_(ids)).values(status="expired"))

    def count_over(self, before: datetime) -> int:
        """How many exports have been expired or failed since before an instant."""
        with self._database.read() as session:
            return session.scalar(select(func.count()).where(_over(before))) or 0

    def prune(self, before: datetime) -> None:
        """Forgets these."""
        with self._database.write() as session:
            session.execute(delete(ExportRow).where(_over(before)))

    def _where(self, condition: ColumnElement[bool], limit: int | None = None) -> tuple[Export, ...]:
        newest = select(ExportRow).where(condition).order_by(ExportRow.created_at.desc(), ExportRow.id).limit(limit)
        with self._database.read() as session:
            return tuple(export_of(row) for row in session.scalars(newest))


def export_of(row: ExportRow) -> Export:
    """The export of a row."""
    return Export(
        row.id,
        row.project_id,
        msgspec.json.decode(row.asked, type=Order),
        cast(Status, row.status),
        row.attempt,
        row.failures,
        row.rows,
        row.expected,
        row.bytes,
        row.sha256,
        row.error,
        row.created_at,
        row.finished_at,
        row.expires_at,
    )


def _over(before: datetime) -> ColumnElement[bool]:
    return _OVER & (func.coalesce(ExportRow.expires_at, ExportRow.finished_at) <= before)
