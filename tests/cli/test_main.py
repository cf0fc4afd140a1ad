"""The root of the command: version, help, errors and exit codes."""

from pathlib import Path
from typing import Any

import pytest
import typer
from typer.core import TyperGroup

from tallymark import __version__
from tallymark.cli import app, keys, projects
from tests.cli.tool import Run


def test_the_version(run: Run) -> None:
    ran = run("--version")
    assert (ran.code, ran.out) == (0, f"tallymark {__version__}\n")


def test_help_needs_no_settings(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TALLYMARK_PORT", "no number")
    assert run("projects", "create", "--help").code == 0


@pytest.mark.parametrize("arguments", [("nothing",), ("projects", "create"), ("keys", "revoke", "x"), ("--what",)])
def test_wrong_usage(run: Run, arguments: tuple[str, ...]) -> None:
    ran = run(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err


def test_a_bad_setting(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TALLYMARK_PORT", "no number")
    ran = run("projects", "list")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == "error: TALLYMARK_PORT must be a whole number, not 'no number'.\n"


def test_an_error_is_one_sentence(run: Run) -> None:
    ran = run("projects", "show", "site")
    assert (ran.code, ran.out, ran.err) == (1, "", "error: There is no project 'site'.\n")
    ran = run("projects", "create", "site", "--pack", "shop")
    assert (ran.code, ran.err) == (1, "error: There is no pack 'shop'. Allowed: quiz, web.\n")
    ran = run("--endpoint", "http://127.0.0.1:9", "projects", "list")
    assert ran.code == 1
    assert ran.err.startswith("error: Nothing answers at http://127.0.0.1:9")


def test_the_data_directory_is_where_one_says(run: Run, tmp_path: Path) -> None:
    assert run("--data", "here", "projects", "create", "site").code == 0
    assert (tmp_path / "here" / "control.db").is_file()
    assert run("--data", "there", "projects", "list", "--json").json == {"projects": []}


def commands(group: Any, path: str = "tallymark") -> list[tuple[str, Any]]:
    if not isinstance(group, TyperGroup):
        return [(path, group)]
    return [found for name, sub in group.commands.items() for found in commands(sub, f"{path} {name}")]


def test_every_command_says_what_it_does_and_shows_an_example() -> None:
    found = commands(typer.main.get_command(app))
    assert len(found) >= 8
    for path, command in found:
        assert command.help, path
        assert (command.epilog or "").startswith("Example: tallymark "), path
        assert path.rpartition(" ")[2] in command.epilog, path


def test_every_command_on_projects_and_keys_has_json() -> None:
    for group in (projects.app, keys.app):
        for path, command in commands(typer.main.get_command(group)):
            assert any("--json" in parameter.opts for parameter in command.params), path
