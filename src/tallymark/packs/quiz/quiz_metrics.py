"""`GET /quiz/api/v1/analytics/quiz/{quizId}/metrics` and `…/quizzes`: the numbers of one quiz, and of each."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import date
from typing import Annotated, Any, Final

from litestar import get
from litestar.params import QueryParameter

from tallymark.answer.compare import delta
from tallymark.api.auth import Call
from tallymark.api.question import limit_of, one
from tallymark.errors import BadQuery
from tallymark.packs.quiz.asked import (
    DAYS,
    FAILURES,
    Aggregation,
    Asker,
    Attempts,
    CompareTo,
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
from tallymark.packs.quiz.numbers import DIMENSION, FIELDS, METRICS, Numbers
from tallymark.spec.condition import Op
from tallymark.spec.query import Clause, Filter, Query
from tallymark.spec.window import Grain, Window

_METRICS: Final = (*DAYS, "aggregation", "attempts", "compareTo")
_QUIZZES: Final = (*DAYS, "attempts", "sort", "order", "limit")

#: Quizzes that are looked at for a list, those with the most attempts.
_MOST: Final = 10_000
_ORDERS: Final = ("asc", "desc")


@get("/api/v1/analytics/quiz/{quiz_id:str}/metrics", summary="A quiz's numbers", responses=FAILURES)
async def quiz_metrics(
    request: Call, quiz_id: QuizId, start: Start = None, end: End = None, aggregation: Aggregation = None,
    attempts: Attempts = None, compare_to: CompareTo = None, timezone: Zone = None, project: ProjectName = None,
) -> dict[str, Any]:  # fmt: skip
    """Attempts, completion, score and time of a quiz, with their course, and beside another window."""
    asker = await Asker.of(request, _METRICS, quiz=quiz_id)
    window, policy = asker.window(), asker.policy()
    only = Filter(((Clause(DIMENSION, Op.IS, (quiz_id,)),),))
    query = Query(METRICS, window, asker.compare(window), filter=only)
    told, source = await Numbers(asker.here, asker.viewer, policy).told(query)
    metrics = told["metrics"]
    if not metrics[FIELDS["totalAttempts"]]["value"]:
        await asyncio.to_thread(check_known, asker.viewer, quiz_id)
    return {
        "success": True,
        "project": asker.viewer.project.name,
        "quizId": quiz_id,
        "window": window_body(window),
        "aggregation": str(window.grain),
        "attemptPolicy": str(policy),
        **{field: metrics[name]["value"] for field, name in FIELDS.items()},
        "series": _series(metrics, "series", window),
        "comparison": None if query.compare is None else _comparison(metrics, query.compare),
        **provenance(await asker.freshness(window), source),
    }


def _series(metrics: Mapping[str, Any], name: str, window: Window) -> list[dict[str, Any]]:
    """The buckets of a window, each with every field."""
    courses = {field: metrics[metric][name] for field, metric in FIELDS.items()}
    return [
        {**_label(bucket.label, window.grain), **{field: course[i]["value"] for field, course in courses.items()}}
        for i, bucket in enumerate(window.buckets())
    ]


def _label(first: str, grain: Grain) -> dict[str, str]:
    """What a bucket is called: its first day, and of a week its number by ISO 8601."""
    if grain is not Grain.WEEK:
        return {"t": first}
    year, week, _ = date.fromisoformat(first).isocalendar()
    return {"t": first, "isoWeek": f"{year}-W{week:02}"}


def _comparison(metrics: Mapping[str, Any], window: Window) -> dict[str, Any]:
    """The window that is compared with; `delta` is how much of its number the change is."""
    return {
        "window": window_body(window),
        **{field: metrics[name]["previous"] for field, name in FIELDS.items()},
        "delta": {
            field: delta(metrics[name]["value"], metrics[name]["previous"]) for field, name in FIELDS.items()
        },
        "series": _series(metrics, "previousSeries", window),
    }  # fmt: skip


@get("/api/v1/analytics/quizzes", summary="Every quiz's numbers", responses=FAILURES)
async def quizzes(
    request: Call, start: Start = None, end: End = None, attempts: Attempts = None,
    sort: Annotated[Text, QueryParameter(description="quizId or a number's name; default totalAttempts.")] = None,
    order: Annotated[Text, QueryParameter(description="asc or desc; default desc, of quizId asc.")] = None,
    limit: Annotated[Text, QueryParameter(description="Most quizzes; default 100.")] = None,
    timezone: Zone = None, project: ProjectName = None,
) -> dict[str, Any]:  # fmt: skip
    """The quizzes with attempts in the window that the viewer may see, in order; those without a number last."""
    asker = await Asker.of(request, _QUIZZES)
    window, policy, most, arranged = asker.window(), asker.policy(), limit_of(asker.given), _arranging(asker)
    query = Query(METRICS, window, by=DIMENSION, limit=_MOST)
    told, source = await Numbers(asker.here, asker.viewer, policy).told(query)
    rows = [
        {"quizId": row["key"], **{field: row[name] for field, name in FIELDS.items()}}
        for row in told["breakdown"]
        if row["quiz_attempts"]
    ]
    return {
        "success": True,
        "project": asker.viewer.project.name,
        "window": window_body(window),
        "attemptPolicy": str(policy),
        "quizzes": arranged(rows)[:most],
        "total": len(rows),
        **provenance(await asker.freshness(window), source),
    }


def _arranging(asker: Asker) -> Callable[[list[dict[str, Any]]], list[dict[str, Any]]]:
    """What puts rows in the order that is asked for. Errors: `BadQuery`."""
    sort = one(asker.given, "sort") or "totalAttempts"
    order = one(asker.given, "order") or ("asc" if sort == "quizId" else "desc")
    for name, text, words in (("sort", sort, ("quizId", *FIELDS)), ("order", order, _ORDERS)):
        if text not in words:
            raise BadQuery(f"{name} can't be {text[:40]!r}.", field=name, allowed=words)

    def arranged(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        told = sorted((row for row in rows if row[sort] is not None), key=lambda row: str(row["quizId"]))
        told.sort(key=lambda row: row[sort], reverse=order == "desc")  # stable: ties by their name
        return told + sorted((row for row in rows if row[sort] is None), key=lambda row: str(row["quizId"]))

    return arranged
