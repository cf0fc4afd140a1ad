"""`GET /web/v1/metrics/summary` and `GET /web/v1/rollups/…`: a property's numbers, for its admins."""

import asyncio
from datetime import UTC, datetime
from typing import Annotated, Any

from litestar import get
from litestar.params import PathParameter, QueryParameter

from tallymark.api.auth import Call
from tallymark.api.errors import documented
from tallymark.api.question import Parameters, check_names, given_in, one, window_of
from tallymark.api.services import Services, services
from tallymark.errors import NotFound
from tallymark.packs.web import summary as contract_summary
from tallymark.packs.web.contract import CONTRACT
from tallymark.packs.web.summary import Summary
from tallymark.packs.web.views import COLUMNS, rows
from tallymark.spec.project import Project

_TABLE_PARAMETERS = ("from", "to", "propertyId")

_From = Annotated[str | None, QueryParameter(name="from", description="First day, YYYY-MM-DD; default: of 30 days.")]
_To = Annotated[str | None, QueryParameter(description="Last day, YYYY-MM-DD; default today.")]
_Property = Annotated[str | None, QueryParameter(name="propertyId", description="Name of a project with the pack web.")]


@get(
    "/metrics/summary",
    summary="A property's numbers",
    description="Of the days `from` to `to` in the property's time zone, all from rollups. See docs/api.md.",
    responses=documented(400, 401, 403, 404, 503),
)
async def metrics_summary(
    request: Call,
    first: _From = None,
    to: _To = None,
    property_id: _Property = None,
    compare_to: Annotated[
        str | None,
        QueryParameter(name="compareTo", description="previous, previous_year, YYYY-MM-DD or FROM..TO."),
    ] = None,
) -> Summary:
    """The summary of a property."""
    here, given = services(request.app.state), given_in(request)
    project = await asyncio.to_thread(_property, here, request, given)
    now = datetime.fromtimestamp(here.now(), UTC)
    asked = contract_summary.question(given, project.timezone, now)
    runs, refused = await asyncio.gather(
        asyncio.to_thread(here.answers.fresh_runs, project),
        asyncio.to_thread(contract_summary.refused, here.engine, project, asked.window),
    )
    numbers, mix, waiting = await asyncio.gather(
        here.answers.answer(asked.numbers, project, runs),
        here.answers.answer(asked.mix, project, runs),
        asyncio.to_thread(here.keeper.waiting, project),
    )
    fresh = contract_summary.freshness(runs, waiting, asked.window, now)
    return contract_summary.summary(asked, numbers, mix, refused, fresh)


@get(
    "/rollups/{table:str}",
    sync_to_thread=True,
    summary="A property's days as rows",
    description="The rows that the engine's view of that name has of a property; see docs/rollups.md.",
    responses=documented(400, 401, 403, 404, 503),
)
def table_rows(
    request: Call,
    table: Annotated[str, PathParameter(description=" or ".join(COLUMNS))],
    first: _From = None,
    to: _To = None,
    property_id: _Property = None,
) -> dict[str, Any]:
    """The days of a property."""
    here, given = services(request.app.state), given_in(request)
    project = _property(here, request, given)
    if table not in COLUMNS:
        raise NotFound(f"There is no table {table[:64]!r}.", field="table", allowed=list(COLUMNS))
    check_names(given, _TABLE_PARAMETERS)
    one(given, "propertyId")
    window = window_of(given, project.timezone, datetime.fromtimestamp(here.now(), UTC))
    here.keeper.freshen(project)
    return {"ok": True, "rows": rows(here.engine, project, table, window)}


def _property(here: Services, request: Call, given: Parameters) -> Project:
    """The property that is asked about, for an admin of it: who asks is looked at before anything else."""
    return CONTRACT.administrated(here, request.scope, next(iter(given.get("propertyId", ())), None))
