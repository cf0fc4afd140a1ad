"""`GET /voice/stats/…`: volumes, success, latencies, quality, failures and cost, with comparison and their course."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from litestar import get
from litestar.handlers import HTTPRouteHandler
from litestar.params import QueryParameter

from tallymark.access.guard import token_of
from tallymark.api.auth import Call
from tallymark.api.errors import documented
from tallymark.api.question import given_in, one
from tallymark.api.services import Services, services
from tallymark.errors import BadQuery
from tallymark.packs.voice import stats_pages as pages
from tallymark.packs.voice.calibration import METRICS as CALIBRATION
from tallymark.packs.voice.calibration import calibration
from tallymark.packs.voice.contract import counted_for
from tallymark.packs.voice.evaluator_names import newest
from tallymark.packs.voice.examples import Examples
from tallymark.packs.voice.metrics import BAND, EVALUATOR, LEVELS, STAGES
from tallymark.packs.voice.reviewing import Reviewing, agreement_of
from tallymark.packs.voice.stats import Asked, Stats
from tallymark.packs.voice.stats_pages import Page
from tallymark.spec.evaluation import SCORES

_FAILURES: Final = documented(400, 401, 403, 404, 503)
_QUALITY: Final = ("voice_evaluations", *(f"voice_{'quality' if name == 'overall' else name}" for name in SCORES))

Text = str | None
_Project = Annotated[Text, QueryParameter(description="Name of a project with the pack voice.")]
_From = Annotated[Text, QueryParameter(name="from", description="First day, YYYY-MM-DD; default: of 30 days.")]
_To = Annotated[Text, QueryParameter(description="Last day, YYYY-MM-DD; default today.")]
_Compare = Annotated[
    Text, QueryParameter(name="compareTo", description="previous, none or FROM..TO; default previous.")
]
_Grain = Annotated[Text, QueryParameter(description="Of series: hour, day, week or month.")]
_Store = Annotated[Text, QueryParameter(name="store_id", description="Of one store.")]
_Intent = Annotated[Text, QueryParameter(description="Of one intent.")]
_Model = Annotated[Text, QueryParameter(description="Of one model.")]
_Language = Annotated[Text, QueryParameter(description="Of one language.")]
_Timezone = Annotated[Text, QueryParameter(description="Zone of the days; default the project's.")]
_Limit = Annotated[Text, QueryParameter(description="Most rows of a breakdown; default 20.")]
_Evaluator = Annotated[Text, QueryParameter(description="Evaluator and version, as quality@2; default the newest.")]


@dataclass(frozen=True)
class Reader:
    """A request for a page, and the numbers of its project."""

    here: Services
    request: Call
    stats: Stats

    @classmethod
    async def of(cls, request: Call, more: Sequence[str] = ()) -> "Reader":
        """Who asks is looked at first; then what was written is joined and rolled up, where that is quick."""
        here, given = services(request.app.state), given_in(request)
        named = next(iter(given.get("project", ())), None)
        project = await asyncio.to_thread(counted_for, here, request.scope, named)
        asked = Asked.of(given, project.timezone, datetime.fromtimestamp(here.now(), UTC), more)
        await asyncio.to_thread(request.route_handler.opt["freshen"], project)
        runs = await asyncio.to_thread(here.answers.fresh_runs, project)
        return cls(here, request, Stats(here, project, asked, runs))

    async def told(self, page: Page, only: str | None = None, **extras: Any) -> dict[str, Any]:
        """The body of a page with what it has besides; `only` limits it to the evaluations of one version."""
        body, fresh = await asyncio.gather(self.stats.page(page, only), self.stats.freshness())
        return {**body, **extras, "freshness": fresh}

    async def texts(self, name: str, evaluator: str | None = None) -> list[dict[str, Any]] | None:
        """What a method of `Examples` reads; None for who shows no key."""
        if token_of(self.request.scope["headers"]) is None:
            return None
        asked = self.stats.asked.evaluated_by(evaluator)
        examples = Examples(self.here.engine, self.stats.project, asked.window, asked.filter, asked.limit)
        found: list[dict[str, Any]] = await asyncio.to_thread(getattr(examples, name))
        return found


def _page(page: Page, description: str) -> HTTPRouteHandler:
    """The handler of a page that has nothing besides."""

    @get(
        f"/stats/{page.name}",
        name=f"voice_{page.name}",
        operation_id=f"Voice{page.name.capitalize()}",
        summary=page.title,
        description=description,
        responses=_FAILURES,
    )
    async def handler(
        request: Call, project: _Project = None, first: _From = None, to: _To = None, compare_to: _Compare = None,
        grain: _Grain = None, timezone: _Timezone = None, store_id: _Store = None,
        intent: _Intent = None, model: _Model = None, language: _Language = None,
        limit: _Limit = None,
    ) -> dict[str, Any]:  # fmt: skip
        return await (await Reader.of(request)).told(page)

    return handler


@get("/stats/queries", summary=pages.QUERIES.title, description="With what is asked most, for who shows a key.",
     responses=_FAILURES)  # fmt: skip
async def queries(
    request: Call, project: _Project = None, first: _From = None, to: _To = None, compare_to: _Compare = None,
    grain: _Grain = None, timezone: _Timezone = None, store_id: _Store = None, intent: _Intent = None,
    model: _Model = None, language: _Language = None, limit: _Limit = None,
) -> dict[str, Any]:  # fmt: skip
    """Volumes by store and language."""
    reader = await Reader.of(request)
    return await reader.told(pages.QUERIES, frequent=await reader.texts("frequent"))


@get("/stats/latency", summary=pages.LATENCY.title, description="Quantiles of each stage; by store, intent and model "
     "of all stages together.", responses=_FAILURES)  # fmt: skip
async def latency(
    request: Call, project: _Project = None, first: _From = None, to: _To = None, compare_to: _Compare = None,
    grain: _Grain = None, timezone: _Timezone = None, store_id: _Store = None,
    intent: _Intent = None, model: _Model = None, language: _Language = None, limit: _Limit = None,
) -> dict[str, Any]:  # fmt: skip
    """Latencies by stage."""
    body = await (await Reader.of(request)).told(pages.LATENCY)
    metrics = body["metrics"]
    stages = {stage: {f"p{level}": metrics[f"voice_{stage}_p{level}"]["value"] for level in LEVELS} for stage in STAGES}
    return {**body, "stages": stages}


@get("/stats/quality", summary=pages.QUALITY.title, description="Scores of one evaluator's version, beside those of "
     "all others; calibration of confidence; agreement with people, null without reviews; the worst answers, for who "
     "shows a key.", responses=_FAILURES)  # fmt: skip
async def quality(
    request: Call, evaluator: _Evaluator = None, project: _Project = None, first: _From = None, to: _To = None,
    compare_to: _Compare = None,
    grain: _Grain = None, timezone: _Timezone = None, store_id: _Store = None, intent: _Intent = None,
    model: _Model = None, language: _Language = None, limit: _Limit = None,
) -> dict[str, Any]:  # fmt: skip
    """Quality by evaluator, and whether confidence is justified."""
    reader = await Reader.of(request, ("evaluator",))
    every = reader.stats.asked.of_all_keys()  # `limit` shortens lists, and changes no number
    versions, bands = await asyncio.gather(
        reader.stats.by(EVALUATOR, _QUALITY, every), reader.stats.by(BAND, CALIBRATION, every)
    )
    judged = [row for row in versions if row["key"] and row["voice_evaluations"]]
    shown = await asyncio.to_thread(_shown, reader, judged)
    agreement = await asyncio.to_thread(_agreement, reader, shown)
    only = None if shown is None or [row["key"] for row in judged] == [shown] else shown
    return await reader.told(
        pages.QUALITY, only, evaluator=shown, evaluators=judged, calibration=calibration(bands),
        agreement=agreement, worst=await reader.texts("worst", only),
    )  # fmt: skip


@get("/stats/failures", summary=pages.FAILURES.title, description="With the latest, for who shows a key.",
     responses=_FAILURES)  # fmt: skip
async def failures(
    request: Call, project: _Project = None, first: _From = None, to: _To = None, compare_to: _Compare = None,
    grain: _Grain = None, timezone: _Timezone = None, store_id: _Store = None,
    intent: _Intent = None, model: _Model = None, language: _Language = None, limit: _Limit = None,
) -> dict[str, Any]:  # fmt: skip
    """Errors, fallbacks, and queries without an answer."""
    reader = await Reader.of(request)
    return await reader.told(pages.FAILURES, latest=await reader.texts("failed"))


def _shown(reader: Reader, judged: Sequence[dict[str, Any]]) -> str | None:
    """The version that is asked for, or else the newest that judged any of it. Errors: `BadQuery` for none such."""
    name = one(given_in(reader.request), "evaluator")
    if not name:
        return _newest(reader, judged)
    evaluators = reader.here.evaluators.all(reader.stats.project.id)
    versions = [f"{each.draft.key}@{version}" for each in evaluators for version in range(each.version, 0, -1)]
    known = list(dict.fromkeys([*(str(row["key"]) for row in judged), *versions]))
    if name not in known:
        raise BadQuery(f"There is no evaluator and version {name[:80]!r}.", field="evaluator", allowed=known)
    return name


def _newest(reader: Reader, judged: Sequence[dict[str, Any]]) -> str | None:
    """The version to show where none is named."""
    counts = {row["key"]: row["voice_evaluations"] for row in judged}
    return newest(reader.here, reader.stats.project, counts)


def _agreement(reader: Reader, evaluator: str | None) -> dict[str, Any] | None:
    """How far the judge agrees with people on the exchanges that pass the filter; None where nobody reviewed any."""
    reviewing, asked = Reviewing(reader.here, reader.stats.project), reader.stats.asked
    reviews = reviewing.reviews(asked.window, None)
    verdicts = reviewing.verdicts(evaluator, reviews, asked.filter)
    judged = [review for review in reviews if review.draft.exchange in verdicts]
    return agreement_of(evaluator, judged, verdicts) if judged else None


HANDLERS: Final = (
    _page(pages.SUMMARY, "Volumes, success, latency, quality and cost, with their course and the window before."),
    queries,
    _page(pages.INTENTS, "Success, fallbacks, confidence, latency and quality of each intent."),
    _page(pages.STORES, "Success, fallbacks, confidence, latency and quality of each store."),
    latency,
    quality,
    failures,
    _page(pages.COST, "Tokens and US dollars of answers, and of those who judge them."),
)
