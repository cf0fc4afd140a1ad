"""`POST /voice/ingest` through the real application: what assistants send, in any spelling, and what is refused."""

import gzip
import json
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tallymark.engine.base import Engine
from tallymark.packs.voice.wire import NAMES, PROPERTIES, band_of
from tests.packs.voice import oracle
from tests.packs.voice.assistant import NOON, PATH, Assistant, event
from tests.packs.voice.oracle import BOT
from tests.packs.world import ADMIN, application, bearer

SNAKE = {
    "event_type": "voice_outcome", "timestamp": NOON.isoformat(), "event_id": "e", "user_id": "u-1",
    "session_id": "s", "query_id": "q-1", "store_id": 7, "transcript": "where is it", "intent": "order",
    "confidence": 0.92, "response": "on its way", "success": True, "is_fallback": False, "error_code": "slow",
    "language": "en", "model": "m-1", "word_error_rate": 0.1, "recognition_ms": 100, "understanding_ms": 20,
    "response_ms": 700.5, "total_ms": 840, "prompt_tokens": 200, "completion_tokens": 40, "cost_usd": 0.002,
}  # fmt: skip
CAMEL = {
    "eventType": "voice_outcome", "occurredAt": NOON.timestamp(), "eventId": "e", "deviceId": "u-1", "sessionId": "s",
    "queryId": "q-1", "storeId": "7", "queryText": "where is it", "intentName": "order", "intentConfidence": 0.92,
    "responseText": "on its way", "success": 1, "isFallback": 0, "errorType": "slow", "locale": "en",
    "modelName": "m-1", "wordErrorRate": 0.1, "recognitionLatencyMs": 100, "understandingLatencyMs": 20,
    "responseLatencyMs": 700.5, "totalLatencyMs": 840, "inputTokens": 200, "outputTokens": 40, "totalTokens": 240,
    "costUsd": 0.002,
}  # fmt: skip
NESTED = {
    "event": "voice_outcome", "timestamp": "2028-02-29T13:00:00+01:00", "event_id": "e", "actor": "u-1",
    "session_id": "s",
    "metadata": {"query_id": "q-1", "storeId": "7", "query": "where is it", "intent_name": "order", "answer":
                 "on its way", "success": True, "fallback": False, "lang": "en", "wer": 0.1, "model": "m-1"},
    "intent_confidence": 0.92, "error": {"code": "slow", "message": "it took long"},
    "latencies": {"recognition": 100, "understanding_ms": 20, "responseLatencyMs": 700.5, "total": 840},
    "input_tokens": 200, "completionTokens": 40, "total_tokens": 240, "cost": 0.002,
}  # fmt: skip
KEPT = {
    "queryId": "q-1", "storeId": "7", "transcript": "where is it", "intent": "order", "confidence": 0.92,
    "confidenceBand": "0.9-1.0", "response": "on its way", "success": True, "fallback": False, "error": "slow",
    "language": "en", "model": "m-1", "wordErrorRate": 0.1, "recognitionMs": 100, "understandingMs": 20,
    "responseMs": 700.5, "totalMs": 840, "promptTokens": 200, "completionTokens": 40, "tokens": 240, "costUsd": 0.002,
}  # fmt: skip


@pytest.mark.parametrize("said", [SNAKE, CAMEL, NESTED], ids=["snake", "camel", "nested"])
@pytest.mark.parametrize(
    "wrap", [lambda e: e, lambda e: [e], lambda e: {"events": [e]}], ids=["one", "array", "envelope"]
)
def test_every_spelling_is_the_same_event(assistant: Assistant, said: dict[str, Any], wrap: Any) -> None:
    answer = assistant.post(wrap(said))
    assert (answer.status_code, answer.json()) == (202, {"success": True, "accepted": 1, "rejected": []})
    assert assistant.said() == [KEPT]
    actor = assistant.here.receiver.enricher.actor(assistant.id, "u-1")
    assert assistant.stored("event, actor, occurred_at, session > 0") == [
        ("voice_outcome", actor, NOON.replace(tzinfo=None), 1)
    ]  # fmt: skip
    assistant.send(SNAKE, CAMEL, NESTED)
    assert len(assistant.stored()) == 1


