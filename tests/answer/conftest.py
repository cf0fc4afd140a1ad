"""A crowd whose days are computed once."""

import pytest

from tests.answer.crowd import Crowd, crowd, settled
from tests.conftest import Worlds

ZONE = "Europe/Berlin"


@pytest.fixture(scope="session")
def here(world: Worlds) -> Crowd:
    """A crowd in a zone whose clock changes among its days."""
    return settled(world(timezone=ZONE), crowd(1, ZONE))
