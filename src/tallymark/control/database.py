"""The control store's database: opened, brought up to date, and read and written in transactions."""

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from sqlite3 import Connection as SqliteConnection
from sqlite3 import OperationalError
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

from tallymark.errors import BadSetting

_MIGRATIONS = "tallymark.control:migrations"
#: How long a writer waits for another one, in seconds.
_BUSY_SECONDS = 10
#: How long readers are waited for before the log is emptied: writers wait too meanwhile.
_COMPACT_SECONDS = 1


class Database:
    """Transactions on the control store. Every method may be called from any thread."""

    def __init__(self, url: str, synchronous: str = "FULL") -> None:
        self._url = url
        self._engine = _sqlite(url, foreign_keys=True, synchronous=synchronous)
        self._writer = self._engine.execution_options(write=True)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session that sees one state of the store throughout."""
        with Session(self._engine) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A session whose changes are on disk when the block ends, or not made at all.

        Writers go one after another, so what a block has read is still true when it writes.
        """
        with Session(self._writer) as session, session.begin():
            yield session

    def hasty(self) -> "Database":
        """The same store by other connections, whose commits don't wait for the disk.

        They survive the end of the process. A power cut takes the latest of them back, but none from before a commit
        that has waited, of this or any other connection: all write to one log, which is read up to where it breaks off.
        """
        return Database(self._url, synchronous="NORMAL")

    def compact(self) -> bool:
        """Whether the write-ahead log is empty now, so that no file holds what was deleted.

        False while someone still reads what was there before; call it again later then.
        """
        with closing(self._engine.raw_connection()) as connection:
            cursor = connection.cursor()
            cursor.execute(f"PRAGMA busy_timeout = {_COMPACT_SECONDS * 1_000}")
            try:
                row = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            finally:
                cursor.execute(f"PRAGMA busy_timeout = {_BUSY_SECONDS * 1_000}")
            return row is not None and row[0] == 0

    def close(self) -> None:
        """Ends every connection; nothing may be called afterwards."""
        self._engine.dispose()


def open_database(url: str) -> Database:
    """The control store at a URL such as `sqlite:///data/control.db`, made if need be, up to date.

    Errors: `BadSetting` for a URL that names no file, or a store that a newer version has written.
    """
    path = make_url(url).database
    if not path or path == ":memory:":
        raise BadSetting(f"The control store needs a file, as in sqlite:///control.db, not {url!r}.")
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    migrate(url)
    return Database(url)


def migrate(url: str) -> None:
    """Brings the tables up to date, all steps or none; whoever else starts at the same moment waits.

    Errors: `BadSetting` where a newer version has written the store.
    """
    engine = _sqlite(url, foreign_keys=False).execution_options(write=True)
    config = Config()
    config.set_main_option("script_location", _MIGRATIONS)
    try:
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except CommandError as error:
        raise BadSetting(f"This version is too old for the control store: {error}") from error
    finally:
        engine.dispose()


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


def _sqlite(url: str, *, foreign_keys: bool, synchronous: str = "FULL") -> Engine:
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
