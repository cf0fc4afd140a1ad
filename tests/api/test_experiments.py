"""`/v1/experiments` through the real application: defined, led through its life, and who may."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tallymark.api.experiment_book import ExperimentBook
from tallymark.control.database import open_database
from tallymark.control.experiments import Experiments
from tallymark.engine.base import Engine
from tallymark.spec.experiment import Experiment
from tests.packs.world import ADMIN, Application, application, bearer

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
CHECKOUT: dict[str, Any] = {"key": "checkout", "variants": [{"key": "control"}, {"key": "blue", "weight": 3}]}


@pytest.fixture(scope="module")
def app(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    with application(tmp_path_factory.mktemp("experiments"), engine, NOON) as running:
        yield running


class Api:
    """The experiments of a new project, for one of its keys."""

    def __init__(self, app: Application, *packs: str) -> None:
        self.app = app
        self.project, self.keys = app.make("ab", packs=list(packs or ("ab",)))

    def ask(self, method: str, path: str = "", body: object = None, key: str = "admin") -> tuple[int, Any]:
        """Status and body of the answer; `key` is a scope of the project's, or a key."""
        headers = bearer(self.keys.get(key, key)) if key else {}
        sent: dict[str, Any] = {} if body is None else {"json": body}
        answer = self.app.client.request(method, f"/v1/experiments{path}", headers=headers, **sent)
        return answer.status_code, answer.json()

    def done(self, method: str, path: str = "", body: object = None, key: str = "admin") -> Any:
        """The experiment that the answer holds."""
        status, answer = self.ask(method, path, body, key)
        assert status in (200, 201), answer
        return answer.get("experiment", answer)

    def refused(self, method: str, path: str = "", body: object = None, key: str = "admin") -> tuple[int, Any]:
        """Status and error of the answer."""
        status, answer = self.ask(method, path, body, key)
        return status, answer["error"]


@pytest.fixture
def api(app: Application) -> Api:
    return Api(app)


def test_a_whole_life(api: Api) -> None:
    status, answer = api.ask("POST", "", CHECKOUT)
    assert status == 201
    made = answer["experiment"]
    assert (made["status"], made["revision"], made["createdAt"]) == ("draft", 1, "2026-11-21T12:00:00.000Z")
    assert made["variants"] == [
        {"key": "control", "weight": 1, "value": "control"},
        {"key": "blue", "weight": 3, "value": "blue"},
    ]
    assert api.done("POST", "/checkout/start")["startedAt"] == "2026-11-21T12:00:00.000Z"
    api.app.clock.now += timedelta(hours=1)
    stopped = api.done("POST", "/checkout/stop")
    api.app.clock.now -= timedelta(hours=1)
    assert (stopped["status"], stopped["stoppedAt"]) == ("stopped", "2026-11-21T13:00:00.000Z")
    shipped = api.done("POST", "/checkout/ship", {"variant": "blue"})
    assert (shipped["status"], shipped["shipped"]) == ("shipped", "blue")
    assert api.done("POST", "/checkout/archive")["status"] == "archived"
    assert api.done("GET", "/checkout", key="read") == {**shipped, "status": "archived", "revision": 5}
    assert [found["key"] for found in api.done("GET", key="read")["experiments"]] == ["checkout"]


def test_the_audit_tells_who_did_what(api: Api) -> None:
    api.done("POST", "", CHECKOUT)
    api.done("PATCH", f"/checkout?project={api.project}", {"killed": True}, ADMIN)
    killed, made = api.done("GET", "/checkout/audit", key="read")["audit"]
    assert killed == {
        "at": "2026-11-21T12:00:00.000Z", "action": "update", "by": "admin",
        "detail": {"killed": {"from": False, "to": True}},
    }  # fmt: skip
    assert (made["action"], made["detail"]) == ("create", {})
    label, _, prefix = made["by"].rstrip("…)").partition(" (")
    assert label == "first"
    assert api.keys["admin"].startswith(prefix)
    assert len(prefix) < len(api.keys["admin"]) / 2


def test_a_change_leaves_the_rest_alone(api: Api) -> None:
    made = api.done("POST", "", CHECKOUT)
    api.done("POST", "/checkout/start")
    body = {"variants": [{"key": "control", "weight": 3}, {"key": "blue"}], "coverage": 0.5, "revision": 2}
    changed = api.done("PATCH", "/checkout", body)
    assert [variant["weight"] for variant in changed["variants"]] == [3, 3]
    same = set(made) - {"variants", "coverage", "status", "startedAt", "revision"}
    assert {field: changed[field] for field in same} == {field: made[field] for field in same}
    status, error = api.refused("PATCH", "/checkout", body)
    assert (status, error["code"], error["field"], error["allowed"]) == (409, "conflict", "revision", ["3"])


