"""Archives through the front door: numbers outlive events, and events come back, here and elsewhere."""

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tallymark.engine.base import Engine
from tallymark.jobs.archives import Archivist
from tallymark.rollup.run import published
from tests.archive.desk import Desk, desk
from tests.packs.world import bearer

#: Long enough ago for events to be past a retention of a month; the engine's clock is the world's.
THEN = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=100)
MONTH = (THEN.replace(day=1) - timedelta(days=1)).strftime("%Y-%m")

METRICS = "page_views,visitors,sessions,bounce_rate,new_visitors"


def events() -> list[dict[str, Any]]:
    """What visitors did on some days of the month, a session across a midnight among it."""
    first = datetime.fromisoformat(f"{MONTH}-01").replace(tzinfo=UTC)
    views = [(n % 7, first + timedelta(days=3 + n % 4, hours=n % 20, minutes=n)) for n in range(40)]
    views += [(9, first + timedelta(days=4, hours=23, minutes=50 + n)) for n in range(0, 20, 4)]
    return [
        {
            "event": "page_view", "visitorId": f"v-{visitor}", "eventId": f"e-{n}", "timestamp": moment.isoformat(),
            "url": f"https://a.example/{n % 3}?utm_source=s{n % 2}",
        }
        for n, (visitor, moment) in enumerate(views)
    ]  # fmt: skip


def send(here: Desk) -> None:
    answer = here.ask("POST", "/v1/import", here.keys["admin"], json=events())
    assert (answer.status_code, answer.json()["rejected"]) == (202, [])


def numbers(here: Desk, name: str = "", **asked: str) -> dict[str, Any]:
    """The numbers of the month, with their days."""
    first = datetime.fromisoformat(f"{MONTH}-01")
    last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    params = {"project": name or here.name, "metrics": METRICS, "from": f"{first:%F}", "to": f"{last:%F}", **asked}
    answer = here.ask("GET", "/v1/query", params=params)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return {name: (told["value"], told["series"]) for name, told in body["metrics"].items()}


def raw(here: Desk) -> list[dict[str, Any]]:
    """Answers that only events and sessions give."""
    return [numbers(here, exact="true"), numbers(here, filter="path:is:/0;source:is:s0", metrics="page_views,visitors")]


def lines(answer: Any) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.text
    return [json.loads(line) for line in answer.text.splitlines()]


def test_numbers_stay_and_events_come_back(engine: Engine, tmp_path: Path) -> None:
    with desk(tmp_path, engine, THEN) as here:
        send(here)
        here.app.settle(here.name)
        before, details = numbers(here), raw(here)
        assert before["page_views"][0] == details[0]["page_views"][0] == 45
        (made,) = lines(here.ask("POST", "/v1/archives", params={"project": here.name, "month": MONTH}))
        archive = made["archive"]["id"]
        assert (made["written"], made["archive"]["rows"]) == (True, 45)

        here.app.clock.now = datetime.now(UTC)
        assert here.ask("PATCH", f"/v1/projects/{here.name}", json={"retention": "31d"}).status_code == 200
        assert _gone(here) == 45
        assert numbers(here) == before
        assert [told["page_views"][0] for told in raw(here)] == [0, 0]
        runs = published(engine, here.project.id)

        for written in (45, 0):
            restore = f"/v1/archives/{archive}/restore"
            (back,) = lines(here.ask("POST", restore, here.keys["admin"], params={"keep": "40d"}))
            assert (back["restored"]["rows"], back["restored"]["written"]) == (45, written)
            assert (numbers(here), raw(here)) == (before, details)
            here.app.settle(here.name)
            assert published(engine, here.project.id) == runs  # sealed days are left alone
        assert _gone(here) == 0  # they are past their time, and stay all the same
        assert (numbers(here), raw(here)) == (before, details)


def _gone(here: Desk) -> int:
    steps = here.ask("POST", "/v1/purge", params={"project": here.name}).json()["steps"]
    assert [step["error"] for step in steps if step["error"]] == []
    counts: dict[str, int] = {step["step"]: step["count"] for step in steps}
    return counts["events"]


