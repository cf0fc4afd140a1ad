"""A PostgreSQL database that is only read, each statement in a read-only transaction of its own.

So no transaction lives long, and a pooler that gives every transaction another connection does. What is set is set
within the transaction, for poolers refuse what is asked for at the beginning of a connection.
"""

import asyncio
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import unquote, urlsplit

import asyncpg

from tallymark.errors import BadRequest, Unavailable

_CONNECT_SECONDS: Final = 20
_SECONDS: Final = 300

_SESSION: Final = f"""
SET LOCAL statement_timeout = '{_SECONDS}s'; SET LOCAL TimeZone = 'UTC'; SET LOCAL DateStyle = 'ISO, YMD';
SET LOCAL IntervalStyle = 'iso_8601'; SET LOCAL bytea_output = 'hex'; SET LOCAL extra_float_digits = 1
"""


class Source:
    """A database, by its address; a context manager. Errors: `BadRequest`, `Unavailable`, without the password."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._runner = asyncio.Runner()
        self._connection: asyncpg.Connection | None = None

    def rows(self, sql: str, *values: object) -> list[Any]:
        """The rows of a statement."""
        found: list[Any] = self._run(self._rows(sql, values))
        return found

    def __enter__(self) -> Self:
        try:
            self._connection = self._run(self._connect())
        except BaseException:
            self._runner.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._connection is not None:
            self._connection.terminate()
        self._runner.close()

    def _run(self, work: Any) -> Any:
        try:
            return self._runner.run(work)
        except asyncpg.QueryCanceledError:
            raise Unavailable(
                f"The database took longer than {_SECONDS} s: an index on the cursor column and the key helps."
            ) from None
        except (OSError, TimeoutError, asyncpg.PostgresConnectionError, asyncpg.CannotConnectNowError) as error:
            raise Unavailable(f"The database can't be reached: {self._said(error)}") from None
        except asyncpg.ClientConfigurationError as error:
            raise BadRequest(f"The database's address can't be used: {self._said(error)}") from None
        except (asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as error:
            raise BadRequest(f"The database refused: {self._said(error)}") from None

    def _said(self, error: Exception) -> str:
        """What the error says, without the password."""
        text = str(error).partition("\n")[0].rstrip(".") or type(error).__name__
        for secret in _secrets(self._dsn):
            text = text.replace(secret, "…")
        return f"{text}."

    async def _connect(self) -> asyncpg.Connection:
        return await asyncpg.connect(
            self._dsn, timeout=_CONNECT_SECONDS, statement_cache_size=0, command_timeout=_SECONDS + _CONNECT_SECONDS
        )

    async def _rows(self, sql: str, values: tuple[object, ...]) -> list[Any]:
        assert self._connection is not None, "it is open within the block"
        async with self._connection.transaction(readonly=True):
            await self._connection.execute(_SESSION)
            return list(await self._connection.fetch(sql, *values))


def _secrets(dsn: str) -> list[str]:
    """The address, and the password in it as it is written and as it is meant."""
    try:
        password = urlsplit(dsn).password or ""
    except ValueError:
        password = ""
    return [text for text in (dsn, password, unquote(password)) if text]
