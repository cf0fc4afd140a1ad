"""Published rollups as they are stored, by day, dimension, measure and key."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

import pyarrow as pa

from tallymark.engine.aggregate import quantile
from tallymark.engine.expression import literal
from tallymark.engine.source import days
from tallymark.errors import BadQuery
from tallymark.export.held import Held
from tallymark.export.pages import Day, Key, Listing, pages
from tallymark.export.source import Column, Content, Kind, Source
from tallymark.spec.catalog import Catalog
from tallymark.spec.export import Order
from tallymark.spec.project import Project
from tallymark.spec.summary import SCALE

#: A measure's kind: the word before the first parenthesis of its key.
_KIND: Final = "extract(toString(measure), '([a-z]+)[(]')"


def _of(kinds: str, sql: str) -> str:
    """A number of measures of some kinds; null for others."""
    return f"if({_KIND} IN ({kinds}), {sql}, NULL)"


_MEAN: Final = f"toFloat64(total) / n / {SCALE}"
_VARIANCE: Final = (
    f"if(n > 1, toFloat64(squares * n - toInt256(total) * total) / n / (n - 1) / {SCALE} / {SCALE}, NULL)"
)

_COLUMNS: Final = (
    (Column("day", Kind.DAY), "day"),
    (Column("measure", Kind.TEXT), "measure"),
    (Column("dimension", Kind.CODE), "dim"),
    (Column("key", Kind.TEXT), "key"),
    (Column("n", Kind.INTEGER), "n"),
    (Column("total", Kind.AMOUNT), _of("'sum', 'moments'", f"toDecimal256(total, 9) / {SCALE}")),
    (Column("mean", Kind.NUMBER), _of("'moments'", _MEAN)),
    (Column("variance", Kind.NUMBER), _of("'moments'", _VARIANCE)),
    (Column("actors", Kind.INTEGER), _of("'actors'", "finalizeAggregation(actors)")),
    *((Column(f"p{level}", Kind.NUMBER), _of("'quantiles'", quantile(level / 100, "dist"))) for level in (50, 95, 99)),
)

_KEYS: Final = (Key("day", "Date"), Key("dim", "String"), Key("measure", "String"), Key("key", "String"))

_PUBLISHED: Final = (
    "project = {project:UInt32} AND day >= {first:Date} AND day <= {last:Date} AND run IN {runs:Array(UInt64)}"
)


def check(order: Order, project: Project, catalog: Catalog) -> None:
    """Raises `BadQuery` for what can't be asked of rollups."""
    if order.filter.groups:
        raise BadQuery("Rollups are exported as they are stored: leave filters out.", field="filter")
    if order.window.timezone != project.timezone:
        told = f"Rollups are of days in {project.timezone}, not in {order.window.timezone}."
        raise BadQuery(told, field="timezone", allowed=[project.timezone])
    for name in order.metrics:
        catalog.metric(name)
    if order.by is not None:
        catalog.dimension(order.by)


def content(order: Order, project: Project, source: Source) -> Content:
    """The rows of the runs that are published now."""
    engine, window = source.engine, order.window
    held = Held.of(source, project, window, timedelta(0))
    params = {**days(project.id, window.first, window.last), "runs": [*held.runs.values()]}
    where = _where(order, source.answerer.catalog.only(project.packs))
    found = [Day(*row) for row in engine.query(_count(where), params)]
    listing = Listing(_COLUMNS, "rollups", where, _KEYS, ", ".join(key.sql for key in _KEYS), params)
    return Content(listing.head, sum(day.rows for day in found), _held(pages(engine, listing, found), held))


def _count(where: str) -> str:
    return f"SELECT day, count() FROM rollups WHERE {where} GROUP BY day ORDER BY day"


def _where(order: Order, catalog: Catalog) -> str:
    """The condition for rows of the dimension and of the metrics' measures, where any are named."""
    conditions = [_PUBLISHED]
    if order.by is not None:
        conditions.append(f"dim = {literal(order.by)}")
    if order.metrics:
        keys = sorted({measure.key for name in order.metrics for measure in catalog.metric(name).measures})
        conditions.append(f"measure IN ({', '.join(map(literal, keys))})")
    return " AND ".join(conditions)


def _held(pages: Iterator[pa.Table], held: Held) -> Iterator[pa.Table]:
    """The pages, if nothing was missing when the last one was read."""
    yield from pages
    held.check()
