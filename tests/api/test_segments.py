"""`/v1/segments`, and that a segment in a question is its filters: the same answers wherever filters are taken."""

import csv
import io
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import httpx
import pytest

from tallymark.engine.base import Engine
from tests.packs.world import ADMIN, Application, application, bearer

NOW: Final = datetime(2026, 3, 18, 12, tzinfo=UTC)
MONDAY: Final = datetime(2026, 3, 2, 12, tzinfo=UTC)
DAYS: Final = {"from": "2026-03-02", "to": "2026-03-17"}
#: With each other or not, and with one that holds besides.
SPRING: Final = ["campaign:is:spring;host:is:b.example", "os:is_not:iOS"]
READERS: Final = ["path:contains:/docs|/blog"]
#: What is asked wherever filters are, besides days and filters.
QUESTIONS: Final[Mapping[str, Mapping[str, Any]]] = {
    "/v1/query": {"metrics": "page_views,visitors", "by": "host", "compareTo": "previous"},
    "/v1/funnels": {"step": ["page_view", "click"], "within": "1d"},
    "/v1/funnels/actors": {"step": ["page_view", "click"], "within": "1d", "dropoff": "click"},
    "/v1/retention": {"period": "week", "periods": 1},
    "/v1/lifecycle": {"period": "week"},
    "/v1/stickiness": {"within": "week"},
    "/v1/journeys": {"depth": 2},
}


@dataclass(frozen=True)
class Shop:
    """A project with some traffic, and what was sent of it."""

    app: Application
    name: str
    keys: Mapping[str, str]
    events: Sequence[Mapping[str, Any]]

    def ask(self, method: str, path: str, key: str = "read", body: Any = None, **params: Any) -> httpx.Response:
        return self.app.client.request(method, path, json=body, params=params, headers=bearer(self.keys[key]))

    def told(self, path: str, **params: Any) -> Any:
        """The answer to the question of a path about all days, but for its freshness."""
        answer = self.ask("GET", path, project=self.name, **DAYS, **QUESTIONS[path], **params)
        assert answer.status_code == 200, answer.text
        return {name: value for name, value in answer.json().items() if name != "freshness"}

    def set(self, key: str, filters: Sequence[str]) -> None:
        assert self.ask("PUT", f"/v1/segments/{key}", "admin", {"filters": filters}).status_code == 200


