"""`school` for the tests of what is sent: one application for each module."""

from collections.abc import Iterator

import pytest

from tallymark.engine.base import Engine
from tests.packs.quiz.school import NOON, School
from tests.packs.world import application


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory, engine: Engine) -> Iterator[School]:
    """The application, with nothing in it."""
    with application(tmp_path_factory.mktemp("quiz"), engine, NOON, settle_seconds=0) as found:
        yield School(found)


@pytest.fixture
def school(opened: School) -> School:
    """A project of its own, at noon of the leap day of 2028."""
    return opened.fresh()
