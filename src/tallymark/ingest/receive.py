"""Receiving a body: decode, gate, enrich, write, count. The whole of ingestion, whatever it came by."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from tallymark.ingest.counts import Counts
from tallymark.ingest.decode import Decoded, Rejection, decode
from tallymark.ingest.enrich import Enricher
from tallymark.ingest.gate import Batch, Limits, admit, nowhere, rejections
from tallymark.ingest.names import EventNames
from tallymark.ingest.quota import Quotas
from tallymark.ingest.rows import Rows
from tallymark.ingest.sealed import SealedDays
from tallymark.ingest.writer import Writer
from tallymark.spec.event import Reason
from tallymark.spec.project import Project

#: Bytes of a body that is looked through aside, since personal data in all of it takes seconds to find.
_LARGE = 1 << 18


@dataclass(frozen=True)
class Sender:
    """What a request says of its sender; used to recognise, never stored.

    `origin` is a daily hash of both where a pack keeps one with the events, 0 for none. `hosted` tells addresses
    of data centres, where a pack takes browsers there for bots.
    """

    ip: str = ""
    user_agent: str = ""
    origin: int = 0
    hosted: Callable[[str], bool] = nowhere


@dataclass(frozen=True)
class Receipt:
    """What became of a body: the events that are on disk, and the refused ones."""

    accepted: int
    rejected: list[Rejection]


class Enrichment(Protocol):
    """What a product adds to events."""

    async def add(self, project: Project, rows: Rows) -> None:
        """Adds to rows before they are written. Errors: `QueueFull`, `Unavailable`."""


@dataclass
class Receiver:
    """Takes bodies in. `clock` gives epoch seconds."""

    enricher: Enricher
    writer: Writer
    counts: Counts
    quotas: Quotas
    names: EventNames
    sealed: SealedDays
    limits: Limits
    clock: Callable[[], float] = time.time
    enrichments: Sequence[Enrichment] = ()

    async def receive(
        self, body: bytes, project: Project, sender: Sender, ndjson: bool = False, imported: bool = False
    ) -> Receipt:
        """Returns when every accepted event of the body is on disk.

        Errors: `UnreadableBody`; `QueueFull`.
        """
        return await self.take(decode(body, ndjson), body, project, sender, imported)

    async def take(
        self, decoded: Decoded, body: bytes, project: Project, sender: Sender, imported: bool = False
    ) -> Receipt:
        """As `receive`, of events that were decoded from a body before. Errors: `QueueFull`."""
        now_ms = int(self.clock() * 1000)
        by = Sender() if imported else sender
        limits = self.limits.of(project, imported)
        asked = (decoded, project, limits, now_ms, by.user_agent, body, by.ip, by.hosted)
        batch = await asyncio.to_thread(admit, *asked) if len(body) > _LARGE else admit(*asked)
        if limits.past_ms is not None:
            await self.sealed.check(batch)
        rows, unstored = await self._stored(batch, by)
        refused = decoded.rejections + rejections(batch) + _unstorable(batch, unstored)
        accepted = len(rows) - len(unstored)
        self.counts.add(project.id, now_ms, accepted, refused)
        return Receipt(accepted, sorted(refused, key=lambda r: r.index))

    async def _stored(self, batch: Batch, by: Sender) -> tuple[Rows, list[int]]:
        """The rows of what is kept of a batch, on disk but for those at the places it gives. Errors: `QueueFull`."""
        new, stored = await self.names.check(batch), set[str]()
        try:
            await self.quotas.check(batch)
            rows = self.enricher.rows(batch, by.ip, by.origin)
            unstored = await self._written(rows, batch.project) if len(rows) else []
            if new:
                stored = {name for place, name in enumerate(rows.event) if place not in unstored}
        finally:
            self.names.forget(batch.project.id, set(new) - stored)
        return rows, unstored

    async def _written(self, rows: Rows, project: Project) -> list[int]:
        """The places of rows that could not be stored; the others are on disk, with what products add to them."""
        for enrichment in self.enrichments:
            await enrichment.add(project, rows)
        return await self.writer.write(rows)

    def refuse_all(self, body: bytes, ndjson: bool, reason: Reason, message: str) -> Receipt:
        """Refuses every event of a body for one reason. Errors: `UnreadableBody`."""
        decoded = decode(body, ndjson)
        refused = [Rejection(place, reason, message) for place in decoded.places]
        self.counts.add(0, int(self.clock() * 1000), 0, refused + decoded.rejections)
        return Receipt(0, sorted(refused + decoded.rejections, key=lambda r: r.index))


def _unstorable(batch: Batch, unstored: list[int]) -> list[Rejection]:
    if not unstored:
        return []
    places = [place for i, place in enumerate(batch.places) if i not in batch.refused]
    message = (
        "The properties can't be stored: two names must not be the same once nested ones are joined by dots, "
        "and names must have no control characters."
    )
    return [Rejection(places[i], Reason.MALFORMED, message) for i in unstored]
