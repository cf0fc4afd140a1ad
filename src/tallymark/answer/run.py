"""Answering a question: plan, ask the engine for cells, present them by metric."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date, timedelta

from tallymark.answer import from_raw, from_rollups
from tallymark.answer.cells import Cells, dimension_condition
from tallymark.answer.plan import Origin, Part, check_window, plan
from tallymark.engine.base import Engine, Params, Row
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

#: A window in another zone reaches into days before and after, and so do the sessions in it.
_MARGIN = timedelta(days=2)

#: The ids of a project's published runs by their days.
Runs = Mapping[date, int]


@dataclass(frozen=True)
class Answer:
    """Cells of every metric of a question, and the parts they came from."""

    parts: tuple[Part, ...]
    cells: dict[str, Cells]
    keys: tuple[str, ...]


@dataclass(frozen=True)
class _Pending:
    """The statements of a part, running; `buckets` as `Cells.add` takes them."""

    part: Part
    answers: Iterator[Sequence[Row]]
    buckets: Mapping[int, int] | None

    def cells(self) -> Cells:
        """The cells of the part's metrics."""
        found = Cells()
        for rows in self.answers:
            found.add(rows, self.buckets)
        return found


@dataclass(frozen=True)
class Asking:
    """A question on its way: several that are asked before the first is answered run side by side."""

    parts: tuple[Part, ...]
    keys: tuple[str, ...]
    pending: Sequence[_Pending]

    def answer(self) -> Answer:
        """The cells of the question."""
        cells: dict[str, Cells] = {}
        for pending in self.pending:
            cells.update(dict.fromkeys((metric.name for metric in pending.part.metrics), pending.cells()))
        return Answer(self.parts, cells, self.keys)


@dataclass(frozen=True)
class Answerer:
    """Answers questions of a project over the catalogue of its packs; statements run side by side."""

    engine: Engine
    catalog: Catalog
    workers: Executor = field(default_factory=lambda: ThreadPoolExecutor(4, "answer"))

    def runs(self, project: Project) -> Runs:
        """The published runs of a project: with these an answer says the same whatever is published meanwhile."""
        return {day: run for day, run in self.engine.query(published_runs(), {"project": project.id})}

    def answer(self, query: Query, project: Project) -> Answer:
        """The cells of a question. Errors: `BadQuery`."""
        return self.ask(query, project, self.runs(project)).answer()

    def ask(self, query: Query, project: Project, runs: Runs, keys: Sequence[str] | None = None) -> Asking:
        """A question on its way. `keys` fixes the rows of a breakdown, as a comparison must.

        Errors: `BadQuery`.
        """
        check_window(query)
        catalog = self.catalog.only(project.packs)
        parts = plan(query, project, catalog)
        asked = _Asked(self.engine, self.workers, query, project, catalog, [*near(runs, query.window).values()])
        parts = asked.settled(parts)
        if query.by is not None and keys is None:
            keys = asked.keys(parts[0])
        shown = tuple(keys or ())
        return Asking(tuple(parts), shown, [asked.statements(part, shown) for part in _asked_together(parts)])


def near(runs: Runs, window: Window, margin: timedelta = _MARGIN) -> Runs:
    """The runs that may hold anything of a window, whatever zone it is in."""
    return {day: run for day, run in runs.items() if window.first - margin <= day <= window.last + margin}


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
        why = "rollups keep the largest keys of a day"
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

    def statements(self, part: Part, keys: Sequence[str]) -> _Pending:
        """The statements of a part, begun."""
        params = {**self._params(part), "keys": list(keys)}
        statements = self._statements(part, bool(keys))
        buckets = _day_numbers(self.query.window) if part.origin is Origin.ROLLUPS else None
        return _Pending(part, self.workers.map(lambda sql: self.engine.query(sql, params), statements), buckets)

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
        margin = _MARGIN if part.origin is Origin.RAW else timedelta(0)
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
    """The measures that are merged as they are; those that are told apart say how many actors there are, too."""
    found = {m.key: m for metric in metrics if not isinstance(metric.formula, Newcomers) for m in metric.measures}
    return [measure for measure in found.values() if measure not in _told_apart(metrics)]


def _side_by_side(measures: list[Measure]) -> list[list[Measure]]:
    """Measures by what of their states is large, which the statements of others then leave unread."""
    groups: dict[Kind | None, list[Measure]] = {}
    for measure in measures:
        large = measure.kind if measure.kind in (Kind.ACTORS, Kind.QUANTILES) else None
        groups.setdefault(large, []).append(measure)
    return list(groups.values())


def _told_apart(metrics: Sequence[Metric]) -> list[Measure]:
    """The measures of actors that are told apart by when they were first seen."""
    found = {m.key: m for metric in metrics if isinstance(metric.formula, Newcomers) for m in metric.measures}
    return [measure for measure in found.values() if measure != FIRSTS]


def _day_numbers(window: Window) -> dict[int, int]:
    """The first epoch second of every bucket by the number of its first day, counted from 1970."""
    starts = {bucket.label: bucket.start for bucket in window.buckets()}
    days = {bucket_day(day, window.grain) for day in window.days()}
    return {(day - _EPOCH).days: starts[day.isoformat()] for day in days}
