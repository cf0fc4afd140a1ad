"""Answering a question: plan, ask the engine for cells, present them by metric."""

from collections.abc import Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date, timedelta

from tallymark.answer import from_raw, from_rollups
from tallymark.answer.cells import Cells, dimension_condition
from tallymark.answer.plan import Origin, Part, check_window, plan
from tallymark.engine.base import Engine, Params
from tallymark.engine.source import days as day_params
from tallymark.engine.source import published_runs, span
from tallymark.errors import BadQuery
from tallymark.spec.catalog import Catalog
from tallymark.spec.condition import Field
from tallymark.spec.measure import FIRSTS, Kind, Measure, Rows
from tallymark.spec.metric import Metric, Newcomers
from tallymark.spec.project import Project
from tallymark.spec.query import Query
from tallymark.spec.window import Window, bucket_day

_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True)
class Answer:
    """Cells of every metric of a question, and the parts they came from."""

    parts: tuple[Part, ...]
    cells: dict[str, Cells]
    keys: tuple[str, ...]


@dataclass(frozen=True)
class Answerer:
    """Answers questions of a project over the catalogue of its packs; statements run side by side."""

    engine: Engine
    catalog: Catalog
    workers: Executor = field(default_factory=lambda: ThreadPoolExecutor(4, "answer"))

    def answer(self, query: Query, project: Project, keys: Sequence[str] | None = None) -> Answer:
        """The cells of a question. `keys` fixes the rows of a breakdown, as a comparison must.

        Errors: `BadQuery`.
        """
        check_window(query)
        catalog = self.catalog.only(project.packs)
        parts = plan(query, project, catalog)
        asked = _Asked(self.engine, self.workers, query, project, catalog, self._runs(query, project))
        parts = asked.settled(parts)
        if query.by is not None and keys is None:
            keys = asked.keys(parts[0])
        cells: dict[str, Cells] = {}
        for part in _asked_together(parts):
            found = asked.cells(part, keys or ())
            cells.update(dict.fromkeys((metric.name for metric in part.metrics), found))
        return Answer(tuple(parts), cells, tuple(keys or ()))

    def _runs(self, query: Query, project: Project) -> list[int]:
        """The published runs that may hold anything of the window, whatever zone it is in."""
        first, last = max(query.window.first - timedelta(days=2), _EPOCH), query.window.last + timedelta(days=2)
        return [row[0] for row in self.engine.query(published_runs(), day_params(project.id, first, last))]


