"""What arrives at a server, and how: lanes, batches, compression, keys, signatures."""

import hashlib
import hmac
import threading
from datetime import UTC, datetime
from typing import Any

from tests.client.clients import Make
from tests.client.stub import PATIENCE, Reply, Stub

HOUR = 3_600.0  # of a batch that does not go because of its age


def test_an_event_says_what_the_call_says(make: Make) -> None:
    with Stub() as stub:
        driven = make(stub.url, key="tm_ingest_1", project="shop")
        before = datetime.now(UTC)
        driven.client.track("order", actor="u-9", value=49.5, properties={"plan": "pro"}, session="s", url="/x")
        assert driven.flush()
        (request,) = stub.received
    assert request.target == "/v1/events?project=shop"
    assert request.headers["Authorization"] == "Bearer tm_ingest_1"
    (event,) = request.json
    assert len(event.pop("eventId")) == 32
    assert before <= datetime.fromisoformat(event.pop("timestamp")) <= datetime.now(UTC)
    assert event == {
        "event": "order", "actor": "u-9", "value": 49.5, "properties": {"plan": "pro"}, "sessionId": "s", "url": "/x",
    }  # fmt: skip


def test_what_is_given_of_identity_and_time_stays(make: Make) -> None:
    naive = datetime(2026, 11, 21, 12)
    with Stub() as stub:
        driven = make(stub.url)
        driven.client.track("order", event_id="order-1", timestamp=1_764_000_000)
        driven.client.track("order", event_id="order-2", timestamp=naive)
        driven.client.capture("web", {"eventType": "page_view", "id": "v-1", "occurred_at": "2026-11-21"})
        assert driven.flush()
        first, second, third = stub.events
    assert (first["eventId"], first["timestamp"]) == ("order-1", 1_764_000_000)
    assert datetime.fromisoformat(second["timestamp"]) == naive.astimezone()
    assert third == {"eventType": "page_view", "id": "v-1", "occurred_at": "2026-11-21"}


def test_each_kind_goes_its_own_way(make: Make) -> None:
    with Stub() as stub:
        driven = make(stub.url, project="p", batch_seconds=HOUR)
        client = driven.client
        client.page_view("https://a.example/", visitor="v", referrer="https://b.example/")
        client.web_event("signup", is_conversion=True)
        client.count({"connects": 2}, network="devnet", app="0f", sdk_version="0.3.0")
        client.count({"connects": 1}, network="devnet")
        client.exposure("u-1", "checkout", "green")
        client.app_event("purchase", unit="u-1", value=4.99)
        client.voice_query("q-1", store="s-1", transcript="where is it", confidence=0.9)
        client.voice_outcome("q-1", success=True, total_ms=812)
        client.quiz_started("algebra", attempt="a-1", user="u-1")
        client.question_answered("algebra", "q3", attempt="a-1", answer="B", correct=True, time_ms=900)
        client.quiz_submitted("algebra", attempt="a-1", score=8, max_score=10)
        client.quiz_abandoned("algebra", attempt="a-2")
        assert driven.flush()
        told = {(request.target, _shape(request.json)) for request in stub.received}
        events = [_named(event) for event in stub.events]
    assert told == {
        ("/web/v1/events?propertyId=p", 2), ("/sdk/api/v1/events?project=p", "one"), ("/ab/v1/events?project=p", 2),
        ("/voice/ingest?project=p", 2), ("/quiz/events?project=p", 4),
    }  # fmt: skip
    assert len(stub.received) == 6
    assert {"eventType": "voice_query", "queryId": "q-1", "storeId": "s-1", "transcript": "where is it",
            "confidence": 0.9} in events  # fmt: skip
    assert {"eventType": "voice_outcome", "queryId": "q-1", "success": True, "totalMs": 812} in events
    assert {"event": "question_answered", "quizId": "algebra", "attemptId": "a-1", "questionId": "q3", "answer": "B",
            "correct": True, "timeMs": 900} in events  # fmt: skip
    assert {"event": "quiz_submitted", "quizId": "algebra", "attemptId": "a-1", "score": 8, "maxScore": 10} in events
    assert {"eventName": "exposure", "unitId": "u-1", "experimentId": "checkout", "variant": "green"} in events
    assert {"sdkVersion": "0.3.0", "network": "devnet", "metrics": {"connects": 2}, "appIdHash": "0f"} in events
    assert {"eventType": "page_view", "url": "https://a.example/", "visitorId": "v",
            "referrer": "https://b.example/"} in events  # fmt: skip


def _shape(said: Any) -> int | str:
    return len(said) if isinstance(said, list) else "one"


def _named(event: dict[str, Any]) -> dict[str, Any]:
    """An event without the identity and the time that every one has; a query's or attempt's id is its identity."""
    stamps = {"eventId", "idempotencyKey"} & event.keys()
    times = {"timestamp", "occurredAt"} & event.keys()
    assert (len(stamps | ({"queryId", "attemptId"} & event.keys())), len(times)) == (1, 1)
    return {name: value for name, value in event.items() if name not in stamps | times}


