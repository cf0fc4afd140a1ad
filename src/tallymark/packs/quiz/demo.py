"""A school that never was: seeded, with learners who come, learn, come again and tire, three quizzes, and hints.

Abler learners know more answers, but for one question whose key is wrong. A learner gets better with every attempt.
Hints have been tried on algebra for 42 days: they keep learners from giving up, and make no answer righter. The quiz
for bicycles gives its result to who leaves an address.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from random import Random
from typing import Any, Final

from tallymark.api.services import Services
from tallymark.control.experiments import Doer
from tallymark.experiment.bucketing import bucket_ranges, choose, part_of
from tallymark.ingest.decode import WireEvent
from tallymark.packs.quiz import names
from tallymark.packs.quiz.attempts import Attempts
from tallymark.packs.quiz.demo_quizzes import QUIZZES, Question, Quiz
from tallymark.spec.experiment import EXPERIMENT, EXPOSURE, VARIANT
from tallymark.spec.experiment_draft import parse_draft
from tallymark.spec.project import Project

#: The project that the events are for, as `POST /v1/projects` takes it.
PROJECT: Final[Mapping[str, object]] = {"name": "demo-quiz", "packs": ["quiz", "ab"], "retention": "400d"}

_DOER: Final = "demo"
_NEW_LEARNERS: Final = 7  # a weekday, about
_WEEKEND: Final = 0.35
_LONGEST_STAY: Final = 60  # days
_GAIN: Final = 0.22  # of ability, an attempt
_SKIPS: Final = 0.02
_SAYS_SO: Final = 0.3  # of those who give up

_HINTED: Final = QUIZZES[0].name
_HINTS_SINCE: Final = 41  # days before the last
_HINTS: Final = parse_draft(
    {
        "key": "hints",
        "name": "Hints",
        "hypothesis": "With hints more learners finish algebra.",
        "variants": [{"key": "control"}, {"key": "hints"}],
        "metrics": [
            {"name": "finished", "kind": "conversion", "event": names.SUBMITTED},
            {"name": "score", "kind": "mean", "event": names.SUBMITTED, "of": f"props.{names.SCORE}"},
            {"name": "answers", "kind": "mean", "event": names.ANSWERED},
        ],
    }
)


@dataclass(frozen=True)
class _Learner:
    """Somebody who learns; `joined` is how many days before the last one."""

    name: str
    joined: int

    @cached_property
    def ages(self) -> frozenset[int]:
        """The days that they learn on, as days before the last."""
        draw = Random(self.name)
        stays = range(1, _LONGEST_STAY + 1)
        return frozenset([self.joined, *(self.joined - day for day in stays if draw.random() < 0.3 * day**-0.55)])

    @cached_property
    def ability(self) -> float:
        """How able they are when they come, in standard deviations of all learners."""
        return Random(f"{self.name} ability").gauss(0, 1)

    def able(self, age: int) -> float:
        """How able they are on a day."""
        return self.ability + _GAIN * sum(before > age for before in self.ages)

    @cached_property
    def hinted(self) -> bool:
        """Whether they get hints where these are tried."""
        weights = tuple(variant.weight for variant in _HINTS.variants)
        return choose(part_of(_HINTS.seed, self.name), bucket_ranges(weights, _HINTS.coverage)) == 1

    def meets(self, age: int) -> bool:
        """Whether this is the first day that they learn on since hints are tried."""
        return age <= _HINTS_SINCE and not any(age < before <= _HINTS_SINCE for before in self.ages)


def seed_hints(here: Services, project: Project, last: date) -> None:
    """Makes the demo's experiment, as if it had been started when that was due."""
    began = datetime.combine(last - timedelta(days=_HINTS_SINCE), datetime.min.time(), UTC)
    here.experiments.create(project.id, _HINTS, Doer(_DOER, began))
    here.experiments.start(project.id, _HINTS.key, Doer(_DOER, began))
    here.experiment_book.forget()


def finish(here: Services, project: Project, now: datetime) -> None:
    """Makes the attempts of what was sent, and says whose the quizzes are."""
    for quiz in QUIZZES:
        here.quizzes.put(project.id, quiz.name, quiz.title, quiz.owner, _DOER, now)
    Attempts.of(here).join(project)


def days(last: date, length: int = 90, seed: int = 7) -> Iterator[tuple[date, list[WireEvent]]]:
    """Each day up to `last` with its events in order of time; days are UTC's. Same arguments, same events."""
    joining = [list(_joining(last, joined, seed)) for joined in range(length + _LONGEST_STAY)]
    for age in reversed(range(length)):
        there = (learner for several in joining[age : age + _LONGEST_STAY + 1] for learner in several)
        events = [event for learner in there if age in learner.ages for event in _learned(learner, last, age)]
        yield last - timedelta(days=age), sorted(events, key=_time)


