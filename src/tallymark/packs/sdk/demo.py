"""Counters of apps that never were: seeded, with apps that join, grow and leave, and a bad day.

A dozen apps use a wallet SDK on three networks. They send what they counted some times a day, each with its own
size and share of failures; two join late, one leaves, and on one day the registry is down and connections fail.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from random import Random
from typing import Final

from tallymark.ingest.decode import WireEvent
from tallymark.packs.sdk import names
from tallymark.packs.sdk.wire import Counters, Payload

#: The project that the counters are for, as `POST /v1/projects` takes it.
PROJECT: Final[Mapping[str, object]] = {"name": "demo-sdk", "packs": ["sdk"], "retention": "400d"}

_PAYLOADS = 4  # of an app, a network and a day
_GROWTH = 1.004  # a day
_WEEKEND = 0.7
_BAD_DAY = 17  # days before the last
_ERRORS = ("USER_REJECTED", "WALLET_NOT_INSTALLED", "TIMEOUT", "TRANSPORT_ERROR")
_VERSIONS = ((60, "0.2.4"), (25, "0.3.0"), (0, "0.3.1"))  # from so many days before the last on


@dataclass(frozen=True)
class _App:
    """An app: connections of a usual day by network, the share that succeeds, the days that it is there.

    `since` and `until` count days before the last one.
    """

    name: str
    connections: Mapping[str, float]
    succeeds: float
    since: int = 10_000
    until: int = -1

    @property
    def hash(self) -> str:
        return sha256(self.name.encode()).hexdigest()


_APPS: Final[Sequence[_App]] = (
    _App("swap", {"mainnet": 240, "devnet": 12}, 0.95),
    _App("lend", {"mainnet": 130}, 0.93),
    _App("vault", {"mainnet": 90, "testnet": 8}, 0.97),
    _App("names", {"mainnet": 70}, 0.9),
    _App("bridge", {"mainnet": 55, "testnet": 30}, 0.88),
    _App("market", {"mainnet": 45}, 0.94),
    _App("payroll", {"mainnet": 20, "devnet": 4}, 0.98),
    _App("game", {"testnet": 60, "devnet": 20}, 0.85, since=41),
    _App("ticket", {"mainnet": 34}, 0.92, since=20),
    _App("pilot", {"devnet": 15}, 0.8, until=35),
    _App("explorer", {"mainnet": 28, "testnet": 9, "devnet": 3}, 0.96),
    _App("console", {"devnet": 25, "testnet": 14}, 0.91),
)


def days(last: date, length: int = 90, seed: int = 4) -> Iterator[tuple[date, list[WireEvent]]]:
    """Each day up to `last` with its events in order of time; days are UTC's. Same arguments, same events."""
    for age in reversed(range(length)):
        day = last - timedelta(days=age)
        draw = Random(f"{seed} {day}")
        sent = [counters for app in _APPS if app.until < age <= app.since for counters in _of(app, day, age, draw)]
        sent.sort(key=lambda counters: counters.payload.timestamp)
        yield day, [event for counters in sent for event in counters.events().events]


def _of(app: _App, day: date, age: int, draw: Random) -> Iterator[Counters]:
    """What an app sends on a day."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1000
    pace = _GROWTH**-age * (_WEEKEND if day.weekday() > 4 else 1) / _PAYLOADS
    for network, usual in app.connections.items():
        for _ in range(_PAYLOADS):
            metrics = _counted(draw, usual * pace, app.succeeds * (0.4 if age == _BAD_DAY else 1))
            if metrics:
                at = midnight + draw.randrange(86_400_000)
                payload = Payload(
                    _version(age), network, at, metrics, app.hash, idempotency_key=f"{draw.getrandbits(64):x}"
                )
                yield Counters(payload, tuple(metrics))


def _counted(draw: Random, connections: float, succeeds: float) -> dict[str, float]:
    """What was counted since the payload before: how often something happened, without what never did."""
    attempts = _about(draw, connections)
    success = sum(draw.random() < succeeds for _ in range(attempts))
    restores = _about(draw, connections * 1.6)
    fetched = _about(draw, connections * 0.2)
    metrics = {
        names.CONNECT_ATTEMPTS: attempts,
        names.CONNECT_SUCCESS: success,
        names.SESSIONS_CREATED: success,
        names.RESTORE_ATTEMPTS: restores,
        names.SESSIONS_RESTORED: sum(draw.random() < 0.5 + succeeds / 2 for _ in range(restores)),
        names.REGISTRY_FETCH: fetched,
        names.REGISTRY_CACHE_HIT: _about(draw, connections * 1.4),
    }
    for _ in range(attempts - success):
        name = names.ERROR_PREFIX + draw.choices(_ERRORS, (6, 2, 2, 1))[0]
        metrics[name] = metrics.get(name, 0) + 1
    return {name: n for name, n in metrics.items() if n}


def _about(draw: Random, mean: float) -> int:
    """A whole number about a mean."""
    return max(0, round(draw.gauss(mean, mean**0.5)))


def _version(age: int) -> str:
    return next((version for since, version in reversed(_VERSIONS) if age <= since), _VERSIONS[0][1])
