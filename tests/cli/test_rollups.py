"""`tallymark rollup`, over the real application: windows and jobs, idempotency, tables of every pack."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from litestar import Litestar

from tallymark.app import build
from tallymark.cli import main
from tallymark.config import Settings, load
from tallymark.engine.base import Engine
from tests.api.export_app import start_ids
from tests.cli.tool import Ran

Run = Callable[..., Ran]

NOW = datetime.now(UTC).replace(microsecond=0)
STEPS = ("app_open", "level_start", "level_complete", "purchase")


@pytest.fixture
def run(engine: Engine, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs commands over the worker's engine and a control store in a directory of its own, with a game in it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("TALLYMARK_REFRESH_SECONDS", "3600")
    for name in ("TALLYMARK_ENDPOINT", "TALLYMARK_KEY", "TALLYMARK_DATA", "ADMIN_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    start_ids(load({}, tmp_path / "no.env"))

    def run(*arguments: str) -> Ran:
        capsys.readouterr()
        code = main(arguments, lambda settings: started(settings, engine))
        return Ran(code, *capsys.readouterr())

    assert run("projects", "create", "game", "--pack", "ab").code == 0
    events = tmp_path / "events.jsonl"
    sent = [
        {"event": name, "userId": "ann", "timestamp": (NOW - timedelta(days=ago, minutes=9 - i)).isoformat()}
        for ago in (0, 40)
        for i, name in enumerate(STEPS)
    ]
    events.write_text("".join(f"{json.dumps(event)}\n" for event in sent))
    assert run("import", "jsonl", str(events), "--project", "game").code == 0
    return run


def started(settings: Settings, engine: Engine) -> Litestar:
    return build(settings, engine, clocked=False)


def test_windows_jobs_and_idempotency(run: Run) -> None:
    ran = run("rollup", "run", "--window-days", "14", "--project", "game", "--json")
    assert (ran.code, [(each["job"], each["rows"]) for each in ran.json["runs"]]) == (
        0, [("daily", 0), ("experiments", 0), ("funnels", 4)]
    )  # fmt: skip
    ran = run("rollup", "run", "--project", "game", "--job", "funnels")
    assert (ran.code, [line.split() for line in ran.out.splitlines()][-2:]) == (
        0, [["Project", "Job", "Rows"], ["game", "funnels", "4"]]
    )  # fmt: skip
    assert "funnels" not in run("rollup", "run", "--project", "game").out
    ran = run("rollup", "check", "--idempotency", "--project", "game", "--window-days", "60")
    assert (ran.code, "come out the same" in ran.out) == (0, True)
    for wrong in (("run", "--job", "weekly"), ("run", "--window-days", "0"), ("table", "none")):
        assert run("rollup", *wrong).code == 2


def test_a_difference_is_told_and_exits_1(run: Run, engine: Engine) -> None:
    run("rollup", "run", "--project", "game")
    project = run("projects", "show", "game", "--json").json["project"]["id"]
    engine.command(
        "INSERT INTO rollups SELECT * REPLACE (n + 1 AS n) FROM rollups WHERE project = {project:UInt32} "
        "AND measure = 'count(bot is '''')' AND dim = ''",
        {"project": project},
    )
    ran = run("rollup", "check", "--idempotency", "--project", "game")
    assert (ran.code, "count(bot is '')" in ran.out) == (1, True)


def test_tables_of_every_pack(run: Run) -> None:
    run("rollup", "run", "--project", "game")
    for name, word in (("daily_metric_rollups", "purchases"), ("rollup_runs", "done")):
        ran = run("rollup", "table", name, "--project", "game")
        assert (ran.code, word in ran.out) == (0, True), ran
    assert run("rollup", "table", "experiment_metric_rollups", "--project", "game").out == "No days.\n"
    since = str((NOW - timedelta(days=50)).date())
    rows = run("rollup", "table", "funnel_rollups", "--project", "game", "--from", since, "--json").json["rows"]
    assert [row["units"] for row in rows] == [1] * 8
    for pack, name, *more in (("web", "daily_metric_rollups"), ("sdk", "monthly_aggregates", "--month", "2026-01")):
        assert run("projects", "create", f"of-{pack}", "--pack", pack).code == 0
        ran = run("rollup", "table", name, "--project", f"of-{pack}", *more)
        assert (ran.code, ran.out) == (0, "No days.\n"), ran
