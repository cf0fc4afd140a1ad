"""`tallymark quizzes`, over the real application."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tallymark.app import build
from tallymark.engine.base import Engine
from tests.cli.tool import Ran, runner


@pytest.fixture
def run(
    engine: Engine, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Ran]:
    return runner(tmp_path, capsys, monkeypatch, lambda settings: build(settings, engine, clocked=False))


def test_set_list_and_delete(run: Callable[..., Ran]) -> None:
    here = ("--project", "school")
    assert run("projects", "create", "school", "--pack", "quiz").code == 0
    assert "Nobody said" in run("quizzes", "list", *here).out
    made = run("quizzes", "set", "algebra 1", *here, "--title", "Algebra", "--owner", "tom", "--json")
    assert (made.json["quiz"]["quizId"], made.json["quiz"]["owner"]) == ("algebra 1", "tom")
    assert "Algebra" in run("quizzes", "list", *here).out
    assert [quiz["title"] for quiz in run("quizzes", "list", *here, "--json").json["quizzes"]] == ["Algebra"]
    assert "algebra 1" in run("quizzes", "delete", "algebra 1", *here).out
    again = run("quizzes", "delete", "algebra 1", *here)
    assert again.code == 1
    assert "Nobody said anything" in again.err
