"""From rows of JSON lines, CSV and Parquet files to events as they are sent: one event a row.

`Columns` says what a row's columns are. A field of the event comes, first match wins, from

1. a constant (`--set event=quiz_submitted`);
2. the column that is mapped to it (`--map visitorId=user`, `--map properties.plan=plan_name`); in JSON
   lines a dot steps into an object (`--map url=context.page.url`);
3. the column of its own name, if that is mapped to nothing else.

Any other column becomes a property of its own name, or is left out (`drop_unmapped`). Empty cells, nulls
and NaN are absent. Times are ISO 8601 (without a zone: UTC; a date alone is its midnight) or seconds or
milliseconds since 1970, or what `Times` says. A cell that is no time or no number goes on as it is, for the
pipeline to refuse it by name.

A row without `eventId` is known by its content, the constants, and how many equal rows stand before it in
the file: a file that is read again changes nothing, and equal rows of one file are distinct events. Rows
are remembered for that, about 150 bytes each; a mapped `eventId` spares it.
"""

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, BinaryIO, Final

import msgspec
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from tallymark.errors import BadRequest
from tallymark.ingest.decode import WireEvent
from tallymark.ingest.log_events import Numbered, Occurrences, Wire

FIELDS: Final = WireEvent.__struct_encode_fields__
_PROPERTY: Final = "properties."
_ALLOWED: Final = (*FIELDS, "properties.NAME")

_BATCH_ROWS: Final = 2_000
_BLOCK_BYTES: Final = 8 << 20  # more than a CSV file's longest row

#: Numbers below are not read as times since 1970 (3 March 1973): they are days, years or counters.
_EARLIEST_EPOCH: Final = 1e8

_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
_PLAIN_NUMBER = re.compile(r"(?=.{1,16}\Z)-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?")

_encode = msgspec.json.Encoder(enc_hook=str).encode
_decode = msgspec.json.Decoder(dict[str, Any]).decode


@dataclass(frozen=True)
class Times:
    """How a file writes times that are not ISO 8601 or since 1970: a strptime format, or days since a day."""

    format: str = ""
    day_zero: date | None = None

    def wire(self, value: object) -> object:
        """Seconds or milliseconds since 1970; as text what is no time, for the pipeline to refuse."""
        try:
            return self._epoch(value)
        except (ValueError, OverflowError):
            return str(value)

    def _epoch(self, value: object) -> float:
        if isinstance(value, date):
            moment = value if isinstance(value, datetime) else datetime.combine(value, time())
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
        text = str(value).strip()
        number = float(text) if _NUMBER.fullmatch(text) else None
        if self.day_zero is not None and number is not None:
            return self._epoch(datetime.combine(self.day_zero, time()) + timedelta(days=number))
        if self.format:
            return self._epoch(datetime.strptime(text, self.format))
        if number is not None and abs(number) >= _EARLIEST_EPOCH:
            return number
        return self._epoch(datetime.fromisoformat(text))


@dataclass(frozen=True)
class _Target:
    """Where a column's cells go: a field of the event or a property, and how they are read."""

    name: str
    read: Callable[[Any], object]
    property: bool = False


@dataclass
class Columns:
    """What a file's columns are. `sources` are columns by field, `constants` texts by field.

    Errors: `BadRequest` for a field that events don't have.
    """

    sources: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)
    times: Times = field(default_factory=Times)
    drop_unmapped: bool = False

    def __post_init__(self) -> None:
        for name in (*self.sources, *self.constants):
            if name not in FIELDS and not name.removeprefix(_PROPERTY) != name != _PROPERTY:
                raise BadRequest(f"Events have no field {name!r}.", field=name, allowed=_ALLOWED)

    def check(self, names: Sequence[str]) -> None:
        """Refuses a file whose header lacks a mapped column or gives no `event`. Errors: `BadRequest`."""
        for column in self.sources.values():
            if column not in names:
                raise BadRequest(f"There is no column {column!r}.", field=column, allowed=names)
        if "event" not in (*self.constants, *self.sources, *names):
            raise BadRequest("No column names the event: use --map event=… or --set event=…", field="event")


