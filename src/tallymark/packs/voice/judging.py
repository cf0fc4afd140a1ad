"""The loop that judges: it claims what waits, asks judges, and writes what they say, whatever gets in the way.

A verdict is kept in the control store as soon as it is there, and only then written as an event: a crash at any moment
neither loses one nor has anything judged twice that was judged. A failure is an attempt; what failed is tried again
later, and a judge that can't be asked now is left alone for a while.
"""

import asyncio
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
from tallymark.errors import Unavailable
from tallymark.packs.voice.cases import Exchange, load
from tallymark.packs.voice.evaluated import Evaluated, write
from tallymark.packs.voice.judges.judge import Judge
from tallymark.packs.voice.judges.opening import Judges
from tallymark.packs.voice.pace import Pace
from tallymark.spec.backoff import LONGEST_ASKED, MOST_ATTEMPTS, next_attempt
from tallymark.spec.evaluation import Failed, Fault, Verdict
from tallymark.spec.evaluator import JudgeKind

_log = structlog.get_logger()

#: Calls of judges at once.
_AT_ONCE: Final = 8

#: Claims are renewed so often, in seconds.
_RENEW_SECONDS: Final = 30.0
_LOOK_SECONDS: Final = 0.1
_WAIT_SECONDS: Final = 0.25

#: A judge that does not say for how long it wants to be left alone is left alone this long, in seconds.
_REST_SECONDS: Final = 60.0

_NEVER: Final = datetime.max.replace(tzinfo=UTC)

#: Events that the engine does not take now come again after this.
_WRITE_AGAIN: Final = timedelta(seconds=30)


