"""Assignments: a thousand requests a second, one in ten of a unit that was never seen, and as many as go."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.figures import Bench, BenchmarkError, Figure
from benchmarks.load import Outcome, Plan, drive
from benchmarks.server import Server, serving
from benchmarks.traffic import MARK, Pieces

_PATH = "/ab/v1/assignment"
_EXPERIMENTS = 10
_NEW = 10  # one in so many requests is of a new unit
_TARGET_MS = 5
_TAKEN = 200


@dataclass(frozen=True)
class _Size:
    """How much is asked, over how many connections."""

    units: int
    rate: float
    seconds: float
    warmup: float
    connections: int


_FULL = _Size(units=9_000, rate=1_000, seconds=20, warmup=3, connections=64)
_QUICK = _Size(units=180, rate=100, seconds=0.5, warmup=0.2, connections=4)


def run(bench: Bench) -> list[Figure]:
    """The figures of assignments."""
    size = _QUICK if bench.quick else _FULL
    with tempfile.TemporaryDirectory(prefix="tallymark-bench-") as folder, serving(Path(folder)) as server:
        key = _prepare(server)
        known = [_request(server, key, {"unitId": f"known-{n}", "experimentId": "e0"}) for n in range(size.units)]
        new = _request(server, key, {"unitId": f"new-{MARK}", "experimentId": "e0"})
        mixed = [new if n % _NEW == 0 else known[n % len(known)] for n in range(len(known) * _NEW // (_NEW - 1))]
        bench.say(f"{size.units} units get to be known")
        _drive(server, "fill", known, size, None)
        bench.say(f"{size.rate:.0f} requests a second, one in {_NEW} of a new unit")
        paced = _drive(server, "pace", mixed, size, size.rate)
        bench.say("as many as are answered")
        most = _drive(server, "most", mixed, size, None)
        _check(server)
        return [*_paced_figures(size, paced), *_most_figures(size, most)]


def _prepare(server: Server) -> str:
    """A key of a project with running experiments."""
    keys = server.post("/v1/projects", {"name": "bench", "packs": ["ab"]})["keys"]
    for number in range(_EXPERIMENTS):
        variants = [{"key": "control", "weight": 1}, {"key": "treatment", "weight": 1, "value": {"colour": "green"}}]
        body = {"key": f"e{number}", "variants": variants}
        for path, content in (("", body), (f"/e{number}/start", {})):
            answer = server.client.post(f"/v1/experiments{path}", params={"project": "bench"}, json=content)
            answer.raise_for_status()
    ingest: str = keys["ingest"]
    return ingest


def _request(server: Server, key: str, said: Mapping[str, Any]) -> Pieces:
    """A whole HTTP request; the mark in it becomes another text each time."""
    body = msgspec.json.encode(said)
    head = (
        f"POST {_PATH} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return (head.encode() + body).split(MARK.encode())


def _drive(server: Server, name: str, requests: Sequence[Pieces], size: _Size, rate: float | None) -> Outcome:
    plan = Plan(name, server.port, requests, 1, size.connections, size.seconds, size.warmup, rate, _TAKEN)
    outcome = drive(plan)
    if outcome.refused:
        raise BenchmarkError(f"Requests were refused, by status: {outcome.refused}.")
    return outcome


def _check(server: Server) -> None:
    """What is measured are assignments that are kept."""
    for unit in range(20):
        told = server.post(f"{_PATH}?project=bench", {"unitId": f"known-{unit}", "experimentId": "e0"})
        if told["reason"] != "STICKY":
            raise BenchmarkError(f"An assignment was not kept: {told}")


def _paced_figures(size: _Size, paced: Outcome) -> list[Figure]:
    note = f"{size.rate:.0f} requests/s for {size.seconds:.0f} s, from when a request was due"
    return [
        Figure("assignment p50", paced.p50_ms, "ms", note=note),
        Figure("assignment p95", paced.p95_ms, "ms"),
        Figure("assignment p99", paced.p99_ms, "ms", _TARGET_MS, note="load generator on the same cores"),
    ]


def _most_figures(size: _Size, most: Outcome) -> list[Figure]:
    return [
        Figure("assignments, as many as go", most.requests / most.seconds, "requests/s",
               note=f"{size.connections} connections"),
        Figure("p99 then", most.p99_ms, "ms"),
    ]  # fmt: skip
