"""The voice pack: how fast queries and outcomes come in, are joined and judged, and how soon the numbers have them."""

import random
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.embedded import FIRST, embedded
from benchmarks.figures import Bench, BenchmarkError, Figure, percentile
from benchmarks.load import Outcome, Plan, drive
from benchmarks.server import Server, serving
from benchmarks.timing import milliseconds
from benchmarks.traffic import MARK, Pieces
from benchmarks.voice_past import PROJECT, judge, pair, write
from tallymark.api.services import Services
from tallymark.packs.voice.exchanges import Exchanges
from tallymark.spec.project import parse_draft

_PATH = "/voice/ingest"
_PER_REQUEST = 50
_WINDOW = 90  # days
_PATIENCE = 120.0  # seconds

#: The targets: events/s, ms, ms, exchanges/s, evaluations/s.
_INGEST, _LAG, _SUMMARY, _JOINED, _JUDGED = 10_000, 5_000, 200, 10_000, 100


@dataclass(frozen=True)
class _Size:
    """How much is sent over how many connections, what there is to read, and how often it is read."""

    seconds: float
    warmup: float
    connections: int
    a_day: int
    days: int
    judged: int
    rounds: int


_FULL = _Size(seconds=15, warmup=3, connections=64, a_day=2_223, days=110, judged=5_000, rounds=20)
_QUICK = _Size(seconds=0.5, warmup=0.2, connections=4, a_day=20, days=4, judged=30, rounds=3)


def run(bench: Bench) -> list[Figure]:
    """The figures of the pack."""
    size = _QUICK if bench.quick else _FULL
    with tempfile.TemporaryDirectory(prefix="tallymark-bench-") as folder:
        sent = _sending(bench, size, Path(folder) / "sending")
        past = Path(folder) / "past"
        with embedded(past) as here:
            made = _making(bench, size, here)
        with serving(past) as server:
            return [*sent, *made, *_answers(bench, size, server)]


