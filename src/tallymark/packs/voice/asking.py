"""One question to a judge that is a model: whether it may be asked now, what it said, and what follows if it failed."""

import asyncio
import math
import random
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog

from tallymark.api.services import Services
from tallymark.control.evaluation_queue import Claimed, Judgement
from tallymark.control.evaluation_rows import Attempt
from tallymark.control.evaluations import Spend
from tallymark.packs.voice.judges.opening import Judges
from tallymark.packs.voice.pace import MINUTE, Pace
from tallymark.spec.backoff import LONGEST_ASKED, next_attempt
from tallymark.spec.evaluation import Case, Failed, Fault, Verdict
from tallymark.spec.evaluator import Evaluator, JudgeKind

_log = structlog.get_logger()

#: Judges that are asked at a pace: the others need nobody.
MODELS: Final[Sequence[JudgeKind]] = ("gemini", "openai")

#: A judge that does not say for how long it wants to be left alone is left alone for so many seconds at first, twice
#: as many with each trouble that follows, and this long at most.
_FIRST_REST, _LONGEST_REST = 2.0, 60.0

#: A rest up to this is waited for; claims whose judge rests longer go back.
_SHORT_REST: Final = 10.0

_LOOK_SECONDS: Final = 0.1
_WAIT_SECONDS: Final = 0.25


@dataclass
class Round:
    """What is known of evaluators and projects while claims are worked off.

    `paces` are those of judges that are models; `resting` says until when evaluators are left alone, by the
    application's clock, and `troubles` how often in a row; `well` are those whose judge has answered, `asked` the calls
    that are on their way; `spent` is what projects have spent today.
    """

    deadline: float
    paces: Mapping[JudgeKind, Pace]
    resting: dict[int, float] = field(default_factory=dict)
    troubles: Counter[int] = field(default_factory=Counter)
    well: set[int] = field(default_factory=set)
    asked: Counter[int] = field(default_factory=Counter)
    spent: dict[int, Spend] = field(default_factory=dict)
    tally: Counter[str] = field(default_factory=Counter)

    @property
    def over(self) -> bool:
        """Whether its time is up."""
        return time.monotonic() > self.deadline


