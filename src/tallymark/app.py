"""The application: the only module that builds everything and joins it."""

import asyncio
import os
import socket
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from typing import Any

import structlog
from litestar import Litestar, asgi
from litestar.config.cors import CORSConfig
from litestar.datastructures import State
from litestar.handlers import ASGIRouteHandler
from litestar.types import ASGIApp, ControllerRouterHandler, Receive, Scope, Send

from tallymark.access.guard import Access
from tallymark.access.keys import local_key
from tallymark.access.secret import installation_secret
from tallymark.access.sessions import SignIn
from tallymark.access.signature import Signatures
from tallymark.access.tokens import Tokens
from tallymark.access.vault import Vault
from tallymark.answer.run import Answerer
from tallymark.api import health, query, rollup
from tallymark.api.annotations import annotations_router
from tallymark.api.answers import Answers
from tallymark.api.archives import archives_router
from tallymark.api.directory import Directory
from tallymark.api.docs import assets, openapi_config
from tallymark.api.errors import EXCEPTION_HANDLERS
from tallymark.api.evaluations import evaluations_router
from tallymark.api.evaluators import evaluators_router
from tallymark.api.experiment_book import ExperimentBook
from tallymark.api.experiments import experiments_router
from tallymark.api.exports import exports_router
from tallymark.api.funnel_rollups import FunnelRollups
from tallymark.api.funnels import funnels_router
from tallymark.api.ingest import Ingest, Shortcut
from tallymark.api.journeys import ask_journeys
from tallymark.api.keys import keys_router
from tallymark.api.lifecycle import ask_lifecycle, ask_stickiness
from tallymark.api.live import ask_live
from tallymark.api.path_segments import PathSegments
from tallymark.api.projects import projects_router
from tallymark.api.purge import purge_router
from tallymark.api.rate_limits import rate_limits
from tallymark.api.rejections import ask_rejections
from tallymark.api.retention import ask_retention
from tallymark.api.saved_views import views_router
from tallymark.api.segments import segments_router
from tallymark.api.services import Services
from tallymark.api.session_cookie import SessionCookie
from tallymark.api.sessions import sessions_router
from tallymark.api.shares import shares_router
from tallymark.api.syncs import syncs_router
from tallymark.api.system import ask_system
from tallymark.archive.archives import Archives
from tallymark.archive.shelf import Shelf
from tallymark.archive.work import Workplace
from tallymark.cache.opening import open_cache
from tallymark.config import Settings
from tallymark.control.annotations import Annotations
from tallymark.control.assignments import Assignments
from tallymark.control.audit import Audit
from tallymark.control.cursors import Cursors
from tallymark.control.database import Database, open_database
from tallymark.control.evaluation_queue import EvaluationQueue
from tallymark.control.evaluations import Evaluations
from tallymark.control.evaluators import Evaluators
from tallymark.control.experiments import Experiments
from tallymark.control.export_queue import ExportQueue
from tallymark.control.exports import Exports
from tallymark.control.funnels import Funnels
from tallymark.control.jobs import JobRuns
from tallymark.control.keys import Keys
from tallymark.control.leases import Leases
from tallymark.control.people import People
from tallymark.control.projects import Projects
from tallymark.control.quizzes import Quizzes
from tallymark.control.refusals import Refusals
from tallymark.control.reviews import Reviews
from tallymark.control.salts import Salts
from tallymark.control.saved_views import SavedViews
from tallymark.control.seen_signatures import SeenSignatures
from tallymark.control.segments import Segments
from tallymark.control.sessions import Sessions
from tallymark.control.shares import Shares
from tallymark.control.statements import Statements
from tallymark.control.syncs import Syncs
from tallymark.control.turns import Turns
from tallymark.dashboard.pages import pages
from tallymark.engine.base import Engine
from tallymark.engine.opening import open_engine
from tallymark.engine.views import define, note
from tallymark.errors import TallymarkError
from tallymark.export.files import open_files, stored_name
from tallymark.ingest.country import CountryTable
from tallymark.ingest.counts import Counts
from tallymark.ingest.enrich import Enricher
from tallymark.ingest.gate import Limits
from tallymark.ingest.hosting import HostingTable
from tallymark.ingest.names import EventNames
from tallymark.ingest.quota import Quotas
from tallymark.ingest.receive import Receiver
from tallymark.ingest.rows import Rows
from tallymark.ingest.sealed import SealedDays
from tallymark.ingest.spool import Spool
from tallymark.ingest.store import Store
from tallymark.ingest.user_agent import describe
from tallymark.ingest.writer import Writer
from tallymark.jobs.archives import Archivist
from tallymark.jobs.clock import Clock
from tallymark.jobs.exports import Exporter
from tallymark.jobs.purge import Purge
from tallymark.packs import BUILTIN, PRODUCTS, VIEWS
from tallymark.packs.product import Job
from tallymark.rollup.keeper import Keeper
from tallymark.rollup.retire import retire
from tallymark.spec.catalog import Catalog
from tallymark.spec.project import Project

