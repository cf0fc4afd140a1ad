"""Signatures of requests that were taken, so that a request that is sent again is refused."""

from datetime import datetime

from sqlalchemy import delete

from tallymark.control.database import Database
from tallymark.control.evaluation_models import SeenSignatureRow
from tallymark.control.upsert import insert


class SeenSignatures:
    """The store of digests of signatures."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def first(self, digest: str, until: datetime, now: datetime) -> bool:
        """Whether nobody has shown this signature yet; it is remembered `until` it is too old to be taken anyway."""
        row = SeenSignatureRow
        with self._database.write() as session:
            session.execute(delete(row).where(row.expires_at <= now))
            taken = insert(session, row).values(digest=digest, expires_at=until).on_conflict_do_nothing()
            return session.execute(taken.returning(row.digest)).first() is not None
