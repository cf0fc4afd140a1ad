"""From rows of files to events: what columns become, what is absent, and which rows are the same event."""

import csv
import gzip
import io
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallymark.errors import BadRequest
from tallymark.ingest.decode import decode
from tallymark.ingest.log_events import Numbered
from tallymark.ingest.tables import FIELDS, Columns, Times, read_csv, read_jsonl, read_parquet
from tallymark.spec.event import Reason

QUIZ = {"event": "quiz_submitted"}


def from_csv(text: str, columns: Columns | None = None, **options: Any) -> list[Numbered]:
    return list(read_csv(io.BytesIO(text.encode()), columns or Columns(constants=QUIZ), **options))


def from_jsonl(*rows: object, columns: Columns | None = None) -> list[dict[str, Any]]:
    lines = [msgspec.json.encode(row) + b"\n" for row in rows]
    return [event for _, event in read_jsonl(lines, columns) if event is not None]


def from_parquet(path: Path, table: dict[str, Any], columns: Columns | None = None) -> list[dict[str, Any]]:
    pq.write_table(pa.table(table), path / "t.parquet")
    with (path / "t.parquet").open("rb") as file:
        return events(list(read_parquet(file, columns or Columns(constants=QUIZ))))


def events(read: list[Numbered]) -> list[dict[str, Any]]:
    return [event for _, event in read if event is not None]


def reasons(*wires: dict[str, Any]) -> list[Reason]:
    """Why the pipeline's decoder refuses them."""
    return [r.reason for r in decode(b"\n".join(map(msgspec.json.encode, wires)), ndjson=True).rejections]


def test_columns_become_what_they_are_mapped_to() -> None:
    columns = Columns(
        {
            "event": "event_type",
            "timestamp": "ts",
            "visitorId": "user",
            "value": "score",
            "properties.plan": "plan_name",
        }
    )
    text = "event_type,ts,user,score,plan_name,note\nopened,2014-03-01T10:00:00Z,007,3.5,pro,hi\n"
    ((number, event),) = from_csv(text, columns)
    assert event is not None
    assert event.pop("eventId")
    assert number == 2
    assert event == {
        "event": "opened",
        "timestamp": 1393668000.0,
        "visitorId": "007",
        "value": 3.5,
        "properties": {"plan": "pro", "note": "hi"},
    }


def test_a_column_named_like_a_field_is_that_field() -> None:
    (event,) = events(from_csv("event,visitorId,url\nopened,a,/x\n", Columns()))
    assert (event["event"], event["visitorId"], event["url"]) == ("opened", "a", "/x")


def test_a_column_named_like_a_field_that_is_given_otherwise_is_a_property() -> None:
    columns = Columns({"event": "kind"}, {"value": "1"})
    (event,) = events(from_csv("event,kind,value\nopened,click,5\n", columns))
    assert (event["event"], event["value"]) == ("click", 1)
    assert event["properties"] == {"event": "opened", "value": 5}


def test_one_column_may_be_several_fields() -> None:
    columns = Columns({"userId": "user", "properties.user": "user"}, QUIZ)
    (event,) = events(from_csv("user\n12\n", columns))
    assert (event["userId"], event["properties"]) == ("12", {"user": 12})


def test_constants_win_and_are_read_like_cells() -> None:
    columns = Columns({}, QUIZ | {"timestamp": "2014-10-01", "value": "2", "properties.n": "7", "properties.t": "x"})
    (event,) = events(from_csv("n,m\n1,2\n", columns))
    assert (event["timestamp"], event["value"]) == (1412121600.0, 2)
    assert event["properties"] == {"n": 7, "t": "x", "m": 2}


def test_unmapped_columns_can_be_left_out() -> None:
    (event,) = events(from_csv("user,a\nx,1\n", Columns({"userId": "user"}, QUIZ, drop_unmapped=True)))
    assert "properties" not in event


def test_empty_cells_are_absent() -> None:
    (event,) = events(from_csv('userId,value,a,b\n,"",,x\n'))
    assert sorted(event) == ["event", "eventId", "properties"]
    assert event["properties"] == {"b": "x"}


