"""Channels and names of traffic sources."""

import csv
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallymark.ingest.traffic_source import CHANNELS, Source, classify

OWN = "www.shop.example"


def from_referrer(host: str) -> Source:
    return classify(host, OWN, "", "", False)


def from_tags(source: str, medium: str, *, click: bool = False, referrer: str = "") -> Source:
    return classify(referrer, OWN, source, medium, click)


@pytest.mark.parametrize(
    ("host", "channel", "name"),
    [
        ("google.com", "organic_search", "Google"),
        ("google.co.uk", "organic_search", "Google"),
        ("www.google.de", "organic_search", "Google"),
        ("google.com.br", "organic_search", "Google"),
        ("images.google.com", "organic_search", "Google"),
        ("WWW.Google.COM.", "organic_search", "Google"),
        ("www.google.com:443", "organic_search", "Google"),
        ("www.bing.com", "organic_search", "Bing"),
        ("duckduckgo.com", "organic_search", "DuckDuckGo"),
        ("search.yahoo.co.jp", "organic_search", "Yahoo"),
        ("r.search.yahoo.com", "organic_search", "Yahoo"),
        ("yandex.com.tr", "organic_search", "Yandex"),
        ("www.baidu.com", "organic_search", "Baidu"),
        ("search.brave.com", "organic_search", "Brave Search"),
        ("mail.google.com", "email", "Gmail"),
        ("mail.yahoo.co.jp", "email", "Yahoo Mail"),
        ("outlook.live.com", "email", "Outlook"),
        ("e.mail.ru", "email", "Mail.ru Mail"),
        ("gemini.google.com", "ai_assistant", "Gemini"),
        ("chatgpt.com", "ai_assistant", "ChatGPT"),
        ("chat.openai.com", "ai_assistant", "ChatGPT"),
        ("www.perplexity.ai", "ai_assistant", "Perplexity"),
        ("claude.ai", "ai_assistant", "Claude"),
        ("copilot.microsoft.com", "ai_assistant", "Copilot"),
        ("chat.deepseek.com", "ai_assistant", "DeepSeek"),
        ("l.facebook.com", "social", "Facebook"),
        ("m.facebook.com", "social", "Facebook"),
        ("t.co", "social", "X"),
        ("old.reddit.com", "social", "Reddit"),
        ("news.ycombinator.com", "social", "Hacker News"),
        ("www.pinterest.co.uk", "social", "Pinterest"),
        ("lnkd.in", "social", "LinkedIn"),
        ("m.youtube.com", "video", "YouTube"),
        ("youtu.be", "video", "YouTube"),
        ("docs.google.com", "referral", "Google Docs"),
        ("googleads.g.doubleclick.net", "display", "Google Ads"),
        ("www.awin1.com", "affiliate", "Awin"),
        ("news.example.org", "referral", "news.example.org"),
        ("www.example.org", "referral", "example.org"),
    ],
)
def test_a_referrer_has_its_channel_and_name(host: str, channel: str, name: str) -> None:
    assert from_referrer(host) == Source(channel, name)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("app", "channel", "name"),
    [
        ("android-app://com.google.android.gm/", "email", "Gmail"),
        ("android-app://com.google.android.googlequicksearchbox", "organic_search", "Google"),
        ("android-app://com.google.android.youtube", "video", "YouTube"),
        ("android-app://com.reddit.frontpage/", "social", "Reddit"),
        ("android-app://com.linkedin.android", "social", "LinkedIn"),
        ("android-app://org.telegram.messenger", "social", "Telegram"),
        ("android-app://com.zhiliaoapp.musically", "social", "TikTok"),
        ("android-app://com.openai.chatgpt", "ai_assistant", "ChatGPT"),
        ("android-app://org.example.reader", "referral", "reader.example.org"),
    ],
)
def test_an_android_app_is_a_referrer(app: str, channel: str, name: str) -> None:
    assert from_referrer(app) == Source(channel, name)  # type: ignore[arg-type]


@pytest.mark.parametrize("host", ["google.com.evil.com", "notgoogle.com", "google.evil.org", "google", "com", "[::1]"])
def test_what_only_looks_like_a_known_host_is_a_referral(host: str) -> None:
    assert from_referrer(host) == Source("referral", host)


@pytest.mark.parametrize("host", ["shop.example", "www.shop.example", "SHOP.example:8080"])
def test_the_own_host_is_internal(host: str) -> None:
    assert from_referrer(host) == Source("internal", "")


def test_another_subdomain_is_a_referral() -> None:
    assert from_referrer("blog.shop.example").channel == "referral"


