"""The test server answers clickhouse-connect as a ClickHouse server does."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import clickhouse_connect
import pyarrow as pa
import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError, OperationalError
from clickhouse_connect.driver.summary import QuerySummary
from urllib3 import HTTPResponse

from tests.clickhouse_http import ClickHouseHttp

AWKWARD = "é 😀 ;\n\n;\nSELECT '\"`\\ FORMAT x\0\r\n--"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouseHttp]:
    with ClickHouseHttp(tmp_path_factory.mktemp("engine")) as running:
        yield running


@pytest.fixture
def client(server: ClickHouseHttp) -> Iterator[Client]:
    connected = connect(server)
    connected.command("DROP TABLE IF EXISTS t")
    yield connected
    connected.close()


def connect(server: ClickHouseHttp, **options: Any) -> Client:
    """A client with connections of its own, and no session."""
    options = {"autogenerate_session_id": False, "dedicated_pool": True, **options}
    return clickhouse_connect.get_client(dsn=server.url, **options)


def create(client: Client, columns: str, engine: str = "MergeTree", settings: str = "") -> None:
    client.command(f"CREATE TABLE t ({columns}) ENGINE = {engine} ORDER BY a {settings}")


def count(client: Client) -> Any:
    return client.command("SELECT count() FROM t")


def arrow(rows: int) -> pa.Table:
    return pa.table({"a": pa.array(range(rows), pa.uint32()), "b": [f"{n} {AWKWARD}" for n in range(rows)]})


@pytest.mark.parametrize("compress", [False, "lz4", "zstd", "gzip", "br"])
def test_types_round_trip(server: ClickHouseHttp, client: Client, compress: bool | str) -> None:
    create(client, "a UInt64, b UInt128, c String, d DateTime64(3), e LowCardinality(String), f Array(String)")
    row = (2**64 - 1, 2**128 - 1, AWKWARD, dt.datetime(2024, 2, 29, 1, 2, 3, 456000), "x", ["", AWKWARD])

    compressing = connect(server, compress=compress)
    compressing.insert("t", [row])

    assert compressing.query("SELECT * FROM t").result_rows == [row]
    compressing.close()


def test_json_column_round_trips(client: Client) -> None:
    create(client, "a UInt32, p JSON")
    client.insert("t", [[1, {"path": "/é", "n": 5, "deep": {"x": [1, 2]}}]])
    result = client.query("SELECT p, p.n.:Int64, p.deep.x FROM t").result_rows
    assert result == [({"path": "/é", "n": 5, "deep": {"x": [1, 2]}}, 5, [1, 2])]


def test_aggregate_state_is_stored_and_finalized(client: Client) -> None:
    create(client, "a UInt32, s AggregateFunction(groupBitmap, UInt32)")
    client.command("INSERT INTO t SELECT 1, groupBitmapState(toUInt32(number % 10)) FROM numbers(100)")
    assert client.command("SELECT finalizeAggregation(s) FROM t") == 10


@pytest.mark.parametrize("compress", [False, "lz4", "zstd"])
def test_insert_arrow(server: ClickHouseHttp, client: Client, compress: bool | str) -> None:
    create(client, "a UInt32, b String")
    compressing = connect(server, compress=compress)

    assert compressing.insert_arrow("t", arrow(2_000)).written_rows == 2_000

    stored = compressing.query_arrow("SELECT * FROM t ORDER BY a")
    assert stored.to_pydict() == arrow(2_000).to_pydict()
    compressing.close()


@pytest.mark.parametrize("fmt", ["Arrow", "ArrowStream", "JSONEachRow", "RowBinary"])
@pytest.mark.parametrize("where", ["url", "body"])
def test_insert_select_from_input(client: Client, fmt: str, where: str) -> None:
    create(client, "a UInt32, b String, c UInt8 DEFAULT 7")
    query = f"INSERT INTO t (a, b) SELECT a + 10, b FROM input('a UInt32, b String') FORMAT {fmt}"

    if where == "url":
        client.command(query, data=encoded(fmt, 3))
    else:
        client.raw_insert("", insert_block=f"{query}\n".encode() + encoded(fmt, 3))

    assert client.query("SELECT * FROM t ORDER BY a").result_rows == [(n + 10, f"{n} {AWKWARD}", 7) for n in range(3)]


@pytest.mark.parametrize("fmt", ["Arrow", "ArrowStream", "JSONEachRow", "RowBinary"])
def test_raw_insert(client: Client, fmt: str) -> None:
    create(client, "a UInt32, b String, c UInt8 DEFAULT 7")
    names, block = ["a", "b"], encoded(fmt, 3)

    client.raw_insert("t", names, block, fmt=fmt)
    client.raw_insert("t", names, (block[n : n + 10] for n in range(0, len(block), 10)), fmt=fmt)

    rows = client.query("SELECT * FROM t ORDER BY a").result_rows
    assert rows == [(n // 2, f"{n // 2} {AWKWARD}", 7) for n in range(6)]


def encoded(fmt: str, rows: int) -> bytes:
    """The rows of `arrow` in a format."""
    table = arrow(rows)
    if fmt == "JSONEachRow":
        return "\n".join(json.dumps(row) for row in table.to_pylist()).encode()
    if fmt == "RowBinary":
        return b"".join(
            row["a"].to_bytes(4, "little") + bytes([len(row["b"].encode())]) + row["b"].encode()
            for row in table.to_pylist()
        )
    sink = pa.BufferOutputStream()
    new = pa.ipc.new_file if fmt == "Arrow" else pa.ipc.new_stream
    with new(sink, table.schema) as writer:
        writer.write_table(table)
    block: bytes = sink.getvalue().to_pybytes()
    return block


def test_raw_query_and_raw_stream(client: Client) -> None:
    query = "SELECT number AS n FROM numbers(3)"
    assert client.raw_query(query) == b"0\n1\n2\n"
    assert client.raw_query(query, fmt="CSVWithNames") == b'"n"\n0\n1\n2\n'
    stream = client.raw_stream(query, fmt="JSONEachRow")
    assert isinstance(stream, HTTPResponse)
    assert stream.read() == b'{"n":0}\n{"n":1}\n{"n":2}\n'


def test_commands_tell_an_empty_result_from_none(client: Client) -> None:
    assert client.command("-- why\n/* not */ SELECT 1 WHERE 0") == ""
    assert isinstance(client.command("CREATE TABLE t (a UInt8) ENGINE = MergeTree ORDER BY a"), QuerySummary)
    assert client.query("SELECT a FROM t LIMIT 0").column_names == ("a",)
    assert client.query("SELECT a FROM t").result_rows == []


@pytest.mark.parametrize("length", [1, 10_000])
def test_parameters_are_bound_by_the_server(client: Client, length: int) -> None:
    values = {"n": 5, "s": AWKWARD * length, "l": ["a'b", AWKWARD], "d": dt.date(2024, 1, 2), "t": "numbers"}
    query = "SELECT {n:UInt32}, {s:String}, {l:Array(String)}, {d:Date} FROM system.{t:Identifier} LIMIT 1"
    assert client.query(query, parameters=values).result_rows == [tuple(values[k] for k in "nsld")]


def test_settings_are_for_one_query(client: Client) -> None:
    query = "SELECT getSetting('max_block_size')"
    before = client.command(query)
    assert client.command(query, settings={"max_block_size": 77}) == 77
    assert client.command(query) == before


def test_additional_table_filters(client: Client) -> None:
    create(client, "a UInt32, b String")
    client.insert("t", [[1, "x'"], [2, "y"]])
    filters = {"additional_table_filters": {"default.t": r"b = 'x\''"}}
    assert client.query("SELECT a FROM t", settings=filters).result_rows == [(1,)]
    assert count(client) == 2


def test_session_keeps_its_settings_and_temporary_tables(server: ClickHouseHttp) -> None:
    session = connect(server, session_id="one")
    session.command("SET max_block_size = 78")
    session.command("CREATE TEMPORARY TABLE mine (a UInt8)")
    assert session.command("SELECT getSetting('max_block_size')", settings={"max_block_size": 79}) == 79
    assert session.command("SELECT getSetting('max_block_size')") == 78
    assert session.command("SELECT count() FROM mine") == 0
    session.close()


@pytest.mark.parametrize(
    ("query", "code", "name"),
    [
        ("SELECT * FROM nowhere", 60, "UNKNOWN_TABLE"),
        ("SELEC 1", 62, "SYNTAX_ERROR"),
        ("SELECT throwIf(1)", 395, "FUNCTION_THROW_IF_VALUE_IS_NON_ZERO"),
        ("SELECT {missing:UInt8}", 456, "UNKNOWN_QUERY_PARAMETER"),
        ("INSERT INTO nowhere VALUES (1)", 60, "UNKNOWN_TABLE"),
        ("INSERT INTO system.one FORMAT JSONEachRow {", 48, "NOT_IMPLEMENTED"),
    ],
)
def test_errors_carry_their_code(client: Client, query: str, code: int, name: str) -> None:
    with pytest.raises(DatabaseError, match=f"code: {code}, server response: Code: {code}.") as raised:
        client.command(query)
    assert (raised.value.code, raised.value.name) == (code, name)


def test_unknown_setting_is_an_error(client: Client) -> None:
    with pytest.raises(DatabaseError, match="UNKNOWN_SETTING"):
        client.command("SELECT 1", settings={"no_such_setting": 1})


def test_bad_data_inserts_nothing(client: Client) -> None:
    create(client, "a UInt32")
    with pytest.raises(DatabaseError, match="CANNOT_PARSE"):
        client.raw_insert("t", ["a"], b'{"a":1}\n{"a":"x"}', fmt="JSONEachRow")
    assert count(client) == 0


def test_deduplication_token(client: Client) -> None:
    create(client, "a UInt32, b String", settings="SETTINGS non_replicated_deduplication_window = 100")
    query = "INSERT INTO t SELECT * FROM input('a UInt32, b String') FORMAT Arrow"
    for number, token in enumerate(["one", "one", "two"]):
        settings = {"insert_deduplication_token": f"{token} of insert_arrow"}
        client.insert_arrow("t", arrow(5 + number), settings=settings)
        settings = {"insert_deduplication_token": f"{token} of input"}
        client.command(query, data=encoded("Arrow", 10 + number), settings=settings)
    assert count(client) == (5 + 10) + (7 + 12)


def test_replacing_merge_tree_final(client: Client) -> None:
    create(client, "a UInt32, v UInt32", engine="ReplacingMergeTree(v)")
    client.insert("t", [[1, 1], [2, 1]])
    client.insert("t", [[1, 2]])
    assert client.query("SELECT * FROM t FINAL ORDER BY a").result_rows == [(1, 2), (2, 1)]


def test_eight_threads(server: ClickHouseHttp, client: Client) -> None:
    create(client, "a UInt32, b String")

    def work(thread: int) -> int:
        mine = connect(server)
        for _ in range(5):
            mine.insert_arrow("t", arrow(10), settings={"max_block_size": 1_000 + thread})
            mine.query("SELECT count() FROM t")
        seen = mine.command("SELECT getSetting('max_threads')", settings={"max_threads": thread + 1})
        mine.close()
        return int(str(seen))

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(work, range(8))) == [1, 2, 3, 4, 5, 6, 7, 8]
    assert count(client) == 400


def test_refused_inserts(server: ClickHouseHttp, client: Client) -> None:
    create(client, "a UInt32, b String")
    server.refuse_inserts()
    with pytest.raises(OperationalError, match="TABLE_IS_READ_ONLY"):
        client.insert_arrow("t", arrow(1))
    assert count(client) == 0
    server.refuse_inserts(False)
    client.insert_arrow("t", arrow(1))
    assert count(client) == 1


def test_crash_after_insert(server: ClickHouseHttp, client: Client) -> None:
    create(client, "a UInt32, b String", settings="SETTINGS non_replicated_deduplication_window = 100")
    again = {"insert_deduplication_token": "again"}
    server.crash_after_insert()
    with pytest.raises(OperationalError):
        client.insert_arrow("t", arrow(3), settings=again)
    assert count(client) == 3
    client.insert_arrow("t", arrow(3), settings=again)
    assert count(client) == 3


def test_outages(tmp_path: Path) -> None:
    with ClickHouseHttp(tmp_path) as server:
        client = connect(server, connect_timeout=1, send_receive_timeout=1)
        create(client, "a UInt32, b String", settings="SETTINGS fsync_after_insert = 1, fsync_part_directory = 1")
        client.insert_arrow("t", arrow(3))

        server.stop()
        assert not client.ping(0.2)
        server.resume()
        assert client.ping()

        server.kill()
        assert not client.ping()
        with pytest.raises(OperationalError):
            client.insert_arrow("t", arrow(3))

        server.start()
        assert count(client) == 3
        client.close()


def test_a_directory_has_one_server(server: ClickHouseHttp) -> None:
    with pytest.raises(RuntimeError, match="did not start"):
        ClickHouseHttp(server.path).start()
