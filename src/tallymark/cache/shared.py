"""Values that processes share by a Valkey: signed, so that what others wrote there is no value."""

import asyncio
import time
from datetime import timedelta
from hashlib import blake2b
from hmac import compare_digest
from typing import Final

from valkey.asyncio import Valkey

from tallymark.cache.remote import Remote
from tallymark.cache.store import LARGEST

_SIGNATURE: Final = 16

#: A process has a value to itself for so long, in milliseconds: what it computes may take longer, or it may have died.
_TURN_MS: Final = 5_000

#: Others wait for it so long, in seconds, and look so often; then they compute it themselves.
_WAIT: Final = 0.5
_LOOK: Final = 0.02


class Shared:
    """A store in a Valkey; one that is away has nothing. A value is good under its own name alone.

    `wait`: seconds that are waited for a value that another process computes.
    """

    def __init__(self, remote: Remote, secret: bytes, wait: float = _WAIT) -> None:
        self.remote = remote
        self._secret = secret
        self._wait = wait

    async def get(self, key: str, renew_for: int | timedelta | None = None) -> bytes | None:
        """See `Store`."""
        name = self.remote.key("answer", key)
        return self._opened(name, await self.remote.ask(lambda client: client.getex(name, ex=renew_for), None))

    async def set(self, key: str, value: bytes, expires_in: int | timedelta | None = None) -> None:
        """See `Store`; ends the caller's turn, if it had one."""
        name = self.remote.key("answer", key)
        if len(value) > LARGEST:
            await self.pass_on(key)
            return
        signed, turn = self._signature(name, value) + value, self._turn(key)

        async def put(client: Valkey) -> None:
            both = client.pipeline()
            both.set(name, signed, ex=expires_in)
            both.unlink(turn)
            await both.execute()

        await self.remote.ask(put, None)

    async def awaited(self, key: str) -> bytes | None:
        """The value that another process is computing, waited for awhile; None where the caller is to compute it."""
        turn, name = self._turn(key), self.remote.key("answer", key)
        if await self.remote.ask(lambda client: client.set(turn, b"", nx=True, px=_TURN_MS), True):
            return None
        nothing: list[bytes | None] = [None, None]
        until = time.monotonic() + self._wait
        while time.monotonic() < until:
            await asyncio.sleep(_LOOK)
            value, taken = await self.remote.ask(lambda client: client.mget(name, turn), nothing)
            if value is not None or taken is None:
                return self._opened(name, value)
        return None

    async def pass_on(self, key: str) -> None:
        """Ends the caller's turn without a value."""
        await self.remote.ask(lambda client: client.unlink(self._turn(key)), 0)

    def _turn(self, key: str) -> str:
        return self.remote.key("turn", key)

    def _opened(self, name: str, kept: bytes | None) -> bytes | None:
        """The value of what was kept, None where this installation didn't keep it there."""
        if kept is None:
            return None
        signature, value = kept[:_SIGNATURE], kept[_SIGNATURE:]
        return value if compare_digest(signature, self._signature(name, value)) else None

    def _signature(self, name: str, value: bytes) -> bytes:
        return blake2b(name.encode() + b"\0" + value, key=self._secret, digest_size=_SIGNATURE).digest()
