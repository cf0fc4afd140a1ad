"""A scoped engine: whatever a statement says, no row leaves that the filters don't let through."""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa
import pytest

from tallymark.engine.base import Engine
from tallymark.engine.expression import literal
from tallymark.engine.refused import EngineRefused
from tallymark.engine.schema import tables
from tallymark.engine.statement import UNSEEN, objection, parted

_ROWS = 60
_MINE = 6
#: Table functions that read nothing but what the statement gives them.
_HARMLESS = {
    "fuzzjson", "generaterandom", "generate_series", "generateseries", "null", "numbers", "numbers_mt", "primes",
    "sqlstandardvalues", "values", "view",
}  # fmt: skip


@dataclass(frozen=True)
class Tenant:
    """A project with 60 events of ten actors, and an engine that shows those of actor 3."""

    engine: Engine
    project: int

    @property
    def scoped(self) -> Engine:
        return self.engine.scoped({"events": f"project = {self.project} AND actor = 3"})


@pytest.fixture
def tenant(either: Engine) -> Iterator[Tenant]:
    project = secrets.randbits(31)
    either.command(
        "INSERT INTO events (project, event, occurred_at, received_at, event_id, actor, props, expires_at) SELECT "
        "{project:UInt32}, 'answer', now64(3), now64(3), number, number % 10, "
        """concat('{"quizId": "q', toString(number % 3), '"}')::JSON, now() + 1000000 FROM numbers(60)""",
        {"project": project},
    )
    either.command("INSERT INTO actors (project, actor, ordinal) SELECT {project:UInt32}, 3, 1", {"project": project})
    either.command("CREATE OR REPLACE VIEW scoped_view AS SELECT * FROM events FINAL")
    yield Tenant(either, project)
    either.command("DROP VIEW scoped_view")


_STATEMENTS = (
    "SELECT count() FROM events",
    "SELECT count() FROM events FINAL",
    "SELECT count() FROM `events` AS e WHERE 1 = 1 OR actor != 3",
    "SELECT count() FROM (SELECT * FROM (SELECT * FROM events))",
    "WITH every AS (SELECT * FROM events) SELECT count() FROM every",
    "SELECT count() FROM scoped_view",
    "SELECT count() FROM view(SELECT * FROM events)",
    "SELECT count() FROM events AS a ANY LEFT JOIN (SELECT event_id FROM events) AS b USING (event_id)",
    "SELECT uniqExact(a.event_id) FROM events AS a CROSS JOIN events AS b",
    "SELECT (SELECT count() FROM events)",
    "SELECT count() FROM numbers(60) WHERE number IN (SELECT event_id FROM events)",
    "SELECT n FROM (SELECT count() AS n FROM events UNION ALL SELECT count() FROM events) LIMIT 1",
    "SELECT count() FROM events UNION DISTINCT SELECT count() FROM scoped_view",
    "(SELECT count() FROM events)",
    "FROM events SELECT count()",
)


def test_no_statement_leaves_the_scope(tenant: Tenant) -> None:
    for sql in _STATEMENTS:
        assert tenant.scoped.query(sql) == [(_MINE,)], sql


def test_many_rows_are_read_in_the_scope(tenant: Tenant) -> None:
    found = tenant.scoped.read("SELECT actor FROM events WHERE event_id < {most:UInt64}", {"most": 30})
    assert found.column("actor").to_pylist() == [3, 3, 3]
    assert tenant.scoped.read("SELECT actor FROM scoped_view").num_rows == _MINE


def test_it_leaves_nothing_behind(tenant: Tenant) -> None:
    """The same connection shows every row to whoever asks without a scope, also after a refusal of the engine."""
    whole = f"SELECT count() FROM events WHERE project = {tenant.project}"
    tenant.scoped.query("SELECT count() FROM events")
    tenant.scoped.read("SELECT * FROM events")
    assert tenant.engine.query(whole) == [(_ROWS,)]
    with pytest.raises(EngineRefused):
        tenant.scoped.query("SELECT no_such FROM events")
    assert tenant.engine.query(whole) == [(_ROWS,)]
    tenant.engine.command("INSERT INTO pins (project, event_id) SELECT {p:UInt32}, 1", {"p": tenant.project})


_REFUSED = (
    "SELECT count() FROM events SETTINGS additional_table_filters = {}",
    "SELECT count() FROM (SELECT * FROM events settings additional_table_filters = {})",
    "SELECT count() FROM merge('^events$')",
    "SELECT count() FROM `merge` ('^events$')",
    "SELECT count() FROM \"merge\"(currentDatabase(), 'events')",
    "SELECT count() FROM mergeTreeIndex(currentDatabase(), 'events')",
    "SELECT count() FROM loop(events) LIMIT 1",
    "SELECT * FROM eval('SELECT 1')",
    "SELECT count() FROM system.parts",
    "SELECT count() FROM `system` . parts",
    "SELECT count() FROM INFORMATION_SCHEMA.tables",
    "SELECT count() FROM default.events",
    "SELECT 1 -- '\nSETTINGS readonly = 0",
    "SELECT 1 /* /* */ ' */ SETTINGS readonly = 0 /* ' */",
    "SELECT 1 SETTINGS max_block_size = 1, readonly = 0",
    "SELECT 1 SETTINGS max_block_size = 1, additional_table_filters = ''",
    "SELECT 1 SETTINGS max_block_size = 1 SETTINGS max_block_size = 1",
    "SELECT 1 SETTINGS",
    "SELECT 1; SELECT 2",
    "SELECT * FROM events INTO OUTFILE 'x'",
    "INSERT INTO pins (project) SELECT 1",
    "ALTER TABLE events DELETE WHERE 1",
    "DROP TABLE events",
    "SHOW TABLES",
    "EXPLAIN SELECT 1",
    "",
    "SELECT count() FROM {name:Identifier}",
)


