"""Who is signed in, and codes that sign in once. Neither is stored itself, only its hash."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal, cast

from sqlalchemy import delete, or_

from tallymark.control.database import Database
from tallymark.control.session_models import SessionRow, SignInCodeRow

#: By what somebody signed in: a project's key, a key of the settings, a one-time code, a shared link.
By = Literal["key", "setting", "code", "share"]

#: A session ends so long after it began, and so long after it was last used.
LONGEST: Final = timedelta(days=30)
IDLE: Final = timedelta(days=7)

#: How often it is noted that a session is used.
_NOTED: Final = timedelta(hours=1)


@dataclass(frozen=True)
class Session:
    """Somebody who is signed in by something, of which `subject` says which: a key's id or hash, a share's id."""

    by: By
    subject: str
    expires_at: datetime


class Sessions:
    """The store of sessions and codes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, hash_: str, by: By, subject: str, now: datetime) -> Session:
        """A new session; those that ended are forgotten."""
        with self._database.write() as session:
            session.execute(
                delete(SessionRow).where(or_(SessionRow.expires_at <= now, SessionRow.seen_at <= now - IDLE))
            )
            session.execute(delete(SignInCodeRow).where(SignInCodeRow.expires_at <= now))
            row = SessionRow(
                hash=hash_, kind=by, subject=subject, created_at=now, seen_at=now, expires_at=now + LONGEST
            )
            session.add(row)
            return _session(row)

    def find(self, hash_: str, now: datetime) -> Session | None:
        """The session with that hash, if it goes on; that it was used is noted every hour."""
        with self._database.read() as session:
            row = session.get(SessionRow, hash_)
            if row is None or row.expires_at <= now or row.seen_at <= now - IDLE:
                return None
            found, seen = _session(row), row.seen_at
        if seen <= now - _NOTED:
            self._note(hash_, now)
        return found

    def end(self, hash_: str) -> None:
        """Ends a session; one that is not there has ended already."""
        with self._database.write() as session:
            session.execute(delete(SessionRow).where(SessionRow.hash == hash_))

    def add_code(self, hash_: str, expires_at: datetime) -> None:
        """Lets a code sign in once until then."""
        with self._database.write() as session:
            session.add(SignInCodeRow(hash=hash_, expires_at=expires_at))

    def use_code(self, hash_: str, now: datetime) -> bool:
        """Whether the code was good; it is not any more."""
        with self._database.write() as session:
            gone = delete(SignInCodeRow).where(SignInCodeRow.hash == hash_).returning(SignInCodeRow.expires_at)
            expires_at = session.scalar(gone)
            return expires_at is not None and expires_at > now

    def _note(self, hash_: str, now: datetime) -> None:
        with self._database.write() as session:
            row = session.get(SessionRow, hash_)
            if row is not None:
                row.seen_at = now


def _session(row: SessionRow) -> Session:
    return Session(cast(By, row.kind), row.subject, row.expires_at)
