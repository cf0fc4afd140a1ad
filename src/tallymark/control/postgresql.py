"""The control store in a database of PostgreSQL, which keeps projects apart by itself: see `row_security.py`."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any, Final

from sqlalchemy import URL, Connection, Engine, create_engine
from sqlalchemy.orm import Session
from sqlalchemy.pool import QueuePool

from tallymark.control.asyncpg_threads import DRIVER
from tallymark.control.postgresql_faults import at_start, at_work
from tallymark.control.row_security import bypasses, make_role, role_of
from tallymark.control.store import Scope, Standing
from tallymark.errors import BadSetting

#: What may stand behind a URL's question mark; a `host` is the directory of a socket.
_OPTIONS: Final = frozenset({"host", "sslmode"})
_CONNECT_SECONDS: Final = 10
_ANSWER_SECONDS: Final = 60
#: How long a writer waits for another one, in seconds, and a migration for another one or for writers.
_BUSY_SECONDS: Final = 10
_MIGRATION_SECONDS: Final = 600
#: Names the right to write; such locks are a database's own.
_WRITER: Final = 0x7461_6C6C_796D_6B

_ONE_STATE: Final = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
#: What is read after the lock has been waited for must be what is there then, so each statement sees what is committed.
_LATEST: Final = {"isolation_level": "READ COMMITTED"}


class Postgresql:
    """A database on a server. Its statements run as a role that policies bind, where the login is none."""

    def __init__(self, url: URL, *, hasty: bool = False) -> None:
        """Errors: `BadSetting` for a URL with options that are not known."""
        if unknown := set(url.query) - _OPTIONS:
            raise BadSetting(f"The control store's URL takes {' and '.join(sorted(_OPTIONS))}, not {sorted(unknown)}.")
        self._url, self._hasty = url, hasty
        self._engine = _engine(url)

    @contextmanager
    def transaction(self, scope: Scope, *, write: bool) -> Iterator[Session]:
        """A session that sees the rows of a scope; writers go one after another by an advisory lock."""
        settings = {"tallymark.project": scope.project, "tallymark.user": scope.owner}
        if (role := self._role) is not None:
            settings["role"] = role
        if write:
            settings["lock_timeout"] = f"{_BUSY_SECONDS}s"
        if self._hasty:
            settings["synchronous_commit"] = "off"
        with at_work(), Session(self._engine) as session, session.begin():
            _begin(session.connection(execution_options=_LATEST if write else _ONE_STATE), settings, lock=write)
            yield session

    @contextmanager
    def migrating(self) -> Iterator[Connection]:
        """A transaction of the login itself, which owns the tables; in the end there is a role that policies bind."""
        settings = {"tallymark.project": "*", "tallymark.user": "*", "lock_timeout": f"{_MIGRATION_SECONDS}s"}
        with at_start(self._url), self._engine.begin() as connection:
            _begin(connection, settings, lock=True)
            yield connection
            if bypasses(connection):
                make_role(connection)

    def hasty(self) -> "Postgresql":
        """The same database by other connections."""
        return Postgresql(self._url, hasty=True)

    def compact(self, tables: Collection[str]) -> bool:
        """Whether dead rows were cleared away; not those that an older transaction may still read."""
        if not tables:
            return True
        with at_work(), self._engine.connect() as connection:
            free = connection.execution_options(isolation_level="AUTOCOMMIT")
            free.exec_driver_sql(f"VACUUM {', '.join(tables)}")
            return not free.exec_driver_sql(_OLDER_READERS).scalar_one()

    def standing(self) -> Standing:
        """Whether policies bind its statements."""
        if not self._login_bypasses:
            return Standing("PostgreSQL", True, "row-level security is in force")
        if self._role is not None:
            return Standing("PostgreSQL", True, f"row-level security is in force, as role {self._role}")
        return Standing(
            "PostgreSQL", False, "the login bypasses row-level security, and may not make a role that does not"
        )

    def close(self) -> None:
        """Ends every connection."""
        self._engine.dispose()
        self._engine.dialect.dbapi.stop()  # type: ignore[union-attr]  # the driver is our own

    @cached_property
    def _login_bypasses(self) -> bool:
        with at_work(), self._engine.begin() as connection:
            return bypasses(connection)

    @cached_property
    def _role(self) -> str | None:
        """The role that statements run as; None for the login."""
        if not self._login_bypasses:
            return None
        with at_work(), self._engine.begin() as connection:
            return role_of(connection)


_OLDER_READERS: Final = """SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database()
AND pid <> pg_backend_pid() AND backend_xmin IS NOT NULL)"""


def _begin(connection: Connection, settings: dict[str, str], *, lock: bool) -> None:
    """Makes settings that end with the transaction, and waits to be the only writer, in one statement."""
    made = [f"set_config('{name}', ${at}, true)" for at, name in enumerate(settings, 1)]
    if lock:
        made.append(f"pg_advisory_xact_lock({_WRITER})")
    connection.exec_driver_sql(f"SELECT {', '.join(made)}", tuple(settings.values()))


def _engine(url: URL) -> Engine:
    return create_engine(
        url.set(drivername=DRIVER).difference_update_query(["sslmode"]),
        poolclass=QueuePool,
        pool_pre_ping=True,
        pool_timeout=_BUSY_SECONDS,
        connect_args={"timeout": _CONNECT_SECONDS, "command_timeout": _ANSWER_SECONDS, **_tls(url)},
    )


def _tls(url: URL) -> dict[str, Any]:
    """What asyncpg calls `ssl`, libpq calls `sslmode`."""
    mode = url.query.get("sslmode")
    return {} if mode is None else {"ssl": mode}
