"""The sdk pack: what a payload costs, and how long the sums of a month and its report take."""

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from benchmarks.figures import Bench, BenchmarkError, Figure, percentile
from benchmarks.server import Server, serving
from benchmarks.timing import milliseconds, processor_cost
from tallymark.ingest import pii
from tallymark.ingest.country import CountryTable
from tallymark.ingest.enrich import Enricher
from tallymark.ingest.gate import Limits, admit
from tallymark.packs.sdk.wire import Counters, Payload, counters, read
from tallymark.spec.project import Project

_PROJECT = "counters"
_NETWORKS = ("mainnet", "testnet", "devnet")
_NAMES = tuple(f"counter_{n}" for n in range(30))
_PER_PAYLOAD = 10
_FIRST = datetime(2026, 1, 1, tzinfo=UTC)
_LIMITS = Limits(None, 0, 200, 65_536)
_STORED = Project(1, _PROJECT, ("sdk",), "UTC", 24, "reject", "mark", None, _FIRST)


def run(bench: Bench) -> list[Figure]:
    """The figures of the pack."""
    days, apps, rounds = (3, 5, 3) if bench.quick else (90, 300, 30)
    with serving(bench.data / f"sdk-{days}-{apps}") as server:
        _fill(bench, server, days, apps)
        _check(server, apps)
        return [
            *_costs(50 if bench.quick else 2_000, 2 if bench.quick else 9),
            Figure("stored", days * apps * _PER_PAYLOAD, "increments", note=f"{days} days, {apps} apps"),
            *_answers(server, days, rounds),
        ]


def _payload(draw: random.Random, app: int, at: datetime) -> Payload:
    metrics = {name: draw.randint(1, 9) for name in draw.sample(_NAMES, _PER_PAYLOAD)}
    return Payload("0.3.0", draw.choice(_NETWORKS), at.timestamp() * 1000, metrics, f"{app:064x}")


def _costs(count: int, rounds: int) -> list[Figure]:
    """Microseconds of processor time, from a payload's bytes to the rows of its counters."""
    draw = random.Random(5)
    bodies = [msgspec.json.encode(_payload(draw, n, _FIRST)) for n in range(count)]
    enricher = Enricher(b"benchmark", CountryTable.load())

    def whole(body: bytes) -> object:
        pii.suspicious(body)
        batch = admit(counters(read(body)).events(), _STORED, _LIMITS, 2_000_000_000_000, "", body)
        return enricher.rows(batch, "")

    def cost(steps: Sequence[Any]) -> float:
        return processor_cost(lambda: [step(body) for step in steps for body in bodies], count, rounds)

    return [
        Figure("decode a payload", cost([lambda body: counters(read(body)).events()]), "µs", note="10 counters"),
        Figure("scan it for personal data", cost([pii.suspicious]), "µs"),
        Figure("all of it, up to rows", cost([whole]), "µs"),
    ]


def _answers(server: Server, days: int, rounds: int) -> Iterator[Figure]:
    """Milliseconds of answers over HTTP, each to a question that was not asked before."""
    last = _FIRST + timedelta(days=days - 1)

    def day(turn: int) -> object:
        asked = {"period": "daily", "date": f"{last - timedelta(days=turn % days):%Y-%m-%d}"}
        return server.get("/sdk/api/v1/metrics", project=_PROJECT, **asked, network=_NETWORKS[turn // days % 3])

    def month(turn: int) -> object:
        asked = {"period": "monthly", "date": f"{_FIRST + timedelta(days=31 * (turn % 3)):%Y-%m}"}
        network = {"network": _NETWORKS[turn // 3 % 3]} if turn % 2 else {}
        return server.get("/sdk/api/v1/metrics", project=_PROJECT, **asked, **network)

    for name, ask in (("a day of a network", day), ("a month", month)):
        yield Figure(f"{name} p95", percentile(milliseconds(rounds, ask, 2), 0.95), "ms")
    report = milliseconds(
        3, lambda n: server.get("/sdk/api/v1/export", project=_PROJECT, month=f"2026-{n % 3 + 1:02d}")
    )
    yield Figure("a month's report", percentile(report, 1), "ms")
    yield Figure("memory after it", server.memory_mb(), "MB")


def _fill(bench: Bench, server: Server, days: int, apps: int) -> None:
    """Imports a payload of each app and day, and rolls them up, unless that was done before."""
    if any(project["name"] == _PROJECT for project in server.get("/v1/projects")["projects"]):
        return
    server.post("/v1/projects", {"name": _PROJECT, "packs": ["sdk"], "retention": "3650d"})
    draw = random.Random(4)
    for day in range(days):
        sent = [_payload(draw, app, _FIRST + timedelta(days=day, minutes=app)) for app in range(apps)]
        events = [event for each in sent for event in Counters(each, tuple(each.metrics)).events().events]
        body = msgspec.json.encode(events)
        answer = server.client.post("/v1/import", params={"project": _PROJECT}, content=body).json()
        if answer["accepted"] != len(events):
            raise BenchmarkError(f"Of {len(events)} events {answer['accepted']} were taken.")
    bench.say("rolling up")
    server.client.post("/v1/rollup/run", params={"project": _PROJECT}).raise_for_status()


def _check(server: Server, apps: int) -> None:
    """Figures of an empty answer would mean nothing."""
    told = server.get("/sdk/api/v1/export", project=_PROJECT, month="2026-01")
    if told["summary"]["monthlyActiveApps"] != apps:
        raise BenchmarkError(f"The report is not of what was written: {told['summary']}")
