"""`/v1/reviews`: exchanges for people to annotate, what they say of them, and how far the judge agrees with them."""

from datetime import UTC, datetime
from typing import Annotated, Any, Final, TypedDict, get_args

from litestar import delete, get, post
from litestar.params import PathParameter, QueryParameter, RawBody

from tallymark.api.auth import Call, require
from tallymark.api.body import read_json, with_body
from tallymark.api.errors import documented
from tallymark.api.pack_project import project_with
from tallymark.api.question import Parameters, check_names, flag, given_in, limit_of, one, window_of
from tallymark.api.services import Services, services
from tallymark.control.keys import Scope
from tallymark.errors import BadQuery, NotFound
from tallymark.packs.voice import evaluator_names
from tallymark.packs.voice.judged import Judged
from tallymark.packs.voice.review_draft import (
    LONGEST_REVIEWER,
    PublicReview,
    clean,
    exchange_of,
    parse,
    public,
    reviewer_of,
)
from tallymark.packs.voice.review_schema import REVIEWS
from tallymark.packs.voice.reviewing import Reviewing, Strategy, agreement_of
from tallymark.spec.project import Project
from tallymark.spec.window import Window

_LISTED: Final = ("project", "from", "to", "evaluator", "reviewer", "limit")
_SAMPLED: Final = (*_LISTED, "strategy", "scores")
_MOST: Final = 1_000
_SAMPLE: Final = 20
_ERRORS: Final = documented(400, 401, 403, 404, 409, 503)

Text = str | None
_Project = Annotated[Text, QueryParameter(description="Name or id; default: the key's own.")]
_From = Annotated[Text, QueryParameter(name="from", description="First day of exchanges; default: of 30 days.")]
_To = Annotated[Text, QueryParameter(description="Last day of exchanges; default today.")]
_Evaluator = Annotated[Text, QueryParameter(description="Evaluator and version, as quality@2; default: the newest.")]
_Reviewer = Annotated[Text, QueryParameter(description="Who reviews; default: the name of the key.")]


class ManyReviews(TypedDict):
    """Reviews as they are stored now."""

    reviews: list[PublicReview]


class DeletedReview(TypedDict):
    """A review as it was when it was deleted."""

    deleted: PublicReview


@get(
    "/reviews",
    sync_to_thread=True,
    tags=["reviews"],
    summary="List reviews, and how far the judge agrees",
    description="Reviews of the exchanges of a window, the latest exchanges first, with texts and the judge's scores; "
    "`agreement` is of all of them, however many are shown: Cohen's kappa, correlations and bias by score.",
    responses=_ERRORS,
)
def list_reviews(
    request: Call, project: _Project = None, first: _From = None, to: _To = None, evaluator: _Evaluator = None,
    reviewer: Annotated[Text, QueryParameter(description="Of one reviewer; default: of all.")] = None,
    limit: Annotated[Text, QueryParameter(description="Most reviews that are shown; default 100.")] = None,
) -> dict[str, Any]:  # fmt: skip
    """The reviews."""
    here, owner, given = _asked(request, project, "read", _LISTED)
    reviewing, window = Reviewing(here, owner), _window(here, owner, given)
    shown = _evaluator(here, owner, given, window)
    reviews = reviewing.reviews(window, one(given, "reviewer") or None)
    verdicts = reviewing.verdicts(shown, reviews)
    return {
        "window": _told(window),
        "reviews": reviewing.told(reviews[: limit_of(given, most=_MOST)], verdicts),
        "agreement": agreement_of(shown, reviews, verdicts),
    }


