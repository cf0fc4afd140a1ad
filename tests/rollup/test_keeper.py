"""What one refresh makes stale the same refresh mends."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tallymark.engine.base import Engine
from tests.packs.world import Application, application, bearer

NOW = datetime(2026, 3, 18, 12, tzinfo=UTC)
NOON = datetime(2026, 3, 3, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def app(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    with application(tmp_path_factory.mktemp("keeper"), engine, NOW) as opened:
        yield opened


@pytest.mark.parametrize("days_later", [1, 2, 9])
def test_an_actor_who_began_earlier_is_in_one_cohort_at_once(app: Application, days_later: int) -> None:
    name, keys = app.make("web", retention="3650d")

    def send(days: int) -> None:
        at = (NOON + timedelta(days=days)).isoformat()
        events = [{"event": "view", "userId": "ann", "timestamp": at}]
        answer = app.client.post("/v1/import", json=events, headers=bearer(keys["admin"]))
        assert answer.json()["accepted"] == 1, answer.text

    def cohorts() -> dict[str, int]:
        asked: dict[str, Any] = {"from": "2026-03-01", "to": "2026-03-15", "period": "day", "periods": 1}
        answer = app.client.get("/v1/retention", params=asked, headers=bearer(keys["read"])).json()
        assert answer["freshness"]["lagSeconds"] is not None
        return {cohort["t"]: cohort["actors"] for cohort in answer["cohorts"] if cohort["actors"]}

    send(days_later)
    assert cohorts() == {str((NOON + timedelta(days=days_later)).date()): 1}
    send(0)
    assert cohorts() == {"2026-03-03": 1}
    assert app.here.keeper.stale(app.project(name)) == []