@dataclass(frozen=True)
class _Asked:
    """A question with what its statements need."""

    engine: Engine
    workers: Executor
    query: Query
    project: Project
    catalog: Catalog
    runs: list[int]

    def settled(self, parts: list[Part]) -> list[Part]:
        """The plan after a look at the data: a filter on a dimension whose keys overflowed needs raw events."""
        dims = {clause.dimension for clause in self.query.filter.clauses}
        rolled_up = [part for part in parts if part.origin is Origin.ROLLUPS]
        if not dims or not rolled_up:
            return parts
        ((overflowed,),) = self.engine.query(from_rollups.overflows(next(iter(dims))), self._params(rolled_up[0]))
        if not overflowed:
            return parts
        why = "rollups keep the 1,000 largest keys of a day"
        return [Part(Origin.RAW, part.rows, part.metrics, part.why or why) for part in parts]

    def keys(self, part: Part) -> tuple[str, ...]:
        """The rows of the breakdown: the largest keys by the first metric."""
        measure = part.metrics[0].measures[0]
        if part.origin is Origin.ROLLUPS:
            sql = from_rollups.largest_keys(measure, self._by(), self.query.filter)
        else:
            sql = from_raw.largest_keys(measure, self._source(part.rows), self._field(part.rows))
        rows = self.engine.query(sql, {**self._params(part), "limit": self.query.limit})
        return tuple(row[0] for row in rows)

    def cells(self, part: Part, keys: Sequence[str]) -> Cells:
        """The cells of a part's metrics."""
        found = Cells()
        params = {**self._params(part), "keys": list(keys)}
        statements = self._statements(part, bool(keys))
        buckets = _day_numbers(self.query.window) if part.origin is Origin.ROLLUPS else None
        for rows in self.workers.map(lambda sql: self.engine.query(sql, params), statements):
            found.add(rows, buckets)
        return found

    def _statements(self, part: Part, broken_down: bool) -> list[str]:
        if part.origin is Origin.ROLLUPS:
            return self._from_rollups(_plain(part.metrics), _told_apart(part.metrics), broken_down)
        return self._from_raw(part.rows, _plain(part.metrics), _told_apart(part.metrics), broken_down)

    def _from_rollups(self, plain: list[Measure], apart: list[Measure], broken_down: bool) -> list[str]:
        filter, grain = self.query.filter, self.query.window.grain
        statements = [from_rollups.series(measures, filter, grain) for measures in _side_by_side(plain)]
        statements += [from_rollups.newcomers(apart, filter, grain)] if apart else []
        if broken_down:
            statements += [from_rollups.breakdown(plain, self._by())] if plain else []
            statements += [from_rollups.newcomers_breakdown(measure, self._by()) for measure in apart]
        return statements

    def _from_raw(self, rows: Rows, plain: list[Measure], apart: list[Measure], broken_down: bool) -> list[str]:
        buckets, source = self.query.window.buckets(), self._source(rows)
        statements = [from_raw.series(plain, rows, source, buckets)] if plain else []
        statements += [from_raw.newcomers(measure, rows, source, buckets) for measure in apart]
        if broken_down:
            field = self._field(rows)
            statements += [from_raw.breakdown(plain, source, field)] if plain else []
            statements += [from_raw.newcomers_breakdown(measure, source, field) for measure in apart]
        return statements

    def _source(self, rows: Rows) -> str:
        return from_raw.source(rows, dimension_condition(self.query.filter, self.catalog.dimensions, rows))

    def _params(self, part: Part) -> Params:
        window = self.query.window
        margin = timedelta(days=2 if part.origin is Origin.RAW else 0)
        days = day_params(self.project.id, max(window.first - margin, _EPOCH), window.last + margin)
        return {**days, **span(self.project.id, window.start, window.end), "runs": self.runs}

    def _by(self) -> str:
        if self.query.by is None:
            raise BadQuery("There is no dimension to break down by.", field="by")
        return self.query.by

    def _field(self, rows: Rows) -> Field:
        field = self.catalog.dimensions[self._by()].on(rows)
        if field is None:
            raise BadQuery(f"{self._by()} can't break these metrics down.", field="by")
        return field


def _asked_together(parts: Sequence[Part]) -> list[Part]:
    """The parts with all that rollups answer as one: they hold events and sessions alike."""
    metrics = tuple(metric for part in parts if part.origin is Origin.ROLLUPS for metric in part.metrics)
    raw = [part for part in parts if part.origin is Origin.RAW]
    return [Part(Origin.ROLLUPS, Rows.EVENTS, metrics), *raw] if metrics else raw


def _plain(metrics: Sequence[Metric]) -> list[Measure]:
    """The measures that are merged as they are."""
    found = {m.key: m for metric in metrics if not isinstance(metric.formula, Newcomers) for m in metric.measures}
    return list(found.values())


def _side_by_side(measures: list[Measure]) -> list[list[Measure]]:
    """Measures in groups whose statements take about as long: bitmaps and distributions are the costly ones."""
    actors = [measure for measure in measures if measure.kind is Kind.ACTORS]
    others = [measure for measure in measures if measure.kind is not Kind.ACTORS]
    return [group for group in (actors, others) if group]


def _told_apart(metrics: Sequence[Metric]) -> list[Measure]:
    """The measures of actors that are told apart by when they were first seen."""
    found = {m.key: m for metric in metrics if isinstance(metric.formula, Newcomers) for m in metric.measures}
    return [measure for measure in found.values() if measure != FIRSTS]


def _day_numbers(window: Window) -> dict[int, int]:
    """The first epoch second of every bucket by the number of its first day, counted from 1970."""
    starts = {bucket.label: bucket.start for bucket in window.buckets()}
    days = {bucket_day(day, window.grain) for day in window.days()}
    return {(day - _EPOCH).days: starts[day.isoformat()] for day in days}
