"""Signing in: a session stands for what somebody signed in by, and ends with it.

A browser keeps a session's token in a cookie, which opens nothing alone: requests carry a second token besides, that
pages of other origins can't read. Both together are carried on as a key is, under a prefix that only this process
knows, so that nobody can send one as a key.
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from tallymark.access.guard import Access, Identity
from tallymark.access.keys import digest
from tallymark.access.passwords import matches
from tallymark.control.keys import Keys
from tallymark.control.sessions import By, Session, Sessions
from tallymark.control.shares import Share, Shares
from tallymark.errors import Forbidden, Unauthorized

#: How long a one-time code is good.
CODE_LASTS: Final = timedelta(minutes=15)

_PREFIX: Final = f"session:{secrets.token_hex(16)}:"
_WRONG: Final = "There is no such key, code or link, or it is no longer good."


@dataclass(frozen=True)
class SignedIn:
    """Somebody who is signed in: who they are, until when, and the shared link that let them in."""

    token: str
    identity: Identity
    expires_at: datetime
    share: Share | None


class SignIn:
    """Begins, finds and ends sessions. `now` gives epoch seconds."""

    def __init__(
        self, access: Access, sessions: Sessions, keys: Keys, shares: Shares, secret: bytes, now: Callable[[], float]
    ) -> None:
        self._access = access
        self._sessions = sessions
        self._keys = keys
        self._shares = shares
        self._secret = hashlib.blake2b(secret, person=b"tallymark csrf").digest()
        self._clock = now

    def by_key(self, key: str) -> SignedIn:
        """A session of who has a key that reads. Errors: `Unauthorized`, `Forbidden` for one that only sends."""
        identity = None if key.startswith(_PREFIX) else self._access.identify(key)
        if identity is None:
            raise Unauthorized(_WRONG)
        if identity.scope == "ingest":
            raise Forbidden("A key for ingest opens no dashboard: sign in with a read or an admin key.")
        if self._access.is_configured(key):
            return self._begin("setting", digest(key), identity)
        found = self._keys.find(digest(key))
        if found is None:
            raise Unauthorized(_WRONG)
        return self._begin("key", str(found.id), identity)

    def by_code(self, code: str) -> SignedIn:
        """A session of this machine's admin. Errors: `Unauthorized`."""
        if not self._sessions.use_code(digest(code), self._now()):
            raise Unauthorized("This link was used, or its time is over: tallymark link prints another.")
        return self._begin("code", "", _of_code())

    def by_share(self, token: str, password: str) -> SignedIn:
        """A session of who has a shared link. Errors: `Unauthorized`; `Forbidden` for the wrong password."""
        share = self._shares.find(digest(token))
        if share is None or not share.good(self._now()):
            raise Unauthorized("This link was revoked, or its time is over.")
        if share.password and not matches(password, share.password):
            raise Forbidden("This link needs its password.", field="password")
        return self._begin("share", share.id, _of_share(share))

    def new_code(self) -> str:
        """A code that signs in once, as this machine's admin."""
        code = secrets.token_urlsafe(24)
        self._sessions.add_code(digest(code), self._now() + CODE_LASTS)
        return code

    def find(self, token: str) -> SignedIn | None:
        """Who the token in a cookie stands for, if what they signed in by is still good."""
        session = self._sessions.find(digest(token), self._now())
        if session is None:
            return None
        share = self._shares.get(session.subject) if session.by == "share" else None
        identity = self._identity(session, share)
        return None if identity is None else SignedIn(token, identity, session.expires_at, share)

    def end(self, token: str) -> None:
        """Signs out."""
        self._sessions.end(digest(token))
        self._access.forget()

    def csrf(self, token: str) -> str:
        """The second token, which a request has to carry beside the cookie."""
        return hmac.new(self._secret, token.encode(), hashlib.sha256).hexdigest()

    def carried(self, token: str, csrf: str) -> str | None:
        """What stands for a key in a request with both tokens; None where they don't belong together."""
        if not hmac.compare_digest(self.csrf(token).encode(), csrf.encode()):
            return None
        return _PREFIX + token

    def identify(self, key: str) -> Identity | None:
        """Who a key stands for that `carried` gave; None for any other."""
        if not key.startswith(_PREFIX):
            return None
        found = self.find(key.removeprefix(_PREFIX))
        return None if found is None else found.identity

    def _begin(self, by: By, subject: str, identity: Identity) -> SignedIn:
        token = secrets.token_urlsafe(32)
        session = self._sessions.begin(digest(token), by, subject, self._now())
        share = self._shares.get(subject) if by == "share" else None
        return SignedIn(token, identity, session.expires_at, share)

    def _identity(self, session: Session, share: Share | None) -> Identity | None:
        if session.by == "code":
            return _of_code()
        if session.by == "setting":
            return self._access.configured(session.subject)
        if session.by == "share":
            return _of_share(share) if share is not None and share.good(self._now()) else None
        return self._access.of_key(self._keys.get_good(int(session.subject)))

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock(), UTC)


def _of_code() -> Identity:
    return Identity(None, "admin", "a one-time link")


def _of_share(share: Share) -> Identity:
    return Identity(share.project_id, "read", f"the shared link {share.title}".strip())
