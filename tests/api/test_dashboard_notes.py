"""Annotations, saved views and who is there now, through the real application."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

import httpx
import pytest

from tallymark.engine.base import Engine
from tests.packs.quiz.school import NOON
from tests.packs.world import ADMIN, Application, application, bearer

TODAY = str(NOON.date())


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory, engine: Engine) -> Iterator[Application]:
    with application(tmp_path_factory.mktemp("notes"), engine, NOON) as found:
        yield found


@pytest.fixture
def keys(app: Application) -> Mapping[str, str]:
    return app.make("web")[1]


def ask(app: Application, method: str, path: str, key: str, body: Any = None, **params: str) -> httpx.Response:
    return app.client.request(method, path, json=body, params=params, headers=bearer(key))


@pytest.mark.parametrize(
    ("path", "many", "one", "draft"),
    [
        ("/v1/annotations", "annotations", "annotation", {"day": TODAY, "text": "New pricing"}),
        ("/v1/views", "views", "view", {"title": "Germany", "view": "page=web&f=country%3Ais%3ADE"}),
    ],
)
def test_they_are_made_listed_and_deleted_by_who_may(
    app: Application, keys: Mapping[str, str], path: str, many: str, one: str, draft: Mapping[str, str]
) -> None:
    made = ask(app, "POST", path, keys["admin"], draft)
    assert made.status_code == 201
    assert made.json()[one].items() >= draft.items()
    assert ask(app, "GET", path, keys["read"]).json() == {many: [made.json()[one]]}
    here, stranger = f"{path}/{made.json()[one]['id']}", app.make("web")[1]
    assert ask(app, "GET", path, stranger["read"]).json() == {many: []}
    assert [ask(app, method, where, keys["read"], draft).status_code for method, where in
            (("POST", path), ("DELETE", here))] == [403, 403]  # fmt: skip
    assert ask(app, "DELETE", here, stranger["admin"]).status_code == 404
    assert ask(app, "DELETE", here, keys["admin"]).json() == made.json()
    assert ask(app, "DELETE", here, keys["admin"]).status_code == 404
    assert ask(app, "GET", path, keys["read"]).json() == {many: []}


@pytest.mark.parametrize(
    ("path", "one", "draft", "changes"),
    [
        ("/v1/annotations", "annotation", {"day": TODAY, "text": "x"}, ({"text": "y"}, {"day": "2028-01-20"})),
        ("/v1/views", "view", {"title": "x", "view": "page=web"}, ({"title": "y"}, {"view": "page=sdk"})),
    ],
)
def test_they_are_changed_field_by_field_by_who_may(
    app: Application, keys: Mapping[str, str], path: str, one: str, draft: Mapping[str, str],
    changes: Sequence[Mapping[str, str]],
) -> None:  # fmt: skip
    was = ask(app, "POST", path, keys["admin"], draft).json()[one]
    here = f"{path}/{was['id']}"
    for change in (*changes, {}):
        was = {**was, **change}
        assert ask(app, "PATCH", here, keys["admin"], change).json() == {one: was}
    assert ask(app, "PATCH", here, keys["read"], changes[0]).status_code == 403
    assert ask(app, "PATCH", here, app.make("web")[1]["admin"], changes[0]).status_code == 404
    for bad in (None, {"by": "me"}, {"day": "2028-02-30", "title": ""}, *({name: ""} for name in draft)):
        assert ask(app, "PATCH", here, keys["admin"], bad).status_code == 400
    assert ask(app, "DELETE", here, keys["admin"]).json() == {one: was}
    assert ask(app, "PATCH", here, keys["admin"], changes[0]).status_code == 404


def test_annotations_are_those_of_the_days_that_are_asked_for(app: Application, keys: Mapping[str, str]) -> None:
    for day in ("2028-02-01", "2028-01-15", "2028-02-02"):
        ask(app, "POST", "/v1/annotations", keys["admin"], {"day": day, "text": f"on {day}"})
    found = ask(app, "GET", "/v1/annotations", keys["read"], **{"from": "2028-01-15", "to": "2028-02-01"}).json()
    assert [note["day"] for note in found["annotations"]] == ["2028-01-15", "2028-02-01"]


NO_ANNOTATIONS: Sequence[Any] = (
    None, [], {}, {"day": TODAY}, {"text": "x"}, {"day": "2028-02-30", "text": "x"}, {"day": TODAY, "text": ""},
    {"day": TODAY, "text": "x" * 201}, {"day": 5, "text": "x"}, {"day": TODAY, "text": "x", "by": "me"},
)  # fmt: skip
NO_VIEWS: Sequence[Any] = ({}, {"title": "x"}, {"title": "x", "view": "y" * 2_001})
BAD = [*(("/v1/annotations", body) for body in NO_ANNOTATIONS), *(("/v1/views", body) for body in NO_VIEWS)]


@pytest.mark.parametrize(("path", "body"), BAD)
def test_what_is_none_is_refused(app: Application, keys: Mapping[str, str], path: str, body: Any) -> None:
    answer = ask(app, "POST", path, keys["admin"], body)
    assert (answer.status_code, "message" in answer.json()["error"]) == (400, True)


def test_they_are_audited_and_go_with_their_project(app: Application) -> None:
    name, keys = app.make("web")
    ask(app, "POST", "/v1/annotations", keys["admin"], {"day": TODAY, "text": "x"})
    ask(app, "POST", "/v1/views", keys["admin"], {"title": "x", "view": "y"})
    project = app.project(name).id
    deeds = {(deed.subject.partition("/")[0], deed.action) for deed in app.here.audit.list(project)}
    assert deeds == {("annotation", "created"), ("view", "created")}
    assert ask(app, "DELETE", f"/v1/projects/{name}", ADMIN).status_code == 200
    assert app.here.annotations.between(project, NOON.date(), NOON.date()) == ()
    assert app.here.saved_views.of_project(project) == ()


def test_live_is_what_happened_in_the_last_minutes(app: Application, keys: Mapping[str, str]) -> None:
    ago = [0.5, 1, 4.9, 5.1, 12, 29.5, 31, 600]
    events = [
        {"event": "page_view", "visitorId": f"v{n % 3}", "url": f"https://a.example/{n}",
         "timestamp": (NOON - timedelta(minutes=minutes)).isoformat()}
        for n, minutes in enumerate(ago)
    ]  # fmt: skip
    robot = {**events[0], "visitorId": "robot", "userAgent": "Googlebot/2.1 (+http://www.google.com/bot.html)"}
    sent = ask(app, "POST", "/v1/events", keys["ingest"], [*events, robot])
    assert sent.json()["accepted"] == len(ago) + 1
    told = ask(app, "GET", "/v1/live", keys["read"]).json()
    assert (told["actors"], told["events"]) == (3, 3)
    expected = [0] * 30
    for minutes in ago:
        if minutes < 30:
            expected[int(30 - minutes)] += 1
    assert told["perMinute"] == expected
    assert [event["path"] for event in told["latest"]] == [f"/{n}" for n, minutes in enumerate(ago) if minutes < 30]
    assert ask(app, "GET", "/v1/live", app.make("web")[1]["read"]).json()["events"] == 0
    assert ask(app, "GET", "/v1/live", keys["ingest"]).status_code == 403
