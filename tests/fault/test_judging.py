"""A server that is killed while a judge is asked, several times: nothing is lost, and what was judged stays judged."""

import json
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

from tallymark.engine.schema import migrate
from tallymark.engine.server import ServerEngine
from tests.clickhouse_http import ClickHouseHttp
from tests.packs.voice import llm as models
from tests.packs.voice.assistant import NOON, Assistant
from tests.packs.voice.court import Court
from tests.packs.voice.llm import Llm, running_llm
from tests.packs.world import application
from tests.server import RunningServer

N = 50
KILLS = (8, 22, 36)

#: Calls of a judge that a server makes at once.
AT_ONCE = 8


@contextmanager
def judging(tmp_path: Path, llm: Llm, **settings: str) -> Iterator[tuple[RunningServer, dict[str, str]]]:
    """A server that has just begun to have a project's answers judged by Gemini, as it does at every start."""
    asked = {
        "TALLYMARK_GEMINI_API_KEY": "g", "TALLYMARK_GEMINI_URL": llm.gemini_url, "TALLYMARK_REFRESH_SECONDS": "3600",
        "TALLYMARK_EVAL_REQUESTS_PER_MINUTE": "0", "TALLYMARK_EVAL_TOKENS_PER_MINUTE": "0", **settings,
    }  # fmt: skip
    with RunningServer(tmp_path / "data", **asked) as server:
        keys = server.project("voice", packs=["voice"])
        events = [
            {"event_type": f"voice_{name}", "query_id": f"q-{n}", "transcript": f"q-{n}", "timestamp": time.time() - n}
            for n in range(N)
            for name in ("query", "outcome")
        ]
        answer = server.ask("POST", "/voice/ingest", keys["ingest"], content=json.dumps(events))
        assert answer.json()["accepted"] == len(events), answer.text
        server.restart()
        yield server, keys


def run(server: RunningServer, keys: dict[str, str]) -> dict[str, Any]:
    """Has what waits judged, as the clock does every minute."""
    answer = server.ask("POST", "/v1/evaluations/run", keys["admin"])
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def wait_until(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.01)


def judged(server: RunningServer) -> set[int]:
    """The ids of exchanges whose verdicts are kept."""
    with closing(sqlite3.connect(server.data / "control.db")) as control:
        kept = control.execute("SELECT exchange FROM evaluations WHERE status IN ('judged', 'done')").fetchall()
    return {exchange % 2**64 for (exchange,) in kept}


def evaluations(server: RunningServer, keys: dict[str, str]) -> list[dict[str, Any]]:
    """What is told of them."""
    answer = server.ask("GET", "/voice/tables/voice_evaluations", keys["read"], params={"limit": 1000})
    told: list[dict[str, Any]] = answer.json()["rows"]
    return told


def test_a_server_that_is_killed_while_it_judges(tmp_path: Path) -> None:
    """Only calls that were under way at a kill are made again."""
    with running_llm() as llm:
        llm.otherwise = lambda _: models.after(0.05, models.ok())
        with judging(tmp_path, llm) as (server, keys):
            kept: list[tuple[set[int], int]] = []
            for reached in KILLS:
                wait_until(lambda enough=reached: len(llm.requests) >= enough)  # type: ignore[misc]
                server.kill()
                kept.append((judged(server), len(llm.requests)))
                server.start()
            wait_until(lambda: run(server, keys)["waiting"] == 0)
            found = evaluations(server, keys)
        asked = llm.transcripts
    assert sorted(row["query_id"] for row in found) == sorted(f"q-{n}" for n in range(N))
    assert set(asked) == {f"q-{n}" for n in range(N)}
    assert max(Counter(asked).values()) <= 1 + len(KILLS)
    assert len(asked) <= N + AT_ONCE * len(KILLS)
    names = {int(row["exchange_id"], 16): row["query_id"] for row in found}
    for before, requests in kept:
        assert not {names[exchange] for exchange in before} & set(asked[requests:])


def test_sigterm_does_not_wait_for_a_judge_that_hangs(tmp_path: Path) -> None:
    with running_llm() as llm:
        llm.otherwise = lambda _: models.hang()
        with judging(tmp_path, llm, TALLYMARK_EVAL_TIMEOUT_SECONDS="600") as (server, _):
            wait_until(lambda: len(llm.requests) >= AT_ONCE)
            assert server.terminate(60) == 0
            assert judged(server) == set()


def test_an_engine_that_goes_away_while_a_judge_is_asked(tmp_path: Path) -> None:
    """What was judged is kept, and written once the engine is back; the rest waits for it."""
    with running_llm() as llm, ClickHouseHttp(tmp_path / "clickhouse") as clickhouse:
        engine = ServerEngine(clickhouse.url)
        migrate(engine)
        settings = {"gemini_url": llm.gemini_url, "gemini_api_key": "g", "eval_batch_size": 4}
        with application(tmp_path, engine, NOON, settle_seconds=0, **settings) as world:
            court = Court(Assistant(world).fresh(), llm)
            queries = court.converse(range(10))
            llm.otherwise = lambda _: models.after(1.0, models.ok())
            running = Thread(target=court.run)
            running.start()
            wait_until(lambda: len(llm.requests) >= 4)
            clickhouse.kill()
            running.join(120)
            assert sum(court.asked().values()) == 4
            clickhouse.start()
            llm.otherwise = lambda _: models.ok()
            court.here.store.replay()
            court.later(seconds=31)
            court.finish()
            court.check(queries)
        engine.close()
