"""`tallymark quizzes items` and `statistics`, over the real application."""

from datetime import timedelta
from pathlib import Path

import pytest

from tallymark.app import build
from tallymark.engine.base import Engine
from tests.cli.tool import Run, runner
from tests.packs.quiz.sitting import NOON, Reply, Sitting
from tests.packs.world import application, bearer

HERE = ("algebra", "--project", "quiz-0", "--from", "2028-02-20", "--to", "2028-03-01")


@pytest.fixture(scope="module")
def home(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory whose data have a project with four attempts at three questions, each harder than the one before."""
    home = tmp_path_factory.mktemp("quiz")
    with application(home / "data", engine, NOON) as found:
        name, keys = found.make("quiz")
        assert name == "quiz-0"
        for solved in range(4):
            replies = [
                Reply(f"q{q}", "yes" if q < solved else "no", correct=q < solved, time=500, options=2) for q in range(3)
            ]
            sat = Sitting(f"a{solved}", f"u{solved}", NOON - timedelta(days=1), 25.0 * solved, replies)
            sent = found.client.post("/v1/events", json=list(sat.events()), headers=bearer(keys["ingest"]))
            assert sent.json()["accepted"] == 5
    return home


@pytest.fixture
def run(home: Path, engine: Engine, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs commands over that project."""
    return runner(home, capsys, monkeypatch, lambda settings: build(settings, engine, clocked=False))


def test_items(run: Run) -> None:
    head, names, *rows = run("quizzes", "items", *HERE, "--attempts", "best").out.splitlines()
    assert head == "algebra, 2028-02-20 to 2028-03-01, attempts: best; 4 submitted, 0 not"
    assert names.split()[:4] == ["Question", "Attempts", "Skips", "Facility"]
    assert [row.split()[:6] for row in rows] == [
        ["q0", "4", "0", "0.75", "0.5", "0.5"],
        ["q1", "4", "0", "0.5", "0.577", "0.5"],
        ["q2", "4", "0", "0.25", "0.5", "0.5"],
    ]
    told = run("quizzes", "items", *HERE, "--json").json
    assert [item["discriminationIndex"] for item in told["items"]] == [0.522233, 0.707107, 0.522233]


def test_answers_to_a_question(run: Run) -> None:
    shown = run("quizzes", "items", *HERE, "--question", "q0").out.splitlines()
    assert [line.split()[:5] for line in shown[-2:]] == [
        ["yes", "3", "0.75", "True", "1"],
        ["no", "1", "0.25", "False", "0"],
    ]
    told = run("quizzes", "items", *HERE, "--question", "q0", "--limit", "1", "--json").json["item"]
    assert [answer["answer"] for answer in told["answers"]] == ["yes", "(other)"]


def test_statistics(run: Run) -> None:
    shown = run("quizzes", "statistics", *HERE).out
    assert shown.splitlines()[0].startswith("algebra, 2028-02-20 to 2028-03-01, attempts: all; 4 submitted")
    fields = [line.rsplit(maxsplit=1) for line in shown.splitlines()]
    assert ["Cronbach's alpha", "0.75"] in fields
    assert ["Kurtosis", "-1.2"] in fields
    assert ["50-60", "1"] in fields
    assert run("quizzes", "statistics", *HERE, "--json").json["standardError"] == pytest.approx(16.137431)


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("items", *HERE, "--limit", "3"), 2, "of the answers to a --question"),
        (("items", *HERE, "--question", "q9"), 1, "No attempt in this window was shown 'q9'"),
        (("statistics", *HERE, "--attempts", "worst"), 1, "Allowed: all, first, last, best"),
    ],
)
def test_what_is_wrong_is_said(run: Run, arguments: tuple[str, ...], code: int, told: str) -> None:
    ran = run("quizzes", *arguments)
    assert (ran.code, told in ran.err) == (code, True), ran.err