def test_what_may_not_change_any_more(api: Api) -> None:
    api.done("POST", "", CHECKOUT)
    api.done("POST", "/checkout/start")
    status, error = api.refused("PATCH", "/checkout", {"seed": "other"})
    assert (status, error["field"]) == (409, "seed")
    assert error["message"] == (
        "'checkout' is running: its seed stays, since units would change their variants. Make a new experiment."
    )


def test_a_draft_is_deleted_and_others_are_not(api: Api) -> None:
    made = api.done("POST", "", CHECKOUT)
    assert api.done("DELETE", "/checkout") == {"deleted": made}
    assert api.refused("GET", "/checkout")[0] == 404
    assert [deed["action"] for deed in api.done("GET", "/checkout/audit")["audit"]] == ["delete", "create"]
    api.done("POST", "", CHECKOUT)
    api.done("POST", "/checkout/start")
    status, error = api.refused("DELETE", "/checkout")
    assert (status, error["allowed"]) == (409, ["stop", "ship"])


def test_what_is_refused(api: Api) -> None:
    api.done("POST", "", CHECKOUT)
    refusals: tuple[tuple[str, str, object, int, str | None], ...] = (
        ("POST", "", CHECKOUT, 409, "key"),
        ("POST", "", {"key": "a"}, 400, "variants"),
        ("POST", "", {**CHECKOUT, "metrics": [{"name": "m"}]}, 400, "metrics.0.kind"),
        ("POST", "", [], 400, None),
        ("PATCH", "/checkout", {"coverage": 2}, 400, "coverage"),
        ("PATCH", "/checkout", {"revision": "1"}, 400, "revision"),
        ("PATCH", "/checkout", [], 400, None),
        ("PATCH", "/nothing", {}, 404, "key"),
        ("GET", "/nothing", None, 404, "key"),
        ("GET", "/nothing/audit", None, 404, "key"),
        ("POST", "/nothing/start", None, 404, "key"),
        ("POST", "/checkout/stop", None, 409, "status"),
        ("POST", "/checkout/ship", {}, 400, "variant"),
        ("POST", "/checkout/ship", {"variant": "blue", "share": 1}, 400, "variant"),
    )
    for method, path, body, status, field in refusals:
        told, error = api.refused(method, path, body)
        assert (told, error.get("field")) == (status, field), (method, path, body, error)
    answer = api.app.client.post("/v1/experiments", content=b"{", headers=bearer(api.keys["admin"]))
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "unreadable_body")
    answer = api.app.client.post("/v1/experiments/checkout/ship", headers=bearer(api.keys["admin"]))
    assert answer.status_code == 400


CALLS: tuple[tuple[str, str, object], ...] = (
    ("POST", "", CHECKOUT), ("PATCH", "/checkout", {}), ("DELETE", "/checkout", None),
    ("POST", "/checkout/start", None), ("POST", "/checkout/stop", None), ("POST", "/checkout/archive", None),
    ("POST", "/checkout/ship", {"variant": "blue"}),
    ("GET", "", None), ("GET", "/checkout", None), ("GET", "/checkout/audit", None),
)  # fmt: skip


@pytest.mark.parametrize(("method", "path", "body"), CALLS, ids=[f"{method} {path}" for method, path, _ in CALLS])
def test_who_may(app: Application, api: Api, method: str, path: str, body: object) -> None:
    other = app.make("ab")[1]
    here = f"{path}?project={api.project}"
    assert api.refused(method, here, body, key="")[0] == 401
    assert api.refused(method, here, body, key="ingest")[0] == 403
    assert api.refused(method, here, body, key=other["admin"])[0] == 404
    if method != "GET":
        assert api.refused(method, here, body, key="read")[0] == 403
    assert api.refused(method, path, body, key=ADMIN)[1]["field"] == "project"


def test_a_project_without_the_pack_is_told_how_to_get_it(app: Application) -> None:
    api = Api(app, "web")
    for method, path, body in CALLS:
        status, error = api.refused(method, path, body)
        assert (status, error["code"], error["field"]) == (409, "conflict", "project")
        assert f"tallymark projects update {api.project} --pack web --pack ab" in error["message"]


