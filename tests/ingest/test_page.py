"""Addresses: host, path and campaign, and nothing else of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallymark.ingest.page import LONGEST, NOWHERE, Page, host_of, page_of


@pytest.mark.parametrize(
    ("url", "page"),
    [
        ("https://www.Example.org/a/b?token=secret#part", Page("example.org", "/a/b")),
        ("https://example.org", Page("example.org", "/")),
        ("https://user:pass@example.org:8443/x", Page("example.org", "/x")),
        ("//cdn.example.org/x", Page("cdn.example.org", "/x")),
        ("/only/path?utm_source=News", Page("", "/only/path", "News")),
        ("/größe/日本", Page("", "/größe/日本")),
        ("https://a.b/?UTM_Source=S&utm_medium=email&utm_campaign=+x+", Page("a.b", "/", "S", "email", "x")),
        ("https://a.b/?ref=friend", Page("a.b", "/", "friend")),
        ("https://a.b/?ref=friend&utm_source=news", Page("a.b", "/", "news")),
        ("https://a.b/x?gclid=123", Page("a.b", "/x", ad_click=True)),
        ("about:blank", Page("", "/")),
        ("https://[broken", NOWHERE),
    ],
)
def test_what_an_address_says(url: str, page: Page) -> None:
    assert page_of(url) == page


@pytest.mark.parametrize(
    ("referrer", "host"),
    [
        ("https://www.google.com/search?q=secret", "google.com"),
        ("http://EXAMPLE.org:80/", "example.org"),
        ("android-app://org.telegram.messenger/", "android-app://org.telegram.messenger"),
        ("google.com", ""),
        ("https://[broken", ""),
    ],
)
def test_the_host_of_a_referrer(referrer: str, host: str) -> None:
    assert host_of(referrer) == host


@given(st.text(max_size=50))
def test_no_text_is_a_surprise_and_no_query_is_kept(text: str) -> None:
    page = page_of(f"https://a.example/p?q={text}#{text}")
    assert (page.host, page.path) == ("a.example", "/p")
    page_of(text)
    host_of(text)


def test_an_endless_address_is_cut() -> None:
    assert len(page_of("https://a.example/" + "x" * 10_000).path) == LONGEST - len("https://a.example")
