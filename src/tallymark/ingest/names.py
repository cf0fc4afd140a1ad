"""How many different names a project's events have, where it limits that: a new one past the limit is refused."""

import asyncio
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field

from tallymark.engine.base import Engine
from tallymark.engine.expression import text_of
from tallymark.engine.refused import EngineRefused
from tallymark.errors import EngineUnavailable
from tallymark.ingest.gate import Batch, kept
from tallymark.spec.condition import Column, Field
from tallymark.spec.event import Reason
from tallymark.spec.metric import OTHER

#: What other processes let in is looked up again after so many seconds, where a new text comes.
_FRESH_SECONDS = 5.0


@dataclass(frozen=True)
class Admitted:
    """Texts that are `new`, and those that are one too many."""

    new: frozenset[str] = frozenset()
    over: frozenset[str] = frozenset()


@dataclass
class _Seen:
    """The texts of a project, and when they were looked up."""

    texts: set[str] = field(default_factory=set)
    at: float = float("-inf")


@dataclass
class KnownTexts:
    """The different texts that stand in a field of projects' events, in rollups also long after the events.

    `dimension` is the field's name in rollups. While the engine can't say which there are, none is new.
    """

    engine: Engine
    dimension: str
    of: Field
    clock: Callable[[], float] = time.monotonic
    _seen: dict[int, _Seen] = field(default_factory=dict)

    async def admit(self, project: int, texts: Iterable[str], most: int) -> Admitted:
        """Which of some texts would be more than so many. New ones are known from now on, until they are forgotten."""
        seen = self._seen.setdefault(project, _Seen())
        new = dict.fromkeys(text for text in texts if text not in seen.texts)
        if not new:
            return Admitted()
        if self.clock() - seen.at > _FRESH_SECONDS:
            try:
                seen.texts |= await asyncio.to_thread(self._stored, project)
            except (EngineRefused, EngineUnavailable):
                return Admitted()
            seen.at = self.clock()
        unknown = [text for text in new if text not in seen.texts]
        room = max(0, most - len(seen.texts))
        seen.texts.update(unknown[:room])
        return Admitted(frozenset(unknown[:room]), frozenset(unknown[room:]))

    def forget(self, project: int, texts: Collection[str]) -> None:
        """Takes back new texts of which nothing was stored."""
        self._seen.setdefault(project, _Seen()).texts.difference_update(texts)

    def _stored(self, project: int) -> set[str]:
        rows = self.engine.query(
            "SELECT DISTINCT key FROM rollups WHERE project = {project:UInt32} AND dim = {dim:String} UNION DISTINCT "
            f"SELECT DISTINCT {text_of(self.of)} FROM events WHERE project = {{project:UInt32}}",
            {"project": project, "dim": self.dimension},
        )
        return {text for (text,) in rows} - {"", OTHER}


class EventNames:
    """Refuses events with one name too many."""

    def __init__(self, engine: Engine) -> None:
        self._known = KnownTexts(engine, "event", Column("event"))

    async def check(self, batch: Batch) -> Collection[str]:
        """Refuses the events of a batch whose names would be more than the project may have; gives names that are new.

        Those of which nothing is stored in the end have to be forgotten.
        """
        most = batch.project.max_event_names
        if most is None:
            return ()
        places = kept(batch)
        admitted = await self._known.admit(batch.project.id, (batch.events[i].event for i in places), most)
        for i in places if admitted.over else ():
            if batch.events[i].event in admitted.over:
                batch.refuse(i, Reason.TOO_MANY_NAMES, f"This project's events have {most} names already.")
        return admitted.new

    def forget(self, project: int, names: Collection[str]) -> None:
        """Takes back new names."""
        self._known.forget(project, names)
