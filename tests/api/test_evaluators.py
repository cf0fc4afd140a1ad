"""`/v1/evaluators` and `/v1/evaluations` through the real application: defined, led, looked at, tried again."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tallymark.control.evaluation_queue import Judgement
from tallymark.control.evaluation_rows import Attempt
from tallymark.engine.base import Engine
from tallymark.spec.evaluation import SCORES, Failed, Fault, Usage, Verdict
from tallymark.spec.evaluator import Evaluator
from tests.packs.world import ADMIN, Application, application, bearer

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
TOLD = "2026-11-21T12:00:00.000Z"
TONE: dict[str, Any] = {"key": "tone", "judge": "rules", "sampleRate": 0.5}
MODEL: dict[str, Any] = {"key": "tone", "judge": "gemini", "model": "gemini-flash", "inputPrice": 0.3}
LARGE = 2**64 - 1
SECRET = "not-to-be-told"


@pytest.fixture(scope="module")
def app(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    data = tmp_path_factory.mktemp("evaluators")
    settings: dict[str, Any] = {
        "gemini_api_key": SECRET, "openai_api_key": SECRET, "eval_daily_tokens": 1_000, "eval_daily_usd": 0.0,
    }  # fmt: skip
    with application(data, engine, NOON, **settings) as running:
        yield running


class Api:
    """The evaluators of a new project, for one of its keys."""

    def __init__(self, app: Application) -> None:
        self.app = app
        self.project, self.keys = app.make("voice")
        self.project_id = app.project(self.project).id

    def ask(self, method: str, path: str = "", body: object = None, key: str = "admin") -> tuple[int, Any]:
        """Status and body of the answer; `key` is a scope of the project's, or a key."""
        headers = bearer(self.keys.get(key, key)) if key else {}
        sent: dict[str, Any] = {} if body is None else {"json": body}
        answer = self.app.client.request(method, f"/v1/{path}", headers=headers, **sent)
        assert SECRET not in answer.text
        return answer.status_code, answer.json()

    def done(self, method: str, path: str, body: object = None, key: str = "admin") -> Any:
        """What the answer holds."""
        status, answer = self.ask(method, path, body, key)
        assert status in (200, 201), answer
        return answer

    def refused(self, method: str, path: str, body: object = None, key: str = "admin") -> tuple[int, Any]:
        """Status and error of the answer."""
        status, answer = self.ask(method, path, body, key)
        return status, answer["error"]

    def made(self, **fields: Any) -> Evaluator:
        """A new evaluator, as the store knows it."""
        self.done("POST", "evaluators", {**TONE, **fields})
        found = self.app.here.evaluators.get(self.project_id, "tone")
        assert found is not None
        return found


@pytest.fixture
def api(app: Application) -> Api:
    return Api(app)


def test_a_whole_life(api: Api) -> None:
    status, answer = api.ask("POST", "evaluators", TONE)
    assert status == 201
    made = answer["evaluator"]
    assert made == {
        "key": "tone", "judge": "rules", "model": "", "prompt": "", "rubric": "", "sampleRate": 0.5, "filter": [],
        "inputPrice": 0, "outputPrice": 0, "name": "tone@1", "version": 1, "status": "active", "pauseReason": "",
        "failuresInRow": 0, "automatic": False, "createdAt": TOLD, "updatedAt": TOLD,
    }  # fmt: skip
    paused = api.done("POST", "evaluators/tone/pause")["evaluator"]
    assert paused["status"] == "paused"
    assert paused["pauseReason"].startswith("Paused by first (")
    assert api.done("POST", "evaluators/tone/resume")["evaluator"] == made
    archived = api.done("POST", "evaluators/tone/archive")["evaluator"]
    assert archived == {**made, "status": "archived"}
    assert api.done("GET", "evaluators", key="read") == {"evaluators": [archived]}
    assert api.refused("PATCH", "evaluators/tone", {"sampleRate": 1})[0] == 409


