"""The tracker in a real browser, on pages with a strict policy, sending to another origin."""

import gzip
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.collector import TRACKER, Answer, Collector
from tests.browser.conftest import OpenPage, ServeSite

SIZE_LIMIT = 4_096
HALF_HOUR_MS = 30 * 60_000

STUB = "window.tallymark = window.tallymark || function () { (tallymark.q = tallymark.q || []).push(arguments) };"
PRIVATE = [
    "Object.defineProperty(navigator, 'globalPrivacyControl', {value: true})",
    "Object.defineProperty(navigator, 'doNotTrack', {value: '1'})",
]
OBSERVED = "(type) => new Promise((done) => new PerformanceObserver(() => done()).observe({type, buffered: true}))"
STORED = """async () => [document.cookie, localStorage.length, sessionStorage.length,
    (await indexedDB.databases()).length, (await caches.keys()).length]"""

Visit = Callable[..., Page]


@pytest.fixture
def visit(collector: Collector, serve_site: ServeSite, open_page: OpenPage) -> Visit:
    """Opens `path` of a site whose tracker tag has those data attributes."""

    def visited(path: str = "/", *, script: str = "", clock: bool = False, **attributes: str) -> Page:
        page = open_page(script=script)
        if clock:
            page.clock.install()
        page.goto(serve_site(collector.url, **attributes) + path)
        return page

    return visited


def hide(page: Page) -> None:
    """Lets the page believe that it was hidden, which sends what waits."""
    state = "{hidden: {value: true, configurable: true}, visibilityState: {value: 'hidden', configurable: true}}"
    _turn(page, f"Object.defineProperties(document, {state})")


def show(page: Page) -> None:
    _turn(page, "delete document.hidden; delete document.visibilityState")


def _turn(page: Page, how: str) -> None:
    page.evaluate(f"() => {{ {how}; document.dispatchEvent(new Event('visibilitychange')); }}")


def call(page: Page, *arguments: Any) -> None:
    page.evaluate("(given) => tallymark(...given)", list(arguments))


def sent(page: Page, collector: Collector) -> list[str]:
    """The names of all that was sent, a last event included if the tracker may send at all."""
    hide(page)
    page.evaluate("(url) => fetch(url, {method: 'POST', body: '[]'})", collector.url + "/after-it")
    time.sleep(0.05)
    return [event["event"] for event in collector.events()]


def pass_time(page: Page, ms: int, until: Callable[[], bool] = lambda: False) -> None:
    """Runs the page's clock on, in steps that leave requests time to finish."""
    for _ in range(0, ms, 500):
        if until():
            return
        page.clock.run_for(500)
        time.sleep(0.02)


# The script


def test_it_is_small() -> None:
    assert len(gzip.compress(TRACKER, 9)) < SIZE_LIMIT


def test_it_needs_no_permission_beyond_loading_and_connecting() -> None:
    source = TRACKER.decode()
    assert "'use strict'" in source
    assert not re.search(r"\beval\b|new Function|innerHTML|\.style\b|document\.write|document\.cookie", source)


# Pages


def test_a_page_view_has_its_fields(visit: Visit, collector: Collector) -> None:
    page = visit("/?utm_source=letter#below", property="shop", key="in_1")
    (view,) = collector.wait("page_view")
    assert re.fullmatch(r"[0-9a-z]{16,32}", view.pop("eventId"))
    timestamp, sent_at = (datetime.fromisoformat(view.pop(name)) for name in ("timestamp", "sentAt"))
    assert timedelta(seconds=0.8) < sent_at - timestamp < timedelta(seconds=5)
    assert abs(datetime.now(UTC) - sent_at) < timedelta(seconds=10)
    assert view == {
        "event": "page_view",
        "url": page.url.removesuffix("#below"),
        "propertyId": "shop",
        "isEntrance": True,
    }


def test_a_request_needs_no_preflight_and_carries_no_credentials(visit: Visit, collector: Collector) -> None:
    visit(key="in_1")
    collector.wait("page_view")
    (request,) = collector.requests
    assert (request.method, request.path, request.query) == ("POST", "/web/v1/events", {"key": ["in_1"]})
    assert request.headers["content-type"] == "text/plain;charset=UTF-8"
    assert request.headers["sec-fetch-mode"] == "cors"
    assert "cookie" not in request.headers


def test_the_endpoint_can_be_elsewhere(visit: Visit, collector: Collector) -> None:
    hide(visit(endpoint=collector.url + "/collect"))
    collector.wait("page_view")
    assert collector.requests[0].path == "/collect"


