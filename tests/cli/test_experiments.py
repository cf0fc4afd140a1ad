"""`tallymark experiments`, over the real application."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from litestar import Litestar

from tallymark.app import build
from tallymark.cli import main
from tallymark.config import Settings
from tallymark.engine.base import Engine
from tests.cli.tool import Ran

Run = Callable[..., Ran]

HERE = ("--project", "shop")
CREATE = ("experiments", "create", "checkout", *HERE, "--variant", "control", "--variant", "blue:2.5")
COMMANDS = ("create", "list", "show", "update", "start", "stop", "ship", "archive", "kill", "delete", "audit")


@pytest.fixture
def run(engine: Engine, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs commands over the worker's engine and a control store of its own, with a project in it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    for name in ("TALLYMARK_ENDPOINT", "TALLYMARK_KEY", "TALLYMARK_DATA", "ADMIN_API_KEY"):
        monkeypatch.delenv(name, raising=False)

    def started(settings: Settings) -> Litestar:
        return build(settings, engine, clocked=False)

    def run(*arguments: str) -> Ran:
        capsys.readouterr()
        code = main(arguments, started)
        return Ran(code, *capsys.readouterr())

    assert run("projects", "create", "shop", "--pack", "ab").code == 0
    return run


def test_from_options(run: Run) -> None:
    metrics = ("conversion:purchase", "revenue=mean:purchase:value", "retention:open")
    asked = [part for metric in metrics for part in ("--metric", metric)]
    ran = run(*CREATE, *asked, "--coverage", "0.5", "--name", "Checkout", "--hypothesis", "Blue sells.", "--json")
    assert (ran.code, ran.err) == (0, "")
    made = ran.json["experiment"]
    assert (made["key"], made["name"], made["hypothesis"], made["coverage"]) == (
        "checkout", "Checkout", "Blue sells.", 0.5,
    )  # fmt: skip
    assert [(variant["key"], variant["weight"]) for variant in made["variants"]] == [("control", 1), ("blue", 2.5)]
    assert [(metric["name"], metric["kind"], metric["event"]) for metric in made["metrics"]] == [
        ("purchase_conversion", "conversion", ["purchase"]),
        ("revenue", "mean", ["purchase"]),
        ("open_retention", "retention", ["open"]),
    ]
    assert made["metrics"][1]["of"] == "value"
    assert run("experiments", "show", "checkout", *HERE, "--json").json == ran.json


def test_from_a_file_over_which_options_win(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    definition = {"key": "checkout", "coverage": 0.5, "variants": [{"key": "a", "value": 1}, {"key": "b", "value": 2}]}
    Path("experiment.json").write_text(json.dumps(definition))
    made = run("experiments", "create", *HERE, "--file", "experiment.json", "--coverage", "0.7", "--json").json
    assert (made["experiment"]["key"], made["experiment"]["coverage"]) == ("checkout", 0.7)
    assert [variant["value"] for variant in made["experiment"]["variants"]] == [1, 2]
    with Path("experiment.json").open() as file:
        monkeypatch.setattr("sys.stdin", file)
        ran = run("experiments", "create", "cart", *HERE, "--file", "-", "--start", "--json")
    assert (ran.json["experiment"]["key"], ran.json["experiment"]["status"]) == ("cart", "running")


def test_what_is_shown_can_be_created_again(run: Run) -> None:
    assert run(*CREATE, "--metric", "conversion:purchase").code == 0
    shown = run("experiments", "show", "checkout", *HERE, "--json").json["experiment"]
    of_its_life = ("status", "shipped", "createdAt", "startedAt", "stoppedAt", "revision")
    definition = {field: value for field, value in shown.items() if field not in of_its_life}
    Path("again.json").write_text(json.dumps({**definition, "key": "again"}))
    again = run("experiments", "create", *HERE, "--file", "again.json", "--json").json["experiment"]
    assert {field: again[field] for field in definition} == {**definition, "key": "again"}


def test_a_whole_life(run: Run) -> None:
    assert run(*CREATE).code == 0
    for command, status in (("start", "running"), ("stop", "stopped"), ("start", "running")):
        ran = run("experiments", command, "checkout", *HERE)
        assert re.search(rf"^Status +{status} *$", ran.out, re.MULTILINE)
    killed = run("experiments", "kill", "checkout", *HERE)
    assert re.search(r"^Killed +yes *$", killed.out, re.MULTILINE)
    assert run("experiments", "kill", "checkout", *HERE, "--undo", "--json").json["experiment"]["killed"] is False
    shipped = run("experiments", "ship", "checkout", *HERE, "--variant", "blue")
    assert re.search(r"^Shipped +blue *$", shipped.out, re.MULTILINE)
    assert run("experiments", "archive", "checkout", *HERE, "--json").json["experiment"]["status"] == "archived"
    deeds = run("experiments", "audit", "checkout", *HERE, "--json").json["audit"]
    assert [deed["action"] for deed in reversed(deeds)] == [
        "create", "start", "stop", "start", "update", "update", "ship", "archive",
    ]  # fmt: skip
    assert {deed["by"] for deed in deeds} == {"admin"}
    told = run("experiments", "audit", "checkout", *HERE).out
    assert '{"from": "running", "variant": "blue"}' in told
    assert run("experiments", "list", *HERE).out.splitlines()[1].split()[:2] == ["checkout", "archived"]


def test_weights_and_coverage_change(run: Run) -> None:
    assert run(*CREATE, "--start").code == 0
    ran = run("experiments", "update", "checkout", *HERE, "--variant", "blue:9", "--coverage", "0.2", "--json")
    changed = ran.json["experiment"]
    assert [variant["weight"] for variant in changed["variants"]] == [1, 9]
    assert changed["coverage"] == 0.2
    ran = run("experiments", "update", "checkout", *HERE, "--variant", "green:9")
    assert (ran.code, ran.out) == (1, "")
    assert "its variants and their order stay" in ran.err
    Path("change.json").write_text('{"targeting": [{"attribute": "country", "values": "DE"}]}')
    ran = run("experiments", "update", "checkout", *HERE, "--file", "change.json")
    assert '"country"' in ran.out


def test_a_draft_is_deleted(run: Run) -> None:
    assert run(*CREATE).code == 0
    ran = run("experiments", "delete", "checkout", *HERE)
    assert (ran.code, ran.out) == (0, "Deleted experiment checkout.\n")
    ran = run("experiments", "list", *HERE)
    assert ran.out.startswith("There are no experiments yet: tallymark experiments create ")
    assert run("experiments", "list", *HERE, "--json").json == {"experiments": []}


def test_what_the_server_refuses(run: Run) -> None:
    ran = run("experiments", "create", "checkout", *HERE, "--variant", "control")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == "error: A single variant is no experiment: it needs one to compare with.\n"
    ran = run(*CREATE, "--metric", "sum:purchase")
    assert ran.err == ("error: metrics.0.kind can't be 'sum'. Allowed: conversion, mean, ratio, quantile, retention.\n")
    ran = run("experiments", "start", "nothing", *HERE)
    assert (ran.code, ran.err) == (1, "error: There is no experiment 'nothing'.\n")
    assert run(*CREATE).code == 0
    ran = run("experiments", "stop", "checkout", *HERE)
    assert ran.code == 1
    assert "'checkout' is draft: it can be started, archived or deleted." in ran.err
    assert run("projects", "create", "site", "--pack", "web").code == 0
    ran = run("experiments", "list", "--project", "site")
    assert "tallymark projects update site --pack web --pack ab" in ran.err


def test_wrong_usage(run: Run) -> None:
    Path("list.json").write_text("[]")
    Path("broken.json").write_bytes(b'{"a": \xff}')
    wrong = (
        ("create", "x", "--variant", "blue:much"),
        ("create", "x", "--variant", "blue:nan"),
        ("create", "x", "--coverage", "nan"),
        ("create", "x", "--metric", "purchase"),
        ("create", "x", "--metric", "ratio:a:b:c"),
        ("create", "--file", "list.json"),
        ("create", "--file", "broken.json"),
        ("create", "x", "--coverage", "all"),
        ("update", "x"),
        ("ship", "x"),
        ("show",),
    )
    for arguments in wrong:
        ran = run("experiments", *arguments)
        assert (ran.code, ran.out) == (2, ""), arguments
    ran = run("experiments", "create", "--file", "missing.json")
    assert (ran.code, ran.err) == (1, "error: No such file or directory: missing.json\n")
    for command in COMMANDS:
        assert f"Example: tallymark experiments {command}" in run("experiments", command, "--help").out


@pytest.mark.parametrize("key", ["", "../projects", "a/b", "?project=other"])
def test_what_can_be_no_key_is_never_asked_for(run: Run, key: str) -> None:
    commands = ("show", "start", "audit", "delete", "kill", "results")
    asked: list[tuple[str, ...]] = [("experiments", command, key, *HERE) for command in commands]
    asked += [("funnels", "delete", key, *HERE), ("funnels", "set", key, *HERE, "--step", "a", "--step", "b")]
    for arguments in asked:
        ran = run(*arguments)
        assert (ran.code, ran.out) == (1, ""), arguments
        assert ran.err.startswith("error: ")
        assert "1 to 64" in ran.err


@pytest.mark.parametrize("levels", [50, 400, 900, 985, 5_000])
def test_a_deeply_nested_file_is_a_mistake(run: Run, levels: int) -> None:
    value = "[" * levels + "]" * levels
    Path("deep.json").write_text(f'{{"variants": [{{"key": "a"}}, {{"key": "b", "value": {value}}}]}}')
    ran = run("experiments", "create", "deep", *HERE, "--file", "deep.json")
    assert (ran.code in (1, 2), ran.out) == (True, "")
