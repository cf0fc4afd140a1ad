"""`POST /v1/purge` through the real application: every step, what it says, and who may."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from litestar import Litestar
from litestar.testing import TestClient

from tallymark.app import build
from tallymark.config import Settings, load
from tallymark.control.database import Database, open_database
from tallymark.control.export_models import ExportRow
from tallymark.control.exports import Exports
from tallymark.control.jobs import JobRuns
from tallymark.control.leases import Leases
from tallymark.control.models import JobRunRow, LeaseRow, ProjectRow
from tallymark.control.salts import Salts
from tallymark.control.statements import Statements
from tallymark.engine.base import Engine
from tallymark.jobs.purge import INSTALLATION, PROJECT, Purge
from tallymark.spec.export import Format, Order, What
from tallymark.spec.window import Window

ADMIN = "admin-of-every-project"

#: The worker's engine is shared: projects here have ids that no other test's have.
FIRST_ID = 7_000_000

DAY = timedelta(days=1)
STEPS = [name for name, _ in (*INSTALLATION, *PROJECT)]


@dataclass
class Api:
    """The application, its control store, and a clock that goes when it is told."""

    settings: Settings
    engine: Engine
    database: Database
    client: TestClient[Litestar] = field(init=False)
    ahead: timedelta = timedelta(0)

    def now(self) -> float:
        """The application's clock."""
        return (datetime.now(UTC) + self.ahead).timestamp()

    def ask(self, method: str, path: str, key: str | None = ADMIN, **request: Any) -> tuple[int, Any]:
        """Status and body of the answer."""
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        answer = self.client.request(method, path, headers=headers, **request)
        return answer.status_code, answer.json()

    def project(self, name: str, **more: Any) -> dict[str, str]:
        """The keys of a new project."""
        status, body = self.ask("POST", "/v1/projects", json={"name": name, "packs": ["web"], **more})
        assert status == 201, body
        keys: dict[str, str] = body["keys"]
        return keys

    def send(self, key: str, *visitors: str, days_ago: float = 0, **fields: Any) -> None:
        """A page view of each visitor, sent that long ago."""
        self.ahead = -days_ago * DAY
        events = [{"event": "page_view", "visitorId": visitor, **fields} for visitor in visitors]
        assert self.ask("POST", "/v1/events", key, json=events) == (202, {"accepted": len(events), "rejected": []})
        self.ahead = timedelta(0)

    def purge(self, **params: Any) -> dict[tuple[str, str | None], int]:
        """What went, by step and project; steps that took nothing are left out."""
        status, body = self.ask("POST", "/v1/purge", params=params)
        assert status == 200, body
        assert body["dryRun"] is (params.get("dryRun") == "true")
        assert not [step for step in body["steps"] if step["error"]]
        return {(step["step"], step["project"]): step["count"] for step in body["steps"] if step["count"]}

    def numbers(self, name: str, exact: bool = False) -> list[int]:
        """Page views, visitors and sessions of the last ten days."""
        last = datetime.now(UTC).date()
        params: dict[str, Any] = {
            "project": name, "metrics": "page_views,visitors,sessions", "from": str(last - 10 * DAY), "to": str(last),
            "exact": str(exact).lower(),
        }  # fmt: skip
        status, body = self.ask("GET", "/v1/query", params=params)
        assert status == 200, body
        return [body["metrics"][metric]["value"] for metric in ("page_views", "visitors", "sessions")]


@pytest.fixture
def api(engine: Engine, tmp_path: Path) -> Iterator[Api]:
    environment = {
        "TALLYMARK_DATA": str(tmp_path), "ADMIN_API_KEY": ADMIN, "TALLYMARK_LINGER_MS": "0",
        "TALLYMARK_REFRESH_SECONDS": "3600", "TALLYMARK_SETTLE_SECONDS": "0",
    }  # fmt: skip
    settings = load(environment, tmp_path / "no.env")
    database = open_database(settings.control_url)
    start_ids(database)
    api = Api(settings, engine, database)
    with TestClient(build(settings, engine, now=api.now, clocked=False)) as client:
        api.client = client
        yield api
    database.close()


