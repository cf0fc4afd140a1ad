"""The queue of evaluations: the right to judge one, held by one worker at a time, taken over when that one is gone."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

import msgspec
from sqlalchemy import ColumnElement, Select, select, tuple_, update
from sqlalchemy.orm import Session

from tallymark.control.database import Database
from tallymark.control.evaluation_models import EvaluationRow, EvaluatorRow, EvaluatorVersionRow
from tallymark.control.evaluation_rows import Attempt, note_attempts, parts
from tallymark.control.evaluation_turns import due_evaluators, in_turns
from tallymark.control.evaluator_rows import evaluator_at
from tallymark.spec.backoff import MOST_ATTEMPTS
from tallymark.spec.evaluation import Failed, Fault, Verdict
from tallymark.spec.evaluator import Evaluator

#: A worker that says nothing for this long, in seconds, is taken to be gone.
HELD_SECONDS: Final = 120

_ENDED: Final = "The server ended while this was judged."


@dataclass(frozen=True)
class Claimed:
    """An exchange that is this worker's to judge by `evaluator`, which is at the version that judges it.

    `attempts` were made before, those not counted in which the judge only asked for patience. Where there is a
    `verdict` it was judged, and only the engine lacks it.
    """

    id: int
    claim: int
    evaluator: Evaluator
    exchange: int
    occurred_at: datetime
    attempts: int
    verdict: Verdict | None = None


@dataclass(frozen=True)
class Judgement:
    """What a judge said of something claimed, and the call that it took."""

    claimed: Claimed
    verdict: Verdict
    attempt: Attempt


class EvaluationQueue:
    """Takes evaluations and reports on them. `holder` names this process among those that share the store.

    A report of a worker that was replaced changes nothing but what its calls took.
    """

    def __init__(self, database: Database, holder: str) -> None:
        self._database = database
        self._holder = holder
        self._served = 0

    def claim(
        self, now: datetime, limit: int, without: Collection[int] = (), most_attempts: int = MOST_ATTEMPTS
    ) -> list[Claimed]:
        """Up to `limit` evaluations, this process's from now on.

        First what was judged and left behind; then what waits, in turns of projects, the oldest of each first. Nothing
        is taken of an evaluator that is paused or held, nor of the projects in `without`. A worker that ended without a
        word has made an attempt; with `most_attempts` of them it is a dead letter.
        """
        with self._database.read() as session:
            if not due_evaluators(session, now, without) and session.scalar(_lapsed(now).limit(1)) is None:
                return []
        with self._database.write() as session:
            rows = self._take(session, now, limit, without, most_attempts)
            return _claimed(session, rows)

    def _take(
        self, session: Session, now: datetime, limit: int, without: Collection[int], most_attempts: int
    ) -> Sequence[EvaluationRow]:
        _take_back(session, now, most_attempts)
        judged = session.scalars(_lapsed(now).where(EvaluationRow.status == "judged").limit(limit)).all()
        evaluators = due_evaluators(session, now, without)
        turns = in_turns(session, evaluators, now, limit - len(judged), self._served)
        if turns:
            self._served = turns[-1][0]
        rows = [*judged, *_rows(session, [evaluation_id for _, evaluation_id in turns])]
        for row in rows:
            row.status = "judged" if row.verdict is not None else "running"
            row.claim, row.holder, row.held_until = row.claim + 1, self._holder, _until(now)
        return rows

    def recover(self, now: datetime) -> None:
        """Lets go of what this process held when it ended the last time; call it before anything is claimed."""
        row = EvaluationRow
        mine = row.held_until.is_not(None) & (row.holder == self._holder)
        with self._database.write() as session:
            session.execute(update(row).where(mine).values(held_until=now))

    def renew(self, claims: Collection[Claimed], now: datetime) -> None:
        """Says that this process is still at work on these."""
        self._report(claims, ("running", "judged"), held_until=_until(now))

    def judged(self, judgements: Collection[Judgement]) -> list[Claimed]:
        """Those that are still this worker's, with their verdicts, which are kept until they are `done`."""
        kept = []
        with self._database.write() as session:
            mine = self._attempted(session, [(told.claimed, told.attempt) for told in judgements])
            for told in judgements:
                if (row := mine.get(told.claimed.id)) is not None:
                    row.status, row.verdict = "judged", msgspec.json.encode(told.verdict).decode()
                    kept.append(replace(told.claimed, verdict=told.verdict, attempts=row.attempts))
        return kept

    def done(self, claims: Collection[Claimed], now: datetime) -> int:
        """How many of these are done now: their verdicts are in the engine."""
        return self._report(
            claims, ("judged",), status="done", verdict=None, held_until=None, not_before=None, finished_at=now
        )  # fmt: skip

    def there(self, claims: Collection[Claimed]) -> frozenset[int]:
        """The ids of those of these that nobody has forgotten."""
        with self._database.read() as session:
            return frozenset(row.id for row in _rows(session, [claimed.id for claimed in claims]))

    def failed(
        self, claimed: Claimed, failure: Failed, ms: int, cost: float, now: datetime, next_at: datetime | None
    ) -> bool:
        """Whether the failure counts; the exchange waits until `next_at` then, a dead letter where that is None."""
        attempt = Attempt(now, str(failure.fault), failure.message, ms, failure.usage, cost)
        with self._database.write() as session:
            row = self._attempted(session, [(claimed, attempt)]).get(claimed.id)
            if row is not None:
                _put_back(row, now, next_at)
            return row is not None

    def release(self, claims: Collection[Claimed], now: datetime, until: datetime | None = None) -> int:
        """How many of these are back in the queue, where they were; nobody takes them before `until`. No attempt."""
        back = self._report(claims, ("running",), status="waiting", held_until=None, not_before=until)
        return back + self._report(claims, ("judged",), held_until=until or now)

    def gone(self, claims: Collection[Claimed], now: datetime) -> int:
        """How many of these are over, since their exchanges are there no more."""
        return self._report(
            claims, ("running", "judged"), status="gone", verdict=None, held_until=None, not_before=None,
            finished_at=now,
        )  # fmt: skip

    def _attempted(self, session: Session, attempts: Sequence[tuple[Claimed, Attempt]]) -> dict[int, EvaluationRow]:
        """The rows, by id, that are still this worker's to judge; what the attempts took is noted of the others too."""
        rows = {row.id: row for row in _rows(session, [claimed.id for claimed, _ in attempts])}
        made = [(rows[claimed.id], claimed, attempt) for claimed, attempt in attempts if claimed.id in rows]
        note_attempts(session, [(row, attempt) for row, _, attempt in made])
        mine = {}
        for row, claimed, attempt in made:
            if row.status == "running" and row.holder == self._holder and row.claim == claimed.claim:
                _count(row, attempt)
                mine[row.id] = row
        return mine

    def _report(self, claims: Iterable[Claimed], statuses: Sequence[str], **values: object) -> int:
        row, told = EvaluationRow, 0
        for part in parts(claims):
            own = tuple_(row.id, row.claim).in_([(claimed.id, claimed.claim) for claimed in part])
            mine: ColumnElement[bool] = own & (row.holder == self._holder) & row.status.in_(statuses)
            with self._database.write() as session:
                told += len(session.execute(update(row).where(mine).values(values).returning(row.id)).all())
        return told


