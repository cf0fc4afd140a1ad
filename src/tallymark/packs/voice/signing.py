"""Signed requests: what a sender with a secret signs, and whether a request is one, sent lately and only once.

`X-Tallymark-Signature: t=<seconds since 1970>,v1=<hex>`, where the latter is HMAC-SHA-256 over
`<t>.<METHOD> <path with query>.<body>`, the body before compression.
"""

import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from litestar.types import Scope

from tallymark.control.seen_signatures import SeenSignatures
from tallymark.errors import Unauthorized

HEADER: Final = "x-tallymark-signature"

#: How far a sender's clock may be off, in seconds.
TOLERANCE: Final = 300

_FORM: Final = re.compile(r"t=([0-9]{1,12}),v1=([0-9a-f]{64})")


@dataclass(frozen=True)
class Signed:
    """A request as it is signed: `target` is its path with its query."""

    method: str
    target: str
    body: bytes

    def digest(self, secret: str, at: int) -> str:
        """The signature at a time in seconds since 1970."""
        text = f"{at}.{self.method} {self.target}.".encode() + self.body
        return hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()


@dataclass(frozen=True)
class Signing:
    """Checks signatures made with any of some secrets; `seen` knows those that were taken."""

    secrets: Sequence[str]
    seen: SeenSignatures

    def check(self, given: str, request: Signed, now: float) -> None:
        """Raises `Unauthorized` unless the request was signed lately and comes for the first time."""
        found = _FORM.fullmatch(given.strip())
        if found is None:
            raise Unauthorized(f"{HEADER} reads t=<seconds since 1970>,v1=<hex of HMAC-SHA-256>.", field=HEADER)
        at, digest = int(found[1]), found[2]
        if abs(now - at) > TOLERANCE:
            raise Unauthorized(f"The signature is of another time than the last {TOLERANCE} s: sign it anew.")
        matches = [hmac.compare_digest(digest, request.digest(secret, at)) for secret in self.secrets]
        if not any(matches):
            raise Unauthorized("The signature fits neither this request nor any secret that is set.")
        until = datetime.fromtimestamp(at, UTC) + timedelta(seconds=TOLERANCE + 1)  # after the last moment it is taken
        if not self.seen.first(digest, until, datetime.fromtimestamp(now, UTC)):
            raise Unauthorized("This signature was used already: sign a request anew before it is sent again.")


def signature_of(scope: Scope) -> str | None:
    """The signature that a request bears, None for one that bears none."""
    name = HEADER.encode()
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), None)


def target_of(scope: Scope) -> str:
    """A request's path with its query, as it was sent."""
    raw, query = scope.get("raw_path") or scope["path"].encode(), scope["query_string"]
    path = raw.partition(b"?")[0]  # some servers leave the query in it
    return (path + (b"?" + query if query else b"")).decode("latin-1")
