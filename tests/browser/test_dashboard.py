"""The dashboard in a real browser, over a server with the demo's projects: it shows what the API says."""

import csv
import io
import re
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from tests.server import ADMIN, RunningServer

AXE = Path(__file__).parent / "vendor/axe.min.js"
DAYS = 8
PROJECTS = {"web": "demo-web", "sdk": "demo-sdk", "ab": "demo-ab", "voice": "demo-voice", "quiz": "demo-quiz"}
PAGES = tuple(PROJECTS.items())

#: Every page, and what is opened on some of them.
QUERIES = (
    *(f"project={project}&page={pack}" for pack, project in PAGES),
    "project=demo-ab&page=ab&experiment=short-tutorial",
    "project=demo-quiz&page=quiz&quiz=algebra-1&question=square-root",
    "project=demo-quiz&page=quiz&learner=nobody",
    *(f"project=demo-web&page=explore&view={view}" for view in ("metrics", "funnel", "retention", "lifecycle")),
    "project=demo-web&page=operations",
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    command = ("demo", "--days", str(DAYS))
    with RunningServer(tmp_path_factory.mktemp("dashboard") / "data", command, TALLYMARK_RATE_LIMIT="0") as running:
        assert running.ask("POST", "/v1/projects", json={"name": "empty", "packs": ["web"]}).status_code == 201
        yield running


class Reader:
    """Somebody at the dashboard; `complaints` is what the console says, `strangers` requests to other hosts."""

    def __init__(self, server: RunningServer, page: Page) -> None:
        self.server, self.page = server, page
        self.complaints: list[str] = []
        self.strangers: list[str] = []
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self._note(request.url))

    def _hear(self, said: ConsoleMessage) -> None:
        if said.type in ("error", "warning"):
            self.complaints.append(said.text)

    def _note(self, url: str) -> None:
        if not url.startswith((self.server.url, "data:", "blob:")):
            self.strangers.append(url)

    def enter(self) -> None:
        """Signs in by a one-time link."""
        code = self.server.ask("POST", "/v1/session/links").json()["code"]
        self.page.goto(f"{self.server.url}/?project=demo-web#code={code}")
        self.settle()

    def open(self, query: str) -> None:
        """Loads the dashboard anew."""
        self.page.goto(f"{self.server.url}/?{query}")
        self.settle()

    def settle(self) -> None:
        """Waits until everything that is shown has come."""
        self.page.wait_for_selector(".grid > *", timeout=60_000)
        expect(self.page.locator(".skeleton, .busy")).to_have_count(0, timeout=60_000)

    def ask(self, path: str, **params: Any) -> Any:
        """What the API says."""
        return self.server.ask("GET", path, params=params).json()

    @property
    def query(self) -> dict[str, list[str]]:
        """The query of the address."""
        return parse_qs(urlsplit(self.page.url).query)

    def window(self) -> dict[str, str]:
        """The days of the page, in the server's words."""
        asked = self.ask("/v1/query", project="demo-web", metrics="visitors")["window"]
        return {"from": asked["from"], "to": asked["to"]}


@pytest.fixture(scope="module")
def context(browser: Browser, server: RunningServer) -> Iterator[Any]:
    with ExitStack() as opened:
        yield opened.enter_context(browser.new_context(viewport={"width": 1360, "height": 900}, accept_downloads=True))


@pytest.fixture
def reader(server: RunningServer, context: Any) -> Iterator[Reader]:
    page = context.new_page()
    found = Reader(server, page)
    if not any(cookie["name"] == "tallymark_session" for cookie in context.cookies()):
        found.enter()
    else:
        found.open("project=demo-web")
    found.complaints.clear()
    yield found
    page.close()
    assert found.complaints == []
    assert found.strangers == []


