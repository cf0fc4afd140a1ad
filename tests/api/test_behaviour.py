"""`/v1/retention`, `/v1/lifecycle`, `/v1/stickiness` and `/v1/journeys` through the front door."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tallymark.engine.base import Engine
from tests.packs.world import Application, application, bearer

#: A Wednesday.
NOW = datetime(2026, 3, 18, 12, tzinfo=UTC)
MONDAY = datetime(2026, 3, 2, 12, tzinfo=UTC)

#: On which days after the Monday whoever does something.
DAYS = {"ann": (0, 1, 7, 14), "bob": (0, 2), "dan": (8, 9, 15), "eve": (1,)}


@pytest.fixture(scope="module")
def app(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    with application(tmp_path_factory.mktemp("behaviour"), engine, NOW) as opened:
        yield opened


@pytest.fixture(scope="module")
def shop(app: Application) -> tuple[Application, str, dict[str, str]]:
    """A project with what DAYS says, rolled up."""
    name, keys = app.make("web", retention="3650d")
    events = [
        {"event": event, "userId": actor, "timestamp": (MONDAY + timedelta(days=day, minutes=place)).isoformat(),
         "url": f"https://a.example/{event}"}
        for actor, days in DAYS.items() for day in days for place, event in enumerate(("page_view", "click"))
    ]  # fmt: skip
    answer = app.client.post("/v1/import", json=events, headers=bearer(keys["admin"]))
    assert answer.json()["accepted"] == len(events), answer.text
    app.settle(name)
    return app, name, dict(keys)


Shop = tuple[Application, str, dict[str, str]]


def ask(shop: Shop, path: str, **params: Any) -> tuple[int, Any]:
    app, name, keys = shop
    answer = app.client.get(path, params={"project": name, **params}, headers=bearer(keys["read"]))
    return answer.status_code, answer.json()


def get(shop: Shop, path: str, **params: Any) -> Any:
    status, body = ask(shop, path, **params)
    assert status == 200, body
    assert body.pop("freshness")["rolledUpThrough"] == "2026-03-17"
    assert body.pop("project") == shop[1]
    return body


def test_retention(shop: Shop) -> None:
    body = get(shop, "/v1/retention", **{"from": "2026-03-04", "to": "2026-03-11"}, periods=2, explain="true")
    assert body["plan"] == {"from": "rollups", "why": None}
    assert body["window"] == {"from": "2026-03-02", "to": "2026-03-15", "timezone": "UTC", "period": "week"}
    first, second = body["cohorts"]
    assert (first["t"], first["actors"], first["complete"]) == ("2026-03-02", 3, True)
    assert first["periods"] == [
        {"period": 0, "actors": 3, "share": 1.0, "complete": True},
        {"period": 1, "actors": 1, "share": 0.333333, "complete": True},
        {"period": 2, "actors": 1, "share": None, "complete": False},
    ]
    assert [later["actors"] for later in second["periods"]] == [1, 1, None]
    assert body["overall"][1] == {"period": 1, "actors": 1, "of": 3, "share": 0.333333}
    assert get(shop, "/v1/retention", **{"from": "2026-03-04", "to": "2026-03-11"}, periods=2, exact="true") == {
        key: value for key, value in body.items() if key != "plan"
    }


def test_retention_of_events(shop: Shop) -> None:
    asked = {"from": "2026-03-09", "to": "2026-03-15", "period": "day", "periods": 2, "explain": "true"}
    body = get(shop, "/v1/retention", cohort="click", returning='{"where": {"path": "/click"}}', **asked)
    assert body["plan"] == {"from": "raw", "why": "rollups hold events by name"}
    assert [(row["t"], row["actors"]) for row in body["cohorts"] if row["actors"]] == [
        ("2026-03-09", 1), ("2026-03-10", 1),
    ]  # fmt: skip
    grouped = get(shop, "/v1/retention", by="event", limit=1, **asked)
    assert (grouped["by"], [group["key"] for group in grouped["groups"]]) == ("event", ["click"])
    assert grouped["groupsLeftOut"] == 1


def test_lifecycle(shop: Shop) -> None:
    body = get(shop, "/v1/lifecycle", period="week", **{"from": "2026-03-02", "to": "2026-03-18"}, explain="true")
    assert body["plan"] == {"from": "rollups", "why": None}
    assert body["series"] == [
        {"t": "2026-03-02", "complete": True, "actors": 3, "new": 3, "returning": 0, "resurrecting": 0, "dormant": 0},
        {"t": "2026-03-09", "complete": True, "actors": 2, "new": 1, "returning": 1, "resurrecting": 0, "dormant": 2},
        {"t": "2026-03-16", "complete": False, "actors": 2, "new": 0, "returning": 2, "resurrecting": 0,
         "dormant": None},
    ]  # fmt: skip


def test_stickiness(shop: Shop) -> None:
    body = get(shop, "/v1/stickiness", **{"from": "2026-03-02", "to": "2026-03-18"}, event="page_view", explain="1")
    assert body["plan"] == {"from": "rollups", "why": None}
    assert [row["actors"] for row in body["series"]] == [3, 2, 2]
    assert [cell["actors"] for cell in body["series"][0]["days"]] == [1, 2, 0, 0, 0, 0, 0]
    assert [cell["actors"] for cell in body["overall"]] == [2, 3, 0, 0, 0, 0, 0]
    assert body["recent"] == {
        "day": "2026-03-17", "dau": 1, "wau": 2, "mau": 4, "wauDays": 7, "mauDays": 30, "dauWau": 0.5,
        "dauMau": 0.25, "wauMau": 0.5,
    }  # fmt: skip


def test_journeys(shop: Shop) -> None:
    body = get(shop, "/v1/journeys", start="page_view", **{"from": "2026-03-02", "to": "2026-03-18"})
    assert (body["actors"], body["sessions"]) == (4, 10)
    assert body["paths"] == [{"path": ["page_view", "click"], "actors": 4, "sessions": 10, "share": 1.0}]
    assert body["edges"] == [{"position": 1, "from": "page_view", "to": "click", "n": 10, "actors": 4}]
    paths = get(shop, "/v1/journeys", node="path", **{"from": "2026-03-02", "to": "2026-03-18"})
    assert [path["path"] for path in paths["paths"]] == [["/page_view"]]


@pytest.mark.parametrize(
    ("path", "params", "field"),
    [
        ("retention", {"period": "hour"}, "period"),
        ("retention", {"periods": "0"}, "periods"),
        ("retention", {"periods": "366", "period": "day", "from": "2025-01-01"}, "periods"),
        ("retention", {"cohort": "{"}, "cohort"),
        ("retention", {"cohort": "{}"}, "cohort"),
        ("retention", {"returning": '{"where": {"x": 1}}'}, "returning.where.x"),
        ("retention", {"by": "nothing"}, "by"),
        ("retention", {"limit": "101"}, "limit"),
        ("retention", {"grain": "day"}, "grain"),
        ("lifecycle", {"period": "year"}, "period"),
        ("lifecycle", {"event": '{"event": []}'}, "event"),
        ("lifecycle", {"from": "2022-01-01"}, "from"),
        ("lifecycle", {"exact": "maybe"}, "exact"),
        ("stickiness", {"within": "day"}, "within"),
        ("stickiness", {"period": "week"}, "period"),
        ("stickiness", {"filter": "nothing:is:x"}, "filter"),
        ("journeys", {"node": "page"}, "node"),
        ("journeys", {"start": "a", "end": "b"}, "end"),
        ("journeys", {"depth": "1"}, "depth"),
        ("journeys", {"limit": "many"}, "limit"),
        ("journeys", {"from": "2026-03-19", "to": "2026-03-18"}, "from"),
    ],
)
def test_mistakes_are_told(shop: Shop, path: str, params: dict[str, str], field: str) -> None:
    status, body = ask(shop, f"/v1/{path}", **params)
    assert (status, body["error"]["code"], body["error"].get("field")) == (400, "bad_query", field)


@pytest.mark.parametrize("path", ["retention", "lifecycle", "stickiness", "journeys", "funnels?step=a&step=b"])
def test_who_may(shop: Shop, path: str) -> None:
    app, _, keys = shop
    assert app.client.get(f"/v1/{path}").status_code == 401
    assert app.client.get(f"/v1/{path}", headers=bearer(keys["ingest"])).status_code == 403
    assert app.client.get(f"/v1/{path}", headers=bearer(keys["read"])).status_code == 200
    other, _ = app.make("web")
    mark = "&" if "?" in path else "?"
    answer = app.client.get(f"/v1/{path}{mark}project={other}", headers=bearer(keys["read"]))
    assert answer.status_code == 404
