"""Exports that something gets in the way of: tried again after a pause, out of others' way, and given up at last."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from tallymark.control.database import open_database
from tallymark.control.exports import Export, Exports
from tallymark.engine.base import Engine, Params
from tallymark.errors import EngineUnavailable
from tests.api.export_app import Api, export_api
from tests.engines import Passing
from tests.s3 import KEY, SECRET, running_s3
from tests.server import free_port

EVENTS = {"what": "events", "metrics": None}


@dataclass
class Moody(Passing):
    """An engine whose large reads fail while they are told to."""

    error: Exception | None = None

    def read(self, sql: str, params: Params | None = None) -> pa.Table:
        if self.error is not None:
            raise self.error
        return super().read(sql, params)


@contextmanager
def moody(engine: Engine, directory: Path, **settings: str) -> Iterator[tuple[Api, Moody]]:
    """The application, whose clock stands still, over an engine that is away, as exports see it."""
    away = Moody(engine, EngineUnavailable("Nothing answers at secret.example."))
    with export_api(away, directory, **settings) as api:
        api.stands_at = datetime.now(UTC)
        yield api, away


def stored(api: Api, export: dict[str, Any]) -> Export:
    """An export as the control store has it."""
    database = open_database(api.settings.control_url)
    found = Exports(database).get(export["id"])
    database.close()
    assert found is not None
    return found


def failed(api: Api, export: dict[str, Any], times: int = 1) -> Export:
    """An export that waits, once so many tries have failed."""
    until = time.monotonic() + 30
    while (now := stored(api, export)).failures < times or now.status == "running":
        assert time.monotonic() < until, now
        time.sleep(0.02)
    return now


def later(api: Api, seconds: float) -> None:
    """Lets time pass, and writers look."""
    api.ahead += timedelta(seconds=seconds)
    api.client.app.state.wake_exports()


def test_no_other_worker_takes_it_before_its_time(engine: Engine, tmp_path: Path) -> None:
    with moody(engine, tmp_path, TALLYMARK_EXPORT_WORKERS="4") as (api, away):
        export = api.order(**EVENTS)
        assert failed(api, export).status == "waiting"
        for _ in range(4):
            later(api, 0)
        time.sleep(0.3)
        now = stored(api, export)
        assert (now.attempt, now.failures) == (1, 1)
        away.error = None
        later(api, 2)
        assert api.finished(export)["status"] == "done"


def test_while_one_waits_the_worker_writes_others(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tallymark.jobs.exports._PAUSES", (3_600,))
    with moody(engine, tmp_path) as (api, away):
        export = api.order(**EVENTS)
        failed(api, export)
        api.project("shop")
        begun = time.monotonic()
        assert api.done(project="shop")["status"] == "done"
        assert time.monotonic() - begun < 30
        assert api.show(export)["status"] == "waiting"
        away.error = None
        later(api, 3_600)
        assert api.finished(export)["status"] == "done"


def test_the_fifth_failure_is_the_last(engine: Engine, tmp_path: Path) -> None:
    with moody(engine, tmp_path) as (api, _):
        export = api.order(**EVENTS)
        for times, pause in enumerate((2, 4, 8, 16), 1):
            failed(api, export, times)
            later(api, pause - 0.5)
            time.sleep(0.1)
            assert stored(api, export).status == "waiting"
            later(api, 0.5)
        over = api.finished(export)
        assert (over["status"], over["error"]) == ("failed", "The engine could not be reached: order it again later.")
        assert stored(api, export).attempt == 5


def test_stopping_is_no_failure(engine: Engine, tmp_path: Path) -> None:
    with moody(engine, tmp_path) as (api, _):
        export = api.order(**EVENTS)
        failed(api, export)
    assert stored(api, export).failures == 1


def test_an_engine_without_memory_is_told_as_such(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tallymark.jobs.exports._PAUSES", (3_600,))
    with export_api(engine, tmp_path) as api, monkeypatch.context() as scarce:
        scarce.setattr("tallymark.export.pages._SETTINGS", "max_memory_usage = 1, max_untracked_memory = 1")
        export = api.order(**EVENTS)
        failed(api, export)
        later(api, 3_600)
        over = api.finished(export)
        assert over["status"] == "failed"
        assert over["error"] == "The engine has not enough memory for this: order fewer days, or give it more memory."
        other = api.order(**EVENTS)  # not before: a worker may take both within this hour
        failed(api, other)
        scarce.undo()
        later(api, 3_600)
        assert api.finished(other)["status"] == "done"


def test_a_bucket_that_is_away_is_waited_for(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    port = free_port()
    monkeypatch.setattr("tests.s3._free_port", lambda: port)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    url = f"s3://exports/?endpoint=http://127.0.0.1:{port}&region=us-east-1"
    with export_api(engine, tmp_path, TALLYMARK_FILES=url) as api:
        export = api.order()
        assert failed(api, export).status == "waiting"
        with running_s3(tmp_path / "s3") as s3:
            assert s3.url() == url
            later(api, 2)
            assert api.finished(export)["status"] == "done"
            assert [path.name for path in s3.objects.iterdir()] == [f"{export['id']}.csv"]
