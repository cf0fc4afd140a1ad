"""What tests of exports share: events as they are stored, and the bytes of an export of them."""

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pytest

from tallymark.answer.run import Answerer
from tallymark.engine.base import Engine
from tallymark.engine.schema import migrate
from tallymark.engine.server import ServerEngine
from tallymark.export.source import Source
from tallymark.export.write import write
from tallymark.ingest.rows import SCHEMA
from tallymark.spec.export import Order
from tests.clickhouse_http import ClickHouseHttp
from tests.conftest import World

DAY: Final = date(2026, 3, 10)

Exported = Callable[[World, Order], bytes]


@pytest.fixture
def exported(tmp_path: Path) -> Exported:
    """Gives the file of an order; nothing stays in the directory for temporary files."""

    def export(world: World, order: Order) -> bytes:
        sink, told = io.BytesIO(), [(0, 0)]
        source = Source(Answerer(world.engine, world.catalog, world.workers), tmp_path)
        rows = write(order, world.project, source, sink, lambda done, of: told.append((done, of)))
        assert told[-1][0] == rows
        assert all(done <= of for done, of in told)
        assert list(tmp_path.iterdir()) == []
        return sink.getvalue()

    return export


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """A served engine with its tables."""
    with ClickHouseHttp(tmp_path_factory.mktemp("clickhouse")) as running:
        opened = ServerEngine(running.url)
        migrate(opened)
        yield opened
        opened.close()


def at(hour: float, day: date = DAY) -> int:
    """An hour of a UTC day in epoch milliseconds."""
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1000 + hour * 3_600_000)


def store(
    world: World, events: Sequence[Mapping[str, Any]], engine: Engine | None = None, inserted_at: datetime | None = None
) -> None:
    """Puts rows into the table of events, then or now; what is left out is nothing, or what the table needs."""
    usual = {"project": world.project.id, "event": "page_view", "occurred_at": at(12), "received_at": at(12.5),
             "value": None, "props": "{}", "expires_at": 4_000_000_000}  # fmt: skip
    empty: dict[str, Any] = {field.name: "" if field.type == pa.string() else 0 for field in SCHEMA} | {"variants": []}
    rows = [{**empty, **usual, **e} for e in events]
    rows = [{**row, "precedence": row["precedence"] or 2**63 - row["received_at"]} for row in rows]
    table = pa.Table.from_pylist(rows, SCHEMA)
    if inserted_at is not None:
        table = table.append_column("inserted_at", pa.array([inserted_at] * len(rows), pa.timestamp("ms", "UTC")))
    (engine or world.engine).insert("events", table)
