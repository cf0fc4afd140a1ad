"""`GET /quiz/api/v1/analytics/quiz/{quizId}/learners`: who took a quiz, as hashes, and how they did."""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any, Final

from litestar import get
from litestar.params import QueryParameter

from tallymark.api.auth import Call
from tallymark.api.question import limit_of, one
from tallymark.engine.base import Row
from tallymark.engine.source import span
from tallymark.errors import BadQuery
from tallymark.packs.quiz.asked import (
    DAYS,
    FAILURES,
    Asker,
    Attempts,
    End,
    ProjectName,
    QuizId,
    Start,
    Text,
    Zone,
    provenance,
    window_body,
)
from tallymark.packs.quiz.known import check_known
from tallymark.packs.quiz.policy import Policy, counted, of_quiz
from tallymark.packs.quiz.record import COLUMNS, Record
from tallymark.packs.quiz.viewer import Viewer
from tallymark.spec.window import Window

_NAMES: Final = (*DAYS, "attempts", "limit", "after")
_HASH: Final = "leftPad(lower(hex(actor)), 16, '0')"
_DIGITS: Final = frozenset("0123456789abcdef")
_MOST: Final = 1_000


@get("/api/v1/analytics/quiz/{quiz_id:str}/learners", summary="Who took a quiz", responses=FAILURES)
async def quiz_learners(
    request: Call, quiz_id: QuizId, start: Start = None, end: End = None, attempts: Attempts = None,
    limit: Annotated[Text, QueryParameter(description="Most learners; default 100, at most 1000.")] = None,
    after: Annotated[Text, QueryParameter(description="The `next` of the page before.")] = None,
    timezone: Zone = None, project: ProjectName = None,
) -> dict[str, Any]:  # fmt: skip
    """The learners of a quiz by their hash, a page at a time; for its teacher, and for admins."""
    asker = await Asker.of(request, _NAMES, learners=quiz_id)
    window, policy, most, begun = asker.window(), asker.policy(), limit_of(asker.given, 100, _MOST), _after(asker)
    rows = await asyncio.to_thread(_rows, asker.viewer, quiz_id, window, policy, (begun, most + 1))
    if not rows and not begun:
        await asyncio.to_thread(check_known, asker.viewer, quiz_id)
    shown = rows[:most]
    return {
        "success": True,
        "project": asker.viewer.project.name,
        "quizId": quiz_id,
        "window": window_body(window),
        "attemptPolicy": str(policy),
        "learners": [{"user": row[0], **Record.of(row[1:]).body()} for row in shown],
        "next": shown[-1][0] if len(rows) > most else None,
        **provenance(await asker.freshness(window), "raw"),
    }


def _rows(viewer: Viewer, quiz: str, window: Window, policy: Policy, page: tuple[str, int]) -> Sequence[Row]:
    after, most = page
    params = {**span(viewer.project.id, window.start, window.end), "after": after, "limit": most}
    return viewer.engine.query(
        f"SELECT {_HASH} AS user, {', '.join(COLUMNS)} FROM {counted(policy, of_quiz(quiz))} "
        "WHERE actor != 0 AND user > {after:String} GROUP BY user ORDER BY user LIMIT {limit:UInt32}",
        params,
    )


def _after(asker: Asker) -> str:
    text = one(asker.given, "after") or ""
    if text and (len(text) != 16 or not set(text) <= _DIGITS):
        raise BadQuery("after is the `next` of the page before.", field="after")
    return text
