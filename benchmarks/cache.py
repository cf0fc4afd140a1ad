"""Hot questions over HTTP: from memory, with a Valkey, with one that answers nobody, with and without rate limits.

Each case has a server of its own, one after the other in every round; ratios are of the same round, and the median of
all rounds. The servers' own counters say whether answers came from where a case says that they do.
"""

import random
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Final

from benchmarks import history, limits
from benchmarks.figures import Bench, BenchmarkError, Figure, median, percentile
from benchmarks.load import Outcome, Plan, drive
from benchmarks.server import Server, serving
from benchmarks.timing import milliseconds
from tests.valkey import Running, running

PAST: Final = history.Past(date(2026, 1, 1), 40, 2_000, 800, 10_000)
_QUICK_PAST: Final = history.Past(date(2026, 1, 1), 16, 50, 20, 50)

_OK: Final = 200
_PATH: Final = "/web/v1/metrics/summary"

#: Days before the past that windows may begin on, so that a fast server does not come to their end.
_EARLIER: Final = 60

#: A limit that requests are counted by and that none of them meets.
_A_MINUTE: Final = 120_000

#: Of the answers of a case, so many have to come from where it says.
_NEARLY_ALL: Final = 0.95

#: The target: with a Valkey that answers nobody, the p95 is at most so many times that of memory.
_AWAY: Final = 1.2

_MEMORY: Final = "hot, in memory"
_VALKEY: Final = "hot, with a Valkey"
_STOPPED: Final = "hot, with a stopped Valkey"
_NEW: Final = "new, in memory"
_NEW_STOPPED: Final = "new, with a stopped Valkey"
_UNLIMITED: Final = "hot, in memory, no limits"
_VALKEY_UNLIMITED: Final = "hot, with a Valkey, no limits"
_CASES: Final = (_MEMORY, _UNLIMITED, _VALKEY, _VALKEY_UNLIMITED, _STOPPED, _NEW, _NEW_STOPPED)

#: What is compared with what, by their p95.
_RATIOS: Final = (
    (_VALKEY, _MEMORY, None), (_STOPPED, _MEMORY, _AWAY), (_NEW, _MEMORY, None), (_NEW_STOPPED, _NEW, _AWAY),
    (_MEMORY, _UNLIMITED, None), (_VALKEY, _VALKEY_UNLIMITED, None),
)  # fmt: skip


@dataclass(frozen=True)
class _Size:
    """How long and how often every case is asked, over how many connections; `once`: questions asked once each."""

    rounds: int
    seconds: float
    warmup: float
    connections: int
    once: int


_FULL: Final = _Size(rounds=3, seconds=5, warmup=2, connections=8, once=50)
_QUICK: Final = _Size(rounds=1, seconds=0.5, warmup=0.2, connections=2, once=5)

Window = tuple[date, date]


@dataclass(frozen=True)
class _Counts:
    """Where a server's answers came from."""

    memory: float
    shared: float
    computed: float

    @classmethod
    def of(cls, server: Server) -> "_Counts":
        """Those so far."""
        lines = server.client.get("/metrics").text.splitlines()
        told = dict(line.rsplit(" ", 1) for line in lines if line.startswith("tallymark_cache_"))
        hits = "tallymark_cache_hits_total"
        names = (f'{hits}{{cache="memory"}}', f'{hits}{{cache="shared"}}', "tallymark_cache_misses_total")
        return cls(*(float(told[name]) for name in names))


@contextmanager
def _answered_from(server: Server, source: str) -> Iterator[None]:
    """Sees to it that answers come from there meanwhile. Errors: `BenchmarkError`."""
    before = _Counts.of(server)
    yield
    after = _Counts.of(server)
    came = {name: getattr(after, name) - getattr(before, name) for name in ("memory", "shared", "computed")}
    if came[source] < _NEARLY_ALL * sum(came.values()) or not came[source]:
        raise BenchmarkError(f"Answers should be of kind {source!r}, and were: {came}.")


