"""An engine that shows some of the rows, whatever a statement says."""

from collections.abc import Mapping, Sequence
from typing import NoReturn

import pyarrow as pa

from tallymark.engine.base import Engine, Params, Row
from tallymark.engine.expression import literal
from tallymark.engine.refused import EngineRefused
from tallymark.engine.schema import tables
from tallymark.engine.statement import objection, parted

#: A filter that no row passes.
NOTHING = "0"


class ScopedEngine:
    """The rows of each table that pass its filter, a condition in SQL; a table that has none shows no row.

    The filters go with every statement as the engine's own `additional_table_filters`, so they hold in subqueries,
    joins and views. Statements that could get around them are refused, and so is writing; at its end one may set how it
    is run.
    """

    def __init__(self, whole: Engine, filters: Mapping[str, str]) -> None:
        self._whole = whole
        self._filters = {table: filters.get(table, NOTHING) for table in tables()}
        self._filtering = f"additional_table_filters = {_map(self._filters)}, readonly = 1"

    def query(self, sql: str, params: Params | None = None) -> Sequence[Row]:
        """See `base.Engine.query`."""
        return self._whole.query(self._limited(sql), params)

    def read(self, sql: str, params: Params | None = None) -> pa.Table:
        """See `base.Engine.read`."""
        return self._whole.read(self._limited(sql), params)

    def command(self, sql: str, params: Params | None = None) -> NoReturn:
        """Errors: `EngineRefused`, always: who sees some of the rows changes none."""
        raise EngineRefused("A scoped engine only reads.")

    def insert(self, table: str, rows: pa.Table, token: str | None = None) -> NoReturn:
        """Errors: `EngineRefused`, always."""
        raise EngineRefused("A scoped engine only reads.")

    def scoped(self, filters: Mapping[str, str]) -> Engine:
        """See `base.Engine.scoped`: rows have to pass both filters."""
        both = {table: f"({self._filters[table]}) AND ({filters.get(table, NOTHING)})" for table in self._filters}
        return ScopedEngine(self._whole, both)

    def ping(self) -> None:
        """See `base.Engine.ping`."""
        self._whole.ping()

    def close(self) -> None:
        """Does nothing: the connections belong to the engine behind this."""

    def _limited(self, sql: str) -> str:
        select, settings = parted(sql)
        found = objection(select)
        if found is not None:
            raise EngineRefused(f"A scoped engine does not run a statement with {found!r}.")
        return f"{select}\nSETTINGS {', '.join([*settings, self._filtering])}"


def _map(texts: Mapping[str, str]) -> str:
    """Texts by text as an SQL literal."""
    return "{" + ", ".join(f"{literal(key)}: {literal(text)}" for key, text in texts.items()) + "}"
