"""The queue of evaluations: fair turns, one worker at a time, taken over when it is gone, and nothing lost."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta

import pytest

from tallymark.control.database import Database, open_database
from tallymark.control.evaluation_queue import HELD_SECONDS, Claimed, EvaluationQueue, Judgement
from tallymark.control.evaluation_rows import Attempt
from tallymark.control.evaluations import Evaluations, Spend, Standing
from tallymark.control.evaluators import Evaluators
from tallymark.control.experiments import Doer
from tallymark.control.projects import Projects
from tallymark.spec.backoff import MOST_ATTEMPTS
from tallymark.spec.evaluation import SCORES, Failed, Fault, Usage, Verdict
from tallymark.spec.evaluator import Evaluator, EvaluatorDraft
from tallymark.spec.project import ProjectDraft

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
HELD = timedelta(seconds=HELD_SECONDS)
ME = Doer("me", NOW)

VERDICT = Verdict({score: 4 for score in SCORES}, "Good.", ("kind", "short"), Usage(100, 20))
#: Identities of events are unsigned and use all 64 bits.
LARGE = (2**64 - 1, 2**63, 2**63 - 1, 1, 0)


@pytest.fixture
def evaluations(database: Database) -> Evaluations:
    return Evaluations(database)


@pytest.fixture
def evaluator(database: Database) -> Callable[..., Evaluator]:
    """Makes an evaluator of a project of its own."""
    count = iter(range(1_000))

    def make(key: str = "quality", project_id: int | None = None) -> Evaluator:
        if project_id is None:
            project_id = Projects(database).create(ProjectDraft(f"p{next(count)}")).id
        return Evaluators(database).create(project_id, EvaluatorDraft(key, "rules"), ME)

    return make


Maker = Callable[..., Evaluator]


def queue(database: Database, holder: str = "here") -> EvaluationQueue:
    return EvaluationQueue(database, holder)


def put(evaluations: Evaluations, evaluator: Evaluator, *exchanges: int) -> None:
    assert evaluations.enqueue(evaluator, [(exchange, NOW) for exchange in exchanges], NOW) == len(exchanges)


def one(queue: EvaluationQueue, now: datetime = NOW) -> Claimed:
    (claimed,) = queue.claim(now, 1)
    return claimed


def judgement(claimed: Claimed, at: datetime = NOW) -> Judgement:
    return Judgement(claimed, VERDICT, Attempt(at, ms=120, usage=VERDICT.usage, cost=0.000_4))


FAILED = Failed(Fault.TIMEOUT, "It took too long.", usage=Usage(100, 0))


def fail(queue: EvaluationQueue, claimed: Claimed, next_at: datetime | None, now: datetime = NOW) -> bool:
    return queue.failed(claimed, FAILED, 30_000, 0.000_1, now, next_at)


def counts(evaluations: Evaluations, evaluator: Evaluator) -> dict[str, int]:
    return {str(status): n for status, n in evaluations.standing(evaluator.id).counts.items()}


def test_what_is_put_there_waits_once(evaluations: Evaluations, evaluator: Maker) -> None:
    quality = evaluator()
    put(evaluations, quality, *LARGE)
    again = [(exchange, NOW) for exchange in (*LARGE, 2)]
    assert evaluations.enqueue(quality, again, NOW + SECOND) == 1
    assert evaluations.standing(quality.id) == Standing({"waiting": 6}, NOW)
    assert evaluations.enqueue(quality, [], NOW) == 0


def test_what_is_said_twice_at_once_waits_once(evaluations: Evaluations, evaluator: Maker) -> None:
    assert evaluations.enqueue(evaluator(), [(5, NOW), (5, NOW)], NOW) == 1


def test_large_numbers_are_put_there(evaluations: Evaluations, evaluator: Maker) -> None:
    quality = evaluator()
    assert evaluations.enqueue(quality, ((n, NOW) for n in range(12_000)), NOW) == 12_000
    assert counts(evaluations, quality) == {"waiting": 12_000}


def test_the_oldest_is_claimed_first_with_all_that_is_known(
    evaluations: Evaluations, evaluator: Maker, database: Database
) -> None:
    quality = evaluator()
    evaluations.enqueue(quality, [(exchange, NOW - SECOND) for exchange in LARGE], NOW)
    claimed = queue(database).claim(NOW, 4)
    assert [found.exchange for found in claimed] == list(LARGE[:4])
    assert claimed[0].evaluator == quality
    assert (claimed[0].occurred_at, claimed[0].attempts, claimed[0].verdict) == (NOW - SECOND, 0, None)
    assert counts(evaluations, quality) == {"waiting": 1, "running": 4}


def test_each_is_claimed_once_even_at_once(evaluations: Evaluations, evaluator: Maker, control_url: str) -> None:
    quality = evaluator()
    put(evaluations, quality, *range(60))
    stores = [open_database(control_url) for _ in range(4)]

    def take(store: Database) -> list[int]:
        here, taken = queue(store), []
        while claimed := here.claim(NOW, 3):
            taken += [found.exchange for found in claimed]
        return taken

    with ThreadPoolExecutor(4) as pool:
        taken = [exchange for exchanges in pool.map(take, stores) for exchange in exchanges]
    assert sorted(taken) == list(range(60))
    for store in stores:
        store.close()


def test_projects_take_turns(evaluations: Evaluations, evaluator: Maker, database: Database) -> None:
    large, small, other = evaluator(), evaluator(), evaluator()
    put(evaluations, large, *range(1_000))
    put(evaluations, small, 1, 2, 3)
    put(evaluations, other, 7)
    taken = [(found.evaluator.id, found.exchange) for found in queue(database).claim(NOW, 9)]
    assert taken == [
        (large.id, 0), (small.id, 1), (other.id, 7),
        (large.id, 1), (small.id, 2),
        (large.id, 2), (small.id, 3),
        (large.id, 3), (large.id, 4),
    ]  # fmt: skip


def test_projects_take_turns_however_little_is_claimed(
    evaluations: Evaluations, evaluator: Maker, database: Database
) -> None:
    large, small = evaluator(), evaluator()
    put(evaluations, large, *range(1_000))
    put(evaluations, small, 1, 2, 3)
    here = queue(database)
    taken = [one(here).evaluator.id for _ in range(8)]
    assert taken == [large.id, small.id] * 3 + [large.id] * 2


def test_evaluators_of_a_project_share_its_turns(
    evaluations: Evaluations, evaluator: Maker, database: Database
) -> None:
    quality = evaluator()
    tone, other = evaluator("tone", quality.project_id), evaluator()
    put(evaluations, quality, 1)
    put(evaluations, tone, 2, 3)
    put(evaluations, quality, 4)
    put(evaluations, other, 8, 9)
    assert [found.exchange for found in queue(database).claim(NOW, 6)] == [1, 8, 2, 9, 3, 4]


def test_nothing_is_taken_of_who_is_paused_held_or_left_out(
    evaluations: Evaluations, evaluator: Maker, database: Database
) -> None:
    paused, held, poor = evaluator(), evaluator(), evaluator()
    for each in (paused, held, poor):
        put(evaluations, each, 1)
    evaluators, here = Evaluators(database), queue(database)
    evaluators.pause(paused.project_id, "quality", ME)
    evaluators.hold(held.id, NOW + SECOND)
    assert here.claim(NOW, 9, {poor.project_id}) == []
    assert [found.evaluator.id for found in here.claim(NOW, 9)] == [poor.id]
    assert [found.evaluator.id for found in here.claim(NOW + SECOND, 9)] == [held.id]
    evaluators.resume(paused.project_id, "quality", ME)
    assert [found.evaluator.id for found in here.claim(NOW, 9)] == [paused.id]


def test_from_waiting_to_done(evaluations: Evaluations, evaluator: Maker, database: Database) -> None:
    quality, here = evaluator(), queue(database)
    put(evaluations, quality, 1, 2)
    (kept,) = here.judged([judgement(one(here))])
    assert (kept.verdict, kept.attempts) == (VERDICT, 1)
    assert counts(evaluations, quality) == {"waiting": 1, "judged": 1}
    assert here.done([kept], NOW + SECOND) == 1
    assert counts(evaluations, quality) == {"waiting": 1, "done": 1}
    (attempt,) = evaluations.attempts(kept.id)
    assert attempt == Attempt(NOW, "ok", "", 120, Usage(100, 20), 0.000_4)
    assert here.done([kept], NOW) == 0
    assert here.judged([]) == []


def test_a_verdict_is_kept_until_it_is_written(evaluations: Evaluations, evaluator: Maker, database: Database) -> None:
    quality, here, there = evaluator(), queue(database), queue(database, "there")
    put(evaluations, quality, 1)
    (kept,) = here.judged([judgement(one(here))])
    Evaluators(database).pause(quality.project_id, "quality", ME)
    assert there.claim(NOW + HELD - SECOND, 9) == []
    (again,) = there.claim(NOW + HELD, 9, {quality.project_id})
    assert (again.id, again.verdict, again.attempts) == (kept.id, VERDICT, 1)
    assert here.done([kept], NOW) == 0
    assert there.judged([judgement(again)]) == []
    assert there.done([again], NOW) == 1
    assert there.claim(NOW + 9 * HELD, 9) == []


def test_a_failure_is_an_attempt_and_not_an_end(evaluations: Evaluations, evaluator: Maker, database: Database) -> None:
    quality, here = evaluator(), queue(database)
    put(evaluations, quality, 1, 2)
    first = one(here)
    assert fail(here, first, NOW + 9 * SECOND)
    assert [found.exchange for found in here.claim(NOW, 9)] == [2]
    assert here.claim(NOW + 8 * SECOND, 9) == []
    again = one(here, NOW + 9 * SECOND)
    assert (again.id, again.attempts) == (first.id, 1)
    assert here.judged([judgement(again)])
    failure, success = evaluations.attempts(first.id)
    assert failure == Attempt(NOW, "timeout", "It took too long.", 30_000, Usage(100, 0), 0.000_1)
    assert success.outcome == "ok"


def test_what_is_released_made_no_attempt(evaluations: Evaluations, evaluator: Maker, database: Database) -> None:
    quality, here, there = evaluator(), queue(database), queue(database, "there")
    put(evaluations, quality, 1, 2)
    first, second = here.claim(NOW, 2)
    assert here.release([first, second], NOW) == 2
    assert [found.id for found in there.claim(NOW, 2)] == [first.id, second.id]
    assert here.release([first], NOW) == 0
    assert evaluations.attempts(first.id) == ()


def test_what_is_released_until_later_is_left_alone(
    evaluations: Evaluations, evaluator: Maker, database: Database
) -> None:
    quality, here = evaluator(), queue(database)
    put(evaluations, quality, 1, 2)
    first, second = here.claim(NOW, 2)
    kept = here.judged([judgement(second)])
    assert here.release([first, *kept], NOW, NOW + SECOND) == 2
    assert counts(evaluations, quality) == {"waiting": 1, "judged": 1}
    assert here.claim(NOW, 9) == []
    assert [(found.id, found.verdict) for found in here.claim(NOW + SECOND, 9)] == [
        (second.id, VERDICT), (first.id, None),
    ]  # fmt: skip


def test_a_worker_that_is_gone_is_replaced_and_comes_too_late(
    evaluations: Evaluations, evaluator: Maker, database: Database
) -> None:
    quality, here, there = evaluator(), queue(database), queue(database, "there")
    put(evaluations, quality, 1)
    first = one(here)
    here.renew([first], NOW + SECOND)
    assert there.claim(NOW + HELD, 9) == []
    second = one(there, NOW + HELD + SECOND)
    assert (second.id, second.attempts, second.claim) == (first.id, 1, 2)
    here.renew([first], NOW + 9 * HELD)
    assert here.judged([judgement(first)]) == []
    assert not fail(here, first, None)
    assert here.release([first], NOW) == here.gone([first], NOW) == here.done([first], NOW) == 0
    assert counts(evaluations, quality) == {"running": 1}
    assert len(there.judged([judgement(second)])) == 1


def test_what_a_late_worker_took_is_counted(evaluations: Evaluations, evaluator: Maker, database: Database) -> None:
    quality, here = evaluator(), queue(database)
    put(evaluations, quality, 1)
    first = one(here)
    second = one(here, NOW + HELD)
    assert here.judged([judgement(first)]) == []
    assert here.release([first], NOW) == here.gone([first], NOW) == 0
    (kept,) = here.judged([judgement(second)])
    assert here.done([first], NOW) == 0
    assert kept.attempts == 2
    assert [attempt.outcome for attempt in evaluations.attempts(first.id)] == ["failed", "ok", "ok"]
    assert evaluations.spent(quality.project_id, NOW.date()) == Spend(3, 240, 0.000_8)


def test_what_a_crash_left_is_taken_again_at_once(
    evaluations: Evaluations, evaluator: Maker, database: Database
) -> None:
    quality = evaluator()
    put(evaluations, quality, 1, 2)
    first, other = one(queue(database)), one(queue(database, "there"))
    again = queue(database)
    assert again.claim(NOW, 9) == []
    again.recover(NOW)
    (taken,) = again.claim(NOW, 9)
    assert (taken.id, taken.attempts) == (first.id, 1)
    assert [a.message for a in evaluations.attempts(first.id)] == ["The server ended while this was judged."]
    assert [found.id for found in again.claim(NOW + HELD - SECOND, 9)] == []
    assert other.id in {found.id for found in again.claim(NOW + HELD, 9)}


def test_what_ends_its_workers_is_given_up(evaluations: Evaluations, evaluator: Maker, database: Database) -> None:
    quality, here = evaluator(), queue(database)
    put(evaluations, quality, 1, 2)
    for attempts in range(MOST_ATTEMPTS):
        claimed = one(here)
        assert (claimed.exchange, claimed.attempts) == (1, attempts)
        here.recover(NOW)
    assert one(here).exchange == 2
    (dead,) = evaluations.dead(quality.project_id)
    assert (dead.exchange, dead.error, len(dead.attempts)) == (1, "failed", MOST_ATTEMPTS)


def test_what_is_gone_is_over(evaluations: Evaluations, evaluator: Maker, database: Database) -> None:
    quality, here = evaluator(), queue(database)
    put(evaluations, quality, 1, 2)
    first, second = here.claim(NOW, 2)
    kept = here.judged([judgement(second)])
    assert here.gone([first, *kept], NOW) == 2
    assert counts(evaluations, quality) == {"gone": 2}
    assert here.claim(NOW + 9 * HELD, 9) == []
    assert evaluations.enqueue(quality, [(1, NOW)], NOW) == 0


def kill(evaluations: Evaluations, here: EvaluationQueue, evaluator: Evaluator, *exchanges: int) -> list[Claimed]:
    """Makes dead letters, a second between one and the next."""
    put(evaluations, evaluator, *exchanges)
    dead = here.claim(NOW, len(exchanges))
    for n, claimed in enumerate(dead):
        assert fail(here, claimed, None, NOW + n * SECOND)
    return dead


def test_dead_letters_say_what_happened(evaluations: Evaluations, evaluator: Maker, database: Database) -> None:
    quality, other, here = evaluator(), evaluator(), queue(database)
    kill(evaluations, here, other, 9)
    first, second = kill(evaluations, here, quality, 2**64 - 1, 2)
    latest, oldest = evaluations.dead(quality.project_id)
    assert (latest.id, latest.died_at) == (second.id, NOW + SECOND)
    assert (oldest.id, oldest.evaluator, oldest.exchange, oldest.occurred_at, oldest.error) == (
        first.id, "quality@1", 2**64 - 1, NOW, "timeout",
    )  # fmt: skip
    assert oldest.attempts == evaluations.attempts(first.id)
    assert evaluations.dead(quality.project_id, 1) == (latest,)
    assert here.claim(NOW + 9 * HELD, 9) == []


def test_dead_letters_wait_again(evaluations: Evaluations, evaluator: Maker, database: Database) -> None:
    quality, other, here = evaluator(), evaluator(), queue(database)
    tone = evaluator("tone", quality.project_id)
    first, second = kill(evaluations, here, quality, 1, 2)
    kill(evaluations, here, tone, 3)
    (elsewhere,) = kill(evaluations, here, other, 4)
    assert evaluations.requeue(quality.project_id, ids=[second.id, elsewhere.id, 0]) == 1
    assert evaluations.requeue(quality.project_id, evaluator_id=tone.id) == 1
    assert evaluations.requeue(quality.project_id, evaluator_id=tone.id, ids=[first.id]) == 0
    assert evaluations.requeue(quality.project_id) == 1
    assert evaluations.requeue(quality.project_id) == 0
    claimed = here.claim(NOW, 9)
    assert [(found.exchange, found.attempts) for found in claimed] == [(1, 0), (2, 0), (3, 0)]
    assert len(evaluations.attempts(first.id)) == 1
    assert [dead.id for dead in evaluations.dead(other.project_id)] == [elsewhere.id]


def test_dead_letters_of_an_archived_evaluator_stay_dead(
    evaluations: Evaluations, evaluator: Maker, database: Database
) -> None:
    quality, here = evaluator(), queue(database)
    kill(evaluations, here, quality, 1)
    Evaluators(database).archive(quality.project_id, "quality", ME)
    assert evaluations.requeue(quality.project_id) == 0


def test_what_waits_again_is_judged_by_the_latest_version(
    evaluations: Evaluations, evaluator: Maker, database: Database
) -> None:
    quality, here, evaluators = evaluator(), queue(database), Evaluators(database)
    kill(evaluations, here, quality, 1, 2)
    second = evaluators.update(quality.project_id, "quality", {"sampleRate": 0.5}, ME)
    kill(evaluations, here, second, 2)
    third = evaluators.update(quality.project_id, "quality", {"sampleRate": 0.4}, ME)
    put(evaluations, third, 3)
    assert evaluations.requeue(quality.project_id) == 3
    claimed = here.claim(NOW, 9)
    assert {(found.exchange, found.evaluator.version) for found in claimed} == {(1, 3), (2, 1), (2, 3), (3, 3)}
    assert {found.evaluator.draft.sample_rate for found in claimed} == {1.0, 0.4}


def test_what_waits_goes_over_to_a_new_version_and_what_runs_does_not(
    evaluations: Evaluations, evaluator: Maker, database: Database
) -> None:
    quality, here = evaluator(), queue(database)
    put(evaluations, quality, 1, 2)
    running = one(here)
    changed = Evaluators(database).update(quality.project_id, "quality", {"sampleRate": 0.5}, ME)
    assert one(here).evaluator == changed
    assert fail(here, running, NOW)
    again = one(here)
    assert (again.id, again.evaluator.name, again.evaluator.draft) == (running.id, "quality@1", quality.draft)


def test_what_a_day_took(evaluations: Evaluations, evaluator: Maker, database: Database) -> None:
    quality, here = evaluator(), queue(database)
    put(evaluations, quality, 1, 2, 3)
    late = datetime(2026, 11, 22, 0, 30, tzinfo=UTC).astimezone()
    claimed = here.claim(NOW, 3)
    here.judged([judgement(claimed[0]), judgement(claimed[1], late)])
    fail(here, claimed[2], None)
    today, tomorrow, project = date(2026, 11, 21), date(2026, 11, 22), quality.project_id
    assert evaluations.spent(project, today) == Spend(2, 220, 0.000_5)
    assert evaluations.spent(project, tomorrow) == Spend(1, 120, 0.000_4)
    assert evaluations.spent(project, date(2026, 11, 20)) == Spend(0, 0, 0.0)


@pytest.mark.parametrize(
    ("tokens", "cost", "over"),
    [(0, 0, False), (121, 0, False), (120, 0, True), (121, 0.1, False), (0, 0.000_4, True), (1, 0.1, True)],
)
def test_whose_budget_is_used_up(
    evaluations: Evaluations, evaluator: Maker, database: Database, tokens: int, cost: float, over: bool
) -> None:
    quality, here = evaluator(), queue(database)
    put(evaluations, quality, 1)
    here.judged([judgement(one(here))])
    assert evaluations.used_up(NOW.date(), tokens, cost) == ({quality.project_id} if over else set())
    assert evaluations.used_up(date(2026, 11, 22), tokens, cost) == set()


def test_forgotten_exchanges_are_judged_by_nobody(
    evaluations: Evaluations, evaluator: Maker, database: Database
) -> None:
    quality, other, here = evaluator(), evaluator(), queue(database)
    put(evaluations, quality, *LARGE)
    claimed = here.claim(NOW, 2)
    here.judged([judgement(claimed[0])])
    put(evaluations, other, *LARGE)
    assert evaluations.forget_exchanges(quality.project_id, LARGE[:3]) == 3
    assert evaluations.attempts(claimed[0].id) == ()
    assert here.judged([judgement(claimed[1])]) == []
    assert not fail(here, claimed[1], NOW)
    assert counts(evaluations, quality) == {"waiting": 2}
    assert counts(evaluations, other) == {"waiting": 5}


def test_what_is_long_over_is_forgotten(evaluations: Evaluations, evaluator: Maker, database: Database) -> None:
    quality, here = evaluator(), queue(database)
    put(evaluations, quality, 1, 2, 3, 4)
    one_, two, three, _ = here.claim(NOW, 4)
    kept = here.judged([judgement(one_), judgement(two)])
    here.done(kept[:1], NOW)
    here.done(kept[1:], NOW + SECOND)
    fail(here, three, None)
    assert evaluations.prune(NOW) == 0
    assert evaluations.prune(NOW + SECOND) == 2
    assert evaluations.attempts(one_.id) == evaluations.attempts(three.id) == ()
    assert len(evaluations.attempts(two.id)) == 1
    assert counts(evaluations, quality) == {"done": 1, "running": 1}


def test_since_when_the_first_waits(evaluations: Evaluations, evaluator: Maker, database: Database) -> None:
    quality = evaluator()
    assert evaluations.standing(quality.id) == Standing({}, None)
    put(evaluations, quality, 1)
    evaluations.enqueue(quality, [(2, NOW)], NOW + SECOND)
    assert evaluations.standing(quality.id).oldest_waiting == NOW
    one(queue(database))
    assert evaluations.standing(quality.id).oldest_waiting == NOW + SECOND
