"""Who sees what of quizzes: users with tokens, asked at the front door and by statements that forget to ask."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from litestar import Litestar
from litestar.routes import ASGIRoute, HTTPRoute

from tallymark.api.services import Services
from tallymark.control.quizzes import MOST_OWNED
from tallymark.control.refusals import MOST_OF_ONE
from tallymark.engine.base import Engine
from tallymark.engine.expression import condition_sql
from tallymark.errors import Forbidden, NotFound, TallymarkError, Unauthorized
from tallymark.packs.quiz import names
from tallymark.packs.quiz.users import sender_of
from tallymark.packs.quiz.viewer import Viewer
from tallymark.spec.condition import Comparison, Op, Prop
from tests.access.tokens import SECRET, claims, raw, token
from tests.packs.quiz.bearers import BELIEVING, token_of
from tests.packs.world import ADMIN, Application, application, bearer

#: Far from the engine's own clock: nothing expires while the tests run.
NOON = datetime(2028, 2, 29, 12, tzinfo=UTC)
_PATH = "/quiz/api/v1/quizzes"
_LEARNERS, _QUIZZES = ("ada", "bob", "cleo"), ("algebra", "botany", "chess")


@dataclass
class School:
    """A project with three learners, each with two answers at each of three quizzes, beside another one's."""

    application: Application
    name: str = ""
    keys: Mapping[str, str] = field(default_factory=dict)

    @property
    def here(self) -> Services:
        return self.application.here

    @property
    def id(self) -> int:
        return self.application.project(self.name).id

    def token(self, user: str, role: str | None = None, **more: Any) -> str:
        return token_of(user, self.name, role, **more)

    def viewer(self, key: str, name: str | None = None) -> Viewer:
        return Viewer.of(self.here, scope(key), name)

    def own(self, quiz: str, owner: str) -> None:
        body = {"title": quiz.title(), "owner": owner}
        answer = self.ask("PUT", f"/{quiz}", self.keys["admin"], json=body)
        assert answer.status_code == 200, answer.text

    def ask(self, method: str, path: str, key: str, **more: Any) -> Any:
        params = {"project": self.name}
        return self.application.client.request(method, f"{_PATH}{path}", params=params, headers=bearer(key), **more)

    def refusals(self) -> list[tuple[str, str]]:
        return [(deed.subject, deed.by) for deed in self.here.audit.list(self.id) if deed.action == "refused"]


def scope(key: str) -> Any:
    return {"headers": [(b"authorization", f"Bearer {key}".encode())]}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, engine: Engine) -> Iterator[Application]:
    with application(tmp_path_factory.mktemp("scope"), engine, NOON, **BELIEVING) as found:
        yield found


@pytest.fixture(scope="module")
def school(running: Application) -> School:
    """The project, and one with the same learners and quizzes."""
    made = [School(running, *running.make("quiz")) for _ in range(2)]
    for each in made:
        events = [
            {"event": names.ANSWERED, "timestamp": (NOON - timedelta(minutes=n)).isoformat(), "userId": learner,
             "eventId": f"{learner}-{quiz}-{n}", "properties": {names.QUIZ: quiz, names.QUESTION: f"q{n}"}}
            for learner in _LEARNERS for quiz in _QUIZZES for n in range(2)
        ]  # fmt: skip
        answer = running.client.post("/v1/events", content=json.dumps(events), headers=bearer(each.keys["ingest"]))
        assert answer.status_code == 202, answer.text
        running.settle(each.name)
    made[0].own("algebra", "tom")
    made[0].own("chess", "tom")
    made[0].own("botany", "tess")
    return made[0]


#: Statements that forget to say whose rows they want: how many rows, of which users and quizzes.
_LEAKS = (
    "SELECT count(), uniqExact(actor), uniqExact(toString(props.quizId)), uniqExact(project) FROM events",
    "SELECT count(), uniqExact(actor), uniqExact(toString(props.quizId)), uniqExact(project) "
    "FROM (SELECT * FROM events FINAL WHERE 1 = 1 OR project = 0)",
    "WITH every AS (SELECT * FROM events) SELECT count(), uniqExact(actor), uniqExact(toString(props.quizId)), "
    "uniqExact(project) FROM every",
)


