"""Keyed hashes: what stands in the engine for whoever did something, and for an event's identity.

BLAKE2b with the installation's secret as key and the project as personalisation: nobody without the secret can test
a guess, and the same visitor of two projects is two actors.
"""

import hashlib
from functools import lru_cache

import msgspec

_encode = msgspec.json.Encoder(enc_hook=str).encode


class Identities:
    """The hashes of one project. All are 64 bits, never 0: 0 stands for nobody."""

    def __init__(self, secret: bytes, project: int) -> None:
        self._base = hashlib.blake2b(digest_size=8, key=secret[:64], person=project.to_bytes(16, "little"))
        self.actor = lru_cache(maxsize=65_536)(self._hash_text)
        self.session = lru_cache(maxsize=65_536)(self._hash_text)

    def event(self, given: str) -> int:
        """The identity of an event whose sender named it."""
        return self._hash(b"e" + given.encode("utf-8", "surrogatepass"))

    def content(self, *parts: object) -> int:
        """The identity of an event that is known by its content."""
        return self._hash(b"c" + _encode(parts))

    def _hash_text(self, text: str) -> int:
        return self._hash(text.encode("utf-8", "surrogatepass"))

    def _hash(self, data: bytes) -> int:
        state = self._base.copy()
        state.update(data)
        return int.from_bytes(state.digest(), "little") or 1