def test_every_name_of_every_property_is_heard(assistant: Assistant) -> None:
    """At the top, among properties, and within an object of latencies."""
    spelled = [(called, spelling) for called, spellings in PROPERTIES.items() for spelling in spellings]
    values: dict[str, Any] = {**KEPT, "storeId": "7"}
    places = [
        {spelling: values[called]} if at_the_top else {"properties": {spelling: values[called]}}
        for called, spelling in spelled
        for at_the_top in (True, False)
    ]
    assistant.send(*(event("query", None, NOON, event_id=f"e-{n:03}", **said) for n, said in enumerate(places)))
    rows = assistant.here.engine.query(
        "SELECT toJSONString(props) FROM events FINAL WHERE project = {project:UInt32} ORDER BY precedence DESC",
        {"project": assistant.id},
    )
    kept = [json.loads(props) for (props,) in rows]
    expected = [called for called, _ in spelled for _ in range(2)]
    assert [said[called] for said, called in zip(kept, expected, strict=True)] == [values[c] for c in expected]
    assert set().union(*kept) == set(PROPERTIES) | {"confidenceBand"}


def test_names_of_fields_are_heard_and_of_several_the_first_counts(assistant: Assistant) -> None:
    said = {"event_type": "voice_query", "user_id": None, "deviceId": "d", "actor": "a", "total_ms": 5, "latency_ms": 9}
    assistant.send({**said, "properties": {"total_ms": 7}, "latency": {"total": 8}})
    actor = assistant.here.receiver.enricher.actor(assistant.id, "a")
    assert assistant.stored("actor, toString(props.totalMs)") == [(actor, "5")]
    assert {spelling for names in NAMES.values() for spelling in names} >= {"event", "user_id", "deviceId", "metadata"}


def test_an_envelope_speaks_for_events_that_say_nothing_themselves(assistant: Assistant) -> None:
    events = [event("query", "q-1"), event("query", "q-2", storeId="s-2", lang="fr")]
    assistant.send(*events, store_id="s-1", language="de", user_id="u")
    assert sorted(assistant.stored("toString(props.queryId), toString(props.storeId), toString(props.language)")) == [
        ("q-1", "s-1", "de"), ("q-2", "s-2", "fr")
    ]  # fmt: skip


def test_what_is_not_known_is_kept_as_a_property_and_nobody_is_named(assistant: Assistant) -> None:
    assistant.send(event("query", "q-1", user_id="u-77", firmware="1.2", properties={"room": "kitchen", "x": None}))
    assert assistant.said() == [{"queryId": "q-1", "firmware": "1.2", "room": "kitchen"}]


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ({"intent": "Default Fallback Intent"}, {"intent": "Default Fallback Intent", "fallback": True}),
        ({"intent": "UNKNOWN", "fallback": False}, {"intent": "UNKNOWN", "fallback": True}),
        ({"intent": ""}, {}),
        ({"error": True}, {"error": "error"}),
        ({"error": {"type": "asr"}}, {"error": "asr"}),
        ({"error": 503}, {"error": "503"}),
        ({"error": "x" * 300}, {"error": "x" * 200}),
        ({"query_id": 12}, {"queryId": "12"}),
        ({"tokens": 5, "prompt_tokens": 2}, {"tokens": 5, "promptTokens": 2}),
        ({"completion_tokens": 3}, {"tokens": 3, "completionTokens": 3}),
        ({"success": 0}, {"success": False}),
        ({"confidence": 1}, {"confidence": 1, "confidenceBand": "0.9-1.0"}),
        ({"latency": 5}, {"totalMs": 5}),
    ],
)
def test_what_follows_from_what_is_said(assistant: Assistant, said: dict[str, Any], kept: dict[str, Any]) -> None:
    assistant.send(event("outcome", **said))
    assert assistant.said() == [kept]


def test_an_error_that_is_none_counts_as_none(assistant: Assistant) -> None:
    nothing: list[Any] = [False, 0, "", [], {}, None]
    for n, none in enumerate(nothing):
        assistant.send(event("outcome", f"q-{n}", error=none), event("query", f"q-{n}"))
    numbers = assistant.page("failures")["metrics"]
    assert (numbers["voice_errors"]["value"], numbers["voice_error_rate"]["value"]) == (0, 0)


