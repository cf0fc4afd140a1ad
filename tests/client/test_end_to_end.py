"""Events that are recorded come back as numbers, of every pack; also where the server dies amid them."""

import asyncio
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tallymark.client import AsyncClient, Client
from tallymark.client.recorder import Recorder
from tests.client.clients import QUICK
from tests.client.stub import PATIENCE
from tests.server import RunningServer

PACKS = ["web", "sdk", "ab"]
ORDERS = 250


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server that is not killed."""
    with RunningServer(tmp_path_factory.mktemp("client") / "data") as running:
        yield running


def numbers(server: RunningServer, project: str, wanted: Mapping[str, float]) -> dict[str, float]:
    """The metrics that are wanted, once they are so or patience has ended."""
    until = time.monotonic() + PATIENCE
    asked = {"project": project, "metrics": ",".join(wanted), "exact": "true"}
    while True:
        metrics = server.ask("GET", "/v1/query", params=asked).json()["metrics"]
        told = {name: metric["value"] for name, metric in metrics.items()}
        if told == wanted or time.monotonic() > until:
            return told
        time.sleep(0.2)


def record(client: Recorder) -> int:
    """Records events of every pack; gives how many calls that were."""
    for n in range(ORDERS):
        client.track("order", actor=f"u-{n % 10}", value=1.5, event_id=f"order-{n}", properties={"n": n})
    for n in range(3):
        client.page_view("https://a.example/pricing", visitor=f"v-{n}", referrer="https://chatgpt.com/")
    client.web_event("form_submit", visitor="v-0", is_conversion=True, properties={"form": "contact"})
    client.count({"wallet_connect_attempts": 2, "sessions_created": 1}, network="devnet", app="0f" * 32)
    client.count({"wallet_connect_attempts": 3}, network="devnet", app="1f" * 32)
    client.exposure("u-1", "checkout", "green")
    client.app_event("purchase", unit="u-1", value=5)
    client.track("order", value="much")  # type: ignore[arg-type]  # refused alone
    return ORDERS + 9


#: Counters of a payload are events of their own.
WANTED = {
    "events": ORDERS + 4 + 3 + 2, "value": ORDERS * 1.5 + 6 + 5, "page_views": 3, "visitors": 3, "purchases": 1,
    "exposures": 1,
}  # fmt: skip


def test_threads_record_what_then_counts(server: RunningServer) -> None:
    keys = server.project("threads", packs=PACKS)
    problems: list[Any] = []
    with Client(server.url, keys["ingest"], on_error=problems.append) as client:
        calls = record(client)
        assert client.flush(PATIENCE)
        stats = client.stats()
    assert (stats.accepted, stats.rejected, stats.calls) == (calls - 1, 1, calls)
    assert [problem.message for problem in problems] == ["1 refused for bad_value"]
    assert numbers(server, "threads", WANTED) == WANTED


def test_tasks_record_what_then_counts(server: RunningServer) -> None:
    keys = server.project("tasks", packs=PACKS)

    async def play() -> None:
        async with AsyncClient(server.url, keys["ingest"], "tasks", **QUICK) as client:
            calls = record(client)
            assert await client.flush(PATIENCE)
            assert (client.stats().accepted, client.stats().rejected) == (calls - 1, 1)

    asyncio.run(play())
    assert numbers(server, "tasks", WANTED) == WANTED


def test_a_query_and_its_outcome_become_an_exchange(server: RunningServer) -> None:
    keys = server.project("assistant", packs=["voice"])
    with Client(server.url, keys["ingest"]) as client:
        client.voice_outcome("q-1", response="It arrives tomorrow.", success=True, total_ms=640)
        client.voice_query("q-1", transcript="Where is my order?", user="u-1", session="s-1", store="berlin-1")
        client.voice_query("q-2", confidence=2)  # refused alone
        assert client.flush(PATIENCE)
        stats = client.stats()
    wanted = {"voice_queries": 1, "voice_outcomes": 1, "voice_users": 1, "voice_success_rate": 1.0}
    assert (stats.accepted, stats.rejected) == (2, 1)
    assert numbers(server, "assistant", wanted) == wanted


def test_a_key_that_is_none_loses_events_and_nothing_else(server: RunningServer) -> None:
    problems: list[Any] = []
    with Client(server.url, "tm_ingest_wrong", on_error=problems.append) as client:
        record(client)
        assert client.flush(PATIENCE)
        assert client.stats().failed == client.stats().calls
    assert {problem.message for problem in problems} == {"answered 401 unauthorized"}


def test_counters_need_no_key(server: RunningServer) -> None:
    server.project("open-counters", packs=["sdk"])
    with Client(server.url, project="open-counters") as client:
        client.count({"errors": 4}, network="mainnet")
        assert client.flush(PATIENCE)
        assert client.stats().accepted == 1
    assert numbers(server, "open-counters", {"value": 4}) == {"value": 4}


def test_a_server_that_is_killed_loses_nothing_and_counts_nothing_twice(tmp_path: Path) -> None:
    """Killed twice while a thread records; away for a while each time."""
    total, over = 0, threading.Event()
    with RunningServer(tmp_path / "data") as server:
        keys = server.project("shop", packs=["sdk"])
        patient: dict[str, Any] = {**QUICK, "retries": None, "queue_events": 1_000_000, "batch_events": 20}
        with Client(server.url, keys["ingest"], **patient) as client:

            def go_on() -> None:
                nonlocal total
                while not over.wait(0.005):
                    if total % 20:
                        client.track("order", actor=f"u-{total % 7}", value=1)
                    else:
                        client.count({"orders": 1}, network="devnet", app="0f")
                    total += 1

            recorder = threading.Thread(target=go_on)
            recorder.start()
            for _ in range(2):
                before = client.stats().accepted
                wait_until(lambda before=before: client.stats().accepted > before + 50)
                server.kill()
                retries = client.stats().retries
                wait_until(lambda retries=retries: client.stats().retries > retries + 3)
                server.start()
            over.set()
            recorder.join()
            assert client.flush(2 * PATIENCE)
            assert (client.stats().accepted, client.stats().calls) == (total, total)
        wanted = {"events": total, "value": total}
        assert numbers(server, "shop", wanted) == wanted


def wait_until(so: Any) -> None:
    """Returns when something is so."""
    until = time.monotonic() + PATIENCE
    while not so():
        assert time.monotonic() < until
        time.sleep(0.01)
