"""`tallymark funnels`, `retention`, `lifecycle`, `stickiness` and `journeys`, over the real application."""

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


@pytest.fixture
def run(engine: Engine, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs commands over the worker's engine, with a project `site` of some actors."""
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
    now = datetime.now(UTC)
    begin = max(now - timedelta(hours=1), now.replace(hour=0, minute=0, second=0))  # today: a day that is not over
    happened = [("ann", "view"), ("ann", "pay"), ("bob", "view"), ("bob", "leave")]
    events = [
        {"event": event, "userId": actor, "timestamp": (begin + timedelta(seconds=10 * place)).isoformat()}
        for place, (actor, event) in enumerate(happened)
    ]
    path = tmp_path / "events.jsonl"
    path.write_text("".join(f"{json.dumps(event)}\n" for event in events))
    assert run("import", "jsonl", str(path), "--project", "site").code == 0
    return run


def words(ran: Ran) -> list[list[str]]:
    """The words of each line that a command printed."""
    assert (ran.code, ran.err) == (0, "")
    return [line.split() for line in ran.out.splitlines()]


def test_funnels(run: Run) -> None:
    steps = ("--step", "view", "--step", '{"name": "Paid", "event": "pay"}')
    lines = words(run("funnels", "run", "--project", "site", *steps))
    assert lines[1][:3] == ["view", "2", "1.0"]
    assert lines[2] == ["Paid", "1", "0.5", "0.5", "1", "10.0", "10.0"]
    assert run("funnels", "set", "paying", "--project", "site", *steps, "--within", "1h", "--title", "Paying").code == 0
    listed = words(run("funnels", "list", "--project", "site"))
    assert ["paying", "Paying", "view", ">", "Paid", "1h", "project"] in listed
    shown = run("funnels", "show", "paying", "--project", "site", "--by", "device", "--json").json
    assert (shown["funnel"]["within"], [group["key"] for group in shown["groups"]]) == ("1h", ["other"])
    assert "device: other" in run("funnels", "show", "paying", "--project", "site", "--by", "device").out
    assert run("funnels", "delete", "paying", "--project", "site").out == "Deleted funnel paying.\n"
    gone = run("funnels", "show", "paying", "--project", "site")
    assert (gone.code, gone.err) == (
        1, "error: There is no funnel 'paying'. Allowed: web_forms, web_leads.\n",
    )  # fmt: skip
    bad = run("funnels", "set", "paying", "--project", "site", "--step", "a", "--step", "{")
    assert (bad.code, bad.err.startswith("error: step is the name of an event")) == (1, True)


def test_who_comes_back_and_which_way_they_take(run: Run) -> None:
    retention = words(run("retention", "site", "--period", "day", "--periods", "1"))
    assert retention[0] == ["Cohort", "Actors", "0", "1"]
    assert ["2", "–", "–"] in [line[1:] for line in retention]
    assert "event: view" in run("retention", "site", "--by", "event").out
    assert ["2", "2", "0", "0"] in [line[1:5] for line in words(run("lifecycle", "site"))]
    stickiness = run("stickiness", "site", "--within", "month", "--json").json
    assert sum(row["actors"] for row in stickiness["series"]) == 2
    none = run("retention", "site", "--periods", "0")
    assert (none.code, none.err) == (1, "error: periods must be a whole number from 1 to 366.\n")
    assert run("funnels", "run", "--step", "a", "--step", "b", "--project", "site", "--limit", "0").code == 1
    assert words(run("stickiness", "site"))[0] == ["Days", "Actors", "Share"]
    assert ["view", ">", "pay", "1", "1", "0.5"] in words(run("journeys", "site", "--start", "view"))
