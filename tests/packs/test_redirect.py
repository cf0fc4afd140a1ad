"""Where a form's sender is sent back to: never to a page of anyone else."""

from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallymark.packs.redirect import Target, origin_of, requested_in, target_of

SHOP = "https://shop.example"
FORM = f"{SHOP}/contact?a=b"
LISTED = "https://thanks.example:8443"


def to(requested: str | None, origin: str = SHOP, referer: str = FORM, allowed: tuple[str, ...] = (LISTED,)) -> Target:
    return target_of(requested, origin, referer, allowed)


@pytest.mark.parametrize(
    ("requested", "location"),
    [
        ("/thanks", f"{SHOP}/thanks"),
        ("/", f"{SHOP}/"),
        ("/danke-schön?a=%20b#c", f"{SHOP}/danke-sch%C3%B6n?a=%20b#c"),
        ("/a?next=https://evil.example", f"{SHOP}/a?next=https://evil.example"),
        (f"{SHOP}/thanks", f"{SHOP}/thanks"),
        (SHOP, SHOP),
        ("https://shop.example:443/a", "https://shop.example:443/a"),
        ("HTTPS://Shop.Example?a", "HTTPS://Shop.Example?a"),
        (f"{LISTED}/a", f"{LISTED}/a"),
        ("https://thanks.example:08443/a", "https://thanks.example:08443/a"),
        (None, FORM),
        ("", FORM),
    ],
)
def test_pages_of_its_own_and_of_listed_origins(requested: str | None, location: str) -> None:
    assert to(requested) == Target(location)


TRICKS = (
    "https://evil.example", "http://shop.example/", "https://shop.example:444/", "https://thanks.example/",
    "//evil.example", "///evil.example", "////evil.example", "/\\evil.example", "\\\\evil.example", "\\/evil.example",
    "/\\/evil.example", "/a\\b", "https:evil.example", "https:/evil.example", "https:///evil.example",
    "https:\\\\evil.example", "https://shop.example\\@evil.example", "https://shop.example\\.evil.example",
    "https://shop.example@evil.example", "https://shop.example:443@evil.example", "https://a:b@shop.example/",
    "https://@shop.example/", "https://shop.example%40evil.example", "https://shop.example%2f@evil.example",
    "https://shop.example.evil.example", "https://evil.example/shop.example", "https://evil.example?shop.example",
    "https://evil.example#https://shop.example", "https://shop.example.", "https://shop.example:/", "https://shop",
    "https://shop.example:99999/", "https://shop.example:443x/", "https://shop.example:-1/",
    "https://shop.example:٤٤٣/", "javascript:alert(1)", "JavaScript:alert(1)", "java\tscript:alert(1)",
    "\x01javascript:alert(1)", "data:text/html,x", "vbscript:x", "file:///etc/passwd", "ftp://shop.example/",
    "blob:https://shop.example/x", "about:blank", "mailto:a@b", "view-source:https://shop.example/",
    "intent://shop.example/", "\thttps://evil.example", " //evil.example", "\t//evil.example", "/\t/evil.example",
    "/\n/evil.example", "/\r\nLocation: https://evil.example", "/a\x00", "/a b", "/\x0b/evil.example", "/\u00a0/evil",
    "/\u2028/evil", "https://shop。example/", "https://shop.example\uff0f@evil.example", "https://\u0455hop.example/",
    "https://shop.example\u3002evil.example", "https://\uff53hop.example/", "\uff0f\uff0fevil.example",
    "https://evil.example\u2044.shop.example", "https://[::1]/", "https://shop.example[", "https://", "https:", "?a",
    "#a", "thanks", "./thanks", "../thanks", "null", "https://*", "https://*.example", "\ud800", "/\ud800",
    "/" + "a" * 2_048,
)  # fmt: skip


@pytest.mark.parametrize("requested", TRICKS)
def test_nowhere_else(requested: str) -> None:
    assert to(requested) == Target(refused=True, allowed=(SHOP, LISTED, "/path"))


