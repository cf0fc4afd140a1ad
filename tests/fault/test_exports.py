"""What exports survive: a server that is killed while it writes one, an engine that is away."""

import hashlib
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.clickhouse_http import ClickHouseHttp
from tests.server import RunningServer

EVENTS = 20_000
DAY = int(datetime(2026, 11, 19, tzinfo=UTC).timestamp())
ORDER = {
    "project": "site", "what": "events", "format": "xlsx", "range": {"from": "2026-11-19", "to": "2026-11-19"},
}  # fmt: skip


def crowd(server: RunningServer) -> None:
    keys = server.project("site", packs=["web"])
    for start in range(0, EVENTS, 10_000):
        events = [
            {"event": "tick", "visitorId": f"v-{i % 999}", "eventId": f"e-{i}", "timestamp": DAY + i % 80_000,
             "properties": {"n": i}}
            for i in range(start, start + 10_000)
        ]  # fmt: skip
        answer = server.ask("POST", "/v1/import", keys["admin"], content=json.dumps(events))
        assert answer.json()["accepted"] == 10_000, answer.text


def shown(server: RunningServer, export: dict[str, Any], enough: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    until = time.monotonic() + 90
    while time.monotonic() < until:
        said: dict[str, Any] = server.ask("GET", f"/v1/exports/{export['id']}").json()
        if enough(said):
            return said
        time.sleep(0.02)
    raise AssertionError(said)


def over(export: dict[str, Any]) -> bool:
    return export["status"] in ("done", "failed")


def begun(export: dict[str, Any]) -> bool:
    return bool(export["progress"]["rows"] > 0)


def test_a_killed_server_leaves_the_export_to_the_next_one(tmp_path: Path) -> None:
    with RunningServer(tmp_path / "data", TALLYMARK_REFRESH_SECONDS="3600") as server:
        crowd(server)
        undisturbed = shown(server, server.ask("POST", "/v1/exports", json=ORDER).json(), over)
        export = server.ask("POST", "/v1/exports", json=ORDER).json()
        running = shown(server, export, begun)
        assert running["status"] == "running"
        assert running["progress"]["rows"] < EVENTS
        server.kill()
        left = list((tmp_path / "data" / "files" / "drafts").iterdir())
        assert [path.name for path in left] == [f"{export['id']}-1"]
        server.start()
        done = shown(server, export, over)
        assert (done["status"], done["rows"], done["sha256"]) == ("done", EVENTS, undisturbed["sha256"])
        with server.client() as client:
            content = client.get(done["downloadUrl"]).content
        assert hashlib.sha256(content).hexdigest() == done["sha256"]
        assert list((tmp_path / "data" / "files" / "drafts").iterdir()) == []
        assert server.terminate() == 0


def test_an_engine_that_is_away_for_a_while_is_waited_for(tmp_path: Path) -> None:
    """However many writers there are."""
    settings = {"TALLYMARK_REFRESH_SECONDS": "3600", "TALLYMARK_EXPORT_WORKERS": "4"}
    with (
        ClickHouseHttp(tmp_path / "clickhouse") as clickhouse,
        RunningServer(tmp_path / "data", TALLYMARK_ENGINE=clickhouse.url, **settings) as server,
    ):
        keys = server.project("site", packs=["web"])
        event = {"event": "tick", "visitorId": "v", "timestamp": DAY}
        assert server.ask("POST", "/v1/import", keys["admin"], json=[event]).json()["accepted"] == 1
        clickhouse.kill()
        order = {**ORDER, "format": "csv"}
        export = server.ask("POST", "/v1/exports", json=order).json()
        shown(server, export, lambda said: "export waits" in server.log.read_text())
        time.sleep(3)
        clickhouse.start()
        done = shown(server, export, over)
        assert (done["status"], done["rows"]) == ("done", 1)
