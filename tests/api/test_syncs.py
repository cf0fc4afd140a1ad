"""`/v1/syncs` through the front door: who may, what is kept, what is refused, what a deleted project leaves."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from tallymark.engine.base import Engine
from tests.packs.world import ADMIN, Application, application, bearer

PLACE = {"cursor": '{"at":["2026-11-21","4711"]}', "rows": 4_711}


@pytest.fixture(scope="module")
def app(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    with application(tmp_path_factory.mktemp("syncs"), engine, datetime(2026, 11, 21, 12, tzinfo=UTC)) as opened:
        yield opened


def test_kept_shown_listed_and_forgotten(app: Application) -> None:
    _, keys = app.make("quiz")
    key = bearer(keys["admin"])
    path = "/v1/syncs/public.quiz_results:quiz_submitted"
    assert app.client.get(path, headers=key).status_code == 404
    kept = app.client.put(path, headers=key, json=PLACE)
    assert (kept.status_code, kept.json()["sync"]) == (
        200, {"name": "public.quiz_results:quiz_submitted", **PLACE, "updatedAt": "2026-11-21T12:00:00.000Z"},
    )  # fmt: skip
    assert app.client.get(path, headers=key).json() == kept.json()
    assert app.client.get("/v1/syncs", headers=key).json() == {"syncs": [kept.json()["sync"]]}
    assert app.client.delete(path, headers=key).json() == {"deleted": kept.json()["sync"]}
    assert app.client.delete(path, headers=key).status_code == 404
    assert app.client.get("/v1/syncs", headers=key).json() == {"syncs": []}


def test_only_the_projects_admin_may(app: Application) -> None:
    _, keys = app.make("quiz")
    other, _ = app.make("quiz")
    for key in (keys["read"], keys["ingest"]):
        for method in ("GET", "PUT", "DELETE"):
            assert app.client.request(method, "/v1/syncs/s", headers=bearer(key), json=PLACE).status_code == 403
    of_another = app.client.put("/v1/syncs/s", headers=bearer(keys["admin"]), params={"project": other}, json=PLACE)
    assert of_another.status_code in (403, 404)
    assert app.here.syncs.of_project(app.project(other).id) == ()


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"cursor": "", "rows": 1},
        {"cursor": "a", "rows": -1},
        {"cursor": "a", "rows": 2**63},
        {**PLACE, "more": 1},
        [],
    ],
)
def test_what_is_no_place_is_refused(app: Application, body: object) -> None:
    _, keys = app.make("quiz")
    answer = app.client.put("/v1/syncs/s", headers=bearer(keys["admin"]), json=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "bad_request")


def test_a_name_is_printable(app: Application) -> None:
    _, keys = app.make("quiz")
    for name in ("a%0Ab", "n" * 201):
        assert app.client.put(f"/v1/syncs/{name}", headers=bearer(keys["admin"]), json=PLACE).status_code == 400


def test_a_deleted_project_leaves_none(app: Application) -> None:
    name, keys = app.make("quiz")
    app.client.put("/v1/syncs/s", headers=bearer(keys["admin"]), json=PLACE)
    project = app.project(name).id
    assert len(app.here.syncs.of_project(project)) == 1
    assert app.client.delete(f"/v1/projects/{name}", headers=bearer(ADMIN)).status_code == 200
    assert app.here.syncs.of_project(project) == ()
