"""Shared links: who has one sees a project's numbers until it is revoked."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import delete, select

from tallymark.control.audit import Deed, record
from tallymark.control.database import Database
from tallymark.control.session_models import ShareRow
from tallymark.errors import Conflict

#: So many links a project may have that are not revoked.
MOST_SHARES: Final = 200


@dataclass(frozen=True)
class Share:
    """A shared link; `view` is the dashboard's query that it opens, `password` a salted hash, '' for none."""

    id: str
    project_id: int
    title: str
    view: str
    password: str
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None

    def good(self, now: datetime) -> bool:
        """Whether it still opens."""
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > now)


class Shares:
    """The store of shared links; every change is audited in its own transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, share: Share, hash_: str, by: str) -> None:
        """Stores a link under the hash of its secret. Errors: `Conflict` beside `MOST_SHARES` others."""
        with self._database.write(share.project_id) as session:
            good = select(ShareRow.id).where(ShareRow.project_id == share.project_id, ShareRow.revoked_at.is_(None))
            if len(session.scalars(good).all()) >= MOST_SHARES:
                raise Conflict(f"A project has at most {MOST_SHARES} shared links: revoke one.")
            session.add(
                ShareRow(
                    id=share.id, project_id=share.project_id, hash=hash_, title=share.title, view=share.view,
                    password=share.password, created_at=share.created_at, expires_at=share.expires_at,
                )
            )  # fmt: skip
            detail = {"title": share.title, "view": share.view}
            record(session, Deed(share.project_id, _subject(share.id), "created", by, share.created_at, detail))

    def get(self, share_id: str) -> Share | None:
        """The link with that id, be it revoked."""
        with self._database.read() as session:
            row = session.get(ShareRow, share_id)
            return None if row is None else _share(row)

    def find(self, hash_: str) -> Share | None:
        """The link whose secret has that hash, be it revoked."""
        with self._database.read() as session:
            row = session.scalars(select(ShareRow).where(ShareRow.hash == hash_)).first()
            return None if row is None else _share(row)

    def of_project(self, project_id: int) -> tuple[Share, ...]:
        """Every link of a project, newest first, revoked ones included."""
        mine = select(ShareRow).where(ShareRow.project_id == project_id).order_by(ShareRow.created_at.desc())
        with self._database.read(project_id) as session:
            return tuple(map(_share, session.scalars(mine)))

    def revoke(self, share: Share, by: str, now: datetime) -> Share:
        """The link, which opens nothing any more."""
        with self._database.write(share.project_id) as session:
            row = session.get_one(ShareRow, share.id)
            if row.revoked_at is None:
                row.revoked_at = now
                record(session, Deed(share.project_id, _subject(share.id), "revoked", by, now, {}))
            session.flush()
            return _share(row)

    def forget_project(self, project_id: int) -> None:
        """Forgets every link of a project."""
        with self._database.write(project_id) as session:
            session.execute(delete(ShareRow).where(ShareRow.project_id == project_id))


def _subject(share_id: str) -> str:
    return f"share/{share_id}"


def _share(row: ShareRow) -> Share:
    return Share(
        row.id, row.project_id, row.title, row.view, row.password, row.created_at, row.expires_at, row.revoked_at
    )
