"""`GET /v1/query` and `GET /v1/metrics`: answers, and the catalogue of what can be asked."""

import asyncio
from datetime import UTC, datetime
from typing import Annotated, Any

from litestar import Router, get
from litestar.params import QueryParameter

from tallymark.answer.compare import Freshness
from tallymark.api.auth import Call, caller, project_for
from tallymark.api.errors import documented
from tallymark.api.question import Parameters, flag, question
from tallymark.api.segment_filters import SegmentKeys, asked_in
from tallymark.api.services import Services, services
from tallymark.errors import BadQuery
from tallymark.rollup.run import published
from tallymark.spec.board import Board, Panel
from tallymark.spec.catalog import Catalog
from tallymark.spec.metric import Metric
from tallymark.spec.project import Project
from tallymark.spec.window import Window


@get(
    "/query",
    summary="Ask for numbers",
    description="Totals, series with every bucket, breakdown rows, deltas against a comparison window, and what the "
    "answer is worth. See docs/query.md.",
    responses=documented(400, 401, 403, 404, 503),
)
async def ask(
    request: Call,
    project: Annotated[str, QueryParameter(description="Name or id of the project.")] = "",
    metrics: Annotated[str, QueryParameter(description="Names of metrics, separated by commas.")] = "",
    first: Annotated[str | None, QueryParameter(name="from", description="First day, YYYY-MM-DD.")] = None,
    to: Annotated[str | None, QueryParameter(description="Last day, YYYY-MM-DD; default today.")] = None,
    grain: Annotated[str | None, QueryParameter(description="hour, day, week or month.")] = None,
    by: Annotated[str | None, QueryParameter(description="Dimension to break down by.")] = None,
    filter_: Annotated[
        list[str] | None, QueryParameter(name="filter", description="dimension:operator:value|value; all must hold.")
    ] = None,
    segment: SegmentKeys = None,
    compare_to: Annotated[str | None, QueryParameter(name="compareTo", description="previous, or FROM..TO.")] = None,
    timezone: Annotated[str | None, QueryParameter(description="Zone of the days; default the project's.")] = None,
    limit: Annotated[str | None, QueryParameter(description="Most rows of a breakdown; default 100.")] = None,
    exact: Annotated[str | None, QueryParameter(description="true: from raw events.")] = None,
    explain: Annotated[str | None, QueryParameter(description="true: with the plan.")] = None,
) -> dict[str, Any]:
    """The answer to the question in the parameters."""
    if len(request.query_params.getall("project", [])) > 1:
        raise BadQuery("project is given more than once.", field="project")
    if not project:
        raise BadQuery("Say which project: project=NAME.", field="project")
    asked, given = await asyncio.to_thread(_asked, request, project)
    here = services(request.app.state)
    now = datetime.fromtimestamp(here.now(), UTC)
    query = question(given, asked.timezone, now)
    runs = await asyncio.to_thread(here.answers.fresh_runs, asked)
    body, fresh = await asyncio.gather(
        here.answers.answer(query, asked, runs, flag(given, "explain")),
        asyncio.to_thread(freshness, here, asked, query.window, now),
    )
    return {**body, "freshness": fresh.body()}


def _asked(request: Call, name: str) -> tuple[Project, Parameters]:
    """The project that is asked about, and what is asked."""
    project = project_for(request, name, "read")
    return project, asked_in(request, project)


def freshness(here: Services, project: Project, window: Window, now: datetime) -> Freshness:
    """What published rollups cover of a question's window."""
    runs = published(here.engine, project.id)
    complete = here.keeper.complete_at(project)
    return Freshness(
        through=max((run.day for run in runs), default=None),
        lag=max(0.0, (now - complete).total_seconds()) if complete else None,
        generated_at=max((run.published_at for run in runs), default=None),
        sealed=tuple(r.day for r in runs if window.first <= r.day <= window.last and r.sealed(now)),
    )


@get(
    "/metrics",
    sync_to_thread=True,
    summary="The catalogue of metrics and dimensions",
    description="Everything that can be asked; with project=NAME, of that project.",
    responses=documented(401, 403, 404),
)
def catalogue(
    request: Call,
    project: Annotated[str, QueryParameter(description="Name or id of a project; default: all packs.")] = "",
) -> dict[str, Any]:
    """The catalogue."""
    here = services(request.app.state)
    if project:
        catalog = here.catalog.only(project_for(request, project, "read").packs)
    else:
        caller(request)
        catalog = here.catalog
    return {
        "packs": [{"name": p.name, "title": p.title, "help": p.help} for p in catalog.packs],
        "metrics": [_metric(m, pack.name, catalog) for pack in catalog.packs for m in pack.metrics],
        "dimensions": [{"name": d.name, "label": d.label, "help": d.help} for d in catalog.dimensions.values()],
        "boards": [{"pack": pack.name, **_board(pack.board)} for pack in catalog.packs],
    }


def _board(board: Board) -> dict[str, Any]:
    return {"tiles": list(board.tiles), "panels": [_panel(panel) for panel in board.panels]}


def _panel(panel: Panel) -> dict[str, Any]:
    views = [{"by": view.by, "metrics": list(view.metrics), "title": view.title or None} for view in panel.views]
    return {"title": panel.title, "wide": panel.wide, "views": views}


def _metric(metric: Metric, pack: str, catalog: Catalog) -> dict[str, Any]:
    return {
        "name": metric.name,
        "label": metric.label,
        "help": metric.help,
        "pack": pack,
        "unit": metric.unit,
        "good": metric.good,
        "accuracy": metric.accuracy,
        "rows": str(metric.rows),
        "dimensions": [d.name for d in catalog.dimensions_on(metric.rows)],
    }


def router() -> Router:
    """The routes of questions."""
    return Router("/v1", route_handlers=[ask, catalogue], tags=["answers"])
