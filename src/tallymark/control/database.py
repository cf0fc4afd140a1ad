"""The control store's database: opened, brought up to date, and read and written in transactions."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Final

import structlog
from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import URL
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.orm import Session

from tallymark.control.models import Base
from tallymark.control.postgresql import Postgresql
from tallymark.control.sqlite import Sqlite
from tallymark.control.store import Scope, Standing, Store
from tallymark.errors import BadSetting

_log = structlog.get_logger()

_MIGRATIONS: Final = "tallymark.control:migrations"
_STORES: Final[Mapping[str, Callable[[URL], Store]]] = {
    "sqlite": Sqlite,
    "postgresql": Postgresql,
    "postgres": Postgresql,
}


class Database:
    """Transactions on the control store. Every method may be called from any thread.

    One `of` a project sees and changes that project's rows alone, where the database can see to that.
    """

    def __init__(self, store: Store, scope: Scope | None = None) -> None:
        self._store = store
        self._scope = scope or Scope()

    def of(self, project_id: int, user: str | None = None) -> "Database":
        """The same database as a project sees it, or as a user does: of what has an owner, what is theirs."""
        return Database(self._store, Scope(project_id, user))

    @contextmanager
    def read(self, project_id: int | None = None) -> Iterator[Session]:
        """A session that sees one state of the store throughout, or of a project's rows."""
        with self._store.transaction(self._within(project_id), write=False) as session:
            yield session

    @contextmanager
    def write(self, project_id: int | None = None) -> Iterator[Session]:
        """A session whose changes are on disk when the block ends, or not made at all; to a project's rows alone.

        Writers go one after another, so what a block has read is still true when it writes.
        """
        with self._store.transaction(self._within(project_id), write=True) as session:
            yield session

    def hasty(self) -> "Database":
        """The same store by other connections, whose commits don't wait for the disk.

        They survive the end of the process. A power cut takes the latest of them back, but none from before a commit
        that has waited, of this or any other connection: all write to one log, which is read up to where it breaks off.
        """
        return Database(self._store.hasty(), self._scope)

    def compact(self, *tables: type[Base]) -> bool:
        """Whether what was deleted of these tables is gone from where it was kept.

        In SQLite no file holds it then. PostgreSQL keeps it in its log, and copies, as long as whoever runs it says.
        False while someone still reads what was there before; call it again later then.
        """
        return self._store.compact([table.__tablename__ for table in tables])

    def standing(self) -> Standing:
        """What kind of database it is, and whether it keeps projects apart by itself."""
        return self._store.standing()

    def close(self) -> None:
        """Ends every connection; nothing may be called afterwards."""
        self._store.close()

    def _within(self, project_id: int | None) -> Scope:
        """The scope, narrowed to a project; what is a project's stays its own."""
        return Scope(project_id) if self._scope.project_id is None else self._scope


def open_database(url: str) -> Database:
    """The control store at a URL such as `sqlite:///data/control.db`, made if need be, up to date.

    Errors: `BadSetting` for a URL that names no file, a server that is away or refuses, or a store that a newer
    version has written.
    """
    migrate(url)
    database = Database(_store(url))
    standing = database.standing()
    if standing.kind == "PostgreSQL" and not standing.scoped:
        _log.warning("row_security_ineffective", why=standing.remark)
    return database


def standing_of(url: str) -> Standing:
    """What kind of database is at a URL, and whether it keeps projects apart by itself.

    Errors: `BadSetting`; `Unavailable` where it is away.
    """
    with closing(_store(url)) as store:
        return store.standing()


def migrate(url: str) -> None:
    """Brings the tables up to date, all steps or none; whoever else starts at the same moment waits.

    Errors: `BadSetting` where a newer version has written the store.
    """
    config = Config()
    config.set_main_option("script_location", _MIGRATIONS)
    try:
        with closing(_store(url)) as store, store.migrating() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except CommandError as error:
        raise BadSetting(f"This version is too old for the control store: {error}") from error


def _store(url: str) -> Store:
    try:
        parsed = make_url(url)
        return _STORES[parsed.get_backend_name()](parsed)
    except (ArgumentError, KeyError, ValueError):  # what they say may quote a password
        raise BadSetting("The control store's URL can't be read.") from None
