"""Rows of the engine page by page, in the order of a key: each page begins where the one before it ended.

No statement reads more than some consecutive days, or a part of one, however many there are. The engine ends a page
before it is too large for memory, whatever rows came before; the rows don't depend on how they are cut.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import pyarrow as pa

from tallymark.engine.base import Engine, Params
from tallymark.export.source import Column, schema

#: Rows of a page at most.
_MOST_ROWS: Final = 10_000

#: The engine ends a page after the block of rows that exceeds these bytes. A block of the largest events that are taken
#: is 8 MB. Read lazily, large columns would come in one block, however large.
_SETTINGS: Final = (
    f"max_result_bytes = {16 << 20}, result_overflow_mode = 'break', max_block_size = 128, "
    "query_plan_optimize_lazy_materialization = 0, output_format_json_escape_forward_slashes = 0"
)


@dataclass(frozen=True)
class Key:
    """A part of a row's key: an SQL expression, and its type."""

    sql: str
    type: str


@dataclass(frozen=True)
class Listing:
    """Rows in the engine: SQL of each column, of the table, of what rows are wanted, and their key.

    The key tells any two rows apart, and its first part is the day. `order` sorts as the key does, written as the
    table's own order where it has that one, so that the engine need not sort.
    """

    columns: Sequence[tuple[Column, str]]
    table: str
    where: str
    keys: Sequence[Key]
    order: str
    params: Params

    @property
    def head(self) -> list[Column]:
        """The columns without their SQL."""
        return [column for column, _ in self.columns]


@dataclass(frozen=True)
class Day:
    """How many rows of a table a day has, to plan with: those that others replace may be among them."""

    day: date
    rows: int


def pages(engine: Engine, listing: Listing, found: Sequence[Day]) -> Iterator[pa.Table]:
    """The rows of these days, as tables of the listing's columns."""
    for first, last in _stretches(found):
        after: tuple[Any, ...] = ()
        while (page := _page(engine, listing, first, last, after)).num_rows:
            yield _columns(page, listing)
            after = tuple(page.column(name)[-1].as_py() for name in _names(listing))


def _stretches(found: Sequence[Day]) -> Iterator[tuple[date, date]]:
    """Days, in order, by those that are read together: the first and the last one."""
    together: list[date] = []
    rows = 0
    for day in found:
        if together and rows + day.rows > _MOST_ROWS:
            yield together[0], together[-1]
            together, rows = [], 0
        together.append(day.day)
        rows += day.rows
    if together:
        yield together[0], together[-1]


def _page(engine: Engine, listing: Listing, first: date, last: date, after: Sequence[Any]) -> pa.Table:
    named = [f"{sql} AS c{place}" for place, (_, sql) in enumerate(listing.columns)]
    named += [f"{key.sql} AS {name}" for key, name in zip(listing.keys, _names(listing), strict=True)]
    day = listing.keys[0].sql
    rest = f" AND {_after(listing.keys)}" if after else ""
    sql = (
        f"SELECT {', '.join(named)} FROM {listing.table} WHERE {listing.where} "
        f"AND {day} >= {{first_day:Date}} AND {day} <= {{last_day:Date}}{rest} "
        f"ORDER BY {listing.order} LIMIT {_MOST_ROWS} SETTINGS {_SETTINGS}"
    )
    begun = {f"after{place}": value for place, value in enumerate(after)}
    return engine.read(sql, {**listing.params, **begun, "first_day": first, "last_day": last})


def _names(listing: Listing) -> list[str]:
    return [f"k{place}" for place in range(len(listing.keys))]


def _after(keys: Sequence[Key], place: int = 0) -> str:
    """The condition for keys after the parameters `after0`, `after1`, …: as comparisons that an index is used for."""
    key, value = keys[0].sql, f"{{after{place}:{keys[0].type}}}"
    if len(keys) == 1:
        return f"{key} > {value}"
    return f"({key} >= {value} AND ({key} > {value} OR ({key} = {value} AND {_after(keys[1:], place + 1)})))"


def _columns(page: pa.Table, listing: Listing) -> pa.Table:
    """A page without its keys, in the types of a file."""
    head = listing.head
    return page.select(range(len(head))).rename_columns([column.name for column in head]).cast(schema(head))
