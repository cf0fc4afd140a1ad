"""A mobile game that never was: seeded, with players who come, stay for a while and buy, and two experiments.

A shorter tutorial has been running for 40 days: it makes more players complete their levels, and some more buy. A
golden shop ran for 25 days before that and changed nothing. A player meets a variant when they open the app first after
its experiment began.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property, partial
from random import Random
from typing import Any, Final

from tallymark.api.services import Services
from tallymark.control.experiments import Doer
from tallymark.experiment.bucketing import bucket_ranges, choose, part_of
from tallymark.ingest.decode import WireEvent
from tallymark.packs.ab import names
from tallymark.spec.experiment import EXPERIMENT, EXPOSURE, VARIANT
from tallymark.spec.experiment_draft import ExperimentDraft, parse_draft
from tallymark.spec.project import Project

#: The project that the events are for, as `POST /v1/projects` takes it.
PROJECT: Final[Mapping[str, object]] = {"name": "demo-ab", "packs": ["ab"], "retention": "400d"}

_DOER = "demo"
_NEW_PLAYERS = 10  # a day, about
_LONGEST_STAY = 60  # days
_PRICES = (0.99, 0.99, 1.99, 4.99, 19.99)
_VERSIONS = ((200, "3.1.0"), (50, "3.2.0"), (12, "3.2.1"))  # from so many days before the last on
_PLATFORMS = ("ios", "android", "android")


@dataclass(frozen=True)
class Trial:
    """An experiment of the demo: from how many days before the last it ran, until when, and what it changes.

    `completes` and `buys` are added to the chances of players who have its second variant.
    """

    draft: ExperimentDraft
    since: int
    until: int | None = None
    completes: float = 0.0
    buys: float = 0.0

    def variant_of(self, player: "_Player") -> str:
        """The variant that a player gets."""
        weights = tuple(variant.weight for variant in self.draft.variants)
        place = choose(part_of(self.draft.seed, player.name), bucket_ranges(weights, self.draft.coverage))
        return self.draft.variants[place or 0].key

    def treats(self, player: "_Player") -> bool:
        """Whether a player gets another variant than control."""
        return self.variant_of(player) != self.draft.variants[0].key

    def runs(self, age: int) -> bool:
        """Whether it ran so many days before the last."""
        return age <= self.since and (self.until is None or age > self.until)


def _draft(key: str, name: str, hypothesis: str, variants: Sequence[str]) -> ExperimentDraft:
    said = {
        "key": key,
        "name": name,
        "hypothesis": hypothesis,
        "variants": [{"key": variant} for variant in variants],
        "metrics": [
            {"name": "buyers", "kind": "conversion", "event": names.PURCHASE},
            {"name": "levels_completed", "kind": "mean", "event": names.LEVEL_COMPLETE},
            {"name": "revenue", "kind": "mean", "event": names.PURCHASE, "of": "value"},
            {"name": "day_1", "kind": "retention", "day": 1, "guardrail": True},
        ],
    }
    return parse_draft(said)


TRIALS: Final[Sequence[Trial]] = (
    Trial(_draft("short-tutorial", "Short tutorial", "A shorter tutorial gets more players to a purchase.",
                 ("control", "short")), since=39, completes=0.05, buys=0.01),
    Trial(_draft("gold-shop", "Golden shop", "A golden shop sells more.", ("control", "gold")), since=79, until=54),
)  # fmt: skip


@dataclass(frozen=True)
class _Player:
    """Somebody who plays; `joined` is how many days before the last one."""

    name: str
    joined: int

    @cached_property
    def ages(self) -> frozenset[int]:
        """The days that they play on, as days before the last."""
        draw = Random(self.name)
        stays = range(1, _LONGEST_STAY + 1)
        return frozenset([self.joined, *(self.joined - day for day in stays if draw.random() < 0.62 * day**-0.45)])

    def meets(self, trial: Trial, age: int) -> bool:
        """Whether this day, on which they play, is the first one in a trial."""
        return trial.runs(age) and not any(trial.runs(before) for before in self.ages if before > age)


def seed_experiments(here: Services, project: Project, last: date) -> None:
    """Makes the demo's experiments, as if they had been started and stopped when that was due."""
    for trial in TRIALS:
        began = _midnight(last - timedelta(days=trial.since))
        here.experiments.create(project.id, trial.draft, Doer(_DOER, began))
        here.experiments.start(project.id, trial.draft.key, Doer(_DOER, began))
        if trial.until is not None:
            ended = _midnight(last - timedelta(days=trial.until))
            here.experiments.stop(project.id, trial.draft.key, Doer(_DOER, ended))
    here.experiment_book.forget()


