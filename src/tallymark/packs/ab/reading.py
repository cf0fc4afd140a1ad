"""`GET /ab/v1/metrics/…` and `/rollups/…`, `GET /ab/health`: what a dashboard shows, all of it from rollups."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final, TypedDict, cast

from litestar import get
from litestar.params import PathParameter, QueryParameter

from tallymark.access.guard import token_of
from tallymark.api.auth import Call
from tallymark.api.behaviour_question import whole_number
from tallymark.api.errors import documented
from tallymark.api.question import Parameters, check_names, given_in, one, window_of
from tallymark.api.services import Services, services
from tallymark.errors import BadQuery, NotFound
from tallymark.packs.ab.contract import CONTRACT
from tallymark.packs.ab.names import CORE_JOURNEY
from tallymark.packs.ab.views import COLUMNS, rows
from tallymark.packs.table_reading import Health, health_of
from tallymark.spec.project import Project
from tallymark.spec.query import Query
from tallymark.spec.window import Window, today

#: The numbers of the summary and of each day.
METRICS: Final = (
    "actors", "new_actors", "events", "app_opens", "app_sessions", "app_session_duration", "levels_started",
    "levels_completed", "level_completion_rate", "purchases", "buyers", "buyer_share", "revenue", "revenue_per_unit",
    "exposures", "exposed_units",
)  # fmt: skip

_DAYS, _MOST_DAYS = 7, 366

_Window = Annotated[
    str | None,
    QueryParameter(name="window_days", description=f"So many last days, 1 to {_MOST_DAYS}; default {_DAYS}."),
]
_Project = Annotated[str | None, QueryParameter(description="Name of a project with the pack ab.")]
_Experiment = Annotated[
    str | None, QueryParameter(name="experiment_id", description="Key of an experiment; default all.")
]
_FAILURES: Final = documented(400, 401, 403, 404, 503)

Number = float | int | None

Span = TypedDict("Span", {"from": str, "to": str, "days": int, "timezone": str})


class Figure(TypedDict):
    """A number, what it was in the window before, and the relative change."""

    value: Number
    previous: Number
    delta: float | None


class Summary(TypedDict):
    """The numbers of a window, and of the equally long one before."""

    success: bool
    project: str
    window: Span
    compareTo: Span
    metrics: dict[str, Figure]


class Point(TypedDict):
    """A metric on a day."""

    date: str
    metric: str
    value: Number


class Daily(TypedDict):
    """Each day's numbers, by day and metric."""

    success: bool
    project: str
    window: Span
    rows: list[Point]


class VariantEvent(TypedDict):
    """What the units of a variant did on a day, from their exposure on.

    `exposedUnits` did anything on that day, `newUnits` met the variant on it; `conversion` is `units` over the former.
    """

    date: str
    experiment: str
    variant: str
    event: str
    events: int
    units: int
    value: float
    exposedUnits: int
    newUnits: int
    conversion: float | None


class Variants(TypedDict):
    """Events by day, experiment, variant and name."""

    success: bool
    project: str
    window: Span
    experimentId: str | None
    rows: list[VariantEvent]


class Step(TypedDict):
    """How many of the units that entered on a day reached a step, counted from 1; conversions are null of nobody."""

    date: str
    experiment: str | None
    variant: str | None
    step: int
    name: str
    units: int
    stepConversion: float | None
    conversion: float | None


class Steps(TypedDict):
    """A funnel by day of entry."""

    success: bool
    project: str
    window: Span
    funnelName: str
    experimentId: str | None
    rows: list[Step]


@get(
    "/v1/metrics/summary",
    summary="An app's numbers",
    description="Needs no key unless the project's `publicSummary` is false; a key that is sent has to fit.",
    responses=_FAILURES,
)
async def summary(request: Call, window_days: _Window = None, project: _Project = None) -> Summary:
    """The last days beside as many before."""
    here, given = services(request.app.state), given_in(request)
    owner = await asyncio.to_thread(_shown_to, here, request, given)
    window = _asked(here, owner, given, ())
    body = await _answer(here, owner, Query(METRICS, window, window.before()))
    figures = {name: {part: told[part] for part in Figure.__annotations__} for name, told in body["metrics"].items()}
    return {
        "success": True,
        "project": owner.name,
        "window": _span(window),
        "compareTo": _span(window.before()),
        "metrics": cast("dict[str, Figure]", figures),
    }