@pytest.mark.parametrize(
    ("cell", "read"),
    [
        ("0", 0), ("12", 12), ("-3", -3), ("1.50", 1.5), ("-0.25", -0.25),
        ("999999999999999", 999999999999999),
        ("007", "007"), ("00.5", "00.5"), ("1e3", "1e3"), (".5", ".5"), ("1.", "1."), ("+1", "+1"),
        (" 1", " 1"),
        ("12345678901234567", "12345678901234567"),
        ("0.12345678901234567", "0.12345678901234567"),
        ("1,000", "1,000"), ("١٢", "١٢"), ("nan", "nan"), ("True", "True"),
    ],
)  # fmt: skip
def test_plain_numbers_become_numbers(cell: str, read: object) -> None:
    (event,) = events(from_csv(f'a\n"{cell}"\n'))
    assert event["properties"] == {"a": read}
    assert type(event["properties"]["a"]) is type(read)


@pytest.mark.parametrize(
    ("cell", "value"),
    [("78", 78), ("07", 7), (" 3.5 ", 3.5), ("1e3", 1000), ("True", 1), ("false", 0)],
)
def test_a_value_is_a_number_or_true_or_false(cell: str, value: float) -> None:
    (event,) = events(from_csv(f"value\n{cell}\n"))
    assert event["value"] == value


@pytest.mark.parametrize("cell", ["x", "1_000", "nan", "inf", "3;5"])
def test_a_value_that_is_no_number_is_refused(cell: str) -> None:
    assert reasons(*events(from_csv(f"value\n{cell}\n"))) == [Reason.BAD_VALUE]


@pytest.mark.parametrize(
    ("cell", "times", "moment"),
    [
        ("2014-03-01", Times(), datetime(2014, 3, 1, tzinfo=UTC)),
        ("20140301", Times(), datetime(2014, 3, 1, tzinfo=UTC)),
        ("2014-03-01 10:20:30.5", Times(), datetime(2014, 3, 1, 10, 20, 30, 500_000, UTC)),
        ("2014-03-01T10:20:30+02:00", Times(), datetime(2014, 3, 1, 8, 20, 30, tzinfo=UTC)),
        ("1393668000", Times(), datetime(2014, 3, 1, 10, tzinfo=UTC)),
        ("1393668000.25", Times(), datetime(2014, 3, 1, 10, 0, 0, 250_000, UTC)),
        ("01/03/14 10h", Times("%d/%m/%y %Hh"), datetime(2014, 3, 1, 10, tzinfo=UTC)),
        ("18", Times(day_zero=date(2014, 10, 1)), datetime(2014, 10, 19, tzinfo=UTC)),
        ("-3", Times(day_zero=date(2014, 10, 1)), datetime(2014, 9, 28, tzinfo=UTC)),
    ],
)
def test_times(cell: str, times: Times, moment: datetime) -> None:
    (event,) = events(from_csv(f"timestamp\n{cell}\n", Columns(constants=QUIZ, times=times)))
    assert event["timestamp"] == moment.timestamp()


def test_milliseconds_stay_milliseconds() -> None:
    (event,) = events(from_csv("timestamp\n1393668000123\n"))
    assert event["timestamp"] == 1393668000123


@pytest.mark.parametrize("cell", ["18", "2014", "yesterday", "2014-02-30", "2014-03-01T25:00:00Z", "-5"])
def test_what_is_no_time_is_refused(cell: str) -> None:
    assert reasons(*events(from_csv(f"timestamp\n{cell}\n"))) == [Reason.BAD_TIMESTAMP]


def test_a_time_in_another_format_is_refused() -> None:
    columns = Columns(constants=QUIZ, times=Times("%d.%m.%Y"))
    assert reasons(*events(from_csv("timestamp\n1/3/2014\n", columns))) == [Reason.BAD_TIMESTAMP]


def test_a_row_with_another_number_of_cells_is_malformed_alone() -> None:
    read = from_csv("a,b\n1,2\n3\n\n4,5\n6,7,8\n9,10\n")
    assert sorted((number, event is None) for number, event in read) == [
        (2, False), (3, True), (4, False), (5, True), (6, False)
    ]  # fmt: skip


