"""The data of earlier versions opens, and gives the numbers it gave.

`data-VERSION.tar.xz` is the data directory that a server of that version left behind, with one project and 30 events of
three days; `answers-VERSION.json` is what it answered. `0.1.0-web` has a lead, too, and was made before there were
exports and names that a project's events may have. `0.1.0-sdk` has the pack sdk and a counter besides, and a finished
export that never expires; it was made before there were experiments. `0.1.0-ab` is the same with an experiment that
runs, 12 units that met a variant, and a funnel; it was made before there was anything of voice assistants.
`0.1.0-voice` is that with five exchanges and an evaluator that judged them; it was made before there were quizzes.
`0.1.0-quiz` is that with three attempts at a quiz whose owner is known, one more by a statement, and a sync; it was
made before there was a dashboard to sign in to.
"""

import hashlib
import json
import tarfile
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.server import ADMIN, RunningServer

HERE = Path(__file__).parent
VERSIONS = sorted(path.name.removeprefix("data-").removesuffix(".tar.xz") for path in HERE.glob("data-*.tar.xz"))
#: When unit-2 of `0.1.0-ab` was given its variant.
ASSIGNED_AT = "2026-11-30T20:54:04.115Z"
#: An xAPI statement that `0.1.0-quiz` took.
STATEMENT = "7c2e2f6e-8f2b-4c5e-9d7a-0a1b2c3d4e5f"
DAYS = {"from": "2026-01-01", "to": "2026-01-03"}