@dataclass
class Round:
    """What is known of evaluators and projects while claims are worked off.

    `resting` are evaluators that are left alone, and until when; `spent` is what projects had spent, and spend.
    """

    deadline: float
    resting: dict[int, datetime] = field(default_factory=dict)
    spent: dict[int, Spend] = field(default_factory=dict)
    tally: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Judging:
    """Works off the queue of evaluations. One run at a time; for threads, such as the clock's."""

    here: Services
    judges: Judges
    paces: Mapping[JudgeKind, Pace]

    @classmethod
    def of(cls, here: Services) -> "Judging":
        """By the settings."""
        settings = here.settings
        limits = (settings.eval_requests_per_minute, settings.eval_tokens_per_minute)
        return cls(here, judges_of(here), {kind: Pace(*limits, time.monotonic) for kind in ("gemini", "openai")})

    def run(self, seconds: float) -> Counter[str]:
        """What became of evaluations, as many as could be judged in that time: `judged`, `failed`, `dead`, `gone`.

        It ends early where nobody may be asked any more of those that are due.
        """
        state, before = Round(time.monotonic() + seconds), -1
        while not self._ends(state) and before < state.tally.total():
            before = state.tally.total()
            claims = self.here.evaluation_queue.claim(self._now(), self.here.settings.eval_batch_size, self._used_up())
            if claims:
                asyncio.run(self._work_off(claims, state))
        return state.tally

    def _ends(self, state: Round) -> bool:
        return self.here.keeper.stopping or time.monotonic() > state.deadline

    def _used_up(self) -> frozenset[int]:
        """The projects whose budget of the day is used up."""
        settings = self.here.settings
        return self.here.evaluations.used_up(self._now().date(), settings.eval_daily_tokens, settings.eval_daily_usd)

    async def _work_off(self, claims: Sequence[Claimed], state: Round) -> None:
        """Judges claims, or gives them back; their project's exchanges are read at once."""
        renewing = asyncio.create_task(self._renew(claims))
        try:
            by_project: dict[int, list[Claimed]] = {}
            for claimed in claims:
                by_project.setdefault(claimed.evaluator.project_id, []).append(claimed)
            await asyncio.gather(*(self._of_project(id, theirs, state) for id, theirs in by_project.items()))
        except Unavailable as error:
            _log.warning("evaluations wait", why=error.message)
            await asyncio.to_thread(self.here.evaluation_queue.release, claims, self._now(), self._now() + _WRITE_AGAIN)
            state.deadline = 0.0
        finally:
            renewing.cancel()
            await self.judges.close()

    async def _of_project(self, project_id: int, claims: Sequence[Claimed], state: Round) -> None:
        queue = self.here.evaluation_queue
        wanted = [(claimed.exchange, claimed.occurred_at) for claimed in claims]
        found = await asyncio.to_thread(load, self.here.engine, project_id, wanted)
        gone = [claimed for claimed in claims if claimed.exchange not in found]
        over = await asyncio.to_thread(queue.gone, gone, self._now()) if gone else 0
        state.tally["gone"] += over
        there = [claimed for claimed in claims if claimed.exchange in found]
        await self._write([claimed for claimed in there if claimed.verdict is not None], found, state)
        fresh = [claimed for claimed in there if claimed.verdict is None]
        local = [claimed for claimed in fresh if claimed.evaluator.draft.judge not in self.paces]
        asked = [claimed for claimed in fresh if claimed.evaluator.draft.judge in self.paces]
        await self._by_rules(local, found, state)
        await self._by_models(asked, found, state)

    async def _by_rules(self, claims: Sequence[Claimed], found: Mapping[int, Exchange], state: Round) -> None:
        """Judges by what needs nobody else, all at once."""
        judgements = []
        for claimed in claims:
            draft = claimed.evaluator.draft
            said = await self.judges.get(draft.judge).judge(found[claimed.exchange].case, draft)
            if isinstance(said, Verdict):
                judgements.append(Judgement(claimed, said, Attempt(self._now())))
        await self._keep(judgements, found, state)

    async def _by_models(self, claims: Sequence[Claimed], found: Mapping[int, Exchange], state: Round) -> None:
        """Judges by models, some at a time; each verdict is kept as it comes."""
        waiting, back = list(reversed(claims)), list[Claimed]()

        async def work() -> None:
            while waiting:
                claimed = waiting.pop()
                if not await self._judge(claimed, found, state):
                    back.append(claimed)

        await asyncio.gather(*(work() for _ in range(min(_AT_ONCE, len(claims)))))
        if back:
            await asyncio.to_thread(self.here.evaluation_queue.release, back, self._now())

    async def _judge(self, claimed: Claimed, found: Mapping[int, Exchange], state: Round) -> bool:
        """Whether a judge was asked; False for a claim that goes back, since it may not be asked now."""
        evaluator, pace = claimed.evaluator, self.paces[claimed.evaluator.draft.judge]
        if not await self._has_turn(claimed, pace, state):
            return False
        call, started = pace.start(), time.monotonic()
        said = await self._asked(self.judges.get(evaluator.draft.judge), claimed, found[claimed.exchange])
        if said is None:
            return False
        call.tokens = float(said.usage.tokens)
        ms = round((time.monotonic() - started) * 1000)
        cost = evaluator.cost(said.usage.prompt_tokens, said.usage.completion_tokens)
        self._spend(evaluator.project_id, said.usage.tokens, cost, state)
        if isinstance(said, Failed):
            await self._failed(claimed, said, ms, cost, state)
        else:
            await asyncio.to_thread(self.here.evaluators.succeeded, evaluator.id)
            attempt = Attempt(self._now(), ms=ms, usage=said.usage, cost=cost)
            await self._keep([Judgement(claimed, said, attempt)], found, state)
        return True

    async def _asked(self, judge: Judge, claimed: Claimed, exchange: Exchange) -> Verdict | Failed | None:
        """What a judge says; None where the server ends before it says anything."""
        asking = asyncio.create_task(judge.judge(exchange.case, claimed.evaluator.draft))
        while not asking.done():
            if self.here.keeper.stopping:
                asking.cancel()
                await asyncio.gather(asking, return_exceptions=True)
                return None
            await asyncio.wait([asking], timeout=_LOOK_SECONDS)
        return asking.result()

    async def _has_turn(self, claimed: Claimed, pace: Pace, state: Round) -> bool:
        """Whether the judge may be asked now, after waiting for that where it is soon enough."""
        while await self._may_ask(claimed, state):
            seconds = pace.wait()
            if seconds <= 0:
                return True
            if time.monotonic() + seconds > state.deadline:
                return False
            await asyncio.sleep(min(seconds, _WAIT_SECONDS))
        return False

    async def _may_ask(self, claimed: Claimed, state: Round) -> bool:
        """Whether the evaluator is to be asked now: it does not rest, and its project has something left to spend."""
        until = state.resting.get(claimed.evaluator.id)
        if self._ends(state) or (until is not None and self._now() < until):
            return False
        settings, project_id = self.here.settings, claimed.evaluator.project_id
        if project_id not in state.spent:
            day = self._now().date()
            state.spent[project_id] = await asyncio.to_thread(self.here.evaluations.spent, project_id, day)
        spent = state.spent[project_id]
        over_tokens = settings.eval_daily_tokens and spent.tokens >= settings.eval_daily_tokens
        return not over_tokens and not (settings.eval_daily_usd and spent.cost >= settings.eval_daily_usd)

    def _spend(self, project_id: int, tokens: int, cost: float, state: Round) -> None:
        before = state.spent[project_id]
        state.spent[project_id] = Spend(before.requests + 1, before.tokens + tokens, before.cost + cost)

    async def _failed(self, claimed: Claimed, failure: Failed, ms: int, cost: float, state: Round) -> None:
        """Notes a failure: when it is tried again, and whether the judge is left alone, or pauses."""
        now, evaluator, limited = self._now(), claimed.evaluator, failure.fault is Fault.RATE_LIMITED
        attempts = claimed.attempts + 1
        if limited:  # a judge that asks for patience has not failed
            attempts = min(attempts, MOST_ATTEMPTS - 1)
        seconds = next_attempt(attempts, random.random(), failure.retry_after)  # jitter is no secret
        next_at = None if seconds is None else now + timedelta(seconds=seconds)
        counts = await asyncio.to_thread(self.here.evaluation_queue.failed, claimed, failure, ms, cost, now, next_at)
        state.tally["dead" if next_at is None else "failed"] += counts
        if failure.fault.of_the_judge:
            until = now + timedelta(seconds=min(failure.retry_after or _REST_SECONDS, LONGEST_ASKED))
            state.resting[evaluator.id] = max(until, state.resting.get(evaluator.id, until))
            await asyncio.to_thread(self.here.evaluators.hold, evaluator.id, until)
        if not limited:
            await self._count(claimed, failure, now, state)

    async def _count(self, claimed: Claimed, failure: Failed, now: datetime, state: Round) -> None:
        """Counts a failure, which pauses an evaluator that fails too often in a row."""
        evaluator, reason = claimed.evaluator, f"{failure.fault}: {failure.message}"
        if await asyncio.to_thread(self.here.evaluators.failed, evaluator.id, reason, now):
            state.resting[evaluator.id] = _NEVER
            _log.error("evaluator paused", evaluator=evaluator.name, project=evaluator.project_id, why=reason)

    async def _keep(self, judgements: Sequence[Judgement], found: Mapping[int, Exchange], state: Round) -> None:
        """Keeps verdicts, then writes them."""
        if judgements:
            kept = await asyncio.to_thread(self.here.evaluation_queue.judged, judgements)
            await self._write(kept, found, state)

    async def _write(self, claims: Sequence[Claimed], found: Mapping[int, Exchange], state: Round) -> None:
        """Writes verdicts that are kept as events; then they are done. Errors: `QueueFull`."""
        evaluated = [
            Evaluated(found[claimed.exchange], claimed.evaluator, claimed.verdict)
            for claimed in claims
            if claimed.verdict is not None
        ]
        if not evaluated:
            return
        project = await asyncio.to_thread(self.here.projects.get, claims[0].evaluator.project_id)
        if project is not None:
            writing = write(self.here, project, evaluated)
            await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(writing, self.here.writer.loop))
        done = await asyncio.to_thread(self.here.evaluation_queue.done, claims, self._now())
        state.tally["judged"] += done  # not in one with the line before: others count while that waits

    async def _renew(self, claims: Sequence[Claimed]) -> None:
        while True:
            await asyncio.sleep(_RENEW_SECONDS)
            await asyncio.to_thread(self.here.evaluation_queue.renew, claims, self._now())

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self.here.now(), UTC)


def judges_of(here: Services) -> Judges:
    """The judges that there are by the settings."""
    settings = here.settings
    return Judges(
        gemini_key=settings.gemini_api_key, gemini_base_url=settings.gemini_url, openai_key=settings.openai_api_key,
        openai_base_url=settings.openai_url, timeout=settings.eval_timeout_seconds,
    )  # fmt: skip
