"""Answering a question: plan, ask the engine for cells, present them by metric."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from tallymark.answer import from_raw, from_rollups
from tallymark.answer.cells import Cells, dimension_condition
from tallymark.answer.plan import Origin, Part, check_window, plan
from tallymark.engine.base import Engine, Params
from tallymark.engine.source import days as day_params
from tallymark.engine.source import published_runs, span
from tallymark.errors import BadQuery
from tallymark.spec.catalog import Catalog
from tallymark.spec.measure import FIRSTS, Measure, Rows
from tallymark.spec.metric import Metric, Newcomers
from tallymark.spec.project import Project
from tallymark.spec.query import Query
from tallymark.spec.window import Window, bucket_day

#: Sessions stand under days of the project's zone; a window of another zone reaches into those around it.
_MARGIN = timedelta(days=2)


@dataclass(frozen=True)
class Answer:
    """Cells of every metric of a question, and the parts they came from."""

    parts: tuple[Part, ...]
    cells: dict[str, Cells]
    keys: tuple[str, ...]
    incomplete: bool


@dataclass(frozen=True)
class Answerer:
    """Answers questions of a project over the catalogue of its packs."""

    engine: Engine
    catalog: Catalog

    def answer(self, query: Query, project: Project, keys: Sequence[str] | None = None) -> Answer:
        """The cells of a question. `keys` fixes the rows of a breakdown, as a comparison must.

        Errors: `BadQuery`.
        """
        check_window(query)
        catalog = self.catalog.only(project.packs)
        runs = self._runs(query.window, project)
        parts = self._settled(plan(query, project, catalog), query, project, runs)
        asked = _Asked(self.engine, query, project, catalog, runs)
        if query.by is not None and keys is None:
            keys = asked.keys(parts[0])
        cells: dict[str, Cells] = {}
        for part in parts:
            found = asked.cells(part, keys or ())
            cells.update(dict.fromkeys((metric.name for metric in part.metrics), found))
        return Answer(tuple(parts), cells, tuple(keys or ()), from_rollups.OTHER in (keys or ()))

    def _runs(self, window: Window, project: Project) -> list[int]:
        """The published runs, as of now: all statements of an answer read the same."""
        first = max(window.first - _MARGIN, date(1970, 1, 1))
        rows = self.engine.query(published_runs(), day_params(project.id, first, window.last + _MARGIN))
        return [row[0] for row in rows]

    def _settled(self, parts: list[Part], query: Query, project: Project, runs: Sequence[int]) -> list[Part]:
        """The plan after a look at the data: a filter on a dimension whose keys overflowed needs raw events."""
        dims = {clause.dimension for clause in query.filter.clauses}
        if not dims or all(part.origin is Origin.RAW for part in parts):
            return parts
        params = {**day_params(project.id, query.window.first, query.window.last), "runs": list(runs)}
        ((overflowed,),) = self.engine.query(from_rollups.overflows(next(iter(dims))), params)
        why = "rollups keep the 1,000 largest keys of a day"
        return [Part(Origin.RAW, p.rows, p.metrics, p.why or why) for p in parts] if overflowed else parts


@dataclass(frozen=True)
class _Asked:
    """A question with what its statements need."""

    engine: Engine
    query: Query
    project: Project
    catalog: Catalog
    runs: Sequence[int]

    def keys(self, part: Part) -> tuple[str, ...]:
        """The rows of the breakdown: the largest keys by the first metric."""
        measure = part.metrics[0].measures[0]
        by = self._by()
        if part.origin is Origin.ROLLUPS:
            sql = from_rollups.largest_keys(measure, by, self.query.filter)
        else:
            field = self.catalog.dimensions[by].on(part.rows)
            if field is None:
                raise BadQuery(f"{by} can't break these metrics down.", field="by")
            sql = from_raw.largest_keys(measure, self._source(part.rows), field)
        rows = self.engine.query(sql, {**self._params(part), "limit": self.query.limit})
        return tuple(row[0] for row in rows)

    def cells(self, part: Part, keys: Sequence[str]) -> Cells:
        """The cells of a part's metrics."""
        found = Cells()
        params = {**self._params(part), "keys": list(keys)}
        for sql in self._statements(part, bool(keys)):
            found.add(self.engine.query(sql, params))
        return found

    def _statements(self, part: Part, broken_down: bool) -> list[str]:
        plain, special = _measures(part.metrics), _newcomers(part.metrics)
        rolled_up = part.origin is Origin.ROLLUPS
        statements = self._from_rollups(plain, special) if rolled_up else self._from_raw(part, plain, special)
        if not broken_down:
            return statements
        by = self._by()
        if rolled_up:
            statements += [from_rollups.breakdown(plain, by)] if plain else []
            return statements + [from_rollups.newcomers_breakdown(measure, by) for measure in special]
        field, source = self.catalog.dimensions[by].on(part.rows), self._source(part.rows)
        if field is None:
            raise BadQuery(f"{by} can't break these metrics down.", field="by")
        statements += [from_raw.breakdown(plain, source, field)] if plain else []
        return statements + [from_raw.newcomers_breakdown(measure, source, field) for measure in special]

    def _from_rollups(self, plain: Sequence[Measure], special: Sequence[Measure]) -> list[str]:
        days = _day_buckets(self.query.window)
        statements = [from_rollups.series(plain, self.query.filter, days)] if plain else []
        return statements + [from_rollups.newcomers(measure, self.query.filter, days) for measure in special]

    def _from_raw(self, part: Part, plain: Sequence[Measure], special: Sequence[Measure]) -> list[str]:
        buckets, source = self.query.window.buckets(), self._source(part.rows)
        statements = [from_raw.series(plain, part.rows, source, buckets)] if plain else []
        return statements + [from_raw.newcomers(measure, part.rows, source, buckets) for measure in special]

    def _source(self, rows: Rows) -> str:
        return from_raw.source(rows, dimension_condition(self.query.filter, self.catalog.dimensions, rows))

    def _params(self, part: Part) -> Params:
        window = self.query.window
        margin = _MARGIN if part.origin is Origin.RAW else timedelta()
        first = max(window.first - margin, date(1970, 1, 1))
        days = day_params(self.project.id, first, window.last + margin)
        return {**days, **span(self.project.id, window.start, window.end), "runs": list(self.runs)}

    def _by(self) -> str:
        if self.query.by is None:
            raise BadQuery("There is no dimension to break down by.", field="by")
        return self.query.by


def _measures(metrics: Sequence[Metric]) -> list[Measure]:
    """The measures that are merged as they are."""
    found = {m.key: m for metric in metrics if not isinstance(metric.formula, Newcomers) for m in metric.measures}
    return list(found.values())


def _newcomers(metrics: Sequence[Metric]) -> list[Measure]:
    """The measures of actors that are told apart by when they were first seen."""
    found = {m.key: m for metric in metrics if isinstance(metric.formula, Newcomers) for m in metric.measures}
    return [measure for measure in found.values() if measure != FIRSTS]


def _day_buckets(window: Window) -> list[tuple[str, int]]:
    """Every day of the window with the first second of its bucket."""
    starts = {bucket.label: bucket.start for bucket in window.buckets()}
    return [(day.isoformat(), starts[bucket_day(day, window.grain).isoformat()]) for day in window.days()]
