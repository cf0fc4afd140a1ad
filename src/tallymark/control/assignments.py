"""Assignments: the variant that a unit was given first is kept for good, whatever becomes of the experiment's weights.

What units have is remembered; only what is not known yet, or is new, goes to the store. One thread does that, all that
waits in one transaction, and answers when it is committed.

A commit does not wait for the disk (`Database.hasty`): an answer survives the end of the process, while a power cut may
take back the assignments of the last seconds. No unit sees another variant for it: the same one follows again from the
experiment's definition, and every change of a definition is committed to the same log by a connection that does wait,
behind all assignments that were made before it.
"""

import asyncio
import threading
from collections import OrderedDict
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import structlog
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from tallymark.control import assignment_rows as rows
from tallymark.control.assignment_rows import Exposure, Held, Key
from tallymark.control.database import Database
from tallymark.errors import NotFound, QueueFull, Unavailable

_log = structlog.get_logger()

#: Requests that may wait for the store; more are answered 503.
_MOST_WAITING: Final = 1_000


class Wish(NamedTuple):
    """A unit is to have this variant if it has none yet; if it has it and is `exposed`, it meets it at that time."""

    experiment_id: int
    variant: str
    at_ms: int
    exposed: bool


#: What is wished for units; of one with no wishes what it has is asked for.
Wishes = Mapping[int, Sequence[Wish]]

#: What units have, by experiment.
Holdings = dict[int, Mapping[int, Held]]


@dataclass(frozen=True)
class _Waiting:
    project_id: int
    wishes: Wishes
    answer: "Future[Holdings]" = field(default_factory=Future)


class Assignments:
    """The store of assignments. Every method may be called from any thread, `note` from any event loop.

    Units are the keyed hashes that stand in events for actors. What `remembered` of them have is kept in memory.
    """

    def __init__(self, database: Database, remembered: int = 65_536) -> None:
        self._database = database.hasty()
        self._remembers = remembered
        self._thread = ThreadPoolExecutor(1, "assignments")
        self._lock = threading.Lock()
        self._reporting = threading.Lock()
        self._waiting: list[_Waiting] = []
        self._known: OrderedDict[tuple[int, int], Mapping[int, Held]] = OrderedDict()

    def known(self, project_id: int, unit: int) -> Mapping[int, Held] | None:
        """What a unit has, if that is remembered."""
        return self._known.get((project_id, unit))

    async def note(self, project_id: int, wishes: Wishes) -> Holdings:
        """What the units have once the wishes are fulfilled, as far as they can be: what is stored stays.

        Errors: `QueueFull` where too many requests wait; `NotFound` where an experiment is gone; `Unavailable` where
        the store did not take it.
        """
        found, rest = self._remembered(project_id, wishes)
        if rest:
            waiting = _Waiting(project_id, rest)
            self._enqueue(waiting)
            answer = asyncio.wrap_future(waiting.answer)
            found.update(await answer)
        return found

    def of(self, project_id: int, units: Collection[int]) -> Holdings:
        """What units have."""
        with self._database.read(project_id) as session:
            return dict(rows.held_of(session, project_id, units))

    def unreported(self, limit: int) -> list[Exposure]:
        """The oldest exposures whose events are not known to be in the engine."""
        with self._database.read() as session:
            return rows.unreported(session, limit)

    def report(self, exposures: Sequence[tuple[Key, str]]) -> "Future[None]":
        """Notes that the events of exposures to these variants are in the engine; done when the answer is."""
        return self._thread.submit(self._report, exposures)

    @contextmanager
    def reporting(self) -> Iterator[None]:
        """A time in which nothing is forgotten, so that no event is written of somebody who is being deleted."""
        with self._reporting:
            yield

    def forget(self, project_id: int, units: Collection[int]) -> int:
        """Deletes the assignments of units; gives how many there were."""
        with self._reporting:
            return self._thread.submit(self._forget, project_id, units).result()

    def forget_project(self, project_id: int) -> None:
        """Deletes all assignments of a project."""
        with self._reporting:
            self._thread.submit(self._forget_project, project_id).result()

    def close(self) -> None:
        """Ends after what waits; nothing may be called afterwards."""
        self._thread.shutdown(wait=True)
        self._database.close()

    def _remembered(self, project_id: int, wishes: Wishes) -> tuple[Holdings, Wishes]:
        """What of the wishes is known to be fulfilled, and the others."""
        found: Holdings = {}
        rest: dict[int, Sequence[Wish]] = {}
        with self._lock:
            for unit, wished in wishes.items():
                held = self._known.get((project_id, unit))
                if held is None or not all(_fulfilled(held.get(wish.experiment_id), wish) for wish in wished):
                    rest[unit] = wished
                else:
                    self._known.move_to_end((project_id, unit))
                    found[unit] = held
        return found, rest

    def _enqueue(self, waiting: _Waiting) -> None:
        with self._lock:
            if len(self._waiting) >= _MOST_WAITING:
                raise QueueFull(f"{len(self._waiting)} requests wait for assignments; ask again.")
            self._waiting.append(waiting)
            if len(self._waiting) == 1:
                self._thread.submit(self._answer_all)

    def _answer_all(self) -> None:
        """Answers all that wait; where they can't be answered together, each by itself."""
        with self._lock:
            waiting, self._waiting = self._waiting, []
        group = [one for one in waiting if one.answer.set_running_or_notify_cancel()]
        if not self._answer(group) and len(group) > 1:
            for one in group:
                self._answer([one])

    def _answer(self, group: Sequence[_Waiting]) -> bool:
        """Whether a group was answered; one alone always is, be it by an error."""
        try:
            with self._database.write() as session:
                held = _fulfil(session, group)
        except IntegrityError:
            if len(group) == 1:
                group[0].answer.set_exception(NotFound("The experiment or its project is being deleted."))
            return False
        except Exception as error:
            if len(group) == 1:
                _log.error("assignment failed", exc_info=error)
                group[0].answer.set_exception(Unavailable("The assignment could not be stored; ask again."))
            return False
        self._remember(held)
        for waiting in group:
            waiting.answer.set_result({unit: held[waiting.project_id, unit] for unit in waiting.wishes})
        return True

    def _remember(self, held: Mapping[tuple[int, int], Mapping[int, Held]]) -> None:
        with self._lock:
            self._known.update(held)
            for key in held:
                self._known.move_to_end(key)
            while len(self._known) > self._remembers:
                self._known.popitem(last=False)

    def _report(self, exposures: Sequence[tuple[Key, str]]) -> None:
        with self._database.write() as session:
            rows.report(session, exposures)

    def _forget(self, project_id: int, units: Collection[int]) -> int:
        with self._database.write(project_id) as session:
            gone = rows.remove(session, project_id, units)
        with self._lock:
            for unit in units:
                self._known.pop((project_id, unit), None)
        return gone

    def _forget_project(self, project_id: int) -> None:
        with self._database.write(project_id) as session:
            rows.remove_project(session, project_id)
        with self._lock:
            for key in [key for key in self._known if key[0] == project_id]:
                del self._known[key]


