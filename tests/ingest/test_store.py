"""The store: rows are in the engine or in the spool when it returns, and nowhere twice."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec
import pyarrow as pa
import pytest

from tallymark.engine.base import Params, Row
from tallymark.engine.refused import EngineRefused
from tallymark.errors import EngineUnavailable, QueueFull
from tallymark.ingest.decode import decode
from tallymark.ingest.gate import admit
from tallymark.ingest.rows import Rows
from tallymark.ingest.spool import Spool
from tallymark.ingest.store import Store
from tests.conftest import ANY_AGE, World, Worlds
from tests.engines import Passing

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


@dataclass
class Line(Passing):
    """A line to an engine, which can be cut: before an insert arrives, or before its answer does."""

    fails: Exception | None = None
    after: bool = False
    tokens: list[str | None] = field(default_factory=list)

    def query(self, sql: str, params: Params | None = None) -> Sequence[Row]:
        if self.fails and not self.after:
            raise self.fails
        return super().query(sql, params)

    def insert(self, table: str, rows: pa.Table, token: str | None = None) -> None:
        self.tokens.append(token)
        if self.fails and not self.after:
            raise self.fails
        super().insert(table, rows, token)
        if self.fails:
            raise self.fails


def _rows(world: World, *events: dict[str, Any]) -> Rows:
    body = msgspec.json.encode([{"event": "x", **event} for event in events])
    return world.enricher.rows(admit(decode(body), world.project, ANY_AGE, round(NOW.timestamp() * 1000), "", body), "")


def _stored(world: World) -> list[str]:
    sql = "SELECT event FROM events WHERE project = {project:UInt32} ORDER BY event"
    return [row[0] for row in world.engine.query(sql, {"project": world.project.id})]


def test_rows_are_in_the_engine_on_return(world: Worlds, spool: Spool) -> None:
    here = world()
    store = Store(here.engine, spool, 1 << 20)
    assert store.put(Rows()) == []
    assert store.put(_rows(here, {"event": "a"}, {"event": "b"})) == []
    assert _stored(here) == ["a", "b"]
    assert (store.waiting, spool.size()) == (False, (0, 0))


def test_while_the_engine_is_away_rows_wait_in_order_and_go_in_once(world: Worlds, spool: Spool) -> None:
    here = world()
    line = Line(here.engine, EngineUnavailable("away"))
    store = Store(line, spool, 1 << 20)
    store.put(_rows(here, {"event": "a"}))
    line.fails = None
    store.put(_rows(here, {"event": "b"}))
    assert store.waiting
    assert (_stored(here), spool.size()[0]) == ([], 2)
    assert store.replay() == 2
    store.put(_rows(here, {"event": "c"}))
    assert (_stored(here), spool.size()[0], store.waiting) == (["a", "b", "c"], 0, False)


def test_a_batch_whose_answer_was_lost_is_not_stored_twice(world: Worlds, spool: Spool) -> None:
    here = world()
    line = Line(here.engine, EngineUnavailable("cut"), after=True)
    store = Store(line, spool, 1 << 20)
    store.put(_rows(here, {"event": "a"}))
    assert _stored(here) == ["a"]
    line.fails = None
    assert store.replay() == 1
    assert _stored(here) == ["a"]
    assert line.tokens[0] == line.tokens[1]


def test_a_refusal_that_is_not_about_the_rows_sends_them_to_the_spool(world: Worlds, spool: Spool) -> None:
    here = world()
    store = Store(Line(here.engine, EngineRefused("Memory limit exceeded.", 241)), spool, 1 << 20)
    assert store.put(_rows(here, {"event": "a"})) == []
    assert (store.waiting, spool.size()[0]) == (True, 1)


def test_a_replay_that_fails_again_loses_nothing(world: Worlds, spool: Spool) -> None:
    here = world()
    line = Line(here.engine, EngineUnavailable("away"))
    store = Store(line, spool, 1 << 20)
    store.put(_rows(here, {"event": "a"}))
    with pytest.raises(EngineUnavailable):
        store.replay()
    assert (store.waiting, spool.size()[0]) == (True, 1)


def test_a_new_start_replays_what_the_old_one_left(world: Worlds, spool: Spool) -> None:
    here = world()
    Store(Line(here.engine, EngineUnavailable("away")), spool, 1 << 20).put(_rows(here, {"event": "a"}))
    store = Store(here.engine, spool, 1 << 20)
    assert store.waiting
    store.put(_rows(here, {"event": "b"}))
    assert store.replay() == 2
    assert _stored(here) == ["a", "b"]


def test_a_full_spool_takes_nothing_more(world: Worlds, spool: Spool) -> None:
    here = world()
    store = Store(Line(here.engine, EngineUnavailable("away")), spool, 0)
    store.put(_rows(here, {"event": "a"}))
    with pytest.raises(QueueFull):
        store.put(_rows(here, {"event": "b"}))
    assert spool.size()[0] == 1


def test_a_row_that_the_engine_can_not_represent_is_left_out_alone(world: Worlds, spool: Spool) -> None:
    here = world()
    rows = _rows(here, *({"event": f"e{i}"} for i in range(7)))
    rows.props[2] = b'{"broken'
    rows.props[5] = b"[1]"
    store = Store(here.engine, spool, 1 << 20)
    assert store.put(rows) == [2, 5]
    assert _stored(here) == ["e0", "e1", "e3", "e4", "e6"]
    assert spool.size()[0] == 0


@pytest.mark.parametrize(
    "properties", [{"a": {"b": 1}, "a.b": 2}, {"": 1}, {"k\u0000": "z"}, {"x y.z": [1, {"q": None}]}]
)
def test_whatever_properties_are_called_their_batch_mates_are_kept(
    world: Worlds, spool: Spool, properties: dict[str, Any]
) -> None:
    here = world()
    store = Store(here.engine, spool, 1 << 20)
    unstored = store.put(_rows(here, {"event": "a"}, {"event": "odd", "properties": properties}, {"event": "z"}))
    assert unstored in ([], [1])
    assert [name for name in _stored(here) if name != "odd"] == ["a", "z"]
    assert ("odd" in _stored(here)) is (unstored == [])


def test_times_are_pinned_also_on_the_way_out_of_the_spool(world: Worlds, spool: Spool) -> None:
    here = world()
    line = Line(here.engine)
    store = Store(line, spool, 1 << 20)
    rows = _rows(here, {"eventId": "1"})
    store.put(rows)
    line.fails = EngineUnavailable("away")
    again = _rows(here, {"eventId": "1"})
    again.occurred_at[0] += 24 * 3_600_000
    store.put(again)
    line.fails = None
    store.replay()
    sql = "SELECT count(), min(occurred_at) = max(occurred_at) FROM events FINAL WHERE project = {project:UInt32}"
    assert [tuple(row) for row in here.engine.query(sql, {"project": here.project.id})] == [(1, 1)]
