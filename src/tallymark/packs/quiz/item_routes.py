"""`GET /quiz/api/v1/analytics/quiz/{quiz_id}/…`: item analysis and statistics of a quiz, for those who teach."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from litestar import get
from litestar.params import PathParameter, QueryParameter

from tallymark.api.auth import Call
from tallymark.api.errors import documented
from tallymark.api.question import Parameters, check_names, given_in, limit_of, one, window_of, zone_of
from tallymark.api.services import services
from tallymark.errors import BadQuery, NotFound
from tallymark.packs.quiz.item_analysis import ItemAnalysis
from tallymark.packs.quiz.item_told import told_answers, told_attempts, told_head, told_items, told_statistics
from tallymark.packs.quiz.policy import Policy
from tallymark.packs.quiz.viewer import Viewer

PARAMETERS: Final = ("project", "startDate", "endDate", "attempts", "timezone")

_ANSWERS: Final = 20
_MOST_ANSWERS: Final = 200
_FAILURES: Final = documented(400, 401, 403, 404, 503)

Text = str | None
_Quiz = Annotated[str, PathParameter(description="Id of the quiz, percent-encoded.")]
_Question = Annotated[str, PathParameter(description="Id of the question, percent-encoded.")]
_Project = Annotated[Text, QueryParameter(description="Name of a project with the pack quiz.")]
_First = Annotated[Text, QueryParameter(name="startDate", description="First day, YYYY-MM-DD; default: of 30 days.")]
_Last = Annotated[Text, QueryParameter(name="endDate", description="Last day, YYYY-MM-DD; default today.")]
_Policy = Annotated[
    Text, QueryParameter(name="attempts", description="Of each learner: first, last, best or all; default all.")
]
_Timezone = Annotated[Text, QueryParameter(description="Zone of the days; default the project's.")]
_Limit = Annotated[Text, QueryParameter(description="Most answers to tell apart, up to 200; default 20.")]


@dataclass(frozen=True)
class _Asked:
    """A request for a quiz's item analysis."""

    given: Parameters
    analysis: ItemAnalysis

    @classmethod
    def of(cls, request: Call, quiz: str, *more: str) -> "_Asked":
        """Who asks is looked at first. Errors: `Unauthorized`, `Forbidden`, `NotFound`, `BadQuery`."""
        here, given = services(request.app.state), given_in(request)
        named = next(iter(given.get("project", ())), None)
        viewer = Viewer.of(here, request.scope, named)
        viewer.look_at_learners(quiz)
        check_names(given, (*PARAMETERS, *more))
        now, zone = datetime.fromtimestamp(here.now(), UTC), zone_of(given, viewer.project.timezone)
        window = window_of(given, zone, now, ("startDate", "endDate"))
        request.route_handler.opt["freshen"](viewer.project)
        return cls(given, ItemAnalysis(viewer.engine, viewer.project, quiz, window, policy_of(given)))


def policy_of(given: Parameters) -> Policy:
    """The attempts that are asked for. Errors: `BadQuery`."""
    text = one(given, "attempts") or Policy.ALL
    if text not in list(Policy):
        raise BadQuery(f"attempts can't be {text[:40]!r}.", field="attempts", allowed=list(Policy))
    return Policy(text)


@get(
    "/api/v1/analytics/quiz/{quiz_id:str}/items",
    sync_to_thread=True,
    summary="Item analysis of a quiz",
    description="Each question in the order that attempts meet them: how hard it is, how well it tells learners "
    "apart, how long it takes, and who leaves there.",
    responses=_FAILURES,
)
def items(
    request: Call, quiz_id: _Quiz, project: _Project = None, first: _First = None, last: _Last = None,
    attempts: _Policy = None, timezone: _Timezone = None,
) -> dict[str, Any]:  # fmt: skip
    """The questions of a quiz."""
    analysis = _Asked.of(request, quiz_id).analysis
    counted, found = analysis.attempts(), analysis.items()
    return {**told_head(analysis), "attempts": told_attempts(counted, found), "items": told_items(counted, found)}


@get(
    "/api/v1/analytics/quiz/{quiz_id:str}/items/{question_id:str}",
    sync_to_thread=True,
    summary="Item analysis of a question",
    description="One question with its answers, the most frequent first; all beyond `limit` are one, `(other)`.",
    responses=_FAILURES,
)
def item(
    request: Call, quiz_id: _Quiz, question_id: _Question, project: _Project = None, first: _First = None,
    last: _Last = None, attempts: _Policy = None, timezone: _Timezone = None, limit: _Limit = None,
) -> dict[str, Any]:  # fmt: skip
    """A question with its answers. Errors: `NotFound` if no attempt was shown it."""
    asked = _Asked.of(request, quiz_id, "limit")
    analysis, most = asked.analysis, limit_of(asked.given, _ANSWERS, _MOST_ANSWERS)
    counted, found = analysis.attempts(), analysis.items()
    for sums, told in zip(found.items, told_items(counted, found), strict=True):
        if sums.question == question_id:
            body = {**told, **told_answers(analysis.answers(question_id, most), sums)}
            return {**told_head(analysis), "attempts": told_attempts(counted, found), "item": body}
    raise NotFound(f"No attempt at {quiz_id[:64]!r} in this window was shown {question_id[:64]!r}.", field="questionId")


@get(
    "/api/v1/analytics/quiz/{quiz_id:str}/statistics",
    sync_to_thread=True,
    summary="Statistics of a quiz",
    description="How scores of submitted attempts lie, and how far they can be relied on.",
    responses=_FAILURES,
)
def statistics(
    request: Call, quiz_id: _Quiz, project: _Project = None, first: _First = None, last: _Last = None,
    attempts: _Policy = None, timezone: _Timezone = None,
) -> dict[str, Any]:  # fmt: skip
    """The quiz as a whole."""
    analysis = _Asked.of(request, quiz_id).analysis
    counted, found = analysis.attempts(), analysis.items()
    told = told_statistics(counted, found, analysis.retakes(), analysis.policy)
    return {**told_head(analysis), "attempts": told_attempts(counted, found), **told}


HANDLERS: Final = (items, item, statistics)
