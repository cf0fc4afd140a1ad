"""The numbers of a page of `/voice/stats`, all out of the same published runs."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

from tallymark.answer.run import Runs
from tallymark.api.query import freshness
from tallymark.api.question import Parameters, asked_window, check_names, check_span, explicit, limit_of, one
from tallymark.api.services import Services
from tallymark.errors import BadQuery
from tallymark.packs.voice.metrics import EVALUATOR, INTENT, LANGUAGE, MODEL, STORE
from tallymark.packs.voice.stats_pages import Page
from tallymark.spec.condition import Op
from tallymark.spec.project import Project
from tallymark.spec.query import Clause, Filter, Query
from tallymark.spec.window import Window

#: Parameters that filter, and the dimensions they are of.
FILTERS: Final[Mapping[str, str]] = {"store_id": STORE, "intent": INTENT, "model": MODEL, "language": LANGUAGE}

PARAMETERS: Final = ("project", "from", "to", "timezone", "grain", "compareTo", "limit", *FILTERS)

_MOST_ROWS: Final = 1_000
_ROWS: Final = 20


@dataclass(frozen=True)
class Asked:
    """What is asked of a page. `compare` is the window before where nothing else is said, None for `none`."""

    window: Window
    compare: Window | None
    filter: Filter
    limit: int

    @classmethod
    def of(cls, given: Parameters, timezone: str, now: datetime, more: Sequence[str] = ()) -> "Asked":
        """What parameters ask; `more` are names that a page has besides. Errors: `BadQuery`."""
        check_names(given, (*PARAMETERS, *more))
        window = asked_window(given, timezone, now)
        clauses = [
            (Clause(dimension, Op.IS, (value,)),)
            for name, dimension in FILTERS.items()
            if (value := one(given, name)) is not None
        ]
        return cls(
            window,
            _compare(one(given, "compareTo"), window),
            Filter(tuple(clauses)),
            limit_of(given, _ROWS, _MOST_ROWS),
        )

    def evaluated_by(self, name: str | None) -> "Asked":
        """The same of the evaluations of one evaluator's version; None for those of all."""
        if name is None:
            return self
        clause = Clause(EVALUATOR, Op.IS, (name,))
        return replace(self, filter=Filter((*self.filter.groups, (clause,))))

    def of_all_keys(self) -> "Asked":
        """The same with every key of a breakdown."""
        return replace(self, limit=_MOST_ROWS)


def _compare(text: str | None, window: Window) -> Window | None:
    if text == "none":
        return None
    compared = window.before() if text in (None, "", "previous") else explicit(text or "", window)
    if compared is None:
        raise BadQuery(
            f"compareTo can't be {(text or '')[:40]!r}.", field="compareTo", allowed=["previous", "none", "FROM..TO"]
        )
    check_span(compared, "compareTo")
    return compared


@dataclass(frozen=True)
class Stats:
    """The numbers of a project as they are now."""

    here: Services
    project: Project
    asked: Asked
    runs: Runs

    async def page(self, page: Page, evaluator: str | None = None) -> dict[str, Any]:
        """The body of a page; `evaluator` limits it to evaluations of one. Errors: `BadQuery`."""
        asked = self.asked.evaluated_by(evaluator)
        whole = Query(page.metrics, asked.window, asked.compare, filter=asked.filter)
        told, *parts = await asyncio.gather(
            self._answer(whole), *(self.by(dimension, metrics, asked) for dimension, metrics in page.breakdowns.items())
        )
        return {
            "success": True,
            "project": self.project.name,
            "window": told["window"],
            "compareTo": told["compareTo"],
            "metrics": told["metrics"],
            "breakdowns": dict(zip(page.breakdowns, parts, strict=True)),
        }

    async def by(self, dimension: str, metrics: tuple[str, ...], asked: Asked | None = None) -> list[dict[str, Any]]:
        """Metrics by the largest keys of a dimension, and what they were in the window before."""
        to = asked or self.asked
        query = Query(metrics, to.window, to.compare, dimension, to.filter, to.limit)
        rows: list[dict[str, Any]] = (await self._answer(query))["breakdown"]
        return rows

    async def freshness(self) -> dict[str, Any]:
        """What published rollups cover of the window."""
        now = datetime.fromtimestamp(self.here.now(), UTC)
        fresh = await asyncio.to_thread(freshness, self.here, self.project, self.asked.window, now)
        return fresh.body()

    async def _answer(self, query: Query) -> dict[str, Any]:
        return await self.here.answers.answer(query, self.project, self.runs)
