"""The salts of days: with one, an address and a browser give an origin; without it, nobody can tell whose it was."""

import secrets
from datetime import date

from sqlalchemy import delete, func, select

from tallymark.control.database import Database
from tallymark.control.people_models import SaltRow
from tallymark.control.upsert import insert

_BYTES = 32
#: Days kept in memory: yesterday's, today's and tomorrow's are in use at once around the world.
_MOST_CACHED = 4


class Salts:
    """The store of salts. May be used from any thread; every process gets the same salt for a day."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[date, bytes] = {}

    def of(self, day: date) -> bytes:
        """The day's 32 random bytes, made by whoever needs them first."""
        known = self._known.get(day)
        return self._look_up(day) if known is None else known

    def count(self, before: date) -> int:
        """How many days' salts there are of those before a day."""
        with self._database.read() as session:
            return session.scalar(select(func.count()).where(SaltRow.day < before)) or 0

    def forget(self, before: date) -> int:
        """How many days' salts went, overwritten on disk: those before a day.

        Another process may keep one in memory until it has used those of later days.
        """
        gone = delete(SaltRow).where(SaltRow.day < before).returning(SaltRow.day)
        with self._database.write() as session:
            count = len(session.scalars(gone).all())
        self._known = {day: salt for day, salt in self._known.items() if day >= before}
        if count:
            self._database.compact(SaltRow)
        return count

    def _look_up(self, day: date) -> bytes:
        with self._database.write() as session:
            made = insert(session, SaltRow).values(day=day, salt=secrets.token_bytes(_BYTES))
            session.execute(made.on_conflict_do_nothing())
            salt = session.scalars(select(SaltRow.salt).where(SaltRow.day == day)).one()
        latest = sorted({**self._known, day: salt}.items())[-_MOST_CACHED:]
        self._known = dict(latest)
        return salt