def start_ids(database: Database, first: list[int] = [FIRST_ID]) -> None:  # noqa: B006  # shared by all tests
    """Projects get ids that no other test's projects have."""
    now = datetime.now(UTC)
    with database.write() as session:
        session.add(
            ProjectRow(
                id=first[0], name="first", packs=[], timezone="UTC", retention_hours=1, pii="redact", bots="mark",
                created_at=now, deleted_at=now,
            )
        )  # fmt: skip
    first[0] += 100


def told(api: Api) -> dict[tuple[str, str | None], dict[str, Any]]:
    """Everything that a dry run says, by step and project."""
    body = api.ask("POST", "/v1/purge?dryRun=true")[1]
    return {(step["step"], step["project"]): step for step in body["steps"]}


def test_every_step_is_told_even_if_it_takes_nothing(api: Api) -> None:
    api.project("site")
    api.project("shop")
    status, body = api.ask("POST", "/v1/purge")
    assert status == 200
    installation = [(name, None) for name, _ in INSTALLATION]
    assert [(step["step"], step["project"]) for step in body["steps"]] == [
        *installation, *((name, project) for name, _ in PROJECT for project in ("shop", "site")),
    ]  # fmt: skip
    assert {(step["count"], step["note"], step["error"]) for step in body["steps"]} == {(0, None, None)}


def test_a_shorter_retention_takes_events_and_sessions_and_leaves_numbers(api: Api) -> None:
    keys = api.project("site")
    api.send(keys["ingest"], "ann", "bob", days_ago=6)
    api.send(keys["ingest"], "eve", days_ago=1)
    api.ask("POST", "/v1/rollup/run")
    assert api.numbers("site") == api.numbers("site", exact=True) == [3, 3, 3]
    assert api.purge() == {}
    assert api.ask("PATCH", "/v1/projects/site", json={"retention": "4d"})[0] == 200
    planned = api.purge(dryRun="true")
    day = (datetime.now(UTC) - 6 * DAY).date()
    assert told(api)["events", "site"]["note"] == f"seals {day}"
    assert api.numbers("site", exact=True) == [3, 3, 3]
    assert api.purge() == planned == {("events", "site"): 2, ("sessions", "site"): 2}
    assert api.numbers("site") == [3, 3, 3]
    assert api.numbers("site", exact=True) == [1, 1, 1]
    assert api.ask("GET", "/v1/rollup/status", params={"project": "site"})[1]["projects"][0]["sealedDays"] == 1
    assert api.purge(dryRun="true") == api.purge() == {}


def test_events_that_wait_for_a_refresh_are_rolled_up_first(api: Api) -> None:
    keys = api.project("site", retention="90d")
    api.send(keys["ingest"], "ann", "bob", days_ago=6)
    api.ask("PATCH", "/v1/projects/site", json={"retention": "2d"})
    assert api.purge(project="site")["events", "site"] == 2
    assert api.numbers("site") == [2, 2, 2]
    assert api.numbers("site", exact=True) == [0, 0, 0]


def test_one_project_alone(api: Api) -> None:
    for name in ("site", "shop"):
        api.send(api.project(name)["ingest"], "ann", days_ago=6)
        api.ask("PATCH", f"/v1/projects/{name}", json={"retention": "2d"})
    api.ask("POST", "/v1/rollup/run")
    expired_lease(api)
    assert api.purge(project="site") == {("events", "site"): 1, ("sessions", "site"): 1}
    assert api.numbers("shop", exact=True) == [1, 1, 1]
    assert api.purge(dryRun="true").keys() == {("leases", None), ("events", "shop"), ("sessions", "shop")}
    (run,) = JobRuns(api.database).recent("purge")
    assert (run.status, run.detail) == ("done", "1 events; 1 sessions")


def test_keys_past_their_expiry_are_revoked(api: Api) -> None:
    api.project("site")
    body = {"project": "site", "scope": "read", "expiresAt": (datetime.now(UTC) + DAY).isoformat()}
    key = api.ask("POST", "/v1/keys", json=body)[1]["key"]
    assert api.purge() == {}
    api.ahead = 2 * DAY
    assert api.purge(dryRun="true") == {("keys", "site"): 1}
    listed = {k["id"]: k for k in api.ask("GET", "/v1/keys")[1]["keys"]}
    assert listed[key["id"]]["revokedAt"] is None
    assert api.purge() == {("keys", "site"): 1}
    listed = {k["id"]: k for k in api.ask("GET", "/v1/keys")[1]["keys"]}
    assert listed[key["id"]]["revokedAt"] is not None
    assert sum(k["revokedAt"] is not None for k in listed.values()) == 1
    assert api.purge() == {}


