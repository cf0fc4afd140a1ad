"""`tallymark purge`, over the real application."""

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from litestar import Litestar

from tallymark.app import build
from tallymark.cli import main
from tallymark.config import Settings
from tallymark.control.database import open_database
from tallymark.control.leases import Leases
from tallymark.control.models import ProjectRow
from tallymark.engine.base import Engine
from tests.cli.tool import Ran

#: The worker's engine is shared: projects here have ids that no other test's have.
FIRST_ID = 8_000_000

Run = Callable[..., Ran]


@pytest.fixture
def run(engine: Engine, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs commands over the worker's engine and a control store in a directory of its own."""
    monkeypatch.chdir(tmp_path)
    for name in ("TALLYMARK_ENDPOINT", "TALLYMARK_KEY", "TALLYMARK_DATA", "ADMIN_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    start_ids(f"sqlite:///{tmp_path / 'data' / 'control.db'}")

    def started(settings: Settings) -> Litestar:
        return build(settings, engine, clocked=False)

    def run(*arguments: str) -> Ran:
        capsys.readouterr()
        code = main(arguments, started)
        return Ran(code, *capsys.readouterr())

    return run


def start_ids(control_url: str) -> None:
    now = datetime.now(UTC)
    database = open_database(control_url)
    with database.write() as session:
        session.add(
            ProjectRow(
                id=FIRST_ID, name="first", packs=[], timezone="UTC", retention_hours=1, pii="redact", bots="mark",
                created_at=now, deleted_at=now,
            )
        )  # fmt: skip
    database.close()


def export(age: timedelta) -> Path:
    """A file of that age that belongs to no export any more."""
    path = Path(f"data/files/exports/exp_{'x' * 32}.csv")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("rows")
    written = (datetime.now(UTC) - age).timestamp()
    os.utime(path, (written, written))
    return path


def test_what_would_go_and_what_went(run: Run) -> None:
    ran = run("purge")
    assert (ran.code, ran.out, ran.err) == (0, "Nothing is past its time.\n", "")
    path = export(timedelta(days=8))
    ran = run("purge", "--dry-run")
    assert ran.code == 0
    assert [line.split() for line in ran.out.splitlines()] == [
        ["Step", "Project", "Would", "go", "Still", "there"], ["exports", "–", "1", "–", "–"],
    ]  # fmt: skip
    assert path.exists()
    ran = run("purge")
    assert (ran.code, ran.out.split()[:3]) == (0, ["Step", "Project", "Gone"])
    assert not path.exists()


def test_as_json_and_of_a_project(run: Run) -> None:
    run("projects", "create", "site")
    export(timedelta(days=8))
    answer: dict[str, Any] = json.loads(run("purge", "--project", "site", "--dry-run", "--json").out)
    assert answer["dryRun"] is True
    assert {step["project"] for step in answer["steps"]} == {"site"}
    assert sum(step["count"] for step in answer["steps"]) == 0
    answer = json.loads(run("purge", "--json").out)
    assert answer["dryRun"] is False
    assert {step["step"]: step["count"] for step in answer["steps"]}["exports"] == 1


def test_what_cannot_go_is_said_and_fails(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    run("projects", "create", "site")
    database = open_database("sqlite:///data/control.db")
    Leases(database).acquire(f"refresh:{FIRST_ID + 1}", "another", 300)
    database.close()
    monkeypatch.setattr("tallymark.rollup.keeper._LEASE_SECONDS", 0.1)
    ran = run("purge")
    assert ran.code == 1
    assert "Another process has been refreshing site" in ran.out
    assert run("purge", "--json").code == 1


def test_wrong_usage(run: Run) -> None:
    ran = run("purge", "--project", "nowhere")
    assert (ran.code, ran.err) == (1, "error: There is no project 'nowhere'.\n")
    assert run("purge", "--everything").code == 2
    assert "Example: tallymark purge --project site --dry-run" in run("purge", "--help").out