class RowEvents:
    """Makes the events of one file's rows. `texts`: cells are texts, and plain numbers become numbers."""

    def __init__(self, columns: Columns, texts: bool = False) -> None:
        self._columns = columns
        self._property = _plain if texts else _unchanged
        self._targets: dict[str, tuple[_Target, ...]] = {}
        self._nested = [c for c in dict.fromkeys(columns.sources.values()) if "." in c]
        self._constants: Wire = {}
        self._constant_properties: dict[str, object] = {}
        for name, text in columns.constants.items():
            target = _target(name, Times(), _plain)
            held = self._constant_properties if target.property else self._constants
            held[target.name] = target.read(text)
        self._salt = _encode(dict(columns.constants)) if columns.constants else b""
        self._occurrences = Occurrences()

    def event(self, row: Mapping[str, Any], content: bytes) -> Wire:
        """The event of a row; `content` is all of the row, as bytes."""
        wire, properties = dict(self._constants), dict(self._constant_properties)
        for column, value in row.items():
            if value is not None and value != "" and value == value:  # NaN is not itself
                self._put(column, value, wire, properties)
        for column in self._nested:
            if column not in row and (value := _step_into(row, column)) is not None:
                self._put(column, value, wire, properties)
        if properties:
            wire["properties"] = properties
        if "eventId" not in wire:
            wire["eventId"] = self._occurrences.identity(self._salt + content)
        return wire

    def _put(self, column: str, value: object, wire: Wire, properties: dict[str, object]) -> None:
        targets = self._targets.get(column)
        if targets is None:
            targets = self._targets[column] = tuple(self._targets_of(column))
        for target in targets:
            if target.property:
                properties[target.name] = target.read(value)
            elif target.name == "properties" and isinstance(value, dict):
                properties |= value
            else:
                wire[target.name] = target.read(value)

    def _targets_of(self, column: str) -> Iterator[_Target]:
        """What the column is mapped to, else the field of its name, else a property; never a constant."""
        given, constants = self._columns, self._columns.constants
        names = [name for name, source in given.sources.items() if source == column]
        if not names and column in FIELDS and column not in given.sources and column not in constants:
            names = [column]
        if not names and not given.drop_unmapped:
            names = [_PROPERTY + column]
        return (_target(name, given.times, self._property) for name in names if name not in constants)


def _target(name: str, times: Times, read_property: Callable[[Any], object]) -> _Target:
    """Where a field's or `properties.NAME`'s values go."""
    if name.startswith(_PROPERTY):
        return _Target(name.removeprefix(_PROPERTY), read_property, property=True)
    readers = {"timestamp": times.wire, "sentAt": Times().wire, "value": _number, "properties": _unchanged}
    return _Target(name, readers.get(name, _text))


def read_jsonl(lines: Iterable[bytes], columns: Columns | None = None) -> Iterator[Numbered]:
    """The event of each line, None for one that is no JSON object. Without `columns`, rows are events."""
    rows = RowEvents(columns or Columns())
    occurrences = Occurrences()
    for number, raw in enumerate(lines, 1):
        content = raw.strip()
        if not content:
            continue
        try:
            row = _decode(content)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            yield number, None
            continue
        if columns is not None:
            row = rows.event(row, content)
        elif not row.get("eventId"):
            row["eventId"] = occurrences.identity(content)
        yield number, row


def read_csv(file: BinaryIO, columns: Columns, delimiter: str = ",") -> Iterator[Numbered]:
    """The event of each row, None for one with too few or too many cells. Row 1 is the header.

    Errors: `BadRequest` for a file that is no CSV in UTF-8, or whose header `columns` does not fit.
    """
    malformed: dict[int, None] = {}
    try:
        reader = _open_csv(file, delimiter, malformed)
        if reader is None:
            return
        names = reader.schema.names
        _check_header(names, columns)
        rows = RowEvents(columns, texts=True)
        number = 1
        for batch in reader:
            for row in _rows(batch, names):
                number += 1
                while number in malformed:
                    number += 1
                yield number, rows.event(row, _encode(row))
        yield from ((number, None) for number in malformed)
    except (pa.ArrowInvalid, UnicodeDecodeError):
        raise BadRequest("The file is no CSV in UTF-8, or a cell is longer than 8 MB.") from None


