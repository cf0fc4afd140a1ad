"""Takes the pictures of the dashboard that the documentation shows, light and dark, of a demo server.

Run it as `python -m scripts.build_screenshots URL KEY`, with the address of a server that `tallymark demo` started and
an admin key of every project. It needs Chromium.
"""

import shutil
import sys
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser, sync_playwright

IMAGES: Final = Path(__file__).parent.parent / "docs/images"

#: Pictures by name: the query of the page, and how much of it is shown, in pixels.
PAGES: Final = {
    "web": ("project=demo-web&page=web", 1_320),
    "sdk": ("project=demo-sdk&page=sdk", 1_000),
    "experiments": ("project=demo-ab&page=ab", 1_000),
    "experiment": ("project=demo-ab&page=ab&experiment=short-tutorial", 1_200),
    "voice": ("project=demo-voice&page=voice", 1_320),
    "quizzes": ("project=demo-quiz&page=quiz", 1_000),
    "quiz": ("project=demo-quiz&page=quiz&quiz=algebra-1&question=square-root", 1_320),
}
_WIDTH: Final = 1_280
_CHROMIUM: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def main(url: str, key: str) -> None:
    """Takes them all."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    executable = next(filter(None, map(shutil.which, _CHROMIUM)))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox", "--disable-gpu"])
        for look in ("light", "dark"):
            _shoot(browser, url, key, look)
        browser.close()


def _shoot(browser: Browser, url: str, key: str, look: str) -> None:
    context = browser.new_context(
        viewport={"width": _WIDTH, "height": 900}, color_scheme="dark" if look == "dark" else "light"
    )
    page = context.new_page()
    page.goto(url)
    page.get_by_label("Key").fill(key)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_selector(".tile")
    for name, (query, height) in PAGES.items():
        page.set_viewport_size({"width": _WIDTH, "height": height})
        page.goto(f"{url}/?{query}")
        page.wait_for_selector(".grid > *")
        page.locator(".skeleton, .busy").first.wait_for(state="detached", timeout=60_000)
        page.wait_for_timeout(1_500)
        page.screenshot(path=IMAGES / f"{name}-{look}.png")
    context.close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
