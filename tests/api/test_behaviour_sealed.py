"""What answers about behaviour say where raw events that they would need are gone."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from tallymark.engine.base import Engine
from tests.api.sealing import seal
from tests.packs.world import Application, application, bearer

#: A Wednesday.
NOW = datetime(2026, 3, 18, 12, tzinfo=UTC)
MONDAY = datetime(2026, 3, 2, 12, tzinfo=UTC)
DAYS = {"ann": (0, 1, 2, 3), "bob": (0, 1, 3), "cem": (2, 3)}
SEALED = date(2026, 3, 3)

Ask = Any


@pytest.fixture(scope="module")
def ask(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ask]:
    """Asks about a project of four days in March, whose second day has lost its events."""
    with application(tmp_path_factory.mktemp("sealed"), engine, NOW) as app:
        yield _asking(app)


def _asking(app: Application) -> Ask:
    name, keys = app.make("web", retention="3650d")
    events = [
        {"event": "view", "userId": actor, "timestamp": (MONDAY + timedelta(days=day)).isoformat()}
        for actor, days in DAYS.items() for day in days
    ]  # fmt: skip
    answer = app.client.post("/v1/import", json=events, headers=bearer(keys["admin"]))
    assert answer.json()["accepted"] == len(events), answer.text
    seal(app, name, SEALED)

    def ask(path: str, first: int, last: int, **params: Any) -> Any:
        window = {"from": f"2026-03-{first:02}", "to": f"2026-03-{last:02}"}
        answer = app.client.get(
            f"/v1/{path}", params={"project": name, **window, **params}, headers=bearer(keys["read"])
        )
        assert answer.status_code == 200, answer.text
        return answer.json()

    return ask


@pytest.mark.parametrize(
    ("path", "first", "last", "params"),
    [
        ("retention", 2, 2, {"period": "day", "periods": 1}),
        ("lifecycle", 4, 4, {}),
        ("stickiness", 9, 9, {}),
        ("funnels", 2, 2, {"step": ["view", "view"], "within": "1d"}),
        ("journeys", 2, 2, {"timezone": "Asia/Tokyo"}),
        ("journeys", 4, 4, {"timezone": "America/New_York"}),
    ],
)
def test_days_outside_of_the_window_are_named(
    ask: Ask, path: str, first: int, last: int, params: dict[str, Any]
) -> None:
    assert ask(path, first, last, **params)["freshness"]["sealedDays"] == [str(SEALED)]


@pytest.mark.parametrize(
    ("path", "first", "last", "params"),
    [
        ("retention", 4, 4, {"period": "day", "periods": 1}),
        ("lifecycle", 5, 5, {}),
        ("funnels", 4, 4, {"step": ["view", "view"], "within": "1d"}),
        ("journeys", 2, 2, {}),
    ],
)
def test_days_that_nothing_looks_at_are_not(ask: Ask, path: str, first: int, last: int, params: dict[str, Any]) -> None:
    assert ask(path, first, last, **params)["freshness"]["sealedDays"] == []


def shares(cohort: dict[str, Any]) -> list[tuple[bool, float | None]]:
    return [(later["complete"], later["share"]) for later in cohort["periods"]]


def test_retention_from_what_is_left_says_so(ask: Ask) -> None:
    asked = {"period": "day", "periods": 2}
    whole = ask("retention", 2, 3, **asked)
    assert shares(whole["cohorts"][0]) == [(True, 1.0), (True, 1.0), (True, 0.5)]
    first, second = ask("retention", 2, 3, **asked, exact="true")["cohorts"]
    assert (first["complete"], shares(first)) == (True, [(True, 1.0), (False, None), (True, 0.5)])
    assert shares(second)[0] == (False, None)
    together = ask("retention", 2, 3, **asked, exact="true")["overall"]
    assert [each["of"] for each in together] == [2, 0, 2]


def test_cohorts_of_events_that_are_gone_are_not_known(ask: Ask) -> None:
    """Who began on the second day seems to begin on a later one."""
    body = ask("retention", 2, 4, period="day", periods=1, cohort="view", exact="true")
    assert [cohort["complete"] for cohort in body["cohorts"]] == [True, False, False]
    assert shares(body["cohorts"][2]) == [(False, None), (False, None)]


def test_lifecycle_from_what_is_left_says_so(ask: Ask) -> None:
    assert [day["complete"] for day in ask("lifecycle", 2, 5)["series"]] == [True] * 4
    exact = ask("lifecycle", 2, 5, exact="true")["series"]
    assert [day["complete"] for day in exact] == [True, False, False, True]
    assert exact[2]["dormant"] is None


def test_stickiness_from_what_is_left_says_so(ask: Ask) -> None:
    assert ask("stickiness", 2, 2)["series"][0]["complete"] is True
    (week,) = ask("stickiness", 2, 2, exact="true")["series"]
    assert (week["complete"], week["perDay"], week["stickiness"]) == (False, None, None)


def test_days_of_another_zone_reach_into_sealed_ones(ask: Ask) -> None:
    asked = {"timezone": "America/New_York", "period": "day", "periods": 3}
    (cohort,) = ask("retention", 2, 2, **asked)["cohorts"]
    assert [complete for complete, _ in shares(cohort)] == [False, False, False, True]
