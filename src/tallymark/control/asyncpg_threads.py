"""asyncpg for threads: SQLAlchemy's asyncpg dialect, whose connections live on an event loop in the background.

asyncpg speaks to PostgreSQL from an event loop, and the control store is asked from threads. Whoever calls hands the
loop what is to be awaited and blocks until it is done, so that any thread may call, one that runs a loop too.
"""

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final, TypeVar

import asyncpg
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql.asyncpg import (
    AsyncAdapt_asyncpg_connection,
    AsyncAdapt_asyncpg_cursor,
    AsyncAdapt_asyncpg_dbapi,
    PGDialect_asyncpg,
)

_T = TypeVar("_T")

#: The name of the dialect in URLs.
DRIVER: Final = "postgresql+asyncpg_threads"
#: A connection that was used so lately, in seconds, is not asked whether it is still there: the loop has heard its end.
_TRUSTED_SECONDS: Final = 10.0
_CLOSE_SECONDS: Final = 2


class _Loop:
    """An event loop in a thread of its own."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="postgresql", daemon=True)
        self._thread.start()

    def wait(self, work: Coroutine[Any, Any, _T]) -> _T:
        """What the work gives, or raises."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def call(self, work: Callable[[], object]) -> None:
        """Has the loop do something, without waiting."""
        self._loop.call_soon_threadsafe(work)

    def stop(self) -> None:
        """Ends the thread."""
        self.call(self._loop.stop)
        self._thread.join()
        self._loop.close()


class _Cursor(AsyncAdapt_asyncpg_cursor):
    __slots__ = ()
    _adapt_connection: "_Connection"

    def execute(self, operation: Any, parameters: Any = None) -> None:
        self._adapt_connection.do(lambda: self._prepare_and_execute(operation, parameters))

    def executemany(self, operation: Any, seq_of_parameters: Sequence[Any]) -> Any:
        return self._adapt_connection.do(lambda: self._executemany(operation, seq_of_parameters))


class _Connection(AsyncAdapt_asyncpg_connection):
    __slots__ = ("loop", "used")
    _cursor_cls = _Cursor
    loop: _Loop
    used: float

    def ping(self) -> None:
        """Raises where the connection is gone."""
        if self._connection.is_closed():
            raise self.dbapi.InterfaceError("connection is closed")
        if time.monotonic() - self.used > _TRUSTED_SECONDS:
            self.do(self._async_ping)

    def commit(self) -> None:
        if self._transaction is not None:
            self._end(self._transaction.commit)

    def rollback(self) -> None:
        if self._transaction is not None:
            self._end(self._transaction.rollback)

    def close(self) -> None:
        self.rollback()
        self.do(lambda: self._connection.close(timeout=_CLOSE_SECONDS))

    def terminate(self) -> None:
        self._transaction = None
        self.loop.call(self._connection.terminate)

    def do(self, work: Callable[[], Coroutine[Any, Any, _T]]) -> _T:
        """What the work gives; its errors are those of the driver."""
        try:
            return self.loop.wait(work())
        except (TimeoutError, OSError) as error:
            raise self.dbapi.OperationalError(f"no answer: {type(error).__name__}", error) from error
        except Exception as error:
            self._handle_exception(error)

    def _end(self, how: Callable[[], Any]) -> None:
        self.do(lambda: self._call_and_discard(how))
        self.used = time.monotonic()


class _Driver(AsyncAdapt_asyncpg_dbapi):
    """The module that SQLAlchemy takes for asyncpg."""

    def __init__(self) -> None:
        super().__init__(asyncpg)
        self._loop = _Loop()

    def connect(self, **how: Any) -> _Connection:
        try:
            made = self._loop.wait(_Connection.create(self, asyncpg.connect(**how)))
        except OSError as error:  # asyncpg does not wrap what sockets say
            raise self.OperationalError(f"can't connect: {type(error).__name__}", error) from error
        made.loop, made.used = self._loop, time.monotonic()
        return made

    def stop(self) -> None:
        """Ends the loop; no connection may be in use any more."""
        self._loop.stop()


class Dialect(PGDialect_asyncpg):
    """PostgreSQL by asyncpg, for threads. Every engine has a loop of its own."""

    supports_statement_cache = True
    is_async = False

    @classmethod
    def import_dbapi(cls) -> Any:
        """A driver with a new loop."""
        return _Driver()

    def on_connect(self) -> Callable[[Any], None]:
        """Has a new connection read JSON."""

        def connect(connection: _Connection) -> None:
            connection.loop.wait(self.setup_asyncpg_json_codec(connection))

        return connect


registry.register("postgresql.asyncpg_threads", __name__, "Dialect")
