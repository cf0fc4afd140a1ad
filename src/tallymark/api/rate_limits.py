"""Rate limits: how often a key, or an address without one, may ask and send in a minute.

Told by the fields `RateLimit-Policy` and `RateLimit` of draft-ietf-httpapi-ratelimit-headers (from version 8 on).
"""

import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from hashlib import blake2b
from ipaddress import IPv6Address
from typing import Any, Final

from litestar.enums import ScopeType
from litestar.handlers import ASGIRouteHandler
from litestar.types import ASGIApp, Receive, Scope, Send

from tallymark.access.buckets import WINDOW, Buckets, Limit, Taken
from tallymark.access.guard import Access, token_of
from tallymark.access.limiter import Limiter
from tallymark.access.shared_buckets import SharedBuckets
from tallymark.access.tokens import Tokens
from tallymark.access.verified import Verified
from tallymark.api.intake import client_address, headers_of
from tallymark.cache.remote import Remote
from tallymark.config import Settings
from tallymark.errors import Forbidden, RateLimited, Unauthorized

#: The `opt` of handlers that everybody may ask as often as they like.
UNLIMITED: Final = "unlimited"

#: Of requests without a key that an address may make, so many may bring a wrong one.
_GUESSES: Final = 10


@dataclass(frozen=True)
class RequestLimits:
    """Limits of requests, None where there is none."""

    key: Limit | None
    address: Limit | None
    ingest: Limit | None
    guesses: Limit | None

    @classmethod
    def of(cls, key: int, address: int, ingest: int) -> "RequestLimits":
        """Of so many requests a minute; 0 is no limit."""
        return cls(
            _limit("key", key), _limit("address", address), _limit("ingest", ingest),
            _limit("wrong-keys", math.ceil(address / _GUESSES)),
        )  # fmt: skip

    def __bool__(self) -> bool:
        return any((self.key, self.address, self.ingest))


