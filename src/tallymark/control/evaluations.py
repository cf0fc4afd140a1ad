"""What evaluators judge: put into the queue, counted, looked at, tried again, forgotten."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, NamedTuple, cast

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.orm import Session, aliased

from tallymark.control.database import Database
from tallymark.control.evaluation_models import EvaluationAttemptRow, EvaluationRow, EvaluationSpendRow, EvaluatorRow
from tallymark.control.evaluation_rows import MICROS, Attempt, attempt_of, parts, remove_evaluations
from tallymark.control.upsert import insert
from tallymark.spec.evaluation import Usage
from tallymark.spec.evaluator import Evaluator

#: `judged`: the verdict is there, and not yet in the engine. `gone`: what was to be judged is there no more.
Status = Literal["waiting", "running", "judged", "done", "dead", "gone"]


@dataclass(frozen=True)
class DeadLetter:
    """An exchange that a judge failed on too often; `evaluator` has its version as well, `error` is the last fault."""

    id: int
    evaluator: str
    exchange: int
    occurred_at: datetime
    error: str
    died_at: datetime
    attempts: tuple[Attempt, ...]


@dataclass(frozen=True)
class Spend:
    """What judges took on a day; `cost` is in US dollars."""

    requests: int = 0
    tokens: int = 0
    cost: float = 0.0


@dataclass(frozen=True)
class Standing:
    """How many evaluations of an evaluator there are by status, and since when the first of the waiting waits."""

    counts: Mapping[Status, int]
    oldest_waiting: datetime | None


class Call(NamedTuple):
    """A call of a judge for an evaluator, and the tokens that it took."""

    evaluator_id: int
    at: datetime
    tokens: int


class Evaluations:
    """The store of evaluations, without the queue that workers take them from."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def enqueue(
        self, evaluator: Evaluator, cases: Iterable[tuple[int, datetime]], now: datetime, once: bool = False
    ) -> int:
        """How many of these exchanges, with the times that they happened at, were not there yet for this version.

        They wait now, however many transactions it took to put them there; of an archived evaluator nothing waits.
        `once` leaves out what is there for another version.
        """
        return sum(self._enqueue(evaluator, part, now, once) for part in parts(cases))

    def dead(self, project_id: int, limit: int = 100) -> tuple[DeadLetter, ...]:
        """The latest dead letters of a project, newest first."""
        row = EvaluationRow
        newest = (
            select(row, EvaluatorRow.key)
            .join(EvaluatorRow, EvaluatorRow.id == row.evaluator_id)
            .where(_dead_of(project_id))
            .order_by(row.finished_at.desc(), row.id.desc())
            .limit(limit)
        )
        with self._database.read(project_id) as session:
            found = session.execute(newest).all()
            attempts = _attempts(session, [dead.id for dead, _ in found])
            return tuple(_dead_letter(dead, key, attempts[dead.id]) for dead, key in found)

    def requeue(self, project_id: int, evaluator_id: int | None = None, ids: Collection[int] | None = None) -> int:
        """How many dead letters wait again, for the latest version: all of a project, of one evaluator, or these."""
        chosen = _dead_of(project_id) & EvaluationRow.evaluator_id.in_(
            select(EvaluatorRow.id).where(EvaluatorRow.status != "archived")
        )
        if evaluator_id is not None:
            chosen &= EvaluationRow.evaluator_id == evaluator_id
        with self._database.write(project_id) as session:
            if ids is None:
                return _requeue(session, chosen)
            return sum(_requeue(session, chosen & EvaluationRow.id.in_(part)) for part in parts(ids))

    def attempts(self, evaluation_id: int) -> tuple[Attempt, ...]:
        """Every call of a judge for an evaluation, oldest first."""
        with self._database.read() as session:
            return tuple(_attempts(session, [evaluation_id])[evaluation_id])

    def standing(self, evaluator_id: int) -> Standing:
        """How many evaluations of an evaluator there are, by status."""
        row = EvaluationRow
        mine = row.evaluator_id == evaluator_id
        counts = select(row.status, func.count()).where(mine).group_by(row.status)
        first = select(row.enqueued_at).where(mine, row.status == "waiting").order_by(row.id).limit(1)
        with self._database.read() as session:
            found = {cast(Status, status): count for status, count in session.execute(counts).all()}
            return Standing(found, session.scalar(first))

    def calls(self, since: datetime) -> list[Call]:
        """The calls of judges since an instant, oldest first."""
        row, attempt = EvaluationRow, EvaluationAttemptRow
        tokens = attempt.prompt_tokens + attempt.completion_tokens
        recent = select(row.evaluator_id, attempt.at, tokens).join(row, row.id == attempt.evaluation_id)
        with self._database.read() as session:
            found = session.execute(recent.where(attempt.at >= since).order_by(attempt.at)).all()
            return [Call(*each) for each in found]

    def usual(self, evaluator_id: int) -> Usage | None:
        """The tokens that a call for an evaluator takes in the mean; None before there were any."""
        row, attempt = EvaluationRow, EvaluationAttemptRow
        tokens = (func.avg(attempt.prompt_tokens), func.avg(attempt.completion_tokens))
        mine = select(*tokens).join(row, row.id == attempt.evaluation_id)
        with self._database.read() as session:
            prompt, completion = session.execute(
                mine.where(row.evaluator_id == evaluator_id, attempt.outcome == "ok")
            ).one()
            return None if prompt is None else Usage(round(prompt), round(completion))

    def spent(self, project_id: int, day: date) -> Spend:
        """What a project's judges took on a UTC day."""
        with self._database.read(project_id) as session:
            row = session.get(EvaluationSpendRow, (project_id, day))
            return Spend() if row is None else Spend(row.requests, row.tokens, row.cost_micros / MICROS)

    def used_up(self, day: date, tokens: int, cost: float) -> frozenset[int]:
        """The projects whose judges took so much on a UTC day, in tokens or US dollars; 0 is no limit."""
        row, over = EvaluationSpendRow, []
        if tokens:
            over.append(row.tokens >= tokens)
        if cost:
            over.append(row.cost_micros >= round(cost * MICROS))
        if not over:
            return frozenset()
        with self._database.read() as session:
            return frozenset(session.scalars(select(row.project_id).where(row.day == day, or_(*over))))

    def forget_exchanges(self, project_id: int, exchanges: Collection[int]) -> int:
        """How many evaluations are deleted with these exchanges; who judges them now reports in vain."""
        row, gone = EvaluationRow, 0
        for part in parts(exchanges):
            with self._database.write(project_id) as session:
                gone += remove_evaluations(session, (row.project_id == project_id) & row.exchange.in_(part))
        return gone

    def prune(self, before: datetime) -> int:
        """How many evaluations are forgotten, done, dead or gone since before an instant."""
        over, gone = select(EvaluationRow.id).where(EvaluationRow.finished_at < before), 0
        with self._database.read() as session:
            ids = session.scalars(over).all()
        for part in parts(ids):
            with self._database.write() as session:
                gone += remove_evaluations(
                    session, (EvaluationRow.finished_at < before) & EvaluationRow.id.in_(part)
                )  # fmt: skip
        return gone

    def _enqueue(self, evaluator: Evaluator, cases: list[tuple[int, datetime]], now: datetime, once: bool) -> int:
        with self._database.write(evaluator.project_id) as session:
            row = session.get(EvaluatorRow, evaluator.id)
            if row is None or row.status == "archived":
                return 0
            known = _known(session, evaluator.id, [exchange for exchange, _ in cases]) if once else frozenset()
            rows = [_waiting(evaluator, *case, now) for case in cases if case[0] not in known]
            new = insert(session, EvaluationRow).on_conflict_do_nothing().returning(EvaluationRow.id)
            return len(session.execute(new, rows).all()) if rows else 0


