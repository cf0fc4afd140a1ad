"""Item analysis of a quiz that a hundred thousand took: how long it takes, in how much memory above an idle process.

It is asked by a process of its own: this module, called with a data directory, asks and prints what it measured.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Final

from benchmarks.export import resident_mb
from benchmarks.figures import Bench, BenchmarkError, Figure
from tallymark.config import load
from tallymark.control.database import open_database
from tallymark.control.projects import Projects
from tallymark.engine.opening import open_engine
from tallymark.engine.schema import migrate
from tallymark.packs.quiz.item_analysis import ItemAnalysis
from tallymark.packs.quiz.policy import Policy
from tallymark.packs.quiz.quiz_statistics import alpha
from tallymark.spec.project import ProjectDraft
from tallymark.spec.window import Window

_PROJECT: Final = "school"
_QUESTIONS: Final = 20
_WINDOW: Final = Window(date(2026, 3, 1), date(2026, 3, 31))

_ASKED: Final[Mapping[str, Callable[[ItemAnalysis], object]]] = {
    "scores": ItemAnalysis.attempts,
    "questions": ItemAnalysis.items,
    "answers to a question": lambda analysis: analysis.answers("q7", 20),
}


def run(bench: Bench) -> list[Figure]:
    """The figures of item analysis."""
    attempts = 500 if bench.quick else 100_000
    if not Path("/proc/self/status").is_file():
        raise BenchmarkError("This one reads its memory from /proc, which Linux has.")
    with tempfile.TemporaryDirectory(prefix="tallymark-bench-") as folder:
        bench.say(f"writing {attempts:,} attempts at {_QUESTIONS} questions")
        _write(Path(folder), attempts)
        bench.say("asking for scores, questions, and answers to a question")
        told = _done(Path(folder))
    for what, n in told["attempts"].items():
        if n != attempts:
            raise BenchmarkError(f"The {what} are of {n:,} attempts, of {attempts:,} that there are.")
    return [
        Figure("answers", attempts * _QUESTIONS, "events", note=f"of {attempts:,} attempts"),
        *(Figure(what, seconds, "s") for what, seconds in told["seconds"].items()),
        Figure("memory at most", told["peak"] - told["idle"], "MB", note=f"above {told['idle']:,.0f} MB idle"),
    ]


def _write(folder: Path, attempts: int) -> None:
    settings = load({}, folder / "no.env", data=folder)
    database, engine = open_database(settings.control_url), open_engine(settings)
    try:
        migrate(engine)
        project = Projects(database).create(ProjectDraft(_PROJECT, packs=("quiz",)))
        for event in (_ATTEMPTS, _ANSWERS):
            engine.command(event, {"project": project.id, "attempts": attempts, "questions": _QUESTIONS})
    finally:
        engine.close()
        database.close()


def _done(folder: Path) -> Any:
    command = [sys.executable, "-m", __name__, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BenchmarkError(done.stderr[-2_000:])
    return json.loads(done.stdout)


def main(arguments: Sequence[str]) -> None:
    """Asks for one thing after the other, and prints what that took."""
    folder = Path(arguments[0])
    settings = load({}, folder / "no.env", data=folder)
    engine = open_engine(settings)
    project = Projects(open_database(settings.control_url)).find(_PROJECT)
    if project is None:
        raise SystemExit("There is no such school.")
    analysis = ItemAnalysis(engine, project, "algebra", _WINDOW, Policy.ALL)
    ItemAnalysis(engine, project, "none", _WINDOW, Policy.ALL).retakes()
    idle = resident_mb("VmRSS")
    seconds, attempts = {}, {}
    for what, ask in _ASKED.items():
        started = time.perf_counter()
        found = ask(analysis)
        seconds[what] = time.perf_counter() - started
        attempts[what] = _attempts(what, found)
    print(json.dumps({"attempts": attempts, "seconds": seconds, "idle": idle, "peak": resident_mb("VmHWM")}))
    engine.close()


def _attempts(what: str, found: Any) -> int:
    """How many attempts what was found is of."""
    if what == "scores":
        return int(found.scores.n)
    if what == "questions":
        reliable = (alpha(found.items, found.n, found.variance) or 0) > 0
        return int(found.n) if reliable and len(found.items) == _QUESTIONS else 0
    return sum(answer.n for answer in found.answers)


_COLUMNS: Final = "INSERT INTO events (project, event, occurred_at, received_at, event_id, actor, props, expires_at)"

#: An attempt begins somewhere in March; who takes it is able or less so, and one in five comes again.
_ATTEMPTS: Final = f"""{_COLUMNS}
WITH toDateTime64('2026-03-01', 3, 'UTC') + toIntervalSecond(cityHash64('begun', number) % 2600000) AS begun
SELECT {{project:UInt32}}, 'quiz_attempt', begun, begun, cityHash64('attempt', number),
    cityHash64('who', number % intDiv({{attempts:UInt64}} * 4, 5)),
    concat('{{"quizId":"algebra","attemptState":"submitted","attemptId":"attempt-', toString(number),
        '","grade":', toString(cityHash64('able', number) % 101), '}}'),
    now() + toIntervalYear(10)
FROM numbers({{attempts:UInt64}})"""

_ANSWERS: Final = f"""{_COLUMNS}
WITH
    intDiv(number, {{questions:UInt64}}) AS attempt,
    number % {{questions:UInt64}} AS question,
    toDateTime64('2026-03-01', 3, 'UTC') + toIntervalSecond(cityHash64('begun', attempt) % 2600000) AS begun,
    begun + toIntervalSecond(question * 30 + 1) AS at,
    cityHash64('answer', number) AS dice,
    dice % 120 < cityHash64('able', attempt) % 101 AS is_right
SELECT {{project:UInt32}}, 'question_answered', at, at, dice,
    cityHash64('who', attempt % intDiv({{attempts:UInt64}} * 4, 5)),
    concat('{{"quizId":"algebra","attemptId":"attempt-', toString(attempt), '","questionId":"q', toString(question),
        '","answer":"', if(is_right, 'A', ['B', 'C', 'D'][bitShiftRight(dice, 20) % 3 + 1]),
        '","correct":', if(is_right, 'true', 'false'), ',"options":4,"timeMs":', toString(dice % 60000), '}}'),
    now() + toIntervalYear(10)
FROM numbers({{attempts:UInt64}} * {{questions:UInt64}})"""

if __name__ == "__main__":
    main(sys.argv[1:])
