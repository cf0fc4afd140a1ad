"""When a judge is asked again: never too early, never too late, and not for ever."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallymark.spec.backoff import LONGEST, LONGEST_ASKED, MOST_ATTEMPTS, next_attempt

failed = st.integers(1, MOST_ATTEMPTS - 1)
chances = st.floats(0, 1)


def test_the_bound_doubles_up_to_an_hour() -> None:
    bounds = [next_attempt(attempts, 1.0) for attempts in range(1, MOST_ATTEMPTS)]
    assert bounds == [30, 60, 120, 240, 480, 960, 1920]
    assert next_attempt(1, 0.5) == 15


@pytest.mark.parametrize("attempts", [MOST_ATTEMPTS, MOST_ATTEMPTS + 1, 10_000])
def test_it_ends(attempts: int) -> None:
    assert next_attempt(attempts, 0.5, 10) is None


@given(failed, chances, st.none() | st.floats(0, 1e300))
def test_no_wait_is_out_of_bounds(attempts: int, chance: float, asked: float | None) -> None:
    seconds = next_attempt(attempts, chance, asked)
    assert seconds is not None
    assert min(asked or 0, LONGEST_ASKED) <= seconds <= max(LONGEST, LONGEST_ASKED)


@given(failed, chances, chances)
def test_a_higher_chance_waits_no_shorter(attempts: int, one: float, other: float) -> None:
    low, high = (next_attempt(attempts, chance) for chance in sorted((one, other)))
    assert low is not None
    assert high is not None
    assert low <= high
