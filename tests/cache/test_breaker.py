"""What fails is left alone, then tried by one, and asked by all once it answers."""

from itertools import pairwise

from structlog.testing import capture_logs

from tallymark.cache.breaker import Breaker
from tests.cache.test_memory import Clock


def test_an_outage_from_its_beginning_to_its_end() -> None:
    clock = Clock()
    breaker = Breaker("there", clock)
    with capture_logs() as logged:
        for _ in range(2):
            breaker.failed("TimeoutError")
        assert breaker.may_ask()
        breaker.failed("ConnectionError")
        assert [breaker.may_ask() for _ in range(3)] == [False] * 3
        clock.now = 1.1
        assert [breaker.may_ask() for _ in range(3)] == [True, False, False]
        breaker.failed("ConnectionError")
        clock.now = 3.0
        assert not breaker.may_ask()
        clock.now = 3.2
        assert breaker.may_ask()
        breaker.worked()
        assert [breaker.may_ask() for _ in range(3)] == [True] * 3
    assert [(line["event"], line["cache"]) for line in logged] == [("cache_away", "there"), ("cache_back", "there")]
    assert breaker.errors == 4


def test_failures_that_don_t_follow_each_other_open_nothing() -> None:
    breaker = Breaker("there", Clock())
    for _ in range(10):
        breaker.failed("TimeoutError")
        breaker.worked()
    assert breaker.may_ask()


def test_it_rests_longer_up_to_a_bound() -> None:
    clock = Clock()
    breaker = Breaker("there", clock)
    tried = []
    for second in range(0, 400):
        clock.now = second / 4
        if breaker.may_ask():
            breaker.failed("ConnectionError")
            tried.append(clock.now)
    rests = [later - earlier for earlier, later in pairwise(tried[2:])]
    assert rests[:5] == [1, 2, 4, 8, 8]
    assert set(rests[3:]) == {8}
