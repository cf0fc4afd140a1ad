"""Unsubscribing: a link changes nothing until its button is pressed; one click of a mail program is enough."""

import re
from base64 import b64encode
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from tallymark.engine.base import Engine
from tallymark.spec.project import Project
from tests.packs.web.site import Site, running

ADA = "ada@example.org"
HTML = {"accept": "text/html,application/xhtml+xml"}


def link(site: Site, email: str = ADA) -> str:
    """The path and query of an address's link."""
    answer = site.admin("/unsubscribe/link", email=email)
    assert answer.status_code == 200, answer.text
    url = urlsplit(answer.json()["url"])
    return f"{url.path}?{url.query}"


def since(site: Site, email: str = ADA) -> str | None:
    """Since when an address gets no mail."""
    answer = site.admin("/people/export", email=email)
    return answer.json()["unsubscribe"]["at"] if answer.status_code == 200 and answer.json()["unsubscribe"] else None


def test_opening_the_link_changes_nothing(site: Site) -> None:
    path = link(site)
    for _ in range(2):
        page = site.client.get(path)
        assert page.status_code == 200
    assert since(site) is None
    assert ADA not in page.text
    assert site.project.name not in page.text


def test_the_page_runs_nothing_and_loads_nothing(site: Site) -> None:
    page = site.client.get(link(site))
    assert "<script" not in page.text
    assert not re.search(r"\s(style|on\w+|src|href)=", page.text)
    (style,) = re.findall(r"<style>(.*?)</style>", page.text)
    policy = page.headers["content-security-policy"]
    assert f"style-src 'sha256-{b64encode(sha256(style.encode()).digest()).decode()}'" in policy
    assert policy.startswith("default-src 'none';")
    for rule in ("form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'"):
        assert rule in policy
    assert (page.headers["x-robots-tag"], page.headers["referrer-policy"]) == ("noindex", "no-referrer")
    assert page.headers["cache-control"] == "no-store"
    assert re.findall(r"<form [^>]*>", page.text) == ['<form method="post">']


@pytest.mark.parametrize(
    "how",
    [
        lambda site, path: site.client.post(path, data={"List-Unsubscribe": "One-Click"}),
        lambda site, path: site.client.post(path, files={"List-Unsubscribe": (None, "One-Click")}),
        lambda site, path: site.client.post(path),
        lambda site, path: site.client.post(
            path, headers={**HTML, "content-type": "application/x-www-form-urlencoded"}
        ),
        lambda site, path: site.post("/unsubscribe", data={"token": path.partition("token=")[2]}),
        lambda site, path: site.client.post("/web/v1/unsubscribe", json={"token": path.partition("token=")[2]}),
    ],
    ids=["one click", "one click, multipart", "nothing", "button", "token in form", "token in JSON"],
)
def test_a_post_unsubscribes_at_once_and_for_good(site: Site, how: Callable[[Site, str], httpx.Response]) -> None:
    site.capture(ADA, consent=True)
    path = link(site)
    assert how(site, path).status_code == 200
    first = since(site)
    assert first is not None
    assert how(site, path).status_code == 200
    assert since(site) == first
    (lead,) = site.listed()["leads"]
    assert (lead["unsubscribedAt"], lead["consent"]) == (first, {"marketing": "withdrawn"})


@pytest.mark.parametrize("where", ["body", "query", "list"])
def test_one_good_token_is_enough(site: Site, where: str) -> None:
    good = link(site).partition("token=")[2]
    query, body = {"body": ("bad", good), "query": (good, "bad"), "list": ("", ["bad", good])}[where]
    answer = site.client.post("/web/v1/unsubscribe", params={"token": query}, data={"token": body})
    assert (answer.status_code, answer.json()) == (200, {"ok": True, "unsubscribed": True})
    assert since(site) is not None
    refused = site.client.post("/web/v1/unsubscribe?token=bad", data={"token": "x"})
    assert (refused.status_code, refused.json()["error"]) == (400, "bad_token")


def test_people_read_a_page_and_programs_json(site: Site) -> None:
    path = link(site)
    assert site.client.post(path).json() == {"ok": True, "unsubscribed": True}
    page = site.client.post(path, headers=HTML)
    assert page.headers["content-type"].startswith("text/html")
    assert "content-security-policy" in page.headers
    assert "Unsubscribed" in page.text


def test_an_address_that_nobody_knows(site: Site) -> None:
    path = link(site, "stranger@example.org")
    assert site.client.post(path).status_code == 200
    assert since(site, "stranger@example.org") is not None
    assert since(site, ADA) is None
    assert site.capture("stranger@example.org")["ok"]
    assert site.listed()["leads"][0]["unsubscribedAt"] is not None


def bad_tokens(good: str) -> list[str]:
    """Tokens that nobody made."""
    changed = good[:-1] + ("A" if good[-1] != "A" else "B")
    return ["", "x", good[:-1], good + "A", changed, good.swapcase(), "é" * 80, "A" * 80, "\x00"]


def test_a_bad_token(site: Site) -> None:
    for token in bad_tokens(link(site).partition("token=")[2]):
        for method in ("GET", "POST"):
            answer = site.client.request(method, "/web/v1/unsubscribe", params={"token": token})
            assert (answer.status_code, answer.json()["error"]) == (400, "bad_token")
            page = site.client.request(method, "/web/v1/unsubscribe", params={"token": token}, headers=HTML)
            assert (page.status_code, page.headers["content-type"]) == (400, "text/html; charset=utf-8")
    assert since(site) is None


def test_a_link_of_a_property_that_is_gone(site: Site) -> None:
    path = link(site)
    site.client.delete("/v1/projects/site", headers={"x-admin-key": "the-admin-key"})
    assert site.client.post(path).json()["error"] == "bad_token"


def test_what_a_mail_needs(site: Site) -> None:
    told = site.admin("/unsubscribe/link", email=ADA.upper()).json()
    assert told["ok"] is True
    assert told["headers"] == {
        "List-Unsubscribe": f"<{told['url']}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"
    }  # fmt: skip
    assert re.fullmatch(r"http://testserver\.local/web/v1/unsubscribe\?token=[\w-]{80}", told["url"])
    assert site.admin("/unsubscribe/link", email="nobody").json()["field"] == "email"


@pytest.mark.parametrize(
    ("trusted", "said", "expected"),
    [
        (0, {"x-forwarded-proto": "https", "x-forwarded-host": "m.example"}, "http://testserver.local/"),
        (1, {"x-forwarded-proto": "https", "x-forwarded-host": "m.example"}, "https://m.example/"),
        (1, {"x-forwarded-proto": "ftp", "x-forwarded-host": "evil.example, m.example:8443"}, "http://m.example:8443/"),
        (1, {"x-forwarded-host": "m.example/x?y"}, "http://testserver.local/"),
        (2, {"x-forwarded-proto": "https, http", "x-forwarded-host": "m.example, inner"}, "https://m.example/"),
        (1, {}, "http://testserver.local/"),
    ],
)
def test_the_address_by_which_the_server_is_reached(
    tmp_path: Path, engine: Engine, project: Callable[..., Project], trusted: int, said: dict[str, str], expected: str
) -> None:
    with running(tmp_path / "data", engine, project, trusted_proxies=trusted) as site:
        headers = {"x-admin-key": "the-admin-key", **said}
        url = site.post("/unsubscribe/link", json={"email": ADA}, headers=headers).json()["url"]
        assert url.startswith(f"{expected}web/v1/unsubscribe?token=")