@pytest.mark.parametrize(
    ("user", "role", "seen"),
    [
        ("ada", None, (6, 1, 3, 1)),
        ("ada", "learner", (6, 1, 3, 1)),
        ("nobody", None, (0, 0, 0, 0)),
        ("tom", "teacher", (12, 3, 2, 1)),
        ("tess", "teacher", (6, 3, 1, 1)),
        ("ada", "teacher", (0, 0, 0, 0)),
        ("root", "admin", (18, 3, 3, 1)),
    ],
)
def test_a_forgotten_where_leaks_nothing(school: School, user: str, role: str | None, seen: tuple[int, ...]) -> None:
    viewer = school.viewer(school.token(user, role))
    for sql in _LEAKS:
        assert viewer.engine.query(sql) == [seen], sql
    others = "SELECT count() FROM rollups WHERE project != {p:UInt32}"
    assert viewer.engine.query(others, {"p": school.id}) == [(0,)]
    rollups = viewer.engine.query("SELECT count() FROM rollups")[0][0]
    assert (rollups > 0) == (role == "admin")


def test_views_show_no_more_than_their_tables(school: School) -> None:
    """Whatever views there are, those over many people's numbers are empty for a learner."""
    engine = school.viewer(school.token("ada")).engine
    known = [name for (name,) in school.here.engine.query(
        "SELECT name FROM system.tables WHERE database = currentDatabase() AND engine = 'View'")]  # fmt: skip
    for name in known:
        if "project" in {row[0] for row in school.here.engine.query(f"DESCRIBE TABLE `{name}`")}:
            assert engine.query(f"SELECT uniqExact(project) <= 1 FROM `{name}`") == [(1,)], name


@pytest.mark.parametrize("user", ["' OR 1=1 --", "\\' OR 1=1 --", "}", "ada' OR 'a'='a", "0 OR 1", "{p:UInt32}", "%s"])
def test_names_stay_names(school: School, user: str) -> None:
    count = "SELECT count() FROM events WHERE project = {p:UInt32}"
    learner = school.viewer(school.token(user))
    assert learner.engine.query(count, {"p": school.id}) == [(0,)]
    school.own("odd", "oscar")
    school.here.quizzes.put(school.id, user, "", "oscar", "a test", NOON)
    teacher = school.viewer(school.token("oscar", "teacher"))
    assert user in teacher.quizzes
    assert teacher.engine.query(count, {"p": school.id}) == [(0,)]
    school.here.quizzes.remove(school.id, user, "a test", NOON)


def test_as_many_quizzes_as_an_owner_may_have(school: School) -> None:
    """They all fit into a statement, long as their ids may be."""
    many = tuple(f"{n:0200d}" for n in range(MOST_OWNED - 1))
    theirs = condition_sql(Comparison(Prop(names.QUIZ), Op.IS, (*many, "algebra")))
    scoped = school.here.engine.scoped({"events": f"project = {school.id} AND {theirs}"})
    assert scoped.query("SELECT count() FROM events") == [(6,)]


def test_learners_see_their_own_numbers(school: School) -> None:
    viewer = school.viewer(school.token("bob"))
    viewer.look_at_user("bob")
    viewer.look_at_quiz("algebra")
    for other in ("ada", "", "BOB", "bob ", "' OR 1=1 --"):
        with pytest.raises(Forbidden, match="their own"):
            viewer.look_at_user(other)
    actor = school.here.receiver.enricher.actor(school.id, "ada")
    assert (f"user/{actor:016x}", "user bob") in school.refusals()
    assert "ada" not in json.dumps(school.refusals())


def test_teachers_see_the_quizzes_that_they_own(school: School) -> None:
    viewer = school.viewer(school.token("tom", "teacher"))
    viewer.look_at_quiz("chess")
    viewer.look_at_user("ada")
    with pytest.raises(Forbidden, match="not among yours"):
        viewer.look_at_quiz("botany")
    assert ("quiz/botany", "user tom") in school.refusals()


def test_admins_and_keys_see_all(school: School) -> None:
    for key in (school.token("root", "admin"), school.keys["read"], school.keys["admin"]):
        viewer = school.viewer(key)
        assert (viewer.project.name, viewer.role) == (school.name, "admin")
        viewer.look_at_quiz("botany")
        viewer.look_at_user("ada")
    with pytest.raises(Forbidden):
        school.viewer(school.keys["ingest"])


