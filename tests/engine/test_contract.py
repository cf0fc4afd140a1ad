"""What both engines promise: the same statements, the same answers, the same errors."""

import secrets
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from tallymark.engine.base import Engine
from tallymark.engine.connections import table_of
from tallymark.engine.refused import EngineRefused
from tallymark.engine.schema import migrate, migrations
from tallymark.engine.server import ServerEngine
from tallymark.errors import EngineUnavailable
from tallymark.ingest.spool import Spool
from tallymark.ingest.store import Store
from tallymark.spec.condition import Op
from tallymark.spec.metric import Newcomers
from tallymark.spec.query import Clause, Filter, Query
from tallymark.spec.window import Grain, Window
from tests.clickhouse_http import ClickHouseHttp

AWKWARD = "é 😀 日本 ;\n\n;\nSELECT '\"`\\ FORMAT x\0\r\n--\t{a:String} %s"

FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:127.0) Gecko/20100101 Firefox/127.0"

#: The latest day of the tests' events.
DAY = date(2026, 3, 10)


@pytest.fixture
def table(either: Engine) -> Iterator[Callable[..., str]]:
    """Makes tables that no other test has."""
    made: list[str] = []

    def make(columns: str, more: str = "MergeTree ORDER BY a") -> str:
        name = f"t_{secrets.token_hex(6)}"
        either.command(f"CREATE TABLE {name} ({columns}) ENGINE = {more}")
        made.append(name)
        return name

    yield make
    for name in made:
        either.command(f"DROP TABLE {name}")


def numbers(*values: int) -> pa.Table:
    return pa.table({"a": pa.array(values, pa.uint32())})


def test_it_answers(either: Engine) -> None:
    either.ping()
    assert either.query("SELECT 1 AS a, 'b' AS b, NULL AS c") == [(1, "b", None)]
    assert list(either.query("SELECT 1 WHERE 0")) == []


def test_types_come_as_pythons(either: Engine) -> None:
    (row,) = either.query(
        "SELECT toUInt64(18446744073709551615), toInt128('-170141183460469231731687303715884105728'), "
        "toFloat64(0.1), toDate('2026-03-10'), toDateTime64('2026-03-10 01:02:03.456', 3, 'UTC'), [1, 2], "
        "(1, 'a'), map('k', 1), true, toLowCardinality('x'), toInt256('-5')"
    )
    at = datetime(2026, 3, 10, 1, 2, 3, 456_000)
    assert [v.replace(tzinfo=None) if isinstance(v, datetime) else v for v in row] == [
        2**64 - 1, -(2**127), 0.1, date(2026, 3, 10), at, [1, 2], (1, "a"), {"k": 1}, True, "x", -5,
    ]  # fmt: skip


def test_many_rows_come_as_columns(either: Engine) -> None:
    sql = (
        "SELECT number AS n, toLowCardinality(concat({text:String}, toString(number % 3))) AS s, "
        "if(number % 2 = 0, number / 4, NULL) AS x, toDate('2026-03-10') AS d, "
        "fromUnixTimestamp64Milli(toInt64(number), 'UTC') AS t FROM numbers(100000) ORDER BY n"
    )
    table = either.read(sql, {"text": AWKWARD})
    assert table.schema.names == ["n", "s", "x", "d", "t"]
    assert table.column("n").to_pylist() == list(range(100_000))
    assert table.slice(99_998).to_pylist() == [
        {"n": n, "s": f"{AWKWARD}{n % 3}", "x": None if n % 2 else n / 4, "d": DAY,
         "t": datetime.fromtimestamp(n / 1000, UTC)}
        for n in (99_998, 99_999)
    ]  # fmt: skip
    assert table.schema.field("t").type == pa.timestamp("ms", "UTC")


def test_no_rows_come_as_columns(either: Engine) -> None:
    table = either.read("SELECT toUInt64(1) AS a, 'x' AS b WHERE 0")
    assert table.num_rows == 0
    assert table.schema.names == ["a", "b"]
    assert table.schema.types == [pa.uint64(), pa.string()]