def test_a_confidence_lies_in_its_tenth() -> None:
    hundredths = [n / 100 for n in range(101)]
    assert [band_of(confidence) for confidence in hundredths] == [oracle.band(confidence) for confidence in hundredths]


#: What is wrong with an event, why it is refused, and what the message names.
REFUSED: list[tuple[Any, str, str]] = [
    ("text", "malformed", "object"),
    (None, "malformed", "object"),
    ([], "malformed", "object"),
    ({}, "malformed", "event_type"),
    ({"event_type": "voice_outcome", "latencies": [1]}, "malformed", "latencies"),
    ({"event_type": "voice_outcome", "latency": "5 ms"}, "malformed", "latency"),
    ({"event_type": "voice_evaluated"}, "malformed", "event_type"),
    ({"event_type": "voice_exchange"}, "malformed", "event_type"),
    ({"event_type": "page_view"}, "malformed", "voice_query"),
    ({"event_type": ["voice_query"]}, "malformed", "event_type"),
    (event("query", properties=[1]), "malformed", "properties"),
    (event("query", confidence=1.01), "bad_value", "confidence"),
    (event("query", confidence=-0.01), "bad_value", "confidence"),
    (event("query", confidence="0.5"), "bad_value", "confidence"),
    (event("query", confidence=True), "bad_value", "confidence"),
    (event("query", intentConfidence=10**400), "bad_value", "confidence"),
    (event("query", total_ms=-1), "bad_value", "total_ms"),
    (event("query", total_ms=1.1e12), "bad_value", "total_ms"),
    (event("query", total_ms=10**400), "bad_value", "total_ms"),
    (event("query", latencies={"recognition": -5}), "bad_value", "recognition_ms"),
    (event("query", latencies={"total": "fast"}), "bad_value", "total_ms"),
    (event("query", prompt_tokens={}), "bad_value", "prompt_tokens"),
    (event("query", cost_usd="1"), "bad_value", "cost_usd"),
    (event("query", success="yes"), "malformed", "success"),
    (event("query", fallback=2), "malformed", "fallback"),
    (event("query", success=[]), "malformed", "success"),
    (event("query", transcript=7), "malformed", "transcript"),
    (event("query", answer=["a"]), "malformed", "response"),
    (event("query", intent={"name": "x"}), "malformed", "intent"),
    (event("query", store_id=1.5), "malformed", "store_id"),
    (event("query", "q" * 201), "malformed", "query_id"),
    ({**event("query"), "query_id": True}, "malformed", "query_id"),
    (event("query", user_id={"a": 1}), "malformed", "user_id"),
    ({"event_type": "voice_query", "timestamp": "yesterday"}, "bad_timestamp", "timestamp"),
    ({"event_type": "voice_query", "occurred_at": True}, "bad_timestamp", "occurred_at"),
    (event("query", None, NOON - timedelta(days=31)), "too_old", "timestamp"),
    (event("query", None, NOON + timedelta(hours=2)), "in_the_future", "timestamp"),
    (event("query", note="x" * 70_000), "too_large", "properties"),
    (event("query", properties={f"p{n}": n for n in range(201)}), "too_many_properties", "properties"),
]


def test_a_bad_event_is_refused_by_itself(assistant: Assistant) -> None:
    answer = assistant.post([event("query", "q-1"), *(bad for bad, _, _ in REFUSED), event("outcome", "q-1")])
    told = answer.json()
    assert (answer.status_code, told["success"], told["accepted"]) == (202, True, 2)
    assert [(each["index"], each["reason"]) for each in told["rejected"]] == [
        (place, reason) for place, (_, reason, _) in enumerate(REFUSED, 1)
    ]
    messages = [(each["message"], named) for each, (_, _, named) in zip(told["rejected"], REFUSED, strict=True)]
    assert [(message, named) for message, named in messages if named not in message] == []
    assert len(assistant.stored()) == 2
    assert assistant.refused() == Counter(reason for _, reason, _ in REFUSED)


