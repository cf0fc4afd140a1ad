"""Clients of both kinds, closed at the end of a test."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.client.clients import Driven, DrivenLoop, DrivenThreads, Make


@pytest.fixture(params=[DrivenThreads, DrivenLoop], ids=["threads", "asyncio"])
def make(request: pytest.FixtureRequest) -> Iterator[Make]:
    """Makes clients of a server."""
    made: list[Driven] = []

    def one(endpoint: str, **options: Any) -> Driven:
        made.append(request.param(endpoint, **options))
        return made[-1]

    yield one
    for client in made:
        client.close(0)
