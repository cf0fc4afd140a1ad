"""The demo's counters: always the same, taken as they are, and with a story in them."""

from datetime import UTC, date, datetime, timedelta

import pytest

from tallymark.ingest.decode import Decoded, WireEvent
from tallymark.ingest.gate import Limits, admit
from tallymark.packs.sdk.demo import PROJECT, days
from tallymark.spec.project import Project, parse_draft

LAST = date(2026, 6, 30)
Days = dict[date, list[WireEvent]]


@pytest.fixture(scope="module")
def demo() -> Days:
    return dict(days(LAST))


def test_the_same_arguments_give_the_same_events(demo: Days) -> None:
    again = dict(days(LAST, 3))
    assert again == {day: demo[day] for day in again}
    assert dict(days(LAST, 3, seed=5)) != again


def test_every_event_lies_in_its_day_in_order(demo: Days) -> None:
    assert len(demo) == 90
    for day, events in demo.items():
        start = datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1000
        times = [float(e.timestamp) for e in events if isinstance(e.timestamp, int | float)]
        assert len(times) == len(events) > 50
        assert times == sorted(times)
        assert start <= times[0] <= times[-1] < start + 86_400_000


def test_the_gate_refuses_nothing(demo: Days) -> None:
    project = Project(1, **vars(parse_draft(PROJECT, {"sdk": {"pii": "reject"}})), created_at=datetime.now(UTC))
    now = datetime(2026, 7, 1, tzinfo=UTC).timestamp() * 1000
    for events in demo.values():
        batch = admit(Decoded(events, range(len(events))), project, Limits(None, 0, 9, 999), int(now), "", b"0x")
        assert not batch.refused


def test_apps_join_and_leave_and_one_day_is_bad(demo: Days) -> None:
    def apps(day: date) -> int:
        return len({e.actor for e in demo[day]})

    def failing(day: date) -> float:
        counted = {name: sum(e.value or 0 for e in demo[day] if e.event == name) for name in ("wallet_connect_attempts",
                   "wallet_connect_success")}  # fmt: skip
        return 1 - counted["wallet_connect_success"] / counted["wallet_connect_attempts"]

    assert (apps(LAST - timedelta(days=89)), apps(LAST - timedelta(days=38)), apps(LAST)) == (10, 11, 11)
    bad = LAST - timedelta(days=17)
    assert failing(bad) > 0.5
    assert max(failing(day) for day in demo if day != bad) < 0.2