def test_projects_do_not_mix(app: Application, api: Api) -> None:
    other = Api(app)
    api.done("POST", "", CHECKOUT)
    assert other.done("GET")["experiments"] == []
    other.done("POST", "", {**CHECKOUT, "coverage": 0.1})
    assert api.done("GET", "/checkout")["coverage"] == 1


def test_a_deleted_project_takes_its_experiments_with_it(app: Application, api: Api) -> None:
    api.done("POST", "", CHECKOUT)
    api.done("POST", "/checkout/start")
    project = app.project(api.project)
    assert list(app.here.experiment_book.of(project.id)) == ["checkout"]
    assert app.client.delete(f"/v1/projects/{api.project}", headers=bearer(ADMIN)).status_code == 200
    assert app.here.experiment_book.of(project.id) == {}
    assert app.here.audit.list(project.id) == ()


def test_the_book_knows_changes_at_once(app: Application, api: Api) -> None:
    book, project = app.here.experiment_book, app.project(api.project)
    api.done("POST", "", CHECKOUT)
    assert book.of(project.id)["checkout"].status == "draft"
    api.done("POST", "/checkout/start")
    assert book.of(project.id)["checkout"].status == "running"
    api.done("PATCH", "/checkout", {"killed": True})
    assert book.of(project.id)["checkout"].killed


def test_another_process_knows_changes_after_five_seconds(app: Application, api: Api) -> None:
    seconds = 0.0
    book, project = ExperimentBook(app.here.experiments, lambda: seconds), app.project(api.project)
    api.done("POST", "", CHECKOUT)
    assert book.of(project.id)["checkout"].status == "draft"
    api.done("POST", "/checkout/start")
    seconds = 4.9
    assert book.of(project.id)["checkout"].status == "draft"
    seconds = 5.0
    assert book.of(project.id)["checkout"].status == "running"


def test_what_is_read_while_something_changes_is_not_kept(app: Application, api: Api) -> None:
    project = app.project(api.project)

    class Slow(Experiments):
        """A store whose answer is on its way while somebody changes something."""

        def all(self, project_id: int) -> tuple[Experiment, ...]:
            found = super().all(project_id)
            if not found:
                api.done("POST", "", CHECKOUT)
                book.forget()
            return found

    with closing(open_database(app.here.settings.control_url)) as database:
        book = ExperimentBook(Slow(database))
        assert book.of(project.id) == {}
        assert list(book.of(project.id)) == ["checkout"]


@pytest.mark.parametrize("levels", [40, 65, 400, 900, 5_000])
@pytest.mark.parametrize("field", ["key", "targeting", "metrics", "forced", "variants", "what", "revision"])
def test_deep_nesting_is_a_mistake(api: Api, field: str, levels: int) -> None:
    deep = b"[" * levels + b"]" * levels
    variants = b'[{"key": "a"}, {"key": "b", "value": ' + deep + b"}]"
    body = b'{"key": "deep", "variants": [{"key": "a"}, {"key": "b"}], "%b": %b}' % (
        field.encode(), variants if field == "variants" else deep,
    )  # fmt: skip
    for method, path in (("POST", ""), ("PATCH", "/deep"), ("POST", "/deep/ship")):
        answer = api.app.client.request(
            method, f"/v1/experiments{path}", headers=bearer(api.keys["admin"]), content=body
        )
        assert answer.status_code in (400, 404), answer.text
    assert api.done("GET", key="read")["experiments"] == []


@pytest.mark.parametrize(
    ("key", "kind"),
    [("93.184.216.34", "ip"), ("415-555-1234", "phone"), ("4111111111111111", "card")],
)
def test_keys_are_no_personal_data(api: Api, key: str, kind: str) -> None:
    for body, field in (
        ({**CHECKOUT, "key": key}, "key"),
        ({**CHECKOUT, "variants": [{"key": "control"}, {"key": key}]}, "variants.1.key"),
    ):
        status, error = api.refused("POST", "", body)
        assert (status, error["field"]) == (400, field)
        assert kind in error["message"]
    api.done("POST", "", CHECKOUT)
    assert api.refused("PATCH", "/checkout", {"key": key})[1]["field"] == "key"
    change = {"variants": [{"key": key}, {"key": "blue"}]}
    assert api.refused("PATCH", "/checkout", change)[1]["field"] == "variants.0.key"


def test_keys_that_look_like_versions_and_dates_are_fine(api: Api) -> None:
    for key in ("1.2.3.4", "2026-11-21", "price-1299", "v2.10.0", "checkout_2026.11"):
        assert api.done("POST", "", {**CHECKOUT, "key": key})["key"] == key
