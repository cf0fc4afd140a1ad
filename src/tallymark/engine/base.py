"""The one narrow interface over ClickHouse that everything above the engine uses.

Two implementations, `embedded.EmbeddedEngine` (chDB in the process) and `server.ServerEngine` (HTTP), speak the
same SQL and pass one contract suite.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import pyarrow as pa

Params = Mapping[str, Any]
Row = Sequence[Any]


class Engine(Protocol):
    """ClickHouse, wherever it runs. Every method may be called from any thread.

    Errors: `EngineUnavailable` where the engine can't be reached; `EngineRefused` where it says no.
    """

    def query(self, sql: str, params: Params | None = None) -> Sequence[Row]:
        """The rows of a SELECT; `{name:Type}` in the text is bound to `params[name]` by the engine."""

    def read(self, sql: str, params: Params | None = None) -> pa.Table:
        """The rows of a SELECT as an Arrow table, for many rows: a value of a row costs no Python object."""

    def command(self, sql: str, params: Params | None = None) -> None:
        """Runs a statement that gives no rows: DDL, INSERT … SELECT, ALTER."""

    def insert(self, table: str, rows: pa.Table, token: str | None = None) -> None:
        """Writes an Arrow table, on disk on return; a `token` seen before writes nothing."""

    def scoped(self, filters: Mapping[str, str]) -> "Engine":
        """This engine with only those rows of each table that pass its filter, a condition in SQL.

        A table without a filter shows none. It reads only, and needs no closing.
        """

    def ping(self) -> None:
        """Returns if the engine answers, raises otherwise."""

    def close(self) -> None:
        """Ends every connection; nothing may be called afterwards."""
