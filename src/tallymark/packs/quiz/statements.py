"""Takes xAPI statements in: all of a request or none.

First what they say is noted, then their events are written. So a crash in between is mended by sending the request
again: what it says is known and the same, and its events are written then, once, as they have the statements' ids.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from tallymark.api.services import Services
from tallymark.errors import Conflict
from tallymark.ingest.decode import Decoded, Rejection, WireEvent
from tallymark.ingest.gate import admit, rejections
from tallymark.ingest.receive import Sender
from tallymark.packs.loose import Refused
from tallymark.packs.quiz.statement import BadStatement, Statement, statement_of
from tallymark.packs.quiz.statement_digest import digest_of
from tallymark.packs.quiz.statement_event import attempt_of_day, event_of
from tallymark.spec.project import Project


@dataclass
class Reading:
    """The statements of a request: their digests by id, in order, and the events of those that tell of one.

    `passed` are the others, with why.
    """

    digests: dict[str, str] = field(default_factory=dict)
    events: list[WireEvent] = field(default_factory=list)
    places: list[int] = field(default_factory=list)
    passed: list[Rejection] = field(default_factory=list)


@dataclass(frozen=True)
class Intake:
    """Takes statements of a project in; where a token names a `user`, they are theirs, whatever their actor says."""

    here: Services
    project: Project
    user: str | None = None

    async def take(self, said: Sequence[Any], body: bytes) -> list[str]:
        """The ids of statements that are taken, in order.

        Errors: `BadStatement` for one that is none, or can't be stored; `Conflict` where one is known to say something
        else; `QueueFull`. Nothing is stored then, but for what a quota or a limit of names refuses late.
        """
        now = datetime.fromtimestamp(self.here.now(), UTC)
        reading = self._read(said, now)
        await self._check(reading, body, now)
        noted = await asyncio.to_thread(self.here.statements.note, self.project.id, reading.digests, now)
        if noted.conflicting:
            raise Conflict(f"Known to say something else: {', '.join(sorted(noted.conflicting))}.", field="id")
        self._count(reading, noted.new, now)
        if reading.events:
            decoded = Decoded(reading.events, reading.places)
            receipt = await self.here.receiver.take(decoded, body, self.project, Sender())
            _raise_for(receipt.rejected)
        return list(reading.digests)

    def _read(self, said: Sequence[Any], now: datetime) -> Reading:
        reading = Reading()
        for place, each in enumerate(said):
            statement = statement_of(each, place)
            statement.id = statement.id or str(uuid4())
            if statement.id in reading.digests:
                raise BadStatement(f"Statement {place}: another one here has the same `id`.")
            reading.digests[statement.id] = digest_of(each)
            try:
                who = self.user or statement.who
                reading.events.append(event_of(statement, who, self._attempt(who, statement, now)))
                reading.places.append(place)
            except Refused as refused:
                reading.passed.append(Rejection(place, refused.reason, refused.message))
        return reading

    def _attempt(self, who: str | None, statement: Statement, now: datetime) -> str | None:
        """What stands for its attempt where it names none; None for nobody's."""
        if who is None:
            return None
        actor = self.here.receiver.enricher.actor(self.project.id, who)
        return attempt_of_day(actor, statement.at or now)

    async def _check(self, reading: Reading, body: bytes, now: datetime) -> None:
        """Raises `BadStatement` where the gate would refuse one."""
        limits = self.here.receiver.limits.of(self.project, imported=False)
        decoded = Decoded(reading.events, reading.places)
        batch = admit(decoded, self.project, limits, int(now.timestamp() * 1000), "", body)
        await self.here.receiver.sealed.check(batch)
        _raise_for(rejections(batch))

    def _count(self, reading: Reading, new: frozenset[str], now: datetime) -> None:
        """Counts those that tell of nothing here, once, among what is refused."""
        ids = list(reading.digests)
        passed = [one for one in reading.passed if ids[one.index] in new]
        if passed:
            self.here.receiver.counts.add(self.project.id, int(now.timestamp() * 1000), 0, passed)


def _raise_for(rejected: Sequence[Rejection]) -> None:
    if rejected:
        first = rejected[0]
        raise BadStatement(f"Statement {first.index}: {first.message}", field=first.reason)
