"""`tallymark export`: the monthly report from the command line, of the machine's data and of another server."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tallymark.app import build
from tallymark.engine.base import Engine
from tests.cli.tool import Run, runner
from tests.packs.sdk.apps import Apps, payload
from tests.packs.world import application
from tests.server import RunningServer

LAST = datetime.now(UTC).replace(day=1, hour=12) - timedelta(days=1)
MONTH = f"{LAST:%Y-%m}"


@pytest.fixture
def run(tmp_path: Path, engine: Engine, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs commands over a project `counters` with counters of last month."""
    with application(tmp_path / "data", engine, LAST) as world:
        made = Apps(world, *world.make("sdk", name="counters", retention="3650d"))
        made.send(payload({"sessions_created": 5}, at=LAST), payload({"sessions_created": 2}, "app-2", LAST, "mainnet"))
        made.application.settle(made.name)
    monkeypatch.delenv("API_KEY", raising=False)
    return runner(tmp_path, capsys, monkeypatch, lambda settings: build(settings, engine, clocked=False))


def test_by_default_it_is_last_month_as_json(run: Run) -> None:
    told = run("export", "--project", "counters").json
    assert (told["month"], told["summary"]["totalSessions"], told["summary"]["monthlyActiveApps"]) == (MONTH, 7, 2)
    assert run("export", "--project", "counters", "--month", MONTH, "--json").json == told


def test_as_csv_and_into_a_file(run: Run, tmp_path: Path) -> None:
    ran = run("export", "--project=counters", f"--month={MONTH}", "--format=csv", "--network=mainnet")
    rows = f"month,network,metric,value,unique_apps\r\n{MONTH},mainnet,sessions_created,2,1\r\n"
    assert (ran.code, ran.out) == (0, rows)
    file = tmp_path / "report.csv"
    ran = run("export", "--project=counters", f"--month={MONTH}", "--format=csv", "--output", str(file))
    assert (ran.code, ran.out) == (0, "")
    assert file.read_bytes().count(b"\r\n") == 3


def test_what_can_not_be(run: Run) -> None:
    for arguments, code, said in (
        (("--month", "2026-13", "--project", "counters"), 1, "month must be a month"),
        (("--project", "nowhere"), 1, "There is no project 'nowhere'"),
        (("--format", "xml"), 2, "xml"),
        (("--endpoint", "http://127.0.0.1:9"), 1, "Nothing answers"),
    ):
        ran = run("export", *arguments)
        assert (ran.code, said in ran.err) == (code, True), ran.err


def test_of_another_server_with_its_key(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = runner(tmp_path, capsys, monkeypatch)
    with RunningServer(tmp_path / "server", API_KEY="good", ENVIRONMENT="production") as server:
        to = ("--endpoint", server.url, "--project", "p")
        assert run("--endpoint", server.url, "--key", "good", "export", "--project", "p").err.startswith(
            "error: There is"
        )
        assert "key is needed" in run("export", *to).err
        assert "no such key" in run("export", *to, "--api-key", "bad").err
        assert "There is no project" in run("export", *to, "--api-key", "good").err
        monkeypatch.setenv("API_KEY", "good")
        assert "There is no project" in run("export", *to).err
