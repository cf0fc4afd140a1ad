"""Answers that processes share by a real Valkey: computed once, true at once after a publish, and without it, too."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from itertools import cycle
from typing import Any

import pytest

from tallymark.answer.compare import Told, tell
from tallymark.answer.run import Answerer, Runs
from tallymark.api.answers import Answers
from tallymark.cache.memory import Memory
from tallymark.engine.base import Engine, Params, Row
from tallymark.errors import BadQuery
from tallymark.spec.project import Project
from tallymark.spec.query import Query
from tallymark.spec.window import Window
from tests.engines import Passing
from tests.packs.world import Application, application, bearer
from tests.valkey import Running, running

NOON = datetime(2026, 5, 20, 12, tzinfo=UTC)
WINDOW = Window(date(2026, 5, 1), date(2026, 5, 4))
VIEWS = Query(("page_views",), WINDOW)


#: Events that are alike are one.
_TIMES = cycle(range(60))


@dataclass
class Counted(Passing):
    """An engine, and the statements that it was asked but for those about published runs."""

    asked: list[str] = field(default_factory=list)

    def query(self, sql: str, params: Params | None = None) -> Sequence[Row]:
        if "FROM runs FINAL" not in sql:
            self.asked.append(sql)
        return super().query(sql, params)


@dataclass
class Pair:
    """Two applications of one installation, which share a Valkey, and a project of theirs."""

    valkey: Running
    one: Application
    other: Application
    name: str
    key: str

    @property
    def project(self) -> Project:
        return self.one.project(self.name)

    def bring(self, *days: int) -> None:
        """An event of each day that comes in by the first one, and is published by it."""
        events = [{"event": "page_view", "timestamp": f"2026-05-{day:02}T12:00:{next(_TIMES):02}Z"} for day in days]
        answer = self.one.client.post("/v1/import", json=events, headers=bearer(self.key))
        assert (answer.status_code, answer.json()["rejected"]) == (202, [])
        self.one.settle(self.name)

    def ask(self, app: Application, **more: str) -> Any:
        """The page views of the first days of May."""
        params = {"project": self.name, "metrics": "page_views", "from": "2026-05-01", "to": "2026-05-05", **more}
        answer = app.client.get("/v1/query", params=params, headers=bearer(self.key))
        assert answer.status_code == 200, answer.text
        return answer.json()["metrics"]["page_views"]["value"]

    def shared(self, app: Application) -> tuple[int, int]:
        """How many questions were answered from the Valkey, and how many by the engine."""
        asked = app.here.answers.asked
        return asked.from_shared, asked.computed

    def fresh(self, app: Application, counted: Engine) -> Answers:
        """Answers of an application with nothing in memory, by an engine that counts."""
        cache = app.here.cache
        return Answers(Answerer(counted, app.here.catalog), app.here.keeper, Memory(), cache.shared)


@pytest.fixture(scope="module")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("valkey")) as server:
        yield server


@pytest.fixture(scope="module")
def apps(
    valkey: Running, engine: Engine, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Application, Application]]:
    data = tmp_path_factory.mktemp("answers")
    with (
        application(data, engine, NOON, cache=valkey.url) as one,
        application(data, engine, NOON, cache=valkey.url) as other,
    ):
        yield one, other


@pytest.fixture(scope="module")
def pair(valkey: Running, apps: tuple[Application, Application]) -> Pair:
    one, other = apps
    name, keys = one.make("web", retention="3650d")
    made = Pair(valkey, one, other, name, keys["admin"])
    made.bring(1, 2, 3, 4, 5)
    return made


def test_what_one_computed_the_other_tells(pair: Pair) -> None:
    assert pair.ask(pair.one) == 5
    shared, computed = pair.shared(pair.other)
    assert pair.ask(pair.other) == 5
    assert pair.shared(pair.other) == (shared + 1, computed)
    assert pair.ask(pair.other) == 5  # from memory by then
    assert pair.shared(pair.other) == (shared + 1, computed)


def test_publishing_drops_it_everywhere_at_once(pair: Pair) -> None:
    before = pair.ask(pair.one)
    assert pair.ask(pair.other) == before
    pair.bring(3)
    assert (pair.ask(pair.one), pair.ask(pair.other)) == (before + 1, before + 1)
    pair.bring(3)
    assert (pair.ask(pair.other), pair.ask(pair.one)) == (before + 2, before + 2)


def test_raw_answers_are_each_processes_own(pair: Pair) -> None:
    asked = {"timezone": "Asia/Tokyo"}
    told = pair.ask(pair.one, **asked)
    shared, computed = pair.shared(pair.other)
    assert pair.ask(pair.other, **asked) == told > 0
    assert pair.shared(pair.other) == (shared, computed + 1)


def test_a_garbled_value_is_none(pair: Pair) -> None:
    told = pair.ask(pair.one, to="2026-05-02")
    for key in pair.valkey.client.scan_iter("*:answer:*"):
        pair.valkey.client.set(key, b'{"metrics":{}}')
    assert pair.ask(pair.other, to="2026-05-02") == told == 2


def test_questions_at_the_same_time_are_one(pair: Pair) -> None:
    counted = Counted(pair.one.here.engine)

    def asking(answers: Answers, runs: Runs) -> Any:
        return answers.answer(VIEWS, pair.project, runs)

    async def together() -> tuple[int, int]:
        answers = pair.fresh(pair.one, counted)
        alone = pair.fresh(pair.one, counted)
        alone._shared = None
        runs = answers.answerer.runs(pair.project)
        before = len(counted.asked)
        await asking(alone, runs)
        one = len(counted.asked) - before
        told = await asyncio.gather(*(asking(answers, runs) for _ in range(40)))
        assert all(body == told[0] for body in told)
        assert len({id(body) for body in told}) == 40
        return one, len(counted.asked) - before - one

    one, many = on_loop(pair.one, together)
    assert one == many > 0


def test_processes_ask_once_together(pair: Pair) -> None:
    counted = Counted(pair.one.here.engine)
    begun, go = threading.Event(), threading.Event()
    runs = pair.one.here.answers.answerer.runs(pair.project)

    def slow() -> Told:
        begun.set()
        go.wait(60)
        return tell(Answerer(counted, pair.one.here.catalog), VIEWS, pair.project, runs)

    def ask(app: Application, how: Callable[[], Told]) -> Any:
        answers = app.here.answers
        return on_loop(app, lambda: answers.kept("together", [WINDOW], pair.project, runs, how))

    pair.other.here.answers._shared._wait = 60  # type: ignore[union-attr]
    found: list[Any] = []
    first = threading.Thread(target=lambda: found.append(ask(pair.one, slow)))
    first.start()
    assert begun.wait(60)
    second = threading.Thread(target=lambda: found.append(ask(pair.other, slow)))
    second.start()
    before = pair.shared(pair.other)
    go.set()
    first.join(60)
    second.join(60)
    assert found[0] == found[1]
    assert pair.shared(pair.other) == (before[0] + 1, before[1])


def test_errors_are_told_and_not_kept(pair: Pair) -> None:
    answers = pair.one.here.answers
    runs = answers.answerer.runs(pair.project)
    asked = []

    def fail() -> Told:
        asked.append(1)
        raise BadQuery("no")

    for n in (1, 2):
        with pytest.raises(BadQuery):
            on_loop(pair.one, lambda: answers.kept("wrong", [WINDOW], pair.project, runs, fail))
        assert len(asked) == n


def test_viewers_don_t_see_each_others_answers(pair: Pair) -> None:
    runs = pair.one.here.answers.answerer.runs(pair.project)

    def ask(app: Application, viewer: object, seen: int) -> Any:
        body = {"seen": seen}
        kept = app.here.answers.kept
        return on_loop(app, lambda: kept("mine", [WINDOW], pair.project, runs, lambda: Told(body, True), viewer=viewer))

    assert ask(pair.one, ("learner", "a"), 1) == {"seen": 1}
    assert ask(pair.one, ("learner", "b"), 2) == {"seen": 2}
    assert ask(pair.other, ("learner", "c"), 3) == {"seen": 3}
    assert ask(pair.other, None, 4) == {"seen": 4}
    assert ask(pair.other, ("learner", "a"), 5) == {"seen": 1}


def test_a_valkey_that_dies_is_done_without_and_found_again(pair: Pair) -> None:
    before = pair.ask(pair.one)
    pair.valkey.kill()
    try:
        pair.bring(2)
        assert (pair.ask(pair.one), pair.ask(pair.other)) == (before + 1, before + 1)
        assert pair.other.client.get("/ready").json()["checks"].keys() == {"engine", "control", "spool", "disk"}
        assert pair.other.client.get("/ready").status_code == 200
        assert "tallymark_cache_errors_total 0.0" not in pair.other.client.get("/metrics").text
    finally:
        pair.valkey.start()
    shared, _ = pair.shared(pair.other)
    for limit in range(1, 600):  # as often as it takes until it is asked again
        asked = {"by": "path", "limit": str(limit)}
        assert pair.ask(pair.one, **asked) == pair.ask(pair.other, **asked)
        if pair.shared(pair.other)[0] > shared:
            return
        time.sleep(0.1)
    pytest.fail("The Valkey is back and was not asked again.")


def on_loop(app: Application, ask: Callable[[], Any]) -> Any:
    """What comes of it on the application's own loop, where its connections are."""
    portal = app.client.blocking_portal
    return portal.call(ask)
