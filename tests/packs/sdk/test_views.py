"""The views `daily_aggregates`, `monthly_aggregates` and `app_activity`, against plain Python."""

from datetime import timedelta
from typing import Any

from tallymark.engine.views import define
from tallymark.packs.sdk.views import VIEWS
from tests.packs.sdk.apps import NOON, REPORTING, Apps, expected, payload
from tests.packs.world import bearer

SENT = [
    payload({"a": 1, "b": 2.5}, "app-1", NOON),
    payload({"a": 2}, "app-2", NOON, "mainnet"),
    payload({"a": 4}, "app-1", NOON + timedelta(hours=13)),
    payload({"a": 8}, None, NOON + timedelta(hours=14)),
    payload({"b": 16}, "app-3", NOON + timedelta(days=1)),
]


def _rows(apps: Apps, table: str, month: str) -> list[dict[str, Any]]:
    answer = apps.get(f"/api/v1/rollups/{table}", REPORTING, month=month)
    assert answer.status_code == 200, answer.text
    rows: list[dict[str, Any]] = answer.json()["rows"]
    return rows


def test_days_and_months_by_network_and_counter(apps: Apps) -> None:
    apps.send(*SENT)
    for table, column, periods in (
        ("daily_aggregates", "date", ("2028-02-29", "2028-03-01")),
        ("monthly_aggregates", "month", ("2028-02", "2028-03")),
    ):
        told = [row for month in ("2028-02", "2028-03") for row in _rows(apps, table, month)]
        assert [(r["project"], r[column], r["network"], r["metric"], r["value"], r["unique_apps"]) for r in told] == [
            (apps.name, period, network, name, *sums)
            for period in periods
            for network in ("devnet", "mainnet")
            for name, sums in expected(SENT, period, network).items()
        ]


def test_large_sums_are_exact_everywhere(apps: Apps) -> None:
    numbers = [20_881_875_588, 10**15, 9_007_199_254_740_993 // 10, 123_456_789_012_345]
    apps.send(*(payload({f"n{i}": number}) for i, number in enumerate(numbers)))
    apps.send(*(payload({"many": 10**15}, f"app-{n}") for n in range(10)), payload({"many": 1}))
    sums = {**{f"n{i}": number for i, number in enumerate(numbers)}, "many": 10**16 + 1}
    assert {name: value for name, (value, _) in apps.metrics("monthly", "2028-02").items()} == sums
    told = {row["metric"]: row["value"] for row in _rows(apps, "monthly_aggregates", "2028-02")}
    assert told == {**sums, "many": float(10**16 + 1)}


def test_which_apps_were_active(apps: Apps) -> None:
    apps.send(*SENT)
    project = apps.application.project(apps.name).id
    hashes = {app: f"{apps.here.receiver.enricher.actor(project, app):016x}" for app in ("app-1", "app-2", "app-3")}
    told = {(r["date"], r["network"], r["app"]) for m in ("2028-02", "2028-03") for r in _rows(apps, "app_activity", m)}
    assert told == {
        ("2028-02-29", "devnet", hashes["app-1"]),
        ("2028-02-29", "mainnet", hashes["app-2"]),
        ("2028-03-01", "devnet", hashes["app-1"]),
        ("2028-03-01", "devnet", hashes["app-3"]),
    }


def test_the_engines_views_show_every_project_with_the_pack(apps: Apps) -> None:
    apps.send(*SENT)
    name, keys = apps.application.make("web")
    event = {"event": "page_view", "properties": {"network": "devnet"}, "value": 1, "visitorId": "v"}
    assert apps.application.client.post("/v1/events", json=event, headers=bearer(keys["ingest"])).json()["accepted"]
    apps.application.settle(apps.name)
    apps.application.settle(name)
    define(apps.here.engine, VIEWS)
    for table in ("daily_aggregates", "monthly_aggregates", "app_activity"):
        shown = {row[0] for row in apps.here.engine.query(f"SELECT DISTINCT project FROM {table}")}
        assert apps.name in shown
        assert name not in shown
    rows = apps.here.engine.query(
        "SELECT value FROM monthly_aggregates WHERE project = {name:String} AND metric = 'a' ORDER BY month, network",
        {"name": apps.name},
    )
    assert [row[0] for row in rows] == [1, 2, 12]


def test_what_there_is_no_table_of(apps: Apps) -> None:
    answer = apps.get("/api/v1/rollups/events", REPORTING)
    assert (answer.status_code, answer.json()["allowed"]) == (
        404,
        ["daily_aggregates", "monthly_aggregates", "app_activity"],
    )
    assert apps.get("/api/v1/rollups/app_activity", None).status_code == 401