#: Threads for questions and everything else that blocks; each holds a connection of its own to the engine.
_THREADS = 8

_log = structlog.get_logger()

_DAY_MS = 86_400_000

#: Headers of answers that scripts of other origins may read.
_READ_ELSEWHERE = [
    "Content-Disposition", "Content-Range", "ETag", "Location", "RateLimit", "RateLimit-Policy", "Retry-After",
]  # fmt: skip


def build(
    settings: Settings, engine: Engine | None = None, now: Callable[[], float] = time.time, clocked: bool = True
) -> Litestar:
    """The application of these settings, its stores open and up to date; an `engine` that is given stays open.

    One that is `clocked` does what is due by itself while it runs; else that is left to the caller, who has its
    services. Errors: `EngineLocked`, `EngineUnavailable`, `BadSetting`.
    """
    owned = engine is None
    opened = engine or open_engine(settings)
    database = open_database(settings.control_url)
    here, clock = _services(settings, opened, database, now), Clock(settings.refresh_seconds)
    here.receiver.enrichments = [added for product in PRODUCTS for added in product.enrichments(here)]
    purge, exporter = _purge(here), Exporter(here, ExportQueue(database, here.turns.holder))

    def on_change(change: str, project: Project) -> None:
        here.directory.forget()
        if change == "deleted":
            _forget(here, project)
        with suppress(TallymarkError):
            note(opened, here.projects.list)

    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(_THREADS, "work"))
        here.writer.start()
        exporter.start()
        warming = asyncio.create_task(asyncio.to_thread(_warm))
        if clocked:
            clock.start(
                opened, here.store, here.receiver.counts, here.keeper, here.job_runs, _embedded(settings),
                purge.daily, _jobs(here, exporter),
            )  # fmt: skip
        try:
            yield
        finally:
            await warming
            await _stop(here, exporter, clock)
            await here.cache.close()
            database.close()
            if owned:
                opened.close()

    events, imports = _ingest_handlers(here)
    limits = here.rate_limits.limits
    app = Litestar(
        route_handlers=[events, imports, *_routes(here)],
        lifespan=[lifespan],
        state=_state(here, purge, exporter, clock, on_change),
        exception_handlers=EXCEPTION_HANDLERS,
        middleware=[here.rate_limits.questions] if limits else [],
        cors_config=_cors(settings),
        openapi_config=openapi_config(_paths()),
        logging_config=None,
        request_max_body_size=settings.max_body_bytes,
    )
    take = here.rate_limits.events(events.fn) if limits else events.fn
    app.asgi_handler = Shortcut("/v1/events", take, _with_sessions(here, app.asgi_handler))
    return app


def _with_sessions(here: Services, rest: ASGIApp) -> ASGIApp:
    """An application behind sessions, and with ids in the paths of quizzes whatever characters they have."""
    return PathSegments("/quiz/", SessionCookie(here.sign_in, rest))


def _cors(settings: Settings) -> CORSConfig:
    origins = list(settings.cors_origins)
    return CORSConfig(allow_origins=origins, allow_headers=["*"], expose_headers=_READ_ELSEWHERE)


