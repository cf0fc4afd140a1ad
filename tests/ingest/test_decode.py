"""Bodies become events; a bad event is refused alone, a body that can't be parsed as a whole."""

from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallymark.errors import UnreadableBody
from tallymark.ingest.decode import WireEvent, decode
from tallymark.spec.event import Reason

A, B = b'{"event":"a"}', b'{"event":"b","visitorId":"v"}'
SENT = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("body", "ndjson"),
    [
        (b"[" + A + b"," + B + b"]", False),
        (b' \n[ {"event":"a"} , ' + B + b" ] ", False),
        (b'{"events":[' + A + b"," + B + b"]}", False),
        (A + b"\n" + B, True),
        (A + b"\r\n\n" + B + b"\n", True),
    ],
)
def test_every_way_to_send_two_events(body: bytes, ndjson: bool) -> None:
    decoded = decode(body, ndjson)
    assert [e.event for e in decoded.events] == ["a", "b"]
    assert list(decoded.places) == [0, 1]
    assert decoded.rejections == []


def test_an_event_alone_is_a_body() -> None:
    (event,) = decode(B).events
    assert (event.event, event.visitor_id, event.properties) == ("b", "v", None)


def test_nothing_is_sent() -> None:
    assert list(decode(b"[]").events) == list(decode(b'{"events":[]}').events) == list(decode(b"", True).events) == []


@pytest.mark.parametrize(
    ("bad", "reason", "says"),
    [
        (b'{"event":1}', Reason.MALFORMED, "$.event"),
        (b'{"event":"a","colour":"red"}', Reason.MALFORMED, "Fields are event, timestamp"),
        (b'{"event":"a","timestamp":"yesterday"}', Reason.BAD_TIMESTAMP, "ISO 8601"),
        (b'{"event":"a","sentAt":{}}', Reason.BAD_TIMESTAMP, "ISO 8601"),
        (b'{"event":"a","value":"12"}', Reason.BAD_VALUE, "finite number"),
        (b'{"event":"a","properties":[1]}', Reason.MALFORMED, "$.properties"),
        (b'"a"', Reason.MALFORMED, "object"),
    ],
)
def test_a_bad_event_is_refused_alone(bad: bytes, reason: Reason, says: str) -> None:
    for body in (b"[" + A + b"," + bad + b"," + B + b"]", b'{"events":[' + A + b"," + bad + b"," + B + b"]}"):
        decoded = decode(body)
        assert [e.event for e in decoded.events] == ["a", "b"]
        assert list(decoded.places) == [0, 2]
        (rejection,) = decoded.rejections
        assert (rejection.index, rejection.reason) == (1, reason)
        assert says in rejection.message


def test_a_line_that_is_no_json_is_refused_alone() -> None:
    decoded = decode(A + b"\n{oops\n\n" + B, ndjson=True)
    assert (list(decoded.places), [r.index for r in decoded.rejections]) == ([0, 2], [1])


def test_a_refusal_never_repeats_what_was_sent() -> None:
    (rejection,) = decode(b'[{"event":"a","value":"anna@example.org"}]').rejections
    assert "anna" not in rejection.message


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[", b"null", b"12", b'{"events":1}', b'[{"event":"a"}', b"\xff\xfe", b"[" * 100_000]
)
def test_a_body_that_is_no_json_is_refused_whole(body: bytes) -> None:
    with pytest.raises(UnreadableBody):
        decode(body)


def test_a_half_of_a_character_is_no_reason_to_refuse_anything() -> None:
    (event,) = decode(b'[{"event":"a","properties":{"text":"cut \\ud83d"}}]').events
    assert event.properties == {"text": "cut ?"}


@pytest.mark.parametrize("bad", [b"", b',{"event":1}'])
def test_an_envelopes_sent_at_is_that_of_its_events_unless_they_say_otherwise(bad: bytes) -> None:
    body = b'{"sentAt":"2026-01-01T00:00:00Z","events":[{"event":"a"},{"sentAt":5,"event":"b"}' + bad + b"]}"
    first, second = decode(body).events
    assert (first.sent_at, second.sent_at) == (SENT, 5)


wire = st.builds(
    WireEvent, event=st.text(min_size=1), visitor_id=st.none() | st.text(), value=st.none() | st.floats(-1e9, 1e9),
    properties=st.none() | st.dictionaries(st.text(), st.text() | st.integers(-(2**63), 2**63) | st.booleans()),
)  # fmt: skip


@given(st.lists(wire, max_size=5))
def test_what_is_encoded_is_decoded(events: list[WireEvent]) -> None:
    assert list(decode(msgspec.json.encode(events)).events) == events
    assert list(decode(msgspec.json.encode({"events": events})).events) == events
    assert list(decode(b"\n".join(map(msgspec.json.encode, events)), ndjson=True).events) == events


@given(st.binary(max_size=200))
def test_no_bytes_are_a_surprise(body: bytes) -> None:
    for ndjson in (False, True):
        try:
            decoded = decode(body, ndjson)
        except UnreadableBody:
            continue
        assert len(decoded.events) == len(decoded.places)
