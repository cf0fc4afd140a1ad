"""Lines of access logs, and the kinds of requests."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallymark.ingest.access_log import REQUEST_KINDS, LogLine, kind, parse_line

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
STAMP = "[17/May/2015:10:05:03 +0000]"
NOON_MS = 1431857103000


def parsed(line: str) -> LogLine:
    found = parse_line(line)
    assert found is not None
    return found


def request(target: str = "/", *, method: str = "GET", status: int = 200, agent: str = FIREFOX) -> LogLine:
    return parsed(f'192.0.2.1 - - {STAMP} "{method} {target} HTTP/1.1" {status} 5 "-" "{agent}"')


def test_a_combined_line_gives_every_field() -> None:
    line = f'192.0.2.1 - ann {STAMP} "GET /a?b=c HTTP/1.1" 200 203023 "http://x.example/" "{FIREFOX}"'
    assert parse_line(line) == LogLine(
        "192.0.2.1", "ann", NOON_MS, "GET", "/a?b=c", "HTTP/1.1", 200, 203023, "http://x.example/", FIREFOX
    )


def test_the_time_is_what_its_offset_says() -> None:
    for text, hours in (("+0530", 5.5), ("-0800", -8), ("+0000", 0)):
        line = f'192.0.2.1 - - [29/Feb/2024:23:59:59 {text}] "GET / HTTP/1.1" 200 1'
        zone = timezone(timedelta(hours=hours))
        assert parsed(line).time == datetime(2024, 2, 29, 23, 59, 59, tzinfo=zone).timestamp() * 1000


def test_a_common_line_has_neither_referrer_nor_agent() -> None:
    line = parsed(f'192.0.2.1 - - {STAMP} "GET / HTTP/1.0" 304 -')
    assert (line.status, line.size, line.referrer, line.user_agent) == (304, None, "", None)
    assert kind(line) == "page"


def test_dashes_are_nothing() -> None:
    line = parsed(f'192.0.2.1 - - {STAMP} "-" 408 - "-" "-"')
    assert (line.user, line.method, line.target, line.protocol) == ("", "", "", "")
    assert (line.size, line.referrer, line.user_agent) == (None, "", "")


@pytest.mark.parametrize(
    ("written", "method", "target", "protocol"),
    [
        ("GET /x HTTP/2.0", "GET", "/x", "HTTP/2.0"),
        ("GET /x", "GET", "/x", ""),
        ("GET /a b HTTP/1.1", "GET", "/a b", "HTTP/1.1"),
        ("M-SEARCH * HTTP/1.1", "M-SEARCH", "*", "HTTP/1.1"),
        (r"GET /?q=\"a\" HTTP/1.1", "GET", '/?q="a"', "HTTP/1.1"),
        (r"GET /?q=\x22a\x22 HTTP/1.1", "GET", '/?q="a"', "HTTP/1.1"),
        (r"\x16\x03\x01", "", "\x16\x03\x01", ""),
        ("hello there", "", "hello there", ""),
        ("", "", "", ""),
        ("-", "", "", ""),
    ],
)
def test_a_request_is_read_as_far_as_it_is_one(written: str, method: str, target: str, protocol: str) -> None:
    line = parsed(f'192.0.2.1 - - {STAMP} "{written}" 400 0 "-" "-"')
    assert (line.method, line.target, line.protocol) == (method, target, protocol)


def test_escapes_are_undone() -> None:
    line = parsed(rf'192.0.2.1 - - {STAMP} "GET / HTTP/1.1" 200 1 "http://x/\"\\" "a\tb \xc3\xa9 \xff \\x41"')
    assert line.referrer == 'http://x/"\\'
    assert line.user_agent == "a\tb é � \\x41"


@pytest.mark.parametrize("ip", ["2001:db8::7", "::1", "192.0.2.7", "host.example.net"])
def test_the_first_field_is_the_address(ip: str) -> None:
    assert parsed(f'{ip} - - {STAMP} "GET / HTTP/1.1" 200 1 "-" "-"').ip == ip


@pytest.mark.parametrize("host", ["shop.example", "shop.example:443", "*"])
def test_a_virtual_host_may_stand_first(host: str) -> None:
    for ip in ("192.0.2.7", "2001:db8::7"):
        line = parsed(f'{host} {ip} - ann {STAMP} "GET / HTTP/1.1" 200 1 "-" "-"')
        assert (line.ip, line.user) == (ip, "ann")


def test_a_user_may_have_spaces() -> None:
    assert parsed(f'192.0.2.7 - Ann van Dam {STAMP} "GET / HTTP/1.1" 200 1').user == "Ann van Dam"


@pytest.mark.parametrize("more", ["", " 0.013", ' "10.0.0.1" rt=0.1', "\n", "\r\n", ' "-" "a\\"b"'])
def test_fields_may_follow(more: str) -> None:
    line = parsed(f'192.0.2.7 - - {STAMP} "GET / HTTP/1.1" 200 1 "-" "{FIREFOX}"{more}')
    assert (line.status, line.user_agent) == (200, FIREFOX)


def test_a_line_cut_within_the_agent_keeps_it() -> None:
    assert parsed(f'192.0.2.7 - - {STAMP} "GET / HTTP/1.1" 200 1 "-" "Mozilla/4.0 (comp').user_agent == (
        "Mozilla/4.0 (comp"
    )


@pytest.mark.parametrize(
    "line",
    [
        "",
        "\n",
        "not a log line",
        f"192.0.2.7 - - {STAMP} GET / HTTP/1.1 200 1",
        f'192.0.2.7 - - {STAMP} "GET / HTTP/1.1" 2000 1',
        f'192.0.2.7 - - {STAMP} "GET / HTTP/1.1" - 1',
        '192.0.2.7 - - [31/Feb/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 1',
        '192.0.2.7 - - [17/Foo/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 1',
        '192.0.2.7 - - [17/May/2015:25:05:03 +0000] "GET / HTTP/1.1" 200 1',
        '192.0.2.7 - - [2015-05-17T10:05:03Z] "GET / HTTP/1.1" 200 1',
        '{"ip": "192.0.2.7"}',
    ],
)
def test_what_is_no_line_is_none(line: str) -> None:
    assert parse_line(line) is None


@given(st.text())
def test_any_text_is_a_line_or_none(text: str) -> None:
    assert parse_line(text) is None
    line = parse_line(f'192.0.2.7 - - {STAMP} "{text}" 200 1 "{text}" "{text}"')
    assert line is None or kind(line) in REQUEST_KINDS


def apache_escaped(text: str) -> str:
    """The text as Apache writes it between quotes."""
    named = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
    plain = {chr(code) for code in range(0x20, 0x7F)} - set(named)
    coded = (named.get(char) or "".join(f"\\x{byte:02x}" for byte in char.encode()) for char in text)
    return "".join(char if char in plain else code for char, code in zip(text, coded, strict=True))


@given(st.text(st.characters(exclude_categories=["Cs"])), st.datetimes(min_value=datetime(1970, 1, 1)))
def test_what_a_server_escapes_comes_back(text: str, moment: datetime) -> None:
    stamp = f"{moment.day:02}/{'JanFebMarAprMayJunJulAugSepOctNovDec'[moment.month * 3 - 3 : moment.month * 3]}/"
    stamp += f"{moment.year:04}:{moment:%H:%M:%S} +0000"
    line = parsed(f'192.0.2.7 - - [{stamp}] "GET / HTTP/1.1" 200 1 "r{apache_escaped(text)}" "a"')
    assert line.referrer == f"r{text}"
    assert line.time == int(moment.replace(microsecond=0, tzinfo=UTC).timestamp()) * 1000


@pytest.mark.parametrize(
    "target",
    [
        "/",
        "/about",
        "/about.html",
        "/a.b/c",
        "/blog/2015/05/x.php?id=1",
        "/x?file=a.css",
        "/v1.2",
        "/feedback",
        "/atomic-habits.html",
        "/blog/feed-your-cat",
        "/x.html?utm_medium=feed",
        "http://x.example/",
    ],
)
def test_pages(target: str) -> None:
    assert kind(request(target)) == "page"


@pytest.mark.parametrize(
    "target",
    [
        "/style.css",
        "/a/b.PNG",
        "/app.js?v=3",
        "/favicon.ico",
        "/robots.txt",
        "/sitemap.xml",
        "/f.woff2",
        "/doc.pdf",
        "/x.tar.gz",
        "/manifest.json",
        "/.well-known/security.txt",
        "/.well-known/change-password",
    ],
)
def test_assets(target: str) -> None:
    assert kind(request(target)) == "asset"


@pytest.mark.parametrize(
    "target",
    [
        "/feed",
        "/blog/feed/",
        "/index.xml",
        "/feed.xml",
        "/x.rss",
        "/x.atom",
        "/atom.xml",
        "/?flav=rss20",
        "/feed.json",
        "/blog/tags/puppet?flav=rss20",
        "/?flav=atom",
        "/?a=1&feed=rss2",
        "/x?format=feed",
        "/rss",
        "/feeds/",
    ],
)
def test_feeds(target: str) -> None:
    assert kind(request(target)) == "feed"


def test_bots_are_those_who_say_so_and_those_who_say_nothing() -> None:
    assert kind(request(agent="Googlebot/2.1 (+http://www.google.com/bot.html)")) == "bot"
    assert kind(request(agent="curl/8.5.0")) == "bot"
    assert kind(request(agent="-")) == "bot"


@pytest.mark.parametrize("status", [400, 404, 410, 499, 500, 503, 100, 0])
def test_failed(status: int) -> None:
    line = parsed(f'192.0.2.1 - - {STAMP} "GET /x HTTP/1.1" {status:03} 5 "-" "{FIREFOX}"')
    assert kind(line) == "failed"


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirect(status: int) -> None:
    assert kind(request(status=status)) == "redirect"


def test_not_modified_is_a_view() -> None:
    assert kind(request(status=304)) == "page"
    assert kind(request("/a.css", status=304)) == "asset"


@pytest.mark.parametrize("method", ["HEAD", "POST", "OPTIONS", "PROPFIND"])
def test_not_get(method: str) -> None:
    assert kind(request(method=method)) == "not_get"


def test_the_outcome_goes_before_what_was_asked_for_and_that_before_who_asked() -> None:
    bot = "curl/8.5.0"
    assert kind(request("/a.css", method="HEAD", status=404, agent=bot)) == "not_get"
    assert kind(request("/a.css", status=404, agent=bot)) == "failed"
    assert kind(request("/a.css", status=301, agent=bot)) == "redirect"
    assert kind(request("/feed.xml", agent=bot)) == "feed"
    assert kind(request("/a.css", agent=bot)) == "asset"
    assert kind(request("/a", agent=bot)) == "bot"
