"""`/v1/system` and `/v1/rejections`: how the server does, and what it refused."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tallymark import __version__
from tallymark.engine.base import Engine
from tallymark.errors import EngineUnavailable
from tallymark.jobs.clock import Clock
from tests.packs.world import ADMIN, Application, application, bearer

NOON = datetime(2028, 5, 10, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory, engine: Engine) -> Iterator[Application]:
    with application(tmp_path_factory.mktemp("system"), engine, NOON) as found:
        yield found


def send(app: Application, key: str, *events: Any) -> None:
    app.client.post("/v1/events", json=list(events), headers=bearer(key))
    app.here.receiver.counts.flush()


def test_the_server_tells_how_it_does(app: Application) -> None:
    app.clock.now = NOON + timedelta(seconds=90)
    body = app.client.get("/v1/system", headers=bearer(ADMIN)).json()
    assert (body["version"], body["status"], body["uptimeSeconds"]) == (__version__, "ok", 90.0)
    assert body["checks"] == {"engine": "ok", "control": "ok", "spool": "ok", "disk": "ok"}
    assert body["spool"] == {"batches": 0, "bytes": 0, "limitBytes": app.here.settings.spool_bytes}
    assert 0 < body["disk"]["freeBytes"] <= body["disk"]["totalBytes"]


def test_only_an_admin_of_every_project_sees_the_server(app: Application) -> None:
    _, keys = app.make("web")
    assert app.client.get("/v1/system", headers=bearer(keys["admin"])).status_code == 403


def test_the_latest_runs_name_their_project(app: Application) -> None:
    name, keys = app.make("web")
    app.client.post("/v1/rollup/run", params={"project": name}, headers=bearer(keys["admin"]))
    run = app.client.get("/v1/system", headers=bearer(ADMIN)).json()["runs"][0]
    assert (run["job"], run["project"], run["status"], run["detail"]) == ("rollup run", name, "done", "0 days")


def test_refusals_are_told_by_reason_and_by_day(app: Application) -> None:
    app.clock.now = NOON
    name, keys = app.make("web")
    send(app, keys["ingest"], {"event": "ok", "userId": "u"}, {"event": ""}, {"event": ""})
    app.clock.now = NOON + timedelta(days=1)
    send(app, keys["ingest"], {"event": ""})
    ask = {"project": name, "from": "2028-05-09", "to": "2028-05-11"}
    body = app.client.get("/v1/rejections", params=ask, headers=bearer(keys["read"])).json()
    assert [(day["day"], day["events"]) for day in body["days"]] == [
        ("2028-05-09", 0), ("2028-05-10", 2), ("2028-05-11", 1)
    ]  # fmt: skip
    assert body["rejected"] == 3 == sum(reason["events"] for reason in body["reasons"])
    assert body["days"][1]["reasons"] == {body["reasons"][0]["reason"]: 2}


def test_refusals_are_those_of_the_project(app: Application) -> None:
    (mine, keys), (other, others) = app.make("web"), app.make("web")
    send(app, others["ingest"], {"event": ""})
    ask = {"from": "2028-05-01", "to": "2028-05-31"}
    own = app.client.get("/v1/rejections", params=ask, headers=bearer(keys["read"])).json()
    assert (own["project"], own["rejected"]) == (mine, 0)
    refused = app.client.get("/v1/rejections", params={**ask, "project": other}, headers=bearer(keys["read"]))
    assert refused.status_code == 404


def test_a_job_tells_why_it_failed_last() -> None:
    def away() -> None:
        raise EngineUnavailable("The engine does not answer.")

    clock = Clock(60)
    clock._add([("broken", away, 60), ("fine", lambda: None, 60)])
    clock._scheduler.start(paused=True)
    try:
        assert [job.last_at for job in clock.jobs()] == [None, None]
        for job in clock._scheduler.get_jobs():
            job.func(*job.args)
        assert [(job.name, job.error) for job in clock.jobs()] == [
            ("broken", "The engine does not answer."), ("fine", None)
        ]  # fmt: skip
        assert all(job.next_at and job.last_at for job in clock.jobs())
    finally:
        clock.stop()