def test_statements_that_could_get_around_it_are_refused(either: Engine) -> None:
    scoped = either.scoped({})
    for sql in _REFUSED:
        for ask in (scoped.query, scoped.read):
            with pytest.raises(EngineRefused, match="does not run"):
                ask(sql)


def test_a_statement_may_say_how_it_is_run(tenant: Tenant) -> None:
    for sql in ("SELECT count() FROM events", "SELECT count() FROM scoped_view"):
        for settings in ("max_block_size = 128", "max_result_bytes = 999, result_overflow_mode = 'break'"):
            assert tenant.scoped.query(f"{sql} SETTINGS {settings}") == [(_MINE,)]
    assert parted("SELECT 'x SETTINGS max_block_size = 1") == ("SELECT 'x", ["max_block_size = 1"])
    for unended in ("SELECT 'x", 'SELECT "x', "SELECT `x", "SELECT $$x"):
        assert objection(unended) is not None
        with pytest.raises(EngineRefused, match="does not run"):
            tenant.scoped.query(f"{unended} SETTINGS max_block_size = 1")


def test_the_engine_refuses_what_reads_elsewhere(either: Engine) -> None:
    for name in ("remote('127.0.0.1', 'default', 'events')", "file('x', 'LineAsString')", "url('http://x')"):
        with pytest.raises(EngineRefused, match="readonly"):
            either.scoped({}).query(f"SELECT * FROM {name}")


def test_it_writes_nothing(either: Engine) -> None:
    scoped = either.scoped({"pins": "1"})
    with pytest.raises(EngineRefused):
        scoped.command("SELECT 1")
    with pytest.raises(EngineRefused):
        scoped.insert("pins", pa.table({"project": pa.array([1], pa.uint32())}))
    scoped.ping()
    scoped.close()
    assert either.query("SELECT 42") == [(42,)]


def test_quoted_text_is_no_part_of_the_statement() -> None:
    assert objection("SELECT 'SETTINGS merge( -- \\' ; ''', $$ merge( $$ FROM events WHERE a.b = 1") is None
    assert objection("SELECT 'x\\\\' SETTINGS y = '1'") == "settings"


def test_a_table_without_a_filter_shows_nothing(tenant: Tenant) -> None:
    everything = "SELECT count() FROM actors"
    assert tenant.scoped.query(everything) == [(0,)]
    assert tenant.engine.scoped({"actors": f"project = {tenant.project}"}).query(everything) == [(1,)]


def test_every_table_is_filtered_or_shows_nothing(either: Engine) -> None:
    made = either.query(
        "SELECT name, total_rows FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree'"
    )
    ours = {name for name, _ in made if not name.startswith("t_")}
    assert ours >= {"events", "rollups", "sessions", "actors"}
    assert set(tables()) >= ours
    for name in ours:
        assert either.scoped({}).query(f"SELECT count() FROM {name}") == [(0,)]


def test_every_table_function_of_readers_is_known(either: Engine) -> None:
    """One that a new version of the engine brings is looked at before it is let through."""
    open_ = {name.lower() for (name,) in either.query("SELECT name FROM system.table_functions WHERE allow_readonly")}
    assert open_ <= UNSEEN | _HARMLESS


def test_scopes_narrow_each_other(tenant: Tenant) -> None:
    quiz = "toString(props.quizId) = 'q0'"
    narrow = tenant.scoped.scoped({"events": quiz})
    assert narrow.query("SELECT count() FROM events") == [(2,)]
    assert narrow.query("SELECT count() FROM actors") == [(0,)]
    assert tenant.engine.scoped({"events": quiz}).scoped({}).query("SELECT count() FROM events") == [(0,)]


def test_values_stay_values(tenant: Tenant) -> None:
    every, of_project = "SELECT count() FROM events", "SELECT count() FROM events WHERE project = {p:UInt32}"
    for text in ("' OR 1=1 --", "\\' OR 1=1 --", "}", "{a:String}", "') OR 1 --", "%s", "%(a)s", "\\", "'", "q0', 'q1"):
        scoped = tenant.engine.scoped({"events": f"toString(props.quizId) IN ({literal(text)})"})
        assert scoped.query(of_project, {"p": tenant.project}) == [(0,)], text
        assert scoped.query(every) == [(0,)], text


def test_the_highest_actor_is_a_number(tenant: Tenant) -> None:
    tenant.engine.command(
        "INSERT INTO events (project, event, occurred_at, event_id, actor, expires_at) "
        "SELECT {p:UInt32}, 'answer', now64(3), 99, 18446744073709551615, now() + 1000000",
        {"p": tenant.project},
    )
    highest = tenant.engine.scoped({"events": f"project = {tenant.project} AND actor = {(1 << 64) - 1}"})
    assert highest.query("SELECT event_id FROM events") == [(99,)]
