"""`GET /quiz/api/v1/analytics/quiz/{quizId}/funnel` and `…/retention`: how far learners come, and who comes back."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Annotated, Any, Final

from litestar import get
from litestar.params import QueryParameter

from tallymark.answer.behaviour.funnel import answer_funnel
from tallymark.answer.behaviour.retention import answer_retention
from tallymark.answer.behaviour.tell import tell_funnel, tell_retention
from tallymark.answer.compare import Told
from tallymark.answer.run import Answerer
from tallymark.api.auth import Call
from tallymark.api.behaviour import Asker as Standings
from tallymark.api.behaviour_question import later_periods, told_as_query, whole_window
from tallymark.api.question import one
from tallymark.errors import BadQuery
from tallymark.packs.quiz import names
from tallymark.packs.quiz.asked import (
    DAYS,
    ENDS,
    FAILURES,
    Asker,
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
from tallymark.packs.quiz.policy import ATTEMPT, of_quiz
from tallymark.packs.quiz.steps import Questions, funnel_of, questions
from tallymark.spec.behaviour import FunnelQuery, RetentionQuery
from tallymark.spec.condition import event, human
from tallymark.spec.funnel_draft import read_within
from tallymark.spec.periods import periods_of
from tallymark.spec.window import Grain, Window, today

_FUNNEL: Final = (*DAYS, "within", "experiment")
_RETENTION: Final = (*DAYS, "period", "periods", "returning")

#: How long an attempt may take in a funnel unless it is said.
_WITHIN: Final = "1d"

_RETURNS: Final = ("quiz", "any")


@get("/api/v1/analytics/quiz/{quiz_id:str}/funnel", summary="How far learners come in a quiz", responses=FAILURES)
async def quiz_funnel(
    request: Call, quiz_id: QuizId, start: Start = None, end: End = None,
    within: Annotated[Text, QueryParameter(description="From start to submission: 30m, 12h; default 1d.")] = None,
    experiment: Annotated[Text, QueryParameter(description="An experiment's key: by its variants.")] = None,
    timezone: Zone = None, project: ProjectName = None,
) -> dict[str, Any]:  # fmt: skip
    """From the start by each question to the submission: learners, who dropped out, and the median time."""
    asker = await Asker.of(request, _FUNNEL, learners=quiz_id)
    window = asker.window()
    with told_as_query():
        seconds = read_within(one(asker.given, "within") or _WITHIN)
    asked = await asyncio.to_thread(questions, asker.viewer, quiz_id, window)
    query = FunnelQuery(
        funnel_of(quiz_id, asked.shown, seconds), window, experiment=one(asker.given, "experiment") or None
    )
    closed = query.window.end + timedelta(seconds=seconds) <= asker.now
    body = await _kept(asker, (query, closed), _looked_at(query), lambda: _funnel(asker, query))
    if not body["overall"]["entered"]:
        await asyncio.to_thread(check_known, asker.viewer, quiz_id)
    fresh = await asker.freshness(_looked_at(query))
    return {**_head(asker, quiz_id, body), **_named(body, asked), **_worth(body, provenance(fresh, "raw"))}


async def _kept(asker: Asker, question: object, window: Window, ask: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What `ask` gives, or gave an admin lately: what others may see is kept for nobody."""
    if asker.viewer.role != "admin":
        return await asyncio.to_thread(ask)
    answers, project = asker.here.answers, asker.viewer.project
    runs = await asyncio.to_thread(answers.fresh_runs, project)
    return await answers.kept(question, [window], project, runs, lambda: Told(ask(), False), asker.viewer.named)


def _funnel(asker: Asker, query: FunnelQuery) -> dict[str, Any]:
    viewer = asker.viewer
    catalog = asker.here.catalog.only(viewer.project.packs)
    body = tell_funnel(query, answer_funnel(viewer.engine, query, viewer.project, catalog), asker.now)
    return {**body, "window": window_body(query.window)}


def _head(asker: Asker, quiz: str, body: Mapping[str, Any]) -> dict[str, Any]:
    return {"success": True, "project": asker.viewer.project.name, "quizId": quiz, **body}


def _named(body: Mapping[str, Any], asked: Questions) -> dict[str, Any]:
    """The steps with the question that each is of."""
    ids = [None, *asked.shown, None]
    steps = [{**step, "questionId": question} for step, question in zip(body["steps"], ids, strict=True)]
    return {"steps": steps, "questionsLeftOut": asked.left_out}


def _worth(body: Mapping[str, Any], told: dict[str, Any]) -> dict[str, Any]:
    """What an answer is worth that is complete once nobody can go on any more."""
    return {**told, "complete": told["complete"] and body.get("complete", True)}


def _looked_at(query: FunnelQuery) -> Window:
    """The window, and the days after it that somebody may go on in."""
    closes = query.window.end + timedelta(seconds=query.funnel.within, milliseconds=-1)
    return replace(query.window, last=today(query.window.timezone, closes))


@get("/api/v1/analytics/quiz/{quiz_id:str}/retention", summary="Which learners come back", responses=FAILURES)
async def quiz_retention(
    request: Call, quiz_id: QuizId, start: Start = None, end: End = None,
    period: Annotated[Text, QueryParameter(description="day, week or month; default week.")] = None,
    periods: Annotated[Text, QueryParameter(description="Periods after a cohort's own.")] = None,
    returning: Annotated[Text, QueryParameter(description="What brings one back: this quiz, or any.")] = None,
    timezone: Zone = None, project: ProjectName = None,
) -> dict[str, Any]:  # fmt: skip
    """Learners by the period they first began the quiz in, and how many of them are back in each later one."""
    asker = await Asker.of(request, _RETENTION, learners=quiz_id)
    query = _question(asker, quiz_id)
    horizon = periods_of(query.window, after=query.periods).window
    asked = (query, today(query.window.timezone, asker.now))
    body = await _kept(asker, asked, horizon, lambda: _retention(asker, query, horizon))
    if not any(cohort["actors"] for cohort in body["cohorts"]):
        await asyncio.to_thread(check_known, asker.viewer, quiz_id)
    fresh = await asker.freshness(horizon)
    return {**_head(asker, quiz_id, body), **provenance(fresh, "raw")}


def _question(asker: Asker, quiz: str) -> RetentionQuery:
    given = asker.given
    window = whole_window(given, asker.viewer.project.timezone, asker.now, Grain.WEEK, ENDS)
    back = one(given, "returning") or "quiz"
    if back not in _RETURNS:
        raise BadQuery(f"returning can't be {back[:40]!r}.", field="returning", allowed=_RETURNS)
    active = event(names.ATTEMPT, *names.PARTS) & human()
    return RetentionQuery(
        window=window,
        periods=later_periods(given, window),
        cohort=ATTEMPT & of_quiz(quiz),
        returning=active & of_quiz(quiz) if back == "quiz" else active,
        exact=True,
    )


def _retention(asker: Asker, query: RetentionQuery, horizon: Window) -> dict[str, Any]:
    """The cohorts that the viewer may see, from raw events: rollups hold no event of one quiz."""
    viewer, shared = asker.viewer, asker.here.answers.answerer
    answerer = Answerer(viewer.engine, asker.here.catalog, shared.workers)
    answer = answer_retention(answerer, query, viewer.project, answerer.runs(viewer.project), asker.now)
    standing = Standings(asker.here, viewer.project, asker.given, asker.now).standing(answer.reading, horizon)
    told = tell_retention(query, answer, standing)
    return {**told, "window": {**window_body(query.window), "period": str(query.window.grain)}}
