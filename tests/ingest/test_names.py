"""Names of events: so many different ones a project, over restarts, processes and the end of raw events."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec
import pytest

from tallymark.engine.base import Engine, Params, Row
from tallymark.engine.refused import EngineRefused
from tallymark.errors import EngineUnavailable, TallymarkError
from tallymark.ingest.decode import decode
from tallymark.ingest.gate import Batch, admit, kept, rejections
from tallymark.ingest.names import EventNames, KnownTexts
from tallymark.spec.condition import Column, Prop
from tallymark.spec.event import Reason
from tests.conftest import ANY_AGE, World, Worlds
from tests.flow.test_idempotency import Clocked

NOW = datetime.now(UTC)


@dataclass
class Clock:
    """A clock that goes when it is told."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Away(Clocked):
    """An engine that answers nothing while `errors` has anything to say."""

    errors: list[TallymarkError]

    def query(self, sql: str, params: Params | None = None) -> Sequence[Row]:
        for error in self.errors:
            raise error
        return super().query(sql, params)


def batch_of(world: World, *names: str) -> Batch:
    body = msgspec.json.encode([{"event": name} for name in names])
    return admit(decode(body), world.project, ANY_AGE, round(NOW.timestamp() * 1000), "", body)


def taken(names: EventNames, world: World, *events: str) -> list[str]:
    """The events of a batch that are taken; the others are refused for their names."""
    batch = batch_of(world, *events)
    asyncio.run(names.check(batch))
    assert {r.reason for r in rejections(batch)} <= {Reason.TOO_MANY_NAMES}
    assert len(rejections(batch)) == len(events) - len(kept(batch))
    return [batch.events[i].event for i in kept(batch)]


def send(world: World, *names: str) -> None:
    assert world.send([{"event": name} for name in names], NOW) == []


def test_a_name_too_many_is_refused_and_those_before_it_are_taken_still(world: Worlds) -> None:
    here = world(max_event_names=2)
    names = EventNames(here.engine)
    assert taken(names, here, "a", "b", "a", "c", "b", "c", "d", "a") == ["a", "b", "a", "b", "a"]
    assert taken(names, here, "c") == []
    assert taken(names, here, "b", "e", "a") == ["b", "a"]


def test_a_refusal_says_how_many_names_there_are(world: Worlds) -> None:
    here = world(max_event_names=1)
    batch = batch_of(here, "a", "b")
    asyncio.run(EventNames(here.engine).check(batch))
    (rejection,) = rejections(batch)
    assert (rejection.index, rejection.reason) == (1, Reason.TOO_MANY_NAMES)
    assert rejection.message == "This project's events have 1 names already."


def test_a_project_without_a_limit_has_any_names(world: Worlds) -> None:
    here = world()
    some = [f"n{i}" for i in range(500)]
    assert taken(EventNames(here.engine), here, *some) == some


def test_a_higher_limit_lets_more_in_and_a_lower_one_forgets_none(world: Worlds) -> None:
    here = world(max_event_names=2)
    names = EventNames(here.engine)
    assert taken(names, here, "a", "b", "c") == ["a", "b"]
    assert taken(names, here.changed(max_event_names=3), "c", "d") == ["c"]
    assert taken(names, here.changed(max_event_names=1), "a", "b", "c", "d") == ["a", "b", "c"]


def test_an_event_that_is_refused_for_something_else_brings_no_name(world: Worlds) -> None:
    here = world(max_event_names=1, bots="refuse")
    events = [{"event": "x", "value": 1e300}, {"event": "y"}]
    body = msgspec.json.encode(events)
    batch = admit(decode(body), here.project, ANY_AGE, round(NOW.timestamp() * 1000), "", body)
    asyncio.run(EventNames(here.engine).check(batch))
    assert [(r.index, r.reason) for r in rejections(batch)] == [(0, Reason.BAD_VALUE)]


