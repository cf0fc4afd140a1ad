"""The engine goes away and comes back: events are taken all the while, and go in once, in order."""

import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from tallymark.engine.server import ServerEngine
from tests.clickhouse_http import ClickHouseHttp
from tests.server import RunningServer

Numbers = list[int]


@pytest.fixture
def clickhouse(tmp_path: Path) -> Iterator[ClickHouseHttp]:
    """An engine that is served."""
    with ClickHouseHttp(tmp_path / "clickhouse") as running:
        yield running


@pytest.fixture
def server(clickhouse: ClickHouseHttp, tmp_path: Path) -> Iterator[RunningServer]:
    """A server over it, which refreshes only when it starts and when it is told to."""
    with RunningServer(tmp_path / "data", **settings(clickhouse)) as running:
        yield running


def settings(clickhouse: ClickHouseHttp, **more: str) -> dict[str, str]:
    return {"TALLYMARK_ENGINE": clickhouse.url, "TALLYMARK_REFRESH_SECONDS": "3600", **more}


def send(client: httpx.Client, *numbers: int, **more: Any) -> None:
    """Sends an event for each number, and is told that all are on disk."""
    answer = client.post("/v1/events", json=[event(number) | more for number in numbers])
    assert (answer.status_code, answer.json()) == (202, {"accepted": len(numbers), "rejected": []})


def event(number: int) -> dict[str, Any]:
    """An event that is known by its number."""
    return {
        "event": "numbered",
        "eventId": f"n{number}",
        "visitorId": f"v{number}",
        "timestamp": datetime.now(UTC).isoformat(),
        "value": number,
    }


def stored(clickhouse: ClickHouseHttp) -> Numbers:
    """The numbers of all rows as they were inserted, in order; an event that went in twice is there twice."""
    engine = ServerEngine(clickhouse.url)
    rows = engine.query("SELECT value FROM events ORDER BY inserted_at, value")
    engine.close()
    return [int(row[0]) for row in rows]


def eventually(holds: Callable[[], bool], seconds: float = 30.0) -> None:
    """Returns as soon as it holds."""
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.05)


def spooled(client: httpx.Client) -> int:
    """How many batches wait in the spool."""
    lines = client.get("/metrics").text.splitlines()
    return next(int(float(line.split()[1])) for line in lines if line.startswith("tallymark_spool_batches "))


def ready(client: httpx.Client) -> tuple[int, str, str]:
    """What `/ready` says: status of the answer, of the server, of the engine."""
    answer = client.get("/ready")
    body = answer.json()
    return answer.status_code, body["status"], body["checks"]["engine"]


def test_events_are_spooled_and_go_in_once_and_in_order(clickhouse: ClickHouseHttp, server: RunningServer) -> None:
    key = server.project("p")["ingest"]
    with server.client(key) as client:
        send(client, 1, 2)
        assert ready(client) == (200, "ok", "ok")

        clickhouse.kill()
        for number in range(3, 9):
            send(client, number)
        status, text, engine = ready(client)
        assert (status, text) == (200, "degraded")
        assert "can't be reached" in engine
        assert spooled(client) == 6

    server.restart()
    with server.client(key) as client:
        assert ready(client)[:2] == (200, "degraded")
        send(client, 9)
        assert spooled(client) == 7

        clickhouse.start()
        eventually(lambda: spooled(client) == 0)
        send(client, 10)
        assert stored(clickhouse) == list(range(1, 11))
        assert ready(client) == (200, "ok", "ok")
    asked = {"project": "p", "metrics": "events,actors,value"}
    counted = server.ask("GET", "/v1/query", params=asked).json()["metrics"]
    assert [counted[name]["value"] for name in ("events", "actors", "value")] == [10, 10, 55]


def test_an_engine_that_refuses_inserts(clickhouse: ClickHouseHttp, server: RunningServer) -> None:
    with server.client(server.project("p")["ingest"]) as client:
        send(client, 1)
        clickhouse.refuse_inserts()
        send(client, 2)
        send(client, 3)
        assert spooled(client) == 2
        clickhouse.refuse_inserts(False)
        eventually(lambda: spooled(client) == 0)
        assert stored(clickhouse) == [1, 2, 3]


def test_an_engine_that_hangs_is_away(clickhouse: ClickHouseHttp, server: RunningServer) -> None:
    with server.client(server.project("p")["ingest"], timeout=60.0) as client:
        send(client, 1)
        clickhouse.stop()
        send(client, 2)
        started = time.monotonic()
        send(client, 3)
        assert time.monotonic() - started < 5
        assert ready(client)[:2] == (200, "degraded")
        clickhouse.resume()
        eventually(lambda: spooled(client) == 0, 60)
        send(client, 4)
        assert stored(clickhouse) == [1, 2, 3, 4]


@pytest.mark.parametrize("times", [1, 2])
def test_an_insert_whose_answer_is_lost_counts_once(
    clickhouse: ClickHouseHttp, server: RunningServer, times: int
) -> None:
    with server.client(server.project("p")["ingest"]) as client:
        send(client, 1, 2)
        clickhouse.crash_after_insert(times)
        send(client, 3, 4)
        send(client, 5)
        eventually(lambda: spooled(client) == 0)
        assert stored(clickhouse) == [1, 2, 3, 4, 5]


def test_killed_between_an_insert_and_its_answer(clickhouse: ClickHouseHttp, server: RunningServer) -> None:
    """The batch is in the engine and in the spool when the server dies; the one that starts next knows it again."""
    key = server.project("p")["ingest"]
    with server.client(key) as client:
        clickhouse.refuse_inserts()
        send(client, 1, 2)
    server.kill()
    clickhouse.refuse_inserts(False)
    clickhouse.crash_after_insert(1)
    server.start()
    with server.client(key) as client:
        eventually(lambda: stored(clickhouse) == [1, 2])
        server.restart()
        eventually(lambda: spooled(client) == 0)
        assert stored(clickhouse) == [1, 2]


