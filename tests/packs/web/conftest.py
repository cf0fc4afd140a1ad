"""`site` for every test of the web contract."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tallymark.engine.base import Engine
from tallymark.spec.project import Project
from tests.packs.web.site import Site, running


@pytest.fixture
def site(tmp_path: Path, engine: Engine, project: Callable[..., Project]) -> Iterator[Site]:
    with running(tmp_path / "data", engine, project) as made:
        yield made
