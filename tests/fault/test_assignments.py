"""The server is killed while it assigns: what was answered stays, though the weights have changed meanwhile."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

from tests.server import RunningServer

ASKERS = 4
BEFORE = [{"key": "a", "weight": 1}, {"key": "b", "weight": 1}]
AFTER = [{"key": "a", "weight": 1}, {"key": "b", "weight": 1_000_000}]


def ask_until(server: RunningServer, key: str, asker: int, enough: threading.Event) -> dict[str, tuple[str, str]]:
    """Variant and time of units that were answered until the server was gone."""
    told: dict[str, tuple[str, str]] = {}
    with server.client(key) as client:
        for number in range(1_000_000):
            unit = f"u-{asker}-{number}"
            try:
                told[unit] = asked(client, unit)
            except httpx.TransportError:
                return told
            if number == 200:
                enough.set()
    return told


def asked(client: httpx.Client, unit: str) -> tuple[str, str]:
    """Variant and time of a unit."""
    answer = client.post("/ab/v1/assignment", json={"unitId": unit, "experimentId": "checkout"})
    assert answer.status_code == 200, answer.text
    return answer.json()["variant"], answer.json()["assignedAt"]


def test_what_was_answered_survives(tmp_path: Path) -> None:
    with (
        RunningServer(tmp_path / "data", TALLYMARK_REFRESH_SECONDS="3600") as server,
        ThreadPoolExecutor(ASKERS) as pool,
    ):
        keys = server.project("app", packs=["ab"])
        created = server.ask("POST", "/v1/experiments", keys["admin"], json={"key": "checkout", "variants": BEFORE})
        assert created.status_code == 201, created.text
        assert server.ask("POST", "/v1/experiments/checkout/start", keys["admin"]).is_success
        enough = threading.Event()
        asking = [pool.submit(ask_until, server, keys["ingest"], asker, enough) for asker in range(ASKERS)]
        assert enough.wait(30)
        server.kill()
        before = {unit: told for each in asking for unit, told in each.result().items()}
        assert {variant for variant, _ in before.values()} == {"a", "b"}
        server.start()
        changed = server.ask("PATCH", "/v1/experiments/checkout", keys["admin"], json={"variants": AFTER})
        assert changed.status_code == 200, changed.text
        with server.client(keys["ingest"]) as client:
            assert {unit: asked(client, unit) for unit in before} == before
            assert {asked(client, f"new-{number}")[0] for number in range(20)} == {"b"}