def _routes(here: Services) -> list[ControllerRouterHandler]:
    """Every handler but those of events, which are bare ASGI."""
    return [
        query.router(),
        funnels_router,
        ask_retention,
        ask_lifecycle,
        ask_stickiness,
        ask_journeys,
        rollup.router(),
        projects_router,
        keys_router,
        exports_router,
        archives_router,
        experiments_router,
        evaluators_router,
        evaluations_router,
        syncs_router,
        sessions_router,
        shares_router,
        segments_router,
        annotations_router,
        views_router,
        ask_live,
        ask_rejections,
        ask_system,
        purge_router,
        health.health,
        health.ready,
        health.metrics,
        assets(),
        *pages(),
        *(handler for product in PRODUCTS for handler in product.routes(here)),
    ]


def _services(settings: Settings, engine: Engine, database: Database, now: Callable[[], float]) -> Services:
    """Everything that handlers use."""
    catalog = Catalog.of(BUILTIN)
    projects, keys, job_runs = Projects(database), Keys(database), JobRuns(database, now)
    turns = Turns(job_runs, Leases(database), _holder(settings), now)
    keeper = Keeper(
        engine, catalog, projects, turns.leases, settings.settle_seconds, turns.holder,
        settings.rollup_batch_days,
    )  # fmt: skip
    store = Store(engine, Spool(settings.files_path / "spool"), settings.spool_bytes)
    writer = Writer(store, settings.linger_ms / 1000, settings.queue_events, _on_commit(keeper))
    secret = installation_secret(settings.data, settings.secret)
    enricher = Enricher(secret, CountryTable.load())
    limits = Limits(
        settings.accept_past_days * _DAY_MS, settings.accept_future_minutes * 60_000, settings.max_properties,
        settings.max_event_bytes,
    )  # fmt: skip
    receiver = Receiver(
        enricher, writer, Counts(engine), Quotas(engine), EventNames(engine), SealedDays(engine), limits, now
    )
    access = Access(keys, settings.admin_api_key, local_key(settings.data), read_keys=settings.read_keys)
    shares = Shares(database)
    sign_in = SignIn(access, Sessions(database), keys, shares, secret, now)
    access.sessions = sign_in.identify
    experiments, funnels = Experiments(database), Funnels(database)
    book = ExperimentBook(experiments)
    archived = open_files(settings, "archives")
    workplace = Workplace(archived, turns.leases, turns.holder)
    cache = open_cache(settings.cache, secret)
    tokens = Tokens(settings)
    return Services(
        settings, engine, catalog, access, tokens, Vault(secret), Directory(projects), projects, keys,
        People(database), Salts(database), job_runs, turns, store, writer, receiver, HostingTable.load(), keeper,
        cache, Answers(Answerer(engine, catalog), keeper, cache.memory, cache.shared),
        rate_limits(settings, access, tokens, cache.remote, secret), Exports(database), open_files(settings),
        Signatures(secret), experiments, Audit(database), book, Assignments(database), funnels,
        FunnelRollups(engine, catalog, funnels, book), Evaluators(database), Evaluations(database),
        EvaluationQueue(database, turns.holder), Reviews(database), Quizzes(database),
        Refusals(database, now), Cursors(database), SeenSignatures(database), Statements(database),
        Archives(engine, Shelf(archived), workplace, keeper, job_runs, turns), Syncs(database), shares, sign_in,
        Annotations(database), SavedViews(database), Segments(database), now,
    )  # fmt: skip


async def _stop(here: Services, exporter: Exporter, clock: Clock) -> None:
    """Ends what runs in threads, and writes what is still in memory."""
    here.archives.stop()
    await asyncio.to_thread(exporter.stop)
    here.keeper.stop()
    await here.writer.close()
    await asyncio.to_thread(clock.stop)
    await asyncio.to_thread(_flush, here)
    await asyncio.to_thread(here.assignments.close)


def _jobs(here: Services, exporter: Exporter) -> list[Job]:
    """What the clock does besides what `Clock` does by itself: a name, the work, and every how many seconds."""
    return [
        ("views", lambda: _keep_views(here), 60),
        ("expired exports", exporter.clean, 60),
        ("funnels", lambda: _keep_funnels(here), 600),
        *([("archives", Archivist(here).daily, 600)] if here.settings.archive == "monthly" else []),
        *(job for product in PRODUCTS for job in product.jobs(here)),
    ]


