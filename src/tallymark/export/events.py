"""Raw events as they are stored, each once, by UTC day, then by name, actor and id: the order they are stored in."""

from typing import Final

from tallymark.answer.cells import dimension_condition
from tallymark.engine.expression import condition_sql
from tallymark.engine.source import instant, milliseconds, span, utc
from tallymark.errors import BadQuery
from tallymark.export.pages import Day, Key, Listing, pages
from tallymark.export.source import Column, Content, Kind, Source
from tallymark.spec.catalog import Catalog
from tallymark.spec.export import Order
from tallymark.spec.measure import Rows
from tallymark.spec.project import Project


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
    (Column("props", Kind.JSON), "toJSONString(props)"),
    (Column("received_at", Kind.INSTANT), "received_at"),
)

_KEYS: Final = (
    Key("toDate(occurred_at)", "Date"), Key("event", "String"), Key("actor", "UInt64"), Key("event_id", "UInt64"),
)  # fmt: skip

_STORED: Final = (
    f"project = {{project:UInt32}} AND occurred_at >= {instant('start')} AND occurred_at < {instant('end')} "
    f"AND inserted_at < {instant('seen')}"
)


def check(order: Order, _project: Project, catalog: Catalog) -> None:
    """Raises `BadQuery` for what can't be asked of events."""
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
    engine, window = source.engine, order.window
    ((now,),) = engine.query("SELECT now64(3, 'UTC')")
    params = {**span(project.id, window.start, window.end), "seen": milliseconds(utc(now))}
    catalog = source.answerer.catalog.only(project.packs)
    wanted = condition_sql(dimension_condition(order.filter, catalog.dimensions, Rows.EVENTS))
    day = _KEYS[0].sql
    found = engine.query(
        f"SELECT {day} AS d, count(), countIf({wanted}) FROM events WHERE {_STORED} GROUP BY d ORDER BY d", params
    )
    listing = Listing(
        columns=_COLUMNS,
        table="events FINAL",
        where=f"{_STORED} AND {wanted}",
        keys=_KEYS,
        order=f"project, {', '.join(key.sql for key in _KEYS)}",
        params=params,
    )
    rows = pages(engine, listing, [Day(each, stored) for each, stored, _ in found])
    return Content(listing.head, sum(passing for *_, passing in found), rows)
