"""Days and months become final by the clock, raw events go, and what is late repairs its day while it may."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tallymark.engine.base import Engine
from tallymark.errors import Unavailable
from tallymark.ingest.rows import Rows
from tallymark.ingest.spool import Spool
from tallymark.ingest.store import Store
from tallymark.packs.sdk.jobs import DAILY, MONTHLY, Finishing
from tests.packs.sdk.apps import NOON, Apps, expected, payload
from tests.packs.world import application

DAY = timedelta(days=1)


def _details(apps: Apps, job: str) -> list[str]:
    """What the job's runs said, oldest first."""
    return [run.detail for run in reversed(apps.here.job_runs.recent(job)) if run.status == "done"]


def test_each_day_and_each_month_has_its_turn_once(engine: Engine, tmp_path: Path) -> None:
    with application(tmp_path, engine, datetime(2028, 2, 29, 12, tzinfo=UTC)) as world:
        apps, clock = Apps(world), world.clock
        finishing = Finishing(apps.here)
        made = apps.fresh()
        made.send(payload({"a": 1}))
        moments = [
            datetime(2028, 2, 29, 12, tzinfo=UTC),
            datetime(2028, 3, 1, 0, 0, 30, tzinfo=UTC),
            datetime(2028, 3, 1, 0, 1, 10, tzinfo=UTC),
            datetime(2028, 3, 1, 23, tzinfo=UTC),
            datetime(2028, 3, 4, 5, tzinfo=UTC),
        ]
        for moment in moments:
            clock.now = moment
            for _ in range(2):
                finishing.daily()
                finishing.monthly()
        days = [detail.partition(" ")[0] for detail in _details(apps, DAILY)]
        months = [detail.partition(" ")[0] for detail in _details(apps, MONTHLY)]
    assert days == ["2028-02-28", "2028-02-29", "2028-03-03"]
    assert months == ["2028-01", "2028-02"]


def test_events_of_days_that_take_no_more_go_and_their_sums_stay(apps: Apps) -> None:
    """The engine's own clock says how old events are, so these are of the days around today."""
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    made = apps.fresh(retention="10d")
    sent = [payload({"a": n + 1}, f"app-{n}", today - 2 * DAY + n * timedelta(hours=8)) for n in range(7)]
    made.application.clock.now = today - 2 * DAY
    made.send(*sent)
    days = [f"{today + offset * DAY:%Y-%m-%d}" for offset in (-2, -1, 0)]
    for day in days:
        assert made.metrics("daily", day) == expected(sent, day)
    made.application.change(made.name, retention="24h")
    Finishing(made.here)._day("today")
    left = made.here.engine.query(
        "SELECT DISTINCT toDate(occurred_at) AS day FROM events WHERE project = {project:UInt32} ORDER BY day",
        {"project": made.application.project(made.name).id},
    )
    assert [str(row[0]) for row in left] == days[1:]
    for day in days:
        assert made.metrics("daily", day) == expected(sent, day)
    made.application.change(made.name, retention="10d")
    made.application.clock.now = today + timedelta(hours=1)
    refused = made.post(payload({"a": 100}, "app-9", today - 2 * DAY + timedelta(hours=2)))
    assert (refused.status_code, refused.json()["error"]) == (400, "too_old")
    made.application.clock.now = datetime.now(UTC) + timedelta(minutes=1)
    told = made.get("/api/v1/metrics", period="daily", date=days[0]).json()
    assert (told["final"], told["metrics"]["a"]["value"]) == (True, expected(sent, days[0])["a"][0])
    late = payload({"a": 100}, "app-9", today - timedelta(hours=1))
    made.application.clock.now = today + timedelta(hours=22)
    assert made.post(late).json() == {"success": True}
    assert made.metrics("daily", days[1]) == expected([*sent, late], days[1])


def test_what_comes_late_repairs_its_day_within_24_hours_and_not_after(apps: Apps) -> None:
    sent = [payload({"a": 1}), payload({"a": 2}, "app-2", NOON + timedelta(hours=13))]
    apps.send(*sent)
    assert apps.metrics("daily", "2028-02-29") == {"a": (1, 1)}
    apps.application.clock.now = datetime(2028, 3, 1, 23, 59, 30, tzinfo=UTC)
    Finishing(apps.here)._day("2028-02-29")
    late = payload({"a": 4}, "app-3", datetime(2028, 2, 29, 23, 59, 45, tzinfo=UTC))
    assert apps.post(late).json() == {"success": True}
    assert apps.metrics("daily", "2028-02-29") == {"a": (5, 2)}
    assert apps.metrics("monthly", "2028-02") == {"a": (5, 2)}
    apps.application.clock.now = datetime(2028, 3, 2, tzinfo=UTC)
    answer = apps.post({**late, "metrics": {"a": 8}})
    assert (answer.status_code, answer.json()["error"]) == (400, "too_old")
    assert apps.metrics("daily", "2028-02-29") == {"a": (5, 2)}


def test_nothing_is_final_while_events_wait_in_the_spool(apps: Apps, tmp_path: Path) -> None:
    apps.send(payload({"a": 1}))
    Spool(tmp_path).append("events", Rows().table(), "token")
    store = Store(apps.here.engine, Spool(tmp_path), 1 << 20)
    before = len(apps.here.job_runs.recent(DAILY))
    finishing = Finishing(replace(apps.here, store=store))
    for turn in (finishing.daily, finishing.monthly):
        with pytest.raises(Unavailable, match="spool"):
            turn()
    assert len(apps.here.job_runs.recent(DAILY)) == before
    store.replay()
    apps.application.clock.now = datetime(2099, 1, 1, 12, tzinfo=UTC)
    finishing.daily()
    assert len(apps.here.job_runs.recent(DAILY)) == before + 1
