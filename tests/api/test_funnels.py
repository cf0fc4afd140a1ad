"""`/v1/funnels` through the front door: asked for, declared, and in pages."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from tallymark.control.experiments import Doer
from tallymark.engine.base import Engine
from tallymark.spec.condition import Comparison, Op, Prop
from tallymark.spec.experiment_draft import parse_draft
from tallymark.spec.funnel import Funnel, Step
from tests.api.sealing import seal
from tests.packs.world import Application, application, bearer

NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
NOON = datetime(2026, 3, 3, 12, tzinfo=UTC)
DAY = {"from": "2026-03-03", "to": "2026-03-03"}


@dataclass(frozen=True)
class Shop:
    """A project, and requests with its keys."""

    app: Application
    name: str
    keys: dict[str, str]

    def ask(self, method: str, path: str, scope: str = "read", **request: Any) -> tuple[int, Any]:
        answer = self.app.client.request(method, path, headers=bearer(self.keys[scope]), **request)
        return answer.status_code, answer.json()

    def get(self, path: str, **params: Any) -> Any:
        status, body = self.ask("GET", path, params=params)
        assert status == 200, body
        return body

    def refused(self, path: str, **params: Any) -> dict[str, Any]:
        status, body = self.ask("GET", path, params=params)
        assert status == 400, body
        error: dict[str, Any] = body["error"]
        assert error["code"] == "bad_query"
        return error

    def send(self, actor: str, *happened: tuple[str, int], **more: Any) -> None:
        """Events of an actor, so many seconds after noon."""
        events = [
            {"event": event, "userId": actor, "timestamp": (NOON + timedelta(seconds=seconds)).isoformat(), **more}
            for event, seconds in happened
        ]
        status, body = self.ask("POST", "/v1/import", "admin", json=events)
        assert (status, body["accepted"]) == (202, len(events)), body


@pytest.fixture(scope="module")
def app(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    with application(tmp_path_factory.mktemp("funnels"), engine, NOW) as opened:
        yield opened


@pytest.fixture
def shop(app: Application) -> Shop:
    name, keys = app.make("web", retention="3650d")
    return Shop(app, name, dict(keys))


def test_a_funnel_of_any_steps(shop: Shop) -> None:
    shop.send("ann", ("view", 0), ("cart", 30), ("pay", 90), ip="193.99.144.80")
    shop.send("bob", ("view", 0), ("cart", 10), ip="8.8.8.8")
    shop.send("dan", ("view", 5), ip="8.8.8.8")
    body = shop.get("/v1/funnels", step=["view", "cart", '{"name": "Paid", "event": ["pay"]}'], by="country", **DAY)
    assert body["project"] == shop.name
    assert body["funnel"]["within"] == "7d"
    assert body["window"] == {**DAY, "timezone": "UTC"}
    assert body["complete"] is True
    assert body["overall"] == {
        "entered": 3, "completed": 1, "conversion": 0.333333, "medianSeconds": 90.0, "p90Seconds": 90.0,
    }  # fmt: skip
    assert body["steps"] == [
        {"name": "view", "actors": 3, "conversion": 1.0, "stepConversion": None, "dropped": None,
         "medianSeconds": None, "p90Seconds": None},
        {"name": "cart", "actors": 2, "conversion": 0.666667, "stepConversion": 0.666667, "dropped": 1,
         "medianSeconds": 20.0, "p90Seconds": 28.0},
        {"name": "Paid", "actors": 1, "conversion": 0.333333, "stepConversion": 0.5, "dropped": 1,
         "medianSeconds": 60.0, "p90Seconds": 60.0},
    ]  # fmt: skip
    groups = {group["key"]: [step["actors"] for step in group["steps"]] for group in body["groups"]}
    assert groups == {"US": [2, 1, 0], "DE": [1, 1, 1]}
    assert set(body["freshness"]) == {"rolledUpThrough", "lagSeconds", "generatedAt", "sealedDays"}


def test_new_events_count_at_once(shop: Shop) -> None:
    for actors in (1, 2):
        shop.send(f"u{actors}", ("a", 0), ("b", 1))
        assert shop.get("/v1/funnels", step=["a", "b"], **DAY)["overall"]["completed"] == actors


def test_who_may_still_go_on_is_said(shop: Shop) -> None:
    asked = {"step": ["a", "b"], "from": "2026-03-12", "to": "2026-03-13"}
    assert shop.get("/v1/funnels", **asked, within="7d")["complete"] is False
    assert shop.get("/v1/funnels", **asked, within="6d")["complete"] is True


def test_declared_funnels(shop: Shop) -> None:
    names = [funnel["name"] for funnel in shop.get("/v1/funnels/declared")["funnels"]]
    assert names == ["web_forms", "web_leads"]
    body = {"title": "Zahlung", "steps": ["view", {"name": "Bezahlt", "event": "pay"}], "within": "90m"}
    status, told = shop.ask("PUT", "/v1/funnels/checkout", "admin", json=body)
    assert (status, told["created"]) == (200, True)
    assert told["funnel"] == {
        "name": "checkout", "title": "Zahlung", "within": "90m",
        "steps": [{"name": "view", "event": ["view"]}, {"name": "Bezahlt", "event": ["pay"]}],
    }  # fmt: skip
    assert shop.ask("PUT", "/v1/funnels/checkout", "admin", json=body)[1]["created"] is False
    listed = {funnel["name"]: funnel for funnel in shop.get("/v1/funnels/declared")["funnels"]}
    assert listed["checkout"]["declaredBy"] == "project"
    assert (listed["web_forms"]["declaredBy"], listed["web_forms"]["pack"]) == ("pack", "web")
    shop.send("ann", ("view", 0), ("pay", 5_400))
    shop.send("bob", ("view", 0), ("pay", 5_401))
    asked = shop.get("/v1/funnels", name="checkout", **DAY)
    assert (asked["funnel"]["title"], asked["overall"]["completed"]) == ("Zahlung", 1)
    assert shop.get("/v1/funnels", name="checkout", within="2h", **DAY)["overall"]["completed"] == 2
    assert shop.ask("DELETE", "/v1/funnels/checkout", "admin")[1]["deleted"]["name"] == "checkout"
    assert shop.refused("/v1/funnels", name="checkout")["allowed"] == names


def test_a_projects_own_funnel_wins(shop: Shop) -> None:
    shop.ask("PUT", "/v1/funnels/web_forms", "admin", json={"steps": ["a", "b"]})
    assert len(shop.get("/v1/funnels", name="web_forms", **DAY)["steps"]) == 2
    assert shop.ask("DELETE", "/v1/funnels/web_forms", "admin")[0] == 200
    assert len(shop.get("/v1/funnels", name="web_forms", **DAY)["steps"]) == 3
    assert shop.ask("DELETE", "/v1/funnels/web_forms", "admin")[0] == 404


def test_those_who_left_come_in_pages(shop: Shop) -> None:
    for number in range(5):
        shop.send(f"u{number}", ("a", 0), *([("b", 1)] if number == 0 else []))
    first = shop.get("/v1/funnels/actors", step=["a", "b"], dropoff="b", limit=3, **DAY)
    assert (first["step"], len(first["actors"]), first["next"]) == ("b", 3, first["actors"][-1])
    second = shop.get("/v1/funnels/actors", step=["a", "b"], dropoff="2", limit=3, after=first["next"], **DAY)
    assert (len(second["actors"]), second["next"]) == (1, None)
    assert all(len(actor) == 16 for actor in first["actors"])
    assert len({*first["actors"], *second["actors"]}) == 4
    assert (first["complete"], first["freshness"]["sealedDays"]) == (True, [])


@pytest.mark.parametrize(("limit", "more"), [(2, True), (3, False)])
def test_a_page_that_is_just_full_is_the_last(shop: Shop, limit: int, more: bool) -> None:
    for actor in ("ann", "bob", "cem"):
        shop.send(actor, ("a", 0))
    page = shop.get("/v1/funnels/actors", step=["a", "b"], dropoff="b", limit=limit, **DAY)
    assert (len(page["actors"]), page["next"]) == (limit, page["actors"][-1] if more else None)


def test_days_without_their_events_are_named(shop: Shop) -> None:
    for hours in (0, 24 * 7, 24 * 8):
        shop.send("ann", ("a", hours * 3_600))
    seal(shop.app, shop.name, date(2026, 3, 3), date(2026, 3, 10), date(2026, 3, 11))
    for path, more in (("/v1/funnels", {}), ("/v1/funnels/actors", {"dropoff": "b"})):
        body = shop.get(path, step=["a", "b"], **DAY, **more)
        assert body["freshness"]["sealedDays"] == ["2026-03-03", "2026-03-10"]  # the last day to go on in


def test_days_whose_exposures_are_gone_are_named(shop: Shop) -> None:
    met = {"properties": {"experiment": "price", "variant": "low"}}
    shop.send("ann", ("experiment_exposure", 0), **met)
    shop.send("ann", ("experiment_exposure", 86_400), **met)
    shop.send("bob", ("experiment_exposure", 9 * 86_400), **met)
    for actor in ("ann", "bob"):
        shop.send(actor, ("a", 10 * 86_400), ("b", 10 * 86_400 + 1))
    seal(shop.app, shop.name, date(2026, 3, 3), date(2026, 3, 4))
    later = {"step": ["a", "b"], "from": "2026-03-13", "to": "2026-03-13"}
    asked = {**later, "by": "variant", "experiment": "price"}
    assert shop.get("/v1/funnels", **later)["freshness"]["sealedDays"] == []
    assert shop.get("/v1/funnels", **asked)["freshness"]["sealedDays"] == ["2026-03-03", "2026-03-04"]
    here, doer = shop.app.here, Doer("test", datetime(2026, 3, 4, 1, tzinfo=UTC))
    draft = parse_draft({"key": "price", "variants": [{"key": "low"}, {"key": "high"}]})
    here.experiments.create(shop.app.project(shop.name).id, draft, doer)
    here.experiment_book.forget()
    assert shop.get("/v1/funnels", **asked)["freshness"]["sealedDays"] == ["2026-03-04"]


def test_a_whole_number_is_one_number_however_it_is_written(shop: Shop) -> None:
    shop.send("ann", ("a", 0), properties={"size": 1})
    shop.send("bob", ("a", 0), properties={"size": 1.0})
    shop.send("cem", ("a", 0), properties={"size": 1.5})
    for size, entered in (("1", 2), ("1.0", 2), ("1.5", 1)):
        step = '{"event": "a", "where": {"props.size": SIZE}}'.replace("SIZE", size)
        assert shop.get("/v1/funnels", step=[step, "b"], **DAY)["overall"]["entered"] == entered


def test_a_funnel_that_cannot_be_read_any_more_is_left_out(shop: Shop) -> None:
    here, project = shop.app.here, shop.app.project(shop.name)
    bad = Comparison(Prop("a..b"), Op.IS, ("x",))
    here.funnels.put(project.id, Funnel("bad", "Bad", (Step("a", bad), Step("b", bad)), 60), NOW)
    shop.send("ann", ("page_view", 0))
    names = [funnel["name"] for funnel in shop.get("/v1/funnels/declared")["funnels"]]
    assert names == ["web_forms", "web_leads"]
    assert shop.get("/v1/funnels", name="web_forms", **DAY)["overall"]["entered"] == 1
    assert shop.ask("PUT", "/v1/funnels/bad", "admin", json={"steps": ["a", "b"]})[1]["created"] is False
    assert shop.ask("DELETE", "/v1/funnels/bad", "admin")[0] == 200


def test_variants_of_an_experiment(shop: Shop) -> None:
    met = {"properties": {"experiment": "price", "variant": "low"}}
    shop.send("ann", ("experiment_exposure", 0), **met)
    shop.send("ann", ("a", 1), ("b", 2))
    shop.send("bob", ("a", 1), ("b", 2))
    body = shop.get("/v1/funnels", step=["a", "b"], by="variant", experiment="price", **DAY)
    assert (body["by"], body["experiment"], body["unitsOfSeveralVariants"]) == ("variant", "price", 0)
    assert [(group["key"], group["overall"]["completed"]) for group in body["groups"]] == [("low", 1)]
    assert shop.refused("/v1/funnels", step=["a", "b"], by="variant", experiment="none", **DAY)["field"] == "experiment"


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({}, "name"),
        ({"name": "nothing"}, "name"),
        ({"name": "web_forms", "step": ["a", "b"]}, "step"),
        ({"step": ["a"]}, "step"),
        ({"step": ["a"] * 21}, "step"),
        ({"step": ["a", "{"]}, "step"),
        ({"step": ["a", '{"event": 1}']}, "step[1].event"),
        ({"step": ["a", '{"where": {"nothing": "x"}}']}, "step[1].where.nothing"),
        ({"step": ["a", '{"where": {"props.a..b": "x"}}']}, "step[1].where.props.a..b"),
        ({"step": ["a", '{"where": {"props..": "x"}}']}, "step[1].where.props.."),
        ({"step": ["a", '{"where": {"props.a.": "x"}}']}, "step[1].where.props.a."),
        ({"step": ["a", "{}"]}, "step[1]"),
        ({"step": ["a", '{"evnet": "b"}']}, "step[1]"),
        ({"step": ["a", "b"], "within": "7"}, "within"),
        ({"step": ["a", "b"], "within": "0d"}, "within"),
        ({"step": ["a", "b"], "within": "367d"}, "within"),
        ({"step": ["a", "b"], "by": "nothing"}, "by"),
        ({"step": ["a", "b"], "by": "country", "experiment": "x"}, "by"),
        ({"step": ["a", "b"], "filter": "nothing:is:x"}, "filter"),
        ({"step": ["a", "b"], "from": "2026-03-99"}, "from"),
        ({"step": ["a", "b"], "timezone": "Nowhere"}, "timezone"),
        ({"step": ["a", "b"], "limit": "0"}, "limit"),
        ({"step": ["a", "b"], "color": "red"}, "color"),
    ],
)
def test_mistakes_are_told(shop: Shop, params: dict[str, Any], field: str) -> None:
    assert shop.refused("/v1/funnels", **params)["field"] == field


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"dropoff": ""}, "dropoff"), ({"dropoff": "a"}, "dropoff"), ({"dropoff": "3"}, "dropoff"),
        ({"dropoff": "b", "after": "x"}, "after"), ({"dropoff": "b", "by": "country"}, "by"),
        ({"dropoff": "b", "limit": "10001"}, "limit"),
    ],
)  # fmt: skip
def test_mistakes_about_those_who_left_are_told(shop: Shop, params: dict[str, Any], field: str) -> None:
    assert shop.refused("/v1/funnels/actors", step=["a", "b"], **params)["field"] == field


@pytest.mark.parametrize(
    ("name", "body", "field"),
    [
        ("Big", {"steps": ["a", "b"]}, "name"),
        ("f", [], None),
        ("f", {"steps": "ab"}, "steps"),
        ("f", {"steps": ["a", ""]}, "steps[1]"),
        ("f", {"steps": ["a", {"name": "", "event": "b"}]}, "steps[1].name"),
        ("f", {"steps": ["a", "b"], "within": True}, "within"),
        ("f", {"steps": ["a", "b"], "title": 1}, "title"),
        ("f", {"steps": ["a", "b"], "colour": 1}, "colour"),
    ],
)
def test_mistakes_of_declarations_are_told(shop: Shop, name: str, body: object, field: str | None) -> None:
    status, told = shop.ask("PUT", f"/v1/funnels/{name}", "admin", json=body)
    assert (status, told["error"].get("field")) == (400, field)


def test_who_may(shop: Shop) -> None:
    assert shop.ask("GET", "/v1/funnels/declared", "ingest")[0] == 403
    assert shop.ask("PUT", "/v1/funnels/f", "read", json={"steps": ["a", "b"]})[0] == 403
    assert shop.ask("DELETE", "/v1/funnels/f", "read")[0] == 403
    other, _ = shop.app.make("web")
    assert shop.ask("GET", "/v1/funnels", params={"project": other, "name": "web_forms"})[0] == 404
    assert shop.app.client.get("/v1/funnels/declared").status_code == 401


def test_an_oversized_declaration_is_refused(shop: Shop) -> None:
    body = json.dumps({"steps": ["a", "b"], "title": "x" * 70_000})
    assert shop.ask("PUT", "/v1/funnels/f", "admin", content=body)[0] == 413


@pytest.mark.parametrize("levels", [65, 400, 900, 5_000])
def test_deep_nesting_is_a_mistake(shop: Shop, levels: int) -> None:
    deep = "[" * levels + "]" * levels
    for body in (
        f'{{"steps": ["a", {deep}]}}',
        f'{{"steps": ["a", {{"event": "b", "where": {{"props.c": {deep}}}}}]}}',
    ):
        assert shop.ask("PUT", "/v1/funnels/f", "admin", content=body)[0] == 400
    step = f'{{"event": "b", "where": {{"props.c": {deep}}}}}'
    assert shop.ask("GET", "/v1/funnels", params={"step": ["a", step]})[0] == 400


def test_funnels_go_with_their_project(shop: Shop) -> None:
    shop.ask("PUT", "/v1/funnels/f", "admin", json={"steps": ["a", "b"]})
    project = shop.app.project(shop.name)
    shop.app.client.delete(f"/v1/projects/{shop.name}", headers=bearer("the-admin-key"))
    assert shop.app.here.funnels.of_project(project.id) == ()
