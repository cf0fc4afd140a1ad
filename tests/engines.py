"""An engine that passes everything on to another one: tests change a method of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from tallymark.engine.base import Engine, Params, Row
from tallymark.engine.scoped import ScopedEngine


@dataclass
class Passing:
    """See `tallymark.engine.base.Engine`."""

    engine: Engine

    def query(self, sql: str, params: Params | None = None) -> Sequence[Row]:
        return self.engine.query(sql, params)

    def read(self, sql: str, params: Params | None = None) -> pa.Table:
        return self.engine.read(sql, params)

    def command(self, sql: str, params: Params | None = None) -> None:
        self.engine.command(sql, params)

    def insert(self, table: str, rows: pa.Table, token: str | None = None) -> None:
        self.engine.insert(table, rows, token)

    def scoped(self, filters: Mapping[str, str]) -> Engine:
        return ScopedEngine(self, filters)

    def ping(self) -> None:
        self.engine.ping()

    def close(self) -> None:
        self.engine.close()
