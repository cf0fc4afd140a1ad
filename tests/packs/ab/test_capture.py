"""`POST /ab/v1/events` through the real application: what apps send, in any spelling, and what is refused."""

import gzip
import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tallymark.errors import UnreadableBody
from tallymark.packs.ab.wire import NAMES, decode
from tests.packs.ab.serving import NOON, Serving
from tests.packs.world import bearer

PATH = "/ab/v1/events"
SPELLINGS: list[dict[str, Any]] = [
    {"eventName": "bought", "userId": "u-1", "occurredAt": NOON.isoformat(), "eventId": "e", "sessionId": "s",
     "properties": {"level": 3}},
    {"event_name": "bought", "user_id": "u-1", "occurred_at": NOON.timestamp(), "event_id": "e", "session_id": "s",
     "props": {"level": 3}},
    {"event": "bought", "unitId": "u-1", "timestamp": NOON.timestamp() * 1000, "id": "e", "sessionId": "s",
     "metadata": {"level": 3}},
    {"name": "bought", "deviceId": "u-1", "timestamp": "2028-02-29T13:00:00+01:00", "eventId": "e", "sessionId": "s",
     "level": 3},
]  # fmt: skip


@pytest.mark.parametrize("event", SPELLINGS)
@pytest.mark.parametrize("wrap", [lambda e: e, lambda e: [e], lambda e: {"events": [e]}])
def test_every_spelling_is_the_same_event(serving: Serving, event: dict[str, Any], wrap: Any) -> None:
    answer = serving.post(PATH, wrap({**event, "value": 4.5, "appVersion": "1.2", "platform": "ios"}))
    assert (answer.status_code, answer.json()) == (202, {"success": True, "accepted": 1, "rejected": []})
    serving.send(*({**each, "value": 4.5} for each in SPELLINGS))
    columns = "event, actor, occurred_at, value, session > 0, toString(props.level), toString(props.platform)"
    assert serving.stored(columns) == [
        ("bought", serving.actor("u-1"), NOON.replace(tzinfo=None), 4.5, 1, "3", "ios")
    ]  # fmt: skip


def test_an_envelope_speaks_for_events_that_say_nothing_themselves(serving: Serving) -> None:
    said = {"userId": "u-1", "platform": "ios", "app_version": "7", "sentAt": NOON.isoformat()}
    events = [{"eventName": "a"}, {"eventName": "b", "deviceId": "u-2", "platform": "web", "appVersion": "8"}]
    assert serving.post(PATH, {**said, "events": events}).json()["accepted"] == 2
    assert sorted(serving.stored("event, actor, toString(props.platform), toString(props.appVersion)")) == [
        ("a", serving.actor("u-1"), "ios", "7"), ("b", serving.actor("u-2"), "web", "8")
    ]  # fmt: skip


def test_no_name_of_a_unit_is_stored(serving: Serving) -> None:
    serving.send({"eventName": "a", "userId": "u-77", "deviceId": "d-77", "unit_id": None})
    assert serving.stored("toString(props)") == [("{}",)]


def test_a_resent_event_counts_once(serving: Serving) -> None:
    event = {"eventName": "bought", "userId": "u-1", "eventId": "e-1", "value": 1}
    serving.send(event, event)
    serving.application.clock.now += timedelta(days=1)
    serving.send({**event, "value": 2})
    assert serving.stored("event, value") == [("bought", 1.0)]


@pytest.mark.parametrize(
    ("event", "reason", "named"),
    [
        ("text", "malformed", "object"),
        (None, "malformed", "object"),
        ({}, "missing_event", "event"),
        ({"eventName": ""}, "missing_event", "event"),
        ({"eventName": 7}, "malformed", "eventName"),
        ({"event_name": "a", "occurred_at": "yesterday"}, "bad_timestamp", "occurred_at"),
        ({"eventName": "a", "timestamp": True}, "bad_timestamp", "timestamp"),
        ({"eventName": "a", "timestamp": "2028-02-29T14:00:00Z"}, "in_the_future", "timestamp"),
        ({"eventName": "a", "timestamp": "2020-02-29T14:00:00Z"}, "too_old", "timestamp"),
        ({"eventName": "a", "value": "12"}, "bad_value", "value"),
        ({"eventName": "a", "props": [1]}, "malformed", "properties"),
        ({"eventName": "a", "userId": {"a": 1}}, "malformed", "unit"),
        ({"eventName": "exposure", "experimentId": "a", "variant": "on"}, "malformed", "unitId"),
        ({"eventName": "exposure", "userId": "u", "variant": "on"}, "malformed", "experimentId"),
        ({"eventName": "experiment_exposure", "userId": "u", "experiment": "a"}, "malformed", "variant"),
    ],
)
def test_a_bad_event_is_refused_alone(serving: Serving, event: Any, reason: str, named: str) -> None:
    answer = serving.post(PATH, {"events": [{"eventName": "good"}, event, {"eventName": "good"}]})
    told = answer.json()
    (refused,) = told["rejected"]
    assert (answer.status_code, told["success"], told["accepted"]) == (202, True, 2)
    assert (refused["index"], refused["reason"]) == (1, reason)
    assert named in refused["message"]
    alone = serving.post(PATH, [event])
    assert (alone.status_code, alone.json()["success"], alone.json()["error"]) == (400, False, reason)
    assert len(serving.stored()) == 2


