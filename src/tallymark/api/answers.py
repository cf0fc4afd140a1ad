"""Hot answers: a question asked again, while nothing that it is about was published since, comes from the cache.

An answer of rollups alone is known by the published runs of its days: writing drops nothing, publishing one of these
days does at once, whichever process does it. One with raw events in it is known by what this process wrote, too, and
is never shared. A question that several ask at once is computed once.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from hashlib import blake2b
from typing import Any, Final

import msgspec

from tallymark.answer.compare import Told, tell
from tallymark.answer.run import Answerer, Runs, near
from tallymark.api.flights import Flights
from tallymark.cache.shared import Shared
from tallymark.cache.store import Store
from tallymark.rollup.keeper import Keeper
from tallymark.spec.project import Project
from tallymark.spec.query import Query
from tallymark.spec.window import Window

#: An answer of rollups is kept this long after it was last asked for, one of raw events after it was made.
_SECONDS: Final = 60

#: What processes share of a question whose answer is not of rollups alone: that each has to ask it.
_NOT_SHARED: Final = b"null"


@dataclass
class Asked:
    """How many questions were answered from memory, from what processes share, and by the engine."""

    from_memory: int = 0
    from_shared: int = 0
    computed: int = 0


@dataclass(frozen=True)
class _Names:
    """Names for a question and the state of the numbers it is about: of rollups alone, and of raw events."""

    of_rollups: str
    of_raw: str


@dataclass(frozen=True)
class _Found:
    """The JSON of an answer, and the names it is known by."""

    body: bytes
    from_rollups: bool
    names: _Names

    def answers(self, names: _Names) -> bool:
        """Whether it is the answer to what has these names, if that is the same but for what was written since."""
        return self.from_rollups or self.names.of_raw == names.of_raw


class Answers:
    """Answers questions, from the cache where that is the same: the process's own, then the shared one."""

    def __init__(self, answerer: Answerer, keeper: Keeper, cache: Store, shared: Shared | None = None) -> None:
        self.answerer = answerer
        self.asked = Asked()
        self._keeper = keeper
        self._cache = cache
        self._shared = shared
        self._flights: Flights[_Found] = Flights()

    def fresh_runs(self, project: Project) -> Runs:
        """The published runs of a project, after a refresh where something was written and that is quick."""
        self._keeper.freshen(project)
        return self.answerer.runs(project)

    async def answer(
        self, query: Query, project: Project, runs: Runs, explain: bool = False, viewer: object = None
    ) -> dict[str, Any]:
        """The body of an answer out of those runs, without its freshness; `viewer` as of `kept`. Errors: `BadQuery`."""
        windows = [query.window] + ([query.compare] if query.compare else [])
        return await self.kept(
            (query, explain),
            windows,
            project,
            runs,
            lambda: tell(self.answerer, query, project, runs, explain),
            viewer,
        )

    async def kept(
        self,
        question: object,
        windows: Sequence[Window],
        project: Project,
        runs: Runs,
        ask: Callable[[], Told],
        viewer: object = None,
    ) -> dict[str, Any]:
        """The body that `ask` gives for a question about these windows, or gave lately.

        `viewer` says who looks, where not all who may ask see the same: an answer is kept for equal ones alone. It
        and the question are known by their `repr`. Errors: those of `ask`.
        """
        names = self._names((question, viewer), windows, project, runs)
        body = await self._cache.get(names.of_rollups, renew_for=_SECONDS) or await self._cache.get(names.of_raw)
        if body is None:
            body = await self._joined(names, ask)
        else:
            self.asked.from_memory += 1
        told: dict[str, Any] = msgspec.json.decode(body)
        return told

    async def _joined(self, names: _Names, ask: Callable[[], Told]) -> bytes:
        """The answer, computed with all who ask the same now."""
        found = await self._flights.join(names.of_rollups, lambda: self._found(names, ask))
        if not found.answers(names):
            found = await self._flights.join(names.of_raw, lambda: self._found(names, ask))
        return found.body

    async def _found(self, names: _Names, ask: Callable[[], Told]) -> _Found:
        """What other processes share of it, else what the engine says."""
        if self._shared is None:
            return await self._computed(names, ask)
        known = await self._shared.get(names.of_rollups, _SECONDS) or await self._shared.awaited(names.of_rollups)
        if known is None:
            return await self._computed_for_all(names, ask, self._shared)
        if known == _NOT_SHARED:
            return await self._computed(names, ask)
        self.asked.from_shared += 1
        await self._cache.set(names.of_rollups, known, expires_in=_SECONDS)
        return _Found(known, True, names)

    async def _computed_for_all(self, names: _Names, ask: Callable[[], Told], shared: Shared) -> _Found:
        try:
            found = await self._computed(names, ask)
        except BaseException:
            await shared.pass_on(names.of_rollups)
            raise
        await shared.set(names.of_rollups, found.body if found.from_rollups else _NOT_SHARED, expires_in=_SECONDS)
        return found

    async def _computed(self, names: _Names, ask: Callable[[], Told]) -> _Found:
        self.asked.computed += 1
        told = await asyncio.to_thread(ask)
        found = _Found(msgspec.json.encode(told.body), told.from_rollups, names)
        name = names.of_rollups if told.from_rollups else names.of_raw
        await self._cache.set(name, found.body, expires_in=_SECONDS)
        return found

    def _names(self, question: object, windows: Sequence[Window], project: Project, runs: Runs) -> _Names:
        asked, version = (question, project), self._keeper.version(project)
        inside = [_published(runs, window, 0) for window in windows]
        around = [_published(runs, window, 2) for window in windows]
        return _Names(_name(asked, inside), _name(asked, around, version))


def _published(runs: Runs, window: Window, margin: int) -> list[tuple[int, int]]:
    return [(day.toordinal(), run) for day, run in near(runs, window, timedelta(days=margin)).items()]


def _name(*parts: object) -> str:
    return blake2b(repr(parts).encode(), digest_size=16).hexdigest()
