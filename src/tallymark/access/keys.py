"""Keys: how they are made, and what is kept of them."""

import hashlib
import os
import secrets
import string
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tallymark.control.keys import KeyDraft, Scope

_ALPHABET = string.digits + string.ascii_letters
#: 36 of 62 characters: 214 bits.
_LENGTH = 36
#: How many of the random characters stay readable, so that people can tell keys apart.
_READABLE = 4


@dataclass(frozen=True)
class Minted:
    """A new key: the secret, shown once and then gone, and the draft that is stored."""

    secret: str
    draft: KeyDraft


def new_key(scope: Scope) -> str:
    """A random key whose first part says what it is for: `tm_read_…`."""
    return f"tm_{scope}_" + "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))


def digest(key: str) -> str:
    """The SHA-256 of a key, in hexadecimal. Keys are random, so they need no salt and no stretching."""
    return hashlib.sha256(key.encode()).hexdigest()


def mint(scope: Scope, label: str = "") -> Minted:
    """A new key for that scope, ready to be issued."""
    secret = new_key(scope)
    return Minted(secret, KeyDraft(scope, label, secret[: len(secret) - _LENGTH + _READABLE], digest(secret)))


def local_key(data: Path) -> str:
    """This machine's admin key, in `local.key` of the data directory; made by whoever needs it first.

    Only the owner of the directory can read it. Two processes that come at once get the same key.
    """
    path = data / "local.key"
    if not path.exists():
        data.mkdir(parents=True, exist_ok=True)
        _write_once(path, new_key("admin"))
    return path.read_text(encoding="ascii").strip()


def _write_once(path: Path, text: str) -> None:
    """Writes the file whole, readable by its owner alone, unless it is there by then."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".local.key.")
    draft = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
