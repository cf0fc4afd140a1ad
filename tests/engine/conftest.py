"""Both engines: the one in this process, and one that is served over HTTP."""

from collections.abc import Iterator

import pytest

from tallymark.engine.base import Engine
from tallymark.engine.schema import migrate
from tallymark.engine.server import ServerEngine
from tests.clickhouse_http import ClickHouseHttp


@pytest.fixture(scope="module")
def clickhouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouseHttp]:
    """A server that is up when a test begins, and that a test may take down."""
    with ClickHouseHttp(tmp_path_factory.mktemp("clickhouse")) as running:
        yield running


@pytest.fixture(scope="module")
def served(clickhouse: ClickHouseHttp) -> Iterator[Engine]:
    """A served engine with its tables."""
    opened = ServerEngine(clickhouse.url)
    migrate(opened)
    yield opened
    opened.close()


@pytest.fixture(params=["engine", "served"], ids=["embedded", "served"])
def either(request: pytest.FixtureRequest) -> Engine:
    """Each engine in turn."""
    chosen: Engine = request.getfixturevalue(request.param)
    return chosen
