"""What each step of ingestion costs per event, alone: where the time of a request goes."""

import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import traffic
from benchmarks.figures import Bench, Figure, median
from benchmarks.timing import processor_cost
from tallymark.engine.embedded import EmbeddedEngine
from tallymark.engine.schema import migrate
from tallymark.ingest import pii
from tallymark.ingest.country import CountryTable
from tallymark.ingest.decode import decode
from tallymark.ingest.enrich import Enricher
from tallymark.ingest.gate import Batch, Limits, admit
from tallymark.ingest.rows import Rows
from tallymark.spec.project import Project

PER_BODY = 50

#: Rows of one insert, as group commit makes them under load.
_PER_INSERT = 5_000

_DAY_MS = 86_400_000
_IP = "203.0.113.7"
_AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
_LIMITS = Limits(30 * _DAY_MS, 3_600_000, 200, 65_536)
_PROJECT = Project(1, "bench", ("web",), "UTC", 90 * 24, "redact", "mark", None, datetime(2026, 1, 1, tzinfo=UTC))


@dataclass(frozen=True)
class _Stages:
    """Bodies, and what each step makes of them."""

    bodies: Sequence[bytes]
    enricher: Enricher
    now_ms: int

    def admitted(self, body: bytes) -> Batch:
        return admit(decode(body), _PROJECT, _LIMITS, self.now_ms, _AGENT, body)

    def rows(self, body: bytes) -> Rows:
        return self.enricher.rows(self.admitted(body), _IP)


def run(bench: Bench) -> list[Figure]:
    """Microseconds of processor time per event, step by step."""
    count, rounds = (500, 2) if bench.quick else (20_000, 9)
    plain = traffic.bodies(traffic.events(count, seed=3), PER_BODY)
    stages = _Stages(plain, Enricher(b"benchmark", CountryTable.load()), time.time_ns() // 1_000_000)
    decoding = processor_cost(lambda: _each(stages.bodies, decode), count, rounds)
    scanning = processor_cost(lambda: _each(stages.bodies, pii.suspicious), count, rounds)
    admitting = processor_cost(lambda: _each(stages.bodies, stages.admitted), count, rounds) - decoding - scanning
    before = decoding + scanning + admitting
    enriching = processor_cost(lambda: _each(stages.bodies, stages.rows), count, rounds) - before
    parts = [stages.rows(body) for body in stages.bodies]
    joining = processor_cost(lambda: Rows.joined(parts), count, rounds)
    rows = Rows.joined(parts)
    tabling = processor_cost(rows.table, count, rounds)
    together = decoding + scanning + admitting + enriching + joining + tabling
    return [
        _figure("decode", decoding),
        _figure("PII set over the body", scanning),
        _figure("admit, without the PII set", admitting),
        _figure("enrich", enriching),
        _figure("join", joining),
        _figure("Arrow table", tabling),
        Figure("Python together", together, "µs/event", 8.0, note="80,000 events/s on two cores"),
        _inserting(rows, 1 if bench.quick else 9),
    ]


def _each(bodies: Sequence[bytes], step: Callable[[bytes], object]) -> None:
    for body in bodies:
        step(body)


def _inserting(rows: Rows, rounds: int) -> Figure:
    """Microseconds on the clock per row of a durable insert."""
    table = rows.table().slice(0, _PER_INSERT)
    with tempfile.TemporaryDirectory(prefix="tallymark-bench-") as folder:
        engine = EmbeddedEngine(Path(folder))
        try:
            migrate(engine)
            engine.insert("events", table)
            took = []
            for _ in range(rounds):
                started = time.perf_counter()
                engine.insert("events", table)
                took.append((time.perf_counter() - started) * 1e6)
        finally:
            engine.close()
    return Figure(
        "durable insert", median(took) / table.num_rows, "µs/event", note=f"{table.num_rows} rows, on the clock"
    )


def _figure(name: str, cost: float) -> Figure:
    return Figure(name, cost, "µs/event")
