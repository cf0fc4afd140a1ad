"""Every page of `/voice/stats` says what plain Python makes of what was sent and judged."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pytest

from tallymark.engine.base import Engine
from tallymark.packs.voice.stats_pages import PAGES, Page
from tests.api.sealing import seal
from tests.oracle import Span, agrees, series, window
from tests.packs.voice.assistant import NOON, Assistant, event
from tests.packs.voice.llm import running_llm
from tests.packs.voice.oracle import Row, Where
from tests.packs.voice.scene import ZONE, Scene, play
from tests.packs.world import ADMIN, application

FIRST, LAST = date(2028, 2, 27), date(2028, 2, 29)
DAYS = {"from": str(FIRST), "to": str(LAST)}
BEFORE = (FIRST - timedelta(days=3), FIRST - timedelta(days=1))
BY_NAME = {page.name: page for page in PAGES}


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory, engine: Engine) -> Iterator[Scene]:
    """Conversations of a week, judged."""
    with running_llm() as llm:
        judged_by = {"openai_url": llm.openai_url, "openai_api_key": "k", "eval_requests_per_minute": 0}
        data = tmp_path_factory.mktemp("stats")
        with application(data, engine, NOON, settle_seconds=0, eval_tokens_per_minute=0, **judged_by) as world:
            yield play(Assistant(world).fresh(timezone=ZONE), llm)


@dataclass(frozen=True)
class Told:
    """A page beside the oracle."""

    scene: Scene
    body: Mapping[str, Any]
    page: Page
    where: Where = lambda _: True

    def check(self, first: date, last: date, before: tuple[date, date] | None, zone: str = ZONE, grain: str = "day",
              limit: int = 20) -> None:  # fmt: skip
        """Every number of it is the oracle's."""
        assert set(self.body["metrics"]) == set(self.page.metrics)
        self._window("value", "series", first, last, zone, grain)
        if before:
            self._window("previous", "previousSeries", *before, zone, grain)
        else:
            assert self.body["compareTo"] is None
        assert set(self.body["breakdowns"]) == set(self.page.breakdowns)
        for dimension, metrics in self.page.breakdowns.items():
            self.rows(self.body["breakdowns"][dimension], dimension, metrics, window(first, last, zone), limit)

    def rows(self, rows: Any, dimension: str, metrics: tuple[str, ...], span: Span, limit: int) -> None:
        """The rows of a breakdown are the oracle's, in its order."""
        oracle = self.scene.oracle
        assert [row["key"] for row in rows] == oracle.keys(metrics[0], span, dimension, self.where)[:limit]
        wrong = [
            (dimension, row["key"], name, row[name], expected)
            for row in rows
            for name in metrics
            if not agrees(row[name], expected := oracle.by_key(name, span, dimension, row["key"], self.where))
        ]
        assert wrong == []

    def _window(self, value: str, points: str, first: date, last: date, zone: str, grain: str) -> None:
        oracle, buckets = self.scene.oracle, series(first, last, zone, grain)
        for name, told in self.body["metrics"].items():
            got = [("", told[value]), *((point["t"], point["value"]) for point in told[points])]
            spans = [window(first, last, zone), *buckets]
            assert [label for label, _ in got] == [span.label for span in spans]
            wrong = [(name, label, number, expected) for (label, number), span in zip(got, spans, strict=True)
                     if not agrees(number, expected := oracle.ask(name, span, self.where))]  # fmt: skip
            assert wrong == []


def of(evaluator: str) -> Where:
    """Evaluations of one version."""
    return lambda row: row.text("evaluator") == evaluator


@pytest.mark.parametrize("name", [name for name in BY_NAME if name != "quality"])
def test_a_page_and_the_window_before(scene: Scene, name: str) -> None:
    body = scene.assistant.page(name, **DAYS)
    Told(scene, body, BY_NAME[name]).check(FIRST, LAST, BEFORE)
    assert (body["project"], body["window"]["timezone"]) == (scene.assistant.name, ZONE)
    assert body["freshness"]["rolledUpThrough"] == "2028-02-29"


