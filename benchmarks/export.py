"""Exports of five million events in every format: how fast, how large, and in how much memory above an idle process.

Each file is written by a process of its own, for memory that is given back is not always seen to be: this module,
called with a data directory, `what`, a format and the number of days, writes one and prints what it measured.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks import history
from benchmarks.figures import Bench, BenchmarkError, Figure, median
from tallymark.answer.run import Answerer
from tallymark.config import load
from tallymark.control.database import open_database
from tallymark.control.projects import Projects
from tallymark.engine.opening import open_engine
from tallymark.export.source import Source
from tallymark.export.write import write
from tallymark.packs import BUILTIN
from tallymark.spec.catalog import Catalog
from tallymark.spec.export import Format, Order, What
from tallymark.spec.query import Query
from tallymark.spec.window import Window

PAST = history.Past(date(2026, 1, 1), 10, 500_000, 100_000, 600_000)
_QUICK_PAST = history.Past(date(2026, 1, 1), 4, 500, 200, 500)

#: Workbooks are slow: these are of so many days, more rows than a sheet has.
_XLSX_DAYS = 3

_MOST_MB = 300

_SOME_PAGES = 20


def run(bench: Bench) -> list[Figure]:
    """The exports' figures."""
    past = _QUICK_PAST if bench.quick else PAST
    if not Path("/proc/self/status").is_file():
        raise BenchmarkError("This one reads its memory from /proc, which Linux has.")
    with history.opened(bench, past) as built:
        ((events,),) = built.engine.query("SELECT count() FROM events FINAL")
        ((rollups,),) = built.engine.query("SELECT count() FROM rollups WHERE run IN (SELECT run FROM runs FINAL)")
    figures = [Figure("events", events, "events", note=f"{past.days} days of {past.events_a_day:,}")]
    for format in (Format.CSV, Format.XLSX) if bench.quick else Format:
        days = _XLSX_DAYS if format is Format.XLSX else past.days
        figures += _figures(bench, past, What.EVENTS, format, days, past.events_a_day * days)
    return figures + _figures(bench, past, What.ROLLUPS, Format.CSV, past.days, rollups)


def _figures(bench: Bench, past: history.Past, what: What, format: Format, days: int, rows: int) -> list[Figure]:
    bench.say(f"exporting {rows:,} {what} as {format}")
    told = _written(past.folder(bench), what, format, days)
    if told["rows"] != rows:
        raise BenchmarkError(f"{told['rows']:,} rows of {rows:,} are in the file.")
    size = f"{told['bytes'] / 1e6:,.1f} MB, {rows / told['seconds']:,.0f} rows/s"
    name = f"{what} as {format}"
    figures = [
        Figure(name, told["seconds"], "s", note=f"{rows:,} rows, {size}"),
        Figure(
            f"{name}: memory", told["peak"] - told["idle"], "MB", _MOST_MB, note=f"above {told['idle']:,.0f} MB idle"
        ),
    ]
    if told["slowdown"] is not None:
        figures.append(Figure(f"{name}: last pages / first", told["slowdown"], "ratio", note="time per row"))
    return figures


def _written(folder: Path, what: What, format: Format, days: int) -> Any:
    command = [sys.executable, "-m", __name__, str(folder), what, format, str(days)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BenchmarkError(done.stderr[-2_000:])
    return json.loads(done.stdout)


@dataclass(frozen=True)
class _Page:
    rows: int
    at: float


def main(arguments: Sequence[str]) -> None:
    """Writes one file, and prints what it took."""
    folder, what, format, days = Path(arguments[0]), What(arguments[1]), Format(arguments[2]), int(arguments[3])
    settings = load({}, folder / "no.env", data=folder)
    engine = open_engine(settings)
    project = Projects(open_database(settings.control_url)).find(history.PROJECT)
    if project is None:
        raise SystemExit("There is no such past.")
    answerer = Answerer(engine, Catalog.of(BUILTIN))
    window = Window(PAST.first, PAST.first + timedelta(days=days - 1))
    answerer.answer(Query(("page_views", "visitors"), window), project)
    idle, pages = resident_mb("VmRSS"), [_Page(0, time.perf_counter())]
    order = Order(what, format, window)
    with tempfile.TemporaryDirectory(dir=folder) as scratch, (Path(scratch) / "file").open("wb") as sink:
        source = Source(answerer, Path(scratch))
        write(order, project, source, sink, lambda rows, _: pages.append(_Page(rows, time.perf_counter())))
        seconds, size = time.perf_counter() - pages[0].at, sink.tell()
    told = {"rows": pages[-1].rows, "seconds": seconds, "bytes": size, "idle": idle, "peak": resident_mb("VmHWM")}
    print(json.dumps({**told, "slowdown": _slowdown(pages)}))
    engine.close()


def _slowdown(pages: Sequence[_Page]) -> float | None:
    """The time per row of the last pages over that of the first full ones; None where there are few."""
    full = [(later.at - page.at) / (later.rows - page.rows) for page, later in pairwise(pages) if page.rows]
    return median(full[-_SOME_PAGES:]) / median(full[1 : _SOME_PAGES + 1]) if len(full) > 2 * _SOME_PAGES else None


def resident_mb(line: str) -> float:
    """Resident memory of this process, as a line of its status has it: `VmRSS` is now, `VmHWM` the most so far."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(text.split()[1]) for text in lines if text.startswith(f"{line}:")) / 1024


if __name__ == "__main__":
    main(sys.argv[1:])
