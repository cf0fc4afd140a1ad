"""The public keys that tokens are signed with: fetched from where their issuer puts them, kept, and fetched anew."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import httpx
import msgspec
import structlog
from jwt import PyJWK
from jwt.exceptions import PyJWTError

from tallymark.errors import Unavailable

#: What public keys are good for. A secret has no place among them: whoever reads the set could sign with it.
ALGORITHMS: Final = ("RS256", "ES256", "EdDSA")
#: How old keys become before they are fetched anew, in seconds; and how soon they may be fetched again.
_FRESH_SECONDS: Final = 600.0
_AGAIN_SECONDS: Final = 30.0
_PATIENCE_SECONDS: Final = 5.0
_LARGEST: Final = 262_144
_MOST_KEYS: Final = 100
_LEAST_RSA_BITS: Final = 2_048

_log = structlog.get_logger()


class JwkSet:
    """The keys at a URL, by their ids. May be called from any thread; `clock` gives seconds.

    They are fetched when they are first needed, every ten minutes, and for an id that is not known, but not more often
    than every 30 s. Where the URL is away the last ones stay good.
    """

    def __init__(self, url: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._url = url
        self._clock = clock
        self._keys: Mapping[str, PyJWK] | None = None
        self._fetched = self._tried = float("-inf")
        self._lock = threading.Lock()

    def key(self, kid: str | None) -> PyJWK | None:
        """The key of an id, or the only one there is where none is named; None where there is none.

        Errors: `Unavailable` where no keys could be fetched yet.
        """
        keys = self._keys
        if keys is None or self._clock() - self._fetched > _FRESH_SECONDS or _chosen(keys, kid) is None:
            keys = self._renewed(keys)
        if keys is None:
            raise Unavailable("The keys of tokens can't be fetched now; try again later.")
        return _chosen(keys, kid)

    def known(self, kid: str | None) -> PyJWK | None:
        """As `key`, of the keys that are here, however old: it fetches none."""
        return _chosen(self._keys or {}, kid)

    def _renewed(self, known: Mapping[str, PyJWK] | None) -> Mapping[str, PyJWK] | None:
        """The keys after a fetch where one is due; who has some does not wait for another's fetch."""
        if not self._lock.acquire(blocking=known is None):
            return self._keys
        try:
            if self._clock() - self._tried >= _AGAIN_SECONDS:
                self._fetch()
            return self._keys
        finally:
            self._lock.release()

    def _fetch(self) -> None:
        self._tried = self._clock()
        try:
            self._keys = read_keys(_fetched(self._url))
            self._fetched = self._clock()
        except (httpx.HTTPError, httpx.InvalidURL, msgspec.MsgspecError, ValueError, RecursionError) as error:
            _log.warning("keys of tokens can't be fetched", why=str(error)[:200] or type(error).__name__)


def read_keys(body: bytes) -> Mapping[str, PyJWK]:
    """The keys of a JWK set that can be used here, by their ids.

    Errors: `ValueError` for what is no such set, or has no such key.
    """
    told: Any = msgspec.json.decode(body)
    listed = told.get("keys") if isinstance(told, dict) else None
    if not isinstance(listed, list) or len(listed) > _MOST_KEYS:
        raise ValueError(f"This is no JWK set of at most {_MOST_KEYS} keys.")
    found = dict(pair for jwk in listed if isinstance(jwk, dict) for pair in _usable(jwk))
    if not found:
        raise ValueError(f"This JWK set has no public key for {', '.join(ALGORITHMS)}.")
    return found


def _usable(jwk: dict[str, Any]) -> Iterator[tuple[str, PyJWK]]:
    """The id and the key, where it is a public one, for signatures, strong enough, of an algorithm that is taken."""
    if jwk.get("kty") not in {"RSA", "EC", "OKP"} or jwk.get("use", "sig") != "sig" or "d" in jwk:
        return
    try:
        key = PyJWK(jwk)
    except (PyJWTError, ValueError, TypeError, KeyError, AttributeError):
        return
    bits = getattr(key.key, "key_size", 0)
    if key.algorithm_name in ALGORITHMS and (jwk["kty"] != "RSA" or bits >= _LEAST_RSA_BITS):
        yield str(jwk.get("kid", "")), key


def _chosen(keys: Mapping[str, PyJWK], kid: str | None) -> PyJWK | None:
    if kid is not None:
        return keys.get(kid)
    return next(iter(keys.values())) if len(keys) == 1 else None


def _fetched(url: str) -> bytes:
    """What is at a URL: in one answer without redirects, of bounded size, within five seconds."""
    until = time.monotonic() + _PATIENCE_SECONDS
    body = b""
    with _asked(url) as answer:
        if answer.status_code != httpx.codes.OK:
            raise ValueError(f"The answer is {answer.status_code}.")
        for part in answer.iter_raw():  # as it comes: whoever sends a byte a second is not waited for
            body += part
            if len(body) > _LARGEST:
                raise ValueError(f"The answer is longer than {_LARGEST} bytes.")
            if time.monotonic() > until:
                raise ValueError(f"The answer takes longer than {_PATIENCE_SECONDS:g} s.")
    return body


@contextmanager
def _asked(url: str) -> Iterator[httpx.Response]:
    with (
        httpx.Client(timeout=_PATIENCE_SECONDS, follow_redirects=False, trust_env=False) as client,
        client.stream("GET", url, headers={"Accept": "application/json", "Accept-Encoding": "identity"}) as answer,
    ):
        yield answer