@pytest.mark.parametrize(("pack", "project"), PAGES)
def test_tiles_and_breakdowns_are_what_the_api_says(reader: Reader, pack: str, project: str) -> None:
    reader.open(f"project={project}&page={pack}")
    catalogue = reader.ask("/v1/metrics", project=project)
    (board,) = (board for board in catalogue["boards"] if board["pack"] == pack)
    told = reader.ask("/v1/query", project=project, metrics=",".join(board["tiles"]), compareTo="previous")
    tiles = reader.page.locator(".tile")
    expect(tiles).to_have_count(len(board["tiles"]))
    for name in board["tiles"]:
        value = reader.page.locator(f".tile[data-metric={name}]").get_attribute("data-value")
        assert (None if value is None else float(value)) == told["metrics"][name]["value"], name
    for panel in board["panels"]:
        view = panel["views"][0]
        found = reader.page.get_by_role("region", name=panel["title"], exact=True).locator(".bars tbody tr")
        rows = reader.ask("/v1/query", project=project, metrics=",".join(view["metrics"]), by=view["by"], limit=8)
        assert found.count() == len(rows["breakdown"]), panel
        for place, row in enumerate(rows["breakdown"]):
            values = [cell.get_attribute("data-value") for cell in found.nth(place).locator("td[data-value]").all()]
            shown = [row[name] for name in view["metrics"] if row[name] is not None]
            assert [float(value) for value in values if value] == shown


@pytest.mark.parametrize("query", QUERIES)
def test_everybody_can_use_it(reader: Reader, query: str) -> None:
    """By WCAG 2.2 AA, light and dark; and on a phone nothing is wider than the screen."""
    reader.open(query)
    for look in ("light", "dark"):
        assert reader.page.evaluate("document.documentElement.dataset.theme") == look
        assert violations(reader.page) == []
        reader.page.keyboard.press("t")
    reader.page.set_viewport_size({"width": 390, "height": 844})
    for _ in range(50):  # charts follow a frame later
        width = reader.page.evaluate("document.documentElement.scrollWidth")
        if width <= 390:
            break
        reader.page.wait_for_timeout(100)
    assert width <= 390
    reader.page.set_viewport_size({"width": 1360, "height": 900})


def violations(page: Page) -> list[list[str]]:
    """What axe-core finds wrong: the rule, and where it is broken first."""
    cdp = page.context.new_cdp_session(page)
    cdp.send("Page.setBypassCSP", {"enabled": True})
    cdp.send("Runtime.evaluate", {"expression": AXE.read_text()})
    rules = '{runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}'
    first = "found => found.violations.map(one => [one.id, one.nodes[0].html])"
    asked = {"expression": f"axe.run(document, {rules}).then({first})", "awaitPromise": True, "returnByValue": True}
    found: list[list[str]] = cdp.send("Runtime.evaluate", asked)["result"]["value"]
    cdp.detach()
    return found


def test_the_page_carries_no_inline_script_and_a_strict_policy(reader: Reader) -> None:
    answer = reader.server.ask("GET", "/")
    assert "script-src 'self'" in answer.headers["content-security-policy"]
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert not re.search(r"<script(?![^>]*\bsrc=)|\son\w+=|style=", answer.text)


def test_what_comes_first_is_small_and_kept_for_good(reader: Reader) -> None:
    html = reader.server.ask("GET", "/").text
    total = len(html)
    for path in re.findall(r'(?:href|src)="(/dashboard/[^"]+)"', html):
        answer = reader.server.ask("GET", path, headers={"accept-encoding": "gzip"})
        assert "immutable" in answer.headers["cache-control"], path
        assert answer.headers["content-encoding"] == "gzip"
        total += int(answer.headers["content-length"])
    assert total < 120_000


def test_a_click_on_a_row_filters_and_another_one_takes_that_back(reader: Reader) -> None:
    reader.open("project=demo-web&page=web&period=7d")
    before = reader.page.locator(".tile[data-metric=page_views]").get_attribute("data-value")
    row = reader.page.get_by_role("region", name="Places and devices").get_by_role("button", name="US", exact=True)
    row.click()
    reader.settle()
    assert reader.query["f"] == ["country:is:US"]
    expect(reader.page.locator(".chip")).to_have_text("Country is US")
    window = reader.ask("/v1/query", project="demo-web", metrics="page_views", filter="country:is:US", **week(reader))
    tile = reader.page.locator(".tile[data-metric=page_views]")
    expect(tile).to_have_attribute("data-value", str(window["metrics"]["page_views"]["value"]))
    reader.page.reload()
    reader.settle()
    expect(reader.page.locator(".chip")).to_have_text("Country is US")
    reader.page.get_by_role("button", name="Take the filter away: Country is US").click()
    reader.settle()
    assert "f" not in reader.query
    reader.page.go_back()
    reader.settle()
    assert reader.query["f"] == ["country:is:US"]
    row.click()
    expect(tile).to_have_attribute("data-value", str(before))


