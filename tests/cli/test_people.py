"""`tallymark people`."""

import json
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from tallymark.app import build
from tallymark.engine.base import Engine
from tallymark.spec.project import Project
from tests.cli.tool import Run, runner
from tests.packs.web.site import NAME, running

ADA = "ada@example.org"
HERE = ("--project", NAME)


@pytest.fixture
def run(
    tmp_path: Path,
    engine: Engine,
    project: Callable[..., Project],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Run:
    """Runs commands over a property with two leads."""
    with running(tmp_path / "data", engine, project) as site:
        site.send({"visitorId": "v1"})
        site.capture(ADA, visitorId="v1", form="signup", message="hello", consent={"marketing": True})
        site.capture("bob@example.org", visitorId="v2")
    return runner(tmp_path, capsys, monkeypatch, lambda settings: build(settings, engine, clocked=False))


def test_list(run: Run) -> None:
    ran = run("people", "list", *HERE)
    assert ran.code == 0
    assert "Address" in ran.out.splitlines()[0]
    assert [line.split()[1] for line in ran.out.splitlines()[1:]] == ["bob@example.org", ADA]
    assert "marketing granted" in ran.out
    first = run("people", "list", *HERE, "--limit", "1", "--json").json
    assert [lead["email"] for lead in first["leads"]] == ["bob@example.org"]
    rest = run("people", "list", *HERE, "--before", str(first["next"]), "--json").json
    assert ([lead["email"] for lead in rest["leads"]], rest["next"]) == ([ADA], None)


def test_export(run: Run, tmp_path: Path) -> None:
    ran = run("people", "export", "--email", ADA, *HERE)
    assert ran.code == 0
    assert [line.split()[-1] for line in ran.out.splitlines() if line.startswith(("Address", "Forms", "Events"))] == [
        ADA, "1", "2"
    ]  # fmt: skip
    told = run("people", "export", "--email", ADA, *HERE, "--json").json
    assert told["submissions"][0]["payload"] == {"message": "hello"}
    ran = run("people", "export", "--email", ADA, *HERE, "--out", "ada.json")
    assert (ran.code, ran.out) == (0, "Wrote ada.json.\n")
    assert json.loads((tmp_path / "ada.json").read_text()) == told
    assert stat.S_IMODE((tmp_path / "ada.json").stat().st_mode) == 0o600


def test_delete(run: Run) -> None:
    ran = run("people", "delete", "--email", ADA, *HERE)
    assert (ran.code, "--yes" in ran.err) == (2, True)
    ran = run("people", "delete", "--email", ADA, *HERE, "--yes", "--json")
    assert (ran.code, ran.json["submissions"], ran.json["actors"]) == (0, 1, 1)
    ran = run("people", "delete", "--email", ADA, *HERE, "--yes")
    assert (ran.code, ran.err.splitlines()[-1]) == (1, "error: Nobody with this address is a lead.")
    assert "Deleted the person" in run("people", "delete", "--email", "bob@example.org", *HERE, "--yes").out
    assert run("people", "list", *HERE).out == "There are no leads yet.\n"


def test_unsubscribe_link(run: Run) -> None:
    ran = run("people", "unsubscribe-link", "--email", "stranger@example.org", *HERE)
    assert ran.code == 0
    url, _, first, second = ran.out.splitlines()
    assert "/web/v1/unsubscribe?token=" in url
    assert (first, second) == (f"List-Unsubscribe: <{url}>", "List-Unsubscribe-Post: List-Unsubscribe=One-Click")
    told = run("people", "unsubscribe-link", "--email", "stranger@example.org", *HERE, "--json").json
    assert told["url"] == url


def test_what_is_wrong_is_said(run: Run) -> None:
    ran = run("people", "export", "--email", "nobody", *HERE)
    assert (ran.code, ran.err.splitlines()[-1]) == (1, "error: This is not an email address.")
    ran = run("people", "list", "--project", "nowhere")
    assert ran.code == 1
    assert "There is no property 'nowhere'" in ran.err
    assert run("people", "export", *HERE).code == 2
    for command in ("export", "delete", "list", "unsubscribe-link"):
        assert "Example: tallymark people" in run("people", command, "--help").out
