"""A real browser, and pages on a loopback origin of their own that load the tracker from another.

`serve_site(origin, **attributes)` serves the pages of `site/` with a tag for `{origin}/web/tracker.js`, whose data
attributes it renders: `origin` may be the stub collector's or a real server's. `open_page` opens pages in it;
`errors` holds what their console complained of, and has to be empty in the end.
"""

import html
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from tests.browser.collector import Answer, Collector, Received, collecting, serving

PAGES = Path(__file__).parent / "site"
CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
#: A browser that says that it is headless is a bot to the server. What a page sends on leaving has the browser's own.
USER_AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", f"--user-agent={USER_AGENT}"]

ServeSite = Callable[..., str]
OpenPage = Callable[..., Page]


# No wider scope: while Playwright's own event loop runs, no other test of the worker can start one.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    executable = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if executable is None:
        pytest.skip(f"no browser: none of {', '.join(CHROMIUM)} is installed")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        yield launched
        launched.close()


@pytest.fixture
def collector() -> Iterator[Collector]:
    with collecting() as running:
        yield running


def _site(origin: str, attributes: dict[str, str]) -> Callable[[Received], Answer]:
    data = "".join(f' data-{name}="{html.escape(value)}"' for name, value in attributes.items())
    tag = f'<script defer src="{origin}/web/tracker.js"{data}></script>'
    headers = {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": (
            f"default-src 'none'; script-src 'self' {origin}; connect-src {origin}; form-action 'self' {origin}"
        ),
    }

    def answer(request: Received) -> Answer:
        page = PAGES / f"{request.path.strip('/') or 'index'}.html"
        if not page.is_file():
            return Answer(404)
        text = page.read_text().replace("<!-- tracker -->", tag).replace("{origin}", origin)
        text = text.replace("{property}", attributes.get("property", ""))
        return Answer(200, headers, text.encode())

    return answer


@pytest.fixture
def serve_site() -> Iterator[ServeSite]:
    with ExitStack() as running:
        yield lambda origin, **attributes: running.enter_context(serving(_site(origin, attributes)))


@pytest.fixture
def errors() -> list[str]:
    return []


@pytest.fixture
def open_page(browser: Browser, errors: list[str]) -> Iterator[OpenPage]:
    with ExitStack() as contexts:

        def note(message: ConsoleMessage) -> None:
            if message.type in ("error", "warning"):
                errors.append(message.text)

        def opened(script: str = "", **options: Any) -> Page:
            """An empty page in a context of its own; `script` runs in it before every document's own."""
            context = contexts.enter_context(browser.new_context(**options))
            context.route("http://elsewhere.example/**", lambda route: route.fulfill(body="elsewhere"))
            context.on("console", note)
            context.on("weberror", lambda error: errors.append(str(error.error)))
            if script:
                context.add_init_script(script)
            return context.new_page()

        yield opened
    assert errors == []