def test_an_event_without_a_time_keeps_its_first_one_through_the_spool(
    clickhouse: ClickHouseHttp, server: RunningServer
) -> None:
    """Sent again during an outage and after it, an `eventId` without `timestamp` is the event that came first."""
    with server.client(server.project("p")["ingest"]) as client:
        send(client, 1, timestamp=None)
        clickhouse.refuse_inserts()
        time.sleep(0.01)
        send(client, 1, 2, timestamp=None)
        send(client, 2, timestamp=None)
        clickhouse.refuse_inserts(False)
        eventually(lambda: spooled(client) == 0)
        send(client, 1, 2, timestamp=None)
    engine = ServerEngine(clickhouse.url)
    times = engine.query("SELECT value, uniqExact(occurred_at), count() FROM events GROUP BY value ORDER BY value")
    engine.close()
    assert [(value, distinct) for value, distinct, _ in times] == [(1, 1), (2, 1)]


def test_a_full_spool_is_told_and_loses_nothing(clickhouse: ClickHouseHttp, tmp_path: Path) -> None:
    more = settings(clickhouse, TALLYMARK_SPOOL_BYTES=str(1 << 20))
    with RunningServer(tmp_path / "data", **more) as server, server.client(server.project("p")["ingest"]) as client:
        clickhouse.kill()
        taken, answer = fill(client)
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) >= 1
        assert answer.json()["error"]["code"] == "queue_full"
        status, text, _ = ready(client)
        assert (status, text) == (503, "unavailable")

        clickhouse.start()
        eventually(lambda: spooled(client) == 0)
        send(client, taken + 1)
        assert stored(clickhouse) == list(range(1, taken + 2))


def fill(client: httpx.Client) -> tuple[int, httpx.Response]:
    """Sends large events until one is not taken; gives how many were, and the answer to the last one."""
    for number in range(1, 100):
        large = event(number) | {"properties": {f"p{place}": f"{number * place:>600}" for place in range(50)}}
        answer = client.post("/v1/events", json=large)
        if answer.status_code != 202:
            return number - 1, answer
    raise AssertionError("The spool has no limit.")


def test_a_server_starts_while_its_engine_is_away(clickhouse: ClickHouseHttp, tmp_path: Path) -> None:
    """Events are spooled until the engine is there; then it is migrated, and they go in."""
    clickhouse.kill()
    with RunningServer(tmp_path / "data", **settings(clickhouse)) as server:
        key = server.project("p")["ingest"]
        with server.client(key) as client:
            assert ready(client)[:2] == (200, "degraded")
            send(client, 1)
            send(client, 2, timestamp=None)
            answer = server.ask("GET", "/v1/query", params={"project": "p", "metrics": "events"})
            assert (answer.status_code, answer.json()["error"]["code"]) == (503, "engine_unavailable")
            assert answer.headers["Retry-After"]

            clickhouse.start()
            eventually(lambda: spooled(client) == 0)
            send(client, 3)
            assert stored(clickhouse) == [1, 2, 3]
        assert "Traceback" not in server.log.read_text()


def test_a_quota_refuses_nothing_while_nobody_can_count(clickhouse: ClickHouseHttp, server: RunningServer) -> None:
    key = server.project("p", quota=3)["ingest"]
    with server.client(key) as client:
        send(client, 1, 2)
    clickhouse.kill()
    server.restart()
    with server.client(key) as client:
        send(client, 3, 4)
        clickhouse.start()
        eventually(lambda: spooled(client) == 0)
        answer = client.post("/v1/events", json=event(5)).json()
        assert [rejection["reason"] for rejection in answer["rejected"]] == ["quota"]
        assert stored(clickhouse) == [1, 2, 3, 4]


def test_a_full_queue_is_told_and_loses_nothing(clickhouse: ClickHouseHttp, tmp_path: Path) -> None:
    """An engine that hangs holds up the insert that is under way; what can't wait behind it is answered 503."""
    more = settings(clickhouse, TALLYMARK_QUEUE_EVENTS="1000", TALLYMARK_LINGER_MS="0")
    with RunningServer(tmp_path / "data", **more) as server, ThreadPoolExecutor(8) as senders:
        key = server.project("p")["ingest"]
        with server.client(key) as client:
            send(client, 0)
        clickhouse.stop()
        firsts = range(1, 2_401, 300)
        answers = list(senders.map(lambda first: post(server, key, range(first, first + 300)), firsts))
        taken = {first for first, answer in zip(firsts, answers, strict=True) if answer.status_code == 202}
        refused = [answer for answer in answers if answer.status_code != 202]
        assert taken
        assert refused
        for answer in refused:
            assert (answer.status_code, answer.json()["error"]["code"]) == (503, "queue_full")
            assert int(answer.headers["Retry-After"]) >= 1

        clickhouse.resume()
        with server.client(key) as client:
            eventually(lambda: spooled(client) == 0, 60)
        for first in set(firsts) - taken:
            assert post(server, key, range(first, first + 300)).status_code == 202
        assert sorted(stored(clickhouse)) == list(range(2_401))
        server.signal(signal.SIGTERM)
        assert server.wait() == 0


def post(server: RunningServer, key: str, numbers: range) -> httpx.Response:
    """The answer to a request with an event for each number."""
    with server.client(key, timeout=60.0) as client:
        return client.post("/v1/events", json=[event(number) for number in numbers])
