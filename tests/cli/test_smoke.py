"""`tallymark smoke`: all is well at a server that is, and every way in which one is not is told."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from tallymark.cli.smoke_problems import Answer, unexpected
from tallymark.packs import PRODUCTS
from tallymark.spec.smoke import Call, Step
from tests.cli.tool import Ran, Run
from tests.server import ADMIN, RunningServer, free_port

PACKS = [product.pack.name for product in PRODUCTS]

#: What a path of the stub answers: a status and a body, which is JSON if it is no text.
Says = Mapping[str, Callable[[], tuple[int, object]]]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with RunningServer(tmp_path_factory.mktemp("smoke") / "data") as running:
        yield running


def steps(ran: Ran) -> list[tuple[str, str]]:
    """Pack and step of all that went well; nothing else may be there."""
    assert (ran.code, ran.err) == (0, ""), ran.out
    assert ran.json["ok"]
    assert all((step["ok"], step["problem"]) == (True, "") for step in ran.json["steps"])
    return [(step["pack"], step["step"]) for step in ran.json["steps"]]


def test_every_pack_has_a_smoke_test() -> None:
    assert [product.pack.name for product in PRODUCTS if product.smoke is None] == []


def test_a_server_that_works(server: RunningServer, run: Run) -> None:
    first = steps(run("smoke", "--endpoint", server.url, "--key", ADMIN, "--timeout", "120", "--json"))
    assert [*dict.fromkeys(pack for pack, _ in first)] == PACKS
    assert [pack for pack, step in first if step == "the project is made"] == PACKS
    again = run("--endpoint", server.url, "--key", ADMIN, "smoke", "--timeout", "120")
    assert (again.code, again.err) == (0, "")
    lines = again.out.splitlines()
    assert [line.split()[0] for line in lines] == ["ok"] * len(first) + ["All"]
    assert not [line for line in lines if "made" in line and "project" in line]
    assert f"All {len(first)} steps are ok at {server.url}" in lines[-1]
    asked = {"project": "smoke-core", "metrics": "events,actors"}
    told = server.ask("GET", "/v1/query", params=asked).json()["metrics"]
    assert (told["events"]["value"], told["actors"]["value"]) == (4, 2)
    assert server.ask("GET", "/web/v1/leads?propertyId=smoke-web").json()["leads"] == []
    (experiment,) = server.ask("GET", "/v1/experiments?project=smoke-ab").json()["experiments"]
    assert (experiment["key"], experiment["status"]) == ("smoke", "stopped")


def test_a_project_of_others_with_its_own_key(server: RunningServer, run: Run) -> None:
    key = server.project("site", packs=["web"], timezone="Asia/Tokyo")["admin"]
    visit = {"event": "page_view", "visitorId": "v", "url": "https://a.example/", "eventId": "1"}
    assert server.ask("POST", "/v1/events", key, json=[visit]).status_code == 202
    to = ("--endpoint", server.url, "--key", key, "--timeout", "120")
    tested = steps(run("smoke", *to, "--project", "site", "--json"))
    assert {pack for pack, _ in tested} == {"core", "web"}
    assert server.ask("POST", "/v1/rollup/run", key, params={"project": "site"}).status_code == 200
    asked = {"project": "site", "metrics": "page_views"}
    assert server.ask("GET", "/v1/query", key, params=asked).json()["metrics"]["page_views"]["value"] == 1
    own = run("smoke", *to, "--pack", "web")
    assert (own.code, "This key" in own.out, "give it an admin key" in own.out) == (1, True, True)
    absent = run("smoke", *to, "--pack", "ab", "--project", "site")
    assert (absent.code, "tallymark projects create site --pack ab" in absent.out) == (1, True)


def test_a_key_that_only_reads(server: RunningServer, run: Run) -> None:
    key = server.project("read-only")["read"]
    ran = run("smoke", "--endpoint", server.url, "--key", key, "--project", "read-only")
    assert ran.code == 1
    lines = ran.out.splitlines()
    place = next(i for i, line in enumerate(lines) if line.startswith("FAILED"))
    assert lines[place].split() == ["FAILED", "core", "an", "event", "is", "taken,", "twice"]
    assert lines[place + 1].strip() == "Expected status 202, got 403. This key is for read, and this needs ingest."
    assert lines[place + 2].strip().startswith('POST /v1/events?project=read-only {"event": "smoke"')
    assert lines[place + 2].endswith("was answered 403")
    assert "give it an admin key" in lines[place + 3]
    assert lines[-1].startswith("3 of 6 steps failed")


def core(query: Callable[[], tuple[int, object]]) -> Says:
    """What a server without a fault says to one test of the core, but for the numbers."""
    receipts = iter([_receipt(), _receipt(), _receipt({"index": 0, "reason": "missing_event"})])
    return {
        "/v1/projects/smoke-core": lambda: (
            200, {"project": {"name": "smoke-core", "timezone": "UTC", "packs": []}}
        ),
        "/health": lambda: (200, {"status": "ok"}),
        "/ready": lambda: (200, {"status": "ok"}),
        "/v1/events": lambda: (202, next(receipts)),
        "/v1/query": query,
    }  # fmt: skip


def _receipt(*rejected: object) -> dict[str, object]:
    return {"accepted": 1, "rejected": list(rejected)}


def counting(*events: int | None) -> Callable[[], tuple[int, object]]:
    """Answers whose number of events goes through these, and stays at the last; None is nothing counted yet."""
    told = list(events)

    def answer() -> tuple[int, object]:
        number = told.pop(0) if len(told) > 1 else told[0]
        values = {"events": number, "actors": number and (number + 1) // 2, "value": number and number * 3}
        return 200, {"metrics": {name: {"value": value} for name, value in values.items()}}

    return answer


@contextmanager
def stub(says: Says) -> Iterator[str]:
    """The URL of a server that says that; nothing else is there."""

    class Stub(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"] or 0))
            status, body = says.get(self.path.partition("?")[0], lambda: (404, {}))()
            text = body if isinstance(body, str) else json.dumps(body)
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        do_POST = do_GET  # noqa: N815  # the names are http.server's

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Stub) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def run_at(run: Run, says: Says, timeout: str = "3") -> Ran:
    with stub(says) as url:
        return run("smoke", "--pack", "core", "--endpoint", url, "--timeout", timeout)


def test_numbers_that_follow_late(run: Run) -> None:
    ran = run_at(run, core(counting(None, None, 1, 2)), "60")
    assert (ran.code, "FAILED" in ran.out) == (0, False)


def failing(path: str, status: int, body: object) -> Says:
    """A stub with one fault."""
    return {**core(counting(0, 2)), path: lambda: (status, body)}


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        ((7,), "Expected metrics.events.value to grow by 2 to 9, got 7."),
        ((7, 10), "Something counts more than once"),
        ((0, 2, 3), "Expected metrics.events.value to grow by 2 to 2, got 3."),
    ],
)
def test_numbers_that_do_not_follow(run: Run, numbers: tuple[int, ...], words: str) -> None:
    ran = run_at(run, core(counting(*numbers)))
    assert (ran.code, ran.err, ran.out.count("FAILED")) == (1, "", 1)
    assert words in ran.out
    assert "GET /v1/query?project=smoke-core&metrics=events,actors,value&filter=event:is:smoke" in ran.out


@pytest.mark.parametrize(
    ("path", "status", "body", "words"),
    [
        ("/v1/query", 200, [], "Expected metrics.events.value to grow by 2 to 2, got nothing."),
        ("/v1/query", 404, {}, "Expected status 200, got 404. The server answered 404."),
        ("/v1/query", 503, "away", "`/ready` says which part of the server is away."),
        ("/v1/events", 500, {"error": {"message": "It is logged."}}, "Expected status 202, got 500. It is logged."),
        ("/v1/events", 500, "", "log says what went wrong"),
        ("/v1/events", 200, {"accepted": 1}, "Expected status 202, got 200."),
        ("/v1/events", 202, {"accepted": 2}, "Expected accepted to be 1, got 2."),
        ("/v1/events", 202, {"accepted": 1, "rejected": []}, "Expected rejected.0.index to be 0, got nothing."),
        ("/ready", 200, {"status": "degraded"}, 'Expected status to be "ok", got "degraded".'),
        ("/health", 200, "<html>", 'Expected status to be "ok", got nothing.'),
        ("/v1/projects/smoke-core", 404, {}, "Is it a Tallymark of this version"),
        ("/v1/projects/smoke-core", 200, {}, 'Expected project.name to be "smoke-core", got nothing.'),
    ],
)
def test_what_is_wrong_is_told(run: Run, path: str, status: int, body: object, words: str) -> None:
    ran = run_at(run, failing(path, status, body))
    assert (ran.code, ran.err) == (1, "")
    assert words in ran.out
    assert "FAILED" in ran.out


def test_a_server_that_hangs(run: Run) -> None:
    ended = Event()

    def hang() -> tuple[int, object]:
        ended.wait(60)
        return 202, _receipt()

    with stub({**core(counting(0)), "/v1/events": hang}) as url:
        ran = run("smoke", "--pack", "core", "--endpoint", url, "--timeout", "3", "--json")
        ended.set()
    *well, last = ran.json["steps"]
    assert (ran.code, [step["ok"] for step in well], last["status"]) == (1, [True] * 3, None)
    assert "Nothing answers at" in last["problem"]
    assert "timed out" in last["problem"]


def test_nobody_is_there(run: Run, tmp_path: Path) -> None:
    away = run("smoke", "--endpoint", f"http://127.0.0.1:{free_port()}")
    assert (away.code, away.out.count("FAILED")) == (1, 1)
    assert "Connection refused" in away.out
    assert "Is the server running there" in away.out
    none = run("smoke")
    assert (none.code, none.out) == (1, "")
    assert "start one with `tallymark serve`" in none.err
    assert list(tmp_path.iterdir()) == []


def test_wrong_usage(run: Run) -> None:
    assert "core, sdk, web" in " ".join(run("smoke", "--pack", "x").err.split())
    for wrong in (("--pack", "x"), ("--timeout", "0"), ("--timeout", "soon")):
        assert run("smoke", *wrong).code == 2


def test_what_has_to_stay_the_same() -> None:
    step = Step("asked twice", Call("GET", "/"), says={"ok": True}, times=2, same=("variant",))
    answers = [Answer(200, {"ok": True, "variant": variant}, "") for variant in ("a", "b")]
    assert unexpected(step, answers[:1] * 2) is None
    problem = unexpected(step, answers)
    assert problem is not None
    assert problem.text == 'Expected variant to stay the same, got "a", then "b".'
