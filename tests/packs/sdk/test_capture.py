"""`POST /sdk/api/v1/events` through the real application: what is taken, what is refused, and what is said."""

import gzip
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tallymark.engine.base import Engine
from tests.packs.sdk.apps import NOON, Apps, payload
from tests.packs.world import application, bearer

PATH = "/sdk/api/v1/events"


def test_each_counter_is_an_event_of_the_app(apps: Apps) -> None:
    answer = apps.post(payload({"wallet_connect_attempts": 3, "wallet_connect_success": 2.5}))
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    assert apps.stored() == [
        ("wallet_connect_attempts", 3.0, "devnet", "0.3.0"),
        ("wallet_connect_success", 2.5, "devnet", "0.3.0"),
    ]
    (row,) = apps.here.engine.query(
        "SELECT uniqExact(actor), max(actor) > 0, uniqExact(country), max(bot) FROM events "
        "WHERE project = {project:UInt32}",
        {"project": apps.application.project(apps.name).id},
    )
    assert tuple(row) == (1, 1, 1, "")


def test_an_app_that_gives_no_hash_is_nobody(apps: Apps) -> None:
    apps.send(payload({"registry_fetch": 1}, app=None))
    assert apps.metrics("daily", "2028-02-29") == {"registry_fetch": (1, 0)}


@pytest.mark.parametrize(
    ("metrics", "reason"),
    [
        ({"negative": -1}, "bad_value"),
        ({"text": "1"}, "bad_value"),
        ({"flag": True}, "bad_value"),
        ({"nothing": None}, "bad_value"),
        ({"huge": 1e300}, "bad_value"),
        ({"many digits": 1}, "malformed"),
        ({"9lives": 1}, "malformed"),
        ({"": 1}, "malformed"),
        ({"x" * 101: 1}, "malformed"),
        ({"=cmd()": 1}, "malformed"),
    ],
)
def test_a_counter_that_is_none_is_refused_alone(apps: Apps, metrics: dict[str, Any], reason: str) -> None:
    answer = apps.post(payload({"good": 1, **metrics}))
    (rejected,) = answer.json()["rejected"]
    assert (answer.status_code, answer.json()["success"]) == (200, True)
    assert (rejected["index"], rejected["reason"]) == (1, reason)
    assert [row[0] for row in apps.stored()] == ["good"]
    alone = apps.post(payload(metrics))
    assert (alone.status_code, alone.json()["success"], alone.json()["error"]) == (400, False, reason)
    assert apps.refused() == {reason: 2}


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_what_is_no_number_in_json_is_no_number(apps: Apps, number: str) -> None:
    body = json.dumps(payload({"a": 1})).replace('"a": 1', f'"a": {number}')
    answer = apps.application.client.post(PATH, content=body, params={"project": apps.name})
    assert (answer.status_code, answer.json()["success"]) == (400, False)
    assert apps.stored() == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"sdkVersion": None}, "sdkVersion"),
        ({"sdkVersion": ""}, "sdkVersion"),
        ({"network": 7}, "network"),
        ({"network": "all"}, "network"),
        ({"network": "a/b"}, "network"),
        ({"network": "x" * 33}, "network"),
        ({"timestamp": "yesterday"}, "timestamp"),
        ({"metrics": []}, "metrics"),
        ({"metrics": {}}, "metrics"),
        ({"appIdHash": ""}, "appIdHash"),
        ({"appIdHash": 5}, "appIdHash"),
        ({"idempotencyKey": "x" * 201}, "idempotencyKey"),
    ],
)
def test_a_payload_that_is_none_says_which_field(apps: Apps, change: dict[str, Any], field: str) -> None:
    answer = apps.post({**payload({"a": 1}), **change})
    told = answer.json()
    assert (answer.status_code, told["success"], told["error"], told["field"]) == (400, False, "bad_request", field)
    assert apps.refused() == {"malformed": 1}


@pytest.mark.parametrize("field", ["sdkVersion", "network", "timestamp", "metrics"])
def test_a_field_that_is_missing_is_named(apps: Apps, field: str) -> None:
    body = payload({"a": 1})
    del body[field]
    answer = apps.post(body)
    assert (answer.status_code, answer.json()["field"]) == (400, field)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"7", b'"text"', b"null", b"\xff"])
def test_a_body_that_is_no_payload(apps: Apps, body: bytes) -> None:
    answer = apps.application.client.post(PATH, content=body, params={"project": apps.name})
    assert (answer.status_code, answer.json()["success"]) == (400, False)


def test_a_payload_has_64_counters_at_most(apps: Apps) -> None:
    apps.send(payload({f"counter_{n}": 1 for n in range(64)}))
    answer = apps.post(payload({f"counter_{n}": 1 for n in range(65)}))
    assert (answer.status_code, answer.json()["error"]) == (400, "too_many_names")
    assert len(apps.stored()) == 64


