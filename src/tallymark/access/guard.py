"""The guard: who sent a request, and whether they may do what it asks."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from hmac import compare_digest

from tallymark.access.keys import digest
from tallymark.control.keys import Key, Keys, Scope
from tallymark.errors import AdminAuthNotConfigured, Forbidden, Unauthorized

#: Scope of a key: what it is good for.
_GRANTS: dict[Scope, frozenset[Scope]] = {
    "ingest": frozenset({"ingest"}),
    "read": frozenset({"read"}),
    "admin": frozenset({"admin", "ingest", "read"}),
}
#: Headers that carry a key, the first one that is there wins.
_HEADERS = {b"authorization": 0, b"x-admin-key": 1, b"x-dashboard-token": 2, b"x-api-key": 3}
_BEARER = b"bearer "
_FRESH_SECONDS = 5.0
_MOST_CACHED = 10_000


@dataclass(frozen=True)
class Identity:
    """Who a key belongs to: a project, or None for every project; `name` is what people call who has it."""

    project_id: int | None
    scope: Scope
    name: str = field(default="admin", compare=False)

    def may(self, scope: Scope, project_id: int | None) -> bool:
        """Whether it is good for that scope in that project; None means in every project."""
        return scope in _GRANTS[self.scope] and self.project_id in (None, project_id)


class Access:
    """Tells keys from non-keys. `clock` gives seconds; what is known of a key is asked again after five.

    May be called from any thread. Only the first use of a key within five seconds reads the store.
    """

    def __init__(
        self,
        keys: Keys,
        admin_key: str,
        local_key: str,
        clock: Callable[[], float] = time.monotonic,
        read_keys: Sequence[str] = (),
    ) -> None:
        self._keys = keys
        #: Who a key stands for that no store of keys has: told after it is built, since sessions need it.
        self.sessions: Callable[[str], Identity | None] = lambda _: None
        self._masters: tuple[tuple[str, Scope], ...] = tuple(
            (digest(key), scope) for key, scope in _of_every_project(admin_key, local_key, read_keys) if key
        )
        self._configured = bool(admin_key)
        self._clock = clock
        self._known: dict[str, tuple[float, Identity | None]] = {}

    def identify(self, token: str) -> Identity | None:
        """Whose key it is; None for a key that does not exist or was revoked."""
        hashed = digest(token)
        configured = self._configured_as(hashed)
        if configured is not None:
            return configured
        known = self._known.get(hashed)
        if known is not None and known[0] > self._clock():
            return known[1]
        return self._look_up(hashed, token)

    def is_configured(self, text: str) -> bool:
        """Whether it is a key that the settings name, whatever it looks like."""
        return self._configured_as(digest(text)) is not None

    def configured(self, hashed: str) -> Identity | None:
        """Whose key of the settings has that hash."""
        return self._configured_as(hashed)

    def of_key(self, key: Key | None) -> Identity | None:
        """Who has a key of a project."""
        return None if key is None else Identity(key.project_id, key.scope, _name(key))

    def known(self, token: str | None) -> Identity:
        """Whose key it is.

        Errors: `Unauthorized` for no key or one that does not exist.
        """
        if not token:
            raise Unauthorized("A key is needed: send it as 'Authorization: Bearer …'.")
        identity = self.identify(token)
        if identity is None:
            raise Unauthorized("There is no such key, or it was revoked.")
        return identity

    def require(self, token: str | None, scope: Scope, project_id: int | None) -> Identity:
        """Who it is, if they may do this in that project; `project_id` None means in every project.

        Errors: `AdminAuthNotConfigured` where nobody could be an admin of every project; `Unauthorized` for
        no key or an unknown one; `Forbidden` for one that is good for something else.
        """
        if scope == "admin" and project_id is None and not self._configured and not self._exists(token):
            raise AdminAuthNotConfigured("No admin key is configured: set ADMIN_API_KEY.")
        identity = self.known(token)
        if not identity.may(scope, project_id):
            raise Forbidden(_refusal(identity, scope))
        return identity

    def _exists(self, token: str | None) -> bool:
        """Whether it is any key: this machine's own works without a configured admin key, others are told no."""
        return token is not None and self.identify(token) is not None

    def forget(self) -> None:
        """Asks the store again for every key; call it when keys have changed."""
        self._known.clear()

    def _configured_as(self, hashed: str) -> Identity | None:
        scopes = [scope for master, scope in self._masters if compare_digest(hashed, master)]
        return Identity(None, scopes[0]) if scopes else None

    def _look_up(self, hashed: str, token: str) -> Identity | None:
        identity = self.sessions(token) or self.of_key(self._keys.find(hashed))
        if len(self._known) >= _MOST_CACHED:
            self._known.clear()
        self._known[hashed] = (self._clock() + _FRESH_SECONDS, identity)
        return identity


def _name(key: Key) -> str:
    """What a key is recognised by: its label, and how it begins."""
    return f"{key.label} ({key.prefix}…)" if key.label else f"{key.prefix}…"


def _of_every_project(admin_key: str, local_key: str, read_keys: Sequence[str]) -> Iterable[tuple[str, Scope]]:
    """The keys that are good for every project; of equal ones the first counts."""
    return ((admin_key, "admin"), (local_key, "admin"), *((key, "read") for key in read_keys))


def token_of(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    """The key that ASGI headers carry, None without one.

    `Authorization: Bearer`, then `x-admin-key`, `x-dashboard-token`, `x-api-key`; names are in lower case, as
    ASGI has them. Runs for every request that brings events.
    """
    best, found = 9, b""
    for name, value in headers:
        if name in _HEADERS:
            rank = _HEADERS[name]
            if rank == 0:
                value = value[7:] if value[:7].lower() == _BEARER else b""  # noqa: PLW2901  # faster than a new name
            if rank < best and (value := value.strip()):
                best, found = rank, value
    return found.decode("latin-1") if found else None


def _refusal(identity: Identity, scope: Scope) -> str:
    if scope not in _GRANTS[identity.scope]:
        return f"This key is for {identity.scope}, and this needs {scope}."
    return "This key belongs to another project."