def _waiting(evaluator: Evaluator, exchange: int, occurred_at: datetime, now: datetime) -> dict[str, object]:
    return {
        "project_id": evaluator.project_id, "evaluator_id": evaluator.id, "version": evaluator.version,
        "exchange": exchange, "occurred_at": occurred_at, "status": "waiting", "attempts": 0, "claim": 0,
        "holder": "", "error": "", "enqueued_at": now,
    }  # fmt: skip


def _known(session: Session, evaluator_id: int, exchanges: Sequence[int]) -> frozenset[int]:
    """Those of some exchanges that are there for any version of an evaluator."""
    row = EvaluationRow
    theirs = select(row.exchange).where(row.evaluator_id == evaluator_id, row.exchange.in_(exchanges))
    return frozenset(session.scalars(theirs))


def _dead_letter(row: EvaluationRow, key: str, attempts: Sequence[Attempt]) -> DeadLetter:
    return DeadLetter(
        row.id,
        f"{key}@{row.version}",
        row.exchange,
        row.occurred_at,
        row.error,
        row.finished_at or row.enqueued_at,
        tuple(attempts),
    )


def _dead_of(project_id: int) -> ColumnElement[bool]:
    """Dead letters of a project; its evaluators lead to the index."""
    mine = select(EvaluatorRow.id).where(EvaluatorRow.project_id == project_id)
    return EvaluationRow.evaluator_id.in_(mine) & (EvaluationRow.status == "dead")


def _attempts(session: Session, ids: Collection[int]) -> dict[int, list[Attempt]]:
    row = EvaluationAttemptRow
    found: dict[int, list[Attempt]] = {id: [] for id in ids}
    for attempt in session.scalars(select(row).where(row.evaluation_id.in_(ids)).order_by(row.id)):
        found[attempt.evaluation_id].append(attempt_of(attempt))
    return found


def _requeue(session: Session, chosen: ColumnElement[bool]) -> int:
    """Takes dead letters to the latest version, unless a later one judges the exchange, and has all of them wait."""
    row, other = EvaluationRow, aliased(EvaluationRow)
    same = (other.evaluator_id == row.evaluator_id) & (other.exchange == row.exchange)
    later = select(other.id).where(same, other.version > row.version).exists()
    latest = select(EvaluatorRow.version).where(EvaluatorRow.id == row.evaluator_id).scalar_subquery()
    session.execute(update(row).where(chosen, ~later).values(version=latest))
    again = update(row).where(chosen).values(
        status="waiting", attempts=0, not_before=None, held_until=None, finished_at=None
    )  # fmt: skip
    return len(session.execute(again.returning(row.id)).all())
