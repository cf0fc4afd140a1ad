"""Sums of counters over a window: what each counted, and how many apps sent it."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Self

import re2

from tallymark.answer.run import Runs
from tallymark.api.services import Services
from tallymark.packs.sdk.metrics import MOST_NAMES, MOST_NETWORKS
from tallymark.packs.sdk.names import COUNTERS, NETWORKS
from tallymark.rollup.run import published
from tallymark.spec.condition import Op
from tallymark.spec.project import Project
from tallymark.spec.query import EVERYTHING, Clause, Filter, Query
from tallymark.spec.window import Window

_VALUE, _APPS = "counter_value", "active_apps"
_MOST_ROWS = MOST_NAMES * MOST_NETWORKS


@dataclass(frozen=True)
class Sum:
    """A counter's sum in a window, and how many different apps sent it; `network` is '' for all together."""

    network: str
    name: str
    value: float | int
    apps: int


@dataclass(frozen=True)
class Sums:
    """The counters of a window, of one network or of all, out of the same published runs."""

    here: Services
    project: Project
    window: Window
    network: str | None
    runs: Runs

    @classmethod
    async def fresh(cls, here: Services, project: Project, window: Window, network: str | None) -> Self:
        """As they are now."""
        return cls(here, project, window, network, await asyncio.to_thread(here.answers.fresh_runs, project))

    async def by_name(self) -> list[Sum]:
        """The sum of each counter, by name."""
        if self.network is not None:
            return [replace(each, network="") for each in await self.by_network()]
        told = await self._told(Query((_VALUE, _APPS), self.window, by="event", limit=_MOST_ROWS))
        return _in_order(Sum("", row["key"], row[_VALUE], row[_APPS]) for row in told["breakdown"])

    async def by_network(self) -> list[Sum]:
        """The sum of each counter of each network, by network and name."""
        chosen = EVERYTHING
        if self.network is not None:
            chosen = _where(COUNTERS, Op.MATCHES, f"^{re2.escape(self.network)}/")
        query = Query((_VALUE, _APPS), self.window, by=COUNTERS, filter=chosen, limit=_MOST_ROWS)
        return _in_order(_of_network(row) for row in (await self._told(query))["breakdown"])

    async def active_apps(self) -> int:
        """How many different apps sent any counter."""
        chosen = EVERYTHING if self.network is None else _where(NETWORKS, Op.IS, self.network)
        told = await self._told(Query((_APPS,), self.window, filter=chosen))
        apps: int = told["metrics"][_APPS]["value"]
        return apps

    async def final(self, now: datetime) -> bool:
        """Whether no event of the window is taken any more: it is too late for one, or its days are sealed."""
        late = min(self.project.retention_hours, self.here.settings.accept_past_days * 24)
        if now >= self.window.end + timedelta(hours=late):
            return True
        runs = await asyncio.to_thread(
            published, self.here.engine, self.project.id, self.window.first, self.window.last
        )
        return sum(run.sealed(now) for run in runs) == self.window.length

    async def _told(self, query: Query) -> dict[str, Any]:
        return await self.here.answers.answer(query, self.project, self.runs)


def _of_network(row: dict[str, Any]) -> Sum:
    network, _, name = row["key"].partition("/")
    return Sum(network, name, row[_VALUE], row[_APPS])


def _where(dimension: str, op: Op, value: str) -> Filter:
    return Filter(((Clause(dimension, op, (value,)),),))


def _in_order(sums: Iterable[Sum]) -> list[Sum]:
    return sorted(sums, key=lambda each: (each.network, each.name))