def week(reader: Reader) -> dict[str, str]:
    """The last seven days."""
    last = reader.window()["to"]
    days = reader.ask("/v1/query", project="demo-web", metrics="visitors")["metrics"]["visitors"]["series"]
    return {"from": days[-7]["t"], "to": last}


def test_periods_comparison_and_grain_stand_in_the_address(reader: Reader) -> None:
    reader.page.keyboard.press("w")
    reader.settle()
    assert reader.query["period"] == ["7d"]
    reader.page.keyboard.press("c")
    reader.settle()
    assert reader.query["compare"] == ["none"]
    expect(reader.page.locator(".tile .delta").first).to_have_text("–")
    reader.page.get_by_role("button", name="Hours", exact=True).click()
    reader.settle()
    assert reader.query["grain"] == ["hour"]
    reader.page.get_by_role("button", name="Earlier").click()
    reader.settle()
    assert reader.query["to"][0] < reader.window()["to"]
    reader.page.get_by_title("Period:", exact=False).click()
    reader.page.get_by_label("From", exact=False).fill("2026-01-05")
    reader.page.get_by_role("button", name="Show these days").click()
    assert reader.query["from"] == ["2026-01-05"]


def test_keys_open_pages_help_theme_and_the_filter(reader: Reader) -> None:
    page = reader.page
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    look = page.evaluate("document.documentElement.dataset.theme")
    page.keyboard.press("t")
    assert page.evaluate("document.documentElement.dataset.theme") != look
    page.keyboard.press("t")
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.matches('[data-row]')")
    page.keyboard.press("f")
    expect(page.get_by_role("dialog", name="Add a filter")).to_be_visible()
    page.get_by_label("Where").select_option("device")
    page.get_by_label("Value").fill("mobile")
    page.get_by_role("button", name="Add", exact=True).click()
    reader.settle()
    assert reader.query["f"] == ["device:is:mobile"]


def test_another_project_is_a_menu_away(reader: Reader) -> None:
    reader.page.get_by_title("Project").click()
    reader.page.get_by_role("link", name="demo-quiz").click()
    reader.settle()
    expect(reader.page.locator(".rail [aria-current=page]")).to_have_text("Quizzes")
    expect(reader.page).to_have_title("Quizzes · demo-quiz · Tallymark")


def test_a_project_without_events_says_what_to_send_and_turns_into_the_page(reader: Reader) -> None:
    reader.open("project=empty")
    expect(reader.page.get_by_text("No events yet")).to_be_visible()
    command = reader.page.locator(".command code").inner_text()
    assert command.startswith(f"curl {reader.server.url}/web/v1/events")


def test_everything_shown_can_be_kept(reader: Reader) -> None:
    page = reader.page
    region = page.get_by_role("region", name="Pages", exact=True)
    told = reader.ask("/v1/query", project="demo-web", metrics="page_views,visitors", by="path", limit=8)["breakdown"]
    region.get_by_title("Keep or show all: Pages").click()
    with page.expect_download() as kept:
        page.get_by_role("button", name="Keep as CSV").click()
    rows = list(csv.DictReader(io.StringIO(Path(kept.value.path()).read_text())))
    assert [(row["Page"], int(row["Page views"])) for row in rows] == [(row["key"], row["page_views"]) for row in told]
    region.get_by_title("Keep or show all: Pages").click()
    with page.expect_download() as kept:
        page.get_by_role("button", name="Keep as PNG").click()
    assert Path(kept.value.path()).read_bytes().startswith(b"\x89PNG")
    page.get_by_title("More").click()
    with page.expect_download() as kept:
        page.get_by_role("button", name="Keep this page as CSV files").click()
    with zipfile.ZipFile(kept.value.path()) as packed:
        assert {"visitors.csv", "pages.csv", "sources.csv"} <= set(packed.namelist())


