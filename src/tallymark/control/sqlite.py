"""The control store in a file of SQLite, with a write-ahead log."""

import time
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from sqlite3 import Connection as SqliteConnection
from sqlite3 import OperationalError
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.orm import Session

from tallymark.control.store import Scope, Standing
from tallymark.errors import BadSetting

#: How long a writer waits for another one, in seconds.
_BUSY_SECONDS = 10
#: How long readers are waited for before the log is emptied: writers wait too meanwhile.
_COMPACT_SECONDS = 1


class Sqlite:
    """A file. Nobody but this code reads it, so scopes are kept by the statements alone."""

    def __init__(self, url: URL, synchronous: str = "FULL") -> None:
        """Errors: `BadSetting` for a URL that names no file."""
        path = url.database
        if not path or path == ":memory:":
            raise BadSetting(f"The control store needs a file, as in sqlite:///control.db, not {str(url)!r}.")
        self._url, self._path = url, Path(path)
        self._engine = _engine(url, foreign_keys=True, synchronous=synchronous)
        self._writer = self._engine.execution_options(write=True)

    @contextmanager
    def transaction(self, scope: Scope, *, write: bool) -> Iterator[Session]:
        """A session; a writer has the file to itself from the beginning."""
        if write:
            with Session(self._writer) as session, session.begin():
                yield session
        else:
            with Session(self._engine) as session:
                yield session

    @contextmanager
    def migrating(self) -> Iterator[Connection]:
        """A transaction that may rebuild tables that others refer to; the file is made if need be."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        engine = _engine(self._url, foreign_keys=False).execution_options(write=True)
        try:
            with engine.begin() as connection:
                yield connection
        finally:
            engine.dispose()

    def hasty(self) -> "Sqlite":
        """The same file by other connections."""
        return Sqlite(self._url, synchronous="NORMAL")

    def compact(self, tables: Collection[str]) -> bool:
        """Whether the write-ahead log is empty now, so that no file holds what was deleted."""
        with closing(self._engine.raw_connection()) as connection:
            cursor = connection.cursor()
            cursor.execute(f"PRAGMA busy_timeout = {_COMPACT_SECONDS * 1_000}")
            try:
                row = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            finally:
                cursor.execute(f"PRAGMA busy_timeout = {_BUSY_SECONDS * 1_000}")
            return row is not None and row[0] == 0

    def standing(self) -> Standing:
        """A file keeps nobody apart."""
        return Standing("SQLite", False, "projects are kept apart by the statements alone")

    def close(self) -> None:
        """Ends every connection."""
        self._engine.dispose()


def _use_wal(connection: SqliteConnection) -> None:
    """Turns the write-ahead log on; SQLite says at once that another process is just doing so, instead of waiting."""
    until = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(0.01)


def _engine(url: URL, *, foreign_keys: bool, synchronous: str = "FULL") -> Engine:
    """An engine whose transactions begin when they begin, and whose commits survive a power cut where that is `FULL`.

    A migration rebuilds tables, which references to them must not prevent: hence `foreign_keys`.
    """
    engine = create_engine(url, connect_args={"timeout": _BUSY_SECONDS})

    @event.listens_for(engine, "connect")
    def connect(connection: SqliteConnection, _record: Any) -> None:
        connection.isolation_level = None  # else sqlite3 begins transactions of its own, later than asked
        _use_wal(connection)
        connection.execute(f"PRAGMA synchronous = {synchronous}")
        connection.execute("PRAGMA secure_delete = ON")  # what is deleted is overwritten
        connection.execute(f"PRAGMA foreign_keys = {'ON' if foreign_keys else 'OFF'}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        write = connection.get_execution_options().get("write", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")

    return engine
