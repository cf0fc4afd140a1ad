"""`GET /sdk/api/v1/metrics`, `/export` and `/rollups/…`, `GET /sdk/health`: the counters' sums, and reports."""

import asyncio
from datetime import UTC, datetime
from typing import Annotated, Any, TypedDict

from litestar import Response, get
from litestar.params import PathParameter, QueryParameter
from litestar.response import Stream

from tallymark.api.auth import Call
from tallymark.api.errors import documented
from tallymark.api.question import Parameters, check_names, given_in, one
from tallymark.api.services import Services, services
from tallymark.errors import BadQuery, NotFound
from tallymark.packs.sdk.contract import CONTRACT, counted_for
from tallymark.packs.sdk.names import ALL
from tallymark.packs.sdk.period import label, month_of, period_of, window_of
from tallymark.packs.sdk.report import Report, csv_chunks, report
from tallymark.packs.sdk.sums import Sums
from tallymark.packs.sdk.views import COLUMNS, rows
from tallymark.packs.sdk.wire import is_network
from tallymark.packs.table_reading import Health, health_of

_Project = Annotated[str | None, QueryParameter(description="Name of a project with the pack sdk.")]
_Network = Annotated[str | None, QueryParameter(description="One network; default all.")]

_FORMATS = ("json", "csv")


class Value(TypedDict):
    """A counter's sum, and how many different apps sent it."""

    value: float | int
    uniqueApps: int


class Metrics(TypedDict):
    """The counters of a day or a month; `final`: nothing is taken for it any more."""

    period: str
    date: str
    network: str
    final: bool
    metrics: dict[str, Value]


@get(
    "/api/v1/metrics",
    summary="Counters of a day or a month",
    description="Sums and numbers of apps, by counter. Needs no key where `TALLYMARK_SDK_METRICS` is `open`.",
    responses=documented(400, 401, 403, 404, 503),
)
async def metrics(
    request: Call,
    period: Annotated[str | None, QueryParameter(description="daily or monthly; default daily.")] = None,
    date: Annotated[str | None, QueryParameter(description="YYYY-MM-DD, or YYYY-MM; default the current one.")] = None,
    network: _Network = None,
    project: _Project = None,
) -> Metrics:
    """The counters' sums."""
    here, given = services(request.app.state), given_in(request)
    check_names(given, ("period", "date", "network", "project"))
    owner = await asyncio.to_thread(counted_for, here, request.scope, one(given, "project"))
    asked, chosen, now = period_of(one(given, "period")), _network(given), _now(here)
    sums = await Sums.fresh(here, owner, window_of(asked, one(given, "date"), owner.timezone, now), chosen)
    return {
        "period": asked,
        "date": label(asked, sums.window),
        "network": chosen or ALL,
        "final": await sums.final(now),
        "metrics": {each.name: {"value": each.value, "uniqueApps": each.apps} for each in await sums.by_name()},
    }


@get(
    "/api/v1/export",
    summary="A month's report",
    description="As JSON with a summary, or the details as CSV. Needs a key that may read, such as `API_KEY`.",
    responses=documented(400, 401, 403, 404, 503),
)
async def export(
    request: Call,
    month: Annotated[str | None, QueryParameter(description="YYYY-MM.")] = None,
    format_: Annotated[str | None, QueryParameter(name="format", description="json or csv; default json.")] = None,
    network: _Network = None,
    project: _Project = None,
) -> Response[Report] | Stream:
    """The report of a month."""
    here, given = services(request.app.state), given_in(request)
    owner = await asyncio.to_thread(CONTRACT.read_by, here, request.scope, one(given, "project"))
    check_names(given, ("month", "format", "network", "project"))
    style, chosen, now = _format(given), _network(given), _now(here)
    if not one(given, "month"):
        raise BadQuery("Say which month: month=YYYY-MM.", field="month")
    window = month_of(one(given, "month"), "month", owner.timezone, now)
    sums, name = await Sums.fresh(here, owner, window, chosen), label("monthly", window)
    details, apps, final = await asyncio.gather(sums.by_network(), sums.active_apps(), sums.final(now))
    headers = {"Content-Disposition": f'attachment; filename="{owner.name}-{name}.{style}"'}
    if style == "csv":
        return Stream(csv_chunks(name, details), media_type="text/csv; header=present", headers=headers)
    return Response(report(name, chosen, apps, details, final), headers=headers)


@get(
    "/api/v1/rollups/{table:str}",
    sync_to_thread=True,
    summary="Aggregates as rows",
    description="The rows that the engine's view of that name has of a project, for the months of a window.",
    responses=documented(400, 401, 403, 404, 503),
)
def table_rows(
    request: Call,
    table: Annotated[str, PathParameter(description=" or ".join(COLUMNS))],
    month: Annotated[str | None, QueryParameter(description="YYYY-MM; default the current one.")] = None,
    project: _Project = None,
) -> dict[str, Any]:
    """The rows of a project."""
    here, given = services(request.app.state), given_in(request)
    owner = CONTRACT.read_by(here, request.scope, one(given, "project"))
    if table not in COLUMNS:
        raise NotFound(f"There is no table {table[:64]!r}.", field="table", allowed=list(COLUMNS))
    check_names(given, ("month", "project"))
    window = month_of(one(given, "month"), "month", owner.timezone, _now(here))
    here.keeper.freshen(owner)
    return {"success": True, "rows": rows(here.engine, owner, table, window)}


@get("/health", sync_to_thread=False, summary="Whether the server answers")
def health(request: Call) -> Health:
    """That it does, and what it is."""
    return health_of(request)


def _now(here: Services) -> datetime:
    return datetime.fromtimestamp(here.now(), UTC)


def _network(given: Parameters) -> str | None:
    """The network that is asked about; None for all. Errors: `BadQuery`."""
    text = one(given, "network") or ALL
    if text != ALL and not is_network(text):
        raise BadQuery(f"There is no network {text[:40]!r}.", field="network")
    return None if text == ALL else text


def _format(given: Parameters) -> str:
    text = one(given, "format") or "json"
    if text not in _FORMATS:
        raise BadQuery(f"There is no format {text[:40]!r}.", field="format", allowed=_FORMATS)
    return text