def test_all_rows_are_searched_and_sorted(reader: Reader) -> None:
    page = reader.page
    page.get_by_role("region", name="Pages", exact=True).get_by_role("button", name="Show all", exact=True).click()
    sheet = page.get_by_role("dialog", name="Pages: Page")
    sheet.get_by_label("Search the table").fill("docs")
    expect(sheet.locator("tbody tr").first).to_contain_text("docs")
    sheet.get_by_role("button", name="Visitors").click()
    numbers = [float(cell.get_attribute("title") or 0) for cell in sheet.locator("tbody td:nth-child(4)").all()
               if (cell.get_attribute("title") or "").isdigit()]  # fmt: skip
    assert numbers == sorted(numbers, reverse=True)
    sheet.locator("tbody button").first.click()
    reader.settle()
    assert reader.query["f"][0].startswith("path:is:")


def test_views_notes_and_links_are_kept_and_taken_away(reader: Reader) -> None:
    page = reader.page
    for item, label, word, text in (
        ("Saved views", "Save this view as", "Save", "By default"),
        ("Notes on days", "What happened", "Add", "Release"),
    ):
        page.get_by_title("More").click()
        page.get_by_role("button", name=item).click()
        page.get_by_label(label).fill(text)
        page.get_by_role("button", name=word, exact=True).click()
        expect(page.locator(".rows li")).to_contain_text(text)
        page.get_by_role("button", name=f"Delete {text}").click()
        expect(page.locator(".rows li")).to_have_count(0)
        page.keyboard.press("Escape")


def test_filters_are_kept_as_a_segment_and_used_like_one(reader: Reader) -> None:
    page, tile = reader.page, reader.page.locator(".tile[data-metric=visitors]")
    reader.open("project=demo-web&page=web&f=device:is:mobile")
    told = tile.get_attribute("data-value")
    page.get_by_title("More").click()
    page.get_by_role("button", name="Segments").click()
    page.get_by_label("Keep these filters as").fill("On phones")
    page.get_by_role("button", name="Keep", exact=True).click()
    expect(page.get_by_role("button", name="On phones", exact=True)).to_be_visible()
    reader.open("project=demo-web&page=web")
    assert tile.get_attribute("data-value") != told
    page.get_by_title("More").click()
    page.get_by_role("button", name="Segments").click()
    page.get_by_role("button", name="On phones", exact=True).click()
    reader.settle()
    assert reader.query["segment"] == ["on-phones"]
    expect(tile).to_have_attribute("data-value", str(told))
    page.get_by_title("More").click()
    page.get_by_role("button", name="Segments").click()
    page.get_by_role("button", name="Delete On phones").click()
    expect(page.get_by_text("No segment is kept yet")).to_be_visible()
    assert "segment" not in reader.query


def test_a_shared_link_shows_the_view_and_nothing_to_change(reader: Reader, browser: Browser) -> None:
    page = reader.page
    reader.open("project=demo-web&page=web&period=7d")
    page.get_by_title("More").click()
    page.get_by_role("button", name="Share", exact=True).click()
    page.get_by_label("Title").fill("A week")
    page.get_by_label("Password", exact=False).fill("open sesame")
    page.get_by_role("button", name="Make a link").click()
    link = page.locator(".command code").inner_text()
    with ExitStack() as opened:
        guest = Reader(reader.server, opened.enter_context(browser.new_context()).new_page())
        guest.page.goto(link)
        guest.page.get_by_label("Password").fill("wrong")
        guest.page.get_by_role("button", name="Open").click()
        expect(guest.page.get_by_role("alert")).to_contain_text("password")
        guest.page.get_by_label("Password").fill("open sesame")
        guest.page.get_by_role("button", name="Open").click()
        guest.settle()
        assert guest.query["period"] == ["7d"]
        assert "share" not in guest.page.url
        guest.page.get_by_title("More").click()
        expect(guest.page.get_by_role("button", name="Share", exact=True)).to_have_count(0)
        assert guest.strangers == []
    page.get_by_role("button", name="Revoke A week").click()
    expect(page.get_by_text("Revoked")).to_be_visible()