def test_pins_past_their_time_go(api: Api) -> None:
    keys = api.project("site", retention="2d")
    api.send(keys["ingest"], "ann", eventId="e-1")
    assert api.purge() == {}
    api.ahead = 6 * DAY
    assert api.purge(dryRun="true") == api.purge() == {("pins", "site"): 1}
    assert api.purge() == {}


def test_statements_past_their_time_go(api: Api) -> None:
    api.project("site", retention="2d")
    project = api.ask("GET", "/v1/projects/site")[1]["project"]["id"]
    Statements(api.database).note(project, {"a": "0" * 64}, datetime.now(UTC))
    assert api.purge() == {}
    api.ahead = 3 * DAY
    assert api.purge(dryRun="true") == api.purge() == {("statements", "site"): 1}
    assert api.purge() == {}


def test_old_salts_go(api: Api) -> None:
    salts, today = Salts(api.database), datetime.now(UTC).date()
    for age in range(6):
        salts.of(today - age * DAY)
    assert api.purge(dryRun="true") == api.purge() == {("salts", None): 2}
    assert Salts(api.database).count(today - 2 * DAY) == 1
    assert api.purge() == {}


def test_old_job_runs_go(api: Api) -> None:
    long_ago = datetime.now(UTC) - 31 * DAY
    with api.database.write() as session:
        session.add_all(
            JobRunRow(job="refresh", project_id=None, status="done", detail="", started_at=at, finished_at=at)
            for at in (long_ago, long_ago + 2 * DAY)
        )
    assert api.purge(dryRun="true") == api.purge() == {("job_runs", None): 1}
    assert api.purge() == {}


def expired_lease(api: Api) -> None:
    with api.database.write() as session:
        session.add(LeaseRow(name="gone", holder="gone", expires_at=datetime.now(UTC) - DAY))


def test_leases_that_were_left_behind_go(api: Api) -> None:
    Leases(api.database).acquire("kept", "someone", 3_600)
    expired_lease(api)
    assert api.purge(dryRun="true") == api.purge() == {("leases", None): 1}
    assert not Leases(api.database).acquire("kept", "another", 60)


def export_file(api: Api, name: str, age: timedelta) -> None:
    """A file of that age where those of exports are."""
    path = api.settings.files_path / "exports" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("rows")
    written = (datetime.now(UTC) - age).timestamp()
    os.utime(path, (written, written))


def export_names(api: Api) -> list[str]:
    return sorted(path.name for path in (api.settings.files_path / "exports").iterdir())


def test_exports_go_with_their_time_and_are_listed_a_week_longer(api: Api) -> None:
    api.project("site")
    project, now = api.client.app.state.projects.find("site"), datetime.now(UTC)
    order = Order(What.EVENTS, Format.CSV, Window(now.date(), now.date()))
    with api.database.write() as session:
        session.add(
            ExportRow(
                id=f"exp_{'a' * 32}", project_id=project.id, asked=msgspec.json.encode(order).decode(), status="done",
                holder="", attempt=1, crashes=0, failures=0, what="events", rows=1, created_at=now, finished_at=now,
                expires_at=now + DAY,
            )
        )  # fmt: skip
    export_file(api, f"exp_{'a' * 32}.csv", DAY)
    assert api.purge() == {}
    api.ahead = DAY + timedelta(minutes=1)
    assert api.purge(dryRun="true") == {("exports", None): 1}
    assert export_names(api) == [f"exp_{'a' * 32}.csv"]
    assert api.purge() == {("exports", None): 1}
    assert export_names(api) == []
    exports = Exports(api.database)
    assert [export.status for export in exports.of_project(project.id)] == ["expired"]
    api.ahead = 8 * DAY - timedelta(minutes=1)
    assert api.purge() == {}
    api.ahead = 8 * DAY + timedelta(minutes=1)
    assert api.purge(dryRun="true") == api.purge() == {("exports", None): 1}
    assert exports.of_project(project.id) == ()


