"""The rows of a table as events, page by page, from where the last run has come to.

A page is a statement of its own that begins after the last row of the page before, by cursor and key: memory holds
one page, whatever the table holds, and no row is missed where many share a cursor.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final, NamedTuple

import msgspec

from tallymark.ingest.log_events import Numbered, Wire
from tallymark.ingest.postgres.order import Order, Place
from tallymark.ingest.postgres.selection import Selection, casts
from tallymark.ingest.postgres.source import Source
from tallymark.ingest.postgres.table import Column
from tallymark.ingest.tables import Columns, RowEvents

_ID_BYTES: Final = 16

_decode = msgspec.json.Decoder(dict[str, Any]).decode


class Counts(NamedTuple):
    """Rows of a table: to be read now, without a cursor, and with one that lies too far ahead."""

    due: int
    without: int
    ahead: int


class Page(NamedTuple):
    """Rows as events, None for one that can't be read; `timeless` are left out for having no time.

    `fresh` rows come after what was read before; `place` is the last row's if that is one of them.
    """

    events: list[Numbered]
    timeless: int
    fresh: int
    place: Place | None


@dataclass(frozen=True)
class Reader:
    """Reads a table; `identity` are the columns whose values make an event's id, with the table's name."""

    source: Source
    order: Order
    identity: tuple[Column, ...]
    selection: Selection
    columns: Columns
    batch: int

    def count(self, begun: Place | None) -> Counts:
        """How many rows there are after a place."""
        order, table = self.order, f"{self.order.table.quoted} t"
        since = "true" if begun is None else order.since()
        sql = (
            f"SELECT (SELECT count(*) FROM {table} WHERE {order.present()} AND {order.due()} AND {since}), "
            f"(SELECT count(*) FROM {table} WHERE NOT ({order.present()})), "
            f"(SELECT count(*) FROM {table} WHERE NOT {order.due()})"
        )
        return Counts(*self.source.rows(sql, *(order.since_values(begun) if begun else ()))[0])

    def pages(self, begun: Place | None) -> Iterator[Page]:
        """The rows after a place, and once more those shortly before it."""
        events, number = RowEvents(self.columns), 0
        rows = self._begin(begun)
        while rows:
            yield self._page(events, number, rows)
            number += len(rows)
            if len(rows) < self.batch:
                return
            rows = self._go_on(self.order.place(rows[-1]["place"]), begun)

    def _begin(self, begun: Place | None) -> list[Any]:
        if begun is None:
            return self._rows("true", "true")
        return self._rows(self.order.since(), self.order.after(), *begun.at)

    def _go_on(self, place: Place, begun: Place | None) -> list[Any]:
        if begun is None:
            return self._rows(self.order.after(), "true", *place.at)
        return self._rows(self.order.after(), self.order.after(len(place.at) + 1), *place.at, *begun.at)

    def _rows(self, where: str, fresh: str, *values: str) -> list[Any]:
        """The next rows for which `where` is true, in order, each with whether `fresh` is."""
        order = self.order
        sql = (
            f"SELECT ARRAY[{', '.join(casts(order.columns))}] AS place, "
            f"ARRAY[{', '.join(casts(self.identity))}] AS identity, {fresh} AS fresh, "
            f"{self.selection.json()} AS body FROM {order.table.quoted} t "
            f"WHERE {order.present()} AND {order.due()} AND {where} ORDER BY {order.by()} LIMIT {self.batch:d}"
        )
        return self.source.rows(sql, *values)

    def _page(self, events: RowEvents, before: int, rows: list[Any]) -> Page:
        made = [self._event(events, row) for row in rows]
        kept: list[Numbered] = [
            (number, event)
            for number, event in enumerate(made, before + 1)
            if event is None or event.get("timestamp") is not None
        ]
        last = rows[-1]
        place = self.order.place(last["place"]) if last["fresh"] else None
        return Page(kept, len(made) - len(kept), sum(row["fresh"] for row in rows), place)

    def _event(self, events: RowEvents, row: Any) -> Wire | None:
        try:
            cells = _decode(row["body"])
        except (msgspec.DecodeError, RecursionError):
            return None
        return events.event(cells | {"eventId": event_id(self.order.table.title, row["identity"])}, b"")


def event_id(table: str, identity: list[str | None]) -> str:
    """The id of the event that a row is: the same whenever it is read, of no other row."""
    return blake2b(json.dumps([table, *identity]).encode(), digest_size=_ID_BYTES).hexdigest()
