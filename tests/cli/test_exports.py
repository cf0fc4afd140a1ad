"""`tallymark exports`, over the real application."""

import csv
import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from litestar import Litestar

from tallymark.app import build
from tallymark.cli import main
from tallymark.config import Settings, load
from tallymark.engine.base import Engine
from tests.api.export_app import start_ids, traffic
from tests.cli.tool import Ran

Run = Callable[..., Ran]

NUMBERS = ("--project", "site", "--what", "metrics", "--metrics", "page_views, visitors")


@pytest.fixture
def run(engine: Engine, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs commands over the worker's engine and a control store in a directory of its own, with traffic in it."""
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
    events = tmp_path / "events.jsonl"
    events.write_text("".join(f"{json.dumps(event)}\n" for event in traffic()))
    assert run("import", "jsonl", str(events), "--project", "site").code == 0
    return run


def rows(path: Path) -> list[list[str]]:
    with path.open(newline="") as file:
        return list(csv.reader(file))


def test_ordered_waited_for_and_downloaded(run: Run) -> None:
    ran = run("exports", "create", *NUMBERS, "--out", "numbers.csv")
    assert (ran.code, ran.err) == (0, "")
    shown = dict(re.split(r"  +", line.strip()) for line in ran.out.splitlines())
    assert (shown["Status"], shown["File"], shown["Format"]) == ("done", "numbers.csv", "csv")
    content = Path("numbers.csv").read_bytes()
    assert hashlib.sha256(content).hexdigest() == shown["SHA-256"]
    head, *days = rows(Path("numbers.csv"))
    assert head == ["bucket", "page_views", "visitors"]
    assert len(days) == 30
    assert sum(int(views) for _, views, _ in days) == 2 + 3 + 4
    assert sorted(path.name for path in Path().iterdir() if path.name.startswith((".", "numbers"))) == ["numbers.csv"]


def test_ordered_and_looked_after_later(run: Run) -> None:
    ran = run("exports", "create", *NUMBERS, "--format", "json", "--by", "path", "--filter", "path:is:/0",
              "--grain", "month", "--no-wait", "--json")  # fmt: skip
    export = ran.json
    assert (ran.code, export["by"], export["filters"], export["range"]["grain"]) == (0, "path", ["path:is:/0"], "month")
    ran = run("exports", "download", export["id"])
    assert (ran.code, Path(export["fileName"]).exists()) == (0, True)
    shown = run("exports", "status", export["id"], "--json").json
    assert shown["status"] == "done"
    assert hashlib.sha256(Path(export["fileName"]).read_bytes()).hexdigest() == shown["sha256"]
    ran = run("exports", "list", "--project", "site")
    assert export["id"] in ran.out
    assert [e["id"] for e in run("exports", "list", "--project", "site", "--json").json["exports"]] == [export["id"]]


def test_raw_events_in_parts(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tallymark.cli.exports._PART", 100)
    ran = run("exports", "create", "--project", "site", "--what", "events", "--out", "events.csv", "--json")
    assert ran.code == 0
    assert len(rows(Path("events.csv"))) == 1 + ran.json["rows"] == 10
    assert ran.json["file"] == "events.csv"


def test_a_file_that_came_otherwise_is_not_kept(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    export = run("exports", "create", *NUMBERS, "--json").json
    stored = Path("data/files/exports") / f"{export['id']}.csv"
    stored.write_bytes(b"x" * export["bytes"])
    ran = run("exports", "download", export["id"], "--out", "numbers.csv")
    assert (ran.code, ran.err) == (1, "error: What was downloaded is not what was written: download it again.\n")
    assert not Path("numbers.csv").exists()
    assert not Path(".numbers.csv.part").exists()


def test_a_failure_says_why_and_exits_1(run: Run) -> None:
    drafts = Path("data/files/drafts")
    drafts.parent.mkdir(parents=True, exist_ok=True)
    drafts.write_text("in the way")
    ran = run("exports", "create", *NUMBERS, "--out", "numbers.csv")
    assert ran.code == 1
    assert "The file could not be written: " in ran.out
    assert not Path("numbers.csv").exists()
    (failed,) = run("exports", "list", "--project", "site", "--json").json["exports"]
    for command in ("status", "download"):
        ran = run("exports", command, failed["id"], "--json")
        assert (ran.code, ran.json["status"]) == (1, "failed")


def test_wrong_usage(run: Run) -> None:
    ran = run("exports", "list", "--project", "site")
    assert (ran.code, ran.out) == (0, "There are no exports.\n")
    for wrong in (("--what", "everything"), ("--format", "pdf"), ("--grain", "year")):
        ran = run("exports", "create", *NUMBERS, *wrong)
        assert (ran.code, ran.out) == (2, "")
        assert f"{wrong[1]!r} is not one of" in ran.err
    ran = run("exports", "status", "exp_nothing")
    assert (ran.code, ran.err) == (1, "error: There is no export 'exp_nothing'.\n")
    assert run("exports", "create").code == 2
    for command in ("create", "status", "list", "download", "delete"):
        assert f"Example: tallymark exports {command}" in run("exports", command, "--help").out


def test_where_nothing_can_be_written_nothing_is_ordered(run: Run) -> None:
    Path("file").write_text("")
    for out in ("nodir/x.csv", "file/x.csv", "."):
        for command in (("create", *NUMBERS), ("download", "exp_nothing")):
            ran = run("exports", *command, "--out", out)
            assert (ran.code, ran.out) == (2, "")
    assert run("exports", "list", "--project", "site", "--json").json == {"exports": []}


def test_deleted(run: Run) -> None:
    first, second = (run("exports", "create", *NUMBERS, "--json").json for _ in range(2))
    ran = run("exports", "delete", first["id"])
    assert (ran.code, ran.out) == (0, f"Deleted export {first['id']}.\n")
    assert run("exports", "delete", second["id"], "--json").json["deleted"]["id"] == second["id"]
    assert list(Path("data/files/exports").iterdir()) == []
    ran = run("exports", "delete", first["id"])
    assert (ran.code, ran.err) == (1, f"error: There is no export '{first['id']}'.\n")
