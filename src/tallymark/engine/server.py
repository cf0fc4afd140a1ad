"""A ClickHouse server over HTTP."""

from urllib.parse import urlsplit

import clickhouse_connect
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError
from clickhouse_connect.driver.httputil import get_pool_manager

from tallymark.engine.connections import SESSION, Connections
from tallymark.errors import EngineUnavailable


class ServerEngine(Connections):
    """A ClickHouse server: `clickhouse://user:password@host:8123/database`, `clickhouses://` for TLS.

    Connections are made when they are needed, so a server that is away when we start is no error yet.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._secure = parts.scheme == "clickhouses"
        self._host = parts.hostname or "127.0.0.1"
        self._port = parts.port or (8443 if self._secure else 8123)
        self._user, self._password = parts.username or "default", parts.password or ""
        self._database = parts.path.strip("/") or "default"
        self._pool = get_pool_manager()
        super().__init__(self._open)

    def _open(self) -> Client:
        try:
            return clickhouse_connect.get_client(
                host=self._host, port=self._port, username=self._user, password=self._password,
                database=self._database, secure=self._secure, settings=SESSION, pool_mgr=self._pool,
                autogenerate_session_id=False,
            )  # fmt: skip
        except ClickHouseError as error:
            raise EngineUnavailable(
                f"The engine at {self._host}:{self._port} can't be reached: {str(error).splitlines()[0][:300]}"
            ) from error
