"""What every test shares: how Hypothesis draws its examples, one engine a worker, and small worlds in it.

An embedded engine owns its directory and its process, so the tests of a worker share one; each keeps to projects
of its own.
"""

import itertools
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, settings

from tallymark.answer.compare import tell
from tallymark.answer.run import Answerer
from tallymark.engine.base import Engine
from tallymark.engine.embedded import EmbeddedEngine
from tallymark.engine.schema import migrate
from tallymark.ingest.country import CountryTable
from tallymark.ingest.decode import Rejection, decode
from tallymark.ingest.enrich import Enricher
from tallymark.ingest.gate import Limits, admit, kept, rejections
from tallymark.ingest.spool import Spool
from tallymark.ingest.store import Store
from tallymark.packs import BUILTIN
from tallymark.rollup.refresh import Outcome, Refresher
from tallymark.rollup.stale import StaleDays
from tallymark.spec.catalog import Catalog
from tallymark.spec.project import Project
from tallymark.spec.query import Query
from tests.oracle import TAKES_PART

# "ci" draws the same examples every time; HYPOTHESIS_PROFILE=explore draws new and more ones.
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.register_profile("explore", deadline=None, max_examples=1_000, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))

#: For examples that refresh days: they take a second each, so a failing one is shown as it was drawn.
SLOW = settings(
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def pytest_xdist_auto_num_workers() -> int:
    """Two workers more than cores: tests wait for servers, disks and clocks a good part of their time."""
    return (os.cpu_count() or 2) + 2


#: Files of few tests that take long: begun first, so that no worker is left alone with one at the end.
_LONGEST = (
    "test_kill", "test_wheel", "test_benchmarks", "test_outage", "test_idempotency", "test_expire", "test_judging",
)  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts the longest files first; the others stay as they are."""
    items.sort(key=lambda item: item.path.stem not in _LONGEST)


#: Events of any age are taken, and of any future.
ANY_AGE = Limits(past_ms=None, future_ms=10**12, max_properties=30, max_event_bytes=4_096)

#: Ten years: nothing that a test sends expires while it runs.
LONG = 3_650 * 24


@dataclass(frozen=True)
class World:
    """A project in the engine, and everything that events and questions of it pass through."""

    engine: Engine
    catalog: Catalog
    project: Project
    enricher: Enricher
    store: Store
    workers: Executor
    stale_days: StaleDays = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "stale_days", StaleDays(self.engine, self.catalog, settle=0))

    def changed(self, **changes: Any) -> "World":
        """The same world with other fields of the project."""
        return replace(self, project=replace(self.project, **changes))

    def on(self, engine: Engine) -> "World":
        """The same project seen by way of another engine over the same data."""
        return replace(self, engine=engine)

    def send(self, events: Sequence[Mapping[str, Any]], now: datetime) -> list[Rejection]:
        """Takes events in as a request at `now` does; gives the refused ones.

        Which experiments their actors take part in they say themselves: assignments are tested where they are made.
        """
        body, now_ms = msgspec.json.encode(events), round(now.timestamp() * 1000)
        decoded = decode(body)
        batch = admit(decoded, self.project, ANY_AGE, now_ms, "", body)
        rows = self.enricher.rows(batch, "")
        rows.variants = [(batch.events[place].properties or {}).get(TAKES_PART, ()) for place in kept(batch)]
        assert self.store.put(rows) == []
        return [*decoded.rejections, *rejections(batch)]

    @property
    def refresher(self) -> Refresher:
        """What refreshes its days."""
        return Refresher(self.engine, self.catalog, 0, self.workers)

    def refresh(self, days: Sequence[date], force: bool = False) -> dict[date, Outcome]:
        """Refreshes days; gives what became of each."""
        return {done.day: done.outcome for done in self.refresher.refresh(self.project, days, force)}

    def stale(self) -> list[date]:
        """The days whose published numbers are not what a refresh would publish."""
        return self.refresher.due(self.project, self._candidates())

    def settle(self) -> list[date]:
        """Refreshes until nothing is stale; gives the days that were published, in order."""
        published: list[date] = []
        while days := self._candidates():
            outcomes = self.refresh(days)
            for day in days:
                self.stale_days.settled(self.project.id, day)
            published += [day for day, outcome in outcomes.items() if outcome is Outcome.PUBLISHED]
        return published

    def _candidates(self) -> list[date]:
        return self.stale_days.find([self.project]).get(self.project.id, [])

    def ask(self, query: Query, explain: bool = False) -> dict[str, Any]:
        """The answer as the API tells it, without its freshness."""
        answerer = Answerer(self.engine, self.catalog, self.workers)
        return tell(answerer, query, self.project, answerer.runs(self.project), explain).body


Worlds = Callable[..., World]


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """The worker's engine, with its tables."""
    opened = EmbeddedEngine(tmp_path_factory.mktemp("engine") / "data", memory_mb=1_024, threads=2)
    migrate(opened)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    """The catalogue of all packs."""
    return Catalog.of(BUILTIN)


@pytest.fixture(scope="session")
def project() -> Callable[..., Project]:
    """Makes projects that no other test has; fields may be given."""
    ids = itertools.count(1)

    def make(**fields: Any) -> Project:
        id = next(ids)
        return replace(
            Project(id, f"p{id}", ("web",), "UTC", LONG, "redact", "mark", None, datetime(2020, 1, 1, tzinfo=UTC)),
            **fields,
        )

    return make


@pytest.fixture(scope="session")
def workers() -> Iterator[Executor]:
    """The thread that refreshes use beside their own."""
    with ThreadPoolExecutor(1, "refresh") as pool:
        yield pool


@pytest.fixture(scope="session")
def enricher() -> Enricher:
    """Turns events into rows under a secret of the tests'."""
    return Enricher(b"a secret of the tests", CountryTable.load())


@pytest.fixture(scope="session")
def store(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Stores rows in the worker's engine."""
    return Store(engine, Spool(tmp_path_factory.mktemp("spool")), 1 << 30)


@pytest.fixture(scope="session")
def world(
    engine: Engine,
    catalog: Catalog,
    project: Callable[..., Project],
    enricher: Enricher,
    store: Store,
    workers: Executor,
) -> Worlds:
    """Makes worlds, each of a project of its own; fields of the project may be given."""

    def make(**fields: Any) -> World:
        return World(engine, catalog, project(**fields), enricher, store, workers)

    return make


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    """An empty spool."""
    return Spool(tmp_path / "spool")