def test_a_project_may_say_which_names_it_takes(apps: Apps) -> None:
    picky = apps.fresh(eventNames=["wallet_*", "registry_fetch"])
    answer = picky.post(payload({"wallet_connect_attempts": 1, "registry_fetch": 1, "registry_fetched": 1}))
    (rejected,) = answer.json()["rejected"]
    assert (rejected["index"], rejected["reason"]) == (2, "unknown_name")
    assert "wallet_*" in rejected["message"]
    assert [row[0] for row in picky.stored()] == ["registry_fetch", "wallet_connect_attempts"]
    assert picky.refused() == {"unknown_name": 1}


def test_a_name_past_the_cap_is_refused_and_counted_and_never_stored(apps: Apps) -> None:
    small = apps.fresh(maxEventNames=2)
    small.send(payload({"a": 1, "b": 1}), payload({"b": 2}, app="app-2"))
    answer = small.post(payload({"a": 5, "c": 1}))
    assert [(r["index"], r["reason"]) for r in answer.json()["rejected"]] == [(1, "too_many_names")]
    assert {row[0] for row in small.stored()} == {"a", "b"}
    assert small.refused() == {"too_many_names": 1}


def test_networks_are_32_at_most(apps: Apps) -> None:
    apps.send(*(payload({"a": 1}, network=f"net-{n}") for n in range(32)))
    answer = apps.post(payload({"a": 1}, network="net-32"))
    assert (answer.status_code, answer.json()["error"], answer.json()["field"]) == (400, "too_many_names", "network")
    apps.send(payload({"a": 2}, network="net-31"))
    assert apps.refused() == {"too_many_names": 1}
    assert len({row[2] for row in apps.stored()}) == 32


def test_what_is_refused_uses_up_no_networks_and_no_names(apps: Apps) -> None:
    small = apps.fresh(maxEventNames=2, eventNames=["a*"])
    for n in range(40):
        assert small.post(payload({"a": 1}, at=NOON - timedelta(days=3), network=f"net-{n}")).status_code == 400
        assert small.post(payload({f"b{n}": 1}, network=f"net-{n}")).status_code == 400
        assert small.post(payload({f"a{n}": 1}, at=NOON - timedelta(days=3))).status_code == 400
    small.send(payload({"a": 1, "a1": 1}, network="mainnet"))
    assert len(small.stored()) == 2


def test_names_of_events_over_the_quota_are_not_known(apps: Apps) -> None:
    small = apps.fresh(maxEventNames=2, quota=1)
    assert small.post(payload({"a": 1, "b": 1})).json()["rejected"][0]["reason"] == "quota"
    small.application.change(small.name, quota=None)
    small.send(payload({"c": 1}))
    assert {row[0] for row in small.stored()} == {"a", "c"}


def test_an_installation_may_say_which_networks_there_are(engine: Engine, tmp_path: Path) -> None:
    with application(tmp_path, engine, NOON, sdk_networks=("mainnet", "testnet")) as world:
        apps = Apps(world).fresh()
        answer = apps.post(payload({"a": 1}, network="devnet"))
        assert (answer.status_code, answer.json()["allowed"]) == (400, ["mainnet", "testnet"])
        apps.send(payload({"a": 1}, network="mainnet"))


def test_the_same_payload_counts_once(apps: Apps) -> None:
    body = payload({"a": 1, "b": 2})
    apps.send(body, body, dict(reversed(body.items())))
    assert apps.metrics("daily", "2028-02-29") == {"a": (1, 1), "b": (2, 1)}
    apps.send({**body, "metrics": {"a": 1.0, "b": 2}})
    assert apps.metrics("daily", "2028-02-29") == {"a": (1, 1), "b": (2, 1)}
    apps.send({**body, "metrics": {"a": 1, "b": 3}}, payload({"a": 1, "b": 2}, app="app-2"))
    assert apps.metrics("daily", "2028-02-29") == {"a": (3, 2), "b": (7, 2)}


def test_an_idempotency_key_counts_once_whatever_else_is_said_and_whichever_day(apps: Apps) -> None:
    late = NOON.replace(hour=23, minute=59, second=59)
    apps.send(payload({"a": 1}, at=late, idempotencyKey="k1"))
    apps.send(payload({"a": 1}, at=late + timedelta(seconds=2), idempotencyKey="k1"))
    apps.send(payload({"a": 4}, app="app-2", at=late + timedelta(seconds=2), idempotencyKey="k1"))
    assert apps.metrics("daily", "2028-02-29") == {"a": (1, 1)}
    assert apps.metrics("daily", "2028-03-01") == {"a": (4, 1)}


def test_what_is_too_old_or_ahead_is_refused(apps: Apps) -> None:
    for at, reason in (
        (NOON - timedelta(hours=24, seconds=1), "too_old"),
        (NOON + timedelta(hours=2), "in_the_future"),
    ):
        answer = apps.post(payload({"a": 1}, at=at))
        assert (answer.status_code, answer.json()["error"]) == (400, reason)
    apps.send(payload({"a": 1}, at=NOON - timedelta(hours=24) + timedelta(seconds=1)))
    assert apps.refused() == {"too_old": 1, "in_the_future": 1}


PARTY = "52908400098527886E0F7030069857D2E4169EE7"

