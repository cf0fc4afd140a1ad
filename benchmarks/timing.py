"""How long things take: on the clock, and of this thread's processor."""

import time
from collections.abc import Callable

from benchmarks.figures import median


def milliseconds(rounds: int, ask: Callable[[int], object], warm_up: int = 0) -> list[float]:
    """Milliseconds on the clock of each round, after some to warm up."""
    took = []
    for turn in range(rounds + warm_up):
        started = time.perf_counter()
        ask(turn)
        took.append((time.perf_counter() - started) * 1_000)
    return took[warm_up:]


def processor_cost(work: Callable[[], object], count: int, rounds: int) -> float:
    """Microseconds of this thread's processor time for each of `count`: the median, after a round to warm up."""
    work()
    return median([_once(work) for _ in range(rounds)]) / count


def _once(work: Callable[[], object]) -> float:
    started = time.thread_time_ns()
    work()
    return (time.thread_time_ns() - started) / 1_000
