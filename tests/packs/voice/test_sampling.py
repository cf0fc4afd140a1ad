"""Which answers are judged: a share of them, the same for every version, of those that a filter lets pass."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from tallymark.engine.base import Engine
from tallymark.packs.voice.sampling import Sampling
from tallymark.spec.evaluator import Evaluator
from tallymark.spec.evaluator_draft import parse_draft
from tallymark.spec.window import Window
from tests.packs.voice.assistant import NOON, Assistant, event
from tests.packs.world import application

N = 400
EVER, LATE = datetime(1970, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory, engine: Engine) -> Iterator[Assistant]:
    """A project with exchanges, every fourth of which is about the weather."""
    with application(tmp_path_factory.mktemp("sampling"), engine, NOON, settle_seconds=0) as world:
        assistant = Assistant(world).fresh()
        for name, said in (("query", {"transcript": "größe"}), ("outcome", {"response": "abc"})):
            intents = ["weather" if n % 4 == 0 else "time" for n in range(N)]
            assistant.send(
                *(
                    event(name, f"q-{n}", NOON - timedelta(seconds=n), intent=intent, **said)
                    for n, intent in enumerate(intents)
                )
            )
        assert assistant.join() == N
        yield assistant


def evaluator(key: str = "quality", version: int = 1, **draft: object) -> Evaluator:
    drafted = parse_draft({"key": key, "judge": "rules", **draft})
    return Evaluator(1, 1, version, drafted, "active", "", 0, False, NOON, NOON)


def drawn(asked: Assistant, **of: object) -> set[int]:
    sampling = Sampling(asked.here.engine, asked.application.project(asked.name))
    chosen = evaluator(**of)  # type: ignore[arg-type]  # of a draft
    found = sampling.inserted(chosen, EVER, LATE)
    assert len({identity for identity, _ in found}) == len(found)
    days = Window((NOON - timedelta(days=1)).date(), NOON.date(), "UTC")
    assert sampling.happened(chosen, days) == found
    assert sampling.characters(chosen, days) == 8 * len(found)
    return {identity for identity, _ in found}


def test_a_share_is_drawn_and_every_version_draws_the_same(asked: Assistant) -> None:
    first = drawn(asked, sampleRate=0.3)
    assert 70 < len(first) < 170  # five standard deviations of 400 draws, and more
    assert drawn(asked, sampleRate=0.3, version=2) == first
    assert first < drawn(asked, sampleRate=0.6)
    other = drawn(asked, sampleRate=0.3, key="other")
    assert 0 < len(other & first) < len(first)


def test_none_and_all(asked: Assistant) -> None:
    assert (len(drawn(asked, sampleRate=0)), len(drawn(asked, sampleRate=1))) == (0, N)


def test_a_filter_lets_some_pass(asked: Assistant) -> None:
    weather = drawn(asked, filter=["intent:is:weather"])
    assert len(weather) == N / 4
    assert drawn(asked, filter=["intent:is:weather"], sampleRate=0.5) == weather & drawn(asked, sampleRate=0.5)
    assert drawn(asked, filter=["intent:is:weather", "device:is:tablet"]) == set()


def test_looks_are_bounded_by_insertion(asked: Assistant) -> None:
    project = asked.application.project(asked.name)
    sampling = Sampling(asked.here.engine, project)
    ((at,),) = asked.here.engine.query(
        "SELECT max(toUnixTimestamp64Milli(inserted_at)) FROM events WHERE project = {project:UInt32} "
        "AND event = 'voice_exchange'",
        {"project": project.id},
    )
    last = EVER + timedelta(milliseconds=at)
    assert sampling.inserted(evaluator(), last, LATE) == []
    assert len(sampling.inserted(evaluator(), last - timedelta(milliseconds=1), last)) == N
    assert sampling.bounded(EVER, LATE) == LATE