FILTERS = {"store_id": ("store", "s-1"), "intent": ("intent", "order"), "model": ("model", "m-2"),
           "language": ("language", "de")}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "parameter"), [("summary", "store_id"), ("intents", "intent"), ("latency", "model"), ("cost", "language")]
)
def test_filters(scene: Scene, name: str, parameter: str) -> None:
    dimension, value = FILTERS[parameter]
    body = scene.assistant.page(name, **DAYS, **{parameter: value})
    Told(scene, body, BY_NAME[name], lambda row: row.text(dimension) == value).check(FIRST, LAST, BEFORE)


def test_filters_hold_together_and_rows_are_limited(scene: Scene) -> None:
    body = scene.assistant.page("stores", **DAYS, intent="order", language="en", limit=1, compareTo="none")

    def where(row: Row) -> bool:
        return row.text("intent") == "order" and row.text("language") == "en"

    Told(scene, body, BY_NAME["stores"], where).check(FIRST, LAST, None, limit=1)


def test_another_zone_grain_and_window_to_compare_with(scene: Scene) -> None:
    asked = {**DAYS, "timezone": "Asia/Kolkata", "grain": "week", "compareTo": "2028-02-24..2028-02-25"}
    body = scene.assistant.page("failures", **asked)
    before = (date(2028, 2, 24), date(2028, 2, 25))
    Told(scene, body, BY_NAME["failures"]).check(FIRST, LAST, before, "Asia/Kolkata", "week")
    body = scene.assistant.page("queries", **{"from": "2028-02-29", "to": "2028-02-29", "grain": "hour"})
    Told(scene, body, BY_NAME["queries"]).check(LAST, LAST, (LAST - timedelta(days=1),) * 2, grain="hour")


def test_latencies_by_stage(scene: Scene) -> None:
    body = scene.assistant.page("latency", **DAYS)
    for stage, levels in body["stages"].items():
        for level, told in levels.items():
            assert agrees(told, scene.oracle.ask(f"voice_{stage}_{level}", window(FIRST, LAST, ZONE)))
    assert {stage: list(levels) for stage, levels in body["stages"].items()} == {
        stage: ["p50", "p90", "p95", "p99"] for stage in ("recognition", "understanding", "response", "total")
    }


@pytest.mark.parametrize("evaluator", ["quality@1", "strict@1"])
def test_quality_of_an_evaluator(scene: Scene, evaluator: str) -> None:
    body = scene.assistant.page("quality", **DAYS, evaluator=evaluator)
    assert body["evaluator"] == evaluator
    Told(scene, body, BY_NAME["quality"], of(evaluator)).check(FIRST, LAST, BEFORE)


@pytest.mark.parametrize("limit", [20, 1])
def test_quality_of_the_newest_version_beside_all_others(scene: Scene, limit: int) -> None:
    """However few rows are asked for."""
    body = scene.assistant.page("quality", **DAYS, limit=limit)
    assert body["evaluator"] == "quality@2"
    Told(scene, body, BY_NAME["quality"], of("quality@2")).check(FIRST, LAST, BEFORE, limit=limit)
    span, keys = window(FIRST, LAST, ZONE), {row["key"] for row in body["evaluators"]}
    assert keys == {"quality@1", "quality@2", "strict@1"}
    metrics = tuple(name for name in body["evaluators"][0] if name.startswith("voice_"))
    Told(scene, body, BY_NAME["quality"], lambda row: bool(row.text("evaluator"))).rows(
        body["evaluators"], "evaluator", metrics, span, 20
    )
    calibration, bands = body["calibration"], scene.oracle.bands(span)
    assert [(row["band"], row["outcomes"]) for row in calibration["bands"]] == [
        (b, n) for b, (n, _, _) in bands.items()
    ]
    for row in calibration["bands"]:
        _, confidence, success = bands[row["band"]]
        assert agrees(row["confidence"], confidence)
        assert agrees(row["success"], success)
        assert row["gap"] == pytest.approx(float(confidence - success), abs=2e-6)
    assert calibration["expectedCalibrationError"] == pytest.approx(
        float(scene.oracle.calibration_error(span) or 0), abs=3e-6
    )


