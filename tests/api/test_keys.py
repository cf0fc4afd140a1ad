"""`/v1/keys` as its clients see it."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.api.control_app import Api, control_api


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    with control_api(tmp_path) as running:
        yield running


def code(answer: tuple[int, Any]) -> tuple[int, str]:
    return answer[0], answer[1]["error"]["code"]


def issue(api: Api, key: str, **body: object) -> Any:
    status, answer = api.ask("POST", "/v1/keys", key, json=body)
    assert status == 201, answer
    return answer["key"]


def test_a_new_key_works_and_is_shown_once(api: Api) -> None:
    admin = api.create("site")["admin"]
    key = issue(api, admin, project="site", scope="read", label="dashboard")
    secret = key.pop("secret")
    assert secret.startswith(key["prefix"])
    assert (key["project"], key["scope"], key["label"]) == ("site", "read", "dashboard")
    assert key["revokedAt"] is None
    assert api.ask("GET", "/v1/projects/site", secret)[0] == 200
    status, listed = api.ask("GET", "/v1/keys", admin)
    assert status == 200
    assert listed["keys"][-1] == key
    assert secret not in str(listed)


def test_a_revoked_key_stops_working_at_once(api: Api) -> None:
    admin = api.create("site")["admin"]
    key = issue(api, admin, project="site", scope="read")
    assert api.ask("GET", "/v1/projects/site", key["secret"])[0] == 200
    status, body = api.ask("DELETE", f"/v1/keys/{key['id']}", admin)
    assert status == 200
    assert body["key"]["revokedAt"].endswith("Z")
    assert code(api.ask("GET", "/v1/projects/site", key["secret"])) == (401, "unauthorized")
    assert api.ask("DELETE", f"/v1/keys/{key['id']}", admin) == (200, body)
    assert body["key"] in api.ask("GET", "/v1/keys?project=site", admin)[1]["keys"]


def test_keys_of_others_are_not_there(api: Api) -> None:
    site, shop = api.create("site"), api.create("shop")
    assert {key["project"] for key in api.ask("GET", "/v1/keys")[1]["keys"]} == {"site", "shop"}
    assert {key["project"] for key in api.ask("GET", "/v1/keys?project=shop")[1]["keys"]} == {"shop"}
    assert {key["project"] for key in api.ask("GET", "/v1/keys", site["admin"])[1]["keys"]} == {"site"}
    assert code(api.ask("GET", "/v1/keys?project=shop", site["admin"])) == (404, "not_found")
    foreign = api.ask("GET", "/v1/keys", shop["admin"])[1]["keys"][0]["id"]
    assert code(api.ask("DELETE", f"/v1/keys/{foreign}", site["admin"])) == (404, "not_found")
    body = {"project": "shop", "scope": "read"}
    assert code(api.ask("POST", "/v1/keys", site["admin"], json=body)) == (404, "not_found")


def test_keys_are_an_admins_business(api: Api) -> None:
    keys = api.create("site")
    for scope in ("ingest", "read"):
        body = {"project": "site", "scope": "read"}
        assert code(api.ask("POST", "/v1/keys", keys[scope], json=body)) == (403, "forbidden")
        assert code(api.ask("GET", "/v1/keys", keys[scope])) == (403, "forbidden")
        assert code(api.ask("DELETE", "/v1/keys/1", keys[scope])) == (403, "forbidden")
    assert code(api.ask("GET", "/v1/keys", None)) == (401, "unauthorized")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"scope": "read"}, "project"),
        ({"project": 1, "scope": "read"}, "project"),
        ({"project": "site"}, "scope"),
        ({"project": "site", "scope": "write"}, "scope"),
        ({"project": "site", "scope": ["read"]}, "scope"),
        ({"project": "site", "scope": "read", "label": None}, "label"),
        ({"project": "site", "scope": "read", "label": "x" * 201}, "label"),
        ({"project": "site", "scope": "read", "secret": "mine"}, "secret"),
        ({"project": "site", "scope": "read", "expiresAt": 1_900_000_000}, "expiresAt"),
        ({"project": "site", "scope": "read", "expiresAt": "30d"}, "expiresAt"),
        ({"project": "site", "scope": "read", "expiresAt": ""}, "expiresAt"),
        ({"project": "site", "scope": "read", "expiresAt": ["2030-01-31"]}, "expiresAt"),
        ({"project": "site", "scope": "read", "expiresAt": "2020-01-31T00:00:00Z"}, "expiresAt"),
        ({"project": "site", "scope": "read", "expiresAt": "9999-12-31T23:59:59-23:00"}, "expiresAt"),
    ],
)
def test_a_bad_key_says_which_field(api: Api, body: object, field: str) -> None:
    api.create("site")
    status, answer = api.ask("POST", "/v1/keys", json=body)
    assert (status, answer["error"]["code"], answer["error"]["field"]) == (400, "bad_request", field)


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("2090-01-31", "2090-01-31T00:00:00.000Z"),
        ("2090-01-31T12:00:00", "2090-01-31T12:00:00.000Z"),
        ("2090-01-31T12:00:00.5+02:00", "2090-01-31T10:00:00.500Z"),
        (None, None),
    ],
)
def test_a_key_says_when_it_expires(api: Api, given: str | None, shown: str | None) -> None:
    admin = api.create("site")["admin"]
    key = issue(api, admin, project="site", scope="read", expiresAt=given)
    assert key["expiresAt"] == shown
    assert api.ask("GET", "/v1/projects/site", key["secret"])[0] == 200
    listed = api.ask("GET", "/v1/keys", admin)[1]["keys"]
    assert [k["expiresAt"] for k in listed] == [None, None, None, shown]


def test_an_expired_key_is_useless(api: Api) -> None:
    admin = api.create("site")["admin"]
    soon = datetime.now(UTC) + timedelta(seconds=3)
    key = issue(api, admin, project="site", scope="read", expiresAt=soon.isoformat())
    time.sleep(max(0, (soon - datetime.now(UTC)).total_seconds()) + 0.01)
    assert code(api.ask("GET", "/v1/projects/site", key["secret"])) == (401, "unauthorized")
    listed = api.ask("GET", "/v1/keys", admin)[1]["keys"][-1]
    assert (listed["id"], listed["revokedAt"]) == (key["id"], None)


@pytest.mark.parametrize(("key", "status"), [("99", 404), ("x", 404), ("0", 400), ("9" * 30, 400)])
def test_a_key_that_is_not_there(api: Api, key: str, status: int) -> None:
    assert api.ask("DELETE", f"/v1/keys/{key}")[0] == status
