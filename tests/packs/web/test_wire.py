"""The web contract's fields in every spelling, and what an event becomes by them."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallymark.errors import UnreadableBody
from tallymark.ingest.decode import Rejection
from tallymark.ingest.page import page_of
from tallymark.packs.web.address import Surroundings, surroundings
from tallymark.packs.web.form import form_fields
from tallymark.packs.web.web_event import ALIASES, NAMES, WebEvent
from tallymark.packs.web.wire import Sent, decode, decode_form
from tallymark.spec.event import Reason

NOWHERE = Surroundings()
PAGE = surroundings("https://shop.example", "https://shop.example/form", relayed=False)

#: A field of every kind: a value of it, and where it is found afterwards.
FIELDS: dict[str, tuple[Any, str, Any]] = {
    "eventType": ("click", "event", "click"),
    "eventId": ("e-1", "event_id", "e-1"),
    "occurredAt": ("2026-02-01T10:00:00Z", "timestamp", datetime(2026, 2, 1, 10, tzinfo=UTC)),
    "sentAt": ("2026-02-01T10:00:00Z", "sent_at", datetime(2026, 2, 1, 10, tzinfo=UTC)),
    "propertyId": ("shop", "property_id", "shop"),
    "visitorId": ("v", "visitor_id", "v"),
    "anonymousId": ("v", "anonymous_id", "v"),
    "actor": ("v", "actor", "v"),
    "sessionId": ("s", "session_id", "s"),
    "userId": ("u", "user_id", "u"),
    "url": ("https://a.example/b", "url", "https://a.example/b"),
    "path": ("/b", "url", "/b"),
    "referrer": ("https://a.example/", "referrer", "https://a.example/"),
    "title": ("A page", "properties", None),
    "deviceType": ("mobile", "properties", None),
    "trafficSource": ("email", "channel", "email"),
    "utm": ({"source": "nl", "utm_medium": "email", "utmTerm": "é&"}, "url",
            "?utm_source=nl&utm_medium=email&utm_term=%C3%A9%26"),
    **{f"utm{name}": ("x y", "url", f"?utm_{name.lower()}=x%20y")
       for name in ("Source", "Medium", "Campaign", "Term", "Content")},
    **{name: (12, "properties", {name: 12})
       for name in ("engagedTimeMs", "scrollDepthPercent", "fcpMs", "lcpMs", "inpMs", "clsScore", "ttfbMs")},
    **{name: (False, "properties", {name: False}) for name in ("isEntrance", "isExit", "isConversion")},
    "value": (1.5, "value", 1.5),
    "consent": (True, "properties", {"consent": "granted"}),
    "userAgent": ("Mozilla", "user_agent", None),
    "ip": ("192.0.2.1", "ip", None),
    "properties": ({"a": [1]}, "properties", {"a": [1]}),
}  # fmt: skip


def read(body: Any, around: Surroundings = NOWHERE) -> Sent:
    return decode(body if isinstance(body, bytes) else json.dumps(body).encode(), around)


def one(body: Any, around: Surroundings = NOWHERE) -> WebEvent:
    """The event of a body of one."""
    sent = read(body, around)
    assert sent.refused == []
    (event,) = sent.events
    return event


def refused(body: Any) -> Rejection:
    sent = read(body)
    assert list(sent.events) == []
    ((_, rejection),) = sent.refused
    return rejection


def form(body: str) -> WebEvent:
    sent = decode_form(form_fields(body.encode(), "application/x-www-form-urlencoded"), NOWHERE)
    assert sent.refused == []
    return sent.events[0]


def test_every_field_is_tried() -> None:
    inherited = {alias for aliases in ALIASES.values() for alias in aliases}
    assert set(FIELDS) == {*WebEvent.__struct_encode_fields__} - inherited == {field for field, _ in NAMES.values()}


@pytest.mark.parametrize("spelling", NAMES)
@pytest.mark.parametrize("beside", [{}, {"plan": "pro"}])
def test_every_spelling_of_every_field(spelling: str, beside: dict[str, str]) -> None:
    """As a known spelling alone, and beside an unknown field, which takes the slow way."""
    value, attribute, expected = FIELDS[NAMES[spelling][0]]
    event = one({spelling: value, **beside})
    if attribute == "properties":
        expected = {**beside, **(expected or {})} or None
        assert event.properties == expected
    else:
        assert getattr(event, attribute) == expected
        assert event.properties == (beside or None)


def test_unknown_fields_become_properties_and_known_ones_given_twice_too() -> None:
    event = one({"eventType": "a", "type": "b", "plan": "pro", "nothing": None, "properties": {"plan": "free"}})
    assert (event.event, event.properties) == ("a", {"type": "b", "plan": "free"})
    assert one({"eventType": "a", "event": "b"}).properties == {"event": "b"}
    assert one({"eventType": None, "type": "b"}).event == "b"
    assert one({"type": "a", "": 1}).properties == {"": 1}


@pytest.mark.parametrize("name", ["page_view", "pageview", "page-view", "PageView", "pageView", "Page View"])
def test_spellings_of_a_page_view(name: str) -> None:
    assert one({"eventType": name}).event == "page_view"


@pytest.mark.parametrize("name", ["click", "form_start", "Sign-Up", "pageviews", "", "x" * 500])
def test_other_names_stay(name: str) -> None:
    assert one({"eventType": name}).event == name
    assert one({"eventType": "form-submit"}).event == "form_submit"


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("eventType", 5, Reason.MALFORMED), ("visitor_id", 5, Reason.MALFORMED), ("url", [], Reason.MALFORMED),
        ("payload", "text", Reason.MALFORMED), ("isExit", "true", Reason.MALFORMED), ("is_exit", 1, Reason.MALFORMED),
        ("utm", {"source": 5}, Reason.MALFORMED), ("utm", "x", Reason.MALFORMED), ("consent", 5, Reason.MALFORMED),
        ("consent", "perhaps", Reason.MALFORMED), ("consent", {"analytics": []}, Reason.MALFORMED),
        ("trafficSource", "smoke signals", Reason.MALFORMED), ("timestamp", "soon", Reason.BAD_TIMESTAMP),
        ("occurredAt", [], Reason.BAD_TIMESTAMP), ("sent_at", "", Reason.BAD_TIMESTAMP),
        ("value", "much", Reason.BAD_VALUE), ("ttfb_ms", "5", Reason.BAD_VALUE), ("clsScore", -0.1, Reason.BAD_VALUE),
        ("engagedTimeMs", -1, Reason.BAD_VALUE), ("lcpMs", 1e10, Reason.BAD_VALUE),
    ],
)  # fmt: skip
def test_a_wrong_type_refuses_that_event_alone(field: str, value: Any, reason: Reason) -> None:
    sent = read([{"eventType": "good"}, {"eventType": "x", "propertyId": "p", field: value}, {"type": "good"}])
    assert ([e.event for e in sent.events], list(sent.places)) == (["good", "good"], [0, 2])
    ((meant, rejection),) = sent.refused
    assert (meant, rejection.index, rejection.reason) == ("p", 1, reason)
    assert f"`{field}" in rejection.message.replace("$.", "")
    assert rejection.message.endswith(".")
    assert "smoke" not in rejection.message


@pytest.mark.parametrize("event", [5, None, "x", [], [[]]])
def test_an_event_is_an_object(event: Any) -> None:
    sent = read([event, {"type": "good"}])
    assert [(r.index, r.reason) for _, r in sent.refused] == [(0, Reason.MALFORMED)]
    assert [e.event for e in sent.events] == ["good"]


@pytest.mark.parametrize("body", [b"", b"{", b"5", b"null", b'"x"', b"\xff", b'{"events": 5}', b"[" * 100_000])
def test_unreadable(body: bytes) -> None:
    with pytest.raises(UnreadableBody):
        read(body)


def test_half_an_emoji_is_mended() -> None:
    assert one(b'{"eventType": "x", "plan": "a\\ud83d"}').properties == {"plan": "a?"}


def test_an_envelopes_fields_are_those_of_its_events() -> None:
    sent = read({"sentAt": 5, "events": [{"type": "a"}, {"type": "b", "sentAt": 6}]})
    assert [e.sent_at for e in sent.events] == [5, 6]
    shared = {"property_id": "p", "type": "a", "plan": "pro", "sentAt": 5}
    sent = read({**shared, "events": [{}, {"propertyId": "q", "event": "b", "plan": "free"}, 5]})
    told = [(e.property_id, e.event, e.sent_at, e.properties) for e in sent.events]
    assert told == [("p", "a", 5, {"plan": "pro"}), ("q", "b", 5, {"plan": "free"})]
    assert [r.index for _, r in sent.refused] == [2]


@pytest.mark.parametrize("time", ["2026-02-01", "2026-02-01 00:00", "2026-02-01T00:00", "20260201", 1769904000])
def test_times_in_other_forms(time: Any) -> None:
    at = one({"type": "x", "occurredAt": time}).timestamp
    seconds = at.replace(tzinfo=UTC).timestamp() if isinstance(at, datetime) else at
    assert seconds == 1769904000


@pytest.mark.parametrize(
    ("said", "kept"),
    [(True, "granted"), (False, "denied"), ("granted", "granted"), ("Denied ", "denied"), ("unknown", None),
     ({"analytics": False, "marketing": True}, "denied"), ({"analytics": "granted"}, "granted"), ({}, None)],
)  # fmt: skip
def test_consent(said: Any, kept: str | None) -> None:
    ids = {"visitorId": "v", "userId": "u", "actor": "a", "anonymousId": "n", "sessionId": "s"}
    event = one({"type": "x", "consent": said, **ids})
    assert event.properties == ({"consent": kept} if kept else None)
    left = {event.visitor_id, event.user_id, event.actor, event.anonymous_id, event.session_id}
    assert left == ({None} if kept == "denied" else {"v", "u", "a", "n", "s"})


def test_only_a_relay_speaks_for_others() -> None:
    said = {"type": "x", "ip": "192.0.2.1", "userAgent": "Mozilla"}
    relayed = one(said, Surroundings(relayed=True))
    assert (relayed.ip, relayed.user_agent) == ("192.0.2.1", "Mozilla")
    assert (one(said).ip, one(said).user_agent) == (None, None)


@pytest.mark.parametrize(
    ("said", "url"),
    [
        ({}, "https://shop.example/form"),
        ({"path": "/a?b=c"}, "https://shop.example/a?b=c"),
        ({"path": "a"}, "https://shop.example/a"),
        ({"path": "//evil.example/a"}, "https://shop.example/evil.example/a"),
        ({"path": "https://b.example/a"}, "https://b.example/a"),
        ({"path": "/a", "url": "https://b.example/c"}, "https://b.example/c"),
        ({"url": "/c"}, "https://shop.example/c"),
        ({"url": "//b.example/c"}, "//b.example/c"),
        ({"utmSource": "nl"}, "https://shop.example/form?utm_source=nl"),
        ({"utmSource": "nl", "url": "https://b.example/?utm_source=x#y"},
         "https://b.example/?utm_source=x&utm_source=nl"),
        ({"utm": {"source": ""}, "url": "https://b.example/?utm_source=x#y"}, "https://b.example/?utm_source=x#y"),
    ],
)  # fmt: skip
def test_the_page(said: dict[str, Any], url: str) -> None:
    assert one({"type": "x", **said}, PAGE).url == url


def test_without_any_page_there_is_none() -> None:
    assert one({"type": "x"}).url is None
    assert one({"type": "x"}, surroundings("null", "android-app://a", relayed=False)).url is None
    assert (
        one({"type": "x", "path": "/a"}, surroundings("null", "https://b.example/", False)).url == "https://b.example/a"
    )


LONG = st.text(max_size=3_000)


@given(source=st.text(min_size=1, max_size=300).filter(str.strip), query=LONG, path=LONG)
def test_the_bodys_campaign_wins_however_long_the_address(source: str, query: str, path: str) -> None:
    url = f"https://b.example/{path.replace('#', '').replace('?', '')}?utm_source=own&a={query}"
    page = page_of(one({"type": "x", "url": url, "utm": {"source": source}}).url or "")
    assert page.source == source[:256].strip().encode("utf-8", "replace").decode()
    assert len(one({"type": "x", "url": url, "utm": {"source": source}}).url or "") <= 2_048


def test_a_form_is_an_event_of_texts() -> None:
    event = form(
        "eventType=FormSubmit&form=newsletter&engagedTimeMs=1200&value=9.5&isConversion=on&is_exit=0&consent=true"
        "&visitorId=v&occurredAt=1769904000&clsScore=&topic=a&topic=b&empty=&utm_source=nl&path=%2Fa&value=8"
    )
    assert (event.event, event.value, event.timestamp, event.visitor_id) == ("form_submit", 8, 1769904000, "v")
    assert event.url == "/a?utm_source=nl"
    assert event.properties == {
        "form": "newsletter", "engagedTimeMs": 1200, "isConversion": True, "isExit": False, "consent": "granted",
        "topic": ["a", "b"], "empty": "",
    }  # fmt: skip


def test_properties_of_a_form_may_be_json_and_are_texts_else() -> None:
    assert form('type=x&properties={"a":1}').properties == {"a": 1}
    assert form("type=x&data=mine&payload=[1]").properties == {"data": "mine", "payload": "[1]"}


@pytest.mark.parametrize(
    ("body", "reason"),
    [("type=x&value=much", "bad_value"), ("type=x&value=", ""), ("type=x&lcpMs=nan", "bad_value"),
     ("type=x&lcpMs=inf", "bad_value"), ("type=x&isExit=perhaps", "malformed"), ("type=x&sentAt=soon", "bad_timestamp"),
     ("type=x&utm=a", "malformed"), ("type=x&consent=huh", "malformed")],
)  # fmt: skip
def test_a_form_that_says_what_cannot_be(body: str, reason: str) -> None:
    sent = decode_form(form_fields(body.encode(), "application/x-www-form-urlencoded"), NOWHERE)
    assert [str(r.reason) for _, r in sent.refused] == ([reason] if reason else [])


def part(name: str, text: str, more: str = "") -> bytes:
    return f'--B\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n{text}\r\n'.encode()


def test_a_multipart_form_without_its_files() -> None:
    body = part("eventType", "click") + part("é", "a\r\nb") + part("cv", "secret", '; filename="cv.txt"') + b"--B--\r\n"
    event = decode_form(form_fields(body, "multipart/form-data; boundary=B"), NOWHERE).events[0]
    assert (event.event, event.properties) == ("click", {"é": "a\r\nb"})


@pytest.mark.parametrize(
    ("body", "kind"),
    [(b"", "multipart/form-data; boundary=B"), (b"--B\r\n", "multipart/form-data; boundary=B"),
     (part("a", "b") + b"--B--", "multipart/form-data"), (b"a=\xff", "application/x-www-form-urlencoded"),
     (part("a", "b").replace(b"b\r", b"\xff\r") + b"--B--", "multipart/form-data; boundary=B"),
     (b"a=1&" * 1_001, "application/x-www-form-urlencoded"),
     (part("a", "b") * 1_001 + b"--B--", "multipart/form-data; boundary=B")],
)  # fmt: skip
def test_a_form_that_cannot_be_read(body: bytes, kind: str) -> None:
    with pytest.raises(UnreadableBody):
        form_fields(body, kind)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(-1e300, 1e300) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)  # fmt: skip


@given(
    st.lists(st.dictionaries(st.sampled_from(sorted(NAMES)) | st.text(max_size=5), JSON, max_size=6) | JSON, max_size=4)
)
def test_any_json_is_taken_or_refused_event_by_event(events: list[Any]) -> None:
    sent = read(events, PAGE)
    places = sorted([*sent.places, *(r.index for _, r in sent.refused)])
    assert places == list(range(len(events)))
