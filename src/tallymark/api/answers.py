"""Hot answers: a question asked again, while nothing that it is about was published since, comes from the cache.

An answer of rollups alone is known by the published runs of its days: writing drops nothing, publishing one of these
days does at once, whichever process does it. One with raw events in it is known by what this process wrote, too.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta
from hashlib import blake2b
from typing import Any

import msgspec
from litestar.stores.base import Store

from tallymark.answer.compare import Told, tell
from tallymark.answer.run import Answerer, Runs, near
from tallymark.rollup.keeper import Keeper
from tallymark.spec.project import Project
from tallymark.spec.query import Query
from tallymark.spec.window import Window

#: An answer of rollups is kept this long after it was last asked for, one of raw events after it was made.
_SECONDS = 60

#: Every so many answers that are put into the cache, old ones are thrown out of it.
_SWEEP_EVERY = 256


class Answers:
    """Answers questions, from the cache where that is the same."""

    def __init__(self, answerer: Answerer, keeper: Keeper, cache: Store) -> None:
        self.answerer = answerer
        self._keeper = keeper
        self._cache = cache
        self._put = 0

    def fresh_runs(self, project: Project) -> Runs:
        """The published runs of a project, after a refresh where something was written and that is quick."""
        self._keeper.freshen(project)
        return self.answerer.runs(project)

    async def answer(self, query: Query, project: Project, runs: Runs, explain: bool = False) -> dict[str, Any]:
        """The body of an answer out of those runs, without its freshness. Errors: `BadQuery`."""
        windows = [query.window] + ([query.compare] if query.compare else [])
        return await self.kept(
            (query, explain), windows, project, runs, lambda: tell(self.answerer, query, project, runs, explain)
        )

    async def kept(
        self, question: object, windows: Sequence[Window], project: Project, runs: Runs, ask: Callable[[], Told]
    ) -> dict[str, Any]:
        """The body that `ask` gives for a question about these windows, or gave lately. Errors: those of `ask`."""
        of_rollups, of_raw = self._keys(question, windows, project, runs)
        known = await self._cache.get(of_rollups, renew_for=_SECONDS) or await self._cache.get(of_raw)
        if known is not None:
            body: dict[str, Any] = msgspec.json.decode(known)
            return body
        told = await asyncio.to_thread(ask)
        key = of_rollups if told.from_rollups else of_raw
        await self._cache.set(key, msgspec.json.encode(told.body), expires_in=_SECONDS)
        await self._sweep()
        return told.body

    def _keys(self, question: object, windows: Sequence[Window], project: Project, runs: Runs) -> tuple[str, str]:
        """Names for the question and the state of the numbers it is about: of rollups alone, and of raw events."""
        asked, version = (question, project), self._keeper.version(project)
        inside = [_published(runs, window, 0) for window in windows]
        around = [_published(runs, window, 2) for window in windows]
        return _name(asked, inside), _name(asked, around, version)

    async def _sweep(self) -> None:
        self._put += 1
        delete_expired = getattr(self._cache, "delete_expired", None)
        if self._put % _SWEEP_EVERY == 0 and delete_expired is not None:
            await delete_expired()


def _published(runs: Runs, window: Window, margin: int) -> list[tuple[int, int]]:
    return [(day.toordinal(), run) for day, run in near(runs, window, timedelta(days=margin)).items()]


def _name(*parts: object) -> str:
    return blake2b(repr(parts).encode(), digest_size=16).hexdigest()