def test_a_change_makes_a_version(api: Api) -> None:
    api.done("POST", "evaluators", TONE)
    changed = api.done("PATCH", "evaluators/tone", {"sampleRate": 0.25, "filter": ["country:is:DE|AT"]})["evaluator"]
    assert (changed["name"], changed["judge"], changed["filter"]) == ("tone@2", "rules", ["country:is:DE|AT"])
    shown = api.done("GET", "evaluators/tone", key="read")
    assert shown["evaluator"] == changed
    assert [(each["version"], each["sampleRate"], each["createdAt"]) for each in shown["versions"]] == [
        (2, 0.25, TOLD), (1, 0.5, TOLD),
    ]  # fmt: skip
    assert shown["counts"] == {"waiting": 0, "running": 0, "done": 0, "dead": 0, "gone": 0}
    latest, first = api.done("GET", "evaluators/tone/audit", key="read")["audit"]
    assert (latest["action"], latest["detail"]["version"], latest["detail"]["sampleRate"]) == (
        "update", 2, {"from": 0.5, "to": 0.25},
    )  # fmt: skip
    assert (first["action"], first["by"]) == ("create", latest["by"])


def test_what_is_refused(api: Api) -> None:
    for body, field in (
        ({"key": "tone"}, "judge"),
        ({**TONE, "judge": "human"}, "judge"),
        ({**MODEL, "model": ""}, "model"),
        ({**TONE, "filter": ["country"]}, "filter.0"),
        ({**TONE, "filter": ["country:is:DE", "nowhere:is:x"]}, "filter.1"),
    ):
        status, error = api.refused("POST", "evaluators", body)
        assert (status, error["code"], error["field"]) == (400, "bad_request", field)
    api.done("POST", "evaluators", TONE)
    assert api.refused("POST", "evaluators", TONE)[0] == 409
    assert api.refused("PATCH", "evaluators/tone", {"filter": ["nowhere:is:x"]})[1]["field"] == "filter.0"
    assert api.refused("PATCH", "evaluators/tone", {"key": "other"})[1]["field"] == "key"
    assert api.refused("PATCH", "evaluators/tone", [])[0] == 400
    assert api.refused("POST", "evaluators/tone/resume")[1]["allowed"] == ["pause", "archive"]
    for method, path in (("GET", "none"), ("PATCH", "none"), ("POST", "none/pause"), ("GET", "none/audit")):
        assert api.refused(method, f"evaluators/{path}", {} if method == "PATCH" else None)[0] == 404


def test_a_filter_by_what_only_sessions_have_is_refused(api: Api) -> None:
    status, error = api.refused("POST", "evaluators", {**TONE, "filter": ["entry_path:is:/"]})
    assert (status, error["field"]) == (400, "filter.0")
    assert "entry_path" not in error["allowed"]


def test_who_may(api: Api, app: Application) -> None:
    for method, path, body in (
        ("POST", "evaluators", TONE),
        ("PATCH", "evaluators/tone", {}),
        ("POST", "evaluators/tone/pause", None),
        ("POST", "evaluations/retry", {}),
    ):
        assert api.refused(method, path, body, "read")[0] == 403
        assert api.refused(method, path, body, "")[0] == 401
    for path in ("evaluators", "evaluations/status", "evaluations/dead"):
        assert api.refused("GET", path, key="ingest")[0] == 403
        assert api.refused("GET", f"{path}?project={api.project}", key=Api(app).keys["read"])[0] == 404
        assert api.ask("GET", f"{path}?project={api.project}", key=ADMIN)[0] == 200


def test_a_project_without_the_pack_is_told_how_to_get_it(app: Application) -> None:
    name, keys = app.make("web")
    for path, things in (("evaluators", "Evaluators"), ("evaluations/status", "Evaluations")):
        answer = app.client.get(f"/v1/{path}", headers=bearer(keys["read"]))
        assert answer.status_code == 409
        assert answer.json()["error"]["message"] == (
            f"{things} need the pack 'voice', which project '{name}' does not have: "
            f"tallymark projects update {name} --pack web --pack voice"
        )


def judged(api: Api, evaluator: Evaluator) -> None:
    """Has one answer judged, one on its way, one dead and one waiting."""
    here = api.app.here
    cases = [(exchange, NOON - timedelta(hours=1)) for exchange in (1, 2, LARGE, 4)]
    assert here.evaluations.enqueue(evaluator, cases, NOON) == 4
    first, second, third = here.evaluation_queue.claim(NOON, 3, _others(api))
    said, usage = Verdict({score: 4 for score in SCORES}), Usage(500, 200)
    kept = here.evaluation_queue.judged(
        [Judgement(claimed, said, Attempt(NOON, usage=usage, cost=0.25)) for claimed in (first, second)]
    )
    here.evaluation_queue.done(kept[:1], NOON)
    failure = Failed(Fault.REFUSED, "It declined.", usage=Usage(10, 0))
    assert here.evaluation_queue.failed(third, failure, 40, 0.125, NOON, None)


