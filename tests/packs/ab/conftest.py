"""`serving` for the tests of assignments, flags and events: one application for each module."""

from collections.abc import Iterator

import pytest

from tallymark.engine.base import Engine
from tests.packs.ab.serving import NOON, Serving
from tests.packs.world import application


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, engine: Engine) -> Iterator[Serving]:
    """The application, with nothing in it."""
    with application(tmp_path_factory.mktemp("ab"), engine, NOON) as found:
        yield Serving(found)


@pytest.fixture
def serving(running: Serving) -> Serving:
    """A project of its own, at noon of the leap day of 2028."""
    return running.fresh()