def test_an_answer_that_breaks_off_is_none() -> None:
    """Wherever it does, and whatever the engine says then."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, numbers().schema) as writer:
        for first in range(3):
            writer.write_table(numbers(first, first + 1))
    whole = bytes(sink.getvalue())
    assert table_of(whole).num_rows == 6
    for end in range(len(whole)):
        for said in (b"", b"Code: 241. DB::Exception: Memory limit exceeded"):
            with pytest.raises(EngineUnavailable, match="broke off"):
                table_of(whole[:end] + said)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("String", AWKWARD), ("String", ""), ("String", AWKWARD * 5_000), ("UInt64", 2**64 - 1), ("Int64", -(2**63)),
        ("Float64", 1.5), ("Date", date(2026, 3, 10)), ("Array(String)", [AWKWARD, "", "it's"]),
        ("Array(UInt64)", [1, 2**64 - 1]), ("Array(Date)", [date(2026, 3, 10), date(1970, 1, 1)]),
        ("Array(UInt32)", []), ("Nullable(String)", None),
    ],
    ids=lambda value: str(value)[:20].encode("ascii", "replace").decode(),
)  # fmt: skip
def test_parameters_arrive_as_they_are(either: Engine, kind: str, value: Any) -> None:
    assert either.query(f"SELECT {{p:{kind}}}", {"p": value}) == [(value,)]


def test_parameters_of_commands_and_tables(either: Engine, table: Callable[..., str]) -> None:
    name = table("a UInt32, s String")
    insert = f"INSERT INTO {name} SELECT {{n:UInt32}}, {{s:String}}"
    either.command(insert, {"n": 7, "s": AWKWARD, "unused": date(2026, 3, 10)})
    assert either.query(f"SELECT a, s FROM {name}") == [(7, AWKWARD)]


def test_an_insert_is_there_on_return(either: Engine, table: Callable[..., str]) -> None:
    name = table("a UInt32, s String, n Nullable(Float64), t DateTime64(3, 'UTC'), d Date, other UInt8 DEFAULT 7")
    at = datetime(2026, 3, 10, 1, 2, 3, 456_000)
    rows = pa.table(
        {
            "s": [AWKWARD, ""],
            "a": pa.array([1, 2**32 - 1], pa.uint32()),
            "n": pa.array([0.1, None], pa.float64()),
            "t": pa.array([at, at], pa.timestamp("ms", "UTC")),
            "d": pa.array([date(2026, 3, 10), date(1970, 1, 1)], pa.date32()),
        }
    )
    either.insert(name, rows)
    found = either.query(f"SELECT a, s, n, toUnixTimestamp64Milli(t), d, other FROM {name} ORDER BY a")
    ms = int(at.replace(tzinfo=UTC).timestamp() * 1000)
    assert list(found) == [
        (1, AWKWARD, 0.1, ms, date(2026, 3, 10), 7),
        (2**32 - 1, "", None, ms, date(1970, 1, 1), 7),
    ]


def test_a_token_writes_once(either: Engine, table: Callable[..., str]) -> None:
    name = table("a UInt32", "MergeTree ORDER BY a SETTINGS non_replicated_deduplication_window = 100")
    either.insert(name, numbers(1, 2), "one")
    either.insert(name, numbers(1, 2), "one")
    either.insert(name, numbers(1, 2), "two")
    either.insert(name, numbers(3))
    either.insert(name, numbers(3), None)
    assert either.query(f"SELECT a, count() FROM {name} GROUP BY a ORDER BY a") == [(1, 2), (2, 2), (3, 1)]


def test_a_token_of_rows_in_several_partitions(either: Engine, table: Callable[..., str]) -> None:
    settings = "SETTINGS non_replicated_deduplication_window = 100"
    name = table("a UInt32", f"MergeTree PARTITION BY a % 3 ORDER BY a {settings}")
    for _ in range(3):
        either.insert(name, numbers(*range(9)), "token")
    assert either.query(f"SELECT count() FROM {name}") == [(9,)]


def test_events_take_a_token(either: Engine) -> None:
    """The real table: a batch that is replayed goes in once."""
    project = secrets.randbits(31)
    rows = pa.table(
        {
            "project": pa.array([project] * 2, pa.uint32()),
            "event": ["x", "y"],
            "occurred_at": pa.array([1_700_000_000_000, 1_710_000_000_000], pa.timestamp("ms", "UTC")),
            "received_at": pa.array([1_710_000_000_000] * 2, pa.timestamp("ms", "UTC")),
            "event_id": pa.array([1, 2], pa.uint64()),
            "props": ['{"a": 1}', "{}"],
            "expires_at": pa.array([4_000_000_000] * 2, pa.uint32()),
        }
    )
    for _ in range(2):
        either.insert("events", rows, f"{project}")
    count = "SELECT count() FROM events WHERE project = {project:UInt32}"
    assert either.query(count, {"project": project}) == [(2,)]


def test_json_columns(either: Engine, table: Callable[..., str]) -> None:
    name = table("a UInt32, p JSON(max_dynamic_paths = 4)")
    props = ['{"plan": "é", "deep": {"n": 1.5, "list": [1, 2]}, "yes": true}', "{}", '{"plan": 7, "a b": "it\'s"}']
    props += [f'{{"many{n}": {n}}}' for n in range(20)]
    either.insert(name, numbers(*range(len(props))).append_column("p", pa.array(props)))
    found = either.query(
        f"SELECT toString(p.plan), toFloat64OrNull(toString(p.deep.n)), toString(p.yes), toString(p.`a b`) "
        f"FROM {name} WHERE a < 3 ORDER BY a"
    )
    assert list(found) == [("é", 1.5, "true", ""), ("", None, "", ""), ("7", None, "", "it's")]
    assert either.query(f"SELECT sum(toInt64OrZero(toString(p.many19))) FROM {name}") == [(19,)]


def test_bitmaps(either: Engine, table: Callable[..., str]) -> None:
    name = table("a UInt32, s AggregateFunction(groupBitmap, UInt32)")
    for first in (0, 50):
        either.command(
            f"INSERT INTO {name} SELECT {{first:UInt32}}, groupBitmapState(toUInt32(number + {{first:UInt32}})) "
            "FROM numbers(100)",
            {"first": first},
        )
    assert either.query(f"SELECT groupBitmapMerge(s) FROM {name}") == [(150,)]
    both = (
        "SELECT bitmapAndCardinality((SELECT groupBitmapMergeState(s) FROM {t} WHERE a = 0), "
        "(SELECT groupBitmapMergeState(s) FROM {t} WHERE a = 50))"
    )
    assert either.query(both.replace("{t}", name)) == [(50,)]


def test_replacing_rows(either: Engine, table: Callable[..., str]) -> None:
    name = table("a UInt32, v UInt64", "ReplacingMergeTree(v) ORDER BY a")
    for version in (1, 3, 2):
        either.insert(name, numbers(1).append_column("v", pa.array([version], pa.uint64())))
    assert either.query(f"SELECT v FROM {name} FINAL") == [(3,)]


@pytest.mark.parametrize(
    ("columns", "rows"),
    [
        ("a UInt32, p JSON", numbers(1).append_column("p", pa.array(["no json"]))),
        ("a UInt32, p JSON", numbers(1).append_column("p", pa.array(['{"a": 1, "a": {"b": 2}}']))),
        ("a UInt32, n UInt8", numbers(1).append_column("n", pa.array(["many"]))),
    ],
)
def test_rows_that_it_cannot_represent(either: Engine, table: Callable[..., str], columns: str, rows: pa.Table) -> None:
    """They are told from other faults, and nothing of their batch is written."""
    name = table(columns)
    with pytest.raises(EngineRefused) as refused:
        either.insert(name, rows)
    assert refused.value.about_data
    assert either.query(f"SELECT count() FROM {name}") == [(0,)]


@pytest.mark.parametrize(
    "sql", ["SELECT * FROM nowhere", "SELEC 1", "SELECT {missing:UInt8}", "SELECT throwIf(1)", "SELECT no_such(1)"]
)
def test_statements_that_it_refuses(either: Engine, sql: str) -> None:
    with pytest.raises(EngineRefused) as refused:
        either.query(sql)
    assert not refused.value.about_data
    with pytest.raises(EngineRefused):
        either.command(sql)
    with pytest.raises(EngineRefused):
        either.read(sql)
    assert either.query("SELECT 42") == [(42,)]


@pytest.mark.parametrize("method", ["query", "read", "command"])
def test_a_failed_answer_leaves_nothing_behind(either: Engine, method: str) -> None:
    """A statement that fails when part of its answer is there: the next one gives its own answer alone."""
    for rows in (10, 200_000):
        sql = f"SELECT throwIf(number = {rows - 1}) FROM numbers({rows})"
        with pytest.raises(EngineRefused):
            getattr(either, method)(sql)
        assert either.query("SELECT 42") == [(42,)]
        assert either.query("SELECT 43") == [(43,)]


def test_a_table_that_is_not_there_is_no_fault_of_the_data(either: Engine) -> None:
    with pytest.raises(EngineRefused) as refused:
        either.insert("nowhere", numbers(1))
    assert not refused.value.about_data


def test_an_error_is_one_line(either: Engine) -> None:
    with pytest.raises(EngineRefused) as refused:
        either.query("SELECT * FROM nowhere")
    assert "nowhere" in refused.value.message
    assert "\n" not in refused.value.message


def test_any_thread_may_ask(either: Engine, table: Callable[..., str]) -> None:
    name = table("a UInt32")
    barrier = threading.Barrier(8)

    def work(thread: int) -> Any:
        barrier.wait()
        for place in range(5):
            either.insert(name, numbers(thread * 5 + place))
        return either.query("SELECT {n:UInt32}", {"n": thread})[0][0]

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(work, range(8))) == list(range(8))
    assert either.query(f"SELECT count(), uniqExact(a) FROM {name}") == [(40, 40)]


def test_sessions_run_in_utc(either: Engine) -> None:
    assert either.query("SELECT toString(toDateTime(0)), timezone()") == [("1970-01-01 00:00:00", "UTC")]


def test_migrations_run_once(either: Engine) -> None:
    names = [name for name, _ in migrations()]
    assert names == sorted(names)
    assert migrate(either) == []
    assert [row[0] for row in either.query("SELECT name FROM migrations ORDER BY name")] == names


def test_a_migration_that_was_cut_off_is_run_again(either: Engine) -> None:
    """Killed after its statements and before its name was noted: its statements run twice."""
    last = migrations()[-1][0]
    forget = "ALTER TABLE migrations DELETE WHERE name = {name:String} SETTINGS mutations_sync = 2"
    either.command(forget, {"name": last})
    assert migrate(either) == [last]
    assert migrate(either) == []


def visits(seed: int) -> list[dict[str, Any]]:
    """Five days of visits with everything that metrics look at: bots, repeats, late events, unicode."""
    midnight = datetime(DAY.year, DAY.month, DAY.day, tzinfo=UTC)
    events = []
    for number in range(300):
        n = number * 7919 + seed
        at = midnight - timedelta(days=n % 5) + timedelta(seconds=(n * 37) % 86_400)
        events.append(
            {
                "event": "page_view" if n % 4 else "sign_up",
                "timestamp": at.isoformat(),
                "eventId": f"{seed}-{number % 280}",
                "visitorId": f"v{n % 40}",
                "value": n % 11 / 4,
                "url": f"https://shop.example/é/{n % 9}?utm_source=s{n % 3}&utm_medium=cpc",
                "referrer": ["", "https://www.google.com/", "https://news.example/"][n % 3],
                "properties": {"lcpMs": n % 4_000, "plan": ["pro", "frei é"][n % 2]},
                "userAgent": "Googlebot/2.1" if n % 17 == 0 else FIREFOX,
            }
        )
    return events


def questions(world: Any) -> Iterator[Query]:
    """Every metric, in every way of asking."""
    metrics = tuple(sorted(world.catalog.only(world.project.packs).metrics))
    window = Window(DAY - timedelta(days=3), DAY, "UTC", Grain.DAY)
    yield Query(metrics, window, window.before())
    yield Query(metrics, window, exact=True)
    yield Query(metrics, replace(window, timezone="Asia/Kolkata"))
    yield Query(("events", "visitors", "sessions"), window, by="source")
    plain = tuple(m for m in metrics if not isinstance(world.catalog.metrics[m].formula, Newcomers))
    filtered = Filter(((Clause("source", Op.IS, ("s1", "s2")),),))
    yield Query(tuple(m for m in plain if not m.endswith(("_p75", "_p95"))), window, filter=filtered)


def test_the_whole_pipeline_gives_the_same_numbers(
    world: Callable[..., Any], served: Engine, workers: Executor, tmp_path: Path
) -> None:
    """Events in, refreshed, asked for: the served engine says what the embedded one says."""
    here = world()
    there = replace(here, engine=served, store=Store(served, Spool(tmp_path), 1 << 30))
    now = datetime(DAY.year, DAY.month, DAY.day, 23, tzinfo=UTC)
    for seed in (1, 2):
        for each in (here, there):
            assert each.send(visits(seed), now) == []
        assert here.settle() == there.settle()
        for query in questions(here):
            answer = here.ask(query)
            assert answer == there.ask(query)
            assert any(metric["value"] for metric in answer["metrics"].values())


def test_a_server_that_is_away(clickhouse: ClickHouseHttp) -> None:
    """It is unavailable, whatever is asked, and the same object works when it is back."""
    engine = ServerEngine(clickhouse.url)
    engine.ping()
    clickhouse.kill()
    try:
        for call in calls(engine):
            with pytest.raises(EngineUnavailable, match="can't be reached"):
                call()
    finally:
        clickhouse.start()
    engine.ping()
    engine.close()


def test_a_server_that_was_never_there(tmp_path: Path) -> None:
    with ClickHouseHttp(tmp_path) as gone:
        url = gone.url
    engine = ServerEngine(url)
    for call in calls(engine):
        with pytest.raises(EngineUnavailable, match="can't be reached"):
            call()
    engine.close()


def test_a_server_that_refuses_inserts_is_away(clickhouse: ClickHouseHttp, served: Engine) -> None:
    clickhouse.refuse_inserts()
    try:
        with pytest.raises(EngineUnavailable):
            served.insert("marks", marks())
    finally:
        clickhouse.refuse_inserts(False)
    served.insert("marks", marks())


def test_a_server_that_hangs_up_is_away(clickhouse: ClickHouseHttp, served: Engine) -> None:
    """The client tries an insert twice by itself; with a token that is no harm."""
    count, project = "SELECT sum(n) FROM rejections WHERE project = {project:UInt32}", secrets.randbits(31)
    refusals = pa.table({"project": pa.array([project], pa.uint32()), "n": pa.array([5], pa.uint64())})
    clickhouse.crash_after_insert(1)
    served.insert("rejections", refusals, f"{project}")
    clickhouse.crash_after_insert(2)
    with pytest.raises(EngineUnavailable):
        served.insert("rejections", refusals, f"{project}")
    clickhouse.crash_after_insert(0)
    assert served.query(count, {"project": project}) == [(5,)]


def test_a_command_is_never_tried_twice(clickhouse: ClickHouseHttp, served: Engine) -> None:
    """An INSERT … SELECT whose answer is lost would count twice."""
    project = secrets.randbits(31)
    clickhouse.crash_after_insert(1)
    with pytest.raises(EngineUnavailable):
        served.command("INSERT INTO rejections (project, n) SELECT {project:UInt32}, 5", {"project": project})
    count = "SELECT sum(n) FROM rejections WHERE project = {project:UInt32}"
    assert served.query(count, {"project": project}) == [(5,)]


def calls(engine: Engine) -> list[Callable[[], object]]:
    return [
        engine.ping,
        lambda: engine.query("SELECT 1"),
        lambda: engine.read("SELECT 1"),
        lambda: engine.command("DROP TABLE IF EXISTS nothing"),
        lambda: engine.insert("marks", marks(), "token"),
        lambda: migrate(engine),
    ]


def marks() -> pa.Table:
    project = pa.array([secrets.randbits(31)], pa.uint32())
    return pa.table({"project": project, "day": pa.array([DAY], pa.date32()), "reason": ["test"]})
