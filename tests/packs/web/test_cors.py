"""Pages of other origins, as browsers ask for them, against a served application."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.server import RunningServer

PATH = "/web/v1/events"
SHOP, OTHER = "https://shop.example", "https://other.example"
EVENT = {"eventType": "page_view", "propertyId": "cors-shop"}


@pytest.fixture(scope="module", params=["*", SHOP])
def served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[httpx.Client, str]]:
    """A client of a server and the origins that it allows."""
    data: Path = tmp_path_factory.mktemp("cors") / "data"
    with RunningServer(data, CORS_ALLOWED_ORIGINS=request.param) as server:
        server.project("cors-shop", packs=["web"])
        with httpx.Client(base_url=server.url, trust_env=False) as client:
            yield client, request.param


def ask(client: httpx.Client, origin: str) -> httpx.Response:
    return client.options(
        PATH,
        headers={
            "Origin": origin,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "content-type,authorization",
        },
    )


def test_a_browser_asks_before_it_sends(served: tuple[httpx.Client, str]) -> None:
    client, allowed = served
    answer = ask(client, SHOP)
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] in ("*", SHOP)
    assert "POST" in answer.headers["access-control-allow-methods"]
    taken = {name.strip().lower() for name in answer.headers["access-control-allow-headers"].split(",")}
    assert {"content-type", "authorization"} <= taken
    other = ask(client, OTHER)
    assert (other.status_code == 204) is (allowed == "*")
    assert other.headers.get("access-control-allow-origin") == ("*" if allowed == "*" else None)


def test_answers_may_be_read_by_pages_that_may_send(served: tuple[httpx.Client, str]) -> None:
    client, _ = served
    for body, status in ((EVENT, 202), ({**EVENT, "value": "much"}, 400), ({**EVENT, "propertyId": "nowhere"}, 404)):
        answer = client.post(PATH, json=body, headers={"Origin": SHOP})
        assert answer.status_code == status
        assert answer.headers["access-control-allow-origin"] in ("*", SHOP)
    answer = client.put(PATH, headers={"Origin": SHOP})
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert answer.headers["access-control-allow-origin"] in ("*", SHOP)


@pytest.mark.parametrize("origin", [OTHER, "null", f"{SHOP}.evil.example", "http://shop.example"])
def test_other_pages(served: tuple[httpx.Client, str], origin: str) -> None:
    client, allowed = served
    answer = client.post(PATH, json=EVENT, headers={"Origin": origin})
    if allowed == "*":
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (202, "*")
        return
    assert (answer.status_code, answer.json()["error"]) == (403, "origin_not_allowed")
    assert answer.json()["ok"] is False
    assert "access-control-allow-origin" not in answer.headers


def test_servers_name_no_origin(served: tuple[httpx.Client, str]) -> None:
    assert served[0].post(PATH, json=EVENT).json() == {"ok": True, "accepted": 1, "rejected": []}


def test_the_tracker_may_be_loaded_by_every_page(served: tuple[httpx.Client, str]) -> None:
    for origin in (SHOP, OTHER):
        answer = served[0].get("/web/tracker.js", headers={"Origin": origin})
        assert answer.status_code == 200
        assert answer.headers["access-control-allow-origin"] in ("*", origin)
