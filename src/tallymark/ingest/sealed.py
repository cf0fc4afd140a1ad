"""Days whose numbers stay as they are, since raw events of them are gone: what comes for one can't be counted."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from tallymark.engine.base import Engine
from tallymark.engine.refused import EngineRefused
from tallymark.errors import EngineUnavailable
from tallymark.ingest.gate import Batch, kept
from tallymark.spec.event import Reason
from tallymark.spec.window import today

_DAY_MS = 86_400_000
_FRESH_SECONDS = 10.0


@dataclass
class SealedDays:
    """Refuses events of sealed days. While the engine can't say which these are, nothing is refused."""

    engine: Engine
    clock: Callable[[], float] = time.monotonic
    _known: dict[int, tuple[float, frozenset[date]]] = field(default_factory=dict)

    async def check(self, batch: Batch) -> None:
        """Refuses the events of a batch that come for a sealed day; today's are not looked at."""
        if not batch.at or min(batch.at) >= batch.now_ms - batch.now_ms % _DAY_MS:
            return
        sealed = await self._of(batch.project.id)
        for i in kept(batch) if sealed else ():
            day = today(batch.project.timezone, datetime.fromtimestamp(batch.at[i] / 1000, UTC))
            if day in sealed:
                batch.refuse(i, Reason.TOO_OLD, f"{day} is sealed: its raw events are going, and its numbers stay.")

    async def _of(self, project: int) -> frozenset[date]:
        until, days = self._known.get(project, (0.0, frozenset()))
        if until > self.clock():
            return days
        try:
            days = await asyncio.to_thread(self._stored, project)
        except (EngineRefused, EngineUnavailable):
            return frozenset()
        self._known[project] = (self.clock() + _FRESH_SECONDS, days)
        return days

    def _stored(self, project: int) -> frozenset[date]:
        rows = self.engine.query(
            "SELECT day FROM runs FINAL WHERE project = {project:UInt32} AND events > 0 AND expires_from <= now()",
            {"project": project},
        )
        return frozenset(day for (day,) in rows)