def test_another_delimiter() -> None:
    (event,) = events(from_csv("a;b\n1,5;x\n", delimiter=";"))
    assert event["properties"] == {"a": "1,5", "b": "x"}


@pytest.mark.parametrize("text", ["", "a,b\n", "a,b"])
def test_a_file_without_rows_has_no_events(text: str) -> None:
    assert from_csv(text) == []


def test_a_byte_order_mark_is_no_part_of_the_header() -> None:
    (event,) = events(from_csv("\ufeffa\nx\n"))
    assert event["properties"] == {"a": "x"}


@pytest.mark.parametrize("raw", [b"a\n\xff\n", b"\xff\n1\n"])
def test_what_is_no_utf_8_is_refused(raw: bytes) -> None:
    with pytest.raises(BadRequest, match="UTF-8"):
        list(read_csv(io.BytesIO(raw), Columns(constants=QUIZ)))


def test_a_mapped_column_has_to_exist() -> None:
    with pytest.raises(BadRequest, match="'score'") as refused:
        from_csv("a,b\n1,2\n", Columns({"value": "score"}, QUIZ))
    assert refused.value.allowed == ["a", "b"]


def test_an_event_needs_a_name() -> None:
    with pytest.raises(BadRequest, match="--set event"):
        from_csv("a,b\n1,2\n", Columns())


def test_columns_have_names_of_their_own() -> None:
    with pytest.raises(BadRequest, match="'a'"):
        from_csv("a,a\n1,2\n")


@pytest.mark.parametrize("name", ["visitor", "properties.", "", "Event"])
def test_a_field_has_to_exist(name: str) -> None:
    with pytest.raises(BadRequest) as refused:
        Columns({name: "a"})
    assert refused.value.allowed == [*FIELDS, "properties.NAME"]
    with pytest.raises(BadRequest):
        Columns({}, {name: "a"})


CELLS = st.text(st.characters(exclude_categories=["Cs"]))


@given(st.lists(st.tuples(CELLS, CELLS, CELLS)))
def test_any_cells_come_back(rows: list[tuple[str, str, str]]) -> None:
    written = io.StringIO(newline="")
    csv.writer(written, quoting=csv.QUOTE_ALL).writerows([("a", "b", "c"), *rows])
    read = events(from_csv(written.getvalue()))
    assert len({event["eventId"] for event in read}) == len(rows)
    assert reasons(*read) == []
    for event, row in zip(read, rows, strict=True):
        cells = {name: cell for name, cell in zip("abc", row, strict=True) if cell}
        properties = event.get("properties", {})
        assert properties.keys() == cells.keys()
        for name, cell in cells.items():
            assert properties[name] == (cell if isinstance(properties[name], str) else float(cell))


@given(st.lists(st.sampled_from(["x", "y", "z"])))
def test_equal_rows_are_distinct_and_a_file_read_twice_is_the_same(cells: list[str]) -> None:
    def identities() -> list[str]:
        return [event["eventId"] for event in events(from_csv("\n".join(["a", *cells])))]

    assert len(set(identities())) == len(cells)
    assert identities() == identities()


def test_an_id_of_its_own_is_kept() -> None:
    (event,) = events(from_csv("n,a\n17,x\n", Columns({"eventId": "n"}, QUIZ)))
    assert event["eventId"] == "17"


def test_the_map_is_no_part_of_a_rows_identity_but_constants_are() -> None:
    def identity(columns: Columns) -> str:
        (event,) = events(from_csv("a,b\n1,2\n", columns))
        return str(event["eventId"])

    plain = identity(Columns(constants=QUIZ))
    assert identity(Columns({"value": "a"}, QUIZ)) == plain
    assert identity(Columns(constants=QUIZ | {"properties.part": "2"})) != plain


def test_json_lines_that_are_events_stay_as_they_are() -> None:
    row = {
        "event": "opened",
        "eventId": "e1",
        "timestamp": 5,
        "visitorId": "a",
        "properties": {"x": [1, {"y": None}]},
    }
    assert from_jsonl(row) == [row]


