"""`/v1/rollup`: refresh what is stale, compute days again, say how things stand, compare raw events with rollups."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Annotated, Any

from litestar import Router, get, post
from litestar.params import QueryParameter
from litestar.response import Stream

from tallymark.api.auth import Call, project_for, require
from tallymark.api.behaviour_question import whole_number
from tallymark.api.errors import documented
from tallymark.api.lines import lines_of
from tallymark.api.question import given_in, one, parse_day
from tallymark.api.rollup_jobs import ALL, JOBS, MOST_DAYS, Ran, jobs_of, run_jobs
from tallymark.api.services import Services, services
from tallymark.errors import BadQuery
from tallymark.rollup.check import check
from tallymark.rollup.funnel_days import FunnelDay
from tallymark.rollup.refresh import Outcome, Refreshed
from tallymark.spec.project import Project
from tallymark.spec.window import today

_REHEARSED_DAYS = 14

_Project = Annotated[str, QueryParameter(name="project", description="Name or id; default: every project.")]


def _projects(request: Call, name: str) -> list[Project]:
    """The project that is named, or every project for an admin of all."""
    if name:
        return [project_for(request, name, "admin")]
    require(request, "admin", None)
    return list(services(request.app.state).projects.list())


@post(
    "/run",
    sync_to_thread=True,
    status_code=200,
    summary="Refresh what is stale",
    responses=documented(400, 401, 403, 404, 409, 503),
)
def run(
    request: Call,
    project: _Project = "",
    window_days: Annotated[
        str | None, QueryParameter(name="windowDays", description="So many last days; default: every day.")
    ] = None,
    job: Annotated[str | None, QueryParameter(description=f"{', '.join(JOBS)} or {ALL}; default {ALL}.")] = None,
) -> dict[str, Any]:
    """Refreshes stale days, and the funnels made of them; says which days, and what each job came to."""
    here, given = services(request.app.state), given_in(request)
    owners = _projects(request, project)
    jobs, length = jobs_of(one(given, "job") or ALL), whole_number(given, "windowDays", 0, 1, MOST_DAYS)
    days, jobs_done = list[Refreshed](), list[Ran]()
    for owner in owners:
        refreshed, ran = run_jobs(here, owner, jobs, length or None, partial(_run, here))
        days += refreshed
        jobs_done += ran
    return {
        "refreshed": sum(d.outcome is Outcome.PUBLISHED for d in days),
        "days": [told(d) for d in days],
        "runs": [each.body() for each in jobs_done],
    }


def _run(here: Services, owner: Project, since: date) -> list[Refreshed]:
    return recorded(here, "run", owner, lambda on_day: here.keeper.run(owner, on_day, since))


@post(
    "/backfill",
    summary="Compute days again",
    description="Answers one line of JSON for each day, as it is done (`application/x-ndjson`).",
    status_code=200,
    sync_to_thread=True,
    responses=documented(400, 401, 403, 404, 409, 503),
)
def backfill(
    request: Call,
    first: Annotated[str, QueryParameter(name="from", description="First day, YYYY-MM-DD.")],
    to: Annotated[str, QueryParameter(description="Last day, YYYY-MM-DD.")],
    project: _Project = "",
) -> Stream:
    """Computes the days of a window again, changed or not."""
    start, end = parse_day(first, "from"), parse_day(to, "to")
    if end < start:
        raise BadQuery(f"from ({start}) is after to ({end}).", field="from")
    here, owners = services(request.app.state), _projects(request, project)

    def work(on_day: Callable[[Refreshed], None]) -> None:
        for owner in owners:
            _backfill(here, owner, start, end, on_day)

    return lines_of(lambda tell: work(lambda day: tell(told(day))), "The backfill failed.")


def _backfill(here: Services, owner: Project, start: date, end: date, on_day: Callable[[Refreshed], None]) -> None:
    recorded(here, "backfill", owner, lambda tell: here.keeper.backfill(owner, start, end, tell), on_day)


def recorded(
    here: Services,
    job: str,
    owner: Project,
    work: Callable[[Callable[[Refreshed], None]], list[Refreshed]],
    on_day: Callable[[Refreshed], None] | None = None,
) -> list[Refreshed]:
    """Does a job on a project's rollups; a row of `job_runs` says when and what came of it."""
    row = here.job_runs.start(f"rollup {job}", owner.id)
    try:
        days = work(on_day or (lambda _: None))
    except Exception as error:
        here.job_runs.finish(row, "failed", type(error).__name__)
        raise
    here.job_runs.finish(row, "done", f"{len(days)} days")
    return days