def test_where_all_is_refused_the_answer_is_an_error(assistant: Assistant) -> None:
    answer = assistant.post(event("query", confidence=2))
    told = answer.json()
    assert (answer.status_code, told["success"], told["error"], told["accepted"]) == (400, False, "bad_value", 0)
    assert "confidence" in told["message"]
    assert assistant.post([]).json() == {"success": True, "accepted": 0, "rejected": []}


@pytest.mark.parametrize(
    "body", [b"", b"{", b"7", b'"voice_query"', b'{"events": {}}', b'{"event_type":"voice_query","confidence":NaN}',
             b'{"event_type":"voice_query","confidence":1e999}', b"\xff\xfe", b"[" * 100_000],
)  # fmt: skip
def test_a_body_that_can_not_be_read(assistant: Assistant, body: bytes) -> None:
    answer = assistant.post(body)
    assert (answer.status_code, answer.json()["success"], answer.json()["error"]) == (400, False, "unreadable_body")
    assert assistant.stored() == []


def test_the_same_event_again_counts_once(assistant: Assistant) -> None:
    query, outcome = event("query", "q-1", user_id="u"), event("outcome", "q-1", user_id="u")
    assistant.send(query, outcome, query)
    assistant.application.clock.now += timedelta(hours=13)
    assistant.send({**query, "transcript": "again"}, outcome)
    assistant.send({"event_type": "voice_query", "query_id": "q-2"})
    assistant.application.clock.now += timedelta(days=1)
    assistant.send({"event_type": "voice_query", "query_id": "q-2"})
    assert [(name, said.get("transcript")) for name, said in zip(
        [row[0] for row in assistant.stored("event")], assistant.said(), strict=True
    )] == [("voice_outcome", None), ("voice_query", None), ("voice_query", None)]  # fmt: skip


def test_one_without_an_id_is_its_content(assistant: Assistant) -> None:
    assistant.send(event("query", transcript="a"), event("query", transcript="a"), event("query", transcript="b"))
    assert sorted(said["transcript"] for said in assistant.said()) == ["a", "b"]


def test_bots_are_marked(assistant: Assistant) -> None:
    assistant.send(event("query", "q-1", user_agent=BOT))
    assert assistant.stored("bot != ''") == [(1,)]
    assert assistant.page("queries")["metrics"]["voice_queries"]["value"] == 0


def test_the_project_is_named_by_body_query_or_key(assistant: Assistant) -> None:
    ingest, other = assistant.keys["ingest"], assistant.fresh()
    ways = [
        assistant.post({**event("query", "q-1"), "project": assistant.name}, project=None),
        assistant.post({"events": [event("query", "q-2")], "project": assistant.name}, project=other.name),
        assistant.post(event("query", "q-3")),
        assistant.post(event("query", "q-4"), key=ingest, project=None),
        assistant.post(event("query", "q-5"), project=None, key=None, headers={"x-api-key": ingest}),
        assistant.application.client.post(PATH, json=event("query", "q-6"), params={"key": ingest}),
    ]
    assert [answer.status_code for answer in ways] == [202] * len(ways)
    assert sorted(said["queryId"] for said in assistant.said()) == [f"q-{n}" for n in range(1, 7)]
    assert other.stored() == []


def test_who_may_not_send(assistant: Assistant) -> None:
    other, (web, keys) = assistant.fresh(), assistant.application.make("web")
    for key, project, status, code in (
        ("nonsense", assistant.name, 401, "unauthorized"),
        (assistant.keys["read"], assistant.name, 403, "forbidden"),
        (other.keys["ingest"], assistant.name, 403, "forbidden"),
        (None, "nowhere", 404, "not_found"),
        (None, web, 404, "not_found"),
        (keys["ingest"], None, 404, "not_found"),
        (None, None, 404, "not_found"),
    ):
        answer = assistant.post(event("query"), key=key, project=project)
        told = answer.json()
        assert (answer.status_code, told["success"], told["error"]) == (status, False, code), (key, project)
        assert told["message"]
    assert assistant.post(event("query"), key=ADMIN).status_code == 202
    assert len(assistant.stored()) == 1


