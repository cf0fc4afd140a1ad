"""Exposures that were noted with assignments become events, by the clock.

An exposure is noted in the control store when a variant is given, and reported from there: whoever writes its event,
and however often, writes one of the same identity and time. So a crash at any moment neither loses nor doubles one.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import groupby
from operator import attrgetter
from typing import Final

from tallymark.api.services import Services
from tallymark.control.assignment_rows import Exposure
from tallymark.ingest.decode import Decoded, WireEvent
from tallymark.ingest.gate import Limits, admit, kept
from tallymark.ingest.rows import Rows
from tallymark.packs.ab.exposure import Met
from tallymark.packs.ab.participation import Participation
from tallymark.packs.product import Job
from tallymark.spec.experiment import EXPOSURE
from tallymark.spec.project import Project

#: Reported together: the assignments that come meanwhile wait for the note of so many.
_AT_ONCE: Final = 500

_LIMITS: Final = Limits(None, 1 << 62, 10, 1 << 16)

_project_of = attrgetter("key.project_id")


@dataclass(frozen=True)
class Exposures:
    """Writes the events of exposures that were noted."""

    here: Services

    def report(self) -> int:
        """How many exposures are reported now; for threads, such as the clock's.

        Errors: `QueueFull` where the engine is away and the spool full; what was reported before it stays so.
        """
        reported = 0
        while True:
            with self.here.assignments.reporting():
                found = self.here.assignments.unreported(_AT_ONCE)
                if found:
                    loop = self.here.writer.loop
                    asyncio.run_coroutine_threadsafe(self._write(found), loop).result()
                    self.here.assignments.report([(one.key, one.variant) for one in found]).result()
            reported += len(found)
            if len(found) < _AT_ONCE:
                return reported

    async def _write(self, found: Sequence[Exposure]) -> None:
        for project_id, theirs in groupby(sorted(found, key=_project_of), _project_of):
            project = self.here.directory.by_id(project_id)
            rows = Rows() if project is None else await self._rows(project, list(theirs))
            if len(rows):
                await self.here.writer.write(rows)

    async def _rows(self, project: Project, found: Sequence[Exposure]) -> Rows:
        """The events of exposures of a project, but for those on days whose numbers are final."""
        met = [Met(one.key.unit, one.experiment, one.variant) for one in found]
        events = [_event(one, exposure.at_ms) for one, exposure in zip(met, found, strict=True)]
        own = replace(project, event_names=None, pii="allow")
        now_ms = int(self.here.now() * 1000)
        batch = admit(Decoded(events, range(len(events))), own, _LIMITS, now_ms, "", b"")
        await self.here.receiver.sealed.check(batch)
        rows = self.here.receiver.enricher.rows(batch, "")
        rows.actor = [met[place].unit for place in kept(batch)]
        await Participation(self.here).add(project, rows)
        return rows


def jobs(here: Services) -> Sequence[Job]:
    """Each with every how many seconds."""
    return [("exposures", Exposures(here).report, 1)]


def _event(met: Met, at_ms: int) -> WireEvent:
    at = datetime.fromtimestamp(at_ms / 1000, UTC)
    return WireEvent(event=EXPOSURE, timestamp=at, event_id=met.identity, properties=met.properties)
