"""`GET /ab/v1/metrics/…` against plain Python, and who may ask."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from tallymark.engine.base import Engine
from tallymark.packs.ab.reading import METRICS
from tests.oracle import agrees, window
from tests.packs.ab.game import DASHBOARD, NOON, STEPS, TODAY, Game, event, exposure, traffic
from tests.packs.world import ADMIN, application, bearer


@pytest.fixture(scope="module")
def playing(tmp_path_factory: pytest.TempPathFactory, engine: Engine) -> Iterator[Game]:
    """The application, with nothing in it."""
    with application(tmp_path_factory.mktemp("game"), engine, NOON, dashboard_token=DASHBOARD) as found:
        yield Game(found)


@pytest.fixture
def game(playing: Game) -> Game:
    """A game of its own, at noon of the leap day of 2028."""
    return playing.fresh()


@pytest.fixture(scope="module", params=["UTC", "Asia/Kolkata"])
def played(request: pytest.FixtureRequest, playing: Game) -> Game:
    """A game with a week of traffic, part of which came late, in a zone."""
    game = playing.fresh(timezone=request.param)
    sent = traffic(7 if request.param == "UTC" else 8)
    game.send(sent[:120])
    game.told("/v1/metrics/funnels")
    game.send(sent[120:])
    game.ask("POST", "run")
    return game


@pytest.mark.parametrize("length", [1, 3, 7])
def test_the_summary_is_of_the_window_and_the_one_before(played: Game, length: int) -> None:
    told = played.told("/v1/metrics/summary", key=None, window_days=length)
    first = TODAY - timedelta(days=length - 1)
    assert told["window"] == {"from": str(first), "to": str(TODAY), "days": length, "timezone": played.zone}
    assert told["compareTo"]["to"] == str(first - timedelta(days=1))
    oracle, now = played.oracle(), window(first, TODAY, played.zone)
    before = window(first - timedelta(days=length), first - timedelta(days=1), played.zone)
    assert tuple(told["metrics"]) == METRICS
    for name, figure in told["metrics"].items():
        assert agrees(figure["value"], oracle.ask(name, now)), name
        assert agrees(figure["previous"], oracle.ask(name, before)), name
        comparable = figure["value"] is not None and figure["previous"]
        assert (figure["delta"] is not None) == bool(comparable)


def test_every_day_and_metric(played: Game) -> None:
    told = played.told("/v1/metrics/daily", window_days=9)["rows"]
    days = [TODAY - timedelta(days=n) for n in reversed(range(9))]
    assert [(row["date"], row["metric"]) for row in told] == [(str(day), name) for day in days for name in METRICS]
    oracle = played.oracle()
    expected = [oracle.ask(name, window(day, day, played.zone)) for day in days for name in METRICS]
    wrong = [(row, e) for row, e in zip(told, expected, strict=True) if not agrees(row["value"], e)]
    assert wrong == []


@pytest.mark.parametrize("experiment", [None, "tutorial", "shop"])
def test_events_of_variants(played: Game, experiment: str | None) -> None:
    asked = {} if experiment is None else {"experiment_id": experiment}
    told = played.told("/v1/metrics/experiments", window_days=11, **asked)
    assert (told["experimentId"], len(told["rows"]) > 20) == (experiment, True)
    assert _rounded(told["rows"]) == _rounded(played.experiment_rows(11, experiment))
    assert played.told("/v1/metrics/experiments", **asked)["rows"] == [
        row for row in told["rows"] if row["date"] > str(TODAY - timedelta(days=7))
    ]


def _rounded(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**row, "value": round(row["value"], 9)} for row in rows]


@pytest.mark.parametrize("experiment", ["", "tutorial", "shop"])
def test_funnels_by_day_of_entry(played: Game, experiment: str) -> None:
    asked = {"experiment_id": experiment} if experiment else {}
    told = played.told("/v1/metrics/funnels", window_days=11, **asked)
    assert told["funnelName"] == "core_journey"
    assert told["rows"] == played.funnel_rows(11, experiment)
    assert len(told["rows"]) > 20


def test_a_funnel_that_the_project_declares(played: Game) -> None:
    body = {"title": "Shared", "steps": ["app_open", "share"], "within": "7d"}
    answer = played.application.client.put(
        "/v1/funnels/shared", json=body, params={"project": played.name}, headers=bearer(played.keys["admin"])
    )
    assert answer.status_code in (200, 201), answer.text
    played.ask("POST", "run", job="funnels")
    told = played.told("/v1/metrics/funnels", window_days=11, funnel_name="shared", experiment_id="shop")
    assert told["rows"] == played.funnel_rows(11, "shop", ("app_open", "share"))


def test_a_late_event_repairs_its_day(game: Game) -> None:
    before = NOON - timedelta(days=3)
    game.send([exposure("ann", before, "shop", "gold"), event("app_open", "ann", before + timedelta(minutes=1))])
    game.send([event("purchase", "ann", NOON, value=5), event("app_open", "cem", before)])
    for _ in range(2):
        game.ask("POST", "run")
        assert game.told("/v1/metrics/funnels")["rows"] == game.funnel_rows(7)
        assert game.told("/v1/metrics/funnels", experiment_id="shop")["rows"] == game.funnel_rows(7, "shop")
        assert game.told("/v1/metrics/experiments")["rows"] == game.experiment_rows(7)
        late = [event(name, "ann", before + timedelta(minutes=2 + i)) for i, name in enumerate(STEPS[1:3])]
        game.send(late)
    assert game.funnel_rows(7)[3]["units"] == 1


def test_without_any_experiment_or_event(playing: Game) -> None:
    name, _ = playing.application.make("ab")
    told = Game(playing.application, name).told
    assert told("/v1/metrics/experiments")["rows"] == told("/v1/metrics/funnels")["rows"] == []
    assert told("/v1/metrics/summary")["metrics"]["revenue"] == {"value": 0, "previous": 0, "delta": None}


READ = ("/v1/metrics/daily", "/v1/metrics/experiments", "/v1/metrics/funnels", "/v1/rollups/rollup_runs")


@pytest.mark.parametrize("path", READ)
def test_reading_needs_a_key_that_may_read(game: Game, playing: Game, path: str) -> None:
    good = (DASHBOARD, ADMIN, game.keys["read"], game.keys["admin"])
    assert [game.get(path, key).status_code for key in good] == [200] * 4
    bad = {None: 401, "nobodys": 401, game.keys["ingest"]: 403, playing.fresh().keys["read"]: 403}
    for key, status in bad.items():
        answer = game.get(path, key)
        assert (answer.status_code, answer.json()["success"]) == (status, False)
    bearing = game.application.client.get(f"/ab{path}", params={"project": game.name}, headers=bearer(DASHBOARD))
    assert bearing.status_code == 200


def test_a_dashboards_token_only_reads(game: Game) -> None:
    answer = game.application.client.post("/v1/rollup/run", headers={"x-dashboard-token": DASHBOARD})
    assert answer.status_code == 403


def test_the_summary_is_public_unless_the_project_says_otherwise(game: Game) -> None:
    path = "/v1/metrics/summary"
    assert game.get(path, None).status_code == 200
    assert game.get(path, "nobodys").status_code == 401
    game.application.change(game.name, publicSummary=False)
    assert game.get(path, None).json()["error"] == "unauthorized"
    assert game.get(path, game.keys["ingest"]).status_code == 403
    assert game.get(path, game.keys["read"]).status_code == game.get(path).status_code == 200
    game.application.change(game.name, publicSummary=True)
    assert game.get(path, None).status_code == 200


@pytest.mark.parametrize(
    ("path", "params", "status", "field"),
    [
        ("/v1/metrics/summary", {"window_days": 0}, 400, "window_days"),
        ("/v1/metrics/daily", {"window_days": 367}, 400, "window_days"),
        ("/v1/metrics/daily", {"window_days": "a"}, 400, "window_days"),
        ("/v1/metrics/daily", {"windowDays": 3}, 400, "windowDays"),
        ("/v1/metrics/experiments", {"experiment_id": "none"}, 404, "experiment_id"),
        ("/v1/metrics/funnels", {"experiment_id": "none"}, 404, "experiment_id"),
        ("/v1/metrics/funnels", {"funnel_name": "none"}, 400, "funnel_name"),
        ("/v1/metrics/daily", {"project": "nobodys"}, 404, "project"),
        ("/v1/rollups/none", {}, 404, "table"),
        ("/v1/rollups/funnel_rollups", {"window_days": 3}, 400, "window_days"),
    ],
)
def test_what_is_refused(game: Game, path: str, params: dict[str, Any], status: int, field: str) -> None:
    answer = game.get(path, **params)
    assert (answer.status_code, answer.json()["field"], answer.json()["success"]) == (status, field, False)


def test_the_longest_window(game: Game) -> None:
    game.send([event("app_open", "ann", NOON - timedelta(days=365))])
    told = game.told("/v1/metrics/daily", window_days=366)["rows"]
    assert told[0] == {"date": "2027-03-01", "metric": "actors", "value": 1}


def test_health(game: Game) -> None:
    assert game.get("/health", None).json()["status"] == "ok"
