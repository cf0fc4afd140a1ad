"""The benchmarks run and tell what they found; how fast they are is not tested here.

These are the quick ones of a kind each; `make bench ARGS=--quick` runs all of them, which takes minutes.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.figures import Figure, percentile

_ROOT = Path(__file__).parents[1]

NAMES = ("ingest", "summary", "refresh", "ab", "quiz", "parts")


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], str]:
    """What these tell in one quick run, as JSON and as text."""
    place = tmp_path_factory.mktemp("benchmarks")
    command = [
        sys.executable,
        "-m",
        "benchmarks",
        *NAMES,
        "--quick",
        "--data",
        str(place),
        "--json",
        str(place / "told.json"),
    ]
    run = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return json.loads((place / "told.json").read_text(encoding="utf-8")), run.stderr


@pytest.mark.parametrize("name", NAMES)
def test_benchmark_gives_figures(told: tuple[dict[str, Any], str], name: str) -> None:
    result, text = told
    assert result["quick"] is True
    assert result["machine"]["cores"] >= 1
    figures = result["suites"][name]["figures"]
    assert figures
    for figure in figures:
        assert isinstance(figure["value"], float | int)
        assert (figure["hit"] is None) == (figure["target"] is None)
        assert figure["name"] in text


def test_a_target_is_met_on_its_good_side() -> None:
    assert Figure("rate", 3, "1/s", 2, "more").hit is True
    assert Figure("rate", 1, "1/s", 2, "more").hit is False
    assert Figure("time", 1, "s", 2).hit is True
    assert Figure("time", 3, "s", 2).hit is False
    assert Figure("size", 3, "MB").hit is None


def test_percentiles_are_by_nearest_rank() -> None:
    values = list(range(100, 0, -1))
    assert (percentile(values, 0.5), percentile(values, 0.99), percentile(values, 1)) == (50, 99, 100)
    assert percentile([7], 0.5) == 7