def _fulfilled(held: Held | None, wish: Wish) -> bool:
    """Whether a wish changes nothing."""
    if held is None:
        return False
    exposed = held.exposed_at is not None and held.exposed_at <= wish.at_ms
    return exposed or not wish.exposed or held.variant != wish.variant


def _fulfil(session: Session, group: Sequence[_Waiting]) -> dict[tuple[int, int], dict[int, Held]]:
    """What every unit of a group has, its wishes fulfilled: writers go one after another, so what is read is true."""
    units = rows.by_project((waiting.project_id, unit) for waiting in group for unit in waiting.wishes)
    held = {
        (project_id, unit): has
        for project_id, theirs in units.items()
        for unit, has in rows.held_of(session, project_id, theirs).items()
    }
    new: set[Key] = set()
    moved: set[Key] = set()
    for waiting in group:
        for unit, wishes in waiting.wishes.items():
            has = held[waiting.project_id, unit]
            for wish in wishes:
                before = has.get(wish.experiment_id)
                if not _fulfilled(before, wish):
                    (new if before is None else moved).add(Key(waiting.project_id, unit, wish.experiment_id))
                    has[wish.experiment_id] = _granted(before, wish)
    rows.add(session, ((key, held[key[:2]][key.experiment_id]) for key in new))
    rows.expose(session, ((key, held[key[:2]][key.experiment_id].exposed_at or 0) for key in moved - new))
    return held


def _granted(before: Held | None, wish: Wish) -> Held:
    """What a unit has after a wish that changes something."""
    if before is None:
        return Held(wish.variant, wish.at_ms, wish.at_ms if wish.exposed else None)
    return before._replace(exposed_at=wish.at_ms)
