"""The demo's game: always the same, taken as it is, and with experiments in it."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest

from tallymark.engine.base import Engine
from tallymark.ingest.decode import Decoded, WireEvent
from tallymark.ingest.gate import Limits, admit
from tallymark.jobs import demo as demos
from tallymark.packs.ab.demo import PROJECT, TRIALS, days, seed_experiments
from tallymark.spec.project import Project, parse_draft
from tests.packs.ab.game import NOON, TODAY
from tests.packs.world import Application, application

LAST = date(2026, 6, 30)
Days = dict[date, list[WireEvent]]


@pytest.fixture(scope="module")
def demo() -> Days:
    return dict(days(LAST))


def _at(event: WireEvent) -> float:
    assert isinstance(event.timestamp, float)
    return event.timestamp


def test_the_same_arguments_give_the_same_events(demo: Days) -> None:
    again = dict(days(LAST, 3))
    assert again == {day: demo[day] for day in again}
    assert dict(days(LAST, 3, seed=6)) != again


def test_every_event_lies_in_its_day_in_order(demo: Days) -> None:
    assert (len(demo), 50_000 < sum(map(len, demo.values())) < 70_000) == (90, True)
    for day, events in demo.items():
        start = datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1000
        times = [_at(event) for event in events]
        assert times == sorted(times)
        assert start <= times[0] <= times[-1] < start + 86_400_000
        assert len({event.event_id for event in events}) == len(events)


def test_the_gate_refuses_nothing(demo: Days) -> None:
    project = Project(1, **vars(parse_draft(PROJECT, {"ab": {}})), created_at=datetime.now(UTC))
    now = datetime(2026, 7, 1, tzinfo=UTC).timestamp() * 1000
    for events in demo.values():
        batch = admit(Decoded(events, range(len(events))), project, Limits(None, 0, 9, 999), int(now), "", b"")
        assert not batch.refused


def test_players_meet_one_variant_when_they_open_the_app_first(demo: Days) -> None:
    events = [event for of_day in demo.values() for event in of_day]
    met = defaultdict(list)
    for event in events:
        if event.event == "experiment_exposure" and event.properties:
            met[event.properties["experiment"]].append((event.actor, event.properties["variant"], _at(event)))
    assert met.keys() == {trial.draft.key for trial in TRIALS}
    for trial in TRIALS:
        units = {unit: (variant, at) for unit, variant, at in met[trial.draft.key]}
        assert len(units) == len(met[trial.draft.key]) > 500
        counts = [sum(variant == each.key for variant, _ in units.values()) for each in trial.draft.variants]
        assert min(counts) / max(counts) > 0.8
        began, ended = (_midnight(ago) for ago in (trial.since, -1 if trial.until is None else trial.until))
        opened = [e for e in events if e.event == "app_open" and began <= _at(e) < ended]
        first = {event.actor: _at(event) for event in reversed(opened)}
        assert {unit: at + 1 for unit, (_, at) in units.items()} == first


def _midnight(ago: int) -> float:
    day = LAST - timedelta(days=ago)
    return datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1000


def test_one_experiment_has_an_effect(demo: Days) -> None:
    def completed(variant: str, trial_key: str, since: int, until: int) -> float:
        units = {e.actor for of in demo.values() for e in of if (e.properties or {}).get("experiment") == trial_key
                 and (e.properties or {}).get("variant") == variant}  # fmt: skip
        played = [e for day, of in demo.items() if until < (LAST - day).days <= since for e in of if e.actor in units]
        return sum(e.event == "level_complete" for e in played) / sum(e.event == "level_start" for e in played)

    short, gold = TRIALS
    assert 0.03 < completed("short", short.draft.key, 39, -1) - completed("control", short.draft.key, 39, -1) < 0.07
    difference = completed("gold", gold.draft.key, 79, 54) - completed("control", gold.draft.key, 79, 54)
    assert abs(difference) < 0.02


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, engine: Engine) -> Iterator[Application]:
    with application(tmp_path_factory.mktemp("demo"), engine, NOON) as found:
        yield found


def test_it_is_made_through_the_pipeline_of_any_other_event(running: Application) -> None:
    sample = demos.Sample(PROJECT, days, seed_experiments)
    demo = demos.Demo(running.here, running.client.app.state.packs, 5, [sample])
    for _ in range(2):
        keys = demo.prepare(NOON, lambda *_: None)
    project, sent = running.project("demo-ab"), [event for _, of in days(TODAY, 5) for event in of]
    there = [event for event in sent if _at(event) <= NOON.timestamp() * 1000]
    (row,) = running.here.engine.query(
        "SELECT count(), countIf(has(variants, 'short-tutorial/short')), countIf(event = 'experiment_exposure') "
        "FROM events FINAL WHERE project = {project:UInt32}",
        {"project": project.id},
    )
    met = {e.actor: (e.properties or {}, _at(e)) for e in there if e.event == "experiment_exposure"}
    short = [
        e for e in there
        if e.actor in met and met[e.actor][0]["variant"] == "short" and met[e.actor][1] <= _at(e)
    ]  # fmt: skip
    assert tuple(row) == (len(there), len(short), len(met))
    experiments = {each.key: each for each in running.here.experiments.all(project.id)}
    assert [experiments[key].status for key in ("short-tutorial", "gold-shop")] == ["running", "stopped"]
    assert str(experiments["gold-shop"].stopped_at)[:10] == str(TODAY - timedelta(days=54))
    asked = {"project": "demo-ab", "experiment_id": "short-tutorial"}
    told = running.client.get("/ab/v1/metrics/funnels", params=asked, headers={"x-api-key": keys["demo-ab"]["read"]})
    assert {row["variant"] for row in told.json()["rows"]} == {"control", "short"}