class RateLimits:
    """Counts requests before they are answered.

    `recognised` tells keys and tokens of somebody from others; requests with others count as without one. Keys and
    addresses are counted by hashes keyed with `secret`; IPv6 addresses by their /64, which one sender has whole.
    """

    def __init__(
        self,
        limits: RequestLimits,
        limiter: Limiter,
        secret: bytes,
        recognised: Callable[[str], bool],
        trusted_proxies: int,
    ) -> None:
        self.limits = limits
        self.limiter = limiter
        self._guessing = False  # that anybody ever brought a wrong key
        self._secret = blake2b(secret, person=b"tallymark limits").digest()
        self._recognised = recognised
        self._trusted_proxies = trusted_proxies

    def questions(self, app: ASGIApp) -> ASGIApp:
        """The application of a route behind the limits, as a middleware; bare ASGI routes are those that events take.

        Errors: `RateLimited`.
        """

        async def limited(scope: Scope, receive: Receive, send: Send) -> None:
            handler: Any = scope.get("route_handler")
            if scope["type"] != ScopeType.HTTP or handler.opt.get(UNLIMITED):
                await app(scope, receive, send)
            else:
                await self._serve(app, isinstance(handler, ASGIRouteHandler), scope, receive, send)

        return limited

    def events(self, app: ASGIApp) -> ASGIApp:
        """An application that takes events, behind the limits. Errors: `RateLimited`."""

        async def limited(scope: Scope, receive: Receive, send: Send) -> None:
            await self._serve(app, True, scope, receive, send)

        return limited

    async def _serve(self, app: ASGIApp, ingest: bool, scope: Scope, receive: Receive, send: Send) -> None:
        fields = await self._admit(scope, ingest)

        async def told(message: Any) -> None:
            if message["type"] == "http.response.start":
                if message["status"] == 401 and self.limits.guesses is not None:
                    await self._guessed(scope, self.limits.guesses)
                if fields:
                    message["headers"] = [*message["headers"], *fields]
            await send(message)

        await app(scope, receive, told)

    async def _admit(self, scope: Scope, ingest: bool) -> list[tuple[bytes, bytes]]:
        """The fields of the answer to a request that may be made. Errors: `RateLimited`."""
        if ingest and self.limits.ingest is None and not self._guessing:
            return []
        token = token_of(scope["headers"])
        keyed = token is not None and self._recognised(token)
        if token is not None and not keyed and self.limits.guesses is not None:
            self._refuse_guesses(scope, self.limits.guesses)
        limit = self.limits.ingest if ingest else self.limits.key if keyed else self.limits.address
        if limit is None:
            return []
        who = token if keyed and token is not None else self._network(scope)
        found = await self.limiter.take(limit, self._name(limit, who))
        if not found.allowed:
            raise _refusal(limit, found)
        return [(name.encode(), value.encode()) for name, value in _fields(limit, found).items()]

    @asynccontextmanager
    async def guessing(self, scope: Scope) -> AsyncIterator[None]:
        """Around what may bring a wrong secret in its body, which counts as a wrong key does. Errors: `RateLimited`."""
        limit = self.limits.guesses
        if limit is None:
            yield
            return
        self._refuse_guesses(scope, limit)
        try:
            yield
        except (Unauthorized, Forbidden):
            await self.limiter.take(limit, self._name(limit, self._network(scope)))
            raise

    def _refuse_guesses(self, scope: Scope, limit: Limit) -> None:
        """Refuses one more unknown key of an address that brought too many. Errors: `RateLimited`."""
        found = self.limiter.exhausted(limit, self._name(limit, self._network(scope)))
        if found is not None:
            raise _refusal(limit, found)

    async def _guessed(self, scope: Scope, limit: Limit) -> None:
        """Counts a key that was wrong."""
        if token_of(scope["headers"]) is not None:
            self._guessing = True
            await self.limiter.take(limit, self._name(limit, self._network(scope)))

    def _network(self, scope: Scope) -> str:
        headers = headers_of(scope) if self._trusted_proxies else {}
        return network(client_address(scope, headers, self._trusted_proxies))

    def _name(self, limit: Limit, who: str) -> bytes:
        """What somebody is counted by."""
        return blake2b(f"{limit.name} {who}".encode(), key=self._secret, digest_size=12).digest()


def rate_limits(settings: Settings, access: Access, tokens: Tokens, remote: Remote | None, secret: bytes) -> RateLimits:
    """Those of the settings, counted by all processes together where they share a Valkey."""
    verified = Verified(tokens)
    limits = RequestLimits.of(settings.rate_limit, settings.rate_limit_address, settings.rate_limit_ingest)
    limiter = Limiter(Buckets(), SharedBuckets(remote) if remote else None)

    def recognised(token: str) -> bool:
        return token in verified or access.identify(token) is not None

    return RateLimits(limits, limiter, secret, recognised, settings.trusted_proxies)


def network(address: str) -> str:
    """What an address is counted by: itself, of IPv6 its /64, of one that stands for one of IPv4 that one."""
    if ":" not in address:
        return address
    try:
        parsed = IPv6Address(address)
    except ValueError:
        return address
    return str(parsed.ipv4_mapped or IPv6Address(int(parsed) >> 64 << 64))


def _limit(name: str, a_minute: int) -> Limit | None:
    return Limit(name, a_minute) if a_minute else None


def _fields(limit: Limit, found: Taken) -> dict[str, str]:
    """The policy, and what is left of it."""
    return {
        "RateLimit-Policy": f'"{limit.name}";q={limit.a_minute};w={WINDOW:.0f}',
        "RateLimit": f'"{limit.name}";r={found.left};t={math.ceil(found.refill)}',
    }


def _refusal(limit: Limit, found: Taken) -> RateLimited:
    wait = max(1, math.ceil(found.wait))
    message = f"More than {limit.a_minute} requests a minute (limit {limit.name!r}); try again in {wait} s."
    return RateLimited(message, wait, _fields(limit, found))
