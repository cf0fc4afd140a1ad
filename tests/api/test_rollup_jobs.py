"""`POST /v1/rollup/run` and `/rehearse`: windows and jobs, days of funnels, and what computing again would change."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from tallymark.api.funnel_rollups import FunnelRollups
from tallymark.engine.base import Engine, Params, Row
from tallymark.engine.refused import EngineRefused
from tallymark.rollup.funnel_days import FunnelDay, keep, kept
from tallymark.rollup.run import publish, published
from tallymark.spec.condition import Comparison, Op, Prop
from tallymark.spec.funnel import Funnel, Step
from tests.engines import Passing
from tests.flow.test_idempotency import Clocked
from tests.packs.ab.game import NOON, STEPS, TODAY, Game, event, exposure, traffic
from tests.packs.world import ADMIN, application, bearer

EVER = (date(2028, 1, 1), date(2028, 12, 31))
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def playing(tmp_path_factory: pytest.TempPathFactory, engine: Engine) -> Iterator[Game]:
    """The application, with nothing in it."""
    with application(tmp_path_factory.mktemp("rollup"), engine, NOON) as found:
        yield Game(found)


@pytest.fixture
def game(playing: Game) -> Game:
    """A game of its own."""
    return playing.fresh()


def days(game: Game) -> list[FunnelDay]:
    """The days of funnels that are kept."""
    return kept(game.application.here.engine, game.id, *EVER)


def journey(day: date, unit: str = "ann", steps: int = 4) -> list[dict[str, Any]]:
    """What somebody does on a day."""
    noon = NOON - (TODAY - day)
    return [event(name, unit, noon + timedelta(minutes=i)) for i, name in enumerate(STEPS[:steps])]


def declare(game: Game, *steps: str, name: str = "core_journey") -> None:
    """Declares a funnel of the project, its own core journey unless it is said."""
    answer = game.application.client.put(
        f"/v1/funnels/{name}", json={"steps": steps}, params={"project": game.name},
        headers=bearer(game.keys["admin"]),
    )  # fmt: skip
    assert answer.is_success, answer.text


def test_a_window_is_refreshed_and_the_rest_left_for_later(game: Game) -> None:
    game.send(journey(TODAY) + journey(TODAY - 5 * DAY))
    told = game.ask("POST", "run", windowDays=3)
    assert [day["day"] for day in told["days"]] == [str(TODAY)]
    assert [(run["job"], run["from"], run["to"]) for run in told["runs"]] == [
        (job, "2028-02-27", "2028-02-29") for job in ("daily", "experiments", "funnels")
    ]
    assert game.ask("GET", "status")["projects"][0]["staleDays"] == [str(TODAY - 5 * DAY)]
    rest = game.ask("POST", "run")
    again = {str(TODAY - 5 * DAY), str(TODAY)}  # today once more: ann turns out to have begun earlier
    assert {day["day"] for day in rest["days"] if day["outcome"] == "published"} == again
    assert (rest["refreshed"], rest["runs"][0]["from"]) == (2, None)
    assert [day.day for day in days(game)] == [TODAY - 5 * DAY, TODAY]


def test_one_job(game: Game) -> None:
    game.send([exposure("ann", NOON - DAY, "shop", "gold"), *journey(TODAY)])
    (ran,) = game.ask("POST", "run", job="experiments")["runs"]
    assert (ran["job"], ran["rows"] > 0, days(game)) == ("experiments", True, [])
    (ran,) = game.ask("POST", "run", job="funnels", windowDays=2)["runs"]
    assert (ran["job"], ran["rows"]) == ("funnels", 8)
    (ran,) = game.ask("POST", "run", job="daily")["runs"]
    assert ran["rows"] == 0


def test_jobs_that_a_project_has_nothing_for_are_left_out(game: Game) -> None:
    name, keys = game.application.make("sdk")
    answer = game.application.client.post("/v1/rollup/run", params={"project": name}, headers=bearer(keys["admin"]))
    assert [run["job"] for run in answer.json()["runs"]] == ["daily"]


@pytest.mark.parametrize(("field", "value"), [("job", "weekly"), ("windowDays", "0"), ("windowDays", "a week")])
def test_what_can_not_be_run(game: Game, field: str, value: str) -> None:
    answer = game.application.client.post(
        "/v1/rollup/run", params={"project": game.name, field: value}, headers=bearer(ADMIN)
    )
    assert (answer.status_code, answer.json()["error"]["field"]) == (400, field)


def test_running_and_rehearsing_again_changes_nothing(game: Game) -> None:
    game.send(traffic(3, 60, 3))
    game.ask("POST", "run")
    before = days(game)
    again = game.ask("POST", "run")
    assert (again["refreshed"], [run["rows"] for run in again["runs"]]) == (0, [0, 0, 0])
    told = game.ask("POST", "rehearse", windowDays=9)
    assert told == {"days": len(before), "funnelDays": len(before), "differences": []}
    assert days(game) == before
    assert game.ask("GET", "check")["differences"] == []
    leftover = "SELECT count() FROM {} WHERE project = {{project:UInt32}} AND shelf >= 4000000000"
    for table in ("rollups", "sessions"):
        assert game.application.here.engine.query(leftover.format(table), {"project": game.id})[0][0] == 0


def test_a_rehearsal_tells_what_is_wrong(game: Game) -> None:
    game.send(journey(TODAY))
    game.ask("POST", "run")
    engine = game.application.here.engine
    engine.command(
        "INSERT INTO rollups SELECT * REPLACE (n + 1 AS n) FROM rollups "
        "WHERE project = {project:UInt32} AND measure = 'count(bot is '''')' AND dim = 'event' AND key = 'purchase'",
        {"project": game.id},
    )
    (day,) = days(game)
    keep(engine, game.id, [replace(day, counts={"": (1, 1, 1, 0)})])
    told = game.ask("POST", "rehearse")["differences"]
    assert [(d["day"], d["measure"], d["dimension"], d["key"]) for d in told] == [
        (str(TODAY), "count(bot is '')", "event", "purchase"),
        (str(TODAY), "funnel core_journey", "", ""),
    ]
    assert (told[0]["before"][:6], told[0]["after"][:6]) == ("3 rows", "1 rows")
    assert (told[1]["before"], told[1]["after"]) == ("{'': (1, 1, 1, 0)}", "{'': (1, 1, 1, 1)}")


def test_days_that_wait_are_not_rehearsed(game: Game) -> None:
    game.send(journey(TODAY) + journey(TODAY - DAY))
    game.ask("POST", "run")
    game.send(journey(TODAY, "bob"))
    assert game.ask("POST", "rehearse") == {"days": 1, "funnelDays": 0, "differences": []}
    game.ask("POST", "run")
    assert game.ask("POST", "rehearse") == {"days": 2, "funnelDays": 2, "differences": []}


def test_an_event_changes_the_days_that_it_may_belong_to(game: Game) -> None:
    for ago in (9, 7, 6, 0):
        game.send(journey(TODAY - ago * DAY, f"u{ago}", steps=3))
    game.ask("POST", "run")
    before = {day.day: day for day in days(game)}
    game.send([event("purchase", "u6", NOON - DAY)])
    game.ask("POST", "run")
    changed = {day.day for day in days(game) if day != before.get(day.day)}
    later = {TODAY}  # while experiments run: exposures of any earlier day decide who counts to which variant
    assert changed == {TODAY - 7 * DAY, TODAY - 6 * DAY, TODAY - DAY} | later
    assert {day.day: day.counts for day in days(game)}[TODAY - 6 * DAY] == {"": (1, 1, 1, 1)}


def test_a_late_exposure_changes_later_days(game: Game) -> None:
    game.send(journey(TODAY))
    game.ask("POST", "run")
    assert days(game)[0].counts == {"": (1, 1, 1, 1)}
    game.send([exposure("ann", NOON - 20 * DAY, "shop", "gold")])
    game.ask("POST", "run")
    assert days(game)[-1].counts == {"": (1, 1, 1, 1), "shop/gold": (1, 1, 1, 1)}


def test_another_definition_is_computed_anew_where_the_events_are_there(game: Game) -> None:
    game.send(journey(TODAY - 20 * DAY) + journey(TODAY))
    game.ask("POST", "run")
    old = days(game)
    engine = game.application.here.engine
    (run,) = published(engine, game.id, TODAY - 20 * DAY, TODAY - 20 * DAY)
    publish(engine, [replace(run, expires_from=datetime(2020, 1, 1, tzinfo=UTC))])
    declare(game, "app_open", "purchase")
    game.ask("POST", "run")
    sealed, new = days(game)
    assert sealed == old[0]
    assert (new.day, new.steps, new.counts) == (TODAY, ("app_open", "purchase"), {"": (1, 1)})
    assert new.definition != sealed.definition


def test_a_funnel_that_the_engine_refuses_stops_no_other(game: Game, engine: Engine) -> None:
    @dataclass
    class Refusing(Passing):
        def query(self, sql: str, params: Params | None = None) -> Sequence[Row]:
            if "'share'" in sql:
                raise EngineRefused("no")
            return super().query(sql, params)

    declare(game, "app_open", "share", name="a_bad_one")
    game.send(journey(TODAY))
    here = game.application.here
    here.keeper.run(game.application.project(game.name))
    rollups = FunnelRollups(Refusing(engine), here.catalog, here.funnels, here.experiment_book)
    computed = rollups.refresh(game.application.project(game.name))
    assert [(day.funnel, day.day) for day in computed] == [("core_journey", TODAY)]
    assert [day.funnel for day in days(game)] == ["core_journey"]


def test_a_funnel_that_cannot_be_read_stops_no_other(game: Game) -> None:
    bad = Comparison(Prop("a..b"), Op.IS, ("x",))
    game.application.here.funnels.put(game.id, Funnel("bad", "Bad", (Step("a", bad), Step("b", bad)), 60), NOON)
    game.send(journey(TODAY))
    game.ask("POST", "run")
    assert [day.funnel for day in days(game)] == ["core_journey"]
    assert game.told("/v1/metrics/funnels", key=game.keys["read"])["rows"] == game.funnel_rows(7)


def test_funnels_outlive_their_events(game: Game, engine: Engine) -> None:
    """Nothing was computed before the purge came, which then does it itself."""
    game.application.change(game.name, retention="1d")
    game.send(journey(TODAY - 30 * DAY))
    assert days(game) == []
    later = Clocked(engine, NOON + 40 * DAY)
    purge = game.application.client.app.state.purge.__self__
    keeper = game.application.here.keeper
    try:
        keeper._engine = keeper._refresher.__dict__["engine"] = later
        told = purge.run(game.application.project(game.name))
    finally:
        keeper._engine = keeper._refresher.__dict__["engine"] = engine
    assert [done.count for done in told if done.step == "events"] == [4]
    assert [(day.day, day.counts) for day in days(game)] == [(TODAY - 30 * DAY, {"": (1, 1, 1, 1)})]
    game.ask("POST", "run")
    assert len(days(game)) == 1


def test_nothing_of_a_deleted_project_is_kept(game: Game) -> None:
    game.send(journey(TODAY))
    game.ask("POST", "run")
    engine, project = game.application.here.engine, {"project": game.id}
    assert game.application.client.delete(f"/v1/projects/{game.name}", headers=bearer(ADMIN)).is_success
    for table in ("funnel_days", "rollup_jobs"):
        assert engine.query(f"SELECT count() FROM {table} WHERE project = {{project:UInt32}}", project)[0][0] == 0