def test_files_that_belong_to_no_export_go(api: Api) -> None:
    old, young = f"exp_{'o' * 32}", f"exp_{'y' * 32}"
    for name, hours in ((f"{old}.csv", 2), (f"{young}.csv", 0.5), ("mine.csv", 200)):
        export_file(api, name, timedelta(hours=hours))
    draft = api.settings.files_path / "drafts" / f"{old}-1"
    draft.mkdir(parents=True)
    written = (datetime.now(UTC) - timedelta(hours=2)).timestamp()
    os.utime(draft, (written, written))
    assert api.purge(dryRun="true") == {("exports", None): 2}
    assert (len(export_names(api)), draft.exists()) == (3, True)
    assert api.purge() == {("exports", None): 2}
    assert (export_names(api), draft.exists()) == ([f"{young}.csv", "mine.csv"], False)


def test_a_dry_run_changes_nothing(api: Api) -> None:
    keys = api.project("site")
    api.send(keys["ingest"], "ann", days_ago=6)
    api.ask("PATCH", "/v1/projects/site", json={"retention": "2d"})
    before = "\n".join(dump(api))
    assert api.purge(dryRun="true") == {("events", "site"): 1}
    assert "\n".join(dump(api)) == before
    assert api.numbers("site", exact=True)[0] == 1


def dump(api: Api) -> Iterator[str]:
    with api.database.read() as session:
        yield from session.connection().connection.driver_connection.iterdump()  # type: ignore[union-attr]
    for table in ("events", "runs", "sessions", "rollups"):
        rows = api.engine.query(f"SELECT toString(tuple(*)) FROM {table} WHERE project >= {FIRST_ID}")
        yield from sorted(row[0] for row in rows)


def test_who_may(api: Api) -> None:
    keys = api.project("site")
    for path in ("/v1/purge", "/v1/purge?project=site"):
        assert api.ask("POST", path, None)[1]["error"]["code"] == "unauthorized"
        for scope in ("ingest", "read", "admin"):
            status, body = api.ask("POST", path, keys[scope])
            assert (status, body["error"]["code"]) == (403, "forbidden")
    assert api.ask("POST", "/v1/purge?project=nowhere")[0] == 404
    assert api.ask("POST", "/v1/purge?dryRun=perhaps")[0] == 400


def purge_of(api: Api, now: datetime) -> Purge:
    """The daily job of another process at that time."""
    run: Purge = api.client.app.state.purge.__self__
    return replace(run, turns=replace(run.turns, holder="another", now=now.timestamp))


def test_once_a_day_after_half_past_midnight(api: Api) -> None:
    keys, runs = api.project("site"), JobRuns(api.database)
    api.send(keys["ingest"], "ann", days_ago=6)
    api.ask("PATCH", "/v1/projects/site", json={"retention": "2d"})
    noon = datetime.now(UTC).replace(hour=12)
    api.ahead = noon - datetime.now(UTC)
    purge_of(api, noon).daily()
    purge_of(api, noon).daily()
    (first,) = runs.recent("purge")
    assert (first.status, first.project_id, first.detail) == ("done", None, "1 events; 1 sessions")
    midnight = (noon + DAY).replace(hour=0, minute=29)
    purge_of(api, midnight).daily()
    assert len(runs.recent("purge")) == 1
    Leases(api.database).acquire("purge", "a third", 60)
    purge_of(api, midnight + timedelta(minutes=1)).daily()
    assert len(runs.recent("purge")) == 1
    Leases(api.database).release("purge", "a third")
    purge_of(api, midnight + timedelta(minutes=1)).daily()
    assert len(runs.recent("purge")) == 2


def test_a_purge_that_failed_comes_again(api: Api) -> None:
    keys, runs = api.project("site"), JobRuns(api.database)
    api.send(keys["ingest"], "ann", days_ago=6)
    api.ask("PATCH", "/v1/projects/site", json={"retention": "2d"})
    project = api.client.app.state.projects.find("site")
    api.client.app.state.services.keeper.stop()
    purge_of(api, datetime.now(UTC)).daily()
    (failed,) = runs.recent("purge")
    assert failed.status == "failed"
    assert failed.detail.startswith("events of site: The server is stopping")
    assert api.engine.query(f"SELECT count() FROM events WHERE project = {project.id}") == [(1,)]
    purge_of(api, datetime.now(UTC)).daily()
    assert [run.status for run in runs.recent("purge")] == ["done", "failed"]
    assert api.engine.query(f"SELECT count() FROM events WHERE project = {project.id}") == [(0,)]
