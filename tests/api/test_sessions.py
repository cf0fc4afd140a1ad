"""Signing in to the dashboard: what opens it, what a session may do, and what opens nothing."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import httpx
import pytest

from tallymark.control.sessions import IDLE, LONGEST
from tallymark.engine.base import Engine
from tests.packs.quiz.school import NOON
from tests.packs.world import ADMIN, Application, application, bearer

HOME = {"host": "testserver.local", "origin": "http://testserver.local", "sec-fetch-site": "same-origin"}


class Browser:
    """A browser at the dashboard: keeps its cookie, and the second token."""

    def __init__(self, app: Application) -> None:
        self.app = app
        self.cookie: str | None = None
        self.csrf: str | None = None

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        sent = {**HOME, **({"x-csrf-token": self.csrf} if self.csrf else {}), **headers}
        if self.cookie:
            sent["cookie"] = self.cookie
        self.app.client.cookies.clear()
        encoded = {name.encode(): value.encode("latin-1") for name, value in sent.items()}
        answer = self.app.client.request(method, path, json=body, headers=encoded)
        if "set-cookie" in answer.headers:
            self.cookie = answer.headers["set-cookie"].partition(";")[0]
        return answer

    def enter(self, by: Mapping[str, str]) -> httpx.Response:
        answer = self.ask("POST", "/v1/session", by)
        if answer.status_code == 201:
            self.csrf = answer.json()["csrf"]
        return answer


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory, engine: Engine) -> Iterator[Application]:
    with application(tmp_path_factory.mktemp("sessions"), engine, NOON) as found:
        yield found


@pytest.fixture
def project(app: Application) -> tuple[str, Mapping[str, str]]:
    app.clock.now = NOON
    return app.make("web")


def signed_in(app: Application, by: Mapping[str, str]) -> Browser:
    browser = Browser(app)
    answer = browser.enter(by)
    assert answer.status_code == 201, answer.text
    return browser


def shared(app: Application, name: str, **draft: Any) -> tuple[str, str]:
    """A new shared link: its id and its secret."""
    answer = app.client.post("/v1/shares", params={"project": name}, json=draft, headers=bearer(ADMIN))
    assert answer.status_code == 201, answer.text
    return answer.json()["share"]["id"], answer.json()["token"]


def test_a_key_signs_in_and_the_session_is_what_the_key_is(app: Application, project: Any) -> None:
    name, keys = project
    browser = Browser(app)
    answer = browser.enter({"key": keys["read"]})
    said = answer.headers["set-cookie"].lower()
    assert all(part in said for part in ("httponly", "samesite=strict", "path=/", f"max-age={30 * 86_400}"))
    assert keys["read"] not in answer.text + said
    assert (answer.json()["session"]["scope"], answer.json()["session"]["project"]) == ("read", name)
    assert browser.ask("GET", "/v1/session").json()["csrf"] == browser.csrf
    assert browser.ask("GET", f"/v1/projects/{name}").status_code == 200
    assert browser.ask("PATCH", f"/v1/projects/{name}", {"bots": "refuse"}).status_code == 403
    admin = signed_in(app, {"key": keys["admin"]})
    assert admin.ask("PATCH", f"/v1/projects/{name}", {"bots": "refuse"}).status_code == 200


def test_by_https_the_cookie_is_bound_to_it(app: Application, project: Any) -> None:
    app.client.cookies.clear()
    answer = app.client.post("https://testserver.local/v1/session", json={"key": project[1]["read"]})
    assert answer.headers["set-cookie"].startswith("__Host-tallymark_session=")
    assert "secure" in answer.headers["set-cookie"].lower()


def test_a_key_of_the_settings_signs_in_for_every_project(app: Application, project: Any) -> None:
    browser = signed_in(app, {"key": ADMIN})
    assert browser.ask("GET", "/v1/session").json()["session"]["project"] is None
    assert browser.ask("GET", f"/v1/projects/{project[0]}").status_code == 200


def test_signing_out_ends_the_session(app: Application, project: Any) -> None:
    browser = signed_in(app, {"key": project[1]["admin"]})
    cookie = browser.cookie
    answer = browser.ask("DELETE", "/v1/session")
    assert (answer.status_code, "max-age=0" in answer.headers["set-cookie"].lower()) == (200, True)
    browser.cookie = cookie
    assert browser.ask("GET", "/v1/session").status_code == 401
    assert browser.ask("GET", f"/v1/projects/{project[0]}").status_code == 401


@pytest.mark.parametrize(
    "headers",
    [
        {"x-csrf-token": ""}, {"x-csrf-token": "0" * 64}, {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"}, {"origin": "https://evil.example"}, {"origin": "null"},
        {"x-csrf-token": "\u00e9"},
    ],
)  # fmt: skip
def test_a_cookie_alone_or_from_elsewhere_opens_nothing(
    app: Application, project: Any, headers: dict[str, str]
) -> None:
    browser = signed_in(app, {"key": project[1]["admin"]})
    path = f"/v1/projects/{project[0]}"
    assert browser.ask("PATCH", path, {"bots": "mark"}, **headers).status_code == 401
    assert browser.ask("GET", path, **headers).status_code == 401
    assert browser.ask("POST", "/web/v1/leads/delete", {"email": "a@b.example"}, **headers).status_code == 401


def test_tokens_of_two_sessions_do_not_mix_and_a_session_is_no_key(app: Application, project: Any) -> None:
    one, other = (signed_in(app, {"key": project[1]["admin"]}) for _ in range(2))
    path = f"/v1/projects/{project[0]}"
    assert other.csrf is not None
    assert one.ask("GET", path, **{"x-csrf-token": other.csrf}).status_code == 401
    assert one.cookie is not None
    token = one.cookie.partition("=")[2]
    for key in (token, f"session:{token}", f"session:{'0' * 32}:{token}"):
        app.client.cookies.clear()
        assert app.client.get(path, headers=bearer(key)).status_code == 401
        assert Browser(app).enter({"key": key}).status_code == 401


@pytest.mark.parametrize("cookie", ["tallymark_session=x", "tallymark_session=", "=;;=", 'a="\\377', "x" * 5_000])
def test_a_forged_cookie_opens_nothing(app: Application, cookie: str) -> None:
    browser = Browser(app)
    browser.cookie, browser.csrf = cookie, "0" * 64
    assert browser.ask("GET", "/v1/session").status_code == 401
    assert browser.ask("GET", "/v1/projects").status_code == 401


def test_a_session_ends_with_its_key(app: Application, project: Any) -> None:
    name, keys = project
    browser = signed_in(app, {"key": keys["read"]})
    listed = app.client.get("/v1/keys", params={"project": name}, headers=bearer(ADMIN)).json()["keys"]
    (key,) = (one["id"] for one in listed if one["scope"] == "read")
    assert app.client.delete(f"/v1/keys/{key}", headers=bearer(ADMIN)).status_code == 200
    assert browser.ask("GET", "/v1/session").status_code == 401
    assert browser.ask("GET", f"/v1/projects/{name}").status_code == 401


def test_a_session_ends_when_it_is_old_or_idle(app: Application, project: Any) -> None:
    browser = signed_in(app, {"key": project[1]["read"]})
    for _ in range(4):
        app.clock.now += IDLE - timedelta(hours=1)
        assert browser.ask("GET", "/v1/session").status_code == 200
    app.clock.now = NOON + LONGEST
    assert browser.ask("GET", "/v1/session").status_code == 401
    app.clock.now = NOON
    idle = signed_in(app, {"key": project[1]["read"]})
    app.clock.now += IDLE
    assert idle.ask("GET", "/v1/session").status_code == 401


def test_a_key_that_only_sends_signs_nobody_in(app: Application, project: Any) -> None:
    answer = Browser(app).enter({"key": project[1]["ingest"]})
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "forbidden")


@pytest.mark.parametrize(
    "body",
    [None, [], {}, {"key": 1}, {"key": ""}, {"key": "a", "code": "b"}, {"password": "x"}, {"token": "x"},
     {"key": "x" * 501}],
)  # fmt: skip
def test_what_is_no_way_in_is_said(app: Application, body: Any) -> None:
    assert Browser(app).ask("POST", "/v1/session", body).status_code == 400


def test_a_one_time_link_opens_once_and_not_for_long(app: Application) -> None:
    def code() -> str:
        made: str = app.client.post("/v1/session/links", headers=bearer(ADMIN)).json()["code"]
        return made

    app.clock.now = NOON
    first = code()
    assert [Browser(app).enter({"code": first}).status_code for _ in range(2)] == [201, 401]
    browser = signed_in(app, {"code": code()})
    assert browser.ask("GET", "/v1/session").json()["session"] | {"expiresAt": ""} == {
        "name": "a one-time link", "scope": "admin", "project": None, "expiresAt": "", "share": None
    }  # fmt: skip
    late = code()
    app.clock.now += timedelta(minutes=15)
    assert Browser(app).enter({"code": late}).status_code == 401
    assert Browser(app).enter({"code": "made up"}).status_code == 401


def test_only_an_admin_of_all_makes_one_time_links(app: Application, project: Any) -> None:
    answer = app.client.post("/v1/session/links", headers=bearer(project[1]["admin"]))
    assert answer.status_code == 403


def test_a_shared_link_reads_its_project_and_nothing_else(app: Application, project: Any) -> None:
    name, other = project[0], app.make("web")[0]
    _, token = shared(app, name, title="November", view="page=web&period=month")
    browser = signed_in(app, {"share": token})
    told = browser.ask("GET", "/v1/session").json()["session"]
    assert told["share"] == {"title": "November", "view": "page=web&period=month"}
    assert [one["name"] for one in browser.ask("GET", "/v1/projects").json()["projects"]] == [name]
    assert browser.ask("GET", f"/v1/query?project={name}&metrics=visitors").status_code == 200
    assert browser.ask("GET", f"/v1/query?project={other}&metrics=visitors").status_code == 404
    for method, path in (
        ("GET", f"/v1/keys?project={name}"), ("GET", f"/v1/shares?project={name}"), ("POST", "/v1/session/links"),
        ("GET", f"/v1/rollup/status?project={name}"), ("DELETE", f"/v1/projects/{name}"),
        ("GET", f"/web/v1/leads?propertyId={name}"),
    ):  # fmt: skip
        assert browser.ask(method, path).status_code == 403, path


def test_a_revoked_link_closes_at_once(app: Application, project: Any) -> None:
    name, _ = project
    share, token = shared(app, name)
    browser = signed_in(app, {"share": token})
    answer = app.client.delete(f"/v1/shares/{share}", params={"project": name}, headers=bearer(ADMIN))
    assert answer.json()["share"]["revokedAt"] is not None
    assert browser.ask("GET", f"/v1/projects/{name}").status_code == 401
    assert Browser(app).enter({"share": token}).status_code == 401
    deeds = [deed.action for deed in app.here.audit.list(app.project(name).id, f"share/{share}")]
    assert deeds == ["revoked", "created"]


def test_a_link_of_another_project_cannot_be_revoked(app: Application, project: Any) -> None:
    share, token = shared(app, project[0])
    _, keys = app.make("web")
    assert app.client.delete(f"/v1/shares/{share}", headers=bearer(keys["admin"])).status_code == 404
    assert Browser(app).enter({"share": token}).status_code == 201


def test_a_link_with_a_password_needs_it(app: Application, project: Any) -> None:
    share, token = shared(app, project[0], password="open sesame")
    stored = app.here.shares.get(share)
    assert stored is not None
    assert "sesame" not in stored.password
    answer = Browser(app).enter({"share": token})
    assert (answer.status_code, answer.json()["error"]["field"]) == (403, "password")
    assert Browser(app).enter({"share": token, "password": "open"}).status_code == 403
    assert Browser(app).enter({"share": token, "password": "open sesame"}).status_code == 201


def test_links_go_with_their_project(app: Application, project: Any) -> None:
    _, token = shared(app, project[0])
    browser = signed_in(app, {"share": token})
    assert app.client.delete(f"/v1/projects/{project[0]}", headers=bearer(ADMIN)).status_code == 200
    app.here.access.forget()
    assert browser.ask("GET", "/v1/session").status_code == 401


@pytest.mark.parametrize(
    "draft",
    [[], {"title": 1}, {"title": "x" * 201}, {"view": "x" * 2_001}, {"password": 5}, {"expiresAt": "yesterday"},
     {"expiresAt": "2001-01-01"}, {"project": "x"}],
)  # fmt: skip
def test_a_bad_link_is_refused(app: Application, project: Any, draft: Any) -> None:
    answer = app.client.post("/v1/shares", params={"project": project[0]}, json=draft, headers=bearer(ADMIN))
    assert answer.status_code == 400


def test_wrong_secrets_are_limited(tmp_path_factory: pytest.TempPathFactory, engine: Engine) -> None:
    settings: dict[str, Any] = {"rate_limit_address": 50}
    with application(tmp_path_factory.mktemp("guesses"), engine, NOON, **settings) as found:
        statuses = [Browser(found).enter({"key": f"guess {n}"}).status_code for n in range(8)]
        assert statuses == [401] * 5 + [429] * 3