def test_another_installation_has_the_same_numbers(engine: Engine, tmp_path: Path) -> None:
    with desk(tmp_path / "lost", engine, THEN, secret="the same") as here:
        send(here)
        here.app.settle(here.name)
        before = (numbers(here), raw(here))
        archive = lines(here.ask("POST", "/v1/archives", params={"project": here.name}))[-1]["archive"]
        shutil.copytree(here.folder, tmp_path / "new/files/archives")
    with desk(tmp_path / "new", engine, THEN, secret="the same") as here:
        assert here.ask("GET", "/v1/archives", here.keys["admin"]).json() == {"archives": []}
        assert here.ask("GET", "/v1/archives").json() == {"archives": [archive]}
        path = f"/v1/archives/{archive['id']}"
        assert here.ask("GET", path, here.keys["admin"]).status_code == 404
        refused = here.ask("POST", f"{path}/restore")
        assert (refused.status_code, refused.json()["error"]["field"]) == (404, "project")
        lines(here.ask("POST", f"{path}/restore", params={"project": here.name, "keep": "366d"}))
        here.app.settle(here.name)
        assert (numbers(here), raw(here)) == before
        assert here.ask("GET", "/v1/rollup/check", params={"project": here.name}).json()["differences"] == []
        assert here.ask("DELETE", f"/v1/projects/{here.name}").status_code == 200
        assert here.ask("GET", "/v1/archives").json() == {"archives": [archive]}  # another project's, of a like name


def test_who_may_what(engine: Engine, tmp_path: Path) -> None:
    with desk(tmp_path, engine, THEN) as here:
        send(here)
        other, keys = here.app.make("web")
        assert here.ask("POST", "/v1/archives", here.keys["read"], params={"month": MONTH}).status_code == 403
        (made,) = lines(here.ask("POST", "/v1/archives", here.keys["admin"], params={"month": MONTH}))
        path = f"/v1/archives/{made['archive']['id']}"
        for method, below in (("GET", ""), ("DELETE", ""), ("POST", "/restore")):
            assert here.ask(method, path + below, keys["admin"]).status_code == 404
            assert here.ask(method, path + below, here.keys["read"]).status_code == 403
            assert here.app.client.request(method, path + below).status_code == 401
        elsewhere = here.ask("POST", f"{path}/restore", here.keys["admin"], params={"project": other})
        assert elsewhere.status_code == 404
        columns = here.ask("GET", path, here.keys["admin"]).json().pop("columns")
        assert {"name": "precedence", "type": "uint64"} in columns
        assert here.ask("GET", "/v1/archives", here.keys["admin"]).json() == {"archives": [made["archive"]]}
        for params, status, field in (
            ({"month": "2026"}, 400, "month"), ({"month": "1999-01"}, 404, "month"),
            ({"month": THEN.strftime("%Y-%m")}, 404, "month"),
        ):  # fmt: skip
            answer = here.ask("POST", "/v1/archives", here.keys["admin"], params=params)
            assert (answer.status_code, answer.json()["error"]["field"]) == (status, field)
        assert here.ask("POST", f"{path}/restore", here.keys["admin"], params={"keep": "now"}).status_code == 400
        assert here.ask("DELETE", path, here.keys["admin"]).json() == {"deleted": made["archive"]}
        assert list(here.folder.iterdir()) == []


def test_a_projects_archives_go_with_it(engine: Engine, tmp_path: Path) -> None:
    with desk(tmp_path, engine, THEN) as here:
        send(here)
        here.make(MONTH)
        other = Desk(here.app, *here.app.make("web", retention="3650d"))
        send(other)
        kept = other.make(MONTH).archive
        assert here.ask("DELETE", f"/v1/projects/{here.name}").status_code == 200
        assert here.archives.shelf.all() == [kept]
        assert len(list(here.folder.iterdir())) == 2
        here.archives._workplace._patience = 0.1
        here.app.here.turns.leases.acquire("archives", "another process", 60)  # so that they can't go now
        assert here.ask("DELETE", f"/v1/projects/{other.name}").status_code == 200
        assert here.archives.shelf.all() == [kept]
        here.ask("POST", "/v1/purge")
        assert list(here.folder.iterdir()) == []


def test_every_past_month_once_a_day(engine: Engine, tmp_path: Path) -> None:
    with desk(tmp_path, engine, THEN) as here:
        send(here)
        brief = Desk(here.app, *here.app.make("web", retention="30d"))
        brief.ask("POST", "/v1/import", brief.keys["admin"], json=events())
        archivist = Archivist(here.app.here)
        archivist.daily()
        (archive,) = here.archives.shelf.all()
        assert (archive.month, archive.project.name, archive.rows, archive.complete) == (MONTH, here.name, 45, True)
        late = {**events()[0], "eventId": "late"}
        here.ask("POST", "/v1/import", here.keys["admin"], json=late)
        archivist.daily()
        assert here.archives.shelf.all() == [archive]
        here.app.clock.now += timedelta(days=1)
        archivist.daily()
        assert [one.rows for one in here.archives.shelf.all()] == [46]
        runs = here.app.here.job_runs.recent("archives")
        assert [(run.status, run.detail) for run in runs] == [("done", "1 archives written")] * 2
        assert here.app.client.get("/v1/archives", headers=bearer(here.keys["ingest"])).status_code == 403
