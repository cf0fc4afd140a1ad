"""Who may do more now: counted in the process, and by all processes together where they share a Valkey."""

from collections import Counter

from tallymark.access.buckets import Buckets, Limit, Taken
from tallymark.access.shared_buckets import SharedBuckets


class Limiter:
    """Counts by name. Where what is shared is away, each process counts by itself. For one event loop.

    `refused` is how many were refused by the limit's name.
    """

    def __init__(self, own: Buckets, shared: SharedBuckets | None = None) -> None:
        self._own = own
        self._shared = shared
        self.refused: Counter[str] = Counter()

    async def take(self, limit: Limit, name: bytes) -> Taken:
        """Takes one, if there is one. Whoever is refused here is refused without asking further."""
        found = self._own.take(limit, name)
        if found.allowed and self._shared is not None:
            found = await self._of_all(limit, name, self._shared) or found
        if not found.allowed:
            self.refused[limit.name] += 1
        return found

    async def _of_all(self, limit: Limit, name: bytes, shared: SharedBuckets) -> Taken | None:
        found = await shared.take(limit, name)
        if found is not None:
            self._own.drain(name, found.refill)
        return found

    def exhausted(self, limit: Limit, name: bytes) -> Taken | None:
        """What taking one would find where that is nothing, as far as this process knows; else None."""
        found = self._own.look(limit, name)
        if found.allowed:
            return None
        self.refused[limit.name] += 1
        return found
