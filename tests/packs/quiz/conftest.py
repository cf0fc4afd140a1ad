"""`school` for the tests of what is sent, `quiz` for those of attempts: one application for each module."""

from collections.abc import Iterator

import pytest

from tallymark.engine.base import Engine
from tests.packs.quiz.pupil import Quiz
from tests.packs.quiz.school import NOON, School
from tests.packs.world import Application, application


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory, engine: Engine) -> Iterator[Application]:
    """The application at noon of the leap day of 2028, with nothing in it."""
    with application(tmp_path_factory.mktemp("quiz"), engine, NOON, settle_seconds=0) as found:
        yield found


@pytest.fixture
def school(opened: Application) -> School:
    """A project of its own."""
    return School(opened).fresh()


@pytest.fixture
def quiz(opened: Application) -> Quiz:
    """A project of its own."""
    return Quiz(opened).fresh()