def test_a_batch_goes_by_count(make: Make) -> None:
    with Stub() as stub:
        driven = make(stub.url, batch_events=3, batch_seconds=HOUR)
        for n in range(7):
            driven.client.track("e", value=n)
        assert [len(request.json) for request in stub.wait_for(2)] == [3, 3]
        assert driven.flush()
        assert [len(request.json) for request in stub.received] == [3, 3, 1]
    assert [event["value"] for event in stub.events] == list(range(7))


def test_a_batch_goes_by_bytes(make: Make) -> None:
    text = "x" * 1_000
    with Stub() as stub:
        driven = make(stub.url, batch_bytes=5_000, batch_seconds=HOUR)
        for _ in range(10):
            driven.client.track("e", properties={"text": text})
        stub.wait_for(2)
        assert driven.flush()
    assert len(stub.events) == 10
    assert all(2_000 < len(request.body) <= 5_000 for request in stub.received[:2])


def test_a_batch_goes_by_time(make: Make) -> None:
    with Stub() as stub:
        driven = make(stub.url, batch_seconds=0.05)
        driven.client.track("e")
        assert len(stub.wait_for(1)[0].json) == 1
        driven.flush()
        assert driven.stats.accepted == 1


def test_a_body_is_compressed_where_that_gains(make: Make) -> None:
    with Stub() as stub:
        driven = make(stub.url)
        driven.client.track("small")
        assert driven.flush()
        driven.client.track("large", properties={"text": "x" * 5_000})
        assert driven.flush()
        small, large = stub.received
    assert "Content-Encoding" not in small.headers
    assert large.headers["Content-Encoding"] == "gzip"
    assert int(large.headers["Content-Length"]) < 1_000 < len(large.body)


def test_each_attempt_is_signed_anew_over_what_is_plain(make: Make) -> None:
    with Stub(Reply(503, headers={"Retry-After": "1"})) as stub:
        driven = make(f"{stub.url}/", project="a b", signing_secret="hush")
        driven.client.track("e", properties={"text": "ü" * 2_000})
        assert driven.flush()
        signed = [(request.headers["X-Tallymark-Signature"], request) for request in stub.received]
    assert len(signed) == 2
    moments = []
    for signature, request in signed:
        fields = dict(part.split("=") for part in signature.split(","))
        said = f"{fields['t']}.POST {request.target}.".encode() + request.body
        assert fields["v1"] == hmac.new(b"hush", said, hashlib.sha256).hexdigest()
        moments.append(int(fields["t"]))
    assert moments[0] < moments[1]


def test_no_two_attempts_within_a_second_are_signed_alike(make: Make) -> None:
    with Stub(*[Reply(502)] * 4) as stub:
        driven = make(stub.url, signing_secret="hush")
        driven.client.track("e")
        assert driven.flush()
        signatures = {request.headers["X-Tallymark-Signature"] for request in stub.received}
    assert len(signatures) == 5


def test_nothing_is_signed_without_a_secret(make: Make) -> None:
    with Stub() as stub:
        driven = make(stub.url)
        driven.client.track("e")
        assert driven.flush()
    assert not {"X-Tallymark-Signature", "Authorization"} & stub.received[0].headers.keys()


def test_what_is_changed_after_the_call_is_not_sent(make: Make) -> None:
    properties = {"n": 1}
    with Stub() as stub:
        driven = make(stub.url, batch_seconds=HOUR)
        driven.client.track("e", properties=properties)
        properties["n"] = 2
        assert driven.flush()
    assert stub.events[0]["properties"] == {"n": 1}


def test_what_json_knows_is_sent(make: Make) -> None:
    at = datetime(2026, 11, 21, 12, tzinfo=UTC)
    with Stub() as stub:
        driven = make(stub.url)
        driven.client.track(
            "e", properties={"at": at, "list": (1, 2), "deep": {"a": [None, True]}, "nan": float("nan")}
        )
        assert driven.flush()
    assert stub.events[0]["properties"] == {
        "at": "2026-11-21T12:00:00Z", "list": [1, 2], "deep": {"a": [None, True]}, "nan": None,
    }  # fmt: skip


def test_flush_waits_for_what_was_recorded_before_it_and_no_longer(make: Make) -> None:
    released = threading.Event()
    with Stub(Reply(), Reply(after=released)) as stub:
        driven = make(stub.url, batch_events=1)
        driven.client.track("first")
        assert driven.flush()
        driven.client.track("second")
        stub.wait_for(2)
        assert not driven.flush(0.05)
        released.set()
        assert driven.flush(PATIENCE)


def test_a_flush_of_nothing_is_done(make: Make) -> None:
    assert make("http://127.0.0.1:9").flush(0)
