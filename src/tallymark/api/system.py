"""`GET /v1/system`: how this process does, and what it does by the clock."""

import shutil
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, TypedDict

from litestar import get

from tallymark import __version__
from tallymark.api.auth import Call, require
from tallymark.api.errors import documented
from tallymark.api.health import checked
from tallymark.api.services import Services, services
from tallymark.control.jobs import JobRun
from tallymark.spec.job import JobState
from tallymark.spec.project import instant_text

_RUNS = 30


class SystemBody(TypedDict):
    """Sizes are bytes, times seconds; counts are of this process since its start."""

    version: str
    startedAt: str
    uptimeSeconds: float
    status: str
    checks: dict[str, str]
    queue: dict[str, Any]
    spool: dict[str, int]
    disk: dict[str, int]
    events: dict[str, int]
    cache: dict[str, int]
    jobs: list[dict[str, Any]]
    runs: list[dict[str, Any]]


@get(
    "/v1/system",
    sync_to_thread=True,
    tags=["operations"],
    summary="How the server does",
    responses=documented(401, 403, 503),
)
def ask_system(request: Call) -> SystemBody:
    """Version, checks, queue, spool, disk, cache, the clock's jobs, and the latest runs that left a row."""
    require(request, "admin", None)
    here, state = services(request.app.state), request.app.state
    status, checks = checked(here)
    clock_jobs: Callable[[], Sequence[JobState]] = state.clock_jobs
    return {
        "version": __version__,
        "startedAt": instant_text(datetime.fromtimestamp(state.started_at, UTC)),
        "uptimeSeconds": round(here.now() - state.started_at, 1),
        "status": status,
        "checks": checks,
        "queue": {
            "events": here.writer.queued, "commits": here.writer.commits,
            "commitSeconds": round(here.writer.seconds, 3),
        },
        "spool": _spool(here),
        "disk": _disk(here),
        "events": {
            "accepted": here.receiver.counts.accepted, "rejected": here.receiver.counts.rejected.total(),
        },
        "cache": _cache(here),
        "jobs": [_job(job) for job in clock_jobs()],
        "runs": _runs(here) if checks["control"] == "ok" else [],
    }  # fmt: skip


def _spool(here: Services) -> dict[str, int]:
    batches, size = here.store.spool.size()
    return {"batches": batches, "bytes": size, "limitBytes": here.settings.spool_bytes}


def _disk(here: Services) -> dict[str, int]:
    usage = shutil.disk_usage(here.settings.data)
    return {"freeBytes": usage.free, "totalBytes": usage.total}


def _cache(here: Services) -> dict[str, int]:
    asked, remote = here.answers.asked, here.cache.remote
    return {
        "fromMemory": asked.from_memory,
        "fromShared": asked.from_shared,
        "computed": asked.computed,
        "errors": remote.breaker.errors if remote else 0,
    }


def _job(job: JobState) -> dict[str, Any]:
    return {
        "name": job.name,
        "lastAt": job.last_at and instant_text(job.last_at),
        "lastSeconds": job.seconds,
        "error": job.error,
        "nextAt": job.next_at and instant_text(job.next_at),
    }


def _runs(here: Services) -> list[dict[str, Any]]:
    names = {project.id: project.name for project in here.projects.list()}
    return [_run(run, names) for run in here.job_runs.recent(limit=_RUNS)]


def _run(run: JobRun, names: dict[int, str]) -> dict[str, Any]:
    return {
        "job": run.job,
        "project": names.get(run.project_id) if run.project_id is not None else None,
        "status": run.status,
        "detail": run.detail,
        "startedAt": instant_text(run.started_at),
        "finishedAt": run.finished_at and instant_text(run.finished_at),
    }