def test_an_empty_own_host_makes_nothing_internal() -> None:
    assert classify("", "", "", "", False) == Source("direct", "")
    assert classify("a.example", "", "", "", False).channel == "referral"


def test_nothing_at_all_is_direct() -> None:
    assert from_referrer("") == Source("direct", "")
    assert from_referrer(" ") == Source("direct", "")


@pytest.mark.parametrize(
    ("source", "medium", "channel", "name"),
    [
        ("google", "cpc", "paid_search", "Google"),
        ("Google", "PPC", "paid_search", "Google"),
        ("bing", "paidsearch", "paid_search", "Bing"),
        ("partner", "cpc", "paid_search", "partner"),
        ("facebook", "cpc", "paid_social", "Facebook"),
        ("fb", "paid-social", "paid_social", "Facebook"),
        ("linkedin.com", "paid", "paid_social", "LinkedIn"),
        ("youtube", "cpv", "video", "YouTube"),
        ("facebook", "", "social", "Facebook"),
        ("facebook", "social", "social", "Facebook"),
        ("spring-sale", "social", "social", "spring-sale"),
        ("taboola", "cpc", "display", "Taboola"),
        ("somewhere", "banner", "display", "somewhere"),
        ("google", "display", "display", "Google"),
        ("google", "cpm", "display", "Google"),
        ("blogger", "affiliate", "affiliate", "blogger"),
        ("mailchimp", "", "email", "Mailchimp"),
        ("newsletter", "", "email", "newsletter"),
        ("june-issue", "email", "email", "june-issue"),
        ("june-issue", "E-Mail", "email", "june-issue"),
        ("onesignal", "webpush", "push", "onesignal"),
        ("app", "mobile-notification", "push", "app"),
        ("vendor", "video", "video", "vendor"),
        ("google", "organic", "organic_search", "Google"),
        ("partner", "referral", "referral", "partner"),
        ("chatgpt.com", "", "ai_assistant", "ChatGPT"),
        ("www.google.co.uk", "", "organic_search", "Google"),
        ("github", "readme", "referral", "GitHub"),
        ("Spring Sale", "flyer", "other_campaign", "Spring Sale"),
        ("Spring Sale", "", "other_campaign", "Spring Sale"),
    ],
)
def test_tags_say_the_channel(source: str, medium: str, channel: str, name: str) -> None:
    assert from_tags(source, medium) == Source(channel, name)  # type: ignore[arg-type]


def test_tags_outweigh_the_referrer_and_the_own_host() -> None:
    assert from_tags("newsletter", "email", referrer="www.google.com").channel == "email"
    assert from_tags("spring", "", referrer="facebook.com") == Source("other_campaign", "spring")
    assert from_tags("spring", "", referrer=OWN).channel == "other_campaign"


def test_a_medium_without_a_source_is_about_the_referrer() -> None:
    assert from_tags("", "cpc", referrer="www.google.com") == Source("paid_search", "Google")
    assert from_tags("", "cpc", referrer="m.facebook.com") == Source("paid_social", "Facebook")
    assert from_tags("", "email") == Source("email", "")
    assert from_tags("", "flyer", referrer="a.example") == Source("other_campaign", "a.example")


def test_an_ad_click_id_is_paid() -> None:
    assert from_tags("", "", click=True, referrer="www.google.com") == Source("paid_search", "Google")
    assert from_tags("", "", click=True, referrer="l.instagram.com") == Source("paid_social", "Instagram")
    assert from_tags("", "", click=True) == Source("paid_search", "")
    assert from_tags("google", "organic", click=True).channel == "paid_search"


def test_every_row_of_the_table_is_sound() -> None:
    text = (files("tallymark.ingest") / "data" / "sources.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    assert all(set(row) == {"host", "name", "channel", "aliases"} and row["name"] for row in rows)
    assert {row["channel"] for row in rows} <= set(CHANNELS)
    assert len({row["host"] for row in rows}) == len(rows)
    words = [word for row in rows for word in row["aliases"].split()]
    assert sorted(words) == sorted(set(words))
    for row in rows:
        host = row["host"].replace("*", "com")
        assert from_referrer(f"www.{host}") == Source(row["channel"], row["name"])  # type: ignore[arg-type]


@given(st.text(), st.text(), st.text(), st.text(), st.booleans())
def test_any_text_gets_a_channel(referrer: str, own: str, source: str, medium: str, click: bool) -> None:
    found = classify(referrer, own, source, medium, click)
    assert found.channel in CHANNELS
    assert found.name == "" or found.channel not in {"direct", "internal"}
