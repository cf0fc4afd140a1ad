"""`tallymark evaluators` and `tallymark evaluate`, over the real application."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from litestar import Litestar

from tallymark.api.services import Services
from tallymark.app import build
from tallymark.cli import main
from tallymark.config import Settings
from tallymark.engine.base import Engine
from tallymark.spec.evaluation import Failed, Fault, Usage
from tests.cli.tool import Ran

Run = Callable[..., Ran]

HERE = ("--project", "helpline")
CREATE = ("evaluators", "create", "tone", *HERE, "--judge", "rules")
NOW = datetime.now(UTC)


class Tool:
    """Runs commands over the worker's engine and a control store of its own, with a project in it."""

    def __init__(self, engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
        self._engine = engine
        self._capsys = capsys
        self.apps: list[Litestar] = []

    def __call__(self, *arguments: str) -> Ran:
        self._capsys.readouterr()
        code = main(arguments, self._built)
        return Ran(code, *self._capsys.readouterr())

    def _built(self, settings: Settings) -> Litestar:
        self.settings = settings
        return build(settings, self._engine, clocked=False)

    def die(self) -> None:
        """Makes one dead letter, and has one answer wait."""
        here: Services = self._built(self.settings).state.services
        project = here.projects.find("helpline")
        assert project is not None
        evaluator = here.evaluators.get(project.id, "tone")
        assert evaluator is not None
        here.evaluations.enqueue(evaluator, [(2**64 - 1, NOW), (2, NOW)], NOW)
        (claimed,) = here.evaluation_queue.claim(NOW, 1)
        failure = Failed(Fault.REFUSED, "It declined.", usage=Usage(1_500, 0))
        assert here.evaluation_queue.failed(claimed, failure, 40, 0.125, NOW, None)


@pytest.fixture
def run(engine: Engine, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Tool:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    for name in ("TALLYMARK_ENDPOINT", "TALLYMARK_KEY", "TALLYMARK_DATA", "ADMIN_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    tool = Tool(engine, capsys)
    assert tool("projects", "create", "helpline", "--pack", "voice").code == 0
    return tool


def told(ran: Ran) -> str:
    """What it printed, with single blanks."""
    assert (ran.code, ran.err) == (0, "")
    return re.sub(r" +", " ", ran.out)


def test_from_options(run: Tool) -> None:
    Path("rubric.txt").write_text("5 is kind.", encoding="utf-8")
    ran = run(
        "evaluators", "create", "tone", *HERE, "--judge", "gemini", "--model", "gemini-flash", "--rubric", "rubric.txt",
        "--sample", "0.25", "--filter", "country:is:DE|AT", "--filter", "device:is:phone", "--input-price", "0.3",
        "--output-price", "2.5", "--json",
    )  # fmt: skip
    assert (ran.code, ran.err) == (0, "")
    made = ran.json["evaluator"]
    assert (made["name"], made["judge"], made["model"], made["rubric"], made["sampleRate"]) == (
        "tone@1", "gemini", "gemini-flash", "5 is kind.", 0.25,
    )  # fmt: skip
    assert (made["filter"], made["inputPrice"], made["outputPrice"]) == (
        ["country:is:DE|AT", "device:is:phone"], 0.3, 2.5,
    )  # fmt: skip
    assert run("evaluators", "list", *HERE, "--json").json == {"evaluators": [made]}


def test_from_a_file_over_which_options_win(run: Tool, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("tone.json").write_text(json.dumps({"key": "tone", "judge": "rules", "sampleRate": 0.5}), encoding="utf-8")
    made = run("evaluators", "create", *HERE, "--file", "tone.json", "--sample", "0.75", "--json").json["evaluator"]
    assert (made["key"], made["sampleRate"]) == ("tone", 0.75)
    Path("prompt.txt").write_text("Be strict.\n", encoding="utf-8")
    with Path("prompt.txt").open(encoding="utf-8") as file:
        monkeypatch.setattr("sys.stdin", file)
        ran = run("evaluators", "update", "tone", *HERE, "--judge", "gemini", "--model", "m", "--prompt", "-", "--json")
    assert ran.json["evaluator"]["prompt"] == "Be strict.\n"


def test_for_people(run: Tool) -> None:
    assert "There are no evaluators yet" in told(run("evaluators", "list", *HERE))
    assert "Name tone@1\nStatus active\nJudge rules\nSample rate 1.0" in re.sub(r" +\n", "\n", told(run(*CREATE)))
    told(run("evaluators", "update", "tone", *HERE, "--sample", "0"))
    shown = told(run("evaluators", "show", "tone", *HERE))
    assert "Sample rate 0.0" in shown
    assert "Waiting 0" in shown
    assert re.search(r"^2 \S+ admin rules 0\.0 *$", shown, re.MULTILINE)
    paused = told(run("evaluators", "pause", "tone", *HERE))
    assert "Status paused" in paused
    assert "Why Paused by " in paused
    assert "Status active" in told(run("evaluators", "resume", "tone", *HERE))
    assert "Status archived" in told(run("evaluators", "archive", "tone", *HERE))
    assert "tone@2 archived rules" in told(run("evaluators", "list", *HERE))
    audit = told(run("evaluators", "audit", "tone", *HERE))
    assert [line.split()[1] for line in audit.splitlines()[1:]] == ["archive", "resume", "pause", "update", "create"]


def test_how_far_judging_is_and_trying_again(run: Tool) -> None:
    run(*CREATE)
    run.die()
    status = told(run("evaluate", "status", *HERE))
    assert re.search(r"^tone@1 active 1 0 0 1 \d{4}-\S+ – ", status, re.MULTILINE)
    assert "Tokens 1,500 of 2,000,000" in status
    assert "US dollars 0.125 of 5" in status
    (dead,) = run("evaluate", "dead", *HERE, "--json").json["dead"]
    table = told(run("evaluate", "dead", *HERE))
    assert f"{dead['id']} tone@1 ffffffffffffffff" in table
    assert "1 refused It declined." in table
    assert "0 wait to be judged again." in told(run("evaluate", "retry", *HERE, "--id", str(dead["id"] + 1)))
    assert run("evaluate", "retry", *HERE, "--evaluator", "tone", "--json").json == {"requeued": 1}
    assert "There are no dead letters." in told(run("evaluate", "dead", *HERE))


def test_a_budget_that_is_used_up_is_told(run: Tool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TALLYMARK_EVAL_DAILY_TOKENS", "1500")
    monkeypatch.setenv("TALLYMARK_EVAL_DAILY_USD", "0")
    run(*CREATE)
    run.die()
    status = told(run("evaluate", "status", *HERE))
    assert "The budget of the day is used up: judging goes on tomorrow, UTC." in status
    assert re.search(r"US dollars 0\.125\s*$", status, re.MULTILINE)


def test_what_can_not_be(run: Tool) -> None:
    ran = run("evaluators", "update", "tone", *HERE)
    assert (ran.code, "say what to change" in ran.err) == (2, True)
    ran = run("evaluators", "show", "tone", *HERE)
    assert (ran.code, ran.err) == (1, "error: There is no evaluator 'tone'.\n")
    ran = run("evaluators", "show", "../x", *HERE)
    assert (ran.code, ran.err.startswith("error: key can't be '../x'.")) == (1, True)
    ran = run(*CREATE[:-1], "human")
    assert (ran.code, ran.err) == (1, "error: judge can't be 'human'. Allowed: rules, gemini, openai.\n")
    assert run(*CREATE, "--sample", "nan").code == 2


@pytest.mark.parametrize(
    "command",
    [
        *(("evaluators", name) for name in ("create", "list", "show", "update", "pause", "resume", "archive", "audit")),
        *(("evaluate", name) for name in ("status", "dead", "retry")),
    ],
)
def test_every_command_has_an_example(
    command: tuple[str, str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    assert main([*command, "--help"]) == 0
    assert f"Example: tallymark {' '.join(command)}" in capsys.readouterr().out