def test_quality_of_what_judged_nothing(scene: Scene) -> None:
    unknown = scene.assistant.get("/stats/quality", **DAYS, evaluator="quality@9")
    assert (unknown.status_code, unknown.json()["field"]) == (400, "evaluator")
    assert {"quality@2", "quality@1", "strict@1"} <= set(unknown.json()["allowed"])
    then = {"from": "2028-01-01", "to": "2028-01-02"}
    body = scene.assistant.page("quality", **then, evaluator="quality@1")
    assert (body["evaluator"], body["metrics"]["voice_evaluations"]["value"]) == ("quality@1", 0)
    empty = scene.assistant.page("quality", **{"from": "2028-01-01", "to": "2028-01-02"})
    assert (empty["evaluator"], empty["evaluators"], empty["calibration"]) == (
        None, [], {"bands": [], "expectedCalibrationError": None}
    )  # fmt: skip


def test_texts_are_for_who_shows_a_key(scene: Scene) -> None:
    assistant = scene.assistant
    for name, field in (("queries", "frequent"), ("quality", "worst"), ("failures", "latest")):
        assert assistant.page(name, **DAYS)[field] is None
        for key in (assistant.keys["read"], assistant.keys["admin"], ADMIN):
            assert assistant.page(name, key, **DAYS)[field]


def test_what_is_asked_most(scene: Scene) -> None:
    span = window(FIRST, LAST, ZONE)
    asked: dict[str, list[Row]] = {}
    for row in scene.oracle.within(span):
        if row.name == "voice_query" and not row.bot:
            asked.setdefault(str(row.said["transcript"]).strip().lower(), []).append(row)
    expected = [(text, len(rows), len({row.actor for row in rows})) for text, rows in asked.items()]
    told = scene.assistant.page("queries", scene.assistant.keys["read"], **DAYS, limit=1000)["frequent"]
    assert [tuple(row.values()) for row in told] == sorted(expected, key=lambda row: (-row[1], row[0].encode()))


def test_the_worst_answers_come_first(scene: Scene) -> None:
    span = window(FIRST, LAST, ZONE)
    judged = [row for row in scene.oracle.rows
              if row.text("evaluator") == "quality@2" and span.start <= row.at < span.end]  # fmt: skip
    told = scene.assistant.page("quality", scene.assistant.keys["read"], **DAYS, limit=1000)["worst"]
    overall = [example["evaluation"]["overall"] for example in told]
    assert overall == sorted(row.said["overall"] for row in judged)
    assert {example["evaluation"]["evaluator"] for example in told} == {"quality@2"}
    for example in told:
        assert example["evaluation"]["rationale"] == f"second of {example.get('transcript', '')}".strip()
        assert example["exchangeState"] in ("answered", "unasked")
    times = [(example["evaluation"]["overall"], example["at"]) for example in told]
    assert times == sorted(times, key=lambda pair: (pair[0], [-ord(letter) for letter in pair[1]]))


