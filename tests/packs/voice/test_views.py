"""`voice_queries`, `voice_outcomes` and `voice_evaluations`: each row is an event as it was sent or judged."""

from collections.abc import Iterator
from datetime import UTC, timedelta
from typing import Any

import pytest

from tallymark.engine.base import Engine
from tallymark.engine.expression import literal
from tallymark.engine.views import define, note
from tallymark.packs import VIEWS
from tallymark.packs.voice.views import COLUMNS
from tallymark.spec.evaluation import SCORES
from tests.packs.voice.assistant import NOON, Assistant, event
from tests.packs.voice.court import Court
from tests.packs.voice.llm import ok, running_llm
from tests.packs.world import ADMIN, application

QUERY = event(
    "query", "q-1", NOON - timedelta(milliseconds=1), user_id="ann", session_id="s", store_id="s-1",
    transcript="wie spät ist's?", intent="time", language="de", confidence=0.5, word_error_rate=0.25,
    recognition_ms=120, total_ms=900.5,
)  # fmt: skip
OUTCOME = event(
    "outcome", "q-1", NOON, store_id="s-1", intent="time", response="Zwölf.", error="", success=False, model="m-1",
    understanding_ms=5, response_ms=80, prompt_tokens=40, completion_tokens=2, cost_usd=0.00012,
)  # fmt: skip


@pytest.fixture(scope="module")
def court(tmp_path_factory: pytest.TempPathFactory, engine: Engine) -> Iterator[Court]:
    """A project with a query, an outcome, what a judge says of both, and an outcome alone that says nothing."""
    with running_llm() as llm:
        settings = {"gemini_url": llm.gemini_url, "gemini_api_key": "g"}
        with application(tmp_path_factory.mktemp("views"), engine, NOON, settle_seconds=0, **settings) as world:
            found = Court(Assistant(world).fresh(), llm)
            found.create("quality", "gemini", inputPrice=2, outputPrice=10)
            llm.otherwise = lambda _: ok("Ja.", ("brief",), safety=5)
            found.assistant.send(QUERY, OUTCOME, event("outcome", None, NOON - timedelta(days=2)))
            found.run()
            yield found


def rows(court: Court, view: str) -> list[dict[str, Any]]:
    """The view's rows of the project as an SQL client gets them, newest first."""
    engine = court.here.engine
    with_views = engine.query("SELECT 1 FROM system.tables WHERE name = {view:String}", {"view": view})
    if not with_views:
        define(engine, VIEWS)
    note(engine, court.here.projects.list)
    columns = [column for column, *_ in engine.query(f"DESCRIBE TABLE {view}")]
    assert tuple(columns) == COLUMNS[view]
    found = engine.query(
        f"SELECT * FROM {view} WHERE project = {literal(court.assistant.name)} ORDER BY created_at DESC, id"
    )
    return [dict(zip(columns, row, strict=True)) for row in found]


def table(court: Court, view: str, **params: Any) -> list[dict[str, Any]]:
    """The rows that the API tells."""
    answer = court.assistant.get(f"/tables/{view}", court.assistant.keys["read"], **params)
    assert (answer.status_code, answer.json()["success"]) == (200, True), answer.text
    told: list[dict[str, Any]] = answer.json()["rows"]
    return told


def test_queries(court: Court) -> None:
    (row,) = rows(court, "voice_queries")
    ((identity, actor, session),) = court.assistant.stored("event_id, actor, session", "event = 'voice_query'")
    assert [int(row.pop(name), 16) for name in ("id", "user_id", "session_id")] == [identity, actor, session]
    assert actor == court.here.receiver.enricher.actor(court.assistant.id, "ann")
    assert row == {
        "project": court.assistant.name, "query_id": "q-1", "store_id": "s-1",
        "transcript": "wie spät ist's?", "intent": "time", "language": "de", "confidence": 0.5,
        "word_error_rate": 0.25, "recognition_ms": 120, "understanding_ms": None, "response_ms": None,
        "total_ms": 900.5, "created_at": (NOON - timedelta(milliseconds=1)).replace(tzinfo=None),
    }  # fmt: skip


