"""The rows of `evaluations`, their attempts and what these took, written within a transaction."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from itertools import islice
from typing import Final, TypeVar

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.orm import Session

from tallymark.control.evaluation_models import EvaluationAttemptRow, EvaluationRow, EvaluationSpendRow
from tallymark.control.upsert import insert
from tallymark.spec.evaluation import Usage

#: Values of one statement.
MOST_VALUES: Final = 5_000
MICROS: Final = 1_000_000
_LONGEST_MESSAGE: Final = 1_000

_T = TypeVar("_T")


@dataclass(frozen=True)
class Attempt:
    """A call of a judge: `outcome` is `ok` or a `Fault`. `ms` is how long it took, `cost` is in US dollars."""

    at: datetime
    outcome: str = "ok"
    message: str = ""
    ms: int = 0
    usage: Usage = field(default_factory=Usage)
    cost: float = 0.0


def note_attempts(session: Session, attempts: Iterable[tuple[EvaluationRow, Attempt]]) -> None:
    """Adds attempts to evaluations, and what they took to their projects' days."""
    spent: defaultdict[tuple[int, date], list[Attempt]] = defaultdict(list)
    for row, attempt in attempts:
        session.add(_attempt_row(row, attempt))
        spent[row.project_id, attempt.at.astimezone(UTC).date()].append(attempt)
    for (project_id, day), those in spent.items():
        _spend(session, project_id, day, those)


def attempt_of(row: EvaluationAttemptRow) -> Attempt:
    """The attempt of a row."""
    usage = Usage(row.prompt_tokens, row.completion_tokens)
    return Attempt(row.at, row.outcome, row.message, row.ms, usage, row.cost_micros / MICROS)


def remove_evaluations(session: Session, condition: ColumnElement[bool]) -> int:
    """Deletes evaluations and their attempts; gives how many."""
    theirs = EvaluationAttemptRow.evaluation_id.in_(select(EvaluationRow.id).where(condition))
    session.execute(delete(EvaluationAttemptRow).where(theirs))
    return len(session.execute(delete(EvaluationRow).where(condition).returning(EvaluationRow.id)).all())


def parts(values: Iterable[_T], most: int = MOST_VALUES) -> Iterator[list[_T]]:
    """The values in parts that fit one statement."""
    rest = iter(values)
    while part := list(islice(rest, most)):
        yield part


def _attempt_row(row: EvaluationRow, attempt: Attempt) -> EvaluationAttemptRow:
    return EvaluationAttemptRow(
        evaluation_id=row.id,
        at=attempt.at,
        outcome=attempt.outcome,
        message=attempt.message[:_LONGEST_MESSAGE],
        ms=attempt.ms,
        prompt_tokens=attempt.usage.prompt_tokens,
        completion_tokens=attempt.usage.completion_tokens,
        cost_micros=_micros(attempt),
    )


def _micros(attempt: Attempt) -> int:
    return round(attempt.cost * MICROS)


def _spend(session: Session, project_id: int, day: date, attempts: Sequence[Attempt]) -> None:
    row = EvaluationSpendRow
    taken = insert(session, row).values(
        project_id=project_id,
        day=day,
        requests=len(attempts),
        tokens=sum(attempt.usage.tokens for attempt in attempts),
        cost_micros=sum(map(_micros, attempts)),
    )
    session.execute(
        taken.on_conflict_do_update(
            index_elements=[row.project_id, row.day],
            set_={
                "requests": row.requests + taken.excluded.requests,
                "tokens": row.tokens + taken.excluded.tokens,
                "cost_micros": row.cost_micros + taken.excluded.cost_micros,
            },
        )
    )
