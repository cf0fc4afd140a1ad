"""The demo's voice assistant: always the same, taken as it is, with a story in it, and judged before anybody looks."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from statistics import fmean
from typing import Any

import pytest

from tallymark.engine.base import Engine
from tallymark.ingest.decode import Decoded, WireEvent
from tallymark.ingest.gate import Limits, admit
from tallymark.jobs import demo as demos
from tallymark.packs.voice.demo import PROJECT, days, judge
from tallymark.spec.project import Project, parse_draft
from tests.packs.world import Application, application

LAST = date(2026, 6, 30)
NOON = datetime(2028, 2, 29, 12, tzinfo=UTC)
Days = dict[date, list[WireEvent]]


@pytest.fixture(scope="module")
def demo() -> Days:
    return dict(days(LAST))


def _at(event: WireEvent) -> float:
    assert isinstance(event.timestamp, int | float)
    return float(event.timestamp)


def _said(event: WireEvent) -> Mapping[str, Any]:
    assert event.properties is not None
    return event.properties


def test_the_same_arguments_give_the_same_events(demo: Days) -> None:
    again = dict(days(LAST, 3))
    assert again == {day: demo[day] for day in again}
    assert dict(days(LAST, 3, seed=7)) != again


def test_every_event_lies_in_its_day_in_order(demo: Days) -> None:
    assert (len(demo), 10_000 < sum(map(len, demo.values())) < 12_500) == (90, True)
    for day, events in demo.items():
        start = datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1000
        times = [_at(event) for event in events]
        assert times == sorted(times)
        assert start <= times[0] <= times[-1] < start + 86_400_000
        assert len({event.event_id for event in events}) == len(events)


def test_the_gate_refuses_nothing_and_finds_no_personal_data(demo: Days) -> None:
    project = Project(1, **vars(parse_draft(PROJECT, {"voice": {}})), created_at=datetime.now(UTC))
    now = datetime(2026, 7, 1, tzinfo=UTC).timestamp() * 1000
    limits = Limits(None, 0, 40, 9_999)
    for events in demo.values():
        before = str(events)
        batch = admit(Decoded(events, range(len(events))), project, limits, int(now), "", b"anna@example.org")
        assert (project.pii, dict(batch.refused)) == ("redact", {})
        assert str(batch.events) == before


def _share(events: Iterable[WireEvent], name: str) -> float:
    return fmean(bool(_said(event).get(name)) for event in events)


def test_one_day_is_bad_and_one_model_slower_and_better(demo: Days) -> None:
    bad = LAST - timedelta(days=23)
    outcomes = {day: [e for e in events if e.event == "voice_outcome"] for day, events in demo.items()}
    queries = {day: [e for e in events if e.event == "voice_query"] for day, events in demo.items()}
    assert len(outcomes[bad]) < 0.95 * len(queries[bad])
    assert _share(outcomes[bad], "success") < 0.5
    usual = [event for day, events in outcomes.items() if day != bad for event in events]
    mini, large = ([e for e in usual if _said(e)["model"] == model] for model in ("aria-mini", "aria-large"))
    assert len(large) > 1_000
    assert _share(mini, "success") < _share(large, "success")
    for spent in ("totalMs", "costUsd"):
        assert fmean(_said(e)[spent] for e in mini) * 1.5 < fmean(_said(e)[spent] for e in large)
    assert {_said(e)["language"] for events in queries.values() for e in events} == {"en", "de"}
    sure = fmean(_said(e)["confidence"] for day, events in queries.items() if day != bad for e in events)
    assert 0.04 < sure - _share(usual, "success") < 0.2


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, engine: Engine) -> Iterator[Application]:
    with application(tmp_path_factory.mktemp("demo"), engine, NOON, gemini_api_key="never asked") as found:
        yield found


def test_it_is_joined_and_judged_by_rules_before_anybody_looks(running: Application) -> None:
    sample = demos.Sample(PROJECT, days, finish=judge)
    demo = demos.Demo(running.here, running.client.app.state.packs, 5, [sample])
    for _ in range(2):
        keys = demo.prepare(NOON, lambda *_: None)
    there = [e for _, of in days(NOON.date(), 5) for e in of if _at(e) <= NOON.timestamp() * 1000]
    asked, told = ({_said(e)["queryId"] for e in there if e.event == name} for name in ("voice_query", "voice_outcome"))
    window = {"project": "demo-voice", "from": "2028-02-25", "to": "2028-02-29"}
    key = {"x-api-key": keys["demo-voice"]["read"]}
    summary, quality, short = (
        running.client.get(f"/voice/stats/{page}", params={**window, **more}, headers=key).json()
        for page, more in (("summary", {}), ("quality", {}), ("quality", {"limit": "1"}))
    )
    metrics = {name: metric["value"] for name, metric in summary["metrics"].items()}
    assert min(len(asked), len(told)) > 100
    assert {name: metrics[f"voice_{name}"] for name in ("queries", "outcomes", "exchanges", "evaluations")} == {
        "queries": len(asked), "outcomes": len(told), "exchanges": len(asked | told), "evaluations": len(told),
    }  # fmt: skip
    assert (metrics["voice_unanswered"], metrics["voice_unasked"]) == (len(asked - told), len(told - asked))
    assert len(quality["calibration"]["bands"]) > 3
    assert (short["calibration"], len(short["worst"])) == (quality["calibration"], 1)
    (evaluator,) = running.here.evaluators.all(running.project("demo-voice").id)
    assert (evaluator.name, evaluator.draft.judge) == ("quality@1", "rules")
    assert running.here.evaluations.standing(evaluator.id).counts == {"done": len(told)}
