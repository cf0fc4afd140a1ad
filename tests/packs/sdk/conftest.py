"""`apps` for the tests of the sdk contract: one application for each module."""

from collections.abc import Iterator

import pytest

from tallymark.engine.base import Engine
from tests.packs.sdk.apps import NOON, Apps
from tests.packs.world import application


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, engine: Engine) -> Iterator[Apps]:
    """The application, with nothing in it."""
    with application(tmp_path_factory.mktemp("sdk"), engine, NOON, api_key="the-reporting-key") as found:
        yield Apps(found)


@pytest.fixture
def apps(running: Apps) -> Apps:
    """A project of its own, at noon of the leap day of 2028."""
    return running.fresh()