def test_json_lines_without_an_id_get_one() -> None:
    first, second, named = from_jsonl({"event": "a"}, {"event": "a"}, {"event": "a", "eventId": "e"})
    assert (first["event"], named["eventId"]) == ("a", "e")
    assert first["eventId"] != second["eventId"]


def test_json_lines_that_are_no_objects_are_malformed() -> None:
    lines = [
        b'{"event": "a"}\n',
        b"\n",
        b"[1]\n",
        b'{"event": \n',
        b"\xff\n",
        b"[" * 100_000,
        b'{"event": "b"}',
    ]
    read = list(read_jsonl(lines))
    assert [number for number, event in read if event is None] == [3, 4, 5, 6]
    assert len(read) == 6


def test_json_lines_are_mapped_by_dotted_paths() -> None:
    columns = Columns({"event": "type", "url": "context.page.url", "userId": "id"}, drop_unmapped=True)
    row = {"type": "page", "id": 17, "context": {"page": {"url": "/x"}}, "more": 1}
    (event,) = from_jsonl(row, columns=columns)
    assert (event["event"], event["url"], event["userId"]) == ("page", "/x", "17")
    assert "properties" not in event
    (bare,) = from_jsonl({"type": "page", "context": "x"}, columns=columns)
    assert "url" not in bare


def test_a_mapped_rows_own_properties_are_kept_beside_its_columns() -> None:
    columns = Columns({"event": "type", "properties": "payload"})
    (event,) = from_jsonl({"type": "a", "payload": {"n": "07"}, "m": "8"}, columns=columns)
    assert event["properties"] == {"n": "07", "m": "8"}


def test_parquet_keeps_its_types(tmp_path: Path) -> None:
    moment = datetime(2014, 3, 1, 10, 20, 30, tzinfo=timezone(timedelta(hours=2)))
    table = {
        "timestamp": pa.array([moment, None], pa.timestamp("ns", "Europe/Berlin")),
        "userId": pa.array([117.0, None]),
        "value": pa.array([Decimal("3.50"), None]),
        "text": ["007", None],
        "flag": [True, None],
        "many": [[1, 2], None],
        "gap": [float("nan"), None],
    }
    full, empty = from_parquet(tmp_path, table)
    assert full.pop("eventId") != empty.pop("eventId")
    assert full.pop("timestamp") == moment.timestamp()
    assert full == QUIZ | {
        "userId": "117",
        "value": 3.5,
        "properties": {"text": "007", "flag": True, "many": [1, 2]},
    }
    assert empty == QUIZ


@pytest.mark.parametrize(
    ("cells", "moment"),
    [
        (pa.array([date(2014, 3, 1)]), datetime(2014, 3, 1, tzinfo=UTC)),
        (pa.array([datetime(2014, 3, 1, 10)]), datetime(2014, 3, 1, 10, tzinfo=UTC)),
        (pa.array([1393668000]), datetime(2014, 3, 1, 10, tzinfo=UTC)),
    ],
)
def test_parquet_times(tmp_path: Path, cells: pa.Array, moment: datetime) -> None:
    (event,) = from_parquet(tmp_path, {"timestamp": cells})
    assert event["timestamp"] == moment.timestamp()


def test_what_is_no_parquet_is_refused() -> None:
    for raw in (b"", b"a,b\n1,2\n", b"PAR1" + b"x" * 50):
        with pytest.raises(BadRequest, match="Parquet"):
            list(read_parquet(io.BytesIO(raw), Columns(constants=QUIZ)))


def test_a_compressed_file_is_read_through_gzip(tmp_path: Path) -> None:
    packed = tmp_path / "t.csv.gz"
    packed.write_bytes(gzip.compress(b"a\nx\n"))
    with gzip.open(packed) as file:
        assert events(list(read_csv(file, Columns(constants=QUIZ))))[0]["properties"] == {"a": "x"}  # type: ignore[arg-type]  # a BinaryIO in all that is read of it