def test_where_it_is_keyed_a_key_is_needed_and_a_default_may_be_named(engine: Engine, tmp_path: Path) -> None:
    with application(tmp_path, engine, NOON, voice_project="mine", voice_capture="keyed") as world:
        _, keys = world.make("voice", name="mine")
        assert world.client.post(PATH, json=event("query")).status_code == 401
        assert world.client.post(PATH, json=event("query"), headers=bearer(keys["ingest"])).status_code == 202
    with application(tmp_path, engine, NOON, voice_project="mine") as world:
        assert world.client.post(PATH, json=event("query")).json()["accepted"] == 1


def test_other_methods_are_not_possible(assistant: Assistant) -> None:
    for method in ("GET", "PUT", "DELETE"):
        answer = assistant.application.client.request(method, PATH)
        assert (answer.status_code, answer.headers["allow"], answer.json()["success"]) == (405, "POST", False)


def test_bodies_may_be_compressed_and_have_a_largest_size(engine: Engine, tmp_path: Path) -> None:
    with application(tmp_path, engine, NOON, max_body_bytes=2_048) as world:
        assistant = Assistant(world).fresh()
        packed = gzip.compress(json.dumps(event("query", "q-1")).encode())
        assert assistant.post(packed, headers={"content-encoding": "gzip"}).status_code == 202
        bomb = gzip.compress(json.dumps(event("query", "q-2", note="x" * 100_000)).encode())
        for body, headers in ((b" " * 2_049, {}), (bomb, {"content-encoding": "gzip"})):
            answer = assistant.post(body, headers=headers)
            assert (answer.status_code, answer.json()["error"], answer.json()["success"]) == (
                413, "body_too_large", False
            )  # fmt: skip
        assert assistant.post(b"x", headers={"content-encoding": "rot13"}).status_code == 400
        assert len(assistant.stored()) == 1


def test_personal_data_is_redacted_in_what_was_said(assistant: Assistant) -> None:
    mail, phone = "ada.lovelace@example.org", "+49 30 901820"
    assistant.send(
        event("query", "q-1", transcript=f"write to {mail}", user_id="u"),
        event("outcome", "q-1", response=f"I'll call {phone}", error=f"no answer of {mail}"),
    )
    assistant.join()
    kept = json.dumps(assistant.said())
    assert (mail in kept, phone in kept, "901820" in kept) == (False, False, False)
    assert "write to " in kept


def test_a_project_may_refuse_it_and_no_answer_repeats_it(assistant: Assistant) -> None:
    strict, mail = assistant.fresh(pii="reject"), "ada.lovelace@example.org"
    wrong = [
        event("query", transcript=mail), event("query", confidence=mail), event("query", success=mail),
        event("query", store_id=[mail]), event("query", mail * 20), {"event_type": mail},
        {"event_type": "voice_query", "timestamp": mail}, event("query", latencies={"total": mail}),
    ]  # fmt: skip
    answer = strict.post(wrong)
    assert [refusal["index"] for refusal in answer.json()["rejected"]] == list(range(len(wrong)))
    assert answer.json()["rejected"][0]["reason"] == "pii"
    assert mail not in answer.text
    assert strict.stored() == []


def test_browsers_of_any_origin_may_send(assistant: Assistant) -> None:
    client, origin = assistant.application.client, "https://kiosk.example"
    asked = {"Origin": origin, "Access-Control-Request-Method": "POST",
             "Access-Control-Request-Headers": "content-type,x-api-key"}  # fmt: skip
    allowed = client.options(PATH, headers=asked)
    assert allowed.is_success
    for answer in (allowed, assistant.post(event("query"), headers={"Origin": origin}),
                   assistant.post(b"{", headers={"Origin": origin})):  # fmt: skip
        assert answer.headers["access-control-allow-origin"] in ("*", origin)


def test_names_of_queries_and_outcomes_count_towards_what_a_project_takes(assistant: Assistant) -> None:
    picky = assistant.fresh(eventNames=["voice_query"])
    answer = picky.post([event("query", "q-1"), event("outcome", "q-1")])
    assert [each["reason"] for each in answer.json()["rejected"]] == ["unknown_name"]
    small = assistant.fresh(quota=1)
    small.send(event("query", "q-1"))
    assert small.post(event("query", "q-2")).json()["error"] == "quota"
