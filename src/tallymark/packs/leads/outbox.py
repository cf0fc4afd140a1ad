"""The events of captured forms on their way from the control store to the engine.

A form's event waits in its submission, sealed, until it is known to be on disk. Whoever writes it, the request or the
clock after a crash, writes the same one: its identity and its time are fixed when the form comes in.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import msgspec
import structlog

from tallymark.api.services import Services
from tallymark.control.captures import Unrecorded
from tallymark.ingest.decode import Decoded, WireEvent
from tallymark.ingest.receive import Sender
from tallymark.spec.project import Project

_log = structlog.get_logger()

#: Younger ones are still in the hands of their request.
_GRACE = timedelta(minutes=1)
#: Written together by the clock.
_AT_ONCE = 500


class _Letter(msgspec.Struct):
    """What waits: an event and what the request said of its sender."""

    event: WireEvent
    ip: str
    user_agent: str
    origin: int


@dataclass(frozen=True)
class Outbox:
    """Seals and writes the events of forms."""

    here: Services

    def sealed(self, project: Project, event: WireEvent, sender: Sender) -> str:
        """The event as it waits: nobody reads it without the installation's secret."""
        letter = _Letter(event, sender.ip, sender.user_agent, sender.origin)
        return self.here.vault.seal(project.id, msgspec.json.encode(letter).decode()).decode("ascii")

    async def write(self, project: Project, submission_id: int, sealed: str) -> None:
        """Returns when the event is on disk, or refused for good.

        Where the person was erased meanwhile it is taken away again. Errors: `QueueFull`; `ValueError` for an event
        that was sealed under another secret.
        """
        letter = self._opened(project, sealed)
        event = letter.event
        sender = Sender(letter.ip, letter.user_agent, letter.origin, self.here.hosting.is_hosting)
        body = msgspec.json.encode(event)
        receipt = await self.here.receiver.take(Decoded([event], [0]), body, _lenient(project), sender)
        for refused in receipt.rejected:
            _log.warning("a form's event is refused", project=project.name, reason=refused.reason)
        if not await asyncio.to_thread(self.here.people.recorded, submission_id):
            known = self.here.receiver.enricher.event(project.id, event.event_id or "")
            await asyncio.to_thread(self.here.keeper.forget, project, [], [known])

    def write_pending(self) -> int:
        """How many events that have waited for a minute are written now; for threads, such as the clock's.

        Errors: `QueueFull` where the engine is away and the spool full.
        """
        before = datetime.fromtimestamp(self.here.now(), UTC) - _GRACE
        pending = self.here.people.unrecorded(before, _AT_ONCE)
        if pending:
            asyncio.run_coroutine_threadsafe(self._write_all(pending), self.here.writer.loop).result()
        return len(pending)

    async def _write_all(self, pending: Sequence[Unrecorded]) -> None:
        done = await asyncio.gather(*(self._write_one(waiting) for waiting in pending), return_exceptions=True)
        for outcome in done:
            if isinstance(outcome, BaseException):
                raise outcome

    async def _write_one(self, waiting: Unrecorded) -> None:
        project = await asyncio.to_thread(self.here.projects.get, waiting.project_id)
        if project is None:
            return
        try:
            await self.write(project, waiting.submission_id, waiting.outbox)
        except ValueError:
            _log.exception("a form's event can't be opened", submission=waiting.submission_id)

    def _opened(self, project: Project, sealed: str) -> _Letter:
        return msgspec.json.decode(self.here.vault.open(project.id, sealed.encode("ascii")), type=_Letter)


def _lenient(project: Project) -> Project:
    """The project as it takes what it has said that it took: without a quota, redacting what it would reject."""
    return replace(project, quota=None, pii="redact" if project.pii == "reject" else project.pii)