def _others(api: Api) -> set[int]:
    return {project.id for project in api.app.here.projects.list()} - {api.project_id}


def test_how_far_judging_is(api: Api) -> None:
    evaluator = api.made()
    judged(api, evaluator)
    api.app.here.evaluators.hold(evaluator.id, NOON + timedelta(minutes=5))
    status = api.done("GET", "evaluations/status", key="read")
    assert status["evaluators"] == [
        {
            "evaluator": "tone@1", "status": "active", "pauseReason": "", "failuresInRow": 0,
            "heldUntil": "2026-11-21T12:05:00.000Z", "oldestWaiting": TOLD,
            "waiting": 1, "running": 1, "done": 1, "dead": 1, "gone": 0,
        }
    ]  # fmt: skip
    assert status["spent"] == {"day": "2026-11-21", "requests": 3, "tokens": 1_410, "costUsd": 0.625}
    assert (status["budgets"], status["usedUp"]) == ({"dailyTokens": 1_000, "dailyUsd": None}, True)
    assert api.done("GET", "evaluators/tone")["counts"] == {
        "waiting": 1, "running": 1, "done": 1, "dead": 1, "gone": 0,
    }  # fmt: skip


def test_a_judge_that_was_left_alone_is_not_any_more(api: Api) -> None:
    api.app.here.evaluators.hold(api.made().id, NOON)
    status = api.done("GET", "evaluations/status")
    assert (status["evaluators"][0]["heldUntil"], status["evaluators"][0]["oldestWaiting"]) == (None, None)
    assert (status["spent"]["tokens"], status["usedUp"]) == (0, False)


def test_dead_letters_and_trying_again(api: Api) -> None:
    judged(api, api.made())
    (dead,) = api.done("GET", "evaluations/dead", key="read")["dead"]
    assert {**dead, "id": 0} == {
        "id": 0, "evaluator": "tone@1", "exchange": "ffffffffffffffff", "occurredAt": "2026-11-21T11:00:00.000Z",
        "diedAt": TOLD, "error": "refused",
        "attempts": [
            {
                "at": TOLD, "outcome": "refused", "message": "It declined.", "ms": 40, "promptTokens": 10,
                "completionTokens": 0, "costUsd": 0.125,
            }
        ],
    }  # fmt: skip
    other = Api(api.app)
    assert other.done("POST", "evaluations/retry", {"ids": [dead["id"]]}) == {"requeued": 0}
    assert api.done("POST", "evaluations/retry", {"ids": []}) == {"requeued": 0}
    assert api.done("POST", "evaluations/retry", {"evaluator": "tone", "ids": [dead["id"]]}) == {"requeued": 1}
    assert api.done("POST", "evaluations/retry") == {"requeued": 0}
    assert api.done("GET", "evaluations/dead") == {"dead": []}
    assert api.done("GET", "evaluators/tone")["counts"]["waiting"] == 2


def test_what_can_not_be_tried_again(api: Api) -> None:
    for body, field in (
        ({"all": True}, "retry.all"),
        ({"ids": "1"}, "ids"),
        ({"ids": [0]}, "ids"),
        ({"ids": [True]}, "ids"),
        ({"evaluator": 1}, "evaluator"),
    ):
        status, error = api.refused("POST", "evaluations/retry", body)
        assert (status, error["field"]) == (400, field)
    assert api.refused("POST", "evaluations/retry", [])[0] == 400
    assert api.refused("POST", "evaluations/retry", {"evaluator": "none"})[0] == 404
    assert api.refused("GET", "evaluations/dead?limit=0")[0] == 400


def test_they_go_with_their_project(api: Api) -> None:
    evaluator = api.made()
    judged(api, evaluator)
    answer = api.app.client.delete(f"/v1/projects/{api.project}", headers=bearer(ADMIN))
    assert answer.status_code == 200
    here = api.app.here
    assert here.evaluators.all(api.project_id) == ()
    assert here.evaluations.standing(evaluator.id).counts == {}
    assert here.evaluations.spent(api.project_id, NOON.date()).requests == 0