def test_outcomes_newest_first_and_what_is_not_said_is_null(court: Court) -> None:
    row, alone = rows(court, "voice_outcomes")
    assert int(row.pop("id"), 16) != int(alone["id"], 16)
    assert row == {
        "project": court.assistant.name, "query_id": "q-1", "session_id": "", "user_id": "", "store_id": "s-1",
        "intent": "time", "response": "Zwölf.", "error": "", "success": False, "model": "m-1", "recognition_ms": None,
        "understanding_ms": 5, "response_ms": 80, "total_ms": None, "prompt_tokens": 40, "completion_tokens": 2,
        "tokens": 42, "cost_usd": 0.00012, "created_at": NOON.replace(tzinfo=None),
    }  # fmt: skip
    empty = {name: value for name, value in alone.items() if name not in ("id", "project", "created_at")}
    assert set(empty.values()) == {"", None}
    assert alone["success"] is None


def test_evaluations(court: Court) -> None:
    (row,) = rows(court, "voice_evaluations")
    ((exchange,),) = court.assistant.stored("lower(hex(event_id))", "event = 'voice_exchange'")
    assert row.pop("id") != exchange
    assert row == {
        "project": court.assistant.name, "query_id": "q-1", "exchange_id": exchange, "store_id": "s-1",
        "intent": "time", "evaluator": "quality@1", "judge": "gemini", "judge_model": "a-model",
        **dict.fromkeys(SCORES, 4), "safety": 5, "rationale": "Ja.", "labels": "brief", "judge_tokens": 120,
        "judge_cost_usd": 0.0004, "created_at": (NOON - timedelta(milliseconds=1)).replace(tzinfo=None),
    }  # fmt: skip


@pytest.mark.parametrize("view", COLUMNS)
def test_the_api_tells_the_rows_of_the_view(court: Court, view: str) -> None:
    expected = [
        {**row, "created_at": f"{row['created_at'].replace(tzinfo=UTC):%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z"}
        for row in rows(court, view)
    ]
    assert table(court, view) == expected
    assert table(court, view, limit=1) == expected[:1]
    assert table(court, view, **{"from": "2028-02-28", "to": "2028-02-29"}) == expected[:1]
    assert table(court, view, **{"from": "2028-02-01", "to": "2028-02-02"}) == []


def test_other_projects_see_nothing_of_it(court: Court) -> None:
    other = Court(court.assistant.fresh(), court.llm)
    for view in COLUMNS:
        assert rows(other, view) == table(other, view) == []


def test_who_may_read_texts(court: Court) -> None:
    assistant, other = court.assistant, court.assistant.fresh()
    for key, status in (
        (assistant.keys["read"], 200), (assistant.keys["admin"], 200), (ADMIN, 200), (None, 401), ("wrong", 401),
        (assistant.keys["ingest"], 403), (other.keys["read"], 403),
    ):  # fmt: skip
        answer = assistant.get("/tables/voice_queries", key)
        assert (answer.status_code, answer.json()["success"]) == (status, status == 200), key


@pytest.mark.parametrize(
    ("table_name", "params", "status", "field"),
    [
        ("voice_exchanges", {}, 404, "table"), ("events", {}, 404, "table"),
        ("voice_queries", {"limit": "0"}, 400, "limit"), ("voice_queries", {"from": "x"}, 400, "from"),
        ("voice_queries", {"store": "s"}, 400, "store"),
        ("voice_queries", {"to": ["2028-02-01", "2028-02-02"]}, 400, "to"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_field(
    court: Court, table_name: str, params: dict[str, Any], status: int, field: str
) -> None:
    answer = court.assistant.get(f"/tables/{table_name}", court.assistant.keys["read"], **params)
    assert (answer.status_code, answer.json()["field"], answer.json()["success"]) == (status, field, False)