def test_names_that_are_stored_are_known_after_a_restart(world: Worlds) -> None:
    here = world(max_event_names=3)
    send(here, "a", "größe 😀", "a")
    assert taken(EventNames(here.engine), here, "c", "d", "größe 😀", "a") == ["c", "größe 😀", "a"]


def test_names_are_known_when_their_events_are_gone(world: Worlds) -> None:
    here = world(max_event_names=2)
    send(here, "a", "b")
    here.settle()
    here.engine.command(
        "ALTER TABLE events DELETE WHERE project = {project:UInt32} SETTINGS mutations_sync = 2",
        {"project": here.project.id},
    )
    assert taken(EventNames(here.engine), here, "c", "b", "a") == ["b", "a"]
    assert taken(EventNames(here.engine), here.changed(max_event_names=3), "c", "d") == ["c"]


def test_names_of_other_projects_do_not_count(world: Worlds) -> None:
    here, other = world(max_event_names=2), world(max_event_names=2)
    send(other, "x", "y")
    other.settle()
    names = EventNames(here.engine)
    assert taken(names, here, "a", "b", "x") == ["a", "b"]
    assert taken(names, other, "a", "x", "y") == ["x", "y"]


@pytest.mark.parametrize("stored", [0, 2])
def test_of_batches_at_once_no_more_names_come_in(world: Worlds, stored: int) -> None:
    here = world(max_event_names=5)
    if stored:
        send(here, *[f"s{i}" for i in range(stored)])
    names = EventNames(here.engine)
    batches = [batch_of(here, *(f"b{number} n{i}" for i in range(4))) for number in range(6)]

    async def check() -> None:
        await asyncio.gather(*(names.check(batch) for batch in batches))

    asyncio.run(check())
    came = {batch.events[i].event for batch in batches for i in kept(batch)}
    assert len(came) == 5 - stored


@pytest.mark.parametrize("error", [EngineUnavailable("The engine is away."), EngineRefused("No memory.")])
def test_while_the_engine_is_away_nothing_is_refused(world: Worlds, error: TallymarkError) -> None:
    here = world(max_event_names=2)
    send(here, "a", "b")
    errors = [error]
    names = EventNames(Away(here.engine, NOW, errors))
    assert taken(names, here, "c", "d", "e") == ["c", "d", "e"]
    errors.clear()
    assert taken(names, here, "c", "d", "a") == ["a"]


def test_what_is_known_is_taken_though_the_engine_is_away(world: Worlds) -> None:
    here, errors, clock = world(), list[TallymarkError](), Clock()
    known = KnownTexts(Away(here.engine, NOW, errors), "event", Column("event"), clock)
    assert refused(known, here, 2, "a", "b", "c") == {"c"}
    errors.append(EngineUnavailable("The engine is away."))
    assert refused(known, here, 2, "a", "b") == set()
    assert refused(known, here, 2, "c") == {"c"}  # looked up a moment ago
    clock.now += 5.1
    assert refused(known, here, 2, "c") == set()


def refused(known: KnownTexts, world: World, most: int, *texts: str) -> set[str]:
    return set(asyncio.run(known.admit(world.project.id, texts, most)).over)


def test_what_other_processes_let_in_is_known_after_five_seconds(world: Worlds) -> None:
    here, clock = world(), Clock()
    known = KnownTexts(here.engine, "event", Column("event"), clock)
    assert refused(known, here, 3, "a") == set()
    send(here, "b", "c")
    clock.now = 5.0
    assert refused(known, here, 3, "d") == set()
    clock.now = 5.1
    assert refused(known, here, 3, "e") == {"e"}
    assert refused(known, here, 3, "b", "c") == set()


def test_texts_of_a_property_are_those_of_its_dimension(world: Worlds, engine: Engine) -> None:
    here = world()
    events = [{"event": "form_start", "properties": {"form": form}} for form in ("signup", "order", "")]
    assert here.send([*events, {"event": "page_view"}], NOW) == []
    known = KnownTexts(engine, "form", Prop("form"))
    assert refused(known, here, 2, "signup", "order", "other", "page_view") == {"other", "page_view"}
