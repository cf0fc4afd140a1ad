"""The Python client: what recording costs its host, and how fast events reach a real server."""

import asyncio
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.figures import Bench, BenchmarkError, Figure, percentile
from benchmarks.server import Server, serving
from benchmarks.timing import processor_cost
from tallymark.client import AsyncClient, Client
from tallymark.client.recorder import Recorder

#: Where nobody listens: what is recorded there waits.
_NOWHERE = "http://127.0.0.1:9"

#: As long as it takes.
_PATIENCE = 600.0


@dataclass(frozen=True)
class _Size:
    """How much is recorded and sent."""

    calls: int
    rounds: int
    events: int


_FULL = _Size(calls=20_000, rounds=9, events=60_000)
_QUICK = _Size(calls=200, rounds=2, events=500)


def run(bench: Bench) -> list[Figure]:
    """The figures of both clients."""
    size = _QUICK if bench.quick else _FULL
    figures = [_cost(size), _dropping(size)]
    with tempfile.TemporaryDirectory(prefix="tallymark-bench-") as folder, serving(Path(folder)) as server:
        key: str = server.post("/v1/projects", {"name": "bench", "packs": ["web"]})["keys"]["ingest"]
        waits: list[float] = []
        rates = [_by_threads(bench, server, key, size, waits), asyncio.run(_by_tasks(bench, server, key, size))]
        _check_exactly(server, 2 * size.events)
    names = ("delivered by threads", "delivered by asyncio")
    figures += [
        Figure(name, rate, "events/s", note="100 a request, 4 connections, the server on the same cores")
        for name, rate in zip(names, rates, strict=True)
    ]
    return [*figures, Figure("a call while it sends p99", percentile(waits, 0.99), "µs", note="on the clock")]


def _record(client: Recorder, events: int) -> None:
    for n in range(events):
        client.track("order", actor=f"u-{n % 1_000}", value=9.5, properties={"plan": "pro", "items": n % 7})


def _cost(size: _Size) -> Figure:
    """Microseconds of the caller's processor time for a call whose event then waits."""

    def record() -> None:  # no loop runs here, so that nothing sends
        _record(AsyncClient(_NOWHERE, queue_events=size.calls), size.calls)

    return Figure("a call", processor_cost(record, size.calls, size.rounds), "µs", note="processor time")


def _dropping(size: _Size) -> Figure:
    """The same where the queue is full."""
    full = AsyncClient(_NOWHERE, queue_events=1)
    return Figure(
        "a call, the queue full", processor_cost(lambda: _record(full, size.calls), size.calls, size.rounds), "µs"
    )


def _by_threads(bench: Bench, server: Server, key: str, size: _Size, waits: list[float]) -> float:
    bench.say(f"sending {size.events} events by threads")
    with Client(f"http://127.0.0.1:{server.port}", key, queue_events=size.events) as client:
        started = time.perf_counter()
        waits += [_microseconds(lambda: _record(client, 1)) for _ in range(size.events)]
        client.flush(_PATIENCE)
        return _rate(client, size.events, time.perf_counter() - started)


async def _by_tasks(bench: Bench, server: Server, key: str, size: _Size) -> float:
    bench.say(f"sending {size.events} events by asyncio")
    async with AsyncClient(f"http://127.0.0.1:{server.port}", key, queue_events=size.events) as client:
        started = time.perf_counter()
        for _ in range(size.events // 100):
            _record(client, 100)
            await asyncio.sleep(0)
        await client.flush(_PATIENCE)
        return _rate(client, size.events, time.perf_counter() - started)


def _rate(client: Client | AsyncClient, events: int, seconds: float) -> float:
    stats = client.stats()
    if stats.accepted != events:
        raise BenchmarkError(f"Of {events} events {stats.accepted} were taken: {stats}")
    return events / seconds


def _microseconds(call: Callable[[], object]) -> float:
    started = time.perf_counter_ns()
    call()
    return (time.perf_counter_ns() - started) / 1_000


def _check_exactly(server: Server, sent: int) -> None:
    """Every event counts once."""
    today = datetime.now(UTC).date()
    asked: dict[str, Any] = {"from": str(today - timedelta(days=1)), "to": str(today), "exact": "true"}
    counted = server.get("/v1/query", project="bench", metrics="events", **asked)["metrics"]["events"]["value"]
    if counted != sent:
        raise BenchmarkError(f"{sent} events were sent, {counted} are counted.")
