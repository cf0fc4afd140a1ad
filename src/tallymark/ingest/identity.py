"""Keyed hashes: what stands in the engine for whoever did something, and for an event's identity.

BLAKE2b with the installation's secret as key and the project as personalisation: nobody without the secret can test
a guess, and the same visitor of two projects is two actors.
"""

import hashlib
from collections.abc import Callable
from functools import lru_cache

import msgspec

_encode = msgspec.json.Encoder(enc_hook=str).encode


class Identities:
    """The hashes of one project. All are 64 bits, never 0: 0 stands for nobody.

    `actor`, `session` and `event` take what the sender gave; the first two remember who comes often.
    """

    def __init__(self, secret: bytes, project: int) -> None:
        base = hashlib.blake2b(digest_size=8, key=secret[:64], person=project.to_bytes(16, "little"))
        self.actor = lru_cache(maxsize=65_536)(_hash_of(base))
        self.session = lru_cache(maxsize=65_536)(_hash_of(base))
        self.event = _hash_of(_begun(base, b"e"))
        self._content = _begun(base, b"c")

    def content(self, *parts: object) -> int:
        """The identity of an event that is known by its content."""
        state = _begun(self._content, _encode(parts))
        return int.from_bytes(state.digest(), "little") or 1


def _begun(base: "hashlib.blake2b", data: bytes) -> "hashlib.blake2b":
    """A hash that goes on from another one with this."""
    state = base.copy()
    state.update(data)
    return state


def _hash_of(base: "hashlib.blake2b") -> Callable[[str], int]:
    """The hash of a text that goes on from `base`; one call deep, since it runs for every event."""
    copy, number = base.copy, int.from_bytes

    def hashed(text: str) -> int:
        state = copy()
        state.update(text.encode("utf-8", "surrogatepass"))
        return number(state.digest(), "little") or 1

    return hashed