def _open_csv(file: BinaryIO, delimiter: str, malformed: dict[int, None]) -> pa_csv.CSVStreamingReader | None:
    """A reader of texts that notes the numbers of malformed rows; None for an empty file."""

    def skip(row: pa_csv.InvalidRow) -> str:
        malformed[row.number] = None
        return "skip"

    try:
        return pa_csv.open_csv(
            pa.PythonFile(file, mode="r"),
            # With threads, rows would have no numbers.
            pa_csv.ReadOptions(use_threads=False, block_size=_BLOCK_BYTES),
            pa_csv.ParseOptions(delimiter=delimiter, newlines_in_values=True, invalid_row_handler=skip),
            pa_csv.ConvertOptions(default_column_type=pa.string()),
        )
    except pa.ArrowInvalid as error:
        if "Empty CSV file" in str(error):
            return None
        raise


def read_parquet(file: BinaryIO, columns: Columns) -> Iterator[Numbered]:
    """The event of each row. Errors: `BadRequest` for what is no Parquet, or what `columns` does not fit."""
    try:
        table = pq.ParquetFile(file)
        names = table.schema_arrow.names
        _check_header(names, columns)
        rows = RowEvents(columns)
        number = 0
        for batch in table.iter_batches(_BATCH_ROWS):
            for row in _rows(batch, names):
                number += 1
                yield number, rows.event(row, _encode(row))
    except (pa.ArrowInvalid, OSError):
        raise BadRequest("The file is no Parquet, or is damaged.") from None


def _check_header(names: Sequence[str], columns: Columns) -> None:
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise BadRequest(f"More than one column has the name {min(twice)!r}.", field=min(twice))
    columns.check(names)


def _rows(batch: pa.RecordBatch, names: Sequence[str]) -> Iterator[dict[str, Any]]:
    for cells in zip(*(_cells(column) for column in batch.columns), strict=True):
        yield dict(zip(names, cells, strict=True))


def _cells(column: pa.Array) -> list[Any]:
    """A column's cells as Python values; Python has no nanoseconds."""
    if pa.types.is_timestamp(column.type) and column.type.unit == "ns":
        column = column.cast(pa.timestamp("us", column.type.tz), safe=False)
    cells: list[Any] = column.to_pylist()
    return cells


def _step_into(row: Mapping[str, Any], path: str) -> object:
    """What stands at a dotted path; None if nothing does."""
    found: object = row
    for step in path.split("."):
        found = found.get(step) if isinstance(found, Mapping) else None
    return None if found == "" else found


def _text(value: object) -> object:
    """A name or an id as text: 117 and 117.0 are "117". What has parts goes on, to be refused."""
    if isinstance(value, str | dict | list):
        return value
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _number(value: object) -> object:
    """A finite number; true is 1, false is 0. As text what is none, for the pipeline to refuse."""
    if isinstance(value, str):
        value = _number_in(value.strip().lower())
    if isinstance(value, bool | Decimal):
        value = float(value)
    return value if not isinstance(value, float) or math.isfinite(value) else str(value)


def _number_in(text: str) -> float | str:
    if text in ("true", "false"):
        return float(text == "true")
    try:
        return float(text) if "_" not in text else text
    except ValueError:
        return text


def _plain(text: str) -> object:
    """A text, or the number that it plainly is: no leading zero, no exponent, at most 15 digits."""
    if not _PLAIN_NUMBER.fullmatch(text):
        return text
    return float(text) if "." in text else int(text)


def _unchanged(value: object) -> object:
    return float(value) if isinstance(value, Decimal) else value