def test_signing_in_by_a_key_and_out(server: RunningServer, browser: Browser) -> None:
    with ExitStack() as opened:
        page = opened.enter_context(browser.new_context()).new_page()
        page.goto(server.url)
        page.get_by_label("Key", exact=False).fill("wrong")
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("alert")).to_contain_text("no such key")
        page.get_by_label("Key", exact=False).fill(ADMIN)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_selector(".tile")
        page.get_by_title("More").click()
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_role("button", name="Sign in")).to_be_visible()


def test_a_quiz_is_what_the_api_says(reader: Reader) -> None:
    path, project = "/quiz/api/v1/analytics/quiz/algebra-1", {"project": "demo-quiz"}
    reader.open("project=demo-quiz&page=quiz&quiz=algebra-1")
    numbers, items = (reader.ask(f"{path}/{what}", **project) for what in ("metrics", "items"))
    shown = [fact.get_attribute("data-value") for fact in reader.page.locator(".facts dd").all()]
    names = ("totalAttempts", "learners", "completionRate", "averageScore", "timeSpent", "abandoned")
    assert [float(value or "nan") for value in shown] == [numbers[name] for name in names]
    graded = [item for item in items["items"] if item["discriminationIndex"] is not None]
    expect(reader.page.locator(".plot a")).to_have_count(len(graded))
    reader.page.get_by_role("link", name="square-root").first.click()
    expect(reader.page.get_by_role("heading", name="Answers to square-root")).to_be_visible()
    assert reader.query["question"] == ["square-root"]
    reader.page.get_by_role("button", name="Best").click()
    reader.settle()
    assert reader.query["attempts"] == ["best"]
    best = reader.ask(f"{path}/metrics", attempts="best", **project)
    expect(reader.page.locator(".facts dd").first).to_have_attribute("data-value", str(best["totalAttempts"]))


def test_an_experiment_is_led_through_its_life(reader: Reader) -> None:
    reader.open("project=demo-ab&page=ab")
    reader.page.get_by_role("link", name="Short tutorial").click()
    reader.settle()
    told = reader.ask("/ab/v1/experiments/short-tutorial/results", project="demo-ab")
    units = reader.page.get_by_role("region", name="Units", exact=True).locator("tbody tr")
    expect(units).to_have_count(len(told["exposedUnits"]))
    assert [int(row.locator("td").nth(1).get_attribute("title") or 0) for row in units.all()] == list(
        told["exposedUnits"].values()
    )
    for act, status in (("Stop", "stopped"), ("Start", "running")):
        reader.page.get_by_role("button", name=act, exact=True).click()
        reader.page.get_by_role("dialog").get_by_role("button", name=act, exact=True).click()
        expect(reader.page.locator(".lead .state")).to_have_text(status)
    reader.page.go_back()
    expect(reader.page.get_by_role("heading", name="Experiments", exact=True).last).to_be_visible()


def test_a_funnel_that_is_built_is_what_the_api_says(reader: Reader) -> None:
    reader.open("project=demo-web&page=explore&view=funnel&step=page_view&step=form_start")
    told = reader.ask("/v1/funnels", project="demo-web", step=["page_view", "form_start"], within="7d")
    shown = [step.get_attribute("data-value") for step in reader.page.locator(".funnel-number").all()]
    assert [int(value or -1) for value in shown] == [step["actors"] for step in told["steps"]]


def test_a_key_is_made_shown_once_and_revoked(reader: Reader) -> None:
    page = reader.page
    reader.open("project=demo-web&page=operations")
    assert page.locator("[data-status]").first.get_attribute("data-status") == reader.ask("/v1/system")["status"]
    page.get_by_role("button", name="New key").click()
    form = page.get_by_role("dialog")
    form.get_by_label("Name").fill("of a test")
    form.get_by_label("Good for").select_option("read")
    form.get_by_role("button").last.click()
    secret = page.get_by_role("dialog").locator("code").first.inner_text()
    assert reader.server.ask("GET", "/v1/projects", key=secret).status_code == 200
    page.keyboard.press("Escape")
    row = page.get_by_role("row").filter(has_text="of a test")
    row.get_by_role("button", name="Revoke").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke", exact=True).click()
    expect(row).to_contain_text("revoked")
    assert reader.server.ask("GET", "/v1/projects", key=secret).status_code == 401
