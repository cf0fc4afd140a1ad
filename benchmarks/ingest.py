"""Ingest end to end: a real server, durable acknowledgements, and proof that exactly the acknowledged events count."""

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks import traffic
from benchmarks.figures import Bench, BenchmarkError, Figure, median
from benchmarks.load import Outcome, Plan, drive
from benchmarks.server import Server, serving
from tallymark.ingest.decode import decode

PER_REQUEST = 50


@dataclass(frozen=True)
class _Size:
    """How much is sent."""

    events: int
    connections: int
    singles: int
    seconds: float
    warmup: float


_FULL = _Size(events=20_000, connections=256, singles=512, seconds=15, warmup=3)
_QUICK = _Size(events=1_000, connections=8, singles=16, seconds=0.5, warmup=0.2)

#: What the embedded engine may use by default, and an idle server.
_IDLE_MB = 500
_MOST_MB = 2_048 + _IDLE_MB


def run(bench: Bench) -> list[Figure]:
    """Ingest's figures."""
    size = _QUICK if bench.quick else _FULL
    with tempfile.TemporaryDirectory(prefix="tallymark-bench-") as folder, serving(Path(folder)) as server:
        time.sleep(1)
        idle = server.memory_mb()
        created = server.post("/v1/projects", {"name": "bench", "packs": ["web"]})
        key: str = created["keys"]["ingest"]
        many = traffic.bodies(traffic.events(size.events, seed=1), PER_REQUEST)
        single = traffic.bodies(traffic.events(size.events // 4, seed=2), 1)
        bench.say(f"{len(many[0])} bytes in {PER_REQUEST} events, {len(single[0])} in one")
        before = _decoding(many, size.seconds / 10)
        throughput = _throughput(bench, size, server, traffic.requests(many, server.port, key))
        singles = _singles(bench, size, server, traffic.requests(single, server.port, key))
        paced = _paced(bench, size, server, traffic.requests(many, server.port, key), throughput)
        bare = max(before, _decoding(many, size.seconds / 10))
        _check_exactly(server, [throughput, singles, paced])
        return [
            *_throughput_figures(throughput, bare),
            *_singles_figures(singles, size.singles),
            *_paced_figures(paced),
            Figure("memory of an idle server", idle, "MB", _IDLE_MB),
            Figure("peak memory under load", server.peak_mb, "MB", _MOST_MB, note="engine limit plus idle"),
        ]


def _throughput(bench: Bench, size: _Size, server: Server, requests: Sequence[traffic.Pieces]) -> Outcome:
    bench.say(f"sending {PER_REQUEST} events a request over {size.connections} connections")
    return drive(Plan("many", server.port, requests, PER_REQUEST, size.connections, size.seconds, size.warmup))


def _singles(bench: Bench, size: _Size, server: Server, requests: Sequence[traffic.Pieces]) -> Outcome:
    bench.say(f"sending one event a request over {size.singles} connections")
    return drive(Plan("one", server.port, requests, 1, size.singles, size.seconds, size.warmup))


def _paced(
    bench: Bench, size: _Size, server: Server, requests: Sequence[traffic.Pieces], throughput: Outcome
) -> Outcome:
    rate = throughput.events_per_second / PER_REQUEST / 2
    bench.say(f"sending {rate:.0f} requests a second, half of what was taken")
    return drive(Plan("half", server.port, requests, PER_REQUEST, size.connections, size.seconds, size.warmup, rate))


def _decoding(bodies: Sequence[bytes], seconds: float) -> float:
    """Events a second that are decoded and nothing else: the median of five goes."""
    return median([_decoded_in(bodies, seconds / 5) for _ in range(5)])


def _decoded_in(bodies: Sequence[bytes], seconds: float) -> float:
    decoded, started = 0, time.perf_counter()
    while (passed := time.perf_counter() - started) < seconds:
        for body in bodies:
            decoded += len(decode(body).events)
    return decoded / passed


def _check_exactly(server: Server, outcomes: Sequence[Outcome]) -> None:
    """Every acknowledged event counts once, and nothing else does."""
    sent = sum(outcome.acknowledged for outcome in outcomes)
    today = datetime.now(UTC).date()
    answer = server.get(
        "/v1/query", project="bench", metrics="events", exact="true",
        **{"from": str(today - timedelta(days=1)), "to": str(today)},
    )  # fmt: skip
    counted = answer["metrics"]["events"]["value"]
    if counted != sent:
        raise BenchmarkError(f"{sent} events were acknowledged, {counted} are counted.")
    for outcome in outcomes:
        if outcome.refused:
            raise BenchmarkError(f"Requests were refused, by status: {outcome.refused}.")


def _throughput_figures(outcome: Outcome, bare: float) -> list[Figure]:
    return [
        Figure("bare decoding", bare, "events/s", note="one core, nothing else"),
        Figure("durable ingest, 50 a request", outcome.events_per_second, "events/s",
               note="load generator on the same cores; every event found again by a query"),
        Figure("ingest / bare decoding", outcome.events_per_second / bare, "ratio", 0.03, "more"),
        Figure("ack p50 at full load", outcome.p50_ms, "ms"),
        Figure("ack p99 at full load", outcome.p99_ms, "ms"),
    ]  # fmt: skip


def _singles_figures(outcome: Outcome, connections: int) -> list[Figure]:
    return [
        Figure("durable ingest, one a request", outcome.requests / outcome.seconds, "requests/s", 5_000, "more",
               f"{connections} connections"),
        Figure("ack p99, one a request", outcome.p99_ms, "ms"),
    ]  # fmt: skip


def _paced_figures(outcome: Outcome) -> list[Figure]:
    return [
        Figure("ack p50 at half load", outcome.p50_ms, "ms"),
        Figure("ack p99 at half load", outcome.p99_ms, "ms", 250, note="open loop, from when a request was due"),
    ]
