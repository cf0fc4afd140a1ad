"""Runs benchmarks, shows a table, and writes JSON."""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks import machine
from benchmarks.figures import Bench, BenchmarkError, Figure
from benchmarks.suites import SUITES

_SHOWN = Console(stderr=True)
if not _SHOWN.is_terminal:
    _SHOWN.width = 140


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs what is named; gives 1 where a benchmark found wrong numbers. A missed target is no error."""
    asked = _parser().parse_args(arguments)
    names = asked.names or list(SUITES)
    bench = Bench(asked.quick, asked.data, lambda text: _SHOWN.print(f"  {text}", style="dim", highlight=False))
    result: dict[str, Any] = {
        "startedAt": datetime.now(UTC).isoformat(timespec="seconds"),
        "quick": asked.quick,
        "machine": machine.describe(),
        "suites": {},
    }
    try:
        for name in names:
            result["suites"][name] = _run(name, bench)
    except BenchmarkError as error:
        _SHOWN.print(f"error: {error}", style="red", highlight=False)
        return 1
    finally:
        _write(result, asked.json)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*SUITES, []], metavar="names", help=f"some of {', '.join(SUITES)}")
    parser.add_argument("--quick", action="store_true", help="small and short: to see that it works, not how fast")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where JSON goes; standard output without it")
    parser.add_argument(
        "--data", type=Path, metavar="DIR", default=Path(tempfile.gettempdir()) / "tallymark-benchmarks",
        help="where built data is kept for the next run; default %(default)s",
    )  # fmt: skip
    return parser


def _run(name: str, bench: Bench) -> dict[str, Any]:
    _SHOWN.print(name, style="bold")
    started = time.monotonic()
    figures = SUITES[name](bench)
    _SHOWN.print(_table(figures))
    return {"seconds": round(time.monotonic() - started, 1), "figures": [figure.body() for figure in figures]}


def _table(figures: Sequence[Figure]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in ("figure", "value", "unit", "target", "", "note"):
        table.add_column(heading, justify="right" if heading in ("value", "target") else "left")
    for figure in figures:
        sign = "≥" if figure.better == "more" else "≤"
        target = "" if figure.target is None else f"{sign} {_short(figure.target)}"
        hit = {None: "", True: "[green]hit[/]", False: "[red]miss[/]"}[figure.hit]
        table.add_row(figure.name, _short(figure.value), figure.unit, target, hit, f"[dim]{figure.note}[/]")
    return table


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.3g}"


def _write(result: dict[str, Any], path: Path | None) -> None:
    text = json.dumps(result, indent=2) + "\n"
    if path is None:
        sys.stdout.write(text)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
