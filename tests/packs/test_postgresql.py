"""The application whose control store is on PostgreSQL and whose cache is Valkey: every pack, from key to answer."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tallymark.engine.base import Engine
from tallymark.experiment.decide import decide
from tallymark.packs.voice.evaluating import Evaluating
from tests.access.tokens import SECRET, token
from tests.packs.ab.serving import EVEN, Serving
from tests.packs.quiz.pupil import Quiz, part
from tests.packs.voice.assistant import NOON, Assistant
from tests.packs.voice.assistant import event as said_to_it
from tests.packs.world import ADMIN, Application, application, bearer
from tests.postgres import PostgresServer, postgres_server
from tests.valkey import Running, running

_PACKS = ["web", "ab", "voice", "quiz"]
_DAY = {"from": f"{NOON.date()}", "to": f"{NOON.date()}"}
_MINUTE = timedelta(minutes=1)

#: How long something may take on a busy machine, in seconds.
_PATIENCE = 60.0


@dataclass(frozen=True)
class World:
    """The application and what it stands on; a project with every pack."""

    application: Application
    postgres: PostgresServer
    valkey: Running
    name: str
    keys: dict[str, str]

    def ask(self, method: str, path: str, key: str = ADMIN, status: int = 200, **request: Any) -> Any:
        """The body of an answer of that status; questions are about the project, unless its name is None."""
        asked = {"project": self.name, **request.pop("params", {})}
        params = {name: value for name, value in asked.items() if value is not None}
        answer = self.application.client.request(method, path, params=params, headers=bearer(key), **request)
        assert answer.status_code == status, answer.text
        return answer.json()

    def ready(self) -> tuple[int, str]:
        """What a load balancer is told, of the control store too."""
        answer = self.application.client.get("/ready")
        return answer.status_code, answer.json()["checks"]["control"]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, engine: Engine) -> Iterator[World]:
    data: Path = tmp_path_factory.mktemp("postgresql")
    with running(data / "valkey") as valkey, postgres_server() as server, server.database() as url:
        settings = {"control": url, "cache": valkey.url, "jwt_secrets": (SECRET,), "settle_seconds": 0}
        settings["jwt_project_claim"] = ("app_metadata", "projects")
        with application(data, engine, NOON, **settings) as made:
            server.continue_ids(url, "projects")
            name, keys = made.make("web", packs=_PACKS)
            yield World(made, server, valkey, name, dict(keys))


def test_events_and_questions_are_taken(world: World) -> None:
    for _ in range(2):
        body = {"propertyId": world.name, "eventType": "page_view", "path": "/", "visitorId": "v1", "eventId": "e1"}
        sent = world.application.client.post("/web/v1/events", json=body)
        assert sent.status_code == 202, sent.text
    world.application.settle(world.name)
    told = world.ask("GET", "/v1/query", world.keys["read"], params={"metrics": "page_views", **_DAY})
    assert told["metrics"]["page_views"]["value"] == 1
    assert world.valkey.count("set") > 0
    assert world.ready() == (200, "ok")


def test_keys_are_issued_and_revoked(world: World) -> None:
    issued = world.ask("POST", "/v1/keys", status=201, json={"project": world.name, "scope": "read"})["key"]
    asked = {"metrics": "page_views", **_DAY}
    world.ask("GET", "/v1/query", issued["secret"], params=asked)
    assert world.ask("DELETE", f"/v1/keys/{issued['id']}")["key"]["revokedAt"] is not None
    world.ask("GET", "/v1/query", issued["secret"], status=401, params=asked)


def test_a_lead_comes_allows_and_goes(world: World) -> None:
    client, name = world.application.client, world.name
    form = {"email": "Ada@example.org", "visitorId": "ada", "propertyId": name, "consent": {"marketing": True}}
    assert client.post("/web/v1/leads/capture", json=form).json()["ok"] is True
    consent = {"email": "ada@example.org", "purposes": {"ads": False}, "propertyId": name}
    assert client.post("/web/v1/consent", json=consent).status_code < 300
    person = {"email": "ada@example.org", "propertyId": name}
    held = client.post("/web/v1/people/export", json=person, headers=bearer(ADMIN)).json()
    assert held["lead"]["email"] == "Ada@example.org"
    assert [(said["purpose"], said["state"]) for said in held["consents"]] == [
        ("marketing", "granted"), ("ads", "denied"),
    ]  # fmt: skip
    gone = client.post("/web/v1/leads/delete", json=person, headers=bearer(ADMIN)).json()
    assert (gone["deleted"]["leads"], gone["deleted"]["submissions"]) == (1, 1)
    left = client.post("/web/v1/people/export", json=person, headers=bearer(ADMIN)).json()
    assert (left["lead"], [said["state"] for said in left["consents"]][-1]) == (None, "erased")


def test_an_experiment_assigns_and_keeps(world: World) -> None:
    """By ids that fill 64 bits, above and below nothing."""
    made = {"key": "checkout", "variants": EVEN}
    world.ask("POST", "/v1/experiments", status=201, json=made)
    world.ask("POST", "/v1/experiments/checkout/start")
    serving = Serving(world.application, world.name, world.keys)
    experiment = serving.here.experiments.get(serving.id, "checkout")
    assert experiment is not None
    units = [f"u-{n}" for n in range(20)]
    assert {serving.actor(unit) >> 63 for unit in units} == {0, 1}
    expected = {unit: decide(experiment, unit, {}, None).variant for unit in units}
    assert {unit: serving.ask(unit, "checkout")["variant"] for unit in units} == expected
    assert serving.report() == len(units)
    world.application.clock.now += _MINUTE
    serving.change("checkout", variants=[{**EVEN[0], "weight": 1_000_000}, EVEN[1]])
    serving.forget_memory()
    again = {unit: serving.ask(unit, "checkout") for unit in units}
    world.application.clock.now -= _MINUTE
    assert {unit: told["variant"] for unit, told in again.items()} == expected
    assert {told["reason"] for told in again.values()} == {"STICKY"}
    assert [deed["action"] for deed in world.ask("GET", "/v1/experiments/checkout/audit")["audit"]][-1] == "create"


def test_an_answer_is_judged_by_rules(world: World) -> None:
    assistant = Assistant(world.application, world.name, world.keys)
    world.ask("POST", "/v1/evaluators", status=201, json={"key": "tone", "judge": "rules"})
    assistant.send(
        said_to_it("query", "q-1", transcript="How late is it?", user_id="ann"),
        said_to_it("outcome", "q-1", response="It is noon.", success=True),
    )
    assert assistant.join() == 1
    assert +Evaluating.of(assistant.here).run(_PATIENCE, world.application.project(world.name)) == {"judged": 1}
    (told,) = assistant.said("event = 'voice_evaluated'")
    assert (told["evaluator"], told["judge"]) == ("tone@1", "rules")
    assert world.ask("GET", "/v1/evaluators/tone")["counts"]["done"] == 1


def test_quizzes_have_owners_and_learners_see_themselves(world: World) -> None:
    quiz = Quiz(world.application, world.name, world.keys)
    for user, score in (("ann", 8), ("bob", 4)):
        attempt = {"user": user, "attemptId": f"a-{user}"}
        quiz.send(
            part("quiz_started", NOON - 2 * _MINUTE, **attempt),
            part("question_answered", NOON - _MINUTE, **attempt, questionId="q1", answer="b", correct=user == "ann"),
            part("quiz_submitted", NOON, **attempt, score=score, maxScore=8, timeMs=90_000),
        )
    assert quiz.make() == 2
    world.ask("PUT", "/quiz/api/v1/quizzes/algebra", json={"title": "Algebra", "owner": "tom"})
    world.ask("PUT", "/quiz/api/v1/quizzes/botany", json={"title": "Botany", "owner": "tess"})
    metadata = {"projects": [world.name]}
    ann, tom = token("ann", app_metadata=metadata), token("tom", app_metadata={**metadata, "tallymark_role": "teacher"})
    span = {"startDate": _DAY["from"], "endDate": _DAY["to"]}
    mine = world.ask("GET", "/quiz/api/v1/analytics/user/ann/metrics", ann, params=span)
    assert (mine["quizzesCompleted"], mine["averageScore"], mine["totalTimeSpent"]) == (1, 100, 90)
    world.ask("GET", "/quiz/api/v1/analytics/user/bob/metrics", ann, status=403, params=span)
    assert [deed.action for deed in quiz.here.audit.list(quiz.id) if deed.by == "user ann"] == ["refused"]
    assert [each["quizId"] for each in world.ask("GET", "/quiz/api/v1/quizzes", tom)["quizzes"]] == ["algebra"]
    theirs = world.ask("GET", "/quiz/api/v1/analytics/quiz/algebra/metrics", tom, params=span)
    assert (theirs["totalAttempts"], theirs["averageScore"], theirs["completionRate"]) == (2, 75, 1)
    world.ask("GET", "/quiz/api/v1/analytics/quiz/botany/metrics", tom, status=403, params=span)
    steps = {"step": ["quiz_started", "question_answered", "quiz_submitted"], **_DAY}
    funnel = world.ask("GET", "/v1/funnels", params=steps)
    assert [step["actors"] for step in funnel["steps"]] == [2, 2, 2]


def test_a_declared_funnel_a_sync_and_a_statement_are_kept(world: World) -> None:
    world.ask("PUT", "/v1/funnels/taken", json={"steps": ["quiz_started", "quiz_submitted"]})
    assert "taken" in [funnel["name"] for funnel in world.ask("GET", "/v1/funnels/declared")["funnels"]]
    place = {"cursor": '{"at":["1"]}', "rows": 2**62}
    world.ask("PUT", "/v1/syncs/results", json=place)
    assert world.ask("GET", "/v1/syncs/results")["sync"]["rows"] == 2**62
    said = {
        "id": "6690e6c9-3ef0-4ed3-8b37-7f3964730bee", "actor": {"account": {"homePage": "https://x.y", "name": "u"}},
        "verb": {"id": "http://adlnet.gov/expapi/verbs/attempted"}, "object": {"id": "https://x.y/chess"},
        "timestamp": NOON.isoformat(),
    }  # fmt: skip
    for _ in range(2):
        assert world.ask("POST", "/quiz/xapi/statements", world.keys["ingest"], json=said) == [said["id"]]
    other = {**said, "object": {"id": "https://x.y/go"}}
    world.ask("POST", "/quiz/xapi/statements", world.keys["ingest"], status=409, json=other)


def test_a_file_is_written_and_fetched(world: World) -> None:
    order = {"project": world.name, "what": "events", "format": "csv", **_DAY}
    export = world.ask("POST", "/v1/exports", status=202, json=order)
    until = time.monotonic() + _PATIENCE
    while (export := world.ask("GET", f"/v1/exports/{export['id']}"))["status"] not in ("done", "failed"):
        assert time.monotonic() < until, export
        time.sleep(0.02)
    assert export["status"] == "done", export
    link = urlsplit(export["downloadUrl"])
    lines = world.application.client.get(f"{link.path}?{link.query}").text.splitlines()
    assert len(lines) == export["rows"] + 1 > 6


def test_a_project_that_is_deleted_takes_all_of_it_along(world: World) -> None:
    name, keys = world.application.make("quiz", packs=_PACKS)
    here, project = world.application.here, world.application.project(name).id
    other = World(world.application, world.postgres, world.valkey, name, dict(keys))
    other.ask("PUT", "/quiz/api/v1/quizzes/algebra", json={"title": "", "owner": "tom"})
    other.ask("POST", "/v1/evaluators", status=201, json={"key": "tone", "judge": "rules"})
    other.ask("PUT", "/v1/syncs/results", json={"cursor": "1", "rows": 1})
    other.ask("DELETE", f"/v1/projects/{name}", params={"confirm": name})
    other.ask("POST", "/v1/purge", params={"project": None})
    left = (*here.quizzes.list(project), *here.syncs.of_project(project), *here.evaluators.all(project))
    assert left == ()
    assert len(here.quizzes.list(world.application.project(world.name).id)) == 2


def test_a_server_that_was_restarted_is_found_again(world: World) -> None:
    world.postgres.halt()
    status, said = world.ready()
    assert (status, "does not answer" in said) == (503, True)
    assert world.application.client.get("/health").status_code == 200
    assert world.application.client.get("/v1/keys", headers=bearer(world.keys["admin"])).status_code == 503
    world.postgres.start()
    assert world.ready() == (200, "ok")
    assert len(world.ask("GET", "/v1/keys", world.keys["admin"])["keys"]) >= 3


def test_a_valkey_that_is_gone_stops_nothing(world: World) -> None:
    world.valkey.kill()
    told = world.ask("GET", "/v1/query", world.keys["read"], params={"metrics": "page_views", **_DAY})
    assert told["metrics"]["page_views"]["value"] == 1
