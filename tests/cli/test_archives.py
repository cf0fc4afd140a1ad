"""`tallymark archive`, over the real application."""

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

LAST = datetime.now(UTC).replace(day=1, hour=12) - timedelta(days=1)
MONTH, BEFORE = (f"{LAST:%Y-%m}", f"{LAST.replace(day=1) - timedelta(days=1):%Y-%m}")


@pytest.fixture
def run(engine: Engine, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs commands over the worker's engine and a control store in a directory of its own, with two months in it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("TALLYMARK_REFRESH_SECONDS", "3600")
    for name in ("TALLYMARK_ENDPOINT", "TALLYMARK_KEY", "TALLYMARK_DATA", "ADMIN_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    start_ids(load({}, tmp_path / "no.env"))

    def started(settings: Settings) -> Litestar:
        return build(settings, engine, clocked=False)

    def run(*arguments: str) -> Ran:
        capsys.readouterr()
        code = main(arguments, started)
        return Ran(code, *capsys.readouterr())

    assert run("projects", "create", "site", "--pack", "web").code == 0
    times = [f"{month}-{day}T12:00:00Z" for month, days in ((BEFORE, "10 11"), (MONTH, "03")) for day in days.split()]
    events = [{"event": "page_view", "visitorId": "v", "eventId": time, "timestamp": time} for time in times]
    (tmp_path / "events.jsonl").write_text("".join(f"{json.dumps(event)}\n" for event in events))
    assert run("import", "jsonl", "events.jsonl", "--project", "site").code == 0
    return run


def test_made_listed_shown_restored_and_deleted(run: Run) -> None:
    ran = run("archive", "list")
    assert (ran.code, ran.out) == (0, "There are no archives.\n")
    ran = run("archive", "create", "--project", "site", "--month", BEFORE)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith(f"{BEFORE}  arc_{BEFORE}_")
    assert ", as it was" not in ran.out
    told = run("archive", "create", "--project", "site", "--all-past", "--json").json
    assert [(one["month"], one["rows"], one["written"]) for one in told["archives"]] == [
        (BEFORE, 2, False), (MONTH, 1, True),
    ]  # fmt: skip
    listed = run("archive", "list", "--project", "site", "--json").json["archives"]
    assert [one["month"] for one in listed] == [MONTH, BEFORE]
    assert listed[1]["id"] in run("archive", "list").out
    archive = listed[1]["id"]
    shown = run("archive", "show", archive)
    assert (shown.code, listed[1]["sha256"] in shown.out, "precedence" in shown.out) == (0, True, True)
    assert run("archive", "show", archive, "--json").json["rows"] == 2
    ran = run("archive", "restore", archive)
    assert (ran.code, "Restored 2 events" in ran.out, "2 of them were there" in ran.out) == (0, True, True)
    assert run("archive", "restore", archive, "--keep", "200d", "--json").json["written"] == 2
    assert run("archive", "delete", archive).out == f"Deleted archive {archive}.\n"
    ran = run("archive", "delete", archive, "--json")
    assert (ran.code, ran.err) == (1, f"error: There is no archive '{archive}'.\n")


def test_what_can_not_be_done_exits_with_1_or_2(run: Run) -> None:
    for wrong in ((), ("--month", MONTH, "--all-past")):
        assert run("archive", "create", "--project", "site", *wrong).code == 2
    ran = run("archive", "create", "--project", "site", "--month", "1999-01")
    assert (ran.code, ran.out, ran.err) == (1, "", "error: There are no events of 1999-01 in site.\n")
    run("archive", "create", "--project", "site", "--month", MONTH)
    (path,) = Path("data/files/archives").glob("*.parquet")
    path.write_bytes(b"something else")
    archive = path.name.rpartition("-")[0]
    ran = run("archive", "restore", archive)
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith(f"error: The file of {archive} is not the one that was written")
    for command in ("create", "list", "show", "restore", "delete"):
        assert f"Example: tallymark archive {command}" in run("archive", command, "--help").out
