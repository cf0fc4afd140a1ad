"""`GET /web/v1/metrics/summary`: who may ask, what may be asked, and the exact shape of the answer."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tallymark.engine.base import Engine
from tallymark.rollup.run import publish, published
from tests.packs.web.property import TODAY, Properties, Property, properties, view

PATH = "/metrics/summary"

NUMBER = (int, float)
MAYBE = (int, float, type(None))

FIGURES = (
    "uniqueVisitors", "returningVisitorsPct", "totalPageViews", "leadCaptureRate", "formCompletionRate",
    "landingPageConversionRate", "avgTimeToFirstCaptureHrs",
)  # fmt: skip


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory, engine: Engine) -> Iterator[Properties]:
    with properties(tmp_path_factory.mktemp("summary"), engine) as running:
        yield running


@pytest.fixture
def site(app: Properties) -> Property:
    return app.make()


def told(site: Property, **params: Any) -> dict[str, Any]:
    """The answer to a question that is allowed, whose shape is checked."""
    answer = site.get(PATH, **params)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    check_shape(body)
    return body


def check_shape(body: dict[str, Any]) -> None:
    """The contract to the letter: these keys in this order, of these types, and no others."""
    assert list(body) == ["ok", "window", "compareTo", "freshness", "metrics", "ingest", "trend"]
    assert body["ok"] is True
    for window in (body["window"], body["compareTo"]):
        assert window is None or list(window) == ["from", "to"]
    _types(body["freshness"], rolledUpThrough=(str, type(None)), lagDays=(int, type(None)),
           generatedAt=(str, type(None)))  # fmt: skip
    assert list(body["metrics"]) == [*FIGURES, "trafficSourceMix"]
    for name in FIGURES:
        _types(body["metrics"][name], value=MAYBE, delta=MAYBE)
    assert all(type(share) in NUMBER for share in body["metrics"]["trafficSourceMix"].values())
    _types(body["ingest"], successPct=MAYBE, p95TtfbMs=(int, type(None)), totalEventsAccepted=(int,),
           totalEventsRejected=(int,))  # fmt: skip
    first, last = (date.fromisoformat(body["window"][end]) for end in ("from", "to"))
    days = [(first + timedelta(days=i)).isoformat() for i in range((last - first).days + 1)]
    assert [entry["day"] for entry in body["trend"]] == days
    for entry in body["trend"]:
        _types(entry, day=(str,), uniqueVisitors=(int,), pageViews=(int,), newLeads=(int,))


def _types(told: dict[str, Any], **types: tuple[type, ...]) -> None:
    assert list(told) == list(types)
    assert all(type(told[name]) in allowed for name, allowed in types.items()), told


def values(body: dict[str, Any]) -> list[Any]:
    return [body["metrics"][name]["value"] for name in FIGURES]


def refused(answer: httpx.Response, status: int, code: str, field: str | None = None) -> None:
    body = answer.json()
    assert (answer.status_code, body["ok"], body["error"]) == (status, False, code), answer.text
    assert set(body) <= {"ok", "error", "message", "field", "allowed"}
    assert body.get("field") == field


def test_windows(site: Property) -> None:
    site.bring(view("2024-03-10"), view("2024-03-09"), view("2024-01-15", "v2"))
    for days, value, delta in ((1, 1, 0.0), (7, 2, None), (30, 2, 1.0), (90, 3, None)):
        body = told(site, from_=f"{TODAY - timedelta(days=days - 1)}", to=f"{TODAY}", compareTo="previous")
        assert len(body["trend"]) == days
        assert body["metrics"]["totalPageViews"] == {"value": value, "delta": delta}
        assert body["compareTo"]["to"] == f"{TODAY - timedelta(days=days)}"


def test_defaults(site: Property) -> None:
    body = told(site)
    assert body["window"] == {"from": "2024-02-10", "to": "2024-03-10"}
    assert body["compareTo"] is None
    assert told(site, to="2024-01-31")["window"] == {"from": "2024-01-02", "to": "2024-01-31"}
    assert told(site, from_="2024-03-01", compareTo="")["window"] == {"from": "2024-03-01", "to": "2024-03-10"}


def test_nothing_at_all(site: Property) -> None:
    body = told(site, compareTo="previous")
    assert body["freshness"] == {"rolledUpThrough": None, "lagDays": None, "generatedAt": None}
    assert values(body) == [0, None, 0, None, None, None, None]
    assert all(body["metrics"][name]["delta"] is None for name in FIGURES)
    assert body["metrics"]["trafficSourceMix"] == {}
    assert body["ingest"] == {
        "successPct": None, "p95TtfbMs": None, "totalEventsAccepted": 0, "totalEventsRejected": 0,
    }  # fmt: skip


def test_windows_without_events(site: Property) -> None:
    site.bring(view("2024-03-08"))
    for first, last in (("2024-03-01", "2024-03-05"), ("2020-01-01", "2020-01-07"), ("2024-06-01", "2024-06-02")):
        body = told(site, from_=first, to=last)
        assert values(body) == [0, None, 0, None, None, None, None]
        counts = {(entry["uniqueVisitors"], entry["pageViews"], entry["newLeads"]) for entry in body["trend"]}
        assert counts == {(0, 0, 0)}
        assert body["freshness"]["rolledUpThrough"] == "2024-03-10"
        assert body["freshness"]["generatedAt"].endswith("Z")


def test_a_leap_day(site: Property) -> None:
    site.bring(view("2024-02-29"), view("2024-02-29", "v2"), view("2023-02-28"), view("2023-03-01"))
    body = told(site, from_="2024-02-29", to="2024-02-29", compareTo="previous_year")
    assert body["compareTo"] == {"from": "2023-02-28", "to": "2023-02-28"}
    assert body["metrics"]["totalPageViews"] == {"value": 2, "delta": 1.0}
    body = told(site, from_="2024-02-01", to="2024-03-01", compareTo="previous_year")
    assert body["compareTo"] == {"from": "2023-02-01", "to": "2023-03-01"}
    assert body["metrics"]["totalPageViews"] == {"value": 2, "delta": 0.0}


@pytest.mark.parametrize(
    ("given", "compared"),
    [
        (("previous", "previous_period", "true", "1"), ("2024-02-24", "2024-03-03")),
        (("previous_year",), ("2023-03-04", "2023-03-12")),
        (("2024-01-01",), ("2024-01-01", "2024-01-09")),
        (("2024-01-01..2024-01-02",), ("2024-01-01", "2024-01-02")),
    ],
)
def test_comparisons(site: Property, given: tuple[str, ...], compared: tuple[str, str]) -> None:
    inside = view("2024-03-04"), view("2024-03-05"), view(compared[0], "v2"), view(compared[1], "v3")
    site.bring(*inside, view("2023-12-31"), view("2024-01-10", "v4"), view("2023-03-13"))
    for word in given:
        body = told(site, from_="2024-03-04", to="2024-03-12", compareTo=word)
        assert body["compareTo"] == {"from": compared[0], "to": compared[1]}
        assert body["metrics"]["uniqueVisitors"] == {"value": 1, "delta": -0.5}
        assert body["metrics"]["totalPageViews"] == {"value": 2, "delta": 0.0}


def test_days_are_the_propertys(site: Property) -> None:
    late = view("2024-03-08") | {"timestamp": "2024-03-08T20:00:00Z"}
    site.bring(late)
    assert told(site, from_="2024-03-08", to="2024-03-09")["trend"][0]["pageViews"] == 1
    site.change(timezone="Asia/Kolkata")
    body = told(site, from_="2024-03-08", to="2024-03-09")
    assert [entry["pageViews"] for entry in body["trend"]] == [0, 1]
    site.change(timezone="Pacific/Kiritimati")
    body = told(site)
    assert body["window"]["to"] == body["freshness"]["rolledUpThrough"] == "2024-03-11"


def test_a_sealed_day_keeps_its_numbers(site: Property) -> None:
    site.bring(view("2024-03-04"), view("2024-03-05"))
    before = told(site, from_="2024-03-01", to="2024-03-10")
    long_ago, engine = datetime(2024, 3, 6, tzinfo=UTC), site.here.engine
    runs = published(engine, site.project.id)
    publish(engine, [replace(run, expires_from=long_ago) for run in runs])
    engine.command("DELETE FROM events WHERE project = {project:UInt32}", {"project": site.project.id})
    site.here.keeper.touched([site.project.id])
    assert told(site, from_="2024-03-01", to="2024-03-10") == before


def test_what_is_refused_is_counted_apart_from_leads(site: Property) -> None:
    today = datetime.now(UTC).date()
    site.bring(view("2024-03-09"))
    counts = "INSERT INTO rejections (project, day, reason, n) VALUES "
    rows = [(TODAY, "malformed", 2), (TODAY, "lead_bad_email", 5), (today, "malformed", 9)]
    told_rows = ", ".join(f"({site.project.id}, '{day}', '{reason}', {n})" for day, reason, n in rows)
    site.here.engine.command(counts + told_rows)
    body = told(site, from_="2024-03-09", to="2024-03-10")
    assert body["ingest"] == {
        "successPct": 0.333333, "p95TtfbMs": None, "totalEventsAccepted": 1, "totalEventsRejected": 2,
    }  # fmt: skip


def test_the_mix_is_of_what_came_from_outside(site: Property) -> None:
    site.bring(
        view("2024-03-05", "v1", referrer="https://www.google.com/search?q=x"),
        view("2024-03-06", "v1", referrer="https://www.google.com/search?q=x"),
        view("2024-03-06", "v2", referrer="https://a.example/other"),
        view("2024-03-06", "v3", referrer="https://chatgpt.com/"),
        view("2024-03-06", "v4"),
        {"event": "page_view", "timestamp": "2024-03-06T12:00:00Z", "visitorId": "v5"},
    )
    body = told(site, from_="2024-03-05", to="2024-03-06")
    assert list(body["metrics"]["trafficSourceMix"].items()) == [
        ("organic_search", 0.4), ("unknown", 0.2), ("ai_assistant", 0.2), ("direct", 0.2),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"from_": "2024-3-1"}, "from"),
        ({"from_": "2024-02-30"}, "from"),
        ({"to": "yesterday"}, "to"),
        ({"from_": "2024-03-02", "to": "2024-03-01"}, "from"),
        ({"from_": "2014-01-01", "to": "2024-03-01"}, "from"),
        ({"from_": "1969-12-31"}, "from"),
        ({"to": "2100-01-01"}, "to"),
        ({"from_": ["2024-03-01", "2024-03-02"]}, "from"),
        ({"compareTo": ["previous", "previous"]}, "compareTo"),
        ({"compareTo": "last week"}, "compareTo"),
        ({"compareTo": "2024-01-32"}, "compareTo"),
        ({"compareTo": "2024-01-02..2024-01-01"}, "compareTo"),
        ({"compareTo": "2024-01-02.."}, "compareTo"),
        ({"from_": "1970-01-05", "to": "1970-01-06", "compareTo": "previous_year"}, "compareTo"),
        ({"from_": "1970-01-05", "to": "1970-01-10", "compareTo": "previous"}, "compareTo"),
        ({"compareTo": "2099-12-31"}, "compareTo"),
        ({"grain": "week"}, "grain"),
        ({"metrics": "visitors"}, "metrics"),
    ],
)
def test_questions_that_are_refused(site: Property, params: dict[str, Any], field: str) -> None:
    refused(site.get(PATH, **params), 400, "bad_query", field)


def test_the_property_is_named_once(site: Property) -> None:
    refused(site.get(PATH, propertyId=[site.name, site.name]), 400, "bad_query", "propertyId")


def test_refusals_name_what_is_allowed(site: Property) -> None:
    assert site.get(PATH, grain="week").json()["allowed"] == ["from", "to", "propertyId", "compareTo"]
    assert site.get(PATH, compareTo="then").json()["allowed"] == ["previous", "previous_year", "YYYY-MM-DD", "FROM..TO"]


def test_the_longest_window(site: Property) -> None:
    site.bring(view("2014-03-03"))
    body = told(site, from_="2014-03-03", to="2024-03-09", compareTo="previous")
    assert len(body["trend"]) == 3_660
    assert body["metrics"]["totalPageViews"]["value"] == 1


def test_who_may_ask(app: Properties, site: Property) -> None:
    for params in ({}, {"grain": "week"}, {"propertyId": "nowhere"}, {"from_": "never"}):
        refused(site.get(PATH, None, **params), 401, "unauthorized")
        refused(site.get(PATH, "wrong", **params), 401, "unauthorized")
    for scope in ("ingest", "read"):
        refused(site.get(PATH, site.keys[scope]), 403, "forbidden")
    refused(site.get(PATH, app.make().keys["admin"]), 403, "forbidden")
    assert site.get(PATH).status_code == 200
    assert site.get(PATH, site.keys["admin"]).status_code == 200
    assert site.get(PATH, site.keys["admin"], propertyId=None).status_code == 200
    refused(site.get(PATH, propertyId="nowhere"), 404, "not_found", "propertyId")
    refused(site.get(PATH, propertyId=None), 404, "not_found", "propertyId")


def test_every_header_of_a_key_will_do(site: Property) -> None:
    for name in ("x-admin-key", "x-api-key", "x-dashboard-token"):
        headers = {name: site.keys["admin"]}
        assert site.client.get(f"/web/v1{PATH}", params={"propertyId": site.name}, headers=headers).status_code == 200


def test_nobody_is_admin(tmp_path: Path, engine: Engine) -> None:
    with properties(tmp_path, engine, admin="") as app:
        for key in (None, "wrong"):
            refused(
                Property(app.application, "site", {}).get(PATH, key, grain="week"), 503, "admin_auth_not_configured"
            )