def test_steps_of_a_single_page_app_are_pages(visit: Visit, collector: Collector) -> None:
    page = visit()
    home = page.url
    page.evaluate("history.replaceState({}, '', '?tab=2')")
    page.evaluate("history.pushState({}, '', '/one')")
    page.evaluate("history.replaceState({}, '', '/two')")
    page.evaluate("new Promise((done) => { addEventListener('popstate', done); history.back(); })")
    hide(page)
    views = collector.wait("page_view", 4)
    assert [view["url"] for view in views] == [home, home + "one", home + "two", home + "?tab=2"]
    assert [view.get("referrer") for view in views] == [None, home, home + "one", home + "two"]
    assert [view["isEntrance"] for view in views] == [True, False, False, False]


def test_a_step_tells_the_engagement_of_the_page_before(visit: Visit, collector: Collector) -> None:
    page = visit()
    page.wait_for_timeout(50)
    page.evaluate("history.pushState({}, '', '/one')")
    hide(page)
    collector.wait("engagement")
    assert [event["event"] for event in collector.events()][:3] == ["page_view", "engagement", "page_view"]
    assert collector.events("engagement")[0]["url"] == collector.events("page_view")[0]["url"]


@pytest.mark.parametrize(("attributes", "views"), [({}, 1), ({"hash": ""}, 2)])
def test_hash_routes_are_pages_if_told(
    visit: Visit, collector: Collector, attributes: dict[str, str], views: int
) -> None:
    page = visit(**attributes)
    page.click("#anchor")
    hide(page)
    seen = collector.wait("page_view", views)
    assert len(seen) == views
    assert seen[-1]["url"].endswith("#below") is (views == 2)


def test_only_coming_from_outside_is_an_entrance(visit: Visit, collector: Collector) -> None:
    page = visit()
    home = page.url
    page.click("#inside")
    page.wait_for_url("**/article")
    page.reload()
    page.go_back()
    page.goto("http://elsewhere.example/")
    page.set_content(f'<a href="{home}">shop</a>')
    page.click("a")
    page.wait_for_url(home)
    views = collector.wait("page_view", 5)
    assert [view["isEntrance"] for view in views] == [True, False, False, False, True]
    assert views[1]["referrer"] == home
    assert views[4]["referrer"] == "http://elsewhere.example/"


def test_a_page_from_the_back_forward_cache_is_seen_again(visit: Visit, collector: Collector) -> None:
    page = visit()
    page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))")
    hide(page)
    assert [view["isEntrance"] for view in collector.wait("page_view", 2)] == [True, False]


def test_a_prerendered_page_waits_to_be_seen(visit: Visit, collector: Collector) -> None:
    page = visit(script="Object.defineProperty(document, 'prerendering', {value: true, writable: true})")
    call(page, "early")
    assert sent(page, collector) == []
    show(page)
    page.evaluate("() => { document.prerendering = false; document.dispatchEvent(new Event('prerenderingchange')) }")
    assert sent(page, collector)[:2] == ["page_view", "early"]


def test_excluded_pages_are_not_told_of(visit: Visit, collector: Collector) -> None:
    page = visit("/article", exclude="/admin, /art", cookie="")
    call(page, "ignored")
    assert sent(page, collector) == []
    assert page.evaluate(STORED) == ["", 0, 0, 0, 0]
    page.evaluate("history.pushState({}, '', '/open')")
    assert sent(page, collector)[0] == "page_view"
    assert collector.events("page_view")[0]["isEntrance"] is True


def test_an_empty_list_excludes_nothing(visit: Visit, collector: Collector) -> None:
    hide(visit(exclude=""))
    collector.wait("page_view")


def test_page_views_can_be_left_to_the_page(visit: Visit, collector: Collector) -> None:
    page = visit(auto="false")
    page.evaluate("history.pushState({}, '', '/one')")
    assert sent(page, collector) == []
    call(page, "page_view", {"section": "news"})
    hide(page)
    (view,) = collector.wait("page_view")
    assert (view["isEntrance"], view["properties"]) == (True, {"section": "news"})
    assert view["url"].endswith("/one")


# Engagement


def test_time_and_depth_are_told_as_increases(visit: Visit, collector: Collector) -> None:
    page = visit("/article", clock=True)
    for seconds, top in ((20, 1_500), (10, 100_000), (5, 0)):
        page.evaluate("(top) => scrollTo(0, top)", top)
        page.clock.fast_forward(1_000 * seconds)
        hide(page)
        page.clock.fast_forward(300_000)
        show(page)
    first, second, third = collector.wait("engagement", 3)
    assert 20_000 <= first["engagedTimeMs"] < 25_000
    assert 10_000 <= second["engagedTimeMs"] < 15_000
    assert 5_000 <= third["engagedTimeMs"] < 10_000
    assert 40 <= first["scrollDepthPercent"] < 75
    assert first["scrollDepthPercent"] + second["scrollDepthPercent"] == 100
    assert "scrollDepthPercent" not in third
    assert "properties" not in first
    assert second["properties"] == third["properties"] == {"more": True}
    assert "clsScore" in first
    assert not {"ttfbMs", "fcpMs", "lcpMs", "inpMs", "clsScore", "isExit"} & (second.keys() | third.keys())


