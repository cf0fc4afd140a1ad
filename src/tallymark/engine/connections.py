"""What both engines share: a client per thread, Arrow inserts, errors in our words."""

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence

import pyarrow as pa
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError, OperationalError

from tallymark.engine.base import Engine, Params, Row
from tallymark.engine.refused import EngineRefused
from tallymark.engine.scoped import ScopedEngine
from tallymark.errors import EngineUnavailable

#: `date` and `datetime` answers are compared with Python's: all engines run in UTC. Compiling expressions costs a
#: statement that is asked for the third time up to half a second, and here no statement runs long enough to gain that.
SESSION = {
    "session_timezone": "UTC",
    "compile_expressions": 0,
    "compile_aggregate_expressions": 0,
    "compile_sort_description": 0,
}

_END_OF_STREAM = b"\xff\xff\xff\xff\0\0\0\0"


class Connections:
    """A client per thread over one factory: an engine's handle runs one query at a time."""

    def __init__(self, connect: Callable[[], Client]) -> None:
        self._connect = connect
        self._local = threading.local()
        self._clients: list[Client] = []
        self._lock = threading.Lock()

    def query(self, sql: str, params: Params | None = None) -> Sequence[Row]:
        """See `base.Engine.query`."""
        with self._asked() as client:
            return client.query(sql, parameters=dict(params or {})).result_rows

    def read(self, sql: str, params: Params | None = None) -> pa.Table:
        """See `base.Engine.read`."""
        with self._asked() as client:
            return table_of(client.raw_query(sql, parameters=dict(params or {}), fmt="ArrowStream"))

    def command(self, sql: str, params: Params | None = None) -> None:
        """See `base.Engine.command`."""
        with self._asked() as client:
            client.command(sql, parameters=dict(params or {}))

    def insert(self, table: str, rows: pa.Table, token: str | None = None) -> None:
        """See `base.Engine.insert`."""
        settings = {"insert_deduplication_token": token} if token else {}
        with self._asked() as client:
            client.raw_insert(table, rows.column_names, _stream(rows), settings=settings, fmt="ArrowStream")

    def scoped(self, filters: Mapping[str, str]) -> Engine:
        """See `base.Engine.scoped`."""
        return ScopedEngine(self, filters)

    def ping(self) -> None:
        """See `base.Engine.ping`."""
        self.query("SELECT 1")

    def close(self) -> None:
        """See `base.Engine.close`."""
        with self._lock:
            for client in self._clients:
                client.close()
            self._clients.clear()

    @contextlib.contextmanager
    def _asked(self) -> Iterator[Client]:
        """This thread's client, with its errors in our words.

        After an error the client is given up: chDB may leave what it had of an answer in front of the next one.
        """
        client = self._client()
        try:
            with _our_errors():
                yield client
        except BaseException:
            self._give_up(client)
            raise

    def _give_up(self, client: Client) -> None:
        self._local.client = None
        with self._lock:
            if client in self._clients:
                self._clients.remove(client)
        client.close()

    def _client(self) -> Client:
        client: Client | None = getattr(self._local, "client", None)
        if client is None:
            client = self._connect()
            with self._lock:
                self._clients.append(client)
            self._local.client = client
        return client


def _stream(rows: pa.Table) -> bytes:
    """An Arrow table as one IPC stream."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, rows.schema) as writer:
        writer.write_table(rows)
    return bytes(sink.getvalue())


def table_of(stream: bytes) -> pa.Table:
    """The table of an Arrow IPC stream.

    Errors: `EngineUnavailable` where it has no end: an engine that fails in the middle of an answer can't say so.
    """
    if not stream.endswith(_END_OF_STREAM):
        raise EngineUnavailable("The engine's answer broke off.")
    return pa.ipc.open_stream(stream).read_all()


@contextlib.contextmanager
def _our_errors() -> Iterator[None]:
    """Tells an engine that is away from one that says no."""
    try:
        yield
    except OperationalError as error:
        raise EngineUnavailable(f"The engine can't be reached: {_first_line(error)}") from error
    except ClickHouseError as error:
        raise EngineRefused(_first_line(error), getattr(error, "code", None)) from error


def _first_line(error: Exception) -> str:
    return str(error).split("\n", 1)[0][:2_000]
