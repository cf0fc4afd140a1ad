"""`tallymark import`: what becomes of files of events, and what it says of them."""

import gzip
import io
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tallymark.cli.connection import Connection, Refused
from tallymark.cli.transfer import sender
from tests.cli.tool import Ran, Run
from tests.server import ADMIN, RunningServer

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
BOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
LARGEST_BODY = 50_000


def line(target: str = "/", *, day: int = 17, status: int = 200, agent: str = FIREFOX) -> str:
    moment = f"{day:02}/May/2015:10:05:03 +0000"
    return f'192.0.2.1 - - [{moment}] "GET {target} HTTP/1.1" {status} 5 "-" "{agent}"\n'


LOG = "".join(
    [
        line(),
        line(),
        line("/a", day=18),
        line("/a.css"),
        line("/feed/"),
        line("/b", status=404),
        line(agent=BOT),
    ]
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    data = tmp_path_factory.mktemp("server") / "data"
    with RunningServer(data, TALLYMARK_MAX_BODY_BYTES=str(LARGEST_BODY)) as running:
        yield running


@pytest.fixture
def on(run: Run, server: RunningServer) -> Run:
    """Runs commands against the server."""
    return lambda *arguments: run("--endpoint", server.url, "--key", ADMIN, *arguments)


@pytest.fixture
def log(tmp_path: Path) -> str:
    (tmp_path / "access.log").write_text(LOG, encoding="utf-8")
    return "access.log"


def piped(content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes it standard input."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))


def words(ran: Ran) -> list[list[str]]:
    """The lines of what it printed, in words."""
    return [text.split() for text in ran.out.splitlines() if text]


def values(server: RunningServer, project: str, metrics: str, by: str = "") -> dict[str, Any]:
    """The totals of 2015, and the breakdown if there is one."""
    params = {"project": project, "metrics": metrics, "from": "2015-01-01", "to": "2015-12-31"}
    answer = server.ask("GET", "/v1/query", params=params | ({"by": by} if by else {})).json()
    totals = {name: told["value"] for name, told in answer["metrics"].items()}
    return totals | {row["key"]: row for row in answer.get("breakdown") or []}


def test_an_access_log_becomes_numbers(on: Run, server: RunningServer, log: str) -> None:
    ran = on("import", "access-log", log, "--project", "site", "--create", "--host", "example.org", "--json")
    told = ran.json
    assert ran.code == 0
    assert told["kinds"] == {
        "page": 3, "bot": 1, "asset": 1, "feed": 1, "failed": 1, "redirect": 0, "not_get": 0
    }  # fmt: skip
    assert (told["read"], told["accepted"], told["refused"]) == (7, 7, {})
    assert (told["firstDay"], told["lastDay"]) == ("2015-05-17", "2015-05-18")
    assert sorted(told["keys"]) == ["admin", "ingest", "read"]
    numbers = values(server, "site", "page_views,visitors,bot_views,other_requests", "host")
    assert {name: numbers[name] for name in ("page_views", "visitors", "bot_views", "other_requests")} == {
        "page_views": 3, "visitors": 1, "bot_views": 1, "other_requests": 3
    }  # fmt: skip
    assert numbers["example.org"]["page_views"] == 3


def test_a_file_imported_again_changes_no_number(on: Run, server: RunningServer, log: str, tmp_path: Path) -> None:
    (tmp_path / "access.log.gz").write_bytes(gzip.compress(LOG.encode()))
    metrics = "page_views,visitors,bot_views,other_requests,events"
    on("import", "access-log", log, "--project", "again", "--create")
    before = values(server, "again", metrics, "path")
    ran = on("import", "access-log", log, "access.log.gz", "--project", "again", "--create", "--json")
    assert (ran.json["read"], ran.json["accepted"]) == (14, 14)
    assert "keys" not in ran.json
    assert values(server, "again", metrics, "path") == before
    assert before["page_views"] == 3


def test_a_table_tells_what_was_refused_and_where(on: Run, tmp_path: Path) -> None:
    rows = [
        "user,score,day",
        "ann,3,2015-05-17",
        "bob,many,2015-05-17",
        "cy,4",
        "dee,5,soon",
        "eve,6,2015-05-19",
    ]
    (tmp_path / "quiz.csv").write_text("\n".join(rows), encoding="utf-8")
    mapped = (
        "--map",
        "userId=user",
        "--map",
        "value=score",
        "--map",
        "timestamp=day",
        "--set",
        "event=answered",
    )
    ran = on("import", "csv", "quiz.csv", "--project", "quiz", "--create", *mapped)
    assert ran.code == 0
    printed = words(ran)
    assert ["Accepted", "2", "2015-05-17", "to", "2015-05-19"] in printed
    assert ["Refused", "3"] in printed
    assert ["malformed", "1", "quiz.csv:", "4"] in printed
    assert ["bad_value", "1", "quiz.csv:", "3"] in printed
    assert ["bad_timestamp", "1", "quiz.csv:", "5"] in printed
    assert "bob" not in ran.out
    assert "many" not in ran.out


def test_json_lines_that_are_events(on: Run, server: RunningServer, tmp_path: Path) -> None:
    event = {"event": "order", "timestamp": "2015-05-17T10:00:00Z", "userId": "ann", "value": 2.5}
    lines = [event, event, event | {"eventId": "1"}, event | {"eventId": "1"}]
    (tmp_path / "orders.jsonl").write_bytes(b"\n".join(map(msgspec.json.encode, lines)))
    ran = on("import", "jsonl", "orders.jsonl", "--project", "orders", "--create", "--json")
    assert ran.json["accepted"] == 4
    assert values(server, "orders", "events,actors,value") == {"events": 3, "actors": 1, "value": 7.5}


def test_parquet_from_standard_input(on: Run, server: RunningServer, monkeypatch: pytest.MonkeyPatch) -> None:
    file = io.BytesIO()
    pq.write_table(pa.table({"player": [1, 2, 2], "day": [0, 1, 1], "rounds": [10, 20, 20]}), file)
    piped(file.getvalue(), monkeypatch)
    mapped = (
        "--map",
        "actor=player",
        "--map",
        "value=rounds",
        "--map",
        "timestamp=day",
        "--set",
        "event=played",
    )
    ran = on(
        "import",
        "parquet",
        "-",
        "-p",
        "game",
        "--create",
        "--day-offset-from",
        "2015-05-17",
        *mapped,
        "--json",
    )
    assert (ran.json["firstDay"], ran.json["lastDay"]) == ("2015-05-17", "2015-05-18")
    assert values(server, "game", "events,actors,value") == {"events": 3, "actors": 2, "value": 50}


def test_chunks_are_cut_until_the_server_takes_them(on: Run, tmp_path: Path) -> None:
    event = {"event": "note", "timestamp": 1431857103, "properties": {"text": "x" * 20_000}}
    lines = [event, event, event, event | {"properties": {"text": "x" * LARGEST_BODY}}, event]
    (tmp_path / "notes.jsonl").write_bytes(b"\n".join(map(msgspec.json.encode, lines)))
    ran = on("import", "jsonl", "notes.jsonl", "--project", "notes", "--create", "--json")
    assert ran.err == ""
    told = ran.json
    assert (told["accepted"], told["refused"]) == (4, {"too_large": 1})
    assert told["examples"]["too_large"]["places"] == [{"file": "notes.jsonl", "number": 4}]


def test_a_project_has_to_exist(on: Run, log: str) -> None:
    ran = on("import", "access-log", log, "--project", "nowhere")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == "error: There is no project 'nowhere'; --create makes it.\n"


def test_what_was_imported_before_an_error_is_told(on: Run, log: str, tmp_path: Path) -> None:
    (tmp_path / "cut.log.gz").write_bytes(gzip.compress(LOG.encode())[:-9])
    ran = on("import", "access-log", log, "cut.log.gz", "--project", "cut", "--create")
    assert ran.code == 1
    assert ["Accepted", "7", "2015-05-17", "to", "2015-05-18"] in words(ran)
    assert ran.err == "error: cut.log.gz: The gzip data is damaged or cut short.\n"


def test_a_dry_run_needs_no_project_and_sends_nothing(run: Run, log: str) -> None:
    ran = run("--endpoint", "http://127.0.0.1:9", "import", "access-log", log, "--dry-run")
    assert ran.code == 0
    assert words(ran)[:9] == [
        ["Read", "7"],
        ["page", "views", "3"],
        ["page", "views", "of", "bots", "1"],
        ["assets", "1"],
        ["feeds", "1"],
        ["failures", "1"],
        ["redirects", "0"],
        ["other", "methods", "0"],
        ["Well-formed", "7", "2015-05-17", "to", "2015-05-18"],
    ]


@pytest.mark.parametrize("packed", [False, True])
def test_standard_input_is_plain_or_gzip(run: Run, packed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    piped(gzip.compress(LOG.encode()) if packed else LOG.encode(), monkeypatch)
    assert run("import", "access-log", "-", "--dry-run", "--json").json["read"] == 7


def test_a_file_of_many_chunks(run: Run, tmp_path: Path) -> None:
    (tmp_path / "many.log").write_text(line() * 10_500 + "no line\n" * 7, encoding="utf-8")
    told = run("import", "access-log", "many.log", "--dry-run", "--json").json
    assert (told["read"], told["accepted"], told["refused"]) == (10_507, 10_500, {"malformed": 7})
    places = [place["number"] for place in told["examples"]["malformed"]["places"]]
    assert places == [10_501, 10_502, 10_503, 10_504, 10_505]


def test_a_file_without_a_good_line_is_a_failure(run: Run, tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_text("hello\n", encoding="utf-8")
    ran = run("import", "jsonl", "x.jsonl", "--dry-run")
    assert ran.code == 1
    assert ["malformed", "1", "x.jsonl:", "1"] in words(ran)


def test_an_empty_file_is_none(run: Run, tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    for format in ("access-log", "jsonl", "csv"):
        ran = run("import", format, "empty", "--dry-run", "--json")
        assert (ran.code, ran.json["read"]) == (0, 0)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("access-log", "absent.log", "-p", "site"), 1, "There is no file absent.log."),
        (("access-log", ".", "-p", "site"), 1, ". can't be read."),
        (("access-log", "access.log"), 2, "say which project"),
        (("csv", "access.log", "--dry-run", "--map", "event"), 2, "no = in it"),
        (("csv", "access.log", "--dry-run", "--map", "evnt=a"), 1, "no field 'evnt'"),
        (("parquet", "access.log", "--dry-run"), 1, "access.log: The file is no Parquet"),
        (("csv", "access.log", "--dry-run"), 1, "No column names the event"),
        (("csv", "access.log", "--dry-run", "--day-offset-from", "May"), 2, "May"),
    ],
)
@pytest.mark.usefixtures("log")
def test_what_cant_be_done_is_said_in_a_sentence(run: Run, arguments: tuple[str, ...], code: int, said: str) -> None:
    ran = run("import", *arguments)
    assert ran.code == code
    assert said in " ".join(ran.err.split())
    assert ran.out == ""


@pytest.mark.parametrize("format", ["access-log", "jsonl", "csv", "parquet"])
def test_help_shows_an_example(run: Run, format: str) -> None:
    assert f"Example: tallymark import {format} " in run("import", format, "--help").out


def answering(*answers: httpx.Response) -> Connection:
    """A connection to a server that gives these answers."""
    left = iter(answers)
    return Connection(httpx.Client(base_url="http://server", transport=httpx.MockTransport(lambda _: next(left))))


def refusal(status: int, code: str) -> httpx.Response:
    return httpx.Response(status, json={"error": {"code": code, "message": "No."}})


def test_a_busy_server_is_asked_again() -> None:
    pauses: list[float] = []
    answer = {"accepted": 0, "rejected": []}
    connection = answering(refusal(503, "queue_full"), refusal(503, "unavailable"), httpx.Response(202, json=answer))
    assert sender(connection, "site", pauses.append)(b"[]") == answer
    assert pauses == [0.1, 0.5]


def test_a_server_that_goes_away_for_a_moment_is_asked_again() -> None:
    answers = iter([httpx.ReadError("gone"), httpx.ConnectError("gone"), None])

    def handle(_: httpx.Request) -> httpx.Response:
        if error := next(answers):
            raise error
        return httpx.Response(202, json={"accepted": 0, "rejected": []})

    connection = Connection(httpx.Client(base_url="http://server", transport=httpx.MockTransport(handle)))
    assert sender(connection, "site", lambda _: None)(b"[]") == {"accepted": 0, "rejected": []}


def test_a_server_that_stays_busy_is_an_error() -> None:
    pauses: list[float] = []
    with pytest.raises(Refused):
        sender(answering(*[refusal(503, "queue_full")] * 50), "site", pauses.append)(b"[]")
    assert 60 < sum(pauses) < 180


def test_what_waiting_cant_help_is_an_error_at_once() -> None:
    with pytest.raises(Refused):
        sender(answering(refusal(503, "admin_auth_not_configured")), "site", lambda _: pytest.fail("It waited."))(b"[]")
