"""SIGTERM: what was acknowledged is there afterwards, and the rest was refused where its sender can see it."""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import httpx
import pytest

from tallymark.engine.server import ServerEngine
from tests.clickhouse_http import ClickHouseHttp
from tests.server import RunningServer, UnforkedServer

SENDERS = 8
BATCH = 25


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RunningServer]:
    with RunningServer(tmp_path / "data") as running:
        yield running


@dataclass
class Senders:
    """Threads that send batches until the server takes no more; each notes what it was told."""

    server: RunningServer
    key: str
    told: list[int] = field(default_factory=list)
    untold: list[int] = field(default_factory=list)
    statuses: set[int] = field(default_factory=set)
    over: threading.Event = field(default_factory=threading.Event)

    def send(self, sender: int) -> None:
        with self.server.client(self.key) as client:
            for batch in range(1_000_000):
                numbers = [(batch * BATCH + place) * SENDERS + sender for place in range(BATCH)]
                try:
                    answer = client.post("/v1/events", json=[event(number) for number in numbers])
                except httpx.TransportError:
                    self.untold += numbers
                    return
                self.statuses.add(answer.status_code)
                assert answer.json() == {"accepted": BATCH, "rejected": []}
                self.told += numbers


def event(number: int) -> dict[str, object]:
    """An event that is known by its number."""
    return {
        "event": "numbered",
        "eventId": f"n{number}",
        "visitorId": f"v{number}",
        "timestamp": datetime.now(UTC).isoformat(),
        "value": number,
        "properties": {"number": number},
    }


def numbers(server: RunningServer) -> list[float]:
    """Events, actors and the sum of values in the raw events."""
    params = {"project": "p", "metrics": "events,actors,value", "exact": "true"}
    metrics = server.ask("GET", "/v1/query", params=params).json()["metrics"]
    return [metrics[name]["value"] or 0 for name in ("events", "actors", "value")]


def test_requests_in_flight_are_answered_or_broken_off(server: RunningServer) -> None:
    senders = Senders(server, server.project("p")["ingest"])
    with ThreadPoolExecutor(SENDERS) as threads:
        work = [threads.submit(senders.send, sender) for sender in range(SENDERS)]
        eventually(lambda: len(senders.told) > SENDERS * BATCH)
        started = time.monotonic()
        assert server.terminate() == 0
        assert time.monotonic() - started < 15
        for each in work:
            each.result()
    assert senders.statuses == {202}
    assert len(senders.told) > SENDERS * BATCH

    server.start()
    events, actors, value = numbers(server)
    assert events == actors
    with server.client(senders.key) as client:
        for first in range(0, len(senders.untold), BATCH):
            again = senders.untold[first : first + BATCH]
            assert client.post("/v1/events", json=[event(number) for number in again]).status_code == 202
    assert events >= len(senders.told)
    everything = senders.told + senders.untold
    assert numbers(server) == [len(everything), len(everything), sum(everything)]
    assert value <= sum(everything)


def test_a_commit_that_waits_is_written_and_answered(tmp_path: Path) -> None:
    """A request that waits in the group commit when SIGTERM comes is answered 202, and its events are there."""
    with RunningServer(tmp_path / "data", TALLYMARK_LINGER_MS="100") as server, ThreadPoolExecutor(1) as threads:
        key = server.project("p")["ingest"]
        with server.client(key) as client, server.client() as watcher:
            for sent in range(1, 1_000):
                answer = threads.submit(client.post, "/v1/events", json=event(sent))
                eventually(partial(seen, answer, watcher))
                if not answer.done():
                    break
            assert server.terminate() == 0
            assert answer.result().status_code == 202
        server.start()
        assert numbers(server) == [sent, sent, sum(range(sent + 1))]


def seen(answer: Future[httpx.Response], watcher: httpx.Client) -> bool:
    """Whether a request was seen while its event waits to be written, or was answered before."""
    lines = watcher.get("/metrics").text.splitlines()
    waiting = next(float(line.split()[1]) for line in lines if line.startswith("tallymark_queue_events "))
    return answer.done() or waiting > 0


def eventually(holds: Callable[[], bool], seconds: float = 60.0) -> None:
    """Returns as soon as it holds."""
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.005)


def test_a_second_sigterm_does_no_harm(server: RunningServer) -> None:
    senders = Senders(server, server.project("p")["ingest"])
    with ThreadPoolExecutor(SENDERS) as threads:
        work = [threads.submit(senders.send, sender) for sender in range(SENDERS)]
        time.sleep(0.5)
        for _ in range(3):
            server.signal(signal.SIGTERM)
            time.sleep(0.02)
        assert server.wait() == 0
        for each in work:
            each.result()
    assert "Traceback" not in server.log.read_text()
    server.start()
    assert numbers(server)[0] >= len(senders.told)


def test_an_idle_server_ends_at_once_and_says_so(tmp_path: Path) -> None:
    with UnforkedServer(tmp_path / "data") as server, server.client() as client:
        assert client.get("/health").status_code == 200  # a connection that is kept alive
        started = time.monotonic()
        assert server.terminate() == 0
        assert time.monotonic() - started < 15
    assert '"event": "stopped"' in server.log.read_text()
    assert "Traceback" not in server.log.read_text()


def test_refusals_are_written_before_the_end(server: RunningServer) -> None:
    """Counts that wait in memory go into the engine with the rest."""
    with server.client(server.project("p")["ingest"]) as client:
        assert client.post("/v1/events", json={"event": ""}).json()["rejected"][0]["reason"] == "missing_event"
    assert server.terminate() == 0
    with ClickHouseHttp(server.data / "engine") as opened:
        engine = ServerEngine(opened.url)
        assert engine.query("SELECT reason, sum(n) FROM rejections GROUP BY reason") == [("missing_event", 1)]
        engine.close()
