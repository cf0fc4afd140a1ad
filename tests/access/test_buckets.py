"""How often something may be done: a minute's worth at once, then steadily; the same in a process and in a Valkey."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallymark.access.buckets import Buckets, Limit, Taken
from tallymark.access.limiter import Limiter
from tallymark.access.shared_buckets import SharedBuckets
from tallymark.cache.opening import open_cache
from tallymark.cache.remote import Remote
from tests.valkey import Running, running

FIVE = Limit("five", 5)


@dataclass
class Clock:
    now: float = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def test_a_minute_s_worth_at_once_then_steadily() -> None:
    clock = Clock()
    buckets = Buckets(clock=clock)
    assert [buckets.take(FIVE, b"a").left for _ in range(5)] == [4, 3, 2, 1, 0]
    refused = buckets.take(FIVE, b"a")
    assert (refused.allowed, refused.left, round(refused.wait, 3), round(refused.refill, 3)) == (False, 0, 12, 60)
    assert buckets.take(FIVE, b"b").allowed
    clock.now += 12
    assert [buckets.take(FIVE, b"a").allowed for _ in range(2)] == [True, False]
    clock.now += 61
    assert buckets.look(FIVE, b"a") == Taken(True, 5, 0.0, 0.0)


@settings(max_examples=50)
@given(st.integers(1, 400), st.lists(st.integers(0, 30_000), max_size=60))
def test_it_is_a_bucket_that_fills_steadily(a_minute: int, waits: list[int]) -> None:
    clock, limit = Clock(0.0), Limit("any", a_minute)
    buckets = Buckets(clock=clock)
    milliseconds, holds, looked = 0, Fraction(a_minute), 0
    for wait in waits:
        milliseconds += wait
        clock.now = milliseconds / 1000
        holds = min(Fraction(a_minute), holds + Fraction((milliseconds - looked) * a_minute, 60_000))
        looked = milliseconds
        allowed = holds >= 1
        holds -= allowed
        found = buckets.take(limit, b"one")
        assert (found.allowed, found.left) == (allowed, int(holds))
        assert found.refill == pytest.approx(float((a_minute - holds) * 60 / a_minute), abs=1e-5)
        assert found.wait == pytest.approx(0 if allowed else float((1 - holds) * 60 / a_minute), abs=1e-5)


def test_a_million_of_them_are_bounded() -> None:
    clock = Clock()
    buckets = Buckets(most=1_000, clock=clock)
    for n in range(10_000):
        buckets.take(FIVE, n.to_bytes(12, "big"))
    assert len(buckets) == 1_000
    assert buckets.look(FIVE, (9_999).to_bytes(12, "big")).left == 4


@pytest.fixture(scope="module")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("valkey")) as server:
        yield server


def connected(url: str) -> Remote:
    remote = open_cache(url, b"secret").remote
    assert remote is not None
    return remote


def takes(remote: Remote, limit: Limit, name: bytes, processes: int, each: int) -> list[bool]:
    """What so many processes are told that take so many in turn."""

    async def whole() -> list[bool]:
        clock = Clock()  # stands still: what a process took is good for all of it
        limiters = [Limiter(Buckets(), SharedBuckets(remote, clock)) for _ in range(processes)]
        told = [(await limiter.take(limit, name)).allowed for _ in range(each) for limiter in limiters]
        await remote.close()
        return told

    return asyncio.run(whole())


def test_processes_share_what_there_is(valkey: Running) -> None:
    slow = Limit("slow", 6)  # one comes back every ten seconds
    told = takes(connected(valkey.url), slow, b"shared", processes=3, each=20)
    assert told[:6] == [True] * 6
    assert sum(told) < 20  # the machine is slow, but not for minutes


def test_processes_take_several_at_once(valkey: Running) -> None:
    many = Limit("many", 6_000)
    before = valkey.count("evalsha")
    told = takes(connected(valkey.url), many, b"at once", processes=2, each=200)
    assert all(told)
    assert valkey.count("evalsha") - before <= 42


def test_one_that_is_away_is_counted_without() -> None:
    told = takes(connected("valkey://127.0.0.1:1/0"), FIVE, b"alone", processes=2, each=10)
    assert sum(told) == 10
    assert told[:10] == [True] * 10


def test_who_was_refused_is_counted() -> None:
    limiter = Limiter(Buckets(clock=Clock()))

    async def whole() -> list[bool]:
        return [(await limiter.take(FIVE, b"a")).allowed for _ in range(8)]

    assert asyncio.run(whole()).count(False) == limiter.refused["five"] == 3
    assert limiter.exhausted(FIVE, b"b") is None
    found = limiter.exhausted(FIVE, b"a")
    assert found is not None
    assert round(found.wait) == 12
