"""`GET /quiz/api/v1/analytics/quiz/{quiz_id}/…`: item analysis and statistics of a quiz, for those who teach."""

import asyncio
from typing import Annotated, Any, Final

from litestar import get
from litestar.params import PathParameter, QueryParameter

from tallymark.api.auth import Call
from tallymark.api.question import limit_of
from tallymark.errors import NotFound
from tallymark.packs.quiz.asked import DAYS, FAILURES, Asker, Attempts, End, ProjectName, QuizId, Start, Text, Zone
from tallymark.packs.quiz.item_analysis import ItemAnalysis
from tallymark.packs.quiz.item_told import told_answers, told_attempts, told_head, told_items, told_statistics
from tallymark.packs.quiz.known import check_known

PARAMETERS: Final = (*DAYS, "attempts")

_ANSWERS: Final = 20
_MOST_ANSWERS: Final = 200

_QuestionId = Annotated[str, PathParameter(description="Id of the question, percent-encoded.")]
_Limit = Annotated[Text, QueryParameter(description="Most answers to tell apart, up to 200; default 20.")]


async def _analysis(request: Call, quiz: str, *more: str) -> tuple[Asker, ItemAnalysis]:
    """Who asks, and the analysis of the quiz. Errors: `Unauthorized`, `Forbidden`, `NotFound`, `BadQuery`."""
    asker = await Asker.of(request, (*PARAMETERS, *more), learners=quiz)
    window, policy = asker.window(), asker.policy()
    await asyncio.to_thread(check_known, asker.viewer, quiz)
    return asker, ItemAnalysis(asker.viewer.engine, asker.viewer.project, quiz, window, policy)


@get(
    "/api/v1/analytics/quiz/{quiz_id:str}/items",
    summary="Item analysis of a quiz",
    description="Each question in the order that attempts meet them: how hard it is, how well it tells learners "
    "apart, how long it takes, and who leaves there.",
    responses=FAILURES,
)
async def items(
    request: Call, quiz_id: QuizId, project: ProjectName = None, start: Start = None, end: End = None,
    attempts: Attempts = None, timezone: Zone = None,
) -> dict[str, Any]:  # fmt: skip
    """The questions of a quiz."""
    _, analysis = await _analysis(request, quiz_id)
    return await asyncio.to_thread(_items, analysis)


def _items(analysis: ItemAnalysis) -> dict[str, Any]:
    counted, found = analysis.attempts(), analysis.items()
    return {**told_head(analysis), "attempts": told_attempts(counted, found), "items": told_items(counted, found)}


@get(
    "/api/v1/analytics/quiz/{quiz_id:str}/items/{question_id:str}",
    summary="Item analysis of a question",
    description="One question with its answers, the most frequent first; all beyond `limit` are one, `(other)`.",
    responses=FAILURES,
)
async def item(
    request: Call, quiz_id: QuizId, question_id: _QuestionId, project: ProjectName = None, start: Start = None,
    end: End = None, attempts: Attempts = None, timezone: Zone = None, limit: _Limit = None,
) -> dict[str, Any]:  # fmt: skip
    """A question with its answers. Errors: `NotFound` if no attempt was shown it."""
    asker, analysis = await _analysis(request, quiz_id, "limit")
    most = limit_of(asker.given, _ANSWERS, _MOST_ANSWERS)
    return await asyncio.to_thread(_item, analysis, question_id, most)


def _item(analysis: ItemAnalysis, question: str, most: int) -> dict[str, Any]:
    counted, found = analysis.attempts(), analysis.items()
    for sums, told in zip(found.items, told_items(counted, found), strict=True):
        if sums.question == question:
            body = {**told, **told_answers(analysis.answers(question, most), sums)}
            return {**told_head(analysis), "attempts": told_attempts(counted, found), "item": body}
    raise NotFound(f"No attempt in this window was shown {question[:64]!r}.", field="questionId")


@get(
    "/api/v1/analytics/quiz/{quiz_id:str}/statistics",
    summary="Statistics of a quiz",
    description="How scores of submitted attempts lie, and how far they can be relied on.",
    responses=FAILURES,
)
async def statistics(
    request: Call, quiz_id: QuizId, project: ProjectName = None, start: Start = None, end: End = None,
    attempts: Attempts = None, timezone: Zone = None,
) -> dict[str, Any]:  # fmt: skip
    """The quiz as a whole."""
    _, analysis = await _analysis(request, quiz_id)
    return await asyncio.to_thread(_statistics, analysis)


def _statistics(analysis: ItemAnalysis) -> dict[str, Any]:
    counted, found = analysis.attempts(), analysis.items()
    told = told_statistics(counted, found, analysis.retakes(), analysis.policy)
    return {**told_head(analysis), "attempts": told_attempts(counted, found), **told}


HANDLERS: Final = (items, item, statistics)
