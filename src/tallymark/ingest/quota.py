"""Quotas: how many events of a UTC day a project may send."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from tallymark.engine.base import Engine
from tallymark.engine.refused import EngineRefused
from tallymark.errors import EngineUnavailable
from tallymark.ingest.gate import Batch, kept
from tallymark.spec.event import Reason

_DAY_MS = 86_400_000


@dataclass
class Quotas:
    """Counts a project's events of the day; after a restart it goes on from what the engine holds.

    While the engine can't say how many that are, nothing is refused: what is spooled counts once it is in.
    """

    engine: Engine
    _used: dict[tuple[int, int], int] = field(default_factory=dict)

    async def check(self, batch: Batch) -> None:
        """Refuses the events of a batch that are over the project's quota."""
        quota = batch.project.quota
        if quota is None:
            return
        day = batch.now_ms // _DAY_MS
        key = (batch.project.id, day)
        if key not in self._used:
            self._used = {k: n for k, n in self._used.items() if k[1] == day}
            try:
                stored = await asyncio.to_thread(self._stored, *key)
            except (EngineRefused, EngineUnavailable):
                return
            self._used.setdefault(key, stored)
        for i in kept(batch):
            if self._used[key] >= quota:
                batch.refuse(i, Reason.QUOTA, f"The project's quota of {quota} events a day is used up.")
            else:
                self._used[key] += 1

    def _stored(self, project: int, day: int) -> int:
        start = datetime.fromtimestamp(day * 86_400, UTC)
        rows = self.engine.query(
            "SELECT count() FROM events FINAL WHERE project = {project:UInt32} "
            "AND received_at >= {start:DateTime} AND inserted_at >= {margin:DateTime}",
            {"project": project, "start": start, "margin": start - timedelta(minutes=5)},
        )
        return int(rows[0][0])