def _lapsed(now: datetime) -> Select[EvaluationRow]:
    return select(EvaluationRow).where(EvaluationRow.held_until <= now).order_by(EvaluationRow.id)


def _take_back(session: Session, now: datetime, most_attempts: int) -> None:
    """Puts what workers held that ended without a word back into the queue, or among the dead letters."""
    ended = Attempt(now, str(Fault.FAILED), message=_ENDED)
    rows = session.scalars(_lapsed(now).where(EvaluationRow.status == "running")).all()
    note_attempts(session, [(row, ended) for row in rows])
    for row in rows:
        _count(row, ended)
        _put_back(row, now, now if row.attempts < most_attempts else None)
    session.flush()


def _count(row: EvaluationRow, attempt: Attempt) -> None:
    row.attempts += attempt.outcome != Fault.RATE_LIMITED  # a judge that asks for patience has not failed
    row.error = "" if attempt.outcome == "ok" else attempt.outcome


def _put_back(row: EvaluationRow, now: datetime, next_at: datetime | None) -> None:
    row.held_until, row.not_before = None, next_at
    row.status, row.finished_at = ("dead", now) if next_at is None else ("waiting", None)


def _rows(session: Session, ids: Sequence[int]) -> list[EvaluationRow]:
    """The rows with these ids, in this order, that there are."""
    found: dict[int, EvaluationRow] = {}
    for part in parts(ids):
        found |= {row.id: row for row in session.scalars(select(EvaluationRow).where(EvaluationRow.id.in_(part)))}
    return [found[evaluation_id] for evaluation_id in ids if evaluation_id in found]


def _claimed(session: Session, rows: Sequence[EvaluationRow]) -> list[Claimed]:
    version = EvaluatorVersionRow
    theirs = {(row.evaluator_id, row.version) for row in rows}
    evaluators = {
        (found.id, at): evaluator_at(found, at, definition)
        for found, at, definition in session.execute(
            select(EvaluatorRow, version.version, version.definition)
            .join(version, version.evaluator_id == EvaluatorRow.id)
            .where(tuple_(version.evaluator_id, version.version).in_(list(theirs)))
        )
    }
    return [
        Claimed(
            row.id, row.claim, evaluators[row.evaluator_id, row.version], row.exchange, row.occurred_at, row.attempts,
            None if row.verdict is None else msgspec.json.decode(row.verdict, type=Verdict),
        )
        for row in rows
    ]  # fmt: skip


def _until(now: datetime) -> datetime:
    return now + timedelta(seconds=HELD_SECONDS)