@pytest.fixture(scope="module")
def app(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    with application(tmp_path_factory.mktemp("segments"), engine, NOW) as opened:
        yield opened


@pytest.fixture(scope="module")
def shop(app: Application) -> Shop:
    name, keys = app.make("web", retention="3650d")
    events = list(happened())
    answer = app.client.post("/v1/import", json=events, headers=bearer(keys["admin"]))
    assert answer.json()["accepted"] == len(events), answer.text
    app.settle(name)
    shop = Shop(app, name, keys, events)
    shop.set("spring", SPRING)
    shop.set("readers", READERS)
    return shop


@pytest.fixture
def fresh(app: Application) -> Shop:
    return Shop(app, *app.make("web"), ())


def happened() -> Iterator[dict[str, Any]]:
    """Pages of 24 people, in twelve ways; half of them click."""
    for actor in range(24):
        for day in (actor % 5, actor % 5 + 7):
            query = "?utm_campaign=spring" if actor % 3 == 0 else ""
            url = f"https://{'ab'[actor % 2]}.example/{('docs', 'blog', 'shop', '')[actor % 4]}{query}"
            at = MONDAY + timedelta(days=day, minutes=actor)
            yield {"event": "page_view", "userId": f"u{actor}", "url": url, "timestamp": at.isoformat()}
            if actor % 8 < 4:
                later = at + timedelta(seconds=30)
                yield {"event": "click", "userId": f"u{actor}", "url": url, "timestamp": later.isoformat()}


@pytest.mark.parametrize("path", QUESTIONS)
def test_a_segment_is_its_filters(shop: Shop, path: str) -> None:
    assert shop.told(path, segment="spring") == shop.told(path, filter=SPRING) != shop.told(path)
    both = shop.told(path, segment=["spring", "readers", "spring"])
    assert both == shop.told(path, filter=[*SPRING, *READERS]) == shop.told(path, segment="readers", filter=SPRING)
    assert both != shop.told(path, segment="spring")
    assert shop.told(path, segment="") == shop.told(path)


def test_its_numbers_are_those_of_the_events_that_it_means(shop: Shop) -> None:
    meant = [
        event for event in shop.events
        if event["event"] == "page_view" and ("spring" in event["url"] or "//b.example" in event["url"])
    ]  # fmt: skip
    metrics = shop.told("/v1/query", segment="spring")["metrics"]
    assert metrics["page_views"]["value"] == len(meant)
    assert metrics["visitors"]["value"] == len({event["userId"] for event in meant})


@pytest.mark.parametrize("path", QUESTIONS)
def test_a_segment_that_there_is_not_is_refused_with_those_that_there_are(shop: Shop, path: str) -> None:
    for keys in ("autumn", ["spring", "autumn"]):
        answer = shop.ask("GET", path, project=shop.name, **QUESTIONS[path], segment=keys)
        error = answer.json()["error"]
        assert (answer.status_code, error["code"], error["field"]) == (400, "bad_query", "segment")
        assert error["allowed"] == ["readers", "spring"]


def test_wherever_filters_are_segments_are(app: Application) -> None:
    paths = app.client.get("/openapi/openapi.json").json()["paths"]
    taking = {
        name: {path for path, item in paths.items() for operation in item.values()
               if any(parameter["name"] == name for parameter in operation.get("parameters", ()))}
        for name in ("filter", "segment")
    }  # fmt: skip
    assert taking["filter"] == taking["segment"] == set(QUESTIONS)


def test_a_change_of_a_segment_changes_answers_at_once(shop: Shop) -> None:
    shop.set("moving", ["host:is:a.example"])
    before = shop.told("/v1/query", segment="moving")
    shop.set("moving", ["host:is:b.example"])
    assert shop.told("/v1/query", segment="moving") == shop.told("/v1/query", filter="host:is:b.example") != before
    assert shop.ask("DELETE", "/v1/segments/moving", "admin").json()["deleted"]["filters"] == ["host:is:b.example"]
    assert shop.ask("GET", "/v1/query", project=shop.name, metrics="visitors", segment="moving").status_code == 400


def test_exports_take_segments(shop: Shop) -> None:
    order = {"what": "metrics", "format": "csv", "metrics": ["page_views", "visitors"], "range": DAYS}
    rows = [exported(shop, {**order, **more}) for more in ({"segments": ["spring"], "filters": READERS},
                                                           {"filters": [*READERS, *SPRING]}, {})]  # fmt: skip
    assert rows[0] == rows[1] != rows[2]
    refused = shop.ask("POST", "/v1/exports", body={**order, "segments": ["autumn"]})
    error = refused.json()["error"]
    assert (refused.status_code, error["field"], error["allowed"]) == (400, "segments", ["readers", "spring"])
    assert shop.ask("POST", "/v1/exports", body={**order, "segments": "spring"}).status_code == 400


def exported(shop: Shop, order: Mapping[str, Any]) -> list[list[str]]:
    """The rows of an export, and the filters that it says it has, first."""
    export = shop.ask("POST", "/v1/exports", body=order).json()
    end = time.monotonic() + 30
    while export["status"] != "done":
        assert time.monotonic() < end, export
        time.sleep(0.02)
        export = shop.ask("GET", f"/v1/exports/{export['id']}").json()
    file = shop.app.client.get(export["downloadUrl"])
    return [export["filters"], *csv.reader(io.StringIO(file.text))]


def test_they_are_set_listed_and_deleted_by_who_may(app: Application, fresh: Shop) -> None:
    told = {"key": "de", "title": "Germany", "filters": ["country:is:DE", "path:matches:^/docs"]}
    body = {"title": "Germany", "filters": told["filters"]}
    assert fresh.ask("PUT", "/v1/segments/de", "admin", body).json() == {"segment": told, "created": True}
    changed = {**told, "title": "de", "filters": ["country:is:DE|AT"]}
    said = {"filters": changed["filters"]}
    assert fresh.ask("PUT", "/v1/segments/de", "admin", said).json() == {"segment": changed, "created": False}
    assert fresh.ask("PUT", "/v1/segments/a.B_c-9", "admin", said).status_code == 200
    listed = fresh.ask("GET", "/v1/segments").json()["segments"]
    assert listed == [{**changed, "key": "a.B_c-9", "title": "a.B_c-9"}, changed]
    stranger = Shop(app, *app.make("web"), ())
    assert stranger.ask("GET", "/v1/segments").json() == {"segments": []}
    assert stranger.ask("GET", "/v1/segments", project=fresh.name).status_code == 404
    assert stranger.ask("DELETE", "/v1/segments/de", "admin").status_code == 404
    assert stranger.ask("GET", "/v1/query", project=stranger.name, metrics="visitors", segment="de").status_code == 400
    for method, key in (("PUT", "read"), ("DELETE", "read"), ("PUT", "ingest"), ("GET", "ingest")):
        path = "/v1/segments" if method == "GET" else "/v1/segments/de"
        assert fresh.ask(method, path, key, said).status_code == 403
    assert fresh.ask("DELETE", "/v1/segments/de", "admin").json() == {"deleted": changed}
    assert fresh.ask("DELETE", "/v1/segments/de", "admin").status_code == 404


NONE: Final[Sequence[tuple[Any, str | None]]] = (
    (None, None), ([], None), ({}, "filters"), ({"filters": "country:is:DE"}, "filters"), ({"filters": []}, "filters"),
    ({"filters": [5]}, "filters"), ({"filters": [""]}, "filters"), ({"filters": ["country"]}, "filters"),
    ({"filters": ["country:like:DE"]}, "filters"), ({"filters": ["country:is:DE;planet:is:Mars"]}, "filters"),
    ({"filters": ["path:matches:("]}, "filters"), ({"filters": ["voice_intent:is:x"]}, "filters"),
    ({"filters": ["country:is:DE"] * 21}, "filters"), ({"filters": [f"path:is:{'x' * 2_000}"]}, "filters"),
    ({"filters": ["country:is:DE"], "title": ""}, "title"), ({"filters": ["country:is:DE"], "title": 5}, "title"),
    ({"filters": ["country:is:DE"], "key": "de"}, "key"),
)  # fmt: skip


@pytest.mark.parametrize(("body", "field"), NONE)
def test_what_is_none_is_refused(shop: Shop, body: Any, field: str | None) -> None:
    answer = shop.ask("PUT", "/v1/segments/bad", "admin", body)
    assert (answer.status_code, answer.json()["error"].get("field")) == (400, field), answer.text
    assert [segment["key"] for segment in shop.ask("GET", "/v1/segments").json()["segments"]] == ["readers", "spring"]


@pytest.mark.parametrize("key", ["-de", "d e", "x" * 65, "ä"])
def test_a_key_is_short_and_plain(shop: Shop, key: str) -> None:
    answer = shop.ask("PUT", f"/v1/segments/{key}", "admin", {"filters": ["country:is:DE"]})
    assert (answer.status_code, answer.json()["error"]["field"]) == (400, "key")


def test_a_dimension_that_a_metric_has_not_is_told_as_of_a_filter(shop: Shop) -> None:
    asked = {"project": shop.name, "metrics": "bounce_rate"}
    answers = [shop.ask("GET", "/v1/query", **asked, **more) for more in ({"segment": "readers"}, {"filter": READERS})]
    assert answers[0].status_code == 400
    assert answers[0].json() == answers[1].json()


def test_they_are_audited_and_go_with_their_project(app: Application, fresh: Shop) -> None:
    fresh.set("de", ["country:is:DE"])
    fresh.set("de", ["country:is:DE"])
    fresh.set("de", ["country:is:AT"])
    fresh.ask("DELETE", "/v1/segments/de", "admin")
    fresh.set("de", ["country:is:DE"])
    project = app.project(fresh.name).id
    deeds = [(deed.subject, deed.action, deed.detail) for deed in app.here.audit.list(project)]
    de, at = ({"title": "de", "filters": [f"country:is:{country}"]} for country in ("DE", "AT"))
    assert deeds == [
        ("segment/de", "set", {"to": de}), ("segment/de", "deleted", {"from": at}),
        ("segment/de", "set", {"from": de, "to": at}), ("segment/de", "set", {"to": de}),
    ]  # fmt: skip
    assert app.client.delete(f"/v1/projects/{fresh.name}", headers=bearer(ADMIN)).status_code == 200
    assert app.here.segments.of_project(project) == ()
