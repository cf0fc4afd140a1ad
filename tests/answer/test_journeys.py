"""Journeys agree with an oracle in plain Python."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime
from random import Random
from typing import Any

import pytest

from tallymark.answer.behaviour.journeys import JourneyAnswer, answer_journeys
from tallymark.answer.run import Answerer
from tallymark.spec.behaviour import JourneyQuery, Node
from tallymark.spec.condition import Op
from tallymark.spec.query import Clause, Filter
from tallymark.spec.window import Window
from tests import behaviour_oracle as oracle
from tests.behaviour_oracle import Act
from tests.conftest import World, Worlds

DAY = date(2026, 3, 3)
START = int(datetime(2026, 3, 3, tzinfo=UTC).timestamp()) * 1000
NOW = datetime(2026, 3, 20, tzinfo=UTC)
WINDOW = Window(DAY, DAY)

NAMES = ("page_view", "page_view", "click", "it's", "engagement", "web_vitals", "request", "purchase")
GAPS = (1, 1_000, 60_000, oracle.SILENCE_MS, oracle.SILENCE_MS + 1)


def wanderers(seed: int) -> list[Act]:
    """Actors with some visits each; nobody does two things in the same millisecond."""
    random, acts = Random(seed), []
    for number in range(30):
        at, session = START + random.randrange(60_000), random.choice(("", "", "s"))
        for _ in range(random.randrange(1, 14)):
            event, path = random.choice(NAMES), random.choice(("/", "/a", "/b'c"))
            country, bot = random.choice(("DE", "US")), number % 10 == 9
            acts.append(Act(f"u{number % 20}-{session}", event, at, country, path, bot, session))
            at += random.choice(GAPS) + number
    return acts


@pytest.fixture(scope="module")
def here(world: Worlds) -> tuple[World, list[Act]]:
    made, acts = world(), wanderers(7)
    assert made.send([act.wire(i) for i, act in enumerate(acts)], NOW) == []
    return made, acts


def ask(world: World, query: JourneyQuery) -> JourneyAnswer:
    return answer_journeys(Answerer(world.engine, world.catalog, world.workers), query, world.project)


def counted(rows: Sequence[tuple[Any, str]]) -> dict[Any, tuple[int, int]]:
    """Actors and sessions of what is told of each session's actor."""
    sessions = Counter(what for what, _ in rows)
    return {what: (len({actor for other, actor in rows if other == what}), n) for what, n in sessions.items()}


@pytest.mark.parametrize("country", [None, "DE"])
@pytest.mark.parametrize("node", Node)
@pytest.mark.parametrize(
    ("start", "end"),
    [
        (None, None),
        ("page_view", None),
        ("it's", None),
        (None, "purchase"),
        ("/b'c", None),
        (None, "/a"),
        ("none", None),
    ],
)
def test_they_agree_with_the_oracle(
    here: tuple[World, list[Act]], node: Node, start: str | None, end: str | None, country: str | None
) -> None:
    world, acts = here
    filter = Filter(((Clause("country", Op.IS, (country,)),),)) if country else Filter()
    for depth in (2, 4):
        visits = [visit for visit in oracle.sessions(acts) if country in (None, visit[0].country)]
        ways = [(way, v[0].actor) for v in visits if (way := oracle.way(v, str(node), start, end, depth))]
        answer = ask(world, JourneyQuery(WINDOW, node, start, end, depth, filter, limit=200))
        assert {p.nodes: (p.counted.actors, p.counted.sessions) for p in answer.paths} == counted(ways)
        assert (answer.overall.actors, answer.overall.sessions) == (len({actor for _, actor in ways}), len(ways))
        steps = [
            ((i - len(way) if end else i, way[i - 1], way[i]), actor) for way, actor in ways for i in range(1, len(way))
        ]
        edges = {(e.position, e.source, e.target): (e.counted.actors, e.counted.sessions) for e in answer.edges}
        assert edges == counted(steps)


def test_the_most_taken_come_first_and_others_are_left_out(here: tuple[World, list[Act]]) -> None:
    world, _ = here
    every = ask(world, JourneyQuery(WINDOW, limit=200))
    few = ask(world, JourneyQuery(WINDOW, limit=3))
    assert few.paths == every.paths[:3]
    assert few.overall == every.overall
    sizes = [path.counted.actors for path in every.paths]
    assert sizes == sorted(sizes, reverse=True)
    assert len(every.paths) > 3


def test_nobody_there(world: Worlds) -> None:
    answer = ask(world(), JourneyQuery(WINDOW))
    assert (answer.paths, answer.edges, answer.overall.sessions) == ((), (), 0)
