"""The installation's secret, which keys the hashes of actors."""

import os
import secrets
from pathlib import Path


def installation_secret(data: Path, given: str) -> bytes:
    """The secret that was set, or the one in the data directory's `secret`, made at the first start.

    Losing it makes every known visitor a new one, so it is fsynced and readable by its owner alone.
    """
    if given:
        return given.encode()
    path = data / "secret"
    if not path.exists():
        data.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".secret.{os.getpid()}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(secrets.token_hex(32))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    return path.read_text(encoding="ascii").strip().encode()
