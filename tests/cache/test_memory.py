"""What stays in memory: what was used last, within its bounds and its time."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from tallymark.cache.memory import Memory
from tallymark.cache.store import LARGEST


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


def get(memory: Memory, key: str, renew_for: int | None = None) -> bytes | None:
    return asyncio.run(memory.get(key, renew_for))


def put(memory: Memory, key: str, value: bytes, expires_in: int | timedelta | None = None) -> None:
    asyncio.run(memory.set(key, value, expires_in))


def test_a_value_stays_for_its_time_and_longer_where_it_is_used() -> None:
    clock = Clock()
    memory = Memory(clock=clock)
    put(memory, "a", b"1", 60)
    put(memory, "b", b"2", timedelta(seconds=60))
    clock.now = 59
    assert (get(memory, "a", 60), get(memory, "b")) == (b"1", b"2")
    clock.now = 61
    assert (get(memory, "a"), get(memory, "b")) == (b"1", None)


def test_what_expired_makes_room() -> None:
    clock = Clock()
    memory = Memory(clock=clock)
    put(memory, "a", b"1", 60)
    clock.now = 61
    put(memory, "b", b"2")
    assert (len(memory), memory.size) == (1, 1)


def test_a_value_that_is_too_large_is_not_kept_nor_the_one_before() -> None:
    memory = Memory()
    put(memory, "a", b"1")
    put(memory, "a", b"x" * (LARGEST + 1))
    assert (get(memory, "a"), memory.size) == (None, 0)


@settings(max_examples=40)
@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 12)), max_size=40))
def test_it_holds_the_last_ones_within_its_bounds(puts: list[tuple[str, int]]) -> None:
    memory = Memory(most_bytes=20, most_values=3)
    last: dict[str, int] = {}
    for key, size in puts:
        put(memory, key, b"x" * size)
        last.pop(key, None)
        last[key] = size
    kept: dict[str, int] = {}
    for key, size in reversed(last.items()):
        if len(kept) == 3 or sum(kept.values()) + size > 20:
            break
        kept[key] = size
    found = {key: get(memory, key) for key in "abcdef"}
    # One that made room by its size and shrank since leaves less behind than would fit now.
    assert {key for key, value in found.items() if value is not None} <= kept.keys()
    assert memory.size == sum(len(value) for value in found.values() if value is not None) <= 20
    assert len(memory) <= 3
    assert not puts or get(memory, puts[-1][0]) is not None
