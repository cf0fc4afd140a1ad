"""A crowd whose days are known: actors who come, stay away and come back, in any time zone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from random import Random

from tallymark.answer.run import Answerer, Runs
from tallymark.spec.project import Project
from tallymark.spec.window import midnight
from tests.behaviour_oracle import Act
from tests.conftest import World

NAMES = ("page_view", "page_view", "click", "größe", "purchase", "engagement")
COUNTRIES = ("DE", "DE", "US", "JP", "")
PATHS = ("/", "/a", "/b'c")

#: A Monday, and the days after it on which anybody does anything: few, since each of them is computed.
FIRST = date(2026, 2, 23)
DAYS = (-3, 0, 1, 2, 6, 7, 9, 14, 21, 33, 34, 35, 42, 44)
NOW = datetime(2026, 4, 8, 12, tzinfo=UTC)

#: Milliseconds from a midnight, as likely as any hour of the day.
_EDGES = (-1, 0, 1)


@dataclass(frozen=True)
class Crowd:
    """A world that has had the events of a crowd, and has computed its days."""

    world: World
    answerer: Answerer
    acts: list[Act]

    @property
    def project(self) -> Project:
        return self.world.project

    @property
    def zone(self) -> str:
        return self.project.timezone

    @property
    def runs(self) -> Runs:
        return self.answerer.runs(self.project)


def crowd(seed: int, zone: str, actors: int = 40, days: Sequence[int] = DAYS) -> list[Act]:
    """Events of actors, some of them bots."""
    random, acts = Random(f"{seed} {zone}"), []
    for number in range(actors):
        bot, busy = random.random() < 0.15, random.choice((0.1, 0.3, 0.7))
        for day in days:
            if random.random() < busy:
                acts += [_act(random, f"u{number}", day, zone, bot) for _ in range(random.choice((1, 1, 2, 3)))]
    return acts


def _act(random: Random, actor: str, day: int, zone: str, bot: bool) -> Act:
    start = int(midnight(FIRST + timedelta(days=day), zone).timestamp()) * 1000
    moment = random.choice(_EDGES) if random.random() < 0.2 else random.randrange(82_800_000)
    at = min(start + moment, int(NOW.timestamp() * 1000) - 1)
    props = {"plan": random.choice(("gold", "free"))}
    return Act(actor, random.choice(NAMES), at, random.choice(COUNTRIES), random.choice(PATHS), bot, props=props)


def settled(world: World, acts: list[Act]) -> Crowd:
    """The crowd of the world, once it has had these events and computed its days."""
    assert world.send([act.wire(i) for i, act in enumerate(acts)], NOW) == []
    world.settle()
    return Crowd(world, Answerer(world.engine, world.catalog, world.workers), acts)