def test_a_stranger_can_not_fill_the_audit(school: School) -> None:
    viewer = school.viewer(school.token("mallory"))
    for n in range(MOST_OF_ONE + 30):
        for _ in range(2):
            with pytest.raises(Forbidden):
                viewer.look_at_user(f"user-{n}")
    lines = [deed for deed in school.here.audit.list(school.id) if deed.by == "user mallory"]
    assert len(lines) == MOST_OF_ONE
    assert [dict(deed.detail) for deed in lines if deed.detail] == [{"more": "left out for this hour"}]
    school.application.clock.now += timedelta(hours=1)
    with pytest.raises(Forbidden):
        viewer.look_at_user("user-1")
    assert len([by for _, by in school.refusals() if by == "user mallory"]) == MOST_OF_ONE + 1


def test_projects_of_others_look_like_none(school: School) -> None:
    other, _ = school.application.make("quiz")
    for name in (other, "no-such-project", "quiz"):
        with pytest.raises(Forbidden, match="not good for this project"):
            school.viewer(school.token("ada"), name)
    two = token("ada", app_metadata={"projects": [school.name, "gone"]})
    assert school.viewer(two, school.name).project.id == school.id
    with pytest.raises(NotFound):
        school.viewer(two, "gone")
    with pytest.raises(Forbidden):
        school.viewer(token("ada"))


def test_tokens_that_are_not_believed(school: School) -> None:
    for bad in (school.token("ada", exp=1), school.token("ada", aud="x"), raw({"alg": "none"}, claims())):
        with pytest.raises(Unauthorized):
            school.viewer(bad)
        answer = school.ask("GET", "", bad)
        assert (answer.status_code, answer.json()["error"]) == (401, "unauthorized")
        assert answer.json()["success"] is False


def test_whose_a_quiz_is(school: School) -> None:
    """Admins say it, by key or by token; teachers see their own; learners see none."""
    admin = school.token("root", "admin")
    answer = school.ask("PUT", "/drawing", admin, json={"title": "Drawing", "owner": "dora"})
    assert answer.json()["quiz"] == {
        "quizId": "drawing", "title": "Drawing", "owner": "dora", "createdAt": "2028-02-29T12:00:00.000Z",
        "updatedAt": "2028-02-29T12:00:00.000Z",
    } | {name: answer.json()["quiz"][name] for name in ("createdAt", "updatedAt")}  # fmt: skip
    dora, tom = school.token("dora", "teacher"), school.token("tom", "teacher")
    assert [quiz["quizId"] for quiz in school.ask("GET", "", dora).json()["quizzes"]] == ["drawing"]
    assert [quiz["quizId"] for quiz in school.ask("GET", "", tom).json()["quizzes"]] == ["algebra", "chess"]
    assert {"algebra", "botany", "drawing"} <= {q["quizId"] for q in school.ask("GET", "", admin).json()["quizzes"]}
    assert school.ask("GET", "/drawing", dora).json()["quiz"]["title"] == "Drawing"
    assert school.ask("GET", "/drawing", tom).status_code == 403
    for path in ("", "/drawing"):
        assert school.ask("GET", path, school.token("ada")).status_code == 403
    for method in ("PUT", "DELETE"):
        for key in (dora, school.token("ada"), school.keys["read"]):
            assert school.ask(method, "/drawing", key, json={"owner": "ada"}).status_code == 403
    assert school.ask("DELETE", "/drawing", school.keys["admin"]).json()["deleted"]["owner"] == "dora"
    assert (
        school.ask("GET", "/drawing", admin).status_code == school.ask("DELETE", "/drawing", admin).status_code == 404
    )
    deeds = [(deed.action, deed.by.split(" ")[0]) for deed in school.here.audit.list(school.id, "quiz/drawing")]
    assert ("set", "user") in deeds
    assert "deleted" in {action for action, _ in deeds}


@pytest.mark.parametrize(
    "body", [[], {"owner": 7}, {"title": "x" * 201}, {"titel": "x"}, {"owner": "a\nb"}, {"title": None}]
)
def test_bodies_that_say_nothing(school: School, body: Any) -> None:
    answer = school.ask("PUT", "/drawing", school.keys["admin"], json=body)
    assert (answer.status_code, answer.json()["success"]) == (400, False)