@get(
    "/v1/metrics/daily",
    summary="An app's numbers, day by day",
    description="A row for each day and metric. Needs a key that may read, such as the dashboard's token.",
    responses=_FAILURES,
)
async def daily(request: Call, window_days: _Window = None, project: _Project = None) -> Daily:
    """The numbers of each of the last days."""
    here, owner, given = await _read(request)
    window = _asked(here, owner, given, ())
    told = (await _answer(here, owner, Query(METRICS, window)))["metrics"]
    points: list[Point] = [
        {"date": point["t"], "metric": name, "value": point["value"]}
        for points in zip(*(told[name]["series"] for name in METRICS), strict=True)
        for name, point in zip(METRICS, points, strict=True)
    ]
    return {"success": True, "project": owner.name, "window": _span(window), "rows": points}


@get(
    "/v1/metrics/experiments",
    summary="Events by variant, day by day",
    description="What units did from the moment they met their variant: a row for each day, experiment, variant and "
    "event. Results with intervals are those of the experiment.",
    responses=_FAILURES,
)
async def experiments(
    request: Call, window_days: _Window = None, experiment_id: _Experiment = None, project: _Project = None
) -> Variants:
    """The events of each of the last days."""
    here, owner, given = await _read(request)
    window, chosen = _asked(here, owner, given, ("experiment_id",)), one(given, "experiment_id")
    found = await asyncio.to_thread(_table, here, owner, "experiment_metric_rollups", window)
    _check_experiment(here, owner, chosen, found)
    kept = [row for row in found if chosen in (None, "", row["experiment"])]
    return {
        "success": True,
        "project": owner.name,
        "window": _span(window),
        "experimentId": chosen or None,
        "rows": [cast(VariantEvent, _camel(row)) for row in kept],
    }


@get(
    "/v1/metrics/funnels",
    summary="A funnel by day of entry",
    description="How far the units that entered on each day came. With an experiment by its variants, else of "
    "everybody. Needs a key that may read.",
    responses=_FAILURES,
)
async def funnels(
    request: Call,
    window_days: _Window = None,
    funnel_name: Annotated[
        str | None, QueryParameter(name="funnel_name", description=f"Name of a funnel; default {CORE_JOURNEY}.")
    ] = None,
    experiment_id: _Experiment = None,
    project: _Project = None,
) -> Steps:
    """The funnel of each of the last days."""
    here, owner, given = await _read(request)
    window = _asked(here, owner, given, ("funnel_name", "experiment_id"))
    name, chosen = one(given, "funnel_name") or CORE_JOURNEY, one(given, "experiment_id") or ""
    declared = await asyncio.to_thread(here.funnel_rollups.of_project, owner)
    if name not in declared:
        raise BadQuery(f"There is no funnel {name[:64]!r}.", field="funnel_name", allowed=sorted(declared))
    found = await asyncio.to_thread(_table, here, owner, "funnel_rollups", window)
    of_funnel = [row for row in found if row["funnel"] == name]
    _check_experiment(here, owner, chosen, of_funnel)
    return {
        "success": True,
        "project": owner.name,
        "window": _span(window),
        "funnelName": name,
        "experimentId": chosen or None,
        "rows": [_step(row) for row in of_funnel if row["experiment"] == chosen],
    }


