"""The quiz pack: how fast attempts are made of their parts, and how long a look takes beside many that there are."""

import random
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from benchmarks.embedded import FIRST, embedded, store
from benchmarks.figures import Bench, BenchmarkError, Figure, percentile
from benchmarks.timing import milliseconds
from tallymark.api.services import Services
from tallymark.ingest.decode import WireEvent
from tallymark.packs.quiz.attempts import Attempts
from tallymark.packs.quiz.names import ANSWERED, STARTED, SUBMITTED
from tallymark.spec.project import Project, parse_draft

_QUESTIONS = 6

#: Attempts that are stored together.
_CHUNK = 2_500

#: The targets: events/s, ms.
_MADE, _LOOK = 10_000, 1_000


@dataclass(frozen=True)
class _Size:
    """How many attempts there are a day, for how many days, and how many looks are taken beside them.

    `rest` are seconds before these: what was just inserted is looked at again until it has settled.
    """

    a_day: int
    days: int
    looks: int
    rest: int


_FULL = _Size(a_day=500, days=100, looks=20, rest=31)
_QUICK = _Size(a_day=10, days=3, looks=2, rest=0)


def run(bench: Bench) -> list[Figure]:
    """The figures of the pack."""
    size = _QUICK if bench.quick else _FULL
    with tempfile.TemporaryDirectory(prefix="tallymark-bench-") as folder, embedded(Path(folder) / "data") as here:
        draft = parse_draft({"name": "school", "packs": ["quiz"], "retention": "3650d"}, {"quiz": {}})
        project = here.projects.create(draft)
        return [*_backlog(bench, size, here, project), *_looks(bench, size, here, project)]


def _backlog(bench: Bench, size: _Size, here: Services, project: Project) -> Iterator[Figure]:
    """Everything there is, made into attempts at once."""
    attempts = size.a_day * size.days
    events = attempts * (_QUESTIONS + 2)
    bench.say(f"writing {events:,} parts of {attempts:,} attempts")
    draw = random.Random(7)
    for begin in range(0, attempts, _CHUNK):
        numbers = range(begin, min(begin + _CHUNK, attempts))
        store(here, project, [part for n in numbers for part in _parts(draw, f"a-{n}", _start(draw, n // size.a_day))])
    bench.say("making attempts")
    started, spent = time.monotonic(), time.process_time()
    _make(here, project, attempts)
    yield Figure("made into attempts", events / (time.monotonic() - started), "events/s", _MADE, "more",
                 f"{events:,} events, {attempts:,} attempts")  # fmt: skip
    yield Figure("the same by processor time", events / (time.process_time() - spent), "events/s",
                 note="merging in the engine included")  # fmt: skip


def _looks(bench: Bench, size: _Size, here: Services, project: Project) -> Iterator[Figure]:
    """One new attempt at a time, as the clock or a reader meets it."""
    bench.say("one attempt at a time beside them")
    draw = random.Random(8)
    time.sleep(size.rest)

    def look(turn: int) -> None:
        store(here, project, _parts(draw, f"later-{turn}", _start(draw, size.days)))
        _make(here, project, 1)

    took = milliseconds(size.looks, look)
    yield Figure("one attempt more p50", percentile(took, 0.5), "ms", note="writing its parts included")
    yield Figure("one attempt more p95", percentile(took, 0.95), "ms", _LOOK)


def _make(here: Services, project: Project, expected: int) -> None:
    """Makes attempts. Errors: `BenchmarkError` where they are not as many as expected."""
    made = Attempts.of(here).join(project)
    if made != expected:
        raise BenchmarkError(f"Of {expected} attempts {made} were made.")


def _start(draw: random.Random, day: int) -> datetime:
    return FIRST + timedelta(days=day, seconds=draw.random() * 80_000)


def _parts(draw: random.Random, attempt: str, start: datetime) -> list[WireEvent]:
    """A start, answers half a minute apart, and a submission."""
    ids, user = {"quizId": f"quiz-{draw.randrange(40)}", "attemptId": attempt}, f"u-{draw.randrange(20_000)}"
    answers = [
        (ANSWERED, {"questionId": f"q{n}", "correct": draw.random() < 0.7, "timeMs": 30_000}) for n in range(_QUESTIONS)
    ]
    said: list[tuple[str, dict[str, object]]] = [(STARTED, {}), *answers, (SUBMITTED, {})]
    return [
        WireEvent(name, start + timedelta(seconds=30 * place), event_id=f"{attempt}-{place}", user_id=user,
                  properties={**ids, **more})
        for place, (name, more) in enumerate(said)
    ]  # fmt: skip