def test_a_deleted_project_takes_its_quizzes_along(school: School) -> None:
    gone = School(school.application, *school.application.make("quiz"))
    gone.own("algebra", "tom")
    id_ = gone.id
    assert gone.application.client.delete(f"/v1/projects/{gone.name}", headers=bearer(ADMIN)).status_code == 200
    assert school.here.quizzes.list(id_) == ()


def test_what_a_user_sends_is_theirs(school: School) -> None:
    """By every door of the pack, whoever else it says that it is of."""
    mine = School(school.application, *school.application.make("quiz"))
    at = NOON.isoformat()
    said = {"event": "quiz_started", "timestamp": at, "quizId": "algebra", "userId": "bob", "visitorId": "v"}
    statement = {
        "actor": {"mbox": "mailto:bob@example.org"}, "verb": {"id": "http://adlnet.gov/expapi/verbs/attempted"},
        "object": {"id": "https://school.example/quizzes/algebra"}, "timestamp": at,
    }  # fmt: skip
    lead = {"quizId": "algebra", "email": "bob@example.org", "userId": "bob"}
    sent: list[tuple[str, Any, dict[str, str]]] = [
        ("events", [said, {**said, "quizId": "botany", "actor": "bob"}], {}),
        ("xapi/statements", statement, {"X-Experience-API-Version": "1.0.3"}),
        ("leads", lead, {}),
    ]
    for path, body, headers in sent:
        answer = school.application.client.post(
            f"/quiz/{path}", json=body, headers={**bearer(mine.token("ada")), **headers}, params={"project": mine.name}
        )
        assert answer.status_code in {200, 201, 202}, answer.text
    rows = school.here.engine.query(
        "SELECT event, actor, count() FROM events WHERE project = {p:UInt32} GROUP BY ALL", {"p": mine.id}
    )
    ada = school.here.receiver.enricher.actor(mine.id, "ada")
    assert sorted(tuple(row) for row in rows) == [("quiz_lead", ada, 1), ("quiz_started", ada, 3)]


def test_who_sends(school: School) -> None:
    project, user = sender_of(school.here, scope(school.token("ada")), None, None)
    assert (project.id, user) == (school.id, "ada")
    assert sender_of(school.here, scope(school.keys["ingest"]), None, None) == (project, None)
    nobody: Any = {"headers": []}
    assert sender_of(school.here, nobody, None, school.name) == (project, None)
    with pytest.raises(TallymarkError):
        sender_of(school.here, scope(school.token("ada", exp=1)), None, school.name)


def test_a_configured_key_is_a_key_whatever_it_looks_like(school: School, engine: Engine, tmp_path: Any) -> None:
    """The key of a service may itself be a token."""
    service = token("service", role="admin", exp=1)
    with application(tmp_path, engine, NOON, api_key=service, jwt_secrets=(SECRET,)) as other:
        name, _ = other.make("quiz")
        assert Viewer.of(other.here, scope(service), name).user is None


def _endpoints(app: Litestar) -> Iterator[tuple[str, str]]:
    for route in app.routes:
        if isinstance(route, HTTPRoute):
            for handler in route.route_handlers:
                yield from ((method, route.path) for method in handler.http_methods if method != "OPTIONS")
        elif isinstance(route, ASGIRoute):
            yield "POST", route.path


def test_a_token_opens_nothing_but_quizzes(school: School) -> None:
    """Every endpoint outside of the pack is tried: what a token of an admin opens is open to everybody."""
    client, token_ = school.application.client, bearer(school.token("ada", "admin"))
    closed = 0
    for method, path in _endpoints(client.app):
        if path.startswith("/quiz/"):
            continue
        url = "/".join("1" if part.startswith("{") else part for part in path.split("/"))
        body = b"{}" if method in {"POST", "PUT", "PATCH"} else None
        named = {"project": school.name}
        status = client.request(method, url, headers=token_, content=body, params=named).status_code
        if status < 300:
            assert client.request(method, url, content=body, params=named).status_code == status, (method, path)
        closed += status in {401, 403}
    assert closed > 40
