"""`tallymark reviews`, over the real application."""

import json
from pathlib import Path

import pytest

from tallymark.app import build
from tallymark.engine.base import Engine
from tests.cli.tool import Run, runner
from tests.packs.voice.talking import NOON, Talking
from tests.packs.world import application

HERE = ("--project", "voice-0")
THEN = (*HERE, "--from", "2028-02-01", "--to", "2028-02-29")


@pytest.fixture(scope="module")
def home(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory whose data have a project with four exchanges, judged by two versions of an evaluator."""
    home = tmp_path_factory.mktemp("reviews")
    with application(home / "data", engine, NOON) as found:
        talking = Talking(found).fresh()
        assert talking.name == HERE[1]
        talking.talk(4)
        talking.judge()
        talking.judge_by({"sampleRate": 0.9999999}, lambda _: {"overall": 4, "safety": 5})
    return home


@pytest.fixture
def run(home: Path, engine: Engine, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs commands over that project."""
    return runner(home, capsys, monkeypatch, lambda settings: build(settings, engine, clocked=False))


def test_from_a_sample_to_agreement(run: Run, home: Path) -> None:
    assert "sample draws exchanges" in run("reviews", "list", *THEN).out
    drawn = run("reviews", "sample", *THEN, "--reviewer", "ann", "--limit", "3", "--json").json["exchanges"]
    first, *rest = [each["exchangeId"] for each in drawn]
    shown = run("reviews", "sample", *THEN, "--reviewer", "ann", "--limit", "3")
    assert [line.split()[0] for line in shown.out.splitlines()] == ["Exchange", first, *rest]
    options = ("--score", "overall=4", "--score", "safety=5", "--label", "too long", "--comment", "Fine.")
    ran = run("reviews", "add", first, *HERE, *options, "--reviewer", "ann")
    assert (ran.code, ran.out) == (0, "Kept 1 review.\n")
    many = [{"exchangeId": each, "reviewer": "ann", "scores": {"overall": 2}} for each in rest]
    (home / "reviews.json").write_text(json.dumps(many))
    assert run("reviews", "add", *HERE, "--file", "reviews.json").out == "Kept 2 reviews.\n"
    left = run("reviews", "sample", *THEN, "--reviewer", "ann", "--json").json["exchanges"]
    assert not {each["exchangeId"] for each in left} & {first, *rest}
    listed = run("reviews", "list", *THEN).out
    (line,) = [line for line in listed.splitlines() if line.startswith(first)]
    assert "ann" in line
    assert "safety 5, overall 4" in line
    assert "too long" in line
    agreed = run("reviews", "agreement", *THEN, "--evaluator", "quality@2")
    assert agreed.out.startswith("quality@2:\nScore")
    (overall,) = [line.split() for line in agreed.out.splitlines() if line.startswith("overall")]
    # The judge says 4 each time: agreement is what chance gives, and it is 4/3 kinder.
    assert overall == ["overall", "3", "0.333", "0", "0", "–", "–", "4", "2.67", "1.33", "–"]
    ran = run("reviews", "remove", first, *HERE, "--reviewer", "ann")
    assert ran.out == f"Deleted the review of {first} by ann.\n"
    assert len(run("reviews", "list", *THEN, "--json").json["reviews"]) == 2


def test_the_lowest_with_scores(run: Run) -> None:
    asked = (*THEN, "--reviewer", "ben", "--evaluator", "quality@1", "--lowest", "--scores")
    drawn = run("reviews", "sample", *asked, "--json").json["exchanges"]
    overall = [each["evaluation"]["overall"] for each in drawn]
    assert overall == sorted(overall)
    first = run("reviews", "sample", *asked, "--limit", "1").out.splitlines()
    assert first[1].startswith(drawn[0]["exchangeId"])
    assert first[1].rstrip().endswith(f"overall {overall[0]}")


def test_versions(run: Run) -> None:
    ran = run("reviews", "versions", "quality", *THEN)
    assert ran.out.startswith("quality, version 1 to 2; changed: sampleRate\nScore")
    told = run("reviews", "versions", "quality", *THEN, "--versions", "1..2", "--json").json["scores"]["overall"]
    (line,) = [line for line in ran.out.splitlines() if line.startswith("overall")]
    assert line.split()[:2] == ["overall", "4"]
    assert f"{told['difference']:+.3g} ({told['low']:.3g} to {told['high']:.3g})" in line


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("add", *HERE), 2, "name an exchange"),
        (("add", "ab", *HERE, "--score", "overall"), 2, "no score"),
        (("add", "ab", *HERE, "--score", "overall=9"), 1, "scores.overall can't be 9"),
        (("add", "ab", *HERE, "--score", "overall=3"), 1, "There is no exchange"),
        (("add", *HERE, "--file", "missing.json"), 1, "missing.json"),
        (("remove", "ab", *HERE), 1, "has no review of this exchange"),
        (("versions", "nobody", *HERE), 1, "There is no evaluator 'nobody'"),
        (("agreement", *HERE, "--evaluator", "quality@7"), 1, "Allowed: quality@2, quality@1"),
    ],
)
def test_what_is_wrong_is_said(run: Run, arguments: tuple[str, ...], code: int, told: str) -> None:
    ran = run("reviews", *arguments)
    assert (ran.code, told in ran.err) == (code, True), ran.err
