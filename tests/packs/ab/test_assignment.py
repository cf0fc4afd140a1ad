"""`POST /ab/v1/assignment` through the real application: what units get, keep, and are told."""

from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tallymark.engine.base import Engine
from tallymark.experiment.decide import decide
from tests.packs.ab.serving import EVEN, NOON_MS, Serving
from tests.packs.world import ADMIN, application, bearer

PATH = "/ab/v1/assignment"
GREEN = {"colour": "green", "size": 2}


def test_a_unit_gets_what_the_hash_says_and_its_value(serving: Serving) -> None:
    serving.run("checkout")
    experiment = serving.here.experiments.get(serving.id, "checkout")
    assert experiment is not None
    told = {unit: serving.ask(unit, "checkout") for unit in (f"u-{n}" for n in range(40))}
    for unit, each in told.items():
        expected = decide(experiment, unit, {}, None)
        assert each == {
            "experimentId": "checkout", "variant": expected.variant,
            "value": GREEN if expected.variant == "green" else "blue", "inExperiment": True, "reason": "ASSIGNED",
            "assignedAt": "2028-02-29T12:00:00.000Z",
        }  # fmt: skip
    assert min(Counter(each["variant"] for each in told.values()).values()) > 5


@pytest.mark.parametrize("restarted", [False, True])
def test_an_assignment_stays_when_weights_change(serving: Serving, restarted: bool) -> None:
    serving.run("checkout")
    before = {unit: serving.ask(unit, "checkout")["variant"] for unit in (f"u-{n}" for n in range(20))}
    serving.application.clock.now += timedelta(hours=1)
    serving.change("checkout", variants=[{**EVEN[0], "weight": 1_000_000}, EVEN[1]], coverage=0.01)
    if restarted:
        serving.forget_memory()
    for unit, variant in before.items():
        told = serving.ask(unit, "checkout")
        assert (told["variant"], told["reason"], told["assignedAt"]) == (variant, "STICKY", "2028-02-29T12:00:00.000Z")
    assert {serving.ask(f"new-{n}", "checkout")["variant"] for n in range(20)} == {"blue"}


def test_rules_come_before_what_is_stored(serving: Serving) -> None:
    serving.run("checkout", targeting=[{"attribute": "plan", "op": "is", "values": ["pro"]}])
    assert serving.ask("u-1", "checkout", attributes={"plan": "pro"})["inExperiment"] is True
    left = serving.ask("u-1", "checkout", attributes={"plan": "free"})
    assert (left["variant"], left["inExperiment"], left["reason"]) == ("blue", False, "NOT_TARGETED")
    assert left["assignedAt"] is None
    assert serving.ask("u-2", "checkout")["reason"] == "NOT_TARGETED"
    serving.application.clock.now += timedelta(hours=1)
    serving.forget_memory()
    assert serving.ask("u-1", "checkout", attributes={"plan": "pro"})["reason"] == "STICKY"


def test_attributes_are_nowhere_afterwards(serving: Serving) -> None:
    serving.run("checkout")
    serving.ask("someone-we-know", "checkout", attributes={"mail": "ada@example.org"})
    serving.report()
    data = serving.here.settings.data
    found = [path for path in data.rglob("*") if path.is_file() and b"ada@example" in path.read_bytes()]
    named = [path for path in data.rglob("*") if path.is_file() and b"someone-we-know" in path.read_bytes()]
    assert (found, named) == ([], [])


def test_one_that_is_named_is_met_and_others_are_not(serving: Serving) -> None:
    for key in ("a", "b"):
        serving.run(key)
    serving.ask("prefetched")
    serving.ask("several", experimentIds=["a", "b"])
    serving.ask("silent", "a", exposure=False)
    assert serving.report() == 0
    serving.ask("named", "a")
    serving.ask("all", exposure=True)
    assert serving.report() == 3
    assert Counter(serving.stored("actor")) == {(serving.actor("named"),): 1, (serving.actor("all"),): 2}