@get(
    "/reviews/sample",
    sync_to_thread=True,
    tags=["reviews"],
    summary="Draw exchanges to review",
    description="Exchanges with an answer that the reviewer has not reviewed yet, in an order that is the same for "
    "everybody, without what the judge said; with `strategy=low` those that it scored lowest come first. Of those that "
    "the evaluator judged, where any did.",
    responses=_ERRORS,
)
def sample_exchanges(
    request: Call, project: _Project = None, first: _From = None, to: _To = None, evaluator: _Evaluator = None,
    reviewer: _Reviewer = None,
    limit: Annotated[Text, QueryParameter(description="Most exchanges; default 20.")] = None,
    strategy: Annotated[Text, QueryParameter(description="random or low; default random.")] = None,
    scores: Annotated[Text, QueryParameter(description="true: with what the judge said.")] = None,
) -> dict[str, Any]:  # fmt: skip
    """The sample."""
    here, owner, given = _asked(request, project, "read", _SAMPLED)
    request.route_handler.opt["freshen"](owner)
    window, who = _window(here, owner, given), _reviewer(request, owner, "read", given)
    shown, limit_ = _evaluator(here, owner, given, window), limit_of(given, _SAMPLE, _MOST)
    drawn = Reviewing(here, owner).sample(window, who, limit_, shown, _strategy(given), flag(given, "scores"))
    return {"window": _told(window), "reviewer": who, "evaluator": shown, "exchanges": drawn}


@post(
    "/reviews",
    sync_to_thread=True,
    tags=["reviews"],
    status_code=200,
    summary="Review exchanges",
    operation_class=with_body(REVIEWS),
    responses=_ERRORS,
)
def put_reviews(request: Call, body: RawBody, project: _Project = None) -> ManyReviews:
    """Keeps one review or a list of them, each in place of what the same reviewer said of the exchange before.

    Either all are kept or none. Personal data in comments and labels is redacted. An admin of the project may.
    """
    here, owner, _ = _asked(request, project, "admin", ("project",))
    said = parse(read_json(body), _key_name(request, owner, "admin"))
    return {"reviews": [public(review) for review in Reviewing(here, owner).put(clean(said, owner))]}


@delete(
    "/reviews/{exchange_id:str}",
    sync_to_thread=True,
    status_code=200,
    tags=["reviews"],
    summary="Delete a review",
    responses=_ERRORS,
)
def delete_review(
    request: Call,
    exchange_id: Annotated[str, PathParameter(description="Id of the exchange.")],
    project: _Project = None,
    reviewer: _Reviewer = None,
) -> DeletedReview:
    """Deletes what a reviewer said of an exchange. An admin of the project may."""
    here, owner, given = _asked(request, project, "admin", ("project", "reviewer"))
    who = _reviewer(request, owner, "admin", given)
    gone = here.reviews.remove(owner.id, exchange_of(exchange_id, "exchangeId"), who)
    if gone is None:
        raise NotFound(f"{who} has no review of this exchange.", field="exchangeId")
    return {"deleted": public(gone)}


def _asked(
    request: Call, project: str | None, scope: Scope, allowed: tuple[str, ...]
) -> tuple[Services, Project, Parameters]:
    """The services, the project that is meant, and the parameters, which are of those that there are."""
    owner, given = project_with("voice", "Reviews", request, project, scope), given_in(request)
    check_names(given, allowed)
    return services(request.app.state), owner, given


def _window(here: Services, owner: Project, given: Parameters) -> Window:
    return window_of(given, owner.timezone, datetime.fromtimestamp(here.now(), UTC))


def _told(window: Window) -> dict[str, str]:
    return {"from": window.first.isoformat(), "to": window.last.isoformat(), "timezone": window.timezone}


def _evaluator(here: Services, owner: Project, given: Parameters, window: Window) -> str | None:
    """The version that is asked for, or else the newest that judged anything in the window."""
    text = one(given, "evaluator")
    if text:
        return evaluator_names.named(here, owner, text)
    return evaluator_names.newest(here, owner, Judged(here.engine, owner).counts(window))


def _reviewer(request: Call, owner: Project, scope: Scope, given: Parameters) -> str:
    text = one(given, "reviewer")
    return reviewer_of(text, "reviewer") if text else _key_name(request, owner, scope)


def _key_name(request: Call, owner: Project, scope: Scope) -> str:
    """What people call who has the key, as far as it is shown."""
    return require(request, scope, owner.id).name[:LONGEST_REVIEWER]


def _strategy(given: Parameters) -> Strategy:
    text = one(given, "strategy") or "random"
    found: Strategy | None = next((word for word in get_args(Strategy) if word == text), None)
    if found is None:
        raise BadQuery(f"strategy can't be {text[:40]!r}.", field="strategy", allowed=get_args(Strategy))
    return found


HANDLERS: Final = (list_reviews, sample_exchanges, put_reviews, delete_review)
