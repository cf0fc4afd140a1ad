"""The cookie of who is signed in, and the application in front of another one that lets it stand for a key."""

from http.cookies import CookieError, SimpleCookie
from typing import Any, Final

from litestar.datastructures import Cookie
from litestar.types import ASGIApp, Scope

from tallymark.access.guard import token_of
from tallymark.access.sessions import SignIn
from tallymark.control.sessions import LONGEST

_NAME: Final = "tallymark_session"
#: Browsers take a cookie of such a name by https alone, and from no other host.
_SECURE_NAME: Final = f"__Host-{_NAME}"

_CSRF: Final = b"x-csrf-token"


class SessionCookie:
    """Has requests of who is signed in carry a key, if they bring the cookie and the second token, and no key.

    So a cookie alone opens nothing: not what a page of the same host sends by itself, nor what another one does.
    """

    def __init__(self, sign_in: SignIn, rest: ASGIApp) -> None:
        self._sign_in = sign_in
        self._rest = rest

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serves a request by the rest."""
        if scope["type"] == "http":
            csrf = _header(scope, _CSRF)
            if csrf and token_of(scope["headers"]) is None and not is_elsewhere(scope):
                self._carry(scope, csrf)
        await self._rest(scope, receive, send)

    def _carry(self, scope: Scope, csrf: str) -> None:
        token = session_token(scope)
        carried = self._sign_in.carried(token, csrf) if token else None
        if carried is not None:
            scope["headers"] = [*scope["headers"], (b"authorization", f"Bearer {carried}".encode())]


def session_token(scope: Scope) -> str | None:
    """The token in the cookie of a request."""
    try:
        cookies = SimpleCookie(_header(scope, b"cookie"))
    except CookieError:
        return None
    found = cookies.get(_SECURE_NAME) or cookies.get(_NAME)
    return found.value if found else None


def is_elsewhere(scope: Scope) -> bool:
    """Whether a browser says that a page of another origin sends the request."""
    site, origin = _header(scope, b"sec-fetch-site"), _header(scope, b"origin")
    if site in ("cross-site", "same-site"):
        return True
    return bool(origin) and origin.partition("://")[2] != _header(scope, b"host")


def cookie_of(token: str, secure: bool) -> Cookie:
    """The cookie that keeps a session; an empty token deletes it."""
    return Cookie(
        _SECURE_NAME if secure else _NAME, value=token, path="/", httponly=True, secure=secure, samesite="strict",
        max_age=int(LONGEST.total_seconds()) if token else 0,
    )  # fmt: skip


def is_secure(scope: Scope, trusted_proxies: int) -> bool:
    """Whether the browser's own connection is encrypted; a proxy is believed where one is trusted."""
    return scope["scheme"] == "https" or (trusted_proxies > 0 and _header(scope, b"x-forwarded-proto") == "https")


def _header(scope: Scope, name: bytes) -> str:
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")