def _keep_views(here: Services) -> None:
    """Makes the engine's views what the packs declare, and the projects in them those that there are."""
    define(here.engine, VIEWS)
    note(here.engine, here.projects.list)


def _keep_funnels(here: Services) -> None:
    """Computes the days of funnels whose events changed."""
    for project in here.projects.list():
        try:
            here.funnel_rollups.refresh(project)
        except Exception:  # those of other projects are computed
            _log.exception("funnels failed", project=project.name)


def _embedded(settings: Settings) -> bool:
    return settings.engine_url.startswith("chdb://")


def _holder(settings: Settings) -> str:
    """A name for this process among those that share the engine; who owns an embedded one owns its leases too."""
    if _embedded(settings):
        return "embedded"
    return f"{socket.gethostname()}:{os.getpid()}"


def _on_commit(keeper: Keeper) -> Callable[[Rows], None]:
    return lambda rows: keeper.touched(set(rows.project))


def _warm() -> None:
    """Loads what the first event would otherwise wait a second for: Arrow's converters, the user agents' patterns."""
    Rows().table()
    describe("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36")


def _forget(here: Services, project: Project) -> None:
    """Deletes what belongs to a project that is deleted."""
    here.people.forget_project(project.id)
    here.assignments.forget_project(project.id)
    here.experiments.forget_project(project.id)
    here.experiment_book.forget()
    here.funnels.forget_project(project.id)
    here.evaluators.forget_project(project.id)
    here.reviews.forget_project(project.id)
    here.quizzes.forget_project(project.id)
    here.statements.forget_project(project.id)
    here.syncs.forget_project(project.id)
    here.shares.forget_project(project.id)
    here.annotations.forget_project(project.id)
    here.saved_views.forget_project(project.id)
    here.segments.forget_project(project.id)
    _forget_exports(here, project)
    with suppress(TallymarkError):  # those that can't be reached now go with a later purge
        here.archives.forget_project(project)
    retire(here.engine, project.id)


def _forget_exports(here: Services, project: Project) -> None:
    """Deletes the exports of a project; a file that can't be reached now goes with a later purge."""
    for export in here.exports.of_project(project.id):
        here.exports.remove(export.id)
        with suppress(TallymarkError):
            here.files.delete(stored_name(export))


def _flush(here: Services) -> None:
    """Writes what is still in memory; what the engine does not take now is in the spool already."""
    with suppress(TallymarkError):
        here.receiver.counts.flush()


def _purge(here: Services) -> Purge:
    return Purge(
        here.engine, here.keeper, here.projects, here.keys, here.salts, here.job_runs, here.turns, here.turns.leases,
        here.exports, here.files, here.archives, here.statements, here.funnel_rollups.refresh,
    )  # fmt: skip


def _paths() -> dict[str, Any]:
    """What products say of routes that don't describe themselves."""
    return {path: item for product in PRODUCTS for path, item in product.paths.items()}


def _state(
    here: Services, purge: Purge, exporter: Exporter, clock: Clock, on_change: Callable[[str, Project], None]
) -> State:
    return State(
        {
            "services": here,
            "access": here.access,
            "projects": here.projects,
            "keys": here.keys,
            "packs": {pack.name: pack.defaults for pack in BUILTIN if pack.name != "core"},
            "project_listeners": [on_change],
            "purge": purge.run,
            "wake_exports": exporter.wake,
            "clock_jobs": clock.jobs,
            "started_at": here.now(),
        },
        deep_copy=False,
    )


def _ingest_handlers(here: Services) -> list[ASGIRouteHandler]:
    settings = here.settings
    ingest = Ingest(here.access, here.directory, here.receiver, settings.max_body_bytes, settings.trusted_proxies)

    @asgi("/v1/events", is_mount=False, copy_scope=False)
    async def events(scope: Scope, receive: Receive, send: Send) -> None:
        await ingest.serve(scope, receive, send, "ingest", imported=False)

    @asgi("/v1/import", is_mount=False, copy_scope=False)
    async def imports(scope: Scope, receive: Receive, send: Send) -> None:
        await ingest.serve(scope, receive, send, "admin", imported=True)

    return [events, imports]
