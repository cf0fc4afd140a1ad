"""The rows of the engine's views are those that the endpoints tell, and one view has the days of several packs."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from tallymark.cli.rollups import TABLES
from tallymark.engine.base import Engine
from tallymark.engine.views import define, note
from tallymark.packs import VIEWS
from tallymark.packs.ab.views import COLUMNS
from tallymark.packs.web.views import COLUMNS as OF_WEB
from tests.oracle import agrees, window
from tests.packs.ab.game import DASHBOARD, NOON, TODAY, Game, event, traffic
from tests.packs.world import application, bearer

OF_METRICS = {
    "active_units": "actors",
    "new_units": "new_actors",
    "total_events": "events",
    "app_opens": "app_opens",
    "app_sessions": "app_sessions",
    "levels_started": "levels_started",
    "levels_completed": "levels_completed",
    "purchases": "purchases",
    "buyers": "buyers",
    "exposures": "exposures",
    "exposed_units": "exposed_units",
    "revenue": "revenue",
}


@pytest.fixture(scope="module")
def game(tmp_path_factory: pytest.TempPathFactory, engine: Engine) -> Iterator[Game]:
    """A game with some days of traffic, up to date, and the engine's views."""
    with application(tmp_path_factory.mktemp("views"), engine, NOON, dashboard_token=DASHBOARD) as found:
        made = Game(found).fresh()
        made.send(traffic(9, 120, 4))
        made.ask("POST", "run", windowDays=12)
        define(engine, VIEWS)
        note(engine, found.here.projects.list)
        yield made


def shown(game: Game, view: str, project: str = "project") -> list[dict[str, Any]]:
    """A view's rows of the game, as an SQL client gets them."""
    columns = ", ".join(COLUMNS[view])
    found = game.application.here.engine.query(
        f"SELECT {columns} FROM {view} WHERE {project} = {{name:String}} ORDER BY {columns}", {"name": game.name}
    )
    return [dict(zip(COLUMNS[view], row, strict=True)) for row in found]


@pytest.mark.parametrize("view", COLUMNS)
def test_a_view_has_what_the_endpoint_tells(game: Game, view: str) -> None:
    told = game.told(f"/v1/rollups/{view}")["rows"]
    if view == "rollup_runs":
        today = str(shown(game, view)[0]["started_at"].date())
        told = game.told(f"/v1/rollups/{view}", **{"from": today, "to": today})["rows"]
    plain = [{k: v for k, v in row.items() if not k.endswith(("_at", "day", "id"))} for row in shown(game, view)]
    kept = [{k: v for k, v in row.items() if not k.endswith(("_at", "day", "id"))} for row in told]
    assert sorted(map(str, kept)) == sorted(map(str, plain))
    assert len(told) > 1
    assert [list(row) for row in told] == [list(COLUMNS[view])] * len(told)


def test_every_column_of_a_day(game: Game) -> None:
    rows, oracle = game.told("/v1/rollups/daily_metric_rollups")["rows"], game.oracle()
    assert [row["day"] for row in rows] == sorted({str(game._day(one.at)) for one in oracle.events})
    for row in rows:
        day = TODAY - timedelta(days=(TODAY - TODAY.fromisoformat(row["day"])).days)
        wrong = {c: row[c] for c, m in OF_METRICS.items() if not agrees(row[c], oracle.ask(m, window(day, day, "UTC")))}
        assert wrong == {}, day


def test_experiments_and_funnels_are_those_of_the_endpoints(game: Game) -> None:
    names = {"exposed_units": "exposedUnits", "new_units": "newUnits", "step_conversion": "stepConversion"}

    def camel(view: str) -> list[dict[str, Any]]:
        return [
            {names.get(k, k): v for k, v in row.items() if k not in ("project", "funnel")} for row in shown(game, view)
        ]

    assert camel("experiment_metric_rollups") == game.told("/v1/metrics/experiments", window_days=11)["rows"]
    of_everybody = [row for row in camel("funnel_rollups") if not row["experiment"]]
    told = game.told("/v1/metrics/funnels", window_days=11)["rows"]
    assert [{**row, "experiment": None, "variant": None} for row in of_everybody] == told


def test_what_was_asked_of_rollups(game: Game) -> None:
    runs = {row["job"]: row for row in shown(game, "rollup_runs")}
    assert runs.keys() == {"daily", "experiments", "funnels"}
    for run in runs.values():
        assert (run["status"], str(run["first_day"]), str(run["last_day"])) == ("done", "2028-02-18", "2028-02-29")
        assert run["started_at"] <= run["finished_at"]
        assert run["rows"] > 0
    assert runs["funnels"]["rows"] == len(shown(game, "funnel_rollups"))


def test_days_of_a_site_and_of_a_game_stand_in_one_view(game: Game) -> None:
    name, keys = game.application.make("web", packs=["web", "ab"])
    sent = [
        {"event": "page_view", "userId": "ann", "timestamp": NOON.isoformat(), "url": "https://a.example/"},
        event("purchase", "ann", NOON + timedelta(seconds=9), value=2.5),
    ]
    client = game.application.client
    assert client.post("/v1/import", json=sent, params={"project": name}, headers=bearer(keys["admin"])).is_success
    game.application.settle(name)
    note(game.application.here.engine, game.application.here.projects.list)
    (row,) = game.application.here.engine.query(
        "SELECT property_id, project, unique_visitors, total_page_views, active_units, revenue, top_landing_paths "
        "FROM daily_metric_rollups WHERE project = {name:String}",
        {"name": name},
    )
    landed = '[{"path":"/","entrances":1,"conversions":0}]'
    assert tuple(row) == (name, name, 1, 1, 1, 2.5, landed)
    for prefix, field, columns in (("web", "propertyId", OF_WEB), ("ab", "project", COLUMNS)):
        told = client.get(
            f"/{prefix}/v1/rollups/daily_metric_rollups", params={field: name}, headers=bearer(keys["admin"])
        ).json()["rows"]
        assert [list(row) for row in told] == [list(columns["daily_metric_rollups"])]


def test_the_command_knows_every_table() -> None:
    assert TABLES.keys() == VIEWS.keys()
