"""`GET /sdk/api/v1/metrics` against plain Python: days and months, networks, and who may ask."""

import random
from calendar import monthrange
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tallymark.engine.base import Engine
from tests.packs.sdk.apps import NOON, REPORTING, Apps, expected, payload
from tests.packs.world import ADMIN, application

NAMES = ("wallet_connect_attempts", "wallet_connect_success", "sessions_created", "error_TIMEOUT")
NETWORKS = ("mainnet", "devnet", "dev")


def bodies(first: datetime, days: int, seed: int) -> list[dict[str, Any]]:
    """Payloads of some days in order of time, the edges of each day among them; fractions that are exact."""
    draw, found = random.Random(seed), []
    for day in range(days):
        midnight = first + timedelta(days=day)
        moments = {timedelta(0), timedelta(hours=23, minutes=59, seconds=59, milliseconds=999)}
        moments |= {timedelta(seconds=draw.randrange(86_400)) for _ in range(6)}
        for moment in sorted(moments):
            metrics = {name: draw.choice((0, 1, 2, 40, 0.25)) for name in draw.sample(NAMES, draw.randint(1, 4))}
            app = draw.choice(("app-1", "app-2", "app-3", None))
            found.append(payload(metrics, app, midnight + moment, draw.choice(NETWORKS)))
    return found


@pytest.mark.parametrize(
    "around",
    [
        pytest.param((2028, 2, 29), id="leap February"),
        pytest.param((2027, 2, 28), id="February"),
        pytest.param((2027, 12, 31), id="year end"),
        pytest.param((2027, 4, 30), id="month end"),
    ],
)
def test_days_and_months_are_what_plain_python_adds_up(running: Apps, around: tuple[int, int, int]) -> None:
    end = datetime(*around, tzinfo=UTC)
    apps, sent = running.fresh(), bodies(end - timedelta(days=1), 4, seed=around[1])
    apps.application.clock.now = end - timedelta(days=1)
    apps.send(*sent)
    for network in (None, *NETWORKS):
        for offset in range(-2, 4):
            day = f"{end + timedelta(days=offset):%Y-%m-%d}"
            assert apps.metrics("daily", day, network) == expected(sent, day, network)
        for month in (f"{end:%Y-%m}", f"{end + timedelta(days=1):%Y-%m}"):
            assert apps.metrics("monthly", month, network) == expected(sent, month, network)


def test_apps_of_a_month_are_not_the_sum_of_its_days(apps: Apps) -> None:
    apps.application.clock.now = NOON - timedelta(days=2)
    apps.send(*(payload({"a": 1}, at=NOON - timedelta(days=ago)) for ago in (2, 1, 0)))
    assert [apps.metrics("daily", f"2028-02-{day}")["a"] for day in (27, 28, 29)] == [(1, 1)] * 3
    assert apps.metrics("monthly", "2028-02")["a"] == (3, 1)


def test_an_empty_month(apps: Apps) -> None:
    assert apps.metrics("monthly", "2027-05") == {}
    assert apps.metrics("daily", "2027-05-05", "mainnet") == {}


def test_by_default_it_is_today_and_this_month(apps: Apps) -> None:
    apps.send(payload({"a": 2}))
    assert apps.get("/api/v1/metrics").json()["date"] == "2028-02-29"
    assert apps.get("/api/v1/metrics", period="monthly").json()["date"] == "2028-02"
    assert apps.get("/api/v1/metrics").json()["metrics"] == {"a": {"value": 2, "uniqueApps": 1}}


def test_a_day_is_final_once_nothing_late_is_taken_for_it(apps: Apps) -> None:
    asked: dict[str, Any] = {"period": "daily", "date": "2028-02-29"}
    for at, final in ((datetime(2028, 3, 1, 23, 59, tzinfo=UTC), False), (datetime(2028, 3, 2, tzinfo=UTC), True)):
        apps.application.clock.now = at
        assert apps.get("/api/v1/metrics", **asked).json()["final"] is final


def test_other_events_of_the_project_are_no_counters(apps: Apps) -> None:
    both = apps.fresh(packs=["sdk", "web"])
    both.send(payload({"a": 1}))
    event = {"event": "page_view", "url": "https://a.example/", "visitorId": "v1", "value": 5}
    answer = both.application.client.post("/v1/events", json=event, headers={"x-api-key": both.keys["ingest"]})
    assert answer.json()["accepted"] == 1
    assert both.metrics("daily", "2028-02-29") == {"a": (1, 1)}


def test_many_names_in_many_networks_are_all_told(apps: Apps) -> None:
    names: Sequence[str] = [f"counter_{n}" for n in range(60)]
    sent = [
        payload({name: 1 for name in names}, f"app-{copy}", network=f"net-{n}") for n in range(30) for copy in range(2)
    ]
    apps.send(*sent)
    assert apps.metrics("daily", "2028-02-29", "net-29") == dict.fromkeys(sorted(names), (2, 2))
    assert apps.metrics("daily", "2028-02-29") == dict.fromkeys(sorted(names), (60, 2))


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"period": "weekly"}, "period"),
        ({"period": "daily", "date": "2028-02"}, "date"),
        ({"period": "daily", "date": "2027-02-29"}, "date"),
        ({"period": "monthly", "date": "2028-02-29"}, "date"),
        ({"period": "monthly", "date": "2028-13"}, "date"),
        ({"period": "monthly", "date": "1969-12"}, "date"),
        ({"network": "a/b"}, "network"),
        ({"networks": "devnet"}, "networks"),
        ({"date": ["2028-02-01", "2028-02-02"]}, "date"),
    ],
)
def test_a_mistake_is_told_with_its_field(apps: Apps, params: dict[str, Any], field: str) -> None:
    answer = apps.get("/api/v1/metrics", **params)
    told = answer.json()
    assert (answer.status_code, told["success"], told["error"], told["field"]) == (400, False, "bad_query", field)


def test_who_may_read(apps: Apps) -> None:
    other = apps.fresh()
    for key in (None, apps.keys["read"], apps.keys["admin"], ADMIN, REPORTING):
        assert apps.get("/api/v1/metrics", key).status_code == 200
    for key, status in (("wrong", 401), (apps.keys["ingest"], 403), (other.keys["read"], 403)):
        assert apps.get("/api/v1/metrics", key).status_code == status
    assert apps.get("/api/v1/metrics", None, project="nowhere").status_code == 404


def test_where_it_is_keyed_a_key_is_needed(engine: Engine, tmp_path: Path) -> None:
    with application(tmp_path, engine, NOON, sdk_metrics="keyed") as world:
        apps = Apps(world).fresh()
        assert apps.get("/api/v1/metrics", None).status_code == 401
        assert apps.get("/api/v1/metrics", apps.keys["read"]).status_code == 200


def test_health_says_which_environment_it_is(engine: Engine, tmp_path: Path) -> None:
    with application(tmp_path, engine, NOON, environment="production") as world:
        told = world.client.get("/sdk/health").json()
    assert (told["status"], told["environment"]) == ("ok", "production")


def test_months_have_the_days_that_they_have(apps: Apps) -> None:
    """The oracle's months and the server's end on the same day."""
    for year, month in ((2027, 2), (2028, 2), (2027, 12)):
        last = monthrange(year, month)[1]
        apps.application.clock.now = datetime(year, month, last, 23, 30, tzinfo=UTC)
        apps.send(payload({f"of_{year}_{month}": 1}, at=apps.application.clock.now))
        assert apps.metrics("monthly", f"{year}-{month:02d}")[f"of_{year}_{month}"] == (1, 1)