def test_a_bot_gets_a_variant_and_meets_none(serving: Serving) -> None:
    serving.run("checkout")
    googlebot = {"User-Agent": "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"}
    asks: tuple[tuple[str, dict[str, Any]], ...] = (
        (PATH, {"unitId": "u-1", "experimentId": "checkout"}),
        ("/ofrep/v1/evaluate/flags/checkout", {"context": {"targetingKey": "u-2"}}),
    )
    for path, body in asks:
        answer = serving.application.client.post(path, json=body, params={"project": serving.name}, headers=googlebot)
        assert (answer.status_code, answer.json()["variant"] in ("blue", "green")) == (200, True)
    assert serving.report() == 0
    for path, body in asks:
        assert serving.post(path, body).status_code == 200  # a program's library is no bot here
    assert serving.report() == 2


def test_who_takes_no_part_is_not_exposed(serving: Serving) -> None:
    serving.run("checkout", targeting=[{"attribute": "plan", "op": "exists"}])
    serving.run("forced", forced={"u-1": "green"})
    assert serving.ask("u-1", "checkout")["inExperiment"] is False
    assert (serving.ask("u-1", "forced")["variant"], serving.report()) == ("green", 0)
    assert serving.here.assignments.of(serving.id, [serving.actor("u-1")]) == {serving.actor("u-1"): {}}


def test_all_are_those_that_run(serving: Serving) -> None:
    for key in ("first", "second", "third"):
        serving.run(key)
    serving.here.experiments.stop(serving.id, "second", serving.doer)
    serving.here.experiment_book.forget()
    assert [each["experimentId"] for each in serving.ask("u-1")["assignments"]] == ["first", "third"]
    named = serving.ask("u-1", experimentIds=["second", "first", "second"])["assignments"]
    assert [(each["experimentId"], each["reason"]) for each in named] == [("second", "STOPPED"), ("first", "STICKY")]


def test_a_stopped_one_gives_control_to_who_had_another(serving: Serving) -> None:
    serving.run("checkout", [{"key": "off", "weight": 0}, {"key": "on", "weight": 1, "value": True}])
    assert serving.ask("u-1", "checkout")["value"] is True
    serving.here.experiments.stop(serving.id, "checkout", serving.doer)
    serving.here.experiment_book.forget()
    told = serving.ask("u-1", "checkout")
    assert (told["variant"], told["inExperiment"], told["reason"]) == ("off", False, "STOPPED")


@pytest.mark.parametrize("name", ["unitId", "unit_id", "userId", "user_id", "deviceId", "device_id"])
@pytest.mark.parametrize("experiment", ["experimentId", "experiment_id", "experimentKey", "experiment"])
def test_clients_spell_as_they_do(serving: Serving, name: str, experiment: str) -> None:
    serving.run("checkout")
    expected = serving.ask("17", "checkout")["variant"]
    for given in ("17", 17):
        answer = serving.post(PATH, {name: given, experiment: "checkout", "other": 1})
        assert (answer.json()["variant"], answer.json()["reason"]) == (expected, "STICKY")


@pytest.mark.parametrize(
    ("body", "error", "field"),
    [
        ({"experimentId": "checkout"}, "missing_unit_id", "unitId"),
        ({"experimentId": "checkout", "userId": ""}, "missing_unit_id", "unitId"),
        ({"unitId": 1.5}, "bad_request", "unitId"),
        ({"unitId": True}, "bad_request", "unitId"),
        ({"unitId": "x" * 513}, "bad_request", "unitId"),
        ({"unitId": "u", "attributes": [1]}, "bad_request", "attributes"),
        ({"unitId": "u", "experimentId": 7}, "bad_request", "experimentId"),
        ({"unitId": "u", "experimentIds": "checkout"}, "bad_request", "experimentId"),
        ({"unitId": "u", "experimentIds": ["a"] * 101}, "bad_request", "experimentIds"),
        ({"unitId": "u", "exposure": "yes"}, "bad_request", "exposure"),
        ({"unitId": "u", "project": 7}, "bad_request", "project"),
        ([], "bad_request", None),
        ("text", "bad_request", None),
    ],
)
def test_what_is_wrong_is_said(serving: Serving, body: Any, error: str, field: str | None) -> None:
    answer = serving.post(PATH, body)
    told = answer.json()
    assert (answer.status_code, told["success"], told["error"], told.get("field")) == (400, False, error, field)


