"""Metrics by bucket, and by key of a dimension: the answers to the same questions, with the same numbers."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Final

import pyarrow as pa

from tallymark.answer.plan import check_window, plan
from tallymark.answer.run import Answer, Answerer
from tallymark.answer.state import Cell, Value, value_of
from tallymark.errors import BadQuery
from tallymark.export.held import Held
from tallymark.export.source import Column, Content, Kind, Source, schema
from tallymark.spec.catalog import Catalog
from tallymark.spec.export import Order
from tallymark.spec.measure import Kind as MeasureKind
from tallymark.spec.metric import Metric, Newcomers, Plain
from tallymark.spec.project import Project
from tallymark.spec.query import Query
from tallymark.spec.window import Bucket, Grain, Window

#: Keys of a dimension at most, the largest ones; as many as an answer gives.
MOST_KEYS: Final = 10_000

#: Days that are asked for together: the states of their buckets are in memory at once.
_DAYS_TOGETHER: Final = 400

#: Answers look at sessions and runs of days around their window.
_MARGIN: Final = timedelta(days=2)

_BUCKET: Final = Column("bucket", Kind.CODE)
_KEY: Final = Column("key", Kind.TEXT)


@dataclass(frozen=True)
class _Cut(Window):
    """The days that a bucket lies in, cut to the bucket: hours are parts of days."""

    bucket: Bucket = field(kw_only=True)

    @property
    def start(self) -> datetime:
        """The bucket's first instant."""
        return datetime.fromtimestamp(self.bucket.start, UTC)

    @property
    def end(self) -> datetime:
        """The first instant after the bucket."""
        return datetime.fromtimestamp(self.bucket.end, UTC)


def check(order: Order, project: Project, catalog: Catalog) -> None:
    """Raises `BadQuery` for what `/v1/query` would refuse."""
    if not order.metrics:
        raise BadQuery(
            "Say which metrics: GET /v1/metrics lists them.", field="metrics", allowed=sorted(catalog.metrics)
        )
    query = _query(order, order.window)
    check_window(query)
    plan(query, project, catalog)


def content(order: Order, project: Project, source: Source) -> Content:
    """A row for each bucket of the window's grain, or for each bucket and key; a column for each metric."""
    catalog = source.answerer.catalog.only(project.packs)
    held = Held.of(source, project, order.window, _MARGIN)
    asked = _Asked(order, project, source.answerer, [catalog.metric(name) for name in order.metrics], held)
    cuts = _cuts(order.window)
    if order.by is None:
        return Content(asked.columns, len(cuts), asked.series(cuts))
    keys = asked.keys()
    return Content(asked.columns, len(cuts) * len(keys), asked.breakdown(cuts, keys))


@dataclass(frozen=True)
class _Asked:
    """An order of metrics, and what answers it."""

    order: Order
    project: Project
    answerer: Answerer
    metrics: Sequence[Metric]
    held: Held

    @property
    def columns(self) -> list[Column]:
        """The columns of the file."""
        head = [_BUCKET] if self.order.by is None else [_BUCKET, _KEY]
        return [*head, *(Column(metric.name, _kind(metric)) for metric in self.metrics)]

    def keys(self) -> tuple[str, ...]:
        """The keys of the breakdown: those of the first metric, largest first."""
        first = replace(_query(self.order, self.order.window), metrics=self.order.metrics[:1])
        return self._answer(first).keys

    def series(self, cuts: Sequence[_Cut]) -> Iterator[pa.Table]:
        """A row for each bucket."""
        window = self.order.window
        for together in _together(cuts):
            part = Window(together[0].first, together[-1].last, window.timezone, window.grain)
            cells = self._answer(_query(self.order, part)).cells
            rows = [
                [cells[metric.name].buckets.get(cut.bucket.start, {}) for cut in together] for metric in self.metrics
            ]
            yield self._page([[cut.bucket.label for cut in together]], rows)
        self.held.check()

    def breakdown(self, cuts: Sequence[_Cut], keys: tuple[str, ...]) -> Iterator[pa.Table]:
        """A row for each bucket and key."""
        for cut in cuts if keys else ():
            cells = self._answer(_query(self.order, cut), keys).cells
            rows = [[cells[metric.name].keys.get(key, {}) for key in keys] for metric in self.metrics]
            yield self._page([[cut.bucket.label] * len(keys), keys], rows)
        self.held.check()

    def _answer(self, query: Query, keys: tuple[str, ...] | None = None) -> Answer:
        return self.answerer.ask(query, self.project, self.held.runs, keys).answer()

    def _page(self, head: Sequence[Sequence[str]], cells: Sequence[Sequence[Cell]]) -> pa.Table:
        values: list[list[Value]] = [
            [value_of(metric, cell) for cell in column] for metric, column in zip(self.metrics, cells, strict=True)
        ]
        shape = schema(self.columns)
        arrays = [pa.array(column, of.type) for column, of in zip([*head, *values], shape, strict=True)]
        return pa.table(arrays, schema=shape)


def _query(order: Order, window: Window) -> Query:
    return Query(order.metrics, window, by=order.by, filter=order.filter, limit=MOST_KEYS)


def _kind(metric: Metric) -> Kind:
    """Whether a metric counts, or measures."""
    formula = metric.formula
    if isinstance(formula, Newcomers):
        return Kind.NUMBER if formula.share else Kind.INTEGER
    counts = isinstance(formula, Plain) and formula.measure.kind in (MeasureKind.COUNT, MeasureKind.ACTORS)
    return Kind.INTEGER if counts else Kind.NUMBER


def _cuts(window: Window) -> list[_Cut]:
    """The buckets of a window, each with the days it lies in."""
    buckets = window.buckets()
    # a label names the week or month, which may have begun before the window
    firsts = [max(date.fromisoformat(bucket.label[:10]), window.first) for bucket in buckets]
    if window.grain is Grain.HOUR:
        lasts = firsts
    else:
        lasts = [*(first - timedelta(days=1) for first in firsts[1:]), window.last]
    spans = zip(firsts, lasts, buckets, strict=True)
    return [_Cut(first, last, window.timezone, window.grain, bucket=bucket) for first, last, bucket in spans]


def _together(cuts: Sequence[_Cut]) -> Iterator[Sequence[_Cut]]:
    """Consecutive buckets that are asked for together."""
    begun = 0
    for place, cut in enumerate(cuts):
        if (cut.last - cuts[begun].first).days >= _DAYS_TOGETHER:
            yield cuts[begun:place]
            begun = place
    yield cuts[begun:]
