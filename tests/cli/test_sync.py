"""`tallymark sync postgres`: rows of a real PostgreSQL become events, each of them once."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tallymark.errors import BadRequest
from tallymark.ingest.postgres.source import Source
from tests.cli.tool import Ran, Run, runner
from tests.postgres_database import Database, database
from tests.server import ADMIN, RunningServer

#: Time, hashed actor and properties.
Event = tuple[datetime, str, dict[str, Any]]
Events = Callable[[], list[Event]]

RESULTS = (
    "--table", "quiz_results", "--cursor", "updated_at", "--set", "event=quiz_submitted",
    "--map", "timestamp=created_at", "--map", "userId=user_id", "--map", "properties.quizId=quiz_id",
    "--map", "properties.score=score", "--map", "properties.maxScore=max_score",
    "--map", "properties.timeMs=time_spent", "--scale", "time_spent=1000",
)  # fmt: skip
LEADS = (
    "--table", "leads", "--cursor", "id", "--set", "event=quiz_lead", "--map", "timestamp=created_at",
    "--map", "userId=email", "--map", "properties.quizId=quiz_id", "--map", "properties.source=source",
)  # fmt: skip


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with database(tmp_path_factory.mktemp("postgres")) as opened:
        yield opened


@pytest.fixture
def source(postgres: Database) -> Database:
    """The database, its tables empty."""
    postgres.run("TRUNCATE quiz_results, leads, loose RESTART IDENTITY")
    return postgres


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with RunningServer(tmp_path_factory.mktemp("server") / "data", TALLYMARK_LINGER_MS="0") as running:
        yield running


@pytest.fixture
def project(server: RunningServer, request: pytest.FixtureRequest) -> str:
    """A new project."""
    name = f"p{abs(hash(request.node.name)):x}"
    server.project(name)
    return name


@pytest.fixture
def run(
    server: RunningServer, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Run:
    """Runs commands against the server."""
    monkeypatch.delenv("TALLYMARK_SYNC_DSN", raising=False)
    command = runner(tmp_path, capsys, monkeypatch)
    return lambda *arguments: command("--endpoint", server.url, "--key", ADMIN, *arguments)


@pytest.fixture
def asked(run: Run, source: Database, project: str) -> Run:
    """Runs a sync into the project."""
    return lambda *arguments: run("sync", "postgres", "--project", project, "--dsn", source.reader, *arguments)


@pytest.fixture
def sync(asked: Run) -> Run:
    """Runs a sync that has to end well, as JSON."""

    def sync(*arguments: str) -> Ran:
        ran = asked("--json", *arguments)
        assert ran.code == 0, ran.err
        return ran

    return sync


@pytest.fixture
def refused(asked: Run, source: Database) -> Callable[..., str]:
    """What a sync that can't be run says."""

    def refused(*arguments: str) -> str:
        ran = asked(*arguments)
        assert (ran.code, ran.out) == (1, "")
        assert source.password not in ran.err
        return ran.err

    return refused


@pytest.fixture
def events(server: RunningServer, project: str) -> Events:
    """The events of the project."""
    return lambda: _exported(server, project)


def _exported(server: RunningServer, project: str) -> list[Event]:
    order = {"project": project, "what": "events", "format": "jsonl", "from": "2026-02-01", "to": "2026-12-31"}
    export = server.ask("POST", "/v1/exports", json=order).json()
    until = time.monotonic() + 120
    while export["status"] != "done" and time.monotonic() < until:
        time.sleep(0.02)
        export = server.ask("GET", f"/v1/exports/{export['id']}").json()
    lines = server.ask("GET", export["downloadUrl"].removeprefix(server.url)).text.splitlines()
    return [_event(json.loads(line)) for line in lines]


def _event(row: dict[str, Any]) -> Event:
    return datetime.fromisoformat(row["time"]), row["actor"], row["props"]


def test_rows_become_events_each_of_them_once(sync: Run, source: Database, events: Events) -> None:
    source.results(1, 3_000)
    told = sync(*RESULTS, "--batch", "700").json
    assert (told["rows"], told["accepted"], told["refused"], told["readAgain"]) == (3_000, 3_000, {}, 0)
    rows = source.ask("SELECT * FROM quiz_results")
    expected = [
        (row["created_at"], {
            "quizId": str(row["quiz_id"]), "score": row["score"], "maxScore": 20, "timeMs": row["time_spent"] * 1000,
        })
        for row in rows
    ]  # fmt: skip
    got = events()
    assert sorted(((at, props) for at, _, props in got), key=str) == sorted(expected, key=str)
    assert len({actor for _, actor, _ in got}) == len({row["user_id"] for row in rows}) == 50
    told = sync(*RESULTS).json
    assert (told["rows"], told["readAgain"]) == (0, told["accepted"])
    assert told["accepted"] == sum(row["updated_at"] >= datetime(2026, 3, 1, 7, 3, tzinfo=UTC) for row in rows)
    assert sync(*RESULTS, "--overlap", "0").json["read"] == 0
    assert events() == got


