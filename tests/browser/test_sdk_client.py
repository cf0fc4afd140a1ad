"""The client that `docs/sdk.md` shows counts in a real browser what the server then tells."""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.collector import Answer, Received, serving
from tests.browser.conftest import OpenPage
from tests.server import RunningServer

PAGE = Path(__file__).parent.parent.parent / "docs" / "sdk.md"
FOLLOWS = 30.0


def client() -> str:
    """The first TypeScript of the page as JavaScript: its types are only after names, and in an interface."""
    text = re.search(r"```ts\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert text is not None
    plain = re.sub(r"interface \w+ \{.*?\n\}\n", "", text[1], flags=re.DOTALL)
    plain = re.sub(r"^( +\w+): [^={}()\n]+;$", r"\1;", plain, flags=re.MULTILINE)
    plain = re.sub(r"^( +\w+): [^={}()\n]+ = ", r"\1 = ", plain, flags=re.MULTILINE)
    plain = re.sub(r"\)(: \w+(?:<\w+>)?) \{", ") {", plain)
    return re.sub(r"(\w+): (?:string|number|Payload)(?=[,) =])", r"\1", plain)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with RunningServer(tmp_path_factory.mktemp("server") / "data") as running:
        running.project("wallet", packs=["sdk"])
        yield running


def _site(request: Received) -> Answer:
    if request.path == "/client.js":
        return Answer(200, {"Content-Type": "text/javascript"}, client().encode())
    return Answer(200, {"Content-Type": "text/html"}, b"<!doctype html><title>dapp</title>")


def test_what_it_counts_is_what_is_told(server: RunningServer, open_page: OpenPage) -> None:
    with serving(_site) as site:
        page = open_page()
        page.goto(site)
        page.evaluate(
            """async (endpoint) => {
              const {Counters, hashed} = await import("/client.js");
              window.counters = new Counters(endpoint, "testnet", await hashed("my-dapp"));
              counters.add("wallet_connect_attempts", 3);
              await counters.flush();
              counters.add("wallet_connect_success");
              await counters.flush();
              counters.add("sessions_created", 2);
            }""",
            f"{server.url}/sdk/api/v1/events?project=wallet",
        )
        page.goto("about:blank")
    expected = {
        "sessions_created": {"value": 2, "uniqueApps": 1},
        "wallet_connect_attempts": {"value": 3, "uniqueApps": 1},
        "wallet_connect_success": {"value": 1, "uniqueApps": 1},
    }
    until = time.monotonic() + FOLLOWS
    while (told := _told(server)) != expected and time.monotonic() < until:
        time.sleep(0.3)
    assert told == expected


def test_what_did_not_arrive_is_sent_again_and_counts_once(
    server: RunningServer, open_page: OpenPage, errors: list[str]
) -> None:
    lost = []

    def forgetful(request: Received) -> Answer:
        """Passes payloads on to the server, and loses the first answer."""
        if request.method != "POST":
            return _site(request)
        server.ask("POST", "/sdk/api/v1/events", params={"project": "wallet"}, content=request.body)
        lost.append(request)
        return Answer(503 if len(lost) == 1 else 200)

    with serving(forgetful) as site:
        page = open_page()
        page.goto(site)
        page.evaluate(
            """async () => {
              const {Counters} = await import("/client.js");
              const counters = new Counters("/events", "devnet", "app-2");
              counters.add("registry_fetch", 7);
              await counters.flush();
              await counters.flush();
            }"""
        )
    assert len(lost) == 2
    assert ["503" in error for error in errors] == [True]
    errors.clear()
    until = time.monotonic() + FOLLOWS
    while not (told := _told(server, "devnet")) and time.monotonic() < until:
        time.sleep(0.3)
    assert told == {"registry_fetch": {"value": 7, "uniqueApps": 1}}


def _told(server: RunningServer, network: str = "testnet") -> dict[str, dict[str, int]]:
    params = {"project": "wallet", "network": network}
    metrics: dict[str, dict[str, int]] = server.ask("GET", "/sdk/api/v1/metrics", params=params).json()["metrics"]
    return metrics