def test_an_unknown_experiment_is_said_with_those_that_run(serving: Serving) -> None:
    serving.run("checkout")
    answer = serving.post(PATH, {"unitId": "u-1", "experimentId": "chekout"})
    told = answer.json()
    assert (answer.status_code, told["error"], told["allowed"]) == (404, "unknown_experiment", ["checkout"])
    assert "u-1" not in answer.text


def test_no_answer_tells_the_unit(serving: Serving) -> None:
    serving.run("checkout")
    for body in ({"unitId": "secret-7"}, {"unitId": "secret-7", "experimentId": "checkout"}):
        assert "secret-7" not in serving.post(PATH, body).text


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 100_000, b"x" * 70_000])
def test_a_body_that_is_none(serving: Serving, body: bytes) -> None:
    answer = serving.application.client.post(PATH, content=body, params={"project": serving.name})
    assert (answer.status_code, answer.json()["success"]) in ((400, False), (413, False))


def test_projects_are_apart(serving: Serving) -> None:
    other = serving.fresh()
    serving.run("checkout")
    other.run("checkout", [{"key": "only", "weight": 1}, {"key": "never", "weight": 0}])
    assert other.ask("u-1", "checkout")["variant"] == "only"
    assert serving.ask("u-1", "checkout")["variant"] in ("blue", "green")
    answer = serving.post(PATH, {"unitId": "u-1", "experimentId": "checkout", "project": other.name})
    assert answer.json()["variant"] == "only"
    assert serving.post(PATH, {"unitId": "u-1"}, project="nobody").status_code == 404


def test_a_key_says_whose_it_is_and_is_looked_at(serving: Serving) -> None:
    serving.run("checkout")
    body = {"unitId": "u-1", "experimentId": "checkout"}
    client = serving.application.client
    assert client.post(PATH, json=body, headers=bearer(serving.keys["ingest"])).status_code == 200
    assert client.post(PATH, json=body, params={"key": serving.keys["ingest"]}).status_code == 200
    assert client.post(PATH, json=body, headers=bearer("nobody's")).status_code == 401
    assert client.post(PATH, json=body, headers=bearer(serving.keys["read"])).status_code == 403
    assert serving.post(PATH, body, key=serving.fresh().keys["ingest"]).status_code == 403
    assert client.get(PATH).status_code == 405


def test_where_it_is_closed_a_key_is_needed(tmp_path: Path, engine: Engine, serving: Serving) -> None:
    with application(tmp_path, engine, serving.application.clock.now, ab_capture="keyed") as found:
        closed = Serving(found).fresh()
        closed.run("checkout")
        body = {"unitId": "u-1", "experimentId": "checkout"}
        for path in (PATH, "/ab/v1/events", "/ofrep/v1/evaluate/flags", "/ofrep/v1/evaluate/flags/checkout"):
            assert closed.post(path, body).status_code == 401
        assert closed.post(PATH, body, key=closed.keys["ingest"]).status_code == 200


def test_deleting_a_project_takes_its_assignments(serving: Serving) -> None:
    serving.run("checkout")
    serving.ask("u-1", "checkout")
    project, actor = serving.id, serving.actor("u-1")
    held = serving.here.assignments.of(project, [actor])[actor]
    assert [(one.assigned_at, one.exposed_at) for one in held.values()] == [(NOON_MS, NOON_MS)]
    answer = serving.application.client.delete(f"/v1/projects/{serving.name}", headers=bearer(ADMIN))
    assert answer.status_code in (200, 204), answer.text
    assert serving.here.assignments.of(project, [actor]) == {actor: {}}
    assert serving.here.assignments.known(project, actor) is None


def test_a_list_that_is_too_long(serving: Serving) -> None:
    serving.run("checkout")
    for attributes, name in (({"tags": [1] * 101}, "tags"), ({"device": {"fonts": [1] * 101}}, "device.fonts")):
        answer = serving.post(PATH, {"unitId": "u-1", "attributes": attributes})
        told = answer.json()
        assert (answer.status_code, told["error"], told["field"]) == (400, "bad_request", f"attributes.{name}")
        assert told["allowed"] == ["at most 100 items"]
    assert serving.ask("u-1", "checkout", attributes={"tags": [1] * 100})["inExperiment"] is True