@dataclass
class _Cases:
    """Asks every case, and keeps what was measured, a value for each round."""

    size: _Size
    past: history.Past
    folder: Path
    windows: Sequence[Window]
    measured: dict[str, list[Outcome]] = field(default_factory=lambda: defaultdict(list))
    computed: list[float] = field(default_factory=list)
    shared: list[float] = field(default_factory=list)

    def ask_all(self, number: int, valkey: Running, stopped: Running) -> None:
        """One round. A server is asked what it shares, and one that begins after it finds that."""
        once = self.windows[number * self.size.once :][: self.size.once]
        with self._serving("memory://", _A_MINUTE) as server:
            self._hot(server, _MEMORY)
            self._new(server, _NEW)
        with self._serving("memory://", 0) as server:
            self._hot(server, _UNLIMITED)
        with self._serving(valkey.url, _A_MINUTE) as server:
            self._hot(server, _VALKEY)
            self.computed += self._once(server, once, "computed")
        with self._serving(valkey.url, 0) as server:
            self.shared += self._once(server, once, "shared")
            self._hot(server, _VALKEY_UNLIMITED)
        with self._serving(stopped.hasty_url, _A_MINUTE) as server:
            self._hot(server, _STOPPED)
            self._new(server, _NEW_STOPPED)

    @contextmanager
    def _serving(self, cache: str, a_minute: int) -> Iterator[Server]:
        limit = str(a_minute)
        with serving(self.folder, cache=cache, rate_limit=limit, rate_limit_address=limit) as server:
            time.sleep(1)
            _ask(server, (self.past.first, self.past.last))
            counted = "ratelimit" in server.client.get("/v1/metrics").headers
            if counted is not bool(a_minute):
                raise BenchmarkError(f"With a limit of {a_minute}, requests are counted: {counted}.")
            yield server

    def _hot(self, server: Server, case: str) -> None:
        """The same question, again and again."""
        with _answered_from(server, "memory"):
            self._drive(server, case, [(self.past.first, self.past.last)])

    def _new(self, server: Server, case: str) -> None:
        """A window at a time that nobody asked for before."""
        with _answered_from(server, "computed"):
            self._drive(server, case, self.windows)

    def _drive(self, server: Server, case: str, windows: Sequence[Window]) -> None:
        requests = [[_request(server, window)] for window in windows]
        size = self.size
        plan = Plan(case, server.port, requests, 1, size.connections, size.seconds, size.warmup, taken=_OK)
        outcome = drive(plan)
        if outcome.refused:
            raise BenchmarkError(f"{case}: requests were refused, by status: {outcome.refused}.")
        self.measured[case].append(outcome)

    def _once(self, server: Server, windows: Sequence[Window], source: str) -> list[float]:
        """Milliseconds of questions one after the other, each of another window."""
        with _answered_from(server, source):
            return milliseconds(len(windows), lambda turn: _ask(server, windows[turn]))


def run(bench: Bench) -> list[Figure]:
    """The figures of the cache and of rate limits."""
    size, past = (_QUICK, _QUICK_PAST) if bench.quick else (_FULL, PAST)
    with history.opened(bench, past):
        pass
    cases = _Cases(size, past, past.folder(bench), _windows(past))
    with _valkey() as valkey, _valkey() as stopped:
        with stopped.stopped():
            for number in range(size.rounds):
                bench.say(f"asking servers with each cache, round {number + 1} of {size.rounds}")
                cases.ask_all(number, valkey, stopped)
        bench.say("counting requests in this process")
        counting = limits.figures(bench, valkey)
    return [*_case_figures(cases), *_once_figures(cases), *_ratio_figures(cases), *counting]


@contextmanager
def _valkey() -> Iterator[Running]:
    with tempfile.TemporaryDirectory(prefix="tallymark-bench-") as folder, running(Path(folder)) as valkey:
        yield valkey


def _windows(past: history.Past) -> list[Window]:
    """Windows that end in the past, some of them beginning before it; in an order that is the same each time."""
    begins = [past.first + timedelta(days=number) for number in range(-_EARLIER, past.days)]
    windows = [(first, last) for first in begins for last in begins[_EARLIER:] if first <= last]
    windows.remove((past.first, past.last))
    random.Random(1).shuffle(windows)
    return windows


def _ask(server: Server, window: Window) -> None:
    first, last = window
    summary = server.get(_PATH, propertyId=history.PROJECT, **{"from": str(first), "to": str(last)})
    if not summary["metrics"]["totalPageViews"]["value"]:
        raise BenchmarkError(f"There is nothing in the summary: {summary}")


def _request(server: Server, window: Window) -> bytes:
    first, last = window
    return (
        f"GET {_PATH}?propertyId={history.PROJECT}&from={first}&to={last} HTTP/1.1\r\n"
        f"Host: 127.0.0.1:{server.port}\r\nAuthorization: Bearer {server.admin_key}\r\n\r\n"
    ).encode()


def _case_figures(cases: _Cases) -> Iterator[Figure]:
    note = f"{cases.size.connections} connections, each round {cases.size.seconds:g} s of {cases.size.rounds}"
    for case in _CASES:
        outcomes = cases.measured[case]
        yield Figure(f"{case} p50", median([one.p50_ms for one in outcomes]), "ms", note=note)
        yield Figure(f"{case} p95", median([one.p95_ms for one in outcomes]), "ms")
        yield Figure(f"{case} p99", median([one.p99_ms for one in outcomes]), "ms")
        yield Figure(f"{case}, answers", median([one.requests / one.seconds for one in outcomes]), "requests/s")


def _once_figures(cases: _Cases) -> Iterator[Figure]:
    note = "one question after the other"
    for name, took in (("computed, then shared", cases.computed), ("found in the Valkey", cases.shared)):
        yield Figure(f"{name} p50", percentile(took, 0.5), "ms", note=note)
        yield Figure(f"{name} p95", percentile(took, 0.95), "ms")
        yield Figure(f"{name} p99", percentile(took, 0.99), "ms")
        yield Figure(f"{name}, answers", 1_000 * len(took) / sum(took), "requests/s")


def _ratio_figures(cases: _Cases) -> Iterator[Figure]:
    for case, base, target in _RATIOS:
        pairs = zip(cases.measured[case], cases.measured[base], strict=True)
        ratio = median([one.p95_ms / other.p95_ms for one, other in pairs])
        yield Figure(f"p95 of {case!r} / {base!r}", ratio, "ratio", target, note="of the same round")
