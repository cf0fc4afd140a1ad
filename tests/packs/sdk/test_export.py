"""`GET /sdk/api/v1/export`: the monthly report as JSON and CSV, and who gets it."""

import csv
import io
from datetime import timedelta
from typing import Any

import pytest

from tests.packs.sdk.apps import NOON, REPORTING, Apps, expected, payload
from tests.packs.world import ADMIN, bearer

SENT = [
    payload({"wallet_connect_attempts": 10, "wallet_connect_success": 9}, "app-1", network="mainnet"),
    payload({"wallet_connect_attempts": 5, "wallet_connect_success": 3}, "app-2"),
    payload({"sessions_created": 7, "sessions_restored": 4, "restore_attempts": 6}, "app-2"),
    payload({"error_TIMEOUT": 3, "error_USER_REJECTED": 1, "registry_fetch": 1, "registry_cache_hit": 3}, "app-3"),
    payload({"sign_attempts": 8, "sign_success": 8}, "app-3"),
]


@pytest.fixture
def reported(apps: Apps) -> Apps:
    """A project with a month's counters."""
    apps.send(*SENT)
    return apps


def test_the_report_of_a_month(reported: Apps) -> None:
    answer = reported.get("/api/v1/export", REPORTING, month="2028-02")
    told = answer.json()
    assert answer.status_code == 200
    assert (told["month"], told["network"], told["final"]) == ("2028-02", "all", False)
    assert told["summary"] == {
        "monthlyActiveApps": 3,
        "totalSessions": 11,
        "sessionsCreated": 7,
        "sessionsRestored": 4,
        "restoreSuccessRate": 66.7,
        "walletConnectSuccessRate": 80.0,
        "signSuccessRate": 100.0,
        "registryCacheHitRate": 75.0,
        "totalErrors": 4,
        "errorDistribution": {"TIMEOUT": 75.0, "USER_REJECTED": 25.0},
    }
    assert [(d["network"], d["metric"], d["value"], d["uniqueApps"]) for d in told["details"]] == [
        (network, name, *sums)
        for network in ("devnet", "mainnet")
        for name, sums in expected(SENT, "2028-02", network).items()
    ]


def test_rates_are_of_what_they_say(apps: Apps) -> None:
    apps.send(
        payload({"restore_attempts": 10, "sessions_restored": 9, "restore_success": 1}),
        payload({"wallet_connect_attempts": 4, "wallet.connect_attempts": 4, "wallet_connect_success": 2}),
        payload({"sign_attempts": 5}),
    )
    told = apps.get("/api/v1/export", REPORTING, month="2028-02").json()["summary"]
    assert told["restoreSuccessRate"] == 90.0
    assert told["walletConnectSuccessRate"] == 25.0
    assert told["signSuccessRate"] == 0.0


def test_the_report_of_a_network(reported: Apps) -> None:
    told = reported.get("/api/v1/export", REPORTING, month="2028-02", network="mainnet").json()
    assert told["network"] == "mainnet"
    assert told["summary"]["monthlyActiveApps"] == 1
    assert told["summary"]["walletConnectSuccessRate"] == 90.0
    assert told["summary"]["restoreSuccessRate"] is None
    assert {detail["network"] for detail in told["details"]} == {"mainnet"}


def test_an_empty_month(reported: Apps) -> None:
    told = reported.get("/api/v1/export", REPORTING, month="2027-01").json()
    assert (told["summary"]["monthlyActiveApps"], told["summary"]["totalSessions"]) == (0, 0)
    assert (told["summary"]["restoreSuccessRate"], told["details"], told["final"]) == (None, [], True)
    text = reported.get("/api/v1/export", REPORTING, month="2027-01", format="csv").text
    assert text == "month,network,metric,value,unique_apps\r\n"


