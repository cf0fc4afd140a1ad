"""Work that is done once for all who ask for it at the same time."""

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Flights(Generic[T]):
    """Work on its way, by name. For one event loop."""

    def __init__(self) -> None:
        self._flying: dict[str, asyncio.Task[T]] = {}

    async def join(self, name: str, start: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """What comes of the work of that name, which is begun where it is not on its way yet.

        It goes on when whoever began it waits no more. Errors: those of the work, told to all who wait for it.
        """
        task = self._flying.get(name)
        if task is None:
            task = self._flying[name] = asyncio.create_task(start())
            task.add_done_callback(partial(self._landed, name))
        return await asyncio.shield(task)

    def _landed(self, name: str, task: "asyncio.Task[T]") -> None:
        del self._flying[name]
        if not task.cancelled():
            task.exception()  # looked at, even where nobody waits for it any more