def test_the_latest_failures(scene: Scene) -> None:
    span = window(FIRST, LAST, ZONE)
    failed = [
        row for row in scene.oracle.rows
        if row.name == "voice_exchange" and not row.bot and span.start <= row.at < span.end
        and (row.said.get("error") or row.said.get("success") is False or row.said.get("fallback")
             or row.said["exchangeState"] == "unanswered")
    ]  # fmt: skip
    told = scene.assistant.page("failures", scene.assistant.keys["read"], **DAYS, limit=1000)["latest"]
    assert sorted(example["queryId"] for example in told) == sorted(row.said["queryId"] for row in failed)
    assert [example["at"] for example in told] == sorted((example["at"] for example in told), reverse=True)
    few = scene.assistant.page("failures", scene.assistant.keys["read"], **DAYS, limit=2, store_id="s-1")["latest"]
    assert few == [example for example in told if example["storeId"] == "s-1"][:2]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"from": "2028-02-30"}, "from"), ({"to": "yesterday"}, "to"),
        ({"from": "2028-02-02", "to": "2028-02-01"}, "from"),
        ({"timezone": "Mars"}, "timezone"), ({"grain": "year"}, "grain"), ({"compareTo": "before"}, "compareTo"),
        ({"limit": "0"}, "limit"), ({"limit": "1001"}, "limit"), ({"limit": "x"}, "limit"),
        ({"store": "s-1"}, "store"),
        ({"intent": ["a", "b"]}, "intent"), ({"evaluator": "quality@1"}, "evaluator"), ({"metrics": "x"}, "metrics"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_field(scene: Scene, given: dict[str, Any], field: str) -> None:
    answer = scene.assistant.get("/stats/summary", **given)
    told = answer.json()
    assert (answer.status_code, told["success"], told["error"], told["field"]) == (400, False, "bad_query", field)
    if field in ("grain", "compareTo", "store", "evaluator", "metrics"):
        assert told["allowed"]


def test_who_may_read(scene: Scene) -> None:
    assistant = scene.assistant
    name, clock = assistant.name, assistant.application.clock.now
    other = assistant.fresh()
    assistant.application.clock.now = clock
    for page in BY_NAME:
        assert assistant.get(f"/stats/{page}", **DAYS).status_code == 200
    for key, status in (("wrong", 401), (assistant.keys["ingest"], 403), (other.keys["read"], 403)):
        answer = assistant.get("/stats/summary", key)
        assert (answer.status_code, answer.json()["success"]) == (status, False)
    assert assistant.get("/stats/summary", project="nowhere").status_code == 404
    assert assistant.get("/stats/summary", other.keys["read"], project=name).status_code == 403
    assert assistant.get("/stats/nothing").status_code == 404


def test_where_numbers_are_keyed_a_key_is_needed(engine: Engine, tmp_path: Any) -> None:
    with application(tmp_path, engine, NOON, voice_stats="keyed") as world:
        assistant = Assistant(world).fresh()
        assert assistant.get("/stats/summary").status_code == 401
        assert assistant.get("/stats/summary", assistant.keys["read"]).status_code == 200
        assert assistant.get("/stats/summary", assistant.keys["read"], project=None).json()["project"] == assistant.name
        assert assistant.get("/stats/summary", assistant.keys["ingest"]).status_code == 403


def test_an_answer_changes_after_something_came(assistant: Assistant) -> None:
    for number in (1, 2):
        assistant.send(event("query", f"q-{number}", success=True), event("outcome", f"q-{number}", total_ms=7))
        for _ in range(2):
            page = assistant.page("summary")
            assert [page["metrics"][f"voice_{name}"]["value"] for name in ("queries", "exchanges")] == [number, number]


def test_days_without_their_events_keep_their_numbers(assistant: Assistant) -> None:
    yesterday = NOON - timedelta(days=1)
    assistant.send(event("query", "q-1", yesterday, transcript="hi"),
                   event("outcome", "q-1", yesterday, success=False, total_ms=99))  # fmt: skip
    before = assistant.page("failures", assistant.keys["read"])
    assert [example["queryId"] for example in before["latest"]] == ["q-1"]
    seal(assistant.application, assistant.name, yesterday.date())
    after = assistant.page("failures", assistant.keys["read"])
    assert (after["metrics"], after["breakdowns"]) == (before["metrics"], before["breakdowns"])
    assert after["latest"] == []
    assert after["freshness"]["sealedDays"] == ["2028-02-28"]