@dataclass(frozen=True)
class Asking:
    """Asks judges that are models, within the pace, the budgets and the time of a round."""

    here: Services
    judges: Judges
    round: Round

    async def ask(self, claimed: Claimed, case: Case) -> Judgement | Failed | None:
        """What the judge said, or that it failed, which is noted then; None where it may not be asked now."""
        pace = self.round.paces[claimed.evaluator.draft.judge]
        if not await self._has_turn(claimed, pace):
            return None
        self.round.asked[claimed.evaluator.id] += 1
        try:
            return await self._judgement(claimed, case, pace)
        finally:
            self.round.asked[claimed.evaluator.id] -= 1

    async def _judgement(self, claimed: Claimed, case: Case, pace: Pace) -> Judgement | Failed | None:
        call, started = pace.start(), time.monotonic()
        said = await self._answer(claimed, case)
        if said is None:
            return None
        usage = said.usage
        call.tokens = float(usage.tokens)
        cost = claimed.evaluator.cost(usage.prompt_tokens, usage.completion_tokens)
        attempt = Attempt(now_of(self.here), ms=round((time.monotonic() - started) * 1000), usage=usage, cost=cost)
        self._spend(claimed.evaluator.project_id, attempt)
        if isinstance(said, Failed):
            await self._failed(claimed, said, attempt)
            return said
        self.round.troubles.pop(claimed.evaluator.id, None)
        self.round.well.add(claimed.evaluator.id)
        await asyncio.to_thread(self.here.evaluators.succeeded, claimed.evaluator.id)
        return Judgement(claimed, said, attempt)

    async def _answer(self, claimed: Claimed, case: Case) -> Verdict | Failed | None:
        """What the judge says; None where the server ends before it says anything."""
        draft = claimed.evaluator.draft
        asking = asyncio.create_task(self.judges.get(draft.judge).judge(case, draft))
        while not asking.done():
            if self.here.keeper.stopping:
                asking.cancel()
                await asyncio.gather(asking, return_exceptions=True)
                return None
            await asyncio.wait([asking], timeout=_LOOK_SECONDS)
        return asking.result()

    async def _has_turn(self, claimed: Claimed, pace: Pace) -> bool:
        """Whether the judge may be asked now, after waiting for that where it is soon enough."""
        while await self._may_ask(claimed):
            rest = self.round.resting.get(claimed.evaluator.id, 0.0) - self.here.now()
            seconds = max(pace.wait(), rest)
            if seconds <= 0 and not self._probed(claimed.evaluator):
                return True
            if rest > _SHORT_REST or time.monotonic() + seconds > self.round.deadline:
                return False
            await asyncio.sleep(min(max(seconds, _LOOK_SECONDS), _WAIT_SECONDS))
        return False

    def _probed(self, evaluator: Evaluator) -> bool:
        """Whether one call is on its way to a judge that had trouble: the others wait for what becomes of it."""
        failing = evaluator.failures_in_row > 0 and evaluator.id not in self.round.well
        return (failing or self.round.troubles[evaluator.id] > 0) and self.round.asked[evaluator.id] > 0

    async def _may_ask(self, claimed: Claimed) -> bool:
        """Whether there is time for the evaluator, and its project has something left to spend."""
        if self.round.over or self.here.keeper.stopping:
            return False
        settings, spent = self.here.settings, await self._spent(claimed.evaluator.project_id)
        over_tokens = settings.eval_daily_tokens and spent.tokens >= settings.eval_daily_tokens
        return not over_tokens and not (settings.eval_daily_usd and spent.cost >= settings.eval_daily_usd)

    async def _spent(self, project_id: int) -> Spend:
        if project_id not in self.round.spent:
            day = now_of(self.here).date()
            stored = await asyncio.to_thread(self.here.evaluations.spent, project_id, day)
            self.round.spent.setdefault(project_id, stored)
        return self.round.spent[project_id]

    def _spend(self, project_id: int, attempt: Attempt) -> None:
        before = self.round.spent[project_id]
        self.round.spent[project_id] = Spend(
            before.requests + 1, before.tokens + attempt.usage.tokens, before.cost + attempt.cost
        )

    async def _failed(self, claimed: Claimed, failure: Failed, attempt: Attempt) -> None:
        """Notes a failure: when it is tried again, and whether the judge is left alone, or pauses."""
        now, evaluator, limited = attempt.at, claimed.evaluator, failure.fault is Fault.RATE_LIMITED
        attempts = claimed.attempts + (not limited)  # a judge that asks for patience has not failed
        seconds = next_attempt(attempts, random.random(), failure.retry_after)
        next_at = None if seconds is None else now + timedelta(seconds=seconds)
        counts = await asyncio.to_thread(
            self.here.evaluation_queue.failed, claimed, failure, attempt.ms, attempt.cost, now, next_at
        )
        self.round.tally["dead" if next_at is None else "failed"] += counts
        if failure.fault.of_the_judge:
            await self._rest(evaluator, failure, now)
        if not limited:
            await self._count(claimed, failure, now)

    async def _rest(self, evaluator: Evaluator, failure: Failed, now: datetime) -> None:
        """Leaves a judge alone that has trouble itself, for as long as it says."""
        self.round.troubles[evaluator.id] += 1
        seconds = failure.retry_after or min(_FIRST_REST ** self.round.troubles[evaluator.id], _LONGEST_REST)
        if failure.fault is Fault.UNAUTHORIZED:
            seconds = _LONGEST_REST
        until = now + timedelta(seconds=min(seconds, LONGEST_ASKED))
        self._leave(evaluator, until.timestamp())
        await asyncio.to_thread(self.here.evaluators.hold, evaluator.id, until)

    def _leave(self, evaluator: Evaluator, until: float) -> None:
        self.round.resting[evaluator.id] = max(until, self.round.resting.get(evaluator.id, 0.0))

    async def _count(self, claimed: Claimed, failure: Failed, now: datetime) -> None:
        """Counts a failure, which pauses an evaluator that fails too often in a row."""
        evaluator, reason = claimed.evaluator, f"{failure.fault}: {failure.message}"
        if await asyncio.to_thread(self.here.evaluators.failed, evaluator.id, reason, now):
            self._leave(evaluator, math.inf)
            _log.error("evaluator paused", evaluator=evaluator.name, project=evaluator.project_id, why=reason)


def paces_of(here: Services) -> dict[JudgeKind, Pace]:
    """How fast models may be asked, with the calls of the last minute, whoever made them."""
    settings = here.settings
    limits = (settings.eval_requests_per_minute, settings.eval_tokens_per_minute)
    paces: dict[JudgeKind, Pace] = {kind: Pace(*limits, here.now) for kind in MODELS}
    judges = {evaluator.id: evaluator.draft.judge for evaluator in here.evaluators.active()}
    for call in here.evaluations.calls(now_of(here) - timedelta(seconds=MINUTE)):
        if (pace := paces.get(judges.get(call.evaluator_id, "rules"))) is not None:
            pace.made(call.at.timestamp(), call.tokens)
    return paces


def now_of(here: Services) -> datetime:
    """Now, by the application's clock."""
    return datetime.fromtimestamp(here.now(), UTC)
