"""From lines of access logs to events: what each kind becomes, and which lines are the same request."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallymark.ingest.decode import decode
from tallymark.ingest.log_events import LogEvents, Occurrences
from tallymark.ingest.user_agent import NO_USER_AGENT, describe

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
BOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
STAMP = "[17/May/2015:10:05:03 +0000]"
TIME_MS = 1431857103000


def line(target: str = "/", *, method: str = "GET", status: int = 200, agent: str = FIREFOX) -> bytes:
    return f'192.0.2.1 - - {STAMP} "{method} {target} HTTP/1.1" {status} 5 "-" "{agent}"\n'.encode()


def events(*lines: bytes, host: str = "") -> list[dict[str, Any]]:
    return [event for _, event in LogEvents(host).read(lines) if event is not None]


def ids(*lines: bytes) -> list[str]:
    return [event["eventId"] for event in events(*lines)]


def test_a_page_is_a_page_view() -> None:
    raw = f'192.0.2.1 - - {STAMP} "GET /a?b=c HTTP/1.1" 200 5 "http://x.example/" "{FIREFOX}"\n'
    (event,) = events(raw.encode(), host="example.org")
    assert event.pop("eventId")
    assert event == {
        "event": "page_view",
        "timestamp": TIME_MS,
        "visitorId": f"192.0.2.1 {FIREFOX}",
        "userAgent": FIREFOX,
        "ip": "192.0.2.1",
        "url": "https://example.org/a?b=c",
        "referrer": "http://x.example/",
        "properties": {"status": 200},
    }


@pytest.mark.parametrize(
    ("raw", "properties"),
    [
        (line("/a.css"), {"kind": "asset", "status": 200, "method": "GET"}),
        (line("/feed/"), {"kind": "feed", "status": 200, "method": "GET"}),
        (line("/a", status=404), {"kind": "failed", "status": 404, "method": "GET"}),
        (line("/a", status=301), {"kind": "redirect", "status": 301, "method": "GET"}),
        (line("/a", method="POST"), {"kind": "not_get", "status": 200, "method": "POST"}),
    ],
)
def test_any_other_request_is_a_request(raw: bytes, properties: dict[str, object]) -> None:
    (event,) = events(raw)
    assert (event["event"], event["properties"]) == ("request", properties)


def test_a_bots_view_is_a_page_view_of_a_bot() -> None:
    (event,) = events(line(agent=BOT))
    assert (event["event"], event["properties"]) == ("page_view", {"status": 200})
    assert describe(event["userAgent"]).bot == "Googlebot"


def test_who_sends_no_user_agent_is_a_bot_if_the_log_has_them() -> None:
    combined, common = line(agent="-"), f'192.0.2.1 - - {STAMP} "GET / HTTP/1.1" 200 5'.encode()
    (told,), (untold,) = events(combined), events(common)
    assert describe(told["userAgent"]).bot == NO_USER_AGENT
    assert "userAgent" not in untold
    assert told["visitorId"] == untold["visitorId"] == "192.0.2.1"


@pytest.mark.parametrize(
    ("target", "url", "absolute"),
    [
        ("/a?b=c", "/a?b=c", "https://example.org/a?b=c"),
        ("//a.example/b", "/a.example/b", "https://example.org/a.example/b"),
        ("http://other.example/x", "http://other.example/x", "http://other.example/x"),
        ("*", None, None),
    ],
)
def test_the_address_is_the_target_on_the_host(target: str, url: str | None, absolute: str | None) -> None:
    assert events(line(target))[0].get("url") == url
    for host in ("example.org", "https://example.org/"):
        assert events(line(target), host=host)[0].get("url") == absolute


def test_a_malformed_line_has_its_number_and_nothing_else() -> None:
    read = list(LogEvents().read([line(), b"\n", b"no line\n", b"\xff\xfe\n", line()]))
    assert [(number, event is None) for number, event in read] == [
        (1, False),
        (3, True),
        (4, True),
        (5, False),
    ]


def test_kinds_are_counted_over_files() -> None:
    log = LogEvents()
    for _ in range(2):
        list(log.read([line(), line("/a.css"), line(agent=BOT), b"no line"]))
    assert log.kinds == {"page": 2, "asset": 2, "bot": 2}


def test_a_file_read_twice_gives_the_same_events() -> None:
    lines = [line(), line("/a"), line()]
    assert events(*lines) == events(*lines)


def test_identical_lines_of_a_file_are_distinct_requests() -> None:
    assert len(set(ids(line(), line(), line("/a"), line()))) == 4


def test_what_two_files_share_is_the_same_request() -> None:
    assert ids(line("/a"), line("/b"))[1] == ids(line("/b"), line("/c"))[0]


def test_the_line_ending_is_no_part_of_a_line() -> None:
    assert ids(line().replace(b"\n", b"\r\n")) == ids(line()) == ids(line().rstrip())


@pytest.mark.parametrize(("remembered", "known"), [(1, False), (2, False), (3, True)])
def test_the_oldest_hour_is_forgotten_when_there_are_too_many_lines(remembered: int, known: bool) -> None:
    occurrences = Occurrences(remembered)
    first = occurrences.identity(b"a", 1)
    occurrences.identity(b"b", 2)
    occurrences.identity(b"c", 3)
    occurrences.identity(b"d", 4)
    assert (occurrences.identity(b"a", 1) != first) is known


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 3))))
def test_identities_are_distinct_and_the_same_again(entries: list[tuple[str, int]]) -> None:
    def identities() -> list[str]:
        occurrences = Occurrences()
        return [occurrences.identity(f"{text}{period}".encode(), period) for text, period in entries]

    assert len(set(identities())) == len(entries)
    assert identities() == identities()


@given(st.lists(st.binary()))
def test_whatever_stands_in_a_file_is_an_event_or_malformed(contents: list[bytes]) -> None:
    odd = [f'192.0.2.1 - - {STAMP} "GET '.encode() + content + b' HTTP/1.1" 200 5' for content in contents]
    read = list(LogEvents("example.org").read(odd + contents))
    assert [number for number, _ in read][: len(odd)] == list(range(1, len(odd) + 1))
    for _, event in read:
        assert event is None or decode(msgspec.json.encode(event)).rejections == []


def test_the_pipeline_takes_the_events() -> None:
    read = events(line(), line("/a.css"), line(agent="-"), host="example.org")
    decoded = decode(b"\n".join(map(msgspec.json.encode, read)), ndjson=True)
    assert (len(decoded.events), decoded.rejections) == (3, [])
