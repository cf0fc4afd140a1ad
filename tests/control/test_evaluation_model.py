"""The queue of evaluations beside a plain dictionary: nothing is lost, nothing held twice, and turns are fair."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallymark.control.database import Database, open_database
from tallymark.control.evaluation_queue import HELD_SECONDS, Claimed, EvaluationQueue, Judgement
from tallymark.control.evaluation_rows import Attempt
from tallymark.control.evaluations import Evaluations
from tallymark.control.evaluators import Evaluators
from tallymark.control.experiments import Doer
from tallymark.control.projects import Projects
from tallymark.spec.evaluation import Failed, Fault, Verdict
from tallymark.spec.evaluator import Evaluator, EvaluatorDraft
from tallymark.spec.project import ProjectDraft
from tests.conftest import SLOW

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
HOLDERS = ("a", "b")
PROJECTS = 3
MOST_ATTEMPTS = 3
_OPEN = ("waiting", "running", "judged")

projects = st.integers(0, PROJECTS - 1)
holders = st.sampled_from(HOLDERS)
picks = st.lists(st.integers(0, 9), min_size=1, max_size=5)
enqueued = st.tuples(st.just("enqueue"), projects, st.lists(st.integers(0, 12), min_size=1, max_size=8))
claims = st.tuples(st.just("claim"), holders, st.integers(1, 7), st.sets(projects, max_size=1))
#: What is put there and taken comes as often as all the rest together, so that the rest finds something.
steps = st.one_of(
    enqueued,
    claims,
    claims,
    st.one_of(
        st.tuples(st.sampled_from(["judge", "finish", "let", "lose", "renew"]), holders, picks),
        st.tuples(st.just("fail"), holders, picks, st.none() | st.integers(0, 60)),
        st.tuples(st.just("restart"), holders),
        st.tuples(st.sampled_from(["pause", "requeue"]), projects),
    ),
    st.tuples(st.just("wait"), st.sampled_from([1, 20, HELD_SECONDS, 2 * HELD_SECONDS])),
)


@dataclass
class Entry:
    """What is known of one evaluation."""

    place: int
    status: str = "waiting"
    attempts: int = 0
    claim: int = 0
    holder: str = ""
    held_until: datetime = NOON
    not_before: datetime = NOON


@dataclass
class World:
    """The store, and what a dictionary says that is in it."""

    database: Database
    evaluators: list[Evaluator]
    entries: dict[tuple[int, int], Entry] = field(default_factory=dict)
    paused: set[int] = field(default_factory=set)
    held: dict[str, list[Claimed]] = field(default_factory=lambda: {holder: [] for holder in HOLDERS})
    now: datetime = NOON

    def __post_init__(self) -> None:
        self.evaluations = Evaluations(self.database)
        self.queues = {holder: EvaluationQueue(self.database, holder) for holder in HOLDERS}

    def entry(self, claimed: Claimed) -> Entry:
        return self.entries[claimed.evaluator.project_id, claimed.exchange]

    def mine(self, holder: str, claimed: Claimed, *statuses: str) -> bool:
        entry = self.entry(claimed)
        return (entry.holder, entry.claim) == (holder, claimed.claim) and entry.status in statuses

    def picked(self, holder: str, places: list[int]) -> list[Claimed]:
        """Some of what a holder has claimed, also what it has lost meanwhile; each once."""
        held = self.held[holder]
        return [held[place] for place in sorted(set(places)) if place < len(held)]

    def enqueue(self, number: int, exchanges: list[int]) -> None:
        project = self.evaluators[number].project_id
        new = [exchange for exchange in dict.fromkeys(exchanges) if (project, exchange) not in self.entries]
        cases = [(exchange, NOON) for exchange in exchanges]
        assert self.evaluations.enqueue(self.evaluators[number], cases, self.now) == len(new)
        for exchange in new:
            self.entries[project, exchange] = Entry(len(self.entries))

    def claim(self, holder: str, limit: int, without: set[int]) -> list[Claimed]:
        left_out = {self.evaluators[number].project_id for number in without}
        self._lapse()
        left = {key for key, e in self.entries.items() if e.status == "judged" and e.held_until <= self.now}
        due = {
            key for key, e in self.entries.items()
            if e.status == "waiting" and e.not_before <= self.now and key[0] not in self.paused | left_out
        }  # fmt: skip
        claimed = self.queues[holder].claim(self.now, limit, left_out, MOST_ATTEMPTS)
        keys = [(found.evaluator.project_id, found.exchange) for found in claimed]
        assert len(set(keys)) == len(keys) == min(limit, len(left) + len(due))
        assert set(keys[: len(left)]) <= left
        self._check_turns(keys[len(left) :], due)
        for found in claimed:
            entry = self.entry(found)
            assert (found.verdict is not None, found.attempts) == (entry.status == "judged", entry.attempts)
            entry.status = "running" if entry.status == "waiting" else entry.status
            entry.claim, entry.holder, entry.held_until = found.claim, holder, self._held()
        self.held[holder] += claimed
        return claimed

    def _check_turns(self, taken: list[tuple[int, int]], due: set[tuple[int, int]]) -> None:
        """The oldest of each project, and of no project two more than of another that has some left."""
        assert set(taken) <= due
        share = Counter({project: 0 for project, _ in due}) + Counter(project for project, _ in taken)
        for project, _ in due:
            mine = sorted((key for key in due if key[0] == project), key=lambda key: self.entries[key].place)
            got = sum(key[0] == project for key in taken)
            assert [key for key in taken if key[0] == project] == mine[:got]
            assert got == len(mine) or got >= max(share.values(), default=0) - 1

    def _lapse(self) -> None:
        for entry in self.entries.values():
            if entry.status == "running" and entry.held_until <= self.now:
                entry.attempts += 1
                entry.status = "dead" if entry.attempts >= MOST_ATTEMPTS else "waiting"
                entry.not_before = self.now

    def judge(self, holder: str, places: list[int]) -> None:
        told = self.picked(holder, places)
        mine = [claimed for claimed in told if self.mine(holder, claimed, "running")]
        kept = self.queues[holder].judged([Judgement(c, Verdict({"overall": 3}), Attempt(self.now)) for c in told])
        assert [claimed.id for claimed in kept] == [claimed.id for claimed in mine]
        for claimed in mine:
            entry = self.entry(claimed)
            entry.status, entry.attempts = "judged", entry.attempts + 1

    def finish(self, holder: str, places: list[int]) -> None:
        self._told(holder, places, ("judged",), "done", self.queues[holder].done)

    def lose(self, holder: str, places: list[int]) -> None:
        self._told(holder, places, ("running", "judged"), "gone", self.queues[holder].gone)

    def _told(self, holder: str, places: list[int], statuses: tuple[str, ...], status: str, report: Any) -> None:
        told = self.picked(holder, places)
        mine = [claimed for claimed in told if self.mine(holder, claimed, *statuses)]
        assert report(told, self.now) == len(mine)
        for claimed in mine:
            self.entry(claimed).status = status

    def let(self, holder: str, places: list[int]) -> None:
        told = self.picked(holder, places)
        mine = [claimed for claimed in told if self.mine(holder, claimed, "running", "judged")]
        assert self.queues[holder].release(told, self.now) == len(mine)
        for claimed in mine:
            entry = self.entry(claimed)
            entry.status = "waiting" if entry.status == "running" else entry.status
            entry.held_until, entry.not_before = self.now, NOON

    def renew(self, holder: str, places: list[int]) -> None:
        told = self.picked(holder, places)
        self.queues[holder].renew(told, self.now)
        for claimed in told:
            if self.mine(holder, claimed, "running", "judged"):
                self.entry(claimed).held_until = self._held()

    def fail(self, holder: str, places: list[int], seconds: int | None) -> None:
        next_at = None if seconds is None else self.now + timedelta(seconds=seconds)
        for claimed in self.picked(holder, places):
            mine = self.mine(holder, claimed, "running")
            failure = Failed(Fault.TIMEOUT, "Slow.")
            assert self.queues[holder].failed(claimed, failure, 1, 0.0, self.now, next_at) == mine
            if mine:
                entry = self.entry(claimed)
                entry.attempts, entry.not_before = entry.attempts + 1, next_at or self.now
                entry.status = "dead" if next_at is None else "waiting"

    def wait(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    def restart(self, holder: str) -> None:
        """The process ends without a word, and begins again."""
        self.held[holder] = []
        self.queues[holder] = EvaluationQueue(self.database, holder)
        self.queues[holder].recover(self.now)
        for entry in self.entries.values():
            if entry.holder == holder and entry.status in ("running", "judged"):
                entry.held_until = self.now

    def pause(self, number: int) -> None:
        """Pauses, or resumes."""
        evaluator, doer = self.evaluators[number], Doer("me", self.now)
        step = "resume" if evaluator.project_id in self.paused else "pause"
        getattr(Evaluators(self.database), step)(evaluator.project_id, "quality", doer)
        self.paused ^= {evaluator.project_id}

    def requeue(self, number: int) -> None:
        project = self.evaluators[number].project_id
        dead = [entry for key, entry in self.entries.items() if key[0] == project and entry.status == "dead"]
        assert self.evaluations.requeue(project) == len(dead)
        for entry in dead:
            entry.status, entry.attempts, entry.not_before = "waiting", 0, NOON

    def check(self) -> None:
        for evaluator in self.evaluators:
            statuses = [entry.status for key, entry in self.entries.items() if key[0] == evaluator.project_id]
            assert self.evaluations.standing(evaluator.id).counts == Counter(statuses)

    def drain(self) -> None:
        """Everything that is not over is judged and done within a few rounds."""
        for number in [n for n, evaluator in enumerate(self.evaluators) if evaluator.project_id in self.paused]:
            self.pause(number)
        for _ in range(3):
            self.wait(2 * HELD_SECONDS)
            self.held = {holder: [] for holder in HOLDERS}
            while self.claim("a", 20, set()):
                everything = list(range(len(self.held["a"])))
                self.judge("a", everything)
                self.finish("a", everything)
                self.held["a"] = []
        assert not [entry for entry in self.entries.values() if entry.status in _OPEN]
        self.check()

    def _held(self) -> datetime:
        return self.now + timedelta(seconds=HELD_SECONDS)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A store for every example; each has projects of its own in it."""
    path: Path = tmp_path_factory.mktemp("evaluations")
    database = open_database(f"sqlite:///{path / 'control.db'}")
    hasty = database.hasty()
    yield hasty
    hasty.close()
    database.close()


@settings(SLOW, max_examples=15)
@given(script=st.lists(steps, min_size=25, max_size=40))
def test_the_queue_does_what_a_dictionary_does(shared: Database, script: list[tuple[Any, ...]]) -> None:
    made = [Projects(shared).create(ProjectDraft(f"p{number}")) for number in range(PROJECTS)]
    evaluators = Evaluators(shared)
    doer = Doer("me", NOON)
    world = World(shared, [evaluators.create(p.id, EvaluatorDraft("quality", "rules"), doer) for p in made])
    try:
        for step, *arguments in script:
            getattr(world, step)(*arguments)
            world.check()
        world.drain()
    finally:
        for project in made:
            evaluators.forget_project(project.id)
            Projects(shared).delete(project.id)
