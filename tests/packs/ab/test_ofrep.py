"""The OpenFeature Remote Evaluation Protocol: by hand, and by the client that others have written for it."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from openfeature import api
from openfeature.client import OpenFeatureClient
from openfeature.contrib.provider.ofrep import OFREPProvider
from openfeature.evaluation_context import EvaluationContext
from openfeature.exception import ErrorCode
from openfeature.flag_evaluation import Reason

from tests.packs.ab.serving import NOON, Serving
from tests.server import RunningServer

FLAGS = "/ofrep/v1/evaluate/flags"

VALUES: dict[str, Any] = {
    "flag": True, "nothing": False, "text": "green", "number": 7, "share": 0.25, "whole": 2.0, "zero": 0, "empty": "",
    "object": {"a": [1, "b"]},
}  # fmt: skip


def variants(value: Any) -> list[dict[str, Any]]:
    """Everybody gets the value."""
    return [{"key": "off", "weight": 0, "value": None}, {"key": "on", "weight": 1, "value": value}]


def one(serving: Serving, key: str, unit: str = "u-1", **attributes: Any) -> dict[str, Any]:
    """A flag of a unit."""
    answer = serving.post(f"{FLAGS}/{key}", {"context": {"targetingKey": unit, **attributes}})
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def every(serving: Serving, tag: str | None = None, **context: Any) -> httpx.Response:
    """All flags of a context, unless the sender has them."""
    headers = {} if tag is None else {"If-None-Match": tag}
    body = {"context": {"targetingKey": "u-1", **context}}
    return serving.application.client.post(FLAGS, json=body, params={"project": serving.name}, headers=headers)


def test_values_have_their_json_types(serving: Serving) -> None:
    for name, value in VALUES.items():
        serving.run(name, variants(value))
    told = {flag["key"]: flag for flag in every(serving).json()["flags"]}
    assert list(told) == sorted(VALUES)
    for name, value in VALUES.items():
        for flag in (told[name], one(serving, name)):
            assert (flag["value"], type(flag["value"])) == (value, type(value))
            assert (flag["reason"], flag["variant"], flag["metadata"]) == ("SPLIT", "on", {"inExperiment": True})


def test_a_variant_without_a_value_has_its_key(serving: Serving) -> None:
    serving.run("checkout", variants(None))
    assert one(serving, "checkout")["value"] == "on"


def test_reasons_are_those_of_openfeature(serving: Serving) -> None:
    rule = {"attribute": "plan", "op": "is", "values": ["pro"]}
    serving.run("split", variants(1))
    serving.run("kept-away", variants(1), targeting=[rule])
    serving.run("uncovered", variants(1), coverage=0)
    serving.run("forced", variants(1), forced={"u-1": "off"})
    serving.run("killed", variants(1), killed=True)
    for key in ("stopped", "shipped"):
        serving.run(key, variants(1))
    serving.here.experiments.stop(serving.id, "stopped", serving.doer)
    serving.here.experiments.ship(serving.id, "shipped", "on", serving.doer)
    serving.here.experiment_book.forget()
    expected = {
        "split": ("SPLIT", "on", None),
        "kept-away": ("DEFAULT", "off", "NOT_TARGETED"),
        "uncovered": ("DEFAULT", "off", "NOT_COVERED"),
        "forced": ("TARGETING_MATCH", "off", "FORCED"),
        "killed": ("DISABLED", "off", "KILLED"),
        "stopped": ("DISABLED", "off", "STOPPED"),
        "shipped": ("STATIC", "on", "SHIPPED"),
    }
    flags = every(serving).json()["flags"]
    told = {flag["key"]: (flag["reason"], flag["variant"], flag["metadata"].get("why")) for flag in flags}
    assert told == expected
    assert {flag["key"]: one(serving, flag["key"]) for flag in flags} == {flag["key"]: flag for flag in flags}
    assert all(Reason[reason] for reason, _, _ in told.values())


def test_fetching_all_is_no_exposure_and_asking_for_one_is(serving: Serving) -> None:
    serving.run("a", variants(1))
    serving.run("b", variants(1))
    every(serving)
    assert serving.report() == 0
    serving.application.clock.now += timedelta(hours=1)
    one(serving, "a")
    one(serving, "a")
    assert serving.report() == 1
    assert serving.stored("event, variants, occurred_at") == [
        ("experiment_exposure", ["a/on"], (NOON + timedelta(hours=1)).replace(tzinfo=None))
    ]


def test_what_was_fetched_stays_what_one_gets(serving: Serving) -> None:
    serving.run("a")
    before = every(serving).json()["flags"][0]
    serving.change("a", variants=[{"key": "blue", "weight": 1}, {"key": "green", "weight": 0}], coverage=0.001)
    assert one(serving, "a") == before
    serving.forget_memory()
    assert every(serving).json()["flags"] == [before]


def test_what_the_sender_has_is_not_sent_again(serving: Serving) -> None:
    serving.run("a", variants(1))
    serving.run("b", variants(2), targeting=[{"attribute": "plan", "op": "is", "values": ["pro"]}])
    first = every(serving)
    tag = first.headers["etag"]
    assert (tag[0], tag[-1]) == ('"', '"')
    for sent in (tag, f"W/{tag}", f'"other", {tag}'):
        again = every(serving, sent)
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert every(serving, '"other"').status_code == 200


def test_another_context_is_always_answered(serving: Serving) -> None:
    serving.run("a", variants(1))
    serving.run("b", variants(2), targeting=[{"attribute": "plan", "op": "is", "values": ["pro"]}])
    tag = every(serving, plan="free").headers["etag"]
    assert every(serving, tag, plan="free").status_code == 304
    changed = every(serving, tag, plan="pro")
    assert (changed.status_code, [flag["variant"] for flag in changed.json()["flags"]]) == (200, ["on", "on"])
    assert every(serving, tag, plan="none").status_code == 200
    assert every(serving, tag, plan="free", more=1).status_code == 200
    assert every(serving, tag, plan="free", targetingKey="u-2").status_code == 200


def test_a_change_that_a_unit_does_not_feel_leaves_its_answer(serving: Serving) -> None:
    serving.run("a", variants(1))
    tag = every(serving).headers["etag"]
    serving.change("a", hypothesis="It is better.", coverage=0.5)
    assert every(serving, tag).status_code == 304
    serving.change("a", killed=True)
    assert every(serving, tag).json()["flags"][0]["reason"] == "DISABLED"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", "PARSE_ERROR"),
        (b"[]", "PARSE_ERROR"),
        (b"\xff", "PARSE_ERROR"),
        (b"", "TARGETING_KEY_MISSING"),
        (b"{}", "TARGETING_KEY_MISSING"),
        (b'{"context": {}}', "TARGETING_KEY_MISSING"),
        (b'{"context": {"targetingKey": ""}}', "TARGETING_KEY_MISSING"),
        (b'{"context": []}', "INVALID_CONTEXT"),
        (b'{"context": {"targetingKey": {"a": 1}}}', "INVALID_CONTEXT"),
        (b'{"context": {"targetingKey": "' + b"x" * 600 + b'"}}', "INVALID_CONTEXT"),
    ],
)
def test_what_is_wrong_is_said_in_openfeatures_words(serving: Serving, body: bytes, code: str) -> None:
    serving.run("a")
    for path, key in ((FLAGS, {}), (f"{FLAGS}/a", {"key": "a"})):
        answer = serving.application.client.post(path, content=body, params={"project": serving.name})
        told = answer.json()
        assert (answer.status_code, told.pop("errorDetails") != "", told) == (400, True, {**key, "errorCode": code})


def test_a_flag_that_is_not_there(serving: Serving) -> None:
    answer = serving.post(f"{FLAGS}/never%20made", {"context": {"targetingKey": "u-1"}})
    told = answer.json()
    assert (answer.status_code, told["key"], told["errorCode"]) == (404, "never made", "FLAG_NOT_FOUND")
    assert "u-1" not in answer.text
    for path, key in (("a%2Fb", "a/b"), ("a/b/c", "a/b/c")):
        told = serving.post(f"{FLAGS}/{path}", {"context": {"targetingKey": "u-1"}}).json()
        assert (told["key"], told["errorCode"]) == (key, "FLAG_NOT_FOUND")


def test_what_cannot_be_unpacked(serving: Serving) -> None:
    for path in (FLAGS, f"{FLAGS}/a"):
        answer = serving.application.client.post(
            path, content=b"no gzip", params={"project": serving.name}, headers={"Content-Encoding": "gzip"}
        )
        assert (answer.status_code, answer.json()["errorCode"]) == (400, "PARSE_ERROR")


def test_a_list_that_is_too_long(serving: Serving) -> None:
    serving.run("a")
    context = {"targetingKey": "u-1", "device": {"fonts": ["x"] * 101}}
    for path in (FLAGS, f"{FLAGS}/a"):
        answer = serving.post(path, {"context": context})
        assert (answer.status_code, answer.json()["errorCode"]) == (400, "INVALID_CONTEXT")
        assert "device.fonts" in answer.json()["errorDetails"]
    context["device"] = {"fonts": ["x"] * 100}
    assert serving.post(FLAGS, {"context": context}).status_code == 200


@pytest.mark.parametrize("levels", [60, 400, 900, 980, 5_000])
def test_a_deeply_nested_context_is_no_failure(serving: Serving, levels: int) -> None:
    serving.run("a")
    for begin, end in ((b"[", b"]"), (b'{"a":', b"}")):
        deep = begin * levels + b"1" + end * levels
        body = b'{"context": {"targetingKey": "u-1", "deep": ' + deep + b"}}"
        for path in (FLAGS, f"{FLAGS}/a"):
            answer = serving.application.client.post(path, content=body, params={"project": serving.name})
            assert answer.status_code in (200, 400), answer.text


def test_who_may_not_ask(serving: Serving) -> None:
    body = {"context": {"targetingKey": "u-1"}}
    for path in (FLAGS, f"{FLAGS}/a"):
        for key, status in (("nobody's", 401), (serving.keys["read"], 403)):
            answer = serving.post(path, body, key=key)
            assert (answer.status_code, answer.json()["errorCode"]) == (status, "GENERAL")
        assert serving.post(path, body, project="nobody").status_code == 404
        for method in ("GET", "PUT", "PATCH", "DELETE"):
            refused = serving.application.client.request(method, path)
            assert (refused.status_code, refused.headers["allow"]) == (405, "POST")
            assert (refused.json()["errorCode"], refused.json().get("key")) == (
                "GENERAL",
                path[len(FLAGS) + 1 :] or None,
            )


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with RunningServer(tmp_path_factory.mktemp("ofrep") / "data", TALLYMARK_REFRESH_SECONDS="3600") as found:
        yield found


@pytest.fixture(scope="module")
def provided(server: RunningServer) -> Iterator[tuple[OpenFeatureClient, OFREPProvider]]:
    """The client of OpenFeature over its provider for the protocol; every value above is a flag."""
    keys = server.project("app", packs=["ab"])
    with server.client(keys["admin"]) as client:
        for name, value in VALUES.items():
            body = {"key": name, "variants": variants(value)}
            assert client.post("/v1/experiments", json=body).status_code == 201
            assert client.post(f"/v1/experiments/{name}/start").is_success
    provider = OFREPProvider(server.url, headers_factory=lambda: {"Authorization": f"Bearer {keys['ingest']}"})
    api.set_provider(provider)
    yield api.get_client(), provider
    api.shutdown()
    provider.session.close()


UNIT = EvaluationContext("u-1", {"plan": "pro"})


@pytest.mark.parametrize(("name", "value"), VALUES.items())
def test_the_client_gets_every_type(provided: tuple[OpenFeatureClient, OFREPProvider], name: str, value: Any) -> None:
    client, _ = provided
    ask = {
        bool: client.get_boolean_details, str: client.get_string_details, int: client.get_integer_details,
        float: client.get_float_details, dict: client.get_object_details,
    }[type(value)]  # fmt: skip
    other = {bool: not value, str: "other", int: 99, float: 9.5, dict: {}}[type(value)]
    told = ask(name, other, UNIT)  # type: ignore[operator]  # one of several
    assert (told.value, told.reason, told.variant, told.error_code) == (value, Reason.SPLIT, "on", None)
    assert told.flag_metadata == {"inExperiment": True}


def test_the_client_is_told_what_is_wrong(provided: tuple[OpenFeatureClient, OFREPProvider]) -> None:
    client, provider = provided
    missing = client.get_boolean_details("never", default_value=True, evaluation_context=UNIT)
    assert (missing.value, missing.error_code) == (True, ErrorCode.FLAG_NOT_FOUND)
    nobody = client.get_boolean_details("flag", default_value=False, evaluation_context=EvaluationContext())
    assert (nobody.value, nobody.error_code) == (False, ErrorCode.TARGETING_KEY_MISSING)
    wrong = client.get_boolean_details("text", default_value=False, evaluation_context=UNIT)
    assert (wrong.value, wrong.error_code) == (False, ErrorCode.TYPE_MISMATCH)
    provider.headers_factory = lambda: {"X-API-Key": "nobody's"}
    stranger = client.get_boolean_details("flag", default_value=False, evaluation_context=UNIT)
    assert (stranger.error_code, stranger.error_message) == (ErrorCode.GENERAL, "unauthorized")
