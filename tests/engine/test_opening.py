"""Opening the embedded engine: one process at a time, and databases of any earlier state."""

import json
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest

from tallymark.engine.schema import migrations
from tests.server import ADMIN, RunningServer

#: Each engine here is in a process of its own: one process opens one directory.
_OPEN = "from pathlib import Path; from tallymark.engine.embedded import EmbeddedEngine; import sys, json, time\n"
_HOLD = _OPEN + "engine = EmbeddedEngine(Path(sys.argv[1])); print('open', flush=True); time.sleep(600)"


def python(code: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """What the code says, run in a process of its own."""
    command = [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def told(code: str, *arguments: str | Path) -> object:
    """What the code prints, as JSON."""
    done = python(_OPEN + textwrap.dedent(code), *arguments)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def command(data: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """What a `tallymark` command on that data says."""
    code = "import sys; from tallymark.cli import main; sys.exit(main(sys.argv[1:]))"
    return python(code, "--data", data, *arguments)


@contextmanager
def owner(path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that has the directory open until it is killed."""
    with subprocess.Popen([sys.executable, "-c", _HOLD, str(path)], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert line_of(process.stdout) == "open\n"
            yield process
        finally:
            process.kill()


def line_of(stream: IO[str] | None) -> str:
    return stream.readline() if stream else ""


def test_a_second_process_is_told_in_one_sentence(tmp_path: Path) -> None:
    with owner(tmp_path):
        said = told(
            """
            from tallymark.errors import EngineLocked
            try:
                EmbeddedEngine(Path(sys.argv[1]))
            except EngineLocked as locked:
                print(json.dumps(locked.message))
            """,
            tmp_path,
        )
    assert isinstance(said, str)
    assert said.startswith(f"Another process uses the data in {tmp_path}")
    assert "\n" not in said
    assert said.count(". ") == 0


def test_a_second_server_is_told_in_one_sentence(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with RunningServer(data) as server:
        again = command(data, "serve", "--port", str(server.port + 1 if server.port < 65_000 else 9_999))
        assert server.ask("GET", "/health").status_code == 200
    assert again.returncode == 1
    assert again.stderr.startswith("error: Another process uses the data in")
    assert len(again.stderr.strip().splitlines()) == 1
    assert again.stdout == ""


def test_after_its_owner_was_killed_it_opens(tmp_path: Path) -> None:
    write = """
        engine = EmbeddedEngine(Path(sys.argv[1]))
        engine.command("CREATE TABLE t (a UInt32) ENGINE = MergeTree ORDER BY a SETTINGS fsync_after_insert = 1")
        engine.command("INSERT INTO t VALUES (7)")
        print("0", flush=True)
        import os, signal
        os.kill(os.getpid(), signal.SIGKILL)
    """
    killed = python(_OPEN + textwrap.dedent(write), tmp_path)
    assert killed.returncode == -9
    with owner(tmp_path) as process:
        process.kill()
        process.wait(10)
        read = "print(json.dumps(EmbeddedEngine(Path(sys.argv[1])).query('SELECT a FROM t')))"
        assert told(read, tmp_path) == [[7]]


def test_closing_gives_the_directory_free(tmp_path: Path) -> None:
    code = """
        first = EmbeddedEngine(Path(sys.argv[1]))
        first.command("CREATE TABLE t (a UInt32) ENGINE = MergeTree ORDER BY a")
        first.close()
        second = EmbeddedEngine(Path(sys.argv[1]))
        print(json.dumps(second.query("SELECT count() FROM t")))
        second.close()
    """
    assert told(code, tmp_path) == [[0]]


def test_a_directory_that_cannot_be_opened(tmp_path: Path) -> None:
    """One process holds one engine; a second one in it is told so, and the directory stays free for others."""
    code = """
        from tallymark.errors import EngineUnavailable
        first = EmbeddedEngine(Path(sys.argv[1]))
        try:
            EmbeddedEngine(Path(sys.argv[2]))
        except EngineUnavailable as unavailable:
            message = unavailable.message
        first.close()
        EmbeddedEngine(Path(sys.argv[2])).close()
        print(json.dumps(message))
    """
    said = told(code, tmp_path / "first", tmp_path / "second")
    assert isinstance(said, str)
    assert "can't open" in said
    assert "\n" not in said


@pytest.mark.parametrize("done", range(len(migrations())))
def test_a_database_of_an_earlier_state_keeps_its_data(tmp_path: Path, done: int) -> None:
    """Only the first `done` migrations were applied when the events went in; then the present version opens it."""
    code = """
        import pyarrow as pa
        from tallymark.engine import schema
        engine = EmbeddedEngine(Path(sys.argv[1]))
        everything, schema.migrations = schema.migrations, lambda: everything()[: int(sys.argv[2])]
        before = schema.migrate(engine)
        if before:
            engine.command(
                "INSERT INTO events (project, event, occurred_at, received_at, event_id, actor, props, expires_at) "
                "SELECT 1, 'x', toDateTime64('2026-03-10 01:00:00', 3, 'UTC'), now64(3), number, number, "
                "'{\\"plan\\": \\"pro\\"}', toDateTime(4000000000) FROM numbers(1000)"
            )
        schema.migrations = everything
        after = schema.migrate(engine)
        rows = engine.query("SELECT count(), uniqExact(actor), max(toString(props.plan)) FROM events FINAL")
        print(json.dumps([before, after, rows, schema.migrate(engine)]))
        engine.close()
    """
    names = [name for name, _ in migrations()]
    events = [1_000, 1_000, "pro"] if done else [0, 0, ""]
    assert told(code, tmp_path, str(done)) == [names[:done], names[done:], [events], []]


def test_a_server_brings_an_earlier_database_up_to_date(tmp_path: Path) -> None:
    """The whole server over a database that knows the first migration alone."""
    data = tmp_path / "data"
    code = """
        from tallymark.engine import schema
        everything, schema.migrations = schema.migrations, lambda: everything()[:1]
        engine = EmbeddedEngine(Path(sys.argv[1]))
        print(json.dumps(schema.migrate(engine)))
        engine.command(
            "INSERT INTO events (project, event, occurred_at, received_at, event_id, actor, expires_at) "
            "SELECT 1, 'x', now64(3) - toIntervalDay(1), now64(3), number, number + 1, toDateTime(4000000000) "
            "FROM numbers(10)"
        )
        engine.close()
    """
    assert told(code, data / "engine") == [migrations()[0][0]]
    with RunningServer(data) as server:
        server.project("p")
        server.ask("POST", "/v1/rollup/run", key=ADMIN)
        asked = {"project": "p", "metrics": "events,actors"}
        metrics = server.ask("GET", "/v1/query", key=ADMIN, params=asked).json()["metrics"]
    assert [metrics[name]["value"] for name in ("events", "actors")] == [10, 10]