def test_nothing_to_say_is_not_said(visit: Visit, collector: Collector) -> None:
    page = visit()
    hide(page)
    hide(page)
    page.evaluate("dispatchEvent(new Event('focus'))")
    hide(page)
    assert sent(page, collector) == ["page_view", "engagement"]


def test_a_page_never_seen_was_not_in_use(visit: Visit, collector: Collector) -> None:
    page = visit(script="Object.defineProperty(document, 'hidden', {value: true})")
    page.wait_for_timeout(100)
    page.goto("about:blank")
    (engagement,) = collector.wait("engagement")
    assert not {"engagedTimeMs", "scrollDepthPercent", "fcpMs", "lcpMs"} & engagement.keys()


def test_idle_time_does_not_count(visit: Visit, collector: Collector) -> None:
    page = visit(clock=True)
    page.clock.fast_forward(20_000)
    page.mouse.move(10, 10)
    page.clock.fast_forward(100_000)
    hide(page)
    (engagement,) = collector.wait("engagement")
    assert 49_900 < engagement["engagedTimeMs"] < 53_000


def test_the_first_hide_tells_the_vitals(visit: Visit, collector: Collector) -> None:
    page = visit()
    page.evaluate(OBSERVED, "largest-contentful-paint")
    page.evaluate("document.body.prepend(document.createElement('hr'), document.querySelector('form').cloneNode(1))")
    page.evaluate(OBSERVED, "layout-shift")
    page.evaluate(
        "document.querySelector('#plain').onclick = () => { const t = Date.now(); while (Date.now() < t + 60); }"
    )
    page.click("#plain")
    page.evaluate(OBSERVED, "first-input")
    page.wait_for_timeout(50)
    hide(page)
    (told,) = collector.wait("engagement")
    assert 0 <= told["ttfbMs"] <= told["fcpMs"] <= told["lcpMs"] < 5_000
    assert 50 <= told["inpMs"] < 2_000
    assert 0 < told["clsScore"] < 1
    assert all(isinstance(told[name], int) for name in ("ttfbMs", "fcpMs", "lcpMs", "inpMs"))


def test_leaving_is_an_exit_and_goes_by_beacon(visit: Visit, collector: Collector) -> None:
    page = visit()
    page.goto("about:blank")
    (engagement,) = collector.wait("engagement")
    assert engagement["isExit"] is True
    (request,) = collector.requests
    assert [event["event"] for event in request.events] == ["page_view", "engagement"]
    assert request.headers["sec-fetch-mode"] == "no-cors"
    assert request.headers["content-type"] == "text/plain;charset=UTF-8"


def test_leaving_after_hiding_is_still_an_exit(visit: Visit, collector: Collector) -> None:
    page = visit()
    hide(page)
    page.goto("about:blank")
    first, second = collector.wait("engagement", 2)
    assert "isExit" not in first
    assert second["isExit"] is True
    assert second["properties"] == {"more": True}


@pytest.mark.parametrize(("selector", "is_exit"), [("#inside", None), ("#send", None), ("#outbound", True)])
def test_a_step_within_the_site_is_no_exit(
    visit: Visit, collector: Collector, selector: str, is_exit: bool | None
) -> None:
    page = visit()
    home = page.url
    page.click(selector)
    page.wait_for_url(lambda url: url != home)
    assert collector.wait("engagement")[0].get("isExit") is is_exit


# What visitors do


def test_forms_are_started_once_and_submitted(visit: Visit, collector: Collector) -> None:
    page = visit()
    page.evaluate("addEventListener('submit', (event) => event.preventDefault())")
    page.fill("[name=email]", "secret@example.com")
    page.fill("[name=id]", "secret")
    page.fill("[name=query]", "secret")
    page.fill("[name=nameless]", "secret")
    page.click("#send")
    hide(page)
    starts = collector.wait("form_start", 3)
    assert [start["properties"] for start in starts] == [{"form": "signup"}, {"form": "search"}, {"form": "2"}]
    assert [submit["properties"] for submit in collector.wait("form_submit")] == [{"form": "signup"}]
    assert b"secret" not in b"".join(request.body for request in collector.requests)