def test_what_is_committed_late_is_found_in_the_overlap(sync: Run, source: Database, events: Events) -> None:
    source.results(1, 100)
    source.results(131, 200)
    assert sync(*RESULTS).json["rows"] == 170
    source.results(180_000, 180_010)
    source.results(121, 130)
    told = sync(*RESULTS, "--overlap", "12m").json
    assert (told["rows"], len(events())) == (11, 191)
    assert 10 <= told["readAgain"] < 170


def test_rows_of_one_moment_are_told_apart(sync: Run, source: Database, events: Events) -> None:
    source.results(1, 100)
    source.run("UPDATE quiz_results SET updated_at = '2026-03-02Z'")
    assert sync(*RESULTS, "--batch", "7").json["rows"] == 100
    assert len(events()) == 100


def test_a_row_that_changed_is_the_same_event_unless_versions_are_events(
    sync: Run, source: Database, events: Events
) -> None:
    source.results(1, 10)
    versions = (*RESULTS, "--name", "versions", "--id-columns", "id,updated_at")
    sync(*RESULTS)
    source.run("UPDATE quiz_results SET score = 99, updated_at = updated_at + interval '1 day'")
    assert sync(*RESULTS).json["rows"] == 10
    assert sorted(props["score"] for _, _, props in events()) == list(range(1, 11))
    sync(*versions)
    assert [props["score"] for _, _, props in events()].count(99) == 10
    assert len(events()) == 20


def test_what_has_no_place_or_time_yet_is_counted_and_read_later(sync: Run, source: Database, events: Events) -> None:
    source.results(1, 10)
    mapped = (*RESULTS, "--map", "timestamp=completed_at")
    source.run("""
        UPDATE quiz_results SET completed_at = created_at AT TIME ZONE 'UTC';
        UPDATE quiz_results SET updated_at = NULL WHERE score = 1;
        UPDATE quiz_results SET updated_at = '2999-01-01Z' WHERE score = 2;
        UPDATE quiz_results SET completed_at = NULL, status = 'in_progress' WHERE score = 3
    """)
    told = sync(*mapped).json
    assert (told["withoutCursor"], told["aheadOfTime"], told["withoutTime"], told["accepted"]) == (1, 1, 1, 7)
    source.run("UPDATE quiz_results SET completed_at = '2026-03-02', updated_at = '2026-03-03Z' WHERE score <= 3")
    assert sync(*mapped).json["rows"] == 3
    assert len(events()) == 10
    assert events()[-1][0] == datetime(2026, 3, 2, tzinfo=UTC)


def test_every_type_is_as_json_has_it(sync: Run, source: Database, events: Events) -> None:
    source.results(7, 7)
    source.run("UPDATE quiz_results SET score = 'NaN', passed = NULL")
    sync(*RESULTS, "--all-columns", "--map", "properties.choice=answers.q1.choice", "--map", "properties.bytes=photo")
    ((_, _, props),) = events()
    assert props == {
        "quizId": str(source.ask("SELECT quiz_id FROM quiz_results")[0]["quiz_id"]), "maxScore": 20, "timeMs": 37_000,
        "status": "completed", "choice": "b", "tags": ["a", "b"], "took": 37_000, "bytes": "dead",
        "answers": {"q1": {"choice": "b"}},
    }  # fmt: skip


def test_an_address_is_the_user_and_never_a_property(
    sync: Run, source: Database, events: Events, refused: Callable[..., str]
) -> None:
    source.run("""INSERT INTO leads (quiz_id, name, email, phone, source, created_at)
        SELECT md5('q')::uuid, 'Ada', 'ada' || n % 3 || '@example.org', '+1 212 555 0100', 'ad', '2026-03-01Z'
        FROM generate_series(1, 9) n""")
    told = sync(*LEADS, "--all-columns").json
    assert told["columnsLeftOut"] == ["name", "phone"]
    got = events()
    assert len(got) == 9
    assert len({actor for _, actor, _ in got}) == 3
    assert not [props for _, _, props in got if set(props) != {"quizId", "source"}]
    said = refused(*LEADS, "--map", "properties.contact=email")
    assert "email says that it is personal data (email)" in said
    assert "personal data (phone)" in refused(*LEADS, "--map", "properties.phone=source")


def test_cursors_are_numbers_days_and_texts_too(
    sync: Run, source: Database, events: Events, refused: Callable[..., str]
) -> None:
    source.run("""INSERT INTO loose SELECT n, date '2026-03-01' + n / 9, 'x' || lpad(n::text, 3, '0')
        FROM generate_series(1, 30) n""")
    mapped = ("--table", "loose", "--set", "event=e", "--map", "timestamp=at", "--map", 'properties.q=a "quoted" name')
    assert "has no primary key" in refused(*mapped, "--cursor", "at")
    keyed = (*mapped, "--id-columns", "n", "--batch", "4")
    for cursor, again in (("n", 30), ("at", 13), ('a "quoted" name', 0)):
        name = ("--cursor", cursor, "--name", f"by {cursor}")
        assert sync(*keyed, *name).json["rows"] == 30
        told = sync(*keyed, *name).json
        assert (told["rows"], told["readAgain"]) == (0, again)
    assert sorted(props["q"] for _, _, props in events()) == [f"x{n:03}" for n in range(1, 31)]
    assert "whole number" in refused(*keyed, "--cursor", "n", "--overlap", "5m")


