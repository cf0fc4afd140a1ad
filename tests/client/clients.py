"""Both clients behind the same few words, so that one test says what holds for both."""

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine
from typing import Any

from tallymark.client import AsyncClient, Client, Problem, Stats
from tallymark.client.base_client import BaseClient
from tests.client.stub import PATIENCE

#: As fast as a test wants to be: what is not to be waited for is not.
QUICK: dict[str, Any] = {"batch_seconds": 0.02, "backoff": 0.01, "longest_backoff": 0.05}


class Driven:
    """A client with its problems, whose endings wait. It sends one request after another, unless told otherwise."""

    client: BaseClient

    def __init__(self, endpoint: str, **options: Any) -> None:
        self.problems: list[Problem] = []
        self.options = {"on_error": self.problems.append, "connections": 1, **QUICK, **options}
        self.endpoint = endpoint

    @property
    def stats(self) -> Stats:
        return self.client.stats()

    def kinds(self) -> list[str]:
        """What kinds of problems there were."""
        return [problem.kind for problem in self.problems]

    def wait_until_settled(self) -> None:
        """Returns once nothing is queued."""
        until = time.monotonic() + PATIENCE
        while self.stats.queued:
            assert time.monotonic() < until, self.stats
            time.sleep(0.01)

    def flush(self, timeout: float | None = PATIENCE) -> bool:
        raise NotImplementedError

    def close(self, timeout: float | None = PATIENCE) -> bool:
        raise NotImplementedError


class DrivenThreads(Driven):
    """The client for threads."""

    def __init__(self, endpoint: str, **options: Any) -> None:
        super().__init__(endpoint, **options)
        self.client: Client = Client(endpoint, **self.options)

    def flush(self, timeout: float | None = PATIENCE) -> bool:
        return self.client.flush(timeout)

    def close(self, timeout: float | None = PATIENCE) -> bool:
        return self.client.close(timeout)


class DrivenLoop(Driven):
    """The client for asyncio, in a loop of a thread of its own; recorded to from the test's thread."""

    def __init__(self, endpoint: str, **options: Any) -> None:
        super().__init__(endpoint, **options)
        self.client: AsyncClient = AsyncClient(endpoint, **self.options)
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.flush()

    def flush(self, timeout: float | None = PATIENCE) -> bool:
        return self._run(self.client.flush(timeout))

    def close(self, timeout: float | None = PATIENCE) -> bool:
        if self.loop.is_closed():
            return True
        done = self._run(self.client.aclose(timeout))
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(PATIENCE)
        self.loop.close()
        return done

    def _run(self, work: Coroutine[Any, Any, bool]) -> bool:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(2 * PATIENCE)


Make = Callable[..., Driven]
