"""What handlers use, built once by `tallymark.app` and kept in the application's state."""

from collections.abc import Callable
from dataclasses import dataclass

from litestar.datastructures import State

from tallymark.access.guard import Access
from tallymark.access.sessions import SignIn
from tallymark.access.signature import Signatures
from tallymark.access.tokens import Tokens
from tallymark.access.vault import Vault
from tallymark.api.answers import Answers
from tallymark.api.directory import Directory
from tallymark.api.experiment_book import ExperimentBook
from tallymark.api.funnel_rollups import FunnelRollups
from tallymark.api.rate_limits import RateLimits
from tallymark.archive.archives import Archives
from tallymark.cache.opening import Cache
from tallymark.config import Settings
from tallymark.control.annotations import Annotations
from tallymark.control.assignments import Assignments
from tallymark.control.audit import Audit
from tallymark.control.cursors import Cursors
from tallymark.control.evaluation_queue import EvaluationQueue
from tallymark.control.evaluations import Evaluations
from tallymark.control.evaluators import Evaluators
from tallymark.control.experiments import Experiments
from tallymark.control.exports import Exports
from tallymark.control.funnels import Funnels
from tallymark.control.jobs import JobRuns
from tallymark.control.keys import Keys
from tallymark.control.people import People
from tallymark.control.projects import Projects
from tallymark.control.quizzes import Quizzes
from tallymark.control.refusals import Refusals
from tallymark.control.reviews import Reviews
from tallymark.control.salts import Salts
from tallymark.control.saved_views import SavedViews
from tallymark.control.seen_signatures import SeenSignatures
from tallymark.control.segments import Segments
from tallymark.control.shares import Shares
from tallymark.control.statements import Statements
from tallymark.control.syncs import Syncs
from tallymark.control.turns import Turns
from tallymark.engine.base import Engine
from tallymark.export.files import Files
from tallymark.ingest.hosting import HostingTable
from tallymark.ingest.receive import Receiver
from tallymark.ingest.store import Store
from tallymark.ingest.writer import Writer
from tallymark.rollup.keeper import Keeper
from tallymark.spec.catalog import Catalog


@dataclass
class Services:
    """Everything a handler may need; `now` gives epoch seconds."""

    settings: Settings
    engine: Engine
    catalog: Catalog
    access: Access
    tokens: Tokens
    vault: Vault
    directory: Directory
    projects: Projects
    keys: Keys
    people: People
    salts: Salts
    job_runs: JobRuns
    turns: Turns
    store: Store
    writer: Writer
    receiver: Receiver
    hosting: HostingTable
    keeper: Keeper
    cache: Cache
    answers: Answers
    rate_limits: RateLimits
    exports: Exports
    files: Files
    signatures: Signatures
    experiments: Experiments
    audit: Audit
    experiment_book: ExperimentBook
    assignments: Assignments
    funnels: Funnels
    funnel_rollups: FunnelRollups
    evaluators: Evaluators
    evaluations: Evaluations
    evaluation_queue: EvaluationQueue
    reviews: Reviews
    quizzes: Quizzes
    refusals: Refusals
    cursors: Cursors
    seen_signatures: SeenSignatures
    statements: Statements
    archives: Archives
    syncs: Syncs
    shares: Shares
    sign_in: SignIn
    annotations: Annotations
    saved_views: SavedViews
    segments: Segments
    now: Callable[[], float]


def services(state: State) -> Services:
    """The services of an application."""
    found: Services = state.services
    return found
