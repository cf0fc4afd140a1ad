"""`tallymark experiments results`: a file of players imported as the documentation says, and what it shows."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from litestar import Litestar

from tallymark.app import build
from tallymark.config import Settings, load
from tallymark.engine.base import Engine
from tests.api.export_app import start_ids
from tests.cli.tool import Ran, runner

Run = Callable[..., Ran]

#: Like Cookie Cats' file: players, what they saw, how many rounds they played, whether they came back.
HEADER = "userid,version,sum_game_rounds,retention_1,retention_7"
EXPERIMENT: dict[str, Any] = {
    "key": "cookie_cats",
    "variants": [{"key": "gate_30"}, {"key": "gate_40"}],
    "metrics": [
        {"name": "retention_7", "kind": "conversion", "event": "experiment_exposure",
         "where": {"props.retention_7": "True"}},
        {"name": "rounds", "kind": "mean", "event": "experiment_exposure", "of": "props.sum_game_rounds"},
        {"name": "few_rounds", "kind": "mean", "event": "experiment_exposure", "of": "props.sum_game_rounds",
         "direction": "down", "guardrail": True},
    ],
}  # fmt: skip
IMPORT = (
    "import", "csv", "cats.csv", "--project", "game", "--map", "actor=userid", "--map", "properties.variant=version",
    "--set", "event=experiment_exposure", "--set", "properties.experiment=cookie_cats",
)  # fmt: skip


def players(variant: str, n: int, back: int) -> Iterator[str]:
    for i in range(n):
        yield f"{variant[-2:]}{i},{variant},{i % 9},{i % 2 == 0},{i < back}"


@pytest.fixture
def run(engine: Engine, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs commands over the worker's engine and a control store in a directory of its own."""

    def started(settings: Settings) -> Litestar:
        return build(settings, engine, clocked=False)

    made = runner(tmp_path, capsys, monkeypatch, started)
    start_ids(load({}, tmp_path / "no.env"))
    rows = [HEADER, *players("gate_30", 300, 57), *players("gate_40", 310, 31)]
    (tmp_path / "cats.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    (tmp_path / "experiment.json").write_text(json.dumps(EXPERIMENT), encoding="utf-8")
    assert made("projects", "create", "game", "--pack", "ab").code == 0
    assert made("experiments", "create", "--project", "game", "--file", "experiment.json", "--start").code == 0
    return made


def test_a_file_of_players_is_an_experiment(run: Run) -> None:
    assert run(*IMPORT).code == 0
    shown = run("experiments", "results", "cookie_cats", "--project", "game")
    assert shown.code == 0, shown.err
    assert "gate_30 300, gate_40 310 units; sample ratio p = 0.6856" in shown.out
    rows = [line.split() for line in shown.out.splitlines() if "gate_40" in line and "_7" in line]
    assert rows[0][:4] == ["retention_7", "gate_40", "310", "0.1"]
    assert rows[0][-2:] == ["significantly", "worse"]
    assert "few_rounds (less is better)" in shown.out
    assert shown.out.rstrip().endswith("not shown to be harmed")

    # A file that is imported again changes nothing.
    before = run("experiments", "results", "cookie_cats", "--project", "game", "--json").json
    assert run(*IMPORT).code == 0
    after = run("experiments", "results", "cookie_cats", "--project", "game", "--json").json
    assert before["metrics"] == after["metrics"]
    (seven,) = (each for each in after["metrics"] if each["name"] == "retention_7")
    assert [variant["value"] for variant in seven["variants"]] == pytest.approx([0.19, 0.1])

    one = run("experiments", "results", "cookie_cats", "--project", "game", "--metric", "rounds", "--effect", "0.2")
    assert one.code == 0
    assert "retention_7" not in one.out


def test_less_is_better_where_the_direction_is_down(run: Run) -> None:
    away = {**EXPERIMENT["metrics"][0], "name": "away", "direction": "down"}
    Path("away.json").write_text(json.dumps({**EXPERIMENT, "key": "away", "metrics": [away]}), encoding="utf-8")
    assert run("experiments", "create", "--project", "game", "--file", "away.json", "--start").code == 0
    assert run(*IMPORT[:-1], "properties.experiment=away").code == 0
    shown = run("experiments", "results", "away", "--project", "game")
    (row,) = (line for line in shown.out.splitlines() if "gate_40" in line and "better)" in line)
    assert row.rstrip().endswith("significantly better")


def test_an_experiment_without_players_says_so(run: Run) -> None:
    shown = run("experiments", "results", "cookie_cats", "--project", "game")
    assert (shown.code, shown.err) == (0, "no_units: No unit was exposed in this window.\n")
    assert "gate_30 0, gate_40 0 units; sample ratio p = unknown" in shown.out


def test_an_experiment_that_is_not_there_is_an_error(run: Run) -> None:
    shown = run("experiments", "results", "nothing", "--project", "game")
    assert (shown.code, shown.out) == (1, "")
    assert "There is no experiment 'nothing'." in shown.err
