"""Whose turn it is: what waits for evaluators, in fair turns of projects, the oldest of each first."""

import heapq
from collections import defaultdict, deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from tallymark.control.evaluation_models import EvaluationRow, EvaluatorRow


def due_evaluators(session: Session, now: datetime, without: Collection[int] = ()) -> dict[int, list[int]]:
    """The evaluators with something to judge now, by project: active ones, not held, of no project in `without`."""
    row, found = EvaluatorRow, defaultdict(list)
    free = row.not_before.is_(None) | (row.not_before <= now)
    waits = select(EvaluationRow.id).where(EvaluationRow.evaluator_id == row.id, _due(now)).exists()
    for project_id, evaluator_id in session.execute(
        select(row.project_id, row.id).where(row.status == "active", free, waits).order_by(row.project_id, row.id)
    ):
        if project_id not in without:
            found[project_id].append(evaluator_id)
    return dict(found)


def in_turns(
    session: Session, evaluators: Mapping[int, Sequence[int]], now: datetime, limit: int, after: int
) -> list[tuple[int, int]]:
    """Up to `limit` evaluations, each with its project: one of each in turn, beginning after the project `after`."""
    order = sorted(evaluators, key=lambda project_id: (project_id <= after, project_id))
    page = max(1, limit // max(1, len(order)))
    turns = deque((project_id, _waiting(session, evaluators[project_id], now, page)) for project_id in order)
    taken: list[tuple[int, int]] = []
    while turns and len(taken) < limit:
        project_id, waiting = turns.popleft()
        evaluation_id = next(waiting, None)
        if evaluation_id is not None:
            taken.append((project_id, evaluation_id))
            turns.append((project_id, waiting))
    return taken


def _waiting(session: Session, evaluator_ids: Sequence[int], now: datetime, page: int) -> Iterator[int]:
    """What waits for these evaluators, the oldest first."""
    return heapq.merge(*(_of_one(session, evaluator_id, now, page) for evaluator_id in evaluator_ids))


def _of_one(session: Session, evaluator_id: int, now: datetime, page: int) -> Iterator[int]:
    row, last = EvaluationRow, 0
    mine = select(row.id).where(row.evaluator_id == evaluator_id, _due(now)).order_by(row.id).limit(page)
    while ids := session.scalars(mine.where(row.id > last)).all():
        yield from ids
        last = ids[-1]


def _due(now: datetime) -> ColumnElement[bool]:
    row = EvaluationRow
    return (row.status == "waiting") & (row.not_before.is_(None) | (row.not_before <= now))
