"""`quiz` for the tests of attempts: one application for each module."""

from collections.abc import Iterator

import pytest

from tallymark.engine.base import Engine
from tests.packs.quiz.pupil import NOON, Quiz
from tests.packs.world import application


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, engine: Engine) -> Iterator[Quiz]:
    """The application, with nothing in it."""
    with application(tmp_path_factory.mktemp("quiz"), engine, NOON, settle_seconds=0) as found:
        yield Quiz(found)


@pytest.fixture
def quiz(running: Quiz) -> Quiz:
    """A project of its own, at noon of the leap day of 2028."""
    return running.fresh()