def days(last: date, length: int = 90, seed: int = 5) -> Iterator[tuple[date, list[WireEvent]]]:
    """Each day up to `last` with its events in order of time; days are UTC's. Same arguments, same events."""
    joining = [list(_joining(last, joined, seed)) for joined in range(length + _LONGEST_STAY)]
    for age in reversed(range(length)):
        playing = [
            player for several in joining[age : age + _LONGEST_STAY + 1] for player in several if age in player.ages
        ]
        events = [event for player in playing for event in _played(player, last, age)]
        yield last - timedelta(days=age), sorted(events, key=_time)


def _joining(last: date, joined: int, seed: int) -> Iterator[_Player]:
    """Who begins to play so many days before the last."""
    day = last - timedelta(days=joined)
    for number in range(max(1, round(Random(f"{seed} {day}").gauss(_NEW_PLAYERS, 4)))):
        yield _Player(f"p{seed}-{day}-{number}", joined)


def _played(player: _Player, last: date, age: int) -> Iterator[WireEvent]:
    """What a player does on a day: up to two rounds, each of some levels."""
    day = last - timedelta(days=age)
    draw = Random(f"{player.name} {day}")
    completes, buys = _chances(player, age)
    at = _midnight(day).timestamp() * 1000 + draw.randrange(1, 16 * 3_600_000)
    tell = partial(_event, player, day, {names.PLATFORM: _platform(player), names.APP_VERSION: _version(age)})
    for trial in TRIALS:
        if player.meets(trial, age):
            yield tell(EXPOSURE, at - 1, {EXPERIMENT: trial.draft.key, VARIANT: trial.variant_of(player)})
    level = 1 + (player.joined - age) * 2
    for _ in range(draw.choice((1, 1, 2))):
        yield tell(names.APP_OPEN, at, {})
        for _ in range(draw.randrange(1, 4)):
            at += draw.randrange(20_000, 60_000)
            yield tell(names.LEVEL_START, at, {names.LEVEL: level})
            at += draw.randrange(60_000, 240_000)
            if draw.random() < completes:
                yield tell(names.LEVEL_COMPLETE, at, {names.LEVEL: level})
                level += 1
                if draw.random() < buys:
                    at += draw.randrange(5_000, 30_000)
                    yield tell(names.PURCHASE, at, {}, draw.choice(_PRICES))
        at += draw.randrange(3_600_000, 7_200_000)


def _chances(player: _Player, age: int) -> tuple[float, float]:
    """How likely a player completes a level, and buys afterwards."""
    treating = [trial for trial in TRIALS if trial.runs(age) and trial.treats(player)]
    return 0.7 + sum(trial.completes for trial in treating), 0.03 + sum(trial.buys for trial in treating)


def _event(
    player: _Player,
    day: date,
    app: Mapping[str, Any],
    name: str,
    at: float,
    said: Mapping[str, Any],
    value: float | None = None,
) -> WireEvent:
    return WireEvent(
        event=name, timestamp=at, event_id=f"{player.name} {day} {at:.1f} {name}", actor=player.name, value=value,
        properties={**app, **said},
    )  # fmt: skip


def _platform(player: _Player) -> str:
    return _PLATFORMS[sum(map(ord, player.name)) % len(_PLATFORMS)]


def _version(age: int) -> str:
    return next(version for since, version in reversed(_VERSIONS) if age <= since)


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _time(event: WireEvent) -> float:
    return float(event.timestamp) if isinstance(event.timestamp, int | float) else 0.0
