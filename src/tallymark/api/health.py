"""`/health`, `/ready` and `/metrics`: for load balancers and Prometheus."""

import shutil
from collections.abc import Iterator
from typing import Any

from litestar import Response, get
from litestar.datastructures import State
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from tallymark import __version__
from tallymark.api.rate_limits import UNLIMITED
from tallymark.api.services import Services, services
from tallymark.errors import TallymarkError

#: Less free disk than this, in bytes, and the server is not ready.
_LEAST_DISK = 256 << 20


@get(
    "/health",
    sync_to_thread=False,
    summary="Whether the process is alive",
    tags=["operations"],
    opt={UNLIMITED: True},
)
def health() -> dict[str, str]:
    """Alive, whatever else is away."""
    return {"status": "ok", "version": __version__}


@get(
    "/ready",
    sync_to_thread=True,
    summary="Whether events and questions are taken",
    tags=["operations"],
    opt={UNLIMITED: True},
)
def ready(state: State) -> Response[dict[str, Any]]:
    """Engine, control store, spool and disk, each `ok` or what is wrong.

    An engine that is away is no reason to send nobody here: events are taken into the spool. It is then `degraded`.
    """
    status, checks = checked(services(state))
    return Response({"status": status, "checks": checks}, status_code=503 if status == "unavailable" else 200)


def checked(here: Services) -> tuple[str, dict[str, str]]:
    """`ok`, `degraded` or `unavailable`, and what each check says."""
    checks = {"engine": _engine(here), "control": _control(here), "spool": _spool(here), "disk": _disk(here)}
    vital = all(checks[name] == "ok" for name in ("control", "spool", "disk"))
    status = "ok" if all(text == "ok" for text in checks.values()) else "degraded" if vital else "unavailable"
    return status, checks


def _engine(here: Services) -> str:
    try:
        here.engine.ping()
    except TallymarkError as error:
        return error.message
    return "ok"


def _control(here: Services) -> str:
    try:
        here.projects.list()
    except Exception as error:
        return f"The control store does not answer ({type(error).__name__})."
    return "ok"


def _spool(here: Services) -> str:
    size = here.store.spool.size()[1]
    limit = here.settings.spool_bytes
    return "ok" if size < limit else f"The spool is full: {size} of {limit} bytes."


def _disk(here: Services) -> str:
    free = shutil.disk_usage(here.settings.data).free
    return "ok" if free > _LEAST_DISK else f"Only {free >> 20} MB of disk are free."


class _Collector:
    """The numbers of this process, read when they are asked for."""

    def __init__(self, here: Services) -> None:
        self._here = here

    def collect(self) -> Iterator[Metric]:
        """Every metric family."""
        counts = self._here.receiver.counts
        accepted = CounterMetricFamily("tallymark_events_accepted", "Events on disk.")
        accepted.add_metric([], counts.accepted)
        yield accepted
        rejected = CounterMetricFamily("tallymark_events_rejected", "Events refused.", labels=["reason"])
        for reason, n in sorted(counts.rejected.items()):
            rejected.add_metric([reason], n)
        yield rejected
        batches, size = self._here.store.spool.size()
        writer = self._here.writer
        yield GaugeMetricFamily("tallymark_queue_events", "Events waiting to be written.", writer.queued)
        yield GaugeMetricFamily("tallymark_spool_batches", "Batches waiting for the engine.", batches)
        yield GaugeMetricFamily("tallymark_spool_bytes", "Bytes waiting for the engine.", size)
        yield CounterMetricFamily("tallymark_commits", "Group commits.", writer.commits)
        yield CounterMetricFamily("tallymark_commit_seconds", "Seconds spent in group commits.", writer.seconds)
        yield from self._cache()

    def _cache(self) -> Iterator[Metric]:
        asked, remote = self._here.answers.asked, self._here.cache.remote
        hits = CounterMetricFamily("tallymark_cache_hits", "Questions answered from a cache.", labels=["cache"])
        hits.add_metric(["memory"], asked.from_memory)
        hits.add_metric(["shared"], asked.from_shared)
        yield hits
        yield CounterMetricFamily("tallymark_cache_misses", "Questions answered by the engine.", asked.computed)
        errors = remote.breaker.errors if remote else 0
        yield CounterMetricFamily("tallymark_cache_errors", "Times the shared cache did not answer.", errors)
        limited = CounterMetricFamily("tallymark_requests_limited", "Requests refused by a limit.", labels=["limit"])
        for limit, n in sorted(self._here.rate_limits.limiter.refused.items()):
            limited.add_metric([limit], n)
        yield limited


@get(
    "/metrics",
    sync_to_thread=True,
    media_type="text/plain",
    summary="Prometheus metrics",
    tags=["operations"],
    opt={UNLIMITED: True},
)
def metrics(state: State) -> Response[bytes]:
    """The process's numbers in Prometheus' text format."""
    registry = CollectorRegistry()
    registry.register(_Collector(services(state)))
    return Response(generate_latest(registry), headers={"content-type": CONTENT_TYPE_LATEST})
