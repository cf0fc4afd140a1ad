"""What a cache is: bytes by name, for a while. It may lose anything at any time."""

from datetime import timedelta
from typing import Final, Protocol

#: Larger values are not kept, in bytes.
LARGEST: Final = 1 << 20


class Store(Protocol):
    """As much of Litestar's stores as is needed."""

    async def get(self, key: str, renew_for: int | timedelta | None = None) -> bytes | None:
        """The value, None without one; `renew_for`: it is kept for so many seconds from now on."""

    async def set(self, key: str, value: bytes, expires_in: int | timedelta | None = None) -> None:
        """Keeps a value, for so many seconds at most."""
