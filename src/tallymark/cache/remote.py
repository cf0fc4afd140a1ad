"""A Valkey that nobody waits for: it answers at once, or it is done without."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeVar

from valkey.asyncio import BlockingConnectionPool, Valkey
from valkey.commands.core import AsyncScript
from valkey.exceptions import ValkeyError

from tallymark import __version__
from tallymark.cache.breaker import Breaker

T = TypeVar("T")

#: Seconds that an answer may take, its connection included, where the URL does not say `?socket_timeout=…`.
_PATIENCE: Final = 0.1

#: Connections to it; more requests wait for one.
_CONNECTIONS: Final = 16


class Remote:
    """A Valkey at a URL; names in it begin with the installation's. For one event loop. Errors: `ValueError`."""

    def __init__(self, url: str, installation: str, breaker: Breaker | None = None) -> None:
        pool = BlockingConnectionPool.from_url(url, max_connections=_CONNECTIONS, timeout=None)
        self._patience = float(pool.connection_kwargs.get("socket_timeout") or _PATIENCE)
        self._client = Valkey(connection_pool=pool)
        self._scripts: dict[str, AsyncScript] = {}
        self._prefix = f"tallymark:{installation}:{__version__}"
        self.breaker = breaker or Breaker(f"{pool.connection_kwargs.get('host')}:{pool.connection_kwargs.get('port')}")

    def key(self, kind: str, name: str) -> str:
        """The name there of something of that kind: no other installation and no other version looks at it."""
        return f"{self._prefix}:{kind}:{name}"

    async def ask(self, question: Callable[[Valkey], Awaitable[T]], away: T) -> T:
        """What it answers, or `away` where it doesn't in time, or was left alone since it lately didn't."""
        if not self.breaker.may_ask():
            return away
        try:
            async with asyncio.timeout(self._patience):
                answer = await question(self._client)
        except (ValkeyError, OSError) as error:  # a timeout is an `OSError`, too
            self.breaker.failed(type(error).__name__)
            return away
        self.breaker.worked()
        return answer

    async def run(self, script: str, key: str, arguments: Sequence[str], away: list[int]) -> list[int]:
        """What a script says that takes one name, as whole numbers."""
        if script not in self._scripts:
            self._scripts[script] = self._client.register_script(script)
        known = self._scripts[script]
        return await self.ask(lambda _: known(keys=[key], args=arguments), away)

    async def close(self) -> None:
        """Ends its connections."""
        await self._client.aclose(close_connection_pool=True)
