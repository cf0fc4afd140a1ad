"""Judges are never asked faster than is set, and no slower than that takes."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallymark.packs.voice.pace import Pace


@dataclass
class Hands:
    """A clock that a test moves, in seconds."""

    at: float = 1_000.0

    def __call__(self) -> float:
        return self.at


Made = list[tuple[float, float]]


def paced(requests: int, tokens: int, steps: list[tuple[float, int]]) -> Made:
    """When calls were made, and the tokens of each, by one that waits as it is told; each step comes so much later."""
    clock, made = Hands(), Made()
    pace = Pace(requests, tokens, clock)
    for later, took in steps:
        clock.at += later
        while (seconds := pace.wait()) > 0:
            assert seconds <= 60.0 + 1e-6
            clock.at += seconds
        pace.start().tokens = took
        made.append((clock.at, took))
    return made


STEPS = st.lists(
    st.tuples(st.sampled_from((0.0, 0.0, 0.25, 1.0, 17.0, 59.999, 61.0)), st.integers(0, 500)), max_size=40
)


@given(st.integers(1, 5), STEPS)
def test_no_minute_has_more_calls(requests: int, steps: list[tuple[float, int]]) -> None:
    made = paced(requests, 0, steps)
    for place, (at, _) in enumerate(made):
        assert sum(at <= other < at + 60 for other, _ in made[place:]) <= requests


@given(st.integers(1, 1_000), STEPS)
def test_no_minute_has_many_more_tokens(tokens: int, steps: list[tuple[float, int]]) -> None:
    """A call that is larger than those before it is known to be so afterwards: one may be too much."""
    made = paced(0, tokens, steps)
    for place, (at, _) in enumerate(made):
        within = [took for other, took in made[place:] if at <= other < at + 60]
        assert sum(within[:-1]) <= tokens or len([took for took in within if took]) == 1


@pytest.mark.parametrize("took", [100, 250, 1_000, 5_000])
def test_calls_of_one_size_fill_a_minute_and_no_more(took: int) -> None:
    made = paced(0, 1_000, [(0.0, took)] * 12)
    first = made[0][0]
    fits = max(1, 1_000 // took)
    assert [at - first for at, _ in made] == [pytest.approx(60.0 * (n // fits)) for n in range(12)]


def test_calls_that_are_not_over_count_as_usual_ones() -> None:
    clock = Hands()
    pace = Pace(0, 1_000, clock)
    pace.start().tokens = 400
    pace.start()
    assert pace.wait() == 60.0
    clock.at += 59.0
    assert pace.wait() == pytest.approx(1.0)


def test_without_limits_nobody_waits() -> None:
    assert len({at for at, _ in paced(0, 0, [(0.0, 10**6)] * 1_000)}) == 1