def told(day: Refreshed) -> dict[str, Any]:
    """A refreshed day as JSON."""
    return {
        "project": day.project,
        "day": day.day.isoformat(),
        "outcome": str(day.outcome),
        "message": day.message or None,
    }


@get("/status", sync_to_thread=True, summary="How the rollups stand", responses=documented(401, 403, 404, 503))
def status(request: Call, project: _Project = "") -> dict[str, Any]:
    """Per project: the day rolled up through, lag, last run, stale days, sealed days."""
    here = services(request.app.state)
    return {"projects": [_status(here, owner) for owner in _projects(request, project)]}


def _status(here: Services, owner: Project) -> dict[str, Any]:
    stale = here.keeper.stale(owner)
    runs = here.keeper.runs(owner)
    now = datetime.fromtimestamp(here.now(), UTC)
    last = max(runs, key=lambda r: r.published_at, default=None)
    complete = here.keeper.complete_at(owner)
    return {
        "project": owner.name,
        "rolledUpThrough": max((r.day for r in runs), default=None),
        "lagSeconds": round((now - complete).total_seconds(), 1) if complete else None,
        "lastRun": None if last is None else last.published_at,
        "lastRunSeconds": None if last is None else round(last.seconds, 3),
        "days": len(runs),
        "staleDays": [day.isoformat() for day in stale],
        "sealedDays": sum(r.sealed(now) for r in runs),
        "events": sum(r.events for r in runs),
    }


@get("/check", sync_to_thread=True, summary="Compare raw events with rollups", responses=documented(401, 403, 404, 503))
def compare(
    request: Call,
    project: _Project = "",
    first: Annotated[str | None, QueryParameter(name="from", description="First day; default: every day.")] = None,
    to: Annotated[str | None, QueryParameter(description="Last day; default: every day.")] = None,
) -> dict[str, Any]:
    """Where a published day says something else than its raw events; days that wait for a refresh are named apart."""
    here = services(request.app.state)
    start = parse_day(first, "from") if first else date(1970, 1, 1)
    end = parse_day(to, "to") if to else date(2099, 12, 31)
    days, differing, waiting = 0, list[dict[str, Any]](), list[dict[str, str]]()
    for owner in _projects(request, project):
        checked, differences = check(here.engine, here.catalog, owner, start, end)
        stale = set(here.keeper.stale(owner)) if differences else set()
        days += checked
        differing += [{"project": owner.name, **d.body()} for d in differences if d.day not in stale]
        waiting += [{"project": owner.name, "day": day.isoformat()} for day in sorted(stale)]
    return {"days": days, "differences": differing, "staleDays": waiting}


@post(
    "/rehearse",
    sync_to_thread=True,
    status_code=200,
    summary="Compute days twice, and publish nothing",
    responses=documented(400, 401, 403, 404, 409, 503),
)
def rehearse(
    request: Call,
    project: _Project = "",
    window_days: Annotated[
        str | None, QueryParameter(name="windowDays", description="So many last days; default 14.")
    ] = None,
) -> dict[str, Any]:
    """Where computing published days and kept funnels again would say something else. Days that wait are left out."""
    here, owners = services(request.app.state), _projects(request, project)
    length = whole_number(given_in(request), "windowDays", _REHEARSED_DAYS, 1, MOST_DAYS)
    days, funnels, differences = 0, 0, list[dict[str, Any]]()
    for owner in owners:
        last = today(owner.timezone, datetime.fromtimestamp(here.now(), UTC))
        first = last - timedelta(days=length - 1)
        checked, found = here.keeper.rehearse(owner, first, last)
        again, differing = here.funnel_rollups.rehearse(owner, first, last, here.keeper.stale(owner))
        days, funnels = days + checked, funnels + again
        told_of = [each.body() for each in found] + [_funnel_difference(*pair) for pair in differing]
        differences += [{"project": owner.name, **each} for each in told_of]
    return {"days": days, "funnelDays": funnels, "differences": differences}


def _funnel_difference(before: FunnelDay, after: FunnelDay) -> dict[str, str]:
    """As a difference of a day's rollups is told."""
    measure = f"funnel {before.funnel}"
    states = {"before": str(dict(before.counts)), "after": str(dict(after.counts))}
    return {"day": before.day.isoformat(), "measure": measure, "dimension": "", "key": "", **states}


def router() -> Router:
    """The routes of rollups."""
    return Router("/v1/rollup", route_handlers=[run, backfill, status, compare, rehearse], tags=["rollups"])