def _sending(bench: Bench, size: _Size, data: Path) -> list[Figure]:
    """A server that is sent a pair at a time, then as much as it takes, then a pair at a time again."""
    with serving(data) as server:
        key = server.post("/v1/projects", {"name": PROJECT, "packs": ["voice"]})["keys"]["ingest"]
        bench.say("sending a pair at a time")
        lags = _lags(server, key, "before", size.rounds)
        bench.say(f"sending {_PER_REQUEST} events a request over {size.connections} connections")
        requests = [_request(server, key, turn) for turn in range(200)]
        outcome = drive(Plan("voice", server.port, requests, _PER_REQUEST, size.connections, size.seconds, size.warmup))
        behind = _joined(server, outcome, size.rounds)
        later = _lags(server, key, "after", size.rounds // 3)
        return [
            Figure("ingest, 50 a request", outcome.events_per_second, "events/s", _INGEST, "more",
                   "load generator on the same cores; every event found again"),
            Figure("ack p99 at full load", outcome.p99_ms, "ms"),
            Figure("until all of it is joined and rolled up", behind, "s", note=f"{outcome.acknowledged:,} events"),
            Figure("ack to exchange in the summary p50", percentile(lags, 0.5), "ms", note="who asks has it joined"),
            Figure("ack to exchange in the summary p95", percentile(lags, 0.95), "ms", _LAG),
            Figure("the same on a day with all of that p95", percentile(later, 0.95), "ms",
                   note="the clock refreshes such a day a tenth of the time"),
        ]  # fmt: skip


def _making(bench: Bench, size: _Size, here: Services) -> list[Figure]:
    """A past written at once, joined, judged and rolled up in this process, as the server does it."""
    draft = parse_draft({"name": PROJECT, "packs": ["voice"], "retention": "3650d"}, {"voice": {}})
    project = here.projects.create(draft)
    exchanges = size.a_day * size.days
    bench.say(f"writing {2 * exchanges:,} events")
    write(here, project, size.days, size.a_day)
    bench.say("joining them")
    started = time.monotonic()
    made = Exchanges(here).join(project)
    joined = made / (time.monotonic() - started)
    if made != exchanges:
        raise BenchmarkError(f"Of {exchanges} exchanges {made} were made.")
    bench.say("judging some of them")
    judged, seconds = judge(here, project, size.judged / exchanges)
    bench.say("rolling up")
    here.keeper.run(project)
    return [
        Figure("joined", joined, "exchanges/s", _JOINED, "more", f"{2 * exchanges:,} events at once"),
        Figure("judged by rules", judged / seconds, "evaluations/s", _JUDGED, "more",
               f"{judged:,} of {exchanges:,}, drawn, claimed, judged, kept, written"),
    ]  # fmt: skip


def _answers(bench: Bench, size: _Size, server: Server) -> Iterator[Figure]:
    """Milliseconds of the summary over HTTP."""
    last = FIRST + timedelta(days=size.days - 1)

    def ask(back: int) -> Any:
        to = last - timedelta(days=back)
        window = {"from": f"{to - timedelta(days=_WINDOW - 1):%Y-%m-%d}", "to": f"{to:%Y-%m-%d}"}
        return server.get("/voice/stats/summary", project=PROJECT, compareTo="none", **window)

    ask(0)
    time.sleep(1)
    told = ask(0)["metrics"]
    if told["voice_exchanges"]["value"] != size.a_day * min(_WINDOW, size.days):
        raise BenchmarkError(f"The summary is not of what was written: {told['voice_exchanges']['value']}")
    bench.say(f"asking for {len(told)} metrics of {_WINDOW} days, {told['voice_exchanges']['value']:,} exchanges")
    new = milliseconds(size.rounds, lambda turn: ask(turn + 1))
    hot = milliseconds(size.rounds, lambda _: ask(0))
    yield Figure("summary of 90 days p50", percentile(new, 0.5), "ms")
    yield Figure("summary of 90 days p95", percentile(new, 0.95), "ms", _SUMMARY, note="new windows")
    yield Figure("the same again p95", percentile(hot, 0.95), "ms", note="from the cache")
    yield Figure("memory after it", server.memory_mb(), "MB")


def _request(server: Server, key: str, turn: int) -> Pieces:
    """A whole HTTP request of pairs; the mark in their ids becomes another text each time."""
    draw, now = random.Random(turn), time.time()
    pairs = (pair(draw, f"{MARK}-{turn}-{place}", now - draw.random() * 120) for place in range(_PER_REQUEST // 2))
    body = msgspec.json.encode([event for both in pairs for event in both])
    head = (
        f"POST {_PATH} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return (head.encode() + body).split(MARK.encode())


def _joined(server: Server, outcome: Outcome, before: int) -> float:
    """Seconds until the numbers have every acknowledged event, joined. Errors: `BenchmarkError`."""
    if outcome.refused:
        raise BenchmarkError(f"Requests were refused, by status: {outcome.refused}.")
    started, wanted, seen = time.monotonic(), before + outcome.acknowledged // 2, -1
    while time.monotonic() < started + _PATIENCE:
        seen = _exchanges(server)
        if seen == wanted:
            return time.monotonic() - started
        time.sleep(0.1)
    raise BenchmarkError(f"{wanted} pairs were acknowledged, {seen} exchanges are counted.")


def _lags(server: Server, key: str, name: str, rounds: int) -> list[float]:
    """Milliseconds from acknowledgements of single pairs until the summary has one exchange more."""
    return [_lag(server, key, f"{name}-{turn}") for turn in range(rounds)]


def _lag(server: Server, key: str, query_id: str) -> float:
    before = _exchanges(server)
    both = pair(random.Random(query_id), query_id, time.time())
    server.client.post(_PATH, json=both, headers={"x-admin-key": key}).raise_for_status()
    started = time.monotonic()
    while _exchanges(server) != before + 1:
        if time.monotonic() > started + _PATIENCE:
            raise BenchmarkError("An exchange was not seen in the summary.")
        time.sleep(0.02)
    return (time.monotonic() - started) * 1_000


def _exchanges(server: Server) -> int:
    days = {"from": f"{datetime.now(UTC) - timedelta(days=1):%Y-%m-%d}"}
    told = server.get("/voice/stats/summary", project=PROJECT, compareTo="none", **days)
    count: int = told["metrics"]["voice_exchanges"]["value"]
    return count
