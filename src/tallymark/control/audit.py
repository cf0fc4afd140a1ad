"""The audit: who did what to what, in the same transaction as what was done."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from tallymark.control.database import Database
from tallymark.control.experiment_models import AuditRow


@dataclass(frozen=True)
class Deed:
    """What somebody did to a subject of a project, such as `experiment/checkout`; `detail` is JSON."""

    project_id: int
    subject: str
    action: str
    by: str
    at: datetime
    detail: Mapping[str, Any]


class Audit:
    """The store of deeds."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list(self, project_id: int, subject: str | None = None, limit: int = 1_000) -> tuple[Deed, ...]:
        """The latest deeds of a project, or those that were done to one subject, newest first."""
        mine = select(AuditRow).where(AuditRow.project_id == project_id)
        if subject is not None:
            mine = mine.where(AuditRow.subject == subject)
        newest = mine.order_by(AuditRow.at.desc(), AuditRow.id.desc()).limit(limit)
        with self._database.read(project_id) as session:
            return tuple(map(_deed, session.scalars(newest)))


def record(session: Session, deed: Deed) -> None:
    """Adds a deed to what a transaction writes."""
    session.add(
        AuditRow(
            project_id=deed.project_id,
            subject=deed.subject,
            action=deed.action,
            by=deed.by[:200],
            detail=msgspec.json.encode(deed.detail).decode(),
            at=deed.at,
        )
    )


def _deed(row: AuditRow) -> Deed:
    return Deed(row.project_id, row.subject, row.action, row.by, row.at, msgspec.json.decode(row.detail))
