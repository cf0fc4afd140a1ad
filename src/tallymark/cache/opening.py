"""The cache of a URL: `memory://`, or a Valkey's for what processes share."""

from dataclasses import dataclass
from hashlib import blake2b

from valkey import Valkey
from valkey.exceptions import ValkeyError

from tallymark.cache.memory import Memory
from tallymark.cache.remote import Remote
from tallymark.cache.shared import Shared
from tallymark.errors import BadSetting

_SCHEMES = {"redis": "valkey", "rediss": "valkeys"}

#: Seconds that a look at it may take, where somebody waits to be told.
_LOOK = 2.0


@dataclass(frozen=True)
class Cache:
    """What a process keeps for itself, and what it shares, where it shares anything."""

    memory: Memory
    shared: Shared | None = None

    @property
    def remote(self) -> Remote | None:
        """The Valkey, where there is one."""
        return self.shared.remote if self.shared else None

    async def close(self) -> None:
        """Ends its connections."""
        if self.remote is not None:
            await self.remote.close()


def open_cache(url: str, secret: bytes) -> Cache:
    """The cache of that URL, of the installation with that secret; connects when it is first asked.

    Errors: `BadSetting`.
    """
    if _in_memory(url):
        return Cache(Memory())
    own = blake2b(secret, person=b"tallymark cache").digest()
    installation = blake2b(b"installation", key=own, digest_size=8).hexdigest()
    try:
        remote = Remote(_valkey(url), installation)
    except ValueError as error:
        raise BadSetting(f"TALLYMARK_CACHE can't be used: {error}.", field="TALLYMARK_CACHE") from None
    return Cache(Memory(), Shared(remote, own))


def look(url: str) -> str:
    """`ok`, or what is wrong with the cache of a URL. Nothing depends on it but speed."""
    if _in_memory(url):
        return "ok"
    try:
        with Valkey.from_url(_valkey(url), socket_timeout=_LOOK, socket_connect_timeout=_LOOK) as client:
            client.ping()
    except (ValkeyError, OSError, ValueError) as error:
        return f"The cache does not answer ({type(error).__name__}); answers are kept in each process's memory alone."
    return "ok"


def _in_memory(url: str) -> bool:
    return url.startswith("memory://") or not url


def _valkey(url: str) -> str:
    """The URL by the names that the client knows."""
    scheme, separator, rest = url.partition("://")
    return _SCHEMES.get(scheme, scheme) + separator + rest
