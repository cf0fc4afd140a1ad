"""A ClickHouse server over HTTP."""

from urllib.parse import unquote, urlsplit

import clickhouse_connect
import pyarrow as pa
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError
from clickhouse_connect.driver.httpclient import HttpClient
from clickhouse_connect.driver.httputil import get_pool_manager
from urllib3 import Timeout

from tallymark.engine.connections import SESSION, Connections
from tallymark.errors import EngineUnavailable

_CONNECT_SECONDS = 5

#: An engine that takes longer over a ping or an insert is away; the insert's token tells later whether it went in.
_BRIEF_SECONDS = 5

_QUERY_SECONDS = 300


class ServerEngine(Connections):
    """A ClickHouse server: `clickhouse://user:password@host:8123/database`, `clickhouses://` for TLS.

    Connections are made when they are needed, so a server that is away when we start is no error yet.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._secure = parts.scheme == "clickhouses"
        self._host = parts.hostname or "127.0.0.1"
        self._port = parts.port or (8443 if self._secure else 8123)
        self._user, self._password = unquote(parts.username or "default"), unquote(parts.password or "")
        self._database = parts.path.strip("/") or "default"
        self._pool = get_pool_manager()
        super().__init__(self._open_patient)
        self._brief = Connections(self._open)

    def insert(self, table: str, rows: pa.Table, token: str | None = None) -> None:
        """See `base.Engine.insert`."""
        self._brief.insert(table, rows, token)

    def ping(self) -> None:
        """See `base.Engine.ping`."""
        self._brief.ping()

    def close(self) -> None:
        """See `base.Engine.close`."""
        super().close()
        self._brief.close()

    def _open_patient(self) -> Client:
        client = self._open()
        if isinstance(client, HttpClient):
            client.timeout = Timeout(connect=_CONNECT_SECONDS, read=_QUERY_SECONDS)
        return client

    def _open(self) -> Client:
        try:
            return clickhouse_connect.get_client(
                host=self._host, port=self._port, username=self._user, password=self._password,
                database=self._database, secure=self._secure, settings=SESSION, pool_mgr=self._pool,
                autogenerate_session_id=False, connect_timeout=_CONNECT_SECONDS,
                send_receive_timeout=_BRIEF_SECONDS,
            )  # fmt: skip
        except ClickHouseError as error:
            raise EngineUnavailable(
                f"The engine at {self._host}:{self._port} can't be reached: {str(error).splitlines()[0][:300]}"
            ) from error
