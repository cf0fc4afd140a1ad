"""`/v1/projects` as its clients see it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.api.control_app import ADMIN, Api, control_api


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    with control_api(tmp_path) as running:
        yield running


def code(answer: tuple[int, Any]) -> tuple[int, str]:
    return answer[0], answer[1]["error"]["code"]


def test_a_new_project_comes_with_its_keys(api: Api) -> None:
    status, body = api.ask("POST", "/v1/projects", json={"name": "site", "packs": ["web"], "retention": 30})
    assert status == 201
    made = body["project"].pop("createdAt")
    assert made.endswith("Z")
    assert body["project"] == {
        "id": 1,
        "name": "site",
        "packs": ["web"],
        "timezone": "UTC",
        "retention": "30d",
        "pii": "redact",
        "bots": "mark",
        "quota": None,
        "eventNames": None,
        "maxEventNames": None,
        "publicSummary": True,
    }
    assert {scope: key.rpartition("_")[0] for scope, key in body["keys"].items()} == {
        "ingest": "tm_ingest",
        "read": "tm_read",
        "admin": "tm_admin",
    }
    assert code(api.ask("GET", "/v1/projects", body["keys"]["ingest"])) == (403, "forbidden")
    assert api.ask("GET", "/v1/projects", body["keys"]["read"])[0] == 200


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b'{"name": "\xff"}', b"[" * 100_000])
def test_a_body_that_is_no_json(api: Api, body: bytes) -> None:
    assert code(api.ask("POST", "/v1/projects", content=body)) == (400, "unreadable_body")


@pytest.mark.parametrize(
    ("body", "field"),
    [({}, "name"), ({"name": "A"}, "name"), ({"name": "a", "packs": ["x"]}, "packs"), ({"nom": "a"}, "nom")],
)
def test_a_bad_project_says_what_is_allowed(api: Api, body: object, field: str) -> None:
    status, answer = api.ask("POST", "/v1/projects", json=body)
    assert status == 400
    assert answer["error"]["code"] == "bad_request"
    assert answer["error"]["field"] == field
    assert answer["error"]["allowed"]


def test_a_name_that_is_taken(api: Api) -> None:
    api.create("site")
    assert code(api.ask("POST", "/v1/projects", json={"name": "site"})) == (409, "conflict")


def test_projects_are_found_by_name_and_by_id(api: Api) -> None:
    api.create("site")
    api.create("2.shop")
    for path in ("2.shop", "2"):
        status, body = api.ask("GET", f"/v1/projects/{path}")
        assert (status, body["project"]["name"]) == (200, "2.shop")
    for path in ("3", "sit", "9" * 30, "²", "-1"):
        assert code(api.ask("GET", f"/v1/projects/{path}")) == (404, "not_found")
    assert code(api.ask("POST", "/v1/projects", json={"name": "1"})) == (400, "bad_request")


def test_a_projects_key_sees_its_own_project_alone(api: Api) -> None:
    site, shop = api.create("site"), api.create("shop")
    assert [p["name"] for p in api.ask("GET", "/v1/projects")[1]["projects"]] == ["shop", "site"]
    for keys, own, other in ((site, "site", "shop"), (shop, "shop", "site")):
        assert [p["name"] for p in api.ask("GET", "/v1/projects", keys["admin"])[1]["projects"]] == [own]
        assert api.ask("GET", f"/v1/projects/{own}", keys["admin"])[0] == 200
        theirs = api.ask("GET", f"/v1/projects/{other}", keys["admin"])
        missing = api.ask("GET", "/v1/projects/nothing", keys["admin"])
        assert code(theirs) == code(missing) == (404, "not_found")
        assert code(api.ask("PATCH", f"/v1/projects/{other}", keys["admin"], json={})) == (404, "not_found")


def test_a_change_leaves_the_rest(api: Api) -> None:
    keys = api.create("site", quota=5, timezone="Europe/Berlin")
    status, body = api.ask("PATCH", "/v1/projects/site", keys["admin"], json={"quota": None, "name": "shop"})
    assert status == 200
    assert (body["project"]["quota"], body["project"]["name"]) == (None, "shop")
    assert body["project"]["timezone"] == "Europe/Berlin"
    assert api.ask("GET", "/v1/projects/shop", keys["admin"])[1] == body
    assert code(api.ask("PATCH", "/v1/projects/shop", keys["read"], json={})) == (403, "forbidden")
    assert code(api.ask("PATCH", "/v1/projects/shop", json={"quota": -1})) == (400, "bad_request")


def test_only_an_admin_of_all_makes_and_deletes(api: Api) -> None:
    keys = api.create("site")
    for key, answer in (
        (None, (401, "unauthorized")),
        ("x", (401, "unauthorized")),
        (keys["admin"], (403, "forbidden")),
    ):
        assert code(api.ask("POST", "/v1/projects", key, json={"name": "b"})) == answer
        assert code(api.ask("DELETE", "/v1/projects/site", key)) == answer


def test_a_deleted_project_is_gone_with_its_keys(api: Api) -> None:
    keys = api.create("site")
    assert api.ask("GET", "/v1/projects/site", keys["read"])[0] == 200
    status, body = api.ask("DELETE", "/v1/projects/site")
    assert (status, body["deleted"]["name"]) == (200, "site")
    assert code(api.ask("DELETE", "/v1/projects/site")) == (404, "not_found")
    assert code(api.ask("GET", "/v1/projects", keys["read"])) == (401, "unauthorized")
    api.create("site")


def test_listeners_hear_of_every_change(api: Api) -> None:
    api.create("site")
    api.ask("PATCH", "/v1/projects/site", json={"quota": 7})
    api.ask("PATCH", "/v1/projects/site", json={"quota": -7})
    api.ask("DELETE", "/v1/projects/site")
    assert [(change, project.quota) for change, project in api.told] == [
        ("created", None),
        ("updated", 7),
        ("deleted", 7),
    ]


def test_without_an_admin_key_a_project_still_has_its_own(tmp_path: Path) -> None:
    with control_api(tmp_path) as api:
        keys = api.create("site")
    with control_api(tmp_path, admin="") as api:
        for method, path in (("POST", "/v1/projects"), ("DELETE", "/v1/projects/site")):
            assert code(api.ask(method, path, ADMIN)) == (503, "admin_auth_not_configured")
        assert api.ask("PATCH", "/v1/projects/site", keys["admin"], json={"quota": 1})[0] == 200
        assert code(api.ask("GET", "/v1/projects", None)) == (401, "unauthorized")


def test_openapi_describes_bodies_and_errors(api: Api) -> None:
    schema = api.client.get("/schema/openapi.json").json()
    create = schema["paths"]["/v1/projects"]["post"]
    body = create["requestBody"]["content"]["application/json"]["schema"]
    assert body["required"] == ["name"]
    assert set(body["properties"]) == {
        "name", "packs", "timezone", "retention", "pii", "bots", "quota", "eventNames", "maxEventNames",
        "publicSummary",
    }  # fmt: skip
    assert set(create["responses"]) == {"201", "400", "401", "403", "409", "503"}
    for path in schema["paths"].values():
        for operation in path.values():
            assert operation["summary"]
            assert operation["description"]
            assert operation["tags"]
