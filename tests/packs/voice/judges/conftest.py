"""A server that answers as models do, for the tests of judges."""

from collections.abc import Iterator

import pytest

from tests.packs.voice.llm import Llm, running_llm


@pytest.fixture
def llm() -> Iterator[Llm]:
    """A server that the test writes the script of."""
    with running_llm() as running:
        yield running