def test_personal_data_is_redacted_and_never_told(serving: Serving) -> None:
    serving.send(
        {"eventName": "a", "userId": "u-1", "properties": {"mail": "ada@example.org"}, "note": "+49 30 901820"}
    )
    ((stored,),) = serving.stored("toString(props)")
    assert "ada@example.org" not in stored
    strict = serving.fresh(pii="reject")
    answer = strict.post(PATH, [{"eventName": "a", "mail": "ada@example.org"}])
    assert (answer.status_code, answer.json()["error"]) == (400, "pii")
    assert "ada" not in answer.text


def test_a_quota_is_kept(serving: Serving) -> None:
    small = serving.fresh(quota=2)
    told = small.post(PATH, [{"eventName": f"e{n}"} for n in range(3)]).json()
    assert (told["accepted"], [each["reason"] for each in told["rejected"]]) == (2, ["quota"])


@pytest.mark.parametrize("body", [b"", b"{", b"7", b'"a"', b'{"events": 7}', b"null"])
def test_a_body_that_is_none(serving: Serving, body: bytes) -> None:
    answer = serving.application.client.post(PATH, content=body, params={"project": serving.name})
    assert (answer.status_code, answer.json()["error"]) == (400, "unreadable_body")


def test_an_empty_batch_is_taken(serving: Serving) -> None:
    answer = serving.post(PATH, {"events": []})
    assert (answer.status_code, answer.json()) == (202, {"success": True, "accepted": 0, "rejected": []})


def test_bodies_may_be_compressed_and_name_their_project(serving: Serving) -> None:
    body = gzip.compress(json.dumps({"project": serving.name, "events": [{"eventName": "a", "userId": 7}]}).encode())
    answer = serving.application.client.post(PATH, content=body, headers={"Content-Encoding": "gzip"})
    assert (answer.status_code, answer.json()["accepted"]) == (202, 1)
    assert serving.stored("actor") == [(serving.actor("7"),)]
    client = serving.application.client
    assert client.post(PATH, json=[{"eventName": "b"}], headers=bearer(serving.keys["ingest"])).status_code == 202
    assert client.post(PATH, json=[{"eventName": "b"}], headers=bearer(serving.keys["read"])).status_code == 403
    assert client.get(PATH).status_code == 405


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
_FIELDS = [name for names in NAMES.values() for name in names] + ["userId", "deviceId", "experimentId", "variant", "x"]
_EVENTS = st.dictionaries(st.sampled_from(_FIELDS), _JSON | st.sampled_from(("exposure", "a")), max_size=6)


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(_EVENTS | _JSON, max_size=4), st.dictionaries(st.sampled_from(_FIELDS), _JSON, max_size=3))
def test_whatever_comes_each_event_is_taken_or_refused(events: list[Any], envelope: dict[str, Any]) -> None:
    sent = decode(json.dumps({**envelope, "events": events}).encode())
    places = [*sent.decoded.places, *(rejection.index for rejection in sent.decoded.rejections)]
    assert sorted(places) == list(range(len(events)))
    assert len(sent.decoded.events) == len(sent.decoded.places)


@settings(max_examples=50)
@given(_JSON)
def test_whatever_comes_is_events_or_said_to_be_none(body: Any) -> None:
    try:
        sent = decode(json.dumps(body).encode())
    except UnreadableBody:
        assert not isinstance(body, list)
    else:
        assert isinstance(body, list | dict)
        assert sent.project is None


def _met(unit: str, experiment: str, at: datetime) -> dict[str, Any]:
    told = {"experiment": experiment, "variant": "blue"}
    return {"event": "experiment_exposure", "userId": unit, "occurredAt": at.isoformat(), "properties": told}


def test_of_exposures_of_a_day_the_earliest_counts_whichever_comes_first(serving: Serving) -> None:
    serving.run("paywall")
    serving.application.clock.now += timedelta(hours=3)
    for hours in (2, 1, 2.5, 2):
        serving.send(_met("u-9", "paywall", NOON + timedelta(hours=hours)))
    assert serving.stored("occurred_at") == [((NOON + timedelta(hours=1)).replace(tzinfo=None),)]


def test_an_exposure_told_of_before_the_start_takes_the_place_of_none(serving: Serving) -> None:
    serving.run("later")
    began = serving.application.clock.now
    serving.application.clock.now += timedelta(minutes=5)
    serving.send(_met("u-9", "later", began - timedelta(minutes=1)), _met("u-9", "later", began))
    assert [at for (at,) in serving.stored("occurred_at")] == [
        (began - timedelta(minutes=minutes)).replace(tzinfo=None) for minutes in (1, 0)
    ]


def test_an_exposure_that_its_sender_named_counts_once_whenever_it_comes_again(serving: Serving) -> None:
    serving.run("paywall")
    named = {key: value for key, value in _met("u-9", "paywall", NOON).items() if key != "occurredAt"}
    for _ in range(2):
        serving.send({**named, "eventId": "row-7"})
        serving.application.clock.now += timedelta(days=1)
    assert serving.stored("occurred_at") == [(NOON.replace(tzinfo=None),)]
