"""A control store of its own for every test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tallymark.control.database import Database, open_database


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_database(f"sqlite:///{tmp_path / 'control.db'}")
    yield opened
    opened.close()
