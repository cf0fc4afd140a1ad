"""Passwords, kept as salted hashes by scrypt (RFC 7914)."""

import hashlib
import hmac
import secrets
from typing import Final

_COST: Final = {"n": 1 << 14, "r": 8, "p": 1}


def hashed(password: str) -> str:
    """What is kept of a password: a salt and a hash, in hexadecimal."""
    salt = secrets.token_bytes(16)
    return f"{salt.hex()}:{_scrypt(password, salt).hex()}"


def matches(password: str, kept: str) -> bool:
    """Whether it is the password that this is kept of."""
    salt, expected = (bytes.fromhex(part) for part in kept.split(":"))
    return hmac.compare_digest(_scrypt(password, salt), expected)


def _scrypt(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, dklen=32, **_COST)
