"""What a browser did is what the summary says: the tracker, a real server, and its numbers."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.conftest import OpenPage, ServeSite
from tests.server import RunningServer

#: How long a number may take to follow what was done, in seconds.
FOLLOWS = 60.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with RunningServer(tmp_path_factory.mktemp("server") / "data") as running:
        running.project("site", packs=["web"])
        running.project("plain", packs=["web"])
        running.project("leads", packs=["web"])
        yield running


def told(server: RunningServer, project: str, *names: str) -> dict[str, Any]:
    """The metrics as they are, everything that arrived included."""
    server.ask("POST", "/v1/rollup/run", params={"project": project})
    asked = {"project": project, "metrics": ",".join(names)}
    answer = server.ask("GET", "/v1/query", params=asked).json()["metrics"]
    return {name: answer[name]["value"] for name in names}


def metrics(server: RunningServer, project: str, expected: dict[str, Any]) -> dict[str, Any]:
    """The metrics that are expected, as soon as they are so, or as they are in the end."""
    until = time.monotonic() + FOLLOWS
    while (found := told(server, project, *expected)) != expected and time.monotonic() < until:
        time.sleep(0.3)
    return found


def test_what_browsers_did_is_what_the_summary_says(
    server: RunningServer, serve_site: ServeSite, open_page: OpenPage
) -> None:
    site = serve_site(server.url, property="site", cookie="")

    buyer = open_page()  # from a search engine: two pages, a marked button that converts, a form that is sent
    buyer.goto(f"{site}/", referer="https://www.google.com/")
    buyer.click("#marked")
    buyer.fill("#signup [name=email]", "ada@site.example")
    buyer.click("#send")
    buyer.wait_for_url("**/article*")
    buyer.goto("about:blank")

    reader = open_page()  # from a campaign: one page, and away
    reader.goto(f"{site}/article?utm_source=chatgpt.com&utm_campaign=spring&utm_term=shoes")
    reader.mouse.wheel(0, 2_000)
    reader.wait_for_timeout(300)
    reader.goto("about:blank")

    leaver = open_page()  # directly: begins a form, leaves by a link to elsewhere
    leaver.goto(f"{site}/")
    leaver.fill("#signup [name=email]", "bob@site.example")
    leaver.click("#outbound")
    leaver.wait_for_url("http://elsewhere.example/**")

    expected = {
        "page_views": 4, "visitors": 3, "sessions": 3, "entrances": 3, "form_starts": 2, "form_submits": 1,
        "form_completion_rate": 0.5, "conversions": 1, "outbound_clicks": 1, "bot_views": 0, "arrivals": 3,
        "landing_conversion_rate": 0.333333, "session_conversion_rate": 0.333333, "bounce_rate": 0.333333,
        "value": 9.5,
    }  # fmt: skip
    assert metrics(server, "site", expected) == expected
    measured = told(server, "site", "engaged_time", "scroll_depth", "lcp_p75", "ttfb_p75")
    assert all(value is not None and value >= 0 for value in measured.values())

    summary = server.ask("GET", "/web/v1/metrics/summary", params={"propertyId": "site"}).json()
    values = summary["metrics"]
    assert summary["ok"] is True
    assert {name: values[name]["value"] for name in ("uniqueVisitors", "totalPageViews", "formCompletionRate")} == {
        "uniqueVisitors": 3, "totalPageViews": 4, "formCompletionRate": 0.5,
    }  # fmt: skip
    assert values["landingPageConversionRate"]["value"] == 0.333333
    assert values["trafficSourceMix"] == {"ai_assistant": 0.333333, "direct": 0.333333, "organic_search": 0.333333}
    assert summary["ingest"]["totalEventsRejected"] == 0
    assert summary["trend"][-1] == {"day": summary["window"]["to"], "uniqueVisitors": 3, "pageViews": 4, "newLeads": 0}
    rows = server.ask("GET", "/v1/query", params={"project": "site", "metrics": "page_views", "by": "term"}).json()
    assert {row["key"]: row["page_views"] for row in rows["breakdown"]} == {"": 3, "shoes": 1}


def test_without_a_cookie_a_browser_is_one_visitor_a_day(
    server: RunningServer, serve_site: ServeSite, open_page: OpenPage
) -> None:
    site = serve_site(server.url, property="plain")
    for path in ("/", "/article", "/"):
        page = open_page()  # each in a context of its own, which remembers nothing of the others
        page.goto(site + path)
        page.goto("about:blank")
    expected = {"page_views": 3, "visitors": 1, "sessions": 1}
    assert metrics(server, "plain", expected) == expected


def test_a_form_says_where_it_was_sent_and_by_whom(
    server: RunningServer, serve_site: ServeSite, open_page: OpenPage
) -> None:
    site = serve_site(server.url, property="leads", cookie="")
    page = open_page()
    page.goto(f"{site}/?utm_campaign=spring", referer="https://www.google.com/")
    page.goto(f"{site}/lead")
    page.fill("[name=email]", "ada@site.example")
    page.click("button")
    page.wait_for_url("**/article*")
    expected = {"new_leads": 1, "visitors": 1, "sessions": 1, "session_conversion_rate": 1.0}
    assert metrics(server, "leads", expected) == expected
    asked = {"project": "leads", "metrics": "new_leads", "by": "path"}
    rows = server.ask("GET", "/v1/query", params=asked).json()["breakdown"]
    assert {row["key"]: row["new_leads"] for row in rows if row["new_leads"]} == {"/lead": 1}
    assert told(server, "leads", "time_to_capture")["time_to_capture"] > 0


def test_a_form_without_script_makes_a_lead_and_goes_back(
    server: RunningServer, serve_site: ServeSite, open_page: OpenPage
) -> None:
    site = serve_site(server.url, property="plain")
    page = open_page(java_script_enabled=False)
    page.goto(f"{site}/lead")
    page.fill("[name=email]", "Grace.Hopper@site.example")
    page.check("[name=consent]")
    page.click("button")
    page.wait_for_url("**/article*")
    expected = {"new_leads": 1, "lead_captures": 1}
    assert metrics(server, "plain", expected) == expected
    leads = server.ask("GET", "/web/v1/leads", params={"propertyId": "plain"}).json()["leads"]
    assert [lead["email"].lower() for lead in leads] == ["grace.hopper@site.example"]