def test_how_far_it_is_belongs_to_its_table_and_order(
    sync: Run, run: Run, source: Database, project: str, refused: Callable[..., str]
) -> None:
    source.results(1, 10)
    sync(*RESULTS)
    (listed,) = run("sync", "list", "--project", project, "--json").json["syncs"]
    assert (listed["name"], listed["rows"]) == ("public.quiz_results:quiz_submitted", 10)
    assert "2026-03-01 00:01:00+00" in listed["cursor"]
    assert "another table, cursor or key" in refused(*RESULTS, "--cursor", "created_at")
    assert sync(*RESULTS, "--dry-run").json["read"] == 10
    assert sync(*RESULTS, "--restart").json["rows"] == 10
    assert run("sync", "list", "--project", project, "--json").json["syncs"][0]["rows"] == 10
    assert "public.quiz_results:quiz_submitted" in run("sync", "list", "--project", project).out


def test_rows_beyond_the_days_quota_are_left_for_later(
    sync: Run, run: Run, asked: Run, source: Database, events: Events, project: str
) -> None:
    source.results(1, 40)
    assert run("projects", "update", project, "--quota", "25").code == 0
    ran = asked(*RESULTS, "--batch", "10")
    assert (ran.code, "had its events for today" in ran.err) == (1, True)
    assert run("sync", "list", "--project", project, "--json").json["syncs"][0]["rows"] == 20
    assert run("projects", "update", project, "--no-quota").code == 0
    assert sync(*RESULTS, "--overlap", "0").json["rows"] == 20


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--table", "quiz_result"), "There is no table public.quiz_result. There is public.quiz_results."),
        (("--schema", "other"), "There is no table other.quiz_results. There is public.quiz_results."),
        (("--table", 'x"; DROP TABLE leads; --'), "There is no table public.x"),
        (("--cursor", "updated"), "Did you mean updated_at"),
        (("--cursor", "answers"), "which is jsonb: a cursor is a time, a number or a text."),
        (("--map", "properties.x=scores"), "no column 'scores'. Did you mean score or max_score?"),
        (("--map", "properties.x=score OR 1"), "no column 'score OR 1'"),
        (("--id-columns", "id,version"), "no column 'version'"),
        (("--scale", "status=2"), "status is no number"),
        (("--overlap", "soon"), "overlap can't be 'soon'"),
        (("--map", "userid=user_id"), "Events have no field 'userid'"),
    ],
)
def test_what_the_table_does_not_have_is_said(
    refused: Callable[..., str], arguments: tuple[str, ...], said: str
) -> None:
    assert said in refused(*RESULTS, *arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        ("--map", "eventId=id"),
        ("--scale", "time_spent=often"),
        ("--scale", "time_spent=inf"),
        ("--map", "userId"),
        ("--batch", "0"),
    ],
)
def test_wrong_usage_is_told_apart(asked: Run, arguments: tuple[str, ...]) -> None:
    assert asked(*RESULTS, *arguments).code == 2


def test_what_is_missing_is_asked_for(run: Run, source: Database, project: str) -> None:
    command = ("sync", "postgres", "--project", project, "--table", "leads", "--cursor", "id")
    for more in ((), ("--set", "event=e"), ("--set", "event=e", "--map", "timestamp=created_at")):
        assert run(*command, *more).code == 2
    assert run("sync", "postgres", "--dsn", source.reader, *RESULTS).code == 2


def test_the_address_may_stand_in_the_environment(
    run: Run, source: Database, events: Events, project: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    source.results(1, 5)
    monkeypatch.setenv("TALLYMARK_SYNC_DSN", source.reader)
    ran = run("sync", "postgres", "--project", project, *RESULTS)
    assert (ran.code, "New rows" in ran.out, len(events())) == (0, True, 5)


def test_a_database_that_is_away_is_said_without_its_password(source: Database, refused: Callable[..., str]) -> None:
    with _without_tls() as port:
        address = source.reader.partition("@/")[0] + f"@127.0.0.1:{port}/postgres"
        said = refused(*RESULTS, "--dsn", f"{address}?sslmode=require")
        assert "The database can't be reached: " in said
        assert "SSL" in said
    assert "can't be reached" in refused(*RESULTS, "--dsn", address)
    assert "address can't be used: invalid DSN" in refused(*RESULTS, "--dsn", f"mysql://u:{source.password}@h/d")


@contextmanager
def _without_tls() -> Iterator[int]:
    """The port of a database that has no TLS: all that it ever says."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(8)
                connection.sendall(b"N")

        thread = threading.Thread(target=answer)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(30)


def test_the_database_is_only_read(source: Database) -> None:
    with Source(source.dsn) as opened, pytest.raises(BadRequest, match="read-only transaction"):
        opened.rows("INSERT INTO loose VALUES (1)")
    assert source.ask("SELECT * FROM loose") == []
