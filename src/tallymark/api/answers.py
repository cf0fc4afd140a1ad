"""Hot answers: a question asked again, while nothing was written or published since, is answered from the cache."""

import asyncio
from hashlib import blake2b
from typing import Any

import msgspec
from litestar.stores.base import Store

from tallymark.answer.compare import tell
from tallymark.answer.run import Answerer
from tallymark.rollup.keeper import Keeper
from tallymark.spec.project import Project
from tallymark.spec.query import Query

_SECONDS = 60

#: Every so many answers that are put into the cache, old ones are thrown out of it.
_SWEEP_EVERY = 256


class Answers:
    """Answers questions, from the cache where that is the same."""

    def __init__(self, answerer: Answerer, keeper: Keeper, cache: Store) -> None:
        self._answerer = answerer
        self._keeper = keeper
        self._cache = cache
        self._put = 0

    async def answer(self, query: Query, project: Project, explain: bool) -> dict[str, Any]:
        """The body of an answer without its freshness. Errors: `BadQuery`."""
        key = self._key(query, project, explain)
        known = await self._cache.get(key)
        if known is not None:
            body: dict[str, Any] = msgspec.json.decode(known)
            return body
        body = await asyncio.to_thread(tell, self._answerer, query, project, explain)
        await self._cache.set(key, msgspec.json.encode(body), expires_in=_SECONDS)
        await self._sweep()
        return body

    def _key(self, query: Query, project: Project, explain: bool) -> str:
        """A name for the question and for the state of the project's numbers."""
        version = self._keeper.version(project)
        return blake2b(repr((query, project, explain, version)).encode(), digest_size=16).hexdigest()

    async def _sweep(self) -> None:
        self._put += 1
        delete_expired = getattr(self._cache, "delete_expired", None)
        if self._put % _SWEEP_EVERY == 0 and delete_expired is not None:
            await delete_expired()