def test_links_to_other_hosts_are_told_without_their_query(visit: Visit, collector: Collector) -> None:
    page = visit()
    page.evaluate("addEventListener('click', (event) => event.preventDefault())")
    for selector in ("#within", "#inside", "#mail", "#plain"):
        page.click(selector)
    page.click("#outbound", button="right")
    page.evaluate(
        "document.querySelector('#outbound').dispatchEvent(new MouseEvent('auxclick', {button: 1, bubbles: true}))"
    )
    hide(page)
    collector.wait("engagement")
    clicks = collector.events("outbound_click")
    assert [click["properties"] for click in clicks] == 2 * [
        {"outboundHost": "elsewhere.example", "outboundPath": "/offer/1"}
    ]


def test_downloads_are_told(visit: Visit, collector: Collector) -> None:
    page = visit()
    page.evaluate("addEventListener('click', (event) => event.preventDefault())")
    page.click("#download")
    hide(page)
    (download,) = collector.wait("file_download")
    assert download["properties"] == {"file": "/files/Report.PDF"}


def test_clicks_on_marked_elements_are_events(visit: Visit, collector: Collector) -> None:
    page = visit()
    page.click("#marked i")
    hide(page)
    (click,) = collector.wait("add to basket")
    assert (click["properties"], click["value"], click["isConversion"]) == ({"planId": "pro"}, 9.5, True)


# Calls


def test_a_call_is_an_event_with_its_properties(visit: Visit, collector: Collector) -> None:
    page = visit()
    call(page, "purchase", {"isConversion": True, "value": 12.5, "items": 3, "plan": "pro"})
    call(page, "seen", {"isConversion": False, "value": "none"})
    hide(page)
    (purchase,), (seen,) = collector.wait("purchase"), collector.wait("seen")
    assert (purchase["isConversion"], purchase["value"]) == (True, 12.5)
    assert purchase["properties"] == {"items": 3, "plan": "pro"}
    assert not {"isConversion", "value"} & seen.keys()


def test_calls_made_before_it_loaded_are_replayed(visit: Visit, collector: Collector) -> None:
    page = visit(script=STUB + "tallymark('early', {n: 1}); tallymark('value', {value: 2});")
    assert sent(page, collector)[:3] == ["page_view", "early", "value"]
    assert collector.events("early")[0]["properties"] == {"n": 1}
    assert collector.events("value")[0]["value"] == 2


def test_a_second_tag_changes_nothing(visit: Visit, collector: Collector) -> None:
    page = visit()
    page.add_script_tag(url=collector.url + "/web/tracker.js")
    assert sent(page, collector) == ["page_view", "engagement"]


def test_what_cannot_be_sent_does_not_stop_the_rest(visit: Visit, collector: Collector) -> None:
    page = visit()
    page.evaluate("() => { const loop = {}; loop.loop = loop; tallymark('bad', loop); tallymark('bad', {n: 1n}); }")
    page.evaluate("() => { tallymark(); tallymark(''); tallymark('fine', null); }")
    assert sent(page, collector) == ["page_view", "fine", "engagement"]


# Permission


def test_required_consent_is_waited_for(visit: Visit, collector: Collector) -> None:
    page = visit(consent="required", cookie="")
    call(page, "before")
    assert sent(page, collector) == []
    assert page.evaluate(STORED) == ["", 0, 0, 0, 0]
    show(page)
    call(page, "consent", True)
    call(page, "after")
    assert sent(page, collector)[:2] == ["page_view", "after"]
    assert {event["consent"] for event in collector.events()} == {"granted"}
    assert collector.events("page_view")[0]["isEntrance"] is True


def test_withdrawn_consent_drops_what_waits_and_forgets(visit: Visit, collector: Collector) -> None:
    page = visit(cookie="")
    assert page.evaluate("localStorage.length") == 1
    call(page, "consent", False)
    call(page, "after")
    assert sent(page, collector) == []
    assert page.evaluate(STORED) == ["", 0, 0, 0, 0]


def test_consent_can_be_refused_first_and_granted_later(visit: Visit, collector: Collector) -> None:
    page = visit(script=STUB + "tallymark('consent', false);")
    assert sent(page, collector) == []
    show(page)
    call(page, "consent", True)
    call(page, "consent", True)
    hide(page)
    collector.wait("page_view")
    assert [event["event"] for event in collector.events()].count("page_view") == 1


