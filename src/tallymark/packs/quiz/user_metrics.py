"""`GET /quiz/api/v1/analytics/user/{userId}/metrics`: what a user did, in total and at each quiz."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from litestar import get

from tallymark.api.auth import Call
from tallymark.engine.expression import array, condition_sql
from tallymark.engine.source import events_between, span, utc
from tallymark.packs.quiz import names
from tallymark.packs.quiz.asked import (
    DAYS,
    FAILURES,
    Asker,
    Attempts,
    End,
    ProjectName,
    Start,
    UserId,
    Zone,
    provenance,
    window_body,
)
from tallymark.packs.quiz.policy import QUIZ, Policy, counted
from tallymark.packs.quiz.record import COLUMNS, Record, average, time_spent
from tallymark.packs.quiz.viewer import Viewer
from tallymark.spec.condition import Column, Comparison, Op, human
from tallymark.spec.project import instant_text
from tallymark.spec.window import Window

_NAMES: Final = (*DAYS, "attempts")
_PARTS: Final = array([*names.PARTS, names.ATTEMPT])


@get("/api/v1/analytics/user/{user_id:str}/metrics", summary="A user's numbers", responses=FAILURES)
async def user_metrics(
    request: Call, user_id: UserId, start: Start = None, end: End = None, attempts: Attempts = None,
    timezone: Zone = None, project: ProjectName = None,
) -> dict[str, Any]:  # fmt: skip
    """Quizzes, score, time and last activity of a user; one of whom nothing is known has done nothing."""
    asker = await Asker.of(request, _NAMES, user=user_id)
    window, policy = asker.window(), asker.policy()
    actor = asker.here.receiver.enricher.actor(asker.viewer.project.id, user_id)
    found = await asyncio.to_thread(_found, asker.viewer, actor, window, policy)
    return {
        "success": True,
        "project": asker.viewer.project.name,
        "userId": user_id,
        "window": window_body(window),
        "attemptPolicy": str(policy),
        **_totals(found),
        "quizzes": [{"quizId": quiz, **record.body()} for quiz, record in found.records.items()],
        **provenance(await asker.freshness(window), "raw"),
    }


@dataclass(frozen=True)
class _Found:
    """A user's records by quiz, and when they last did anything in a quiz."""

    records: Mapping[str, Record]
    last: datetime | None


def _found(viewer: Viewer, actor: int, window: Window, policy: Policy) -> _Found:
    params = span(viewer.project.id, window.start, window.end)
    theirs = Comparison(Column("actor"), Op.IS, (str(actor),))
    rows = viewer.engine.query(
        f"SELECT {QUIZ} AS quiz, {', '.join(COLUMNS)} FROM {counted(policy, theirs)} GROUP BY quiz ORDER BY quiz",
        params,
    )
    ((n, last),) = viewer.engine.query(
        f"SELECT count(), max(occurred_at) FROM {events_between()} "
        f"WHERE event IN {_PARTS} AND {condition_sql(human() & theirs)}",
        params,
    )
    return _Found({row[0]: Record.of(row[1:]) for row in rows}, utc(last) if n else None)


def _totals(found: _Found) -> dict[str, Any]:
    records = list(found.records.values())
    return {
        "quizzesCompleted": sum(record.submitted > 0 for record in records),
        "averageScore": average(records),
        "totalTimeSpent": time_spent(records),
        "lastActivity": None if found.last is None else instant_text(found.last),
        "attempts": sum(record.attempts for record in records),
        "attemptsSubmitted": sum(record.submitted for record in records),
    }
