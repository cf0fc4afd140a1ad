"""A control store of its own for every test: each runs on SQLite and on PostgreSQL."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tallymark.control.database import Database, open_database
from tests.postgres import PostgresServer, postgres_server


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    with postgres_server() as server:
        yield server


@pytest.fixture(scope="session")
def emptied_url(postgres: PostgresServer) -> Iterator[str]:
    """A database that tests take turns at: to empty it is cheaper than to make one for each."""
    with postgres.database() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def control_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'control.db'}"
    else:
        url = request.getfixturevalue("emptied_url")
        yield url
        request.getfixturevalue("postgres").empty(url)


@pytest.fixture
def database(control_url: str) -> Iterator[Database]:
    with closing(open_database(control_url)) as opened:
        yield opened