def test_what_is_told_of_a_refusal() -> None:
    told = to("https://evil.example").told()
    assert told == {"error": "redirect_not_allowed", "allowed": [SHOP, LISTED, "/path"]}


def test_the_page_is_told_by_the_origin_or_else_by_the_referer() -> None:
    assert to("/a", origin="").location == f"{SHOP}/a"
    assert to("/a", origin="null").location == f"{SHOP}/a"
    assert to("/a", origin=LISTED).location == f"{LISTED}/a"
    assert to("/a", origin="", referer="").refused
    assert to("/a", origin="null", referer="about:blank").refused
    assert to("null", origin="null", referer="").refused


def test_without_a_page_to_go_to_there_is_none() -> None:
    assert to(None, referer="") == Target()
    assert to(None, referer="javascript:alert(1)") == Target()
    assert to(None, referer="https://evil.example/a") == Target()
    assert to(None, origin="", referer="https://a.example/b") == Target("https://a.example/b")
    assert to(f"{LISTED}/a", origin="", referer="") == Target(f"{LISTED}/a")


def test_a_star_lists_nobody() -> None:
    assert to("https://evil.example", allowed=("*", "https://*.example", "null", "")).refused
    assert to(f"{SHOP}/a", allowed=("*",)).location == f"{SHOP}/a"


def test_a_listed_origin_may_be_written_with_its_port() -> None:
    assert to("https://b.example/", allowed=("https://b.example:443",)).location == "https://b.example/"


def test_the_field_is_taken_out_whatever_it_is_called() -> None:
    for name in ("redirect", "_redirect", "redirectTo", "redirect_to", "next"):
        fields = {name: "/a", "b": "c"}
        assert requested_in(fields) == "/a"
        assert fields == {"b": "c"}
    both: dict[str, object] = {"redirect": "", "next": "/b", "_redirect": ["/c"]}
    assert requested_in(both) == "/b"
    assert both == {}


def _browser_origin(location: str) -> tuple[str, str | None, int | None]:
    """Scheme, host and port by the standard library, after what the URL standard has browsers do to the text."""
    text = location.strip("".join(map(chr, range(33)))).translate(str.maketrans("\\", "/", "\t\r\n"))
    parts = urlsplit(urljoin(f"{SHOP}/contact", text))
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


ALLOWED = {("https", "shop.example", 443), ("https", "thanks.example", 8443)}
PIECES = st.sampled_from(
    ["https:", "http:", "javascript:", "/", "//", "\\", "@", ":", "?", "#", ".", "%2f", "%40", "shop.example",
     "thanks.example", "evil.example", "8443", "443", "\t", "\n",
     " ", "\x00", "a", "é", "。", "\uff0f", "user", "[", "]", "::1", ";", "&", "="],
)  # fmt: skip


@given(st.lists(PIECES, max_size=9).map("".join) | st.sampled_from(TRICKS) | st.text())
def test_an_independent_judge_agrees(requested: str) -> None:
    location = to(requested or "x").location
    if location is None:
        return
    assert _browser_origin(location) in ALLOWED
    assert urlsplit(location).username is None
    assert location.isascii()
    assert not set(location) & set('\\\r\n\t\x00 <>"')


@given(st.from_regex(r"/[a-zA-Z0-9_.~-][a-zA-Z0-9/_.~%?=&-]{0,40}", fullmatch=True))
def test_ordinary_paths_are_kept_as_they_are(path: str) -> None:
    assert to(path).location == SHOP + path
    assert to(SHOP + path).location == SHOP + path


@given(
    st.sampled_from(["http", "https"]),
    st.from_regex(r"[a-z0-9-]{1,9}(\.[a-z]{2,5})?", fullmatch=True),
    st.integers(1, 65_535),
)
def test_origins_are_written_as_browsers_do(scheme: str, host: str, port: int) -> None:
    standard = {"http": 80, "https": 443}[scheme]
    expected = f"{scheme}://{host}" if port == standard else f"{scheme}://{host}:{port}"
    assert origin_of(f"{scheme.upper()}://{host.upper()}:{port}/a") == expected
