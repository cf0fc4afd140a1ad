"""A month of a million events archived and restored: how fast, how large, in how much memory above an idle process.

Each step is done by a process of its own: this module, called with a data directory and the step, does it and prints
what it measured. What is restored was deleted before; it is there again when the last step is done.
"""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from benchmarks import history
from benchmarks.export import resident_mb
from benchmarks.figures import Bench, BenchmarkError, Figure
from tallymark.api.services import services
from tallymark.app import build
from tallymark.archive.manifest import archive_id
from tallymark.config import load
from tallymark.spec.month import Month
from tallymark.spec.query import Query

PAST = history.Past(date(2026, 3, 1), 31, 32_259, 20_000, 100_000)
_QUICK_PAST = history.Past(date(2026, 3, 1), 3, 500, 200, 500)

_MONTH = Month(2026, 3)


def run(bench: Bench) -> list[Figure]:
    """The archive's figures."""
    past = _QUICK_PAST if bench.quick else PAST
    if not Path("/proc/self/status").is_file():
        raise BenchmarkError("This one reads its memory from /proc, which Linux has.")
    shutil.rmtree(past.folder(bench), ignore_errors=True)
    with history.opened(bench, past) as built:
        ((events,),) = built.engine.query("SELECT count() FROM events FINAL")
    figures = [Figure("events", events, "events", note=f"{past.days} days of {past.events_a_day:,}")]
    for step in ("archive", "restore"):
        bench.say(f"{step}: {events:,} events")
        told = _done(past.folder(bench), step)
        if told["rows"] != events:
            raise BenchmarkError(f"{told['rows']:,} events of {events:,} are in the archive.")
        note = f"{told['bytes'] / 1e6:,.1f} MB, {events / told['seconds']:,.0f} events/s"
        memory = f"above {told['idle']:,.0f} MB idle"
        figures.append(Figure(step, told["seconds"], "s", note=note))
        figures.append(Figure(f"{step}: memory", told["peak"] - told["idle"], "MB", note=memory))
    return figures


def _done(folder: Path, step: str) -> Any:
    command = [sys.executable, "-m", __name__, str(folder), step]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BenchmarkError(done.stderr[-2_000:])
    return json.loads(done.stdout)


def main(arguments: Sequence[str]) -> None:
    """Does one step, and prints what it took."""
    folder, step = Path(arguments[0]), arguments[1]
    here = services(build(load({}, folder / "no.env", data=folder), clocked=False).state)
    project = here.projects.find(history.PROJECT)
    if project is None:
        raise SystemExit("There is no such past.")
    if step == "restore":
        here.engine.command("ALTER TABLE events DELETE WHERE 1 SETTINGS mutations_sync = 2")
    here.answers.answerer.answer(Query(("page_views", "visitors"), _MONTH.window("UTC")), project)
    idle, started = resident_mb("VmRSS"), time.perf_counter()
    if step == "archive":
        archive = here.archives.make(project, _MONTH, True, _nobody).archive
        rows = archive.rows
    else:
        back = here.archives.restore(archive_id(project, _MONTH), project, timedelta(days=30), _nobody)
        archive, rows = back.archive, back.restored.written
    seconds = time.perf_counter() - started
    told = {"rows": rows, "seconds": seconds, "bytes": archive.bytes, "idle": idle, "peak": resident_mb("VmHWM")}
    print(json.dumps(told))
    here.engine.close()


def _nobody(_rows: int, _of: int) -> None:
    """Nobody is told."""


if __name__ == "__main__":
    main(sys.argv[1:])