@get(
    "/v1/rollups/{table:str}",
    sync_to_thread=True,
    summary="Rollups as rows",
    description="The rows that the engine's view of that name has of a project; see docs/rollups.md.",
    responses=_FAILURES,
)
def table_rows(
    request: Call,
    table: Annotated[str, PathParameter(description=", ".join(COLUMNS))],
    first: Annotated[str | None, QueryParameter(name="from", description="First day; default: of 30 days.")] = None,
    to: Annotated[str | None, QueryParameter(description="Last day, YYYY-MM-DD; default today.")] = None,
    project: _Project = None,
) -> dict[str, Any]:
    """The rows of a project."""
    here, given = services(request.app.state), given_in(request)
    owner = CONTRACT.read_by(here, request.scope, one(given, "project"))
    if table not in COLUMNS:
        raise NotFound(f"There is no table {table[:64]!r}.", field="table", allowed=list(COLUMNS))
    check_names(given, ("from", "to", "project"))
    return {"success": True, "rows": _table(here, owner, table, window_of(given, owner.timezone, _now(here)))}


@get("/health", sync_to_thread=False, summary="Whether the server answers")
def health(request: Call) -> Health:
    """That it does, and what it is."""
    return health_of(request)


HANDLERS: Final = (summary, daily, experiments, funnels, table_rows, health)


def _shown_to(here: Services, request: Call, given: Parameters) -> Project:
    """The project whose summary is asked for: where that is public, any that is named.

    Errors: `Unauthorized`, `Forbidden`, `NotFound`.
    """
    name = one(given, "project")
    if token_of(request.scope["headers"]) is None:
        project = CONTRACT.named(here, name)
        if project.public_summary:
            return project
    return CONTRACT.read_by(here, request.scope, name)


async def _read(request: Call) -> tuple[Services, Project, Parameters]:
    """What a reader with a key needs. Errors: `Unauthorized`, `Forbidden`, `NotFound`, `BadQuery`."""
    here, given = services(request.app.state), given_in(request)
    return here, await asyncio.to_thread(CONTRACT.read_by, here, request.scope, one(given, "project")), given


def _asked(here: Services, owner: Project, given: Parameters, more: Sequence[str]) -> Window:
    """The last days that are asked for, up to today. Errors: `BadQuery`."""
    check_names(given, ("window_days", "project", *more))
    length, last = whole_number(given, "window_days", _DAYS, 1, _MOST_DAYS), today(owner.timezone, _now(here))
    return Window(last - timedelta(days=length - 1), last, owner.timezone)


async def _answer(here: Services, owner: Project, query: Query) -> dict[str, Any]:
    runs = await asyncio.to_thread(here.answers.fresh_runs, owner)
    return await here.answers.answer(query, owner, runs)


def _table(here: Services, owner: Project, table: str, window: Window) -> list[dict[str, Any]]:
    """The rows of a table, after a refresh where something was written and that is quick."""
    here.keeper.freshen(owner)
    if table == "funnel_rollups":
        here.funnel_rollups.freshen(owner)
    return rows(here.engine, owner, table, window)


def _check_experiment(here: Services, owner: Project, key: str | None, found: Sequence[Mapping[str, Any]]) -> None:
    """Raises `NotFound` for an experiment that neither exists nor has numbers."""
    known = {*here.experiment_book.of(owner.id), *(row["experiment"] for row in found)} - {""}
    if key and key not in known:
        raise NotFound(f"There is no experiment {key[:64]!r}.", field="experiment_id", allowed=sorted(known))


def _camel(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row as an answer has it, without its project."""
    told = {"exposed_units": "exposedUnits", "new_units": "newUnits", "step_conversion": "stepConversion"}
    return {told.get(name, name): value for name, value in row.items() if name not in ("project", "funnel")}


def _step(row: Mapping[str, Any]) -> Step:
    of_variant = {name: row[name] or None for name in ("experiment", "variant")}
    return cast(Step, {**_camel(row), **of_variant})


def _span(window: Window) -> Span:
    return {
        "from": window.first.isoformat(),
        "to": window.last.isoformat(),
        "days": window.length,
        "timezone": window.timezone,
    }


def _now(here: Services) -> datetime:
    return datetime.fromtimestamp(here.now(), UTC)