def _joining(last: date, joined: int, seed: int) -> Iterator[_Learner]:
    """Who comes so many days before the last."""
    day = last - timedelta(days=joined)
    mean = _NEW_LEARNERS * (_WEEKEND if day.weekday() >= 5 else 1)
    for number in range(max(1, round(Random(f"{seed} {day}").gauss(mean, mean**0.5)))):
        yield _Learner(f"l{seed}-{day}-{number}", joined)


@dataclass(frozen=True)
class _Attempt:
    """An attempt at a quiz by a learner, on a day, as `id`."""

    id: str
    quiz: Quiz
    learner: _Learner
    age: int
    draw: Random

    def tell(self, name: str, at: float, said: Mapping[str, Any]) -> WireEvent:
        """An event of it."""
        properties = {names.QUIZ: self.quiz.name, names.ATTEMPT_ID: self.id, **said}
        return _event(self.learner, f"{self.id} {name} {said.get(names.QUESTION, '')}", name, at, properties)

    @property
    def gives_up(self) -> float:
        """How likely they give up at a question."""
        hinted = self.quiz.name == _HINTED and self.age <= _HINTS_SINCE and self.learner.hinted
        return self.quiz.gives_up * (0.4 if hinted else 1)


def _learned(learner: _Learner, last: date, age: int) -> Iterator[WireEvent]:
    """What a learner does on a day: one attempt or two."""
    day = last - timedelta(days=age)
    draw = Random(f"{learner.name} {day}")
    at = datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1000 + draw.randrange(6, 20) * 3_600_000
    at += draw.randrange(1, 3_600_000)
    if learner.meets(age):
        variant = _HINTS.variants[learner.hinted].key
        said = {EXPERIMENT: _HINTS.key, VARIANT: variant}
        yield _event(learner, f"{learner.name} {EXPOSURE}", EXPOSURE, at - 1, said)
    for number in range(draw.choice((1, 1, 1, 2))):
        quiz = draw.choices(QUIZZES, [quiz.weight for quiz in QUIZZES])[0]
        yield from _attempted(_Attempt(f"{learner.name} {day} {number}", quiz, learner, age, draw), at)
        at += 1_800_000


def _attempted(attempt: _Attempt, begins: float) -> Iterator[WireEvent]:
    """An attempt from its start to its end, or to where it is given up."""
    at, right = begins, 0
    yield attempt.tell(names.STARTED, at, {})
    for question in attempt.quiz.questions:
        if attempt.draw.random() < attempt.gives_up:
            if attempt.draw.random() < _SAYS_SO:
                yield attempt.tell(names.ABANDONED, at + 4_000, {})
            return
        took = question.seconds * attempt.draw.lognormvariate(0, 0.4) * 1000
        at += took
        answered = _answer(attempt, question)
        right += answered.get(names.CORRECT, False)
        yield attempt.tell(names.ANSWERED, at, {names.TIME: round(took), **answered})
    most = len(attempt.quiz.questions)
    score = {names.SCORE: right, names.MAX_SCORE: most} if attempt.quiz.marked else {}
    yield attempt.tell(names.SUBMITTED, at + 1_000, {names.TIME: round(at - begins), **score})
    if attempt.draw.random() < attempt.quiz.asks_address:
        yield attempt.tell(names.LEAD, at + 20_000, {})


def _answer(attempt: _Attempt, question: Question) -> dict[str, Any]:
    """What is said to a question."""
    said = {names.QUESTION: question.name, names.OPTIONS: len(question.answers)}
    if attempt.draw.random() < _SKIPS:
        return {**said, names.SKIPPED: True}
    if not attempt.quiz.marked:
        return {**said, names.ANSWER: attempt.draw.choice(question.answers)}
    right = attempt.draw.random() < question.chance(attempt.learner.able(attempt.age))
    wrong = question.answers[1:]
    answer = question.answers[0] if right else attempt.draw.choices(wrong, range(len(wrong), 0, -1))[0]
    return {**said, names.ANSWER: answer, names.CORRECT: right, names.SCORE: int(right), names.MAX_SCORE: 1}


def _event(learner: _Learner, identity: str, name: str, at: float, said: Mapping[str, Any]) -> WireEvent:
    return WireEvent(event=name, timestamp=at, event_id=identity, actor=learner.name, properties=dict(said))


def _time(event: WireEvent) -> float:
    return float(event.timestamp) if isinstance(event.timestamp, int | float) else 0.0
