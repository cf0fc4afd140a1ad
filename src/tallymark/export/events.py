"""Raw events as they are stored, each once, by UTC day, then by name, actor and id: the order they are stored in."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Self

import pyarrow as pa

from tallymark.answer.cells import dimension_condition
from tallymark.engine.base import Engine, Params
from tallymark.engine.expression import condition_sql, identifier, number_of, text_of
from tallymark.engine.source import instant, milliseconds, span, utc
from tallymark.errors import BadQuery, Conflict
from tallymark.export.pages import Day, Key, Listing, pages
from tallymark.export.source import Column, Content, Kind, Source
from tallymark.spec.catalog import Catalog
from tallymark.spec.export import Order
from tallymark.spec.measure import Rows
from tallymark.spec.project import Project
from tallymark.spec.table import TableColumn
from tallymark.spec.window import Window


def _hexadecimal(column: str) -> str:
    """64 bits as 16 digits, since spreadsheets and JavaScript keep 53 of a number; nothing for 0."""
    return f"if({column} = 0, '', leftPad(lower(hex({column})), 16, '0'))"


_TEXTS: Final = (
    "host", "path", "referrer_host", "source", "channel", "medium", "campaign", "term", "content", "country", "device",
    "browser", "os", "bot",
)  # fmt: skip

_COLUMNS: Final = (
    (Column("time", Kind.INSTANT), "occurred_at"),
    (Column("event", Kind.TEXT), "event"),
    *((Column(name, Kind.CODE), _hexadecimal(name)) for name in ("event_id", "actor", "session")),
    (Column("value", Kind.NUMBER), "if(isFinite(value), value, NULL)"),
    *((Column(name, Kind.TEXT), name) for name in _TEXTS),
    (Column("variants", Kind.JSON), "toJSONString(variants)"),
    (Column("props", Kind.JSON), "toJSONString(props)"),
    (Column("received_at", Kind.INSTANT), "received_at"),
)

_KEYS: Final = (
    Key("toDate(occurred_at)", "Date"), Key("event", "String"), Key("actor", "UInt64"), Key("event_id", "UInt64"),
)  # fmt: skip

_WITHIN: Final = (
    f"project = {{project:UInt32}} AND occurred_at >= {instant('start')} AND occurred_at < {instant('end')}"
)
_STORED: Final = f"{_WITHIN} AND inserted_at < {instant('seen')}"

#: What was inserted this long ago can be seen; what is being inserted has its instant already, and can't.
_SETTLED: Final = timedelta(seconds=10)


def check(order: Order, _project: Project, catalog: Catalog) -> None:
    """Raises `BadQuery` for what can't be asked of events."""
    if order.table:
        catalog.table(order.table)
    if order.metrics:
        raise BadQuery("Events are not exported by metric: leave metrics out.", field="metrics")
    if order.by is not None:
        raise BadQuery("Events are not exported by dimension: leave by out.", field="by")
    allowed = sorted(dimension.name for dimension in catalog.dimensions_on(Rows.EVENTS))
    for clause in order.filter.clauses:
        if clause.dimension not in allowed:
            raise BadQuery(f"Events have no dimension {clause.dimension!r}.", field="filter", allowed=allowed)


def content(order: Order, project: Project, source: Source) -> Content:
    """The events of the window that the filter lets pass, of those that are stored by now."""
    catalog = source.answerer.catalog.only(project.packs)
    conditions = [condition_sql(dimension_condition(order.filter, catalog.dimensions, Rows.EVENTS))]
    columns: Sequence[tuple[Column, str]] = _COLUMNS
    if order.table:
        table = catalog.table(order.table)
        conditions.append(condition_sql(table.where))
        columns = [_column(column) for column in table.columns]
    if "events" in order.scope:
        conditions.append(f"({order.scope['events']})")
    engine = source.engine.scoped(order.scope) if order.scope else source.engine
    return stored(engine, project, order.window, columns, " AND ".join(conditions))


def _column(column: TableColumn) -> tuple[Column, str]:
    """A column of a pack's table, and its SQL."""
    text = text_of(column.field)
    kind, sql = {
        "text": (Kind.TEXT, text),
        "hash": (Kind.CODE, _hexadecimal(identifier(str(column.field)))),
        "instant": (Kind.INSTANT, identifier(str(column.field))),
        "number": (Kind.NUMBER, number_of(column.field)),
        "integer": (Kind.INTEGER, f"toInt64OrNull({text})"),
    }[column.kind]
    return Column(column.name, kind), sql


def stored(
    engine: Engine, project: Project, window: Window, columns: Sequence[tuple[Column, str]], wanted: str = "1"
) -> Content:
    """Columns, each with its SQL, of the wanted events of a window, of those that are stored by now, in their order."""
    params = _params(engine, project, window)
    found = _Found.of(engine, wanted, params)
    listing = Listing(
        columns=columns,
        table="events FINAL",
        where=f"{_STORED} AND {wanted}",
        keys=_KEYS,
        order=f"project, {', '.join(key.sql for key in _KEYS)}",
        params=params,
    )
    rows = pages(engine, listing, [Day(day, stored) for day, stored in found.days.items()])
    return Content(listing.head, found.wanted, _whole(rows, found, lambda: _Found.of(engine, wanted, params)))


def _params(engine: Engine, project: Project, window: Window) -> Params:
    """What events there are: those that are stored by now, and where the clock was set back, those from after now."""
    within = span(project.id, window.start, window.end)
    ((now, latest),) = engine.query(f"SELECT now64(3, 'UTC'), max(inserted_at) FROM events WHERE {_WITHIN}", within)
    seen = max(utc(now), utc(latest) + timedelta(milliseconds=1))
    return {**within, "seen": milliseconds(seen), "settled": milliseconds(utc(now) - _SETTLED)}


@dataclass(frozen=True)
class _Found:
    """How many events there are on each day, how many of all are wanted, and of these how many are settled."""

    days: Mapping[date, int]
    wanted: int
    settled: int

    @classmethod
    def of(cls, engine: Engine, wanted: str, params: Params) -> Self:
        """The events as they are now."""
        rows = engine.query(
            f"SELECT {_KEYS[0].sql} AS d, count(), countIf({wanted}), "
            f"countIf({wanted} AND inserted_at < {instant('settled')}) "
            f"FROM events FINAL WHERE {_STORED} GROUP BY d ORDER BY d",
            params,
        )
        return cls({day: n for day, n, *_ in rows}, sum(row[2] for row in rows), sum(row[3] for row in rows))


def _whole(pages: Iterator[pa.Table], before: _Found, now: Callable[[], _Found]) -> Iterator[pa.Table]:
    """The pages. Raises `Conflict` after the last one where events went meanwhile: pages may have them, or lack them.

    Nothing is added to settled events, so fewer of them are left only where some went.
    """
    written = 0
    for page in pages:
        yield page
        written += page.num_rows
    after = now()
    if after.settled < before.settled or after.wanted < written:
        raise Conflict("Events were deleted while they were exported: export them again.")