@pytest.mark.parametrize("signal", PRIVATE, ids=["gpc", "dnt"])
def test_a_signal_for_privacy_is_obeyed(visit: Visit, collector: Collector, signal: str) -> None:
    page = visit(script=signal, cookie="")
    call(page, "ignored")
    assert sent(page, collector) == []
    assert page.evaluate(STORED) == ["", 0, 0, 0, 0]
    call(page, "consent", True)
    assert sent(page, collector)[0] == "page_view"


def test_a_signal_for_privacy_can_be_ignored(visit: Visit, collector: Collector) -> None:
    hide(visit(script=PRIVATE[1], dnt="ignore"))
    collector.wait("page_view")


# Ids


def test_without_cookies_nothing_is_stored(visit: Visit, collector: Collector) -> None:
    page = visit()
    call(page, "event")
    page.click("#plain")
    hide(page)
    collector.wait("engagement")
    assert page.evaluate(STORED) == ["", 0, 0, 0, 0]
    assert page.context.cookies() == []
    assert not {"visitorId", "sessionId"} & {name for event in collector.events() for name in event}


def test_ids_last_and_a_session_ends_by_silence(visit: Visit, collector: Collector) -> None:
    page = visit(cookie="", clock=True)
    page.reload()
    page.clock.fast_forward(HALF_HOUR_MS - 10_000)
    page.mouse.move(10, 10)
    page.clock.fast_forward(HALF_HOUR_MS - 10_000)
    call(page, "still there")
    page.clock.fast_forward(HALF_HOUR_MS + 1_000)
    page.mouse.move(20, 20)
    page.evaluate("history.pushState({}, '', '/one')")
    hide(page)
    first, second, third = collector.wait("page_view", 3)
    (call_,) = collector.wait("still there")
    assert len({event["visitorId"] for event in collector.events()}) == 1
    assert first["sessionId"] == second["sessionId"] == call_["sessionId"] != third["sessionId"]
    assert [view["isEntrance"] for view in (first, second, third)] == [True, False, True]


def test_blocked_storage_means_no_ids(visit: Visit, collector: Collector) -> None:
    blocked = "Object.defineProperty(window, 'localStorage', {get() { throw new Error('blocked') }})"
    hide(visit(script=blocked, cookie=""))
    assert "visitorId" not in collector.wait("page_view")[0]


# Sending


def test_twenty_events_do_not_wait(visit: Visit, collector: Collector) -> None:
    visit(script=STUB + "for (let n = 0; n < 25; n++) tallymark('many', {n});")
    collector.wait("many", 25)
    first, second = (request.events for request in collector.requests)
    assert (len(first), len(second)) == (20, 6)
    waited = datetime.fromisoformat(first[-1]["sentAt"]) - datetime.fromisoformat(first[-1]["timestamp"])
    assert waited < timedelta(milliseconds=300)


def test_a_failed_request_is_tried_again_as_it_was(visit: Visit, collector: Collector, errors: list[str]) -> None:
    collector.answers.extend([Answer(503), Answer(500), Answer(429, {"Retry-After": "60"})])
    page = visit(clock=True)
    pass_time(page, 20_000, lambda: len(collector.requests) == 3)
    time.sleep(0.2)
    page.clock.fast_forward(55_000)
    time.sleep(0.2)
    assert len(collector.requests) == 3
    pass_time(page, 60_000, lambda: len(collector.requests) == 4)
    views = collector.wait("page_view", 4)
    assert len({view["eventId"] for view in views}) == len({view["timestamp"] for view in views}) == 1
    assert len({view["sentAt"] for view in views}) == 4
    assert len(views) == 4
    assert len(errors) == 3
    errors.clear()


def test_a_refused_request_is_not_tried_again(visit: Visit, collector: Collector, errors: list[str]) -> None:
    collector.answers.append(Answer(400))
    page = visit(clock=True)
    page.clock.fast_forward(1_000)
    collector.wait("page_view")
    time.sleep(0.2)
    page.clock.fast_forward(HALF_HOUR_MS)
    time.sleep(0.2)
    assert len(collector.requests) == 1
    errors.clear()


@pytest.mark.parametrize("before", [0, 1], ids=["while sending", "while waiting"])
def test_the_queue_keeps_the_newest(visit: Visit, collector: Collector, errors: list[str], before: int) -> None:
    collector.answers.append(Answer(503))
    page = visit(clock=True)
    pass_time(page, 5_000, lambda: len(collector.requests) == before)
    assert len(collector.requests) == before
    page.evaluate("() => { for (let n = 0; n < 250; n++) tallymark('many', {n}) }")
    pass_time(page, 30_000, lambda: len(collector.requests) == 11)
    kept = [event["properties"]["n"] for request in collector.requests[1:] for event in request.events]
    assert kept == list(range(50, 250))
    errors.clear()
