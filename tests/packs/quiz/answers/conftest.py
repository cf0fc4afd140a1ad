"""`school` for the tests of what is asked of quizzes: one application for each module."""

from collections.abc import Iterator

import pytest

from tallymark.engine.base import Engine
from tests.packs.quiz.answers.school import NOON, School
from tests.packs.quiz.bearers import BELIEVING
from tests.packs.world import application


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, engine: Engine) -> Iterator[School]:
    """The application, with nothing in it."""
    with application(tmp_path_factory.mktemp("quiz"), engine, NOON, **BELIEVING) as found:
        yield School(found)
