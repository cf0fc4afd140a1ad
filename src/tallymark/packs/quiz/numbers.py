"""The numbers of quizzes: from published rollups where these tell them, else from the raw attempts that count."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from tallymark.answer import from_raw
from tallymark.answer.cells import Cells, dimension_condition
from tallymark.answer.compare import answer_body
from tallymark.answer.run import Answer, Runs
from tallymark.api.services import Services
from tallymark.engine.base import Params
from tallymark.engine.source import span
from tallymark.packs.quiz import names
from tallymark.packs.quiz.metrics import ATTEMPTS
from tallymark.packs.quiz.policy import Policy, counted
from tallymark.packs.quiz.viewer import Viewer
from tallymark.spec.catalog import Catalog
from tallymark.spec.condition import Prop
from tallymark.spec.measure import Measure, Rows
from tallymark.spec.query import Query
from tallymark.spec.window import Window

#: What each field of an answer is.
FIELDS: Final[Mapping[str, str]] = {
    "totalAttempts": "quiz_attempts",
    "completionRate": "quiz_completion_rate",
    "averageScore": "quiz_score",
    "timeSpent": "quiz_time",
    "learners": "quiz_learners",
    "submitted": "quiz_submissions",
    "abandoned": "quiz_abandonments",
}
METRICS: Final = tuple(FIELDS.values())

DIMENSION: Final = "quiz"
_QUIZ: Final = Prop(names.QUIZ)


@dataclass(frozen=True)
class Numbers:
    """The numbers that a viewer sees of their project's quizzes."""

    here: Services
    viewer: Viewer
    policy: Policy

    async def told(self, query: Query) -> tuple[dict[str, Any], str]:
        """The answer, as `answer.compare` tells it, and its source: `rollups` or `raw`.

        Rollups hold every attempt of everybody: what others see, or another policy lets count, comes from raw events.
        Errors: `BadQuery`.
        """
        if self.viewer.role != "admin" or self.policy is not Policy.ALL:
            return await asyncio.to_thread(self._from_raw, query), "raw"
        runs: Runs = await asyncio.to_thread(self.here.answers.fresh_runs, self.viewer.project)
        body = await self.here.answers.answer(query, self.viewer.project, runs, explain=True, viewer=self.viewer.named)
        origins = {part["from"] for part in body["plan"]}
        return body, "raw" if "raw" in origins else "rollups"

    def _from_raw(self, query: Query) -> dict[str, Any]:
        catalog = self.here.catalog.only(self.viewer.project.packs)
        raw = _Raw(self.viewer, self.policy, query, catalog)
        keys = raw.keys() if query.by is not None else ()
        current = raw.answer(query.window, keys)
        previous = None if query.compare is None else raw.answer(query.compare, keys)
        return answer_body(query, self.viewer.project, catalog, current, previous)


@dataclass(frozen=True)
class _Raw:
    """A question that raw attempts answer."""

    viewer: Viewer
    policy: Policy
    query: Query
    catalog: Catalog

    def keys(self) -> tuple[str, ...]:
        """The quizzes with the most attempts, in order."""
        params = {**self._span(self.query.window), "limit": self.query.limit}
        return tuple(
            key for (key,) in self.viewer.engine.query(from_raw.largest_keys(ATTEMPTS, self._source, _QUIZ), params)
        )

    def answer(self, window: Window, keys: tuple[str, ...]) -> Answer:
        """The cells of a window, in total, by bucket, and of these quizzes."""
        params, cells = {**self._span(window), "keys": list(keys)}, Cells()
        statements = [from_raw.series(self._measures, Rows.EVENTS, self._source, window.buckets())]
        statements += [from_raw.breakdown(self._measures, self._source, _QUIZ)] if keys else []
        for sql in statements:
            cells.add(self.viewer.engine.query(sql, params))
        return Answer((), dict.fromkeys(self.query.metrics, cells), keys)

    @property
    def _source(self) -> str:
        return counted(self.policy, dimension_condition(self.query.filter, self.catalog.dimensions, Rows.EVENTS))

    @property
    def _measures(self) -> list[Measure]:
        found = {m.key: m for name in self.query.metrics for m in self.catalog.metric(name).measures}
        return list(found.values())

    def _span(self, window: Window) -> Params:
        return span(self.viewer.project.id, window.start, window.end)