@pytest.fixture(params=VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    """An earlier version."""
    return str(request.param)


@pytest.fixture
def old(version: str, tmp_path: Path) -> Path:
    """Its data directory."""
    with tarfile.open(HERE / f"data-{version}.tar.xz") as archive:
        archive.extractall(tmp_path / "data", filter="data")
    return tmp_path / "data"


def _ask(client: httpx.Client, metrics: str, **more: str) -> dict[str, Any]:
    answer = client.get("/v1/query", params={"project": "old", "metrics": metrics, **DAYS, **more})
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def test_the_data_of_an_earlier_version_gives_the_numbers_it_gave(old: Path, version: str) -> None:
    before = json.loads((HERE / f"answers-{version}.json").read_text(encoding="utf-8"))
    with (
        RunningServer(old, TALLYMARK_SECRET="a secret of the tests") as server,
        httpx.Client(base_url=server.url, headers={"authorization": f"Bearer {ADMIN}"}, timeout=60) as client,
    ):
        client.post("/v1/rollup/run", params={"project": "old"}).raise_for_status()
        for exact in ("false", "true"):
            told = _ask(client, ",".join(before), exact=exact)["metrics"]
            assert {name: told[name]["value"] for name in before} == before
        assert client.get("/v1/rollup/check", params={"project": "old"}).json()["differences"] == []
        rows = _ask(client, "page_views", by="campaign")["breakdown"]
        assert {row["key"]: row["page_views"] for row in rows} == {"c0": 3, "c1": 6, "c2": 9, "c3": 12}
        sent = {"event": "page_view", "timestamp": "2026-01-02T12:00:00Z", "visitorId": "v1", "url": "/new?utm_term=t"}
        assert client.post("/v1/import", params={"project": "old"}, json=[sent]).json()["accepted"] == 1
        assert _ask(client, "page_views")["metrics"]["page_views"]["value"] == before["page_views"] + 1
        assert [row["key"] for row in _ask(client, "page_views", by="term")["breakdown"]] == ["", "t"]


def test_projects_of_an_earlier_version_take_any_names_and_can_be_exported(old: Path, version: str) -> None:
    with (
        RunningServer(old, TALLYMARK_SECRET="a secret of the tests") as server,
        httpx.Client(base_url=server.url, headers={"authorization": f"Bearer {ADMIN}"}, timeout=60) as client,
    ):
        project = client.get("/v1/projects/old").json()["project"]
        assert (project["eventNames"], project["maxEventNames"]) == (None, None)
        changed = client.patch("/v1/projects/old", json={"eventNames": ["page_view"]}).json()["project"]
        assert changed["eventNames"] == ["page_view"]
        assert project["publicSummary"] is True
        exports = client.get("/v1/exports", params={"project": "old"}).json()["exports"]
        assert [export["status"] for export in exports] == ["done"] * (
            version in ("0.1.0-sdk", "0.1.0-ab", "0.1.0-voice", "0.1.0-quiz")
        )


def test_a_lead_of_an_earlier_version_can_still_be_read(tmp_path: Path) -> None:
    with tarfile.open(HERE / "data-0.1.0-web.tar.xz") as archive:
        archive.extractall(tmp_path / "data", filter="data")
    with RunningServer(tmp_path / "data", TALLYMARK_SECRET="a secret of the tests") as server:
        leads = server.ask("GET", "/web/v1/leads", params={"propertyId": "site"}).json()["leads"]
    assert [lead["email"] for lead in leads] == ["ada@example.org"]


def test_counters_and_files_of_an_earlier_version_are_still_there(tmp_path: Path) -> None:
    with tarfile.open(HERE / "data-0.1.0-sdk.tar.xz") as archive:
        archive.extractall(tmp_path / "data", filter="data")
    with RunningServer(tmp_path / "data", TALLYMARK_SECRET="a secret of the tests") as server:
        asked = {"project": "old", "period": "monthly", "date": "2026-01"}
        told = server.ask("GET", "/sdk/api/v1/metrics", params=asked).json()["metrics"]
        (export,) = server.ask("GET", "/v1/exports", params={"project": "old"}).json()["exports"]
        file = httpx.get(export["downloadUrl"], trust_env=False).content
    assert told["sessions_created"] == {"value": 7, "uniqueApps": 1}
    assert hashlib.sha256(file).hexdigest() == export["sha256"]
    assert file.decode().splitlines()[2] == "2026-01-02,10,7"


def test_an_experiment_of_an_earlier_version_goes_on(tmp_path: Path) -> None:
    with tarfile.open(HERE / "data-0.1.0-ab.tar.xz") as archive:
        archive.extractall(tmp_path / "data", filter="data")
    with RunningServer(tmp_path / "data", TALLYMARK_SECRET="a secret of the tests") as server:
        asked = {"project": "old", "unitId": "unit-2", "experimentId": "button"}
        told = server.ask("POST", "/ab/v1/assignment", json=asked).json()
        day = {"from": "2026-11-30", "to": "2026-11-30"}
        exposed = server.ask("GET", "/v1/query", params={"project": "old", "metrics": "exposed_units", **day}).json()
        funnels = server.ask("GET", "/v1/funnels/declared", params={"project": "old"}).json()["funnels"]
        packs = ["ab", "sdk", "voice", "web"]
        server.ask("PATCH", "/v1/projects/old", json={"packs": packs}).raise_for_status()
        spoken = {"event_type": "voice_outcome", "query_id": "q", "transcript": "hello", "response": "hello there"}
        sent = server.ask("POST", "/voice/ingest", json={"project": "old", **spoken}).json()
        ran = server.ask("POST", "/v1/evaluations/run", params={"project": "old"}).json()
    assert (told["variant"], told["assignedAt"]) == ("control", ASSIGNED_AT)
    assert exposed["metrics"]["exposed_units"]["value"] == 12
    assert "buying" in [funnel["name"] for funnel in funnels]
    assert (sent["accepted"], ran["waiting"]) == (1, 0)


def test_exchanges_of_an_earlier_version_stay_judged_and_quizzes_can_be_taken_beside_them(tmp_path: Path) -> None:
    with tarfile.open(HERE / "data-0.1.0-voice.tar.xz") as archive:
        archive.extractall(tmp_path / "data", filter="data")
    with RunningServer(tmp_path / "data", TALLYMARK_SECRET="a secret of the tests") as server:
        packs = ["ab", "quiz", "sdk", "voice", "web"]
        server.ask("PATCH", "/v1/projects/old", json={"packs": packs}).raise_for_status()
        outcome = {"event_type": "voice_outcome", "query_id": "q-9", "timestamp": "2026-11-30T12:09:01Z"}
        server.ask("POST", "/voice/ingest", json={"project": "old", **outcome}).raise_for_status()
        query = {"event": "voice_query", "timestamp": "2026-11-30T12:09:00Z", "properties": {"queryId": "q-9"}}
        parts = [
            {"event": name, "timestamp": f"2026-11-30T12:0{place}:00Z", "userId": "u-1",
             "properties": {"quizId": "algebra", "attemptId": "a-1", **said}}
            for place, (name, said) in enumerate(
                (("quiz_started", {}), ("quiz_submitted", {"score": 7, "maxScore": 8}))
            )
        ]  # fmt: skip
        sent = server.ask("POST", "/v1/import", params={"project": "old"}, json=[query, *parts]).json()
        server.ask("GET", "/voice/stats/summary", params={"project": "old"}).raise_for_status()
        rows = server.ask("GET", "/quiz/tables/quiz_attempts", params={"project": "old", "from": "2026-11-30"}).json()
        for work in ("evaluations", "rollup"):
            server.ask("POST", f"/v1/{work}/run", params={"project": "old"}).raise_for_status()
        names = "voice_exchanges,voice_evaluations,voice_quality,quiz_attempts,quiz_score,quiz_time"
        asked = {"project": "old", "metrics": names, "from": "2026-11-30", "to": "2026-11-30"}
        told = server.ask("GET", "/v1/query", params=asked).json()["metrics"]
    assert sent["accepted"] == 3
    assert [(row["quiz_id"], row["state"], row["grade"]) for row in rows["rows"]] == [("algebra", "submitted", 87.5)]
    assert {name: metric["value"] for name, metric in told.items()} == {
        "voice_exchanges": 6, "voice_evaluations": 6, "voice_quality": 3.166667, "quiz_attempts": 1, "quiz_score": 87.5,
        "quiz_time": 60,
    }  # fmt: skip


def test_quizzes_of_an_earlier_version_are_still_whose_they_were_and_can_be_shown(tmp_path: Path) -> None:
    with tarfile.open(HERE / "data-0.1.0-quiz.tar.xz") as archive:
        archive.extractall(tmp_path / "data", filter="data")
    here = {"project": "old"}
    with RunningServer(tmp_path / "data", TALLYMARK_SECRET="a secret of the tests") as server:
        server.ask("POST", "/v1/rollup/run", params=here).raise_for_status()
        asked = {**here, "startDate": "2026-11-30", "endDate": "2026-11-30"}
        told = server.ask("GET", "/quiz/api/v1/analytics/quiz/algebra/metrics", params=asked).json()
        (quiz,) = server.ask("GET", "/quiz/api/v1/quizzes", params=here).json()["quizzes"]
        sync = server.ask("GET", "/v1/syncs/results", params=here).json()["sync"]
        again = {"id": STATEMENT, "actor": {"mbox": "mailto:other@school.example"}, "object": {"id": "https://a.example"},
                 "verb": {"id": "http://adlnet.gov/expapi/verbs/initialized"}}  # fmt: skip
        known = server.ask("POST", "/quiz/xapi/statements", params=here, json=again)
        note = server.ask("POST", "/v1/annotations", params=here, json={"day": "2026-11-30", "text": "Opened"})
        shared = server.ask("POST", "/v1/shares", params=here, json={"title": "Results"}).json()["token"]
        guest = server.ask("POST", "/v1/session", json={"share": shared})
    assert {name: told[name] for name in ("totalAttempts", "submitted", "learners", "averageScore", "timeSpent")} == {
        "totalAttempts": 3, "submitted": 2, "learners": 3, "averageScore": 75.0, "timeSpent": 40.0
    }  # fmt: skip
    assert (quiz["quizId"], quiz["owner"], sync["cursor"]) == ("algebra", "tom", "17")
    assert (known.status_code, note.status_code, guest.status_code) == (409, 201, 201)
