"""Leases: one holder at a time, whatever happens at once."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from tallymark.control.database import Database
from tallymark.control.leases import Leases


@dataclass
class Clock:
    """A clock that goes when it is told."""

    now: float = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


def test_one_holder_at_a_time(database: Database) -> None:
    leases = Leases(database)
    assert leases.acquire("refresh:1", "a", 60)
    assert not leases.acquire("refresh:1", "b", 60)
    assert leases.acquire("refresh:1", "a", 60)
    assert leases.acquire("refresh:2", "b", 60)


def test_an_expired_lease_is_free(database: Database) -> None:
    clock = Clock()
    leases = Leases(database, clock)
    leases.acquire("refresh", "a", 10)
    clock.now += 9.9
    assert not leases.acquire("refresh", "b", 10)
    clock.now += 0.1
    assert leases.acquire("refresh", "b", 10)
    assert not leases.renew("refresh", "a", 10)
    assert not leases.acquire("refresh", "a", 10)


def test_a_renewed_lease_lasts_longer(database: Database) -> None:
    clock = Clock()
    leases = Leases(database, clock)
    leases.acquire("refresh", "a", 10)
    clock.now += 9
    assert leases.renew("refresh", "a", 10)
    clock.now += 9
    assert not leases.acquire("refresh", "b", 10)
    assert not leases.renew("other", "a", 10)


def test_a_released_lease_is_free_and_only_its_holder_can_release_it(database: Database) -> None:
    leases = Leases(database)
    leases.acquire("refresh", "a", 60)
    leases.release("refresh", "b")
    assert not leases.acquire("refresh", "b", 60)
    leases.release("refresh", "a")
    assert leases.acquire("refresh", "b", 60)


def test_expired_leases_are_counted_and_forgotten(database: Database) -> None:
    clock = Clock()
    leases = Leases(database, clock)
    leases.acquire("refresh:1", "a", 10)
    leases.acquire("refresh:2", "a", 11)
    assert leases.expired() == 0
    clock.now += 10
    assert leases.expired() == 1
    leases.prune()
    assert leases.expired() == 0
    assert not leases.renew("refresh:1", "a", 10)
    assert not leases.acquire("refresh:2", "b", 10)


def test_of_many_at_once_one_gets_it(database: Database) -> None:
    leases = Leases(database)
    with ThreadPoolExecutor(8) as pool:
        got = list(pool.map(lambda i: leases.acquire("refresh", f"holder {i}", 60), range(16)))
    assert sum(got) == 1
