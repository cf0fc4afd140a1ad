"""`assistant` for the tests of what is sent and asked: one application for each module."""

from collections.abc import Iterator

import pytest

from tallymark.engine.base import Engine
from tests.packs.voice.assistant import NOON, Assistant
from tests.packs.world import application


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, engine: Engine) -> Iterator[Assistant]:
    """The application, with nothing in it."""
    with application(tmp_path_factory.mktemp("voice"), engine, NOON, settle_seconds=0) as found:
        yield Assistant(found)


@pytest.fixture
def assistant(running: Assistant) -> Assistant:
    """A project of its own, at noon of the leap day of 2028."""
    return running.fresh()