PERSONAL = [
    ({"network": "dev", "note": "write to ada@example.org"}, "note", "email", "ada@example.org"),
    ({"user": {"phone": "+49 30 901820"}}, "user.phone", "phone", "901820"),
    ({"appIdHash": f"0x{PARTY}"}, "appIdHash", "party", PARTY),
    ({"metrics": {"a": 1, "ada@example.org": 1}}, "metrics", "email", "ada@example.org"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "field", "kind", "value"), PERSONAL)
def test_personal_data_anywhere_refuses_the_payload(
    apps: Apps, change: dict[str, Any], field: str, kind: str, value: str
) -> None:
    answer = apps.post({**payload({"a": 1}), **change})
    told = answer.json()
    assert (answer.status_code, told["success"], told["error"]) == (400, False, "pii")
    assert told["field"].startswith(field)
    assert kind in told["message"]
    assert value not in answer.text
    assert apps.stored() == []
    assert apps.refused() == {"pii": 1}


def test_a_key_names_the_project_and_a_wrong_one_is_refused(apps: Apps) -> None:
    other = apps.fresh()
    assert apps.post(payload({"a": 1}), key=apps.keys["ingest"]).status_code == 200
    assert apps.post(payload({"b": 1}), project=None, key=apps.keys["ingest"]).status_code == 200
    assert apps.application.client.post(PATH, json=payload({"c": 1}), params={"key": apps.keys["ingest"]}).is_success
    assert [row[0] for row in apps.stored()] == ["a", "b", "c"]
    for key, status, code in (
        ("nonsense", 401, "unauthorized"),
        (apps.keys["read"], 403, "forbidden"),
        (other.keys["ingest"], 403, "forbidden"),
    ):
        answer = apps.post(payload({"a": 1}), key=key)
        assert (answer.status_code, answer.json()["error"]) == (status, code)


def test_a_project_that_is_none_of_the_packs(apps: Apps) -> None:
    name, keys = apps.application.make("web")
    for params, key in (({"project": name}, None), ({"project": "nowhere"}, None), ({}, None), ({}, keys["ingest"])):
        answer = apps.application.client.post(
            PATH, json=payload({"a": 1}), params=params, headers=bearer(key) if key else {}
        )
        assert (answer.status_code, answer.json()["error"]) == (404, "not_found")


def test_without_a_name_the_default_project_is_meant(engine: Engine, tmp_path: Path) -> None:
    with application(tmp_path, engine, NOON, sdk_project="mine", sdk_capture="keyed") as world:
        _, keys = world.make("sdk", name="mine")
        assert world.client.post(PATH, json=payload({"a": 1})).status_code == 401
        assert world.client.post(PATH, json=payload({"a": 1}), headers={"x-api-key": keys["ingest"]}).is_success
    with application(tmp_path, engine, NOON, sdk_project="mine") as world:
        assert world.client.post(PATH, json=payload({"b": 1})).json() == {"success": True}


def test_beacons_and_compressed_bodies_are_read(apps: Apps) -> None:
    beacon = json.dumps(payload({"a": 1})).encode()
    client, params = apps.application.client, {"project": apps.name}
    assert client.post(PATH, content=beacon, params=params, headers={"content-type": "text/plain"}).is_success
    packed = gzip.compress(json.dumps(payload({"b": 1})).encode())
    assert client.post(PATH, content=packed, params=params, headers={"content-encoding": "gzip"}).is_success
    assert [row[0] for row in apps.stored()] == ["a", "b"]


def test_browsers_of_any_origin_may_send(apps: Apps) -> None:
    client = apps.application.client
    asked = {
        "Origin": "https://dapp.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type,x-api-key",
    }
    allowed = client.options(PATH, headers=asked)
    assert allowed.is_success
    assert allowed.headers["access-control-allow-origin"] in ("*", "https://dapp.example")
    sent = client.post(
        PATH, json=payload({"a": 1}), params={"project": apps.name}, headers={"Origin": "https://dapp.example"}
    )
    assert sent.headers["access-control-allow-origin"] in ("*", "https://dapp.example")


def test_bodies_that_are_too_large_or_can_not_be_read(apps: Apps) -> None:
    client, params = apps.application.client, {"project": apps.name}
    large = client.post(PATH, json=payload({"a": 1}, note="x" * 140_000), params=params)
    assert (large.status_code, large.json()["error"]) == (413, "body_too_large")
    digits = f'{{"x": {"9" * 5_000}, "y": "\\ud800"}}'
    unreadable = client.post(PATH, content=digits, params=params)
    assert (unreadable.status_code, unreadable.json()["error"]) == (400, "unreadable_body")
    many = gzip.compress(b"") * 65 + gzip.compress(json.dumps(payload({"a": 1})).encode())
    packed = client.post(PATH, content=many, params=params, headers={"content-encoding": "gzip"})
    assert (packed.status_code, packed.json()["error"]) == (400, "unreadable_body")


def test_other_methods_are_not_possible(apps: Apps) -> None:
    answer = apps.application.client.get(PATH)
    assert (answer.status_code, answer.json()["success"]) == (405, False)
