"""Requests are counted by key and by address, told what is left, and refused in the words of each contract."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from tallymark.api.rate_limits import network
from tallymark.engine.base import Engine
from tests.api.test_answers import NOON
from tests.packs.quiz.bearers import BELIEVING, token_of
from tests.packs.world import ADMIN, Application, application, bearer
from tests.valkey import running

Start = Callable[..., Application]


@pytest.fixture
def start(engine: Engine, tmp_path: Path) -> Iterator[Start]:
    """Starts applications of one installation."""
    with ExitStack() as stack:

        def begin(**settings: Any) -> Application:
            made: AbstractContextManager[Application] = application(tmp_path / "data", engine, NOON, **settings)
            return stack.enter_context(made)

        yield begin


def metrics(app: Application, **headers: str) -> httpx.Response:
    """A question that needs a key."""
    return app.client.get("/v1/metrics", headers=headers)


def counters(app: Application, **headers: str) -> httpx.Response:
    """A question that needs none."""
    return app.client.get("/sdk/api/v1/metrics", headers=headers)


def limited(app: Application, limit: str) -> float:
    """How many requests this limit refused, as Prometheus is told."""
    (line,) = [
        line for line in app.client.get("/metrics").text.splitlines() if f'limited_total{{limit="{limit}"' in line
    ]
    return float(line.split()[-1])


def test_by_key(start: Start) -> None:
    app = start(rate_limit=3)
    _, keys = app.make("web")
    answers = [metrics(app, **bearer(keys["read"])) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert [answer.headers["ratelimit-policy"] for answer in answers] == ['"key";q=3;w=60'] * 4
    assert [answer.headers["ratelimit"].partition(";t=")[0] for answer in answers] == [
        '"key";r=2', '"key";r=1', '"key";r=0', '"key";r=0',
    ]  # fmt: skip
    assert 0 < int(answers[-1].headers["retry-after"]) <= 20
    error = answers[-1].json()["error"]
    assert (error["code"], set(error)) == ("rate_limited", {"code", "message"})
    assert metrics(app, **{"x-api-key": keys["read"]}).status_code == 429  # however it is sent
    assert metrics(app, **bearer(ADMIN)).status_code == 200
    assert app.client.get("/health").status_code == app.client.get("/ready").status_code == 200
    assert limited(app, "key") == 2


def test_by_address_without_a_key(start: Start) -> None:
    app = start(rate_limit_address=2, trusted_proxies=1)
    sent = [{"x-forwarded-for": f"203.0.113.{n}"} for n in (1, 1, 1, 2)]
    assert [counters(app, **headers).status_code for headers in sent] == [404, 404, 429, 404]
    forged = {"x-forwarded-for": "198.51.100.1, 203.0.113.1"}
    assert counters(app, **forged).status_code == 429
    assert limited(app, "address") == 2


def test_without_a_proxy_its_header_says_nothing(start: Start) -> None:
    app = start(rate_limit_address=2)
    sent = [{"x-forwarded-for": f"203.0.113.{n}"} for n in range(3)]
    assert [counters(app, **headers).status_code for headers in sent] == [404, 404, 429]


def test_wrong_keys_are_refused_by_address_and_good_ones_are_not(start: Start) -> None:
    app = start(rate_limit_address=30)

    def send(key: str) -> httpx.Response:
        return app.client.post("/v1/events", json={"event": "page_view"}, headers=bearer(key))

    told = [ask.status_code for n in range(3) for ask in (metrics(app, **bearer(f"asks-{n}")), send(f"sends-{n}"))]
    assert told == [401, 401, 401, 429, 429, 429]
    sent = send("another")
    assert (sent.status_code, sent.json()["error"]["code"]) == (429, "rate_limited")
    assert metrics(app, **bearer(ADMIN)).status_code == 200
    assert metrics(app).status_code == 401  # none is no guess


def test_events_by_key(start: Start) -> None:
    app = start(rate_limit_ingest=2)
    for origin in ({}, {"origin": "https://a.example"}):  # a browser's take the long way
        _, keys = app.make("web")
        headers = {**bearer(keys["ingest"]), **origin}
        sent = [app.client.post("/v1/events", json={"event": "page_view"}, headers=headers) for _ in range(3)]
        assert [answer.status_code for answer in sent] == [202, 202, 429]
        assert [answer.headers["ratelimit-policy"] for answer in sent] == ['"ingest";q=2;w=60'] * 3
        assert sent[-1].json()["error"]["code"] == "rate_limited"
        assert int(sent[-1].headers["retry-after"]) > 0
        assert metrics(app, **bearer(keys["admin"])).status_code == 200


#: What takes events, and how it calls its errors.
TAKES: dict[str, Callable[[Any], str]] = {
    "/v1/events": lambda body: body["error"]["code"],
    "/v1/import": lambda body: body["error"]["code"],
    "/web/v1/events": lambda body: body["error"],
    "/sdk/api/v1/events": lambda body: body["error"],
    "/ab/v1/events": lambda body: body["error"],
    "/voice/ingest": lambda body: body["error"],
    "/ofrep/v1/evaluate/flags": lambda body: {"GENERAL": "rate_limited"}[body["errorCode"]],
}


def test_the_words_of_each_contract(start: Start) -> None:
    app = start(rate_limit_ingest=1, rate_limit_address=1, trusted_proxies=1)
    for n, (path, error) in enumerate(TAKES.items()):
        headers = {"x-forwarded-for": f"203.0.113.{n}"}
        first, second = (app.client.post(path, json={}, headers=headers) for _ in range(2))
        assert first.status_code != 429, path
        assert (second.status_code, error(second.json())) == (429, "rate_limited"), path
        assert int(second.headers["retry-after"]) > 0
        assert second.headers["ratelimit"].startswith(second.headers["ratelimit-policy"].split(";")[0])


def test_none_where_none_is_wanted(start: Start) -> None:
    app = start(rate_limit=0, rate_limit_address=0)
    for answer in [metrics(app, **bearer(ADMIN)), counters(app), metrics(app, **bearer("guess"))]:
        assert "ratelimit" not in answer.headers


def test_processes_count_together_and_alone_without_their_valkey(start: Start, tmp_path: Path) -> None:
    with running(tmp_path / "valkey") as valkey:
        one, other = (start(rate_limit=4, cache=valkey.url) for _ in range(2))
        _, keys = one.make("web")
        told = [metrics(app, **bearer(ADMIN)).status_code for app in (one, other, one, other, one)]
        assert told == [200, 200, 200, 429, 429]  # one made the project
        assert not any(ADMIN.encode() in key for key in valkey.client.scan_iter("*"))
        valkey.kill()
        assert metrics(other, **bearer(ADMIN)).status_code == 429
        assert [metrics(one, **bearer(keys["read"])).status_code for _ in range(5)] == [200] * 4 + [429]


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("fe80::1%eth0", "fe80::"),
        ("not:an:address", "not:an:address"),
        ("", ""),
    ],
)
def test_an_address_is_counted_by_its_network(address: str, counted: str) -> None:
    assert network(address) == counted


def test_tokens_count_by_themselves_and_bad_ones_as_wrong_keys(start: Start) -> None:
    app = start(rate_limit=2, rate_limit_address=20, **BELIEVING)
    name, _ = app.make("quiz")

    def ask(key: str) -> httpx.Response:
        path, days = "/quiz/api/v1/analytics/quizzes", {"project": name}
        return app.client.get(path, params=days, headers=bearer(key))

    for key in (token_of("ada", name), token_of("bob", name)):
        answers = [ask(key) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert answers[-1].headers["ratelimit-policy"] == '"key";q=2;w=60'
    bad = [token_of("cleo", name, exp=n) for n in range(2)]
    assert [ask(key).status_code for key in (*bad, "tm_read_no", *bad)] == [401, 401, 429, 429, 429]
    assert ask(token_of("cleo", name)).status_code == 200
