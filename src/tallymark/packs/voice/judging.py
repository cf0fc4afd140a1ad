"""The loop that judges: it claims what waits, asks judges, and writes what they say, whatever gets in the way.

A verdict is kept in the control store as soon as it is there, and only then written as an event: a crash at any moment
neither loses one nor has anything judged twice that was judged. A failure is an attempt; what failed is tried again
later, and a judge that can't be asked now is left alone for a while.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby
from typing import Any, Final

import structlog

from tallymark.api.services import Services
from tallymark.control.evaluation_queue import Claimed, Judgement
from tallymark.control.evaluation_rows import Attempt
from tallymark.errors import Unavailable
from tallymark.packs.voice.asking import MODELS, Asking, Round, now_of, paces_of
from tallymark.packs.voice.cases import Exchange, load
from tallymark.packs.voice.evaluated import Evaluated, write
from tallymark.packs.voice.judges.opening import Judges
from tallymark.spec.evaluation import Verdict
from tallymark.spec.project import Project

_log = structlog.get_logger()

#: Calls of judges at once.
_AT_ONCE: Final = 8

#: Claims are renewed so often, in seconds.
_RENEW_SECONDS: Final = 30.0

#: Events that the engine does not take now come again after this.
_WRITE_AGAIN: Final = timedelta(seconds=30)

#: A project and the id of an exchange in it.
Place = tuple[int, int]
Found = Mapping[Place, Exchange]


@dataclass(frozen=True)
class Judging:
    """Works off the queue of evaluations. One run at a time; for threads, such as the clock's."""

    here: Services
    judges: Judges

    def run(self, seconds: float, without: frozenset[int] = frozenset()) -> Counter[str]:
        """What became of evaluations, as many as could be judged in that time: `judged`, `failed`, `dead`, `gone`.

        Those of the projects `without` are left alone.
        """
        state, settings = Round(time.monotonic() + seconds, paces_of(self.here)), self.here.settings
        while not state.over and not self.here.keeper.stopping:
            now, done = now_of(self.here), state.tally.total()
            used_up = self.here.evaluations.used_up(now.date(), settings.eval_daily_tokens, settings.eval_daily_usd)
            claims = self.here.evaluation_queue.claim(now, settings.eval_batch_size, used_up | without)
            if claims:
                asyncio.run(self._work_off(claims, state))
            if state.tally.total() == done:
                break
        return state.tally

    async def _work_off(self, claims: Sequence[Claimed], state: Round) -> None:
        """Judges claims, or gives them back."""
        renewing = asyncio.create_task(self._renew(claims))
        try:
            await self._judge(claims, state)
        except Unavailable as error:
            _log.warning("evaluations wait", why=error.message)
            now = now_of(self.here)
            await asyncio.to_thread(self.here.evaluation_queue.release, claims, now, now + _WRITE_AGAIN)
        finally:
            renewing.cancel()
            await self.judges.close()

    async def _judge(self, claims: Sequence[Claimed], state: Round) -> None:
        """Judges what is there, by rules all at once, by models some at a time. Errors: `Unavailable`."""
        found = await self._load(claims)
        gone = [claimed for claimed in claims if _place(claimed) not in found]
        if gone:
            over = await asyncio.to_thread(self.here.evaluation_queue.gone, gone, now_of(self.here))
            state.tally["gone"] += over
        there = [claimed for claimed in claims if _place(claimed) in found]
        await self._write([claimed for claimed in there if claimed.verdict is not None], found, state)
        fresh = [claimed for claimed in there if claimed.verdict is None]
        await self._by_rules([each for each in fresh if each.evaluator.draft.judge not in MODELS], found, state)
        await self._by_models([each for each in fresh if each.evaluator.draft.judge in MODELS], found, state)

    async def _load(self, claims: Sequence[Claimed]) -> dict[Place, Exchange]:
        """The exchanges that are there."""
        found: dict[Place, Exchange] = {}
        for project_id, theirs in _by_project(claims):
            wanted = [(claimed.exchange, claimed.occurred_at) for claimed in theirs]
            loaded = await asyncio.to_thread(load, self.here.engine, project_id, wanted)
            found |= {(project_id, exchange): said for exchange, said in loaded.items()}
        return found

    async def _by_rules(self, claims: Sequence[Claimed], found: Found, state: Round) -> None:
        judgements = []
        for claimed in claims:
            draft = claimed.evaluator.draft
            said = await self.judges.get(draft.judge).judge(found[_place(claimed)].case, draft)
            if isinstance(said, Verdict):
                judgements.append(Judgement(claimed, said, Attempt(now_of(self.here))))
        await self._keep(judgements, found, state)

    async def _by_models(self, claims: Sequence[Claimed], found: Found, state: Round) -> None:
        """Each verdict is kept as it comes; claims whose judge may not be asked now go back."""
        asking, waiting, back = Asking(self.here, self.judges, state), list(reversed(claims)), list[Claimed]()

        async def work() -> None:
            while waiting:
                claimed = waiting.pop()
                said = await asking.ask(claimed, found[_place(claimed)].case)
                if said is None:
                    back.append(claimed)
                elif isinstance(said, Judgement):
                    await self._keep([said], found, state)

        await _all(work() for _ in range(min(_AT_ONCE, len(claims))))
        if back:
            await asyncio.to_thread(self.here.evaluation_queue.release, back, now_of(self.here))

    async def _keep(self, judgements: Sequence[Judgement], found: Found, state: Round) -> None:
        """Keeps verdicts, then writes them. Errors: `Unavailable`."""
        if judgements:
            kept = await asyncio.to_thread(self.here.evaluation_queue.judged, judgements)
            await self._write(kept, found, state)

    async def _write(self, claims: Sequence[Claimed], found: Found, state: Round) -> None:
        """Writes verdicts that are kept as events; then they are done. Errors: `Unavailable`."""
        for project_id, theirs in _by_project(claims):
            evaluated = [
                Evaluated(found[_place(claimed)], claimed.evaluator, claimed.verdict)
                for claimed in theirs
                if claimed.verdict is not None
            ]
            project = await asyncio.to_thread(self.here.projects.get, project_id)
            written = dict[int, int]()
            if project is not None:
                writing = asyncio.run_coroutine_threadsafe(write(self.here, project, evaluated), self.here.writer.loop)
                written = await asyncio.wrap_future(writing)
            done = await asyncio.to_thread(self.here.evaluation_queue.done, theirs, now_of(self.here))
            if project is not None and done < len(theirs):
                await asyncio.to_thread(self._take_back, project, theirs, written)
            state.tally["judged"] += done  # not in one with the line before: others count while that waits

    def _take_back(self, project: Project, claims: Sequence[Claimed], written: Mapping[int, int]) -> None:
        """Deletes the events of what was forgotten while they were being written, as of somebody who was deleted."""
        there = self.here.evaluation_queue.there(claims)
        gone = [claimed.exchange for claimed in claims if claimed.id not in there]
        events = [written[exchange] for exchange in gone if exchange in written]
        if events:
            self.here.keeper.forget(project, (), events)

    async def _renew(self, claims: Sequence[Claimed]) -> None:
        while True:
            await asyncio.sleep(_RENEW_SECONDS)
            try:
                await asyncio.to_thread(self.here.evaluation_queue.renew, claims, now_of(self.here))
            except Exception:  # it is tried again before the claims lapse
                _log.exception("claims not renewed")


def judges_of(here: Services) -> Judges:
    """The judges that there are by the settings."""
    settings = here.settings
    return Judges(
        gemini_key=settings.gemini_api_key, gemini_base_url=settings.gemini_url, openai_key=settings.openai_api_key,
        openai_base_url=settings.openai_url, timeout=settings.eval_timeout_seconds,
    )  # fmt: skip


def _place(claimed: Claimed) -> Place:
    return claimed.evaluator.project_id, claimed.exchange


def _by_project(claims: Iterable[Claimed]) -> list[tuple[int, list[Claimed]]]:
    def project(claimed: Claimed) -> int:
        return claimed.evaluator.project_id

    return [(owner, list(theirs)) for owner, theirs in groupby(sorted(claims, key=project), project)]


async def _all(works: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Returns when all have ended; raises what the first of those raised that failed."""
    for outcome in await asyncio.gather(*works, return_exceptions=True):
        if isinstance(outcome, BaseException):
            raise outcome
