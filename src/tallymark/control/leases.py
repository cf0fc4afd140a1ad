"""Leases: the right to do something alone, for a while."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, func, or_, select, update

from tallymark.control.database import Database
from tallymark.control.models import LeaseRow
from tallymark.control.upsert import insert


class Leases:
    """The store of leases. `clock` gives epoch seconds; the clocks of all holders have to agree."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    def acquire(self, name: str, holder: str, seconds: float) -> bool:
        """Whether `holder` has the lease now: it was free, or expired, or theirs already."""
        now, until = self._span(seconds)
        with self._database.write() as session:
            taken = insert(session, LeaseRow).values(name=name, holder=holder, expires_at=until)
            statement = taken.on_conflict_do_update(
                index_elements=[LeaseRow.name],
                set_={"holder": holder, "expires_at": until},
                where=or_(LeaseRow.expires_at <= now, LeaseRow.holder == holder),
            )
            return session.execute(statement.returning(LeaseRow.name)).first() is not None

    def renew(self, name: str, holder: str, seconds: float) -> bool:
        """Whether `holder` still has the lease, from now for `seconds`; False once another took it."""
        _, until = self._span(seconds)
        own = (LeaseRow.name == name) & (LeaseRow.holder == holder)
        statement = update(LeaseRow).where(own).values(expires_at=until).returning(LeaseRow.name)
        with self._database.write() as session:
            return session.execute(statement).first() is not None

    def release(self, name: str, holder: str) -> None:
        """Gives the lease back, if it is still `holder`'s."""
        with self._database.write() as session:
            session.execute(delete(LeaseRow).where(LeaseRow.name == name, LeaseRow.holder == holder))

    def expired(self) -> int:
        """How many leases have expired and were neither given back nor taken."""
        with self._database.read() as session:
            return session.scalar(select(func.count()).where(LeaseRow.expires_at <= self._span(0)[0])) or 0

    def prune(self) -> None:
        """Forgets the leases that have expired."""
        with self._database.write() as session:
            session.execute(delete(LeaseRow).where(LeaseRow.expires_at <= self._span(0)[0]))

    def _span(self, seconds: float) -> tuple[datetime, datetime]:
        now = datetime.fromtimestamp(self._clock(), UTC)
        return now, now + timedelta(seconds=seconds)
