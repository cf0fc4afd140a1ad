"""Tokens of users that were found good lately, so that counting a request costs no signature."""

import time
from collections import OrderedDict
from collections.abc import Callable
from hashlib import blake2b
from typing import Final

from tallymark.access.tokens import Tokens, is_token

#: For how long a token is taken for good at most, in seconds, and of how many that is kept. 2 MB.
_LASTS: Final = 60.0
_MOST: Final = 10_000


class Verified:
    """Says whether a token is good, as far as the keys that are here say: it fetches none. For one event loop.

    Whoever answers reads the token itself. `clock` gives seconds since 1970.
    """

    def __init__(self, tokens: Tokens, most: int = _MOST, clock: Callable[[], float] = time.time) -> None:
        self._tokens = tokens
        self._most = most
        self._clock = clock
        self._good: OrderedDict[bytes, float] = OrderedDict()

    def __contains__(self, text: str) -> bool:
        """Whether it is a token that names somebody now."""
        if not is_token(text):
            return False
        digest, now = blake2b(text.encode(), digest_size=16).digest(), self._clock()
        if self._good.get(digest, 0.0) > now:
            self._good.move_to_end(digest)
            return True
        until = self._tokens.good_until(text)
        if until is not None:
            self._keep(digest, min(until, now + _LASTS))
        return until is not None

    def _keep(self, digest: bytes, until: float) -> None:
        self._good[digest] = until
        self._good.move_to_end(digest)
        if len(self._good) > self._most:
            self._good.popitem(last=False)
