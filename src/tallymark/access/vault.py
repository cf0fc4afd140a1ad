"""The vault: what seals the addresses of people, and what finds them again without naming them.

Every purpose has a key of its own, derived from the installation's secret with HKDF-SHA256 (RFC 5869), and every
project too, except for tokens, which say whose they are. Losing the secret makes everything sealed unreadable.
"""

import base64
import hashlib
import hmac
import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache, partial

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from email_validator import validate_email

from tallymark.errors import BadRequest

#: An address has at most 254 octets; whatever is far beyond is not looked at.
_LONGEST = 320
#: Projects whose keys are kept in memory.
_MOST_CACHED = 1_024
_PROJECT_BYTES = 8
_HASH_BYTES = 32
#: 160 bits: a token has 60 bytes then, which base64 writes without padding.
_TAG_BYTES = 20
_TOKEN = re.compile(r"[A-Za-z0-9_-]{80}", re.ASCII)


@dataclass(frozen=True)
class _Keys:
    """What one project seals with, and what it hashes with."""

    seal: Fernet
    look_up: bytes


class Vault:
    """Seals and opens texts of projects, and names addresses by keyed hashes. May be used from any thread."""

    def __init__(self, secret: bytes) -> None:
        self._keys = lru_cache(maxsize=_MOST_CACHED)(partial(_keys_of, secret))
        self._token_key = derived(secret, "token")

    def seal(self, project: int, text: str) -> bytes:
        """The text, encrypted and authenticated under the project's key; no two seals are alike."""
        return self._keys(project).seal.encrypt(text.encode("utf-8", "surrogatepass"))

    def open(self, project: int, sealed: bytes) -> str:
        """The text that was sealed for that project.

        Errors: `ValueError` where it was sealed for another project, under another secret, or was changed.
        """
        try:
            return self._keys(project).seal.decrypt(sealed).decode("utf-8", "surrogatepass")
        except InvalidToken as error:
            raise ValueError(f"This was not sealed for project {project} under this installation's secret.") from error

    def look_up(self, project: int, email: str) -> str:
        """The keyed hash of an address, 64 hexadecimal digits: one for all its spellings, another in each project.

        Errors: `BadRequest` for what is not an address.
        """
        key = self._keys(project).look_up
        return hashlib.blake2b(normalised(email).encode(), key=key, digest_size=_HASH_BYTES).hexdigest()

    def fingerprint(self, project: int, text: str) -> str:
        """The keyed hash of any text, 64 hexadecimal digits; never that of an address by `look_up`."""
        data, key = text.encode("utf-8", "surrogatepass"), self._keys(project).look_up
        return hashlib.blake2b(data, key=key, digest_size=_HASH_BYTES, person=b"text").hexdigest()

    def token(self, project: int, email_hash: str) -> str:
        """What an unsubscribe link carries: the project and the hash, signed, always the same, good for ever."""
        named = project.to_bytes(_PROJECT_BYTES, "big") + bytes.fromhex(email_hash)
        return base64.urlsafe_b64encode(named + self._tag(named)).decode("ascii")

    def read_token(self, token: str) -> tuple[int, str] | None:
        """The project and the hash that a token names; None for one that this installation did not make."""
        if not _TOKEN.fullmatch(token):
            return None
        raw = base64.urlsafe_b64decode(token)
        named, tag = raw[:-_TAG_BYTES], raw[-_TAG_BYTES:]
        if not hmac.compare_digest(tag, self._tag(named)):
            return None
        return int.from_bytes(named[:_PROJECT_BYTES], "big"), named[_PROJECT_BYTES:].hex()

    def _tag(self, named: bytes) -> bytes:
        return hashlib.blake2b(named, key=self._token_key, digest_size=_TAG_BYTES).digest()


def normalised(email: str) -> str:
    """The one spelling of an address: trimmed, lower case, NFC, its domain in Unicode; no lookup is made.

    Names under `.test` and `.example` are good, since installations that are tried out use them.

    Errors: `BadRequest` for what is not an address; it never repeats what was given.
    """
    found = None if len(email) > _LONGEST else _valid(unicodedata.normalize("NFC", email.strip()).lower())
    if found is None:
        raise BadRequest("This is not an email address.", field="email")
    return found


def _valid(email: str) -> str | None:
    """The address as the standard spells it. The validator's message quotes parts of it: it goes no further."""
    try:
        return validate_email(email, check_deliverability=False, test_environment=True).normalized
    except ValueError:
        return None


def _keys_of(secret: bytes, project: int) -> _Keys:
    seal = base64.urlsafe_b64encode(derived(secret, f"seal {project}"))
    return _Keys(Fernet(seal), derived(secret, f"look up {project}"))


def derived(secret: bytes, purpose: str) -> bytes:
    """The 256-bit key of a purpose, of which there is one each."""
    info = f"tallymark vault 1: {purpose}".encode()
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(secret)