def test_the_details_as_csv(reported: Apps) -> None:
    answer = reported.get("/api/v1/export", REPORTING, month="2028-02", format="csv")
    assert answer.headers["content-type"] == "text/csv; header=present; charset=utf-8"
    assert f'filename="{reported.name}-2028-02.csv"' in answer.headers["content-disposition"]
    rows = list(csv.reader(io.StringIO(answer.text, newline="")))
    assert rows[0] == ["month", "network", "metric", "value", "unique_apps"]
    assert [(row[1], row[2], float(row[3]), int(row[4])) for row in rows[1:]] == [
        (network, name, *sums)
        for network in ("devnet", "mainnet")
        for name, sums in expected(SENT, "2028-02", network).items()
    ]
    assert {row[0] for row in rows[1:]} == {"2028-02"}
    assert answer.text.endswith("\r\n")
    assert "\n" not in answer.text.replace("\r\n", "")


def test_the_same_report_is_the_same_to_the_byte(reported: Apps) -> None:
    for style in ("json", "csv"):
        first = reported.get("/api/v1/export", REPORTING, month="2028-02", format=style).content
        reported.application.clock.now += timedelta(minutes=5)
        reported.here.keeper.backfill(reported.application.project(reported.name), NOON.date(), NOON.date())
        assert reported.get("/api/v1/export", REPORTING, month="2028-02", format=style).content == first


def test_no_cell_is_a_formula_and_every_text_survives(apps: Apps) -> None:
    names = ['=HYPERLINK("a")', "+1", "-1", "@SUM(A1)", 'quo"te, comma', "new\nline", "ünï"]
    for name in names:
        event = {"event": name, "value": 2, "actor": "app-1", "properties": {"network": "=dev", "sdkVersion": "1"}}
        answer = apps.application.client.post("/v1/events", json=event, headers=bearer(apps.keys["ingest"]))
        assert answer.json()["accepted"] == 1, answer.text
    text = apps.get("/api/v1/export", REPORTING, month="2028-02", format="csv").text
    rows = list(csv.reader(io.StringIO(text, newline="")))[1:]
    assert {row[1] for row in rows} == {"'=dev"}
    guarded = {f"'{name}" if name[0] in "=+-@" else name for name in names}
    assert {row[2] for row in rows} == guarded


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({}, "month"),
        ({"month": "2028-2"}, "month"),
        ({"month": "2028-00"}, "month"),
        ({"month": "2028-02", "format": "xml"}, "format"),
        ({"month": "2028-02", "network": "'"}, "network"),
        ({"month": "2028-02", "since": "1"}, "since"),
    ],
)
def test_a_mistake_is_told_with_its_field(apps: Apps, params: dict[str, Any], field: str) -> None:
    answer = apps.get("/api/v1/export", REPORTING, **params)
    assert (answer.status_code, answer.json()["success"], answer.json()["field"]) == (400, False, field)


def test_who_gets_it(reported: Apps) -> None:
    other = reported.fresh()
    for good in (REPORTING, ADMIN, reported.keys["read"], reported.keys["admin"]):
        assert reported.get("/api/v1/export", good, month="2028-02").status_code == 200
    for key, status, code in (
        (None, 401, "unauthorized"),
        ("wrong", 401, "unauthorized"),
        (reported.keys["ingest"], 403, "forbidden"),
        (other.keys["read"], 403, "forbidden"),
    ):
        answer = reported.get("/api/v1/export", key, month="2028-02")
        assert (answer.status_code, answer.json()["error"]) == (status, code)
    own = reported.application.client.get(
        "/sdk/api/v1/export", params={"month": "2028-02"}, headers=bearer(reported.keys["read"])
    )
    assert own.json()["summary"]["monthlyActiveApps"] == 3


def test_the_reporting_key_reads_and_does_nothing_else(apps: Apps) -> None:
    client, headers = apps.application.client, bearer(REPORTING)
    asked = {"project": apps.name, "metrics": "counter_value"}
    assert client.get("/v1/query", params=asked, headers=headers).status_code == 200
    assert client.post("/v1/events", params=asked, json={"event": "a"}, headers=headers).status_code == 403
    assert client.post("/v1/projects", json={"name": "more"}, headers=headers).status_code == 403
    assert client.post("/v1/rollup/run", params={"project": apps.name}, headers=headers).status_code == 403
