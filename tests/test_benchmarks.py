"""The benchmarks run and tell what they found; how fast they are is not tested here."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.figures import Figure, percentile
from benchmarks.suites import SUITES

_ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("name", SUITES)
def test_benchmark_gives_figures(name: str, tmp_path: Path) -> None:
    told = tmp_path / "told.json"
    command = [sys.executable, "-m", "benchmarks", name, "--quick", "--data", str(tmp_path), "--json", str(told)]
    run = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    result = json.loads(told.read_text(encoding="utf-8"))
    assert result["quick"] is True
    assert result["machine"]["cores"] >= 1
    figures = result["suites"][name]["figures"]
    assert figures
    for figure in figures:
        assert isinstance(figure["value"], float | int)
        assert (figure["hit"] is None) == (figure["target"] is None)
        assert figure["name"] in run.stderr


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
