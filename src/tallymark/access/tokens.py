"""Tokens of users (JWT, RFC 7519): who they name, and what role that one has, once everything about them is checked."""

import base64
import binascii
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

import jwt
from jwt import PyJWK
from jwt.exceptions import (
    ExpiredSignatureError,
    ImmatureSignatureError,
    InvalidAudienceError,
    InvalidIssuerError,
    InvalidSignatureError,
    InvalidSubjectError,
    MissingRequiredClaimError,
    PyJWTError,
)

from tallymark.access.jwks import JwkSet
from tallymark.config import Settings
from tallymark.errors import BadSetting, Unauthorized

Role = Literal["learner", "teacher", "admin"]
#: Finds the key of an id in a set, or the only one where none is named.
_Find = Callable[[JwkSet, str | None], PyJWK | None]

_LARGEST: Final = 8_192
_LONGEST_SUBJECT: Final = 200
_LEEWAY_SECONDS: Final = 30
_LEAST_SECRET: Final = 32
_MOST_PROJECTS: Final = 100
_WRITTEN_BY_USERS: Final = "user_metadata"
_SHAPE: Final = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*", re.ASCII)
_UNREADABLE: Final = "This is no token that can be read."
#: What is wrong with a token, by the error that its reader raises; the first that fits counts.
_SENTENCES: Final[tuple[tuple[type[PyJWTError], str], ...]] = (
    (ExpiredSignatureError, "This token has expired."),
    (ImmatureSignatureError, "This token is not valid yet."),
    (InvalidAudienceError, "This token is for another audience."),
    (InvalidIssuerError, "This token is of another issuer."),
    (InvalidSignatureError, "The signature of this token is wrong."),
    (InvalidSubjectError, "The `sub` of this token is no text."),
)


@dataclass(frozen=True)
class User:
    """Whom a token names: `name` is its `sub`. `projects`: those that it is good for, by name."""

    name: str
    role: Role
    projects: tuple[str, ...]


def is_token(text: str) -> bool:
    """Whether something that may be a key has the shape of a token; keys begin with `tm_` and have no dots."""
    return _SHAPE.fullmatch(text) is not None


class Tokens:
    """Checks tokens under what the settings say of them. May be used from any thread.

    Which algorithms are good is fixed by what is set: HS256 with secrets alone, the others with public keys alone.
    """

    def __init__(self, settings: Settings, keys: JwkSet | None = None) -> None:
        _check(settings)
        self._secrets = settings.jwt_secrets
        self._keys = keys or (JwkSet(settings.jwt_jwks_url) if settings.jwt_jwks_url else None)
        self._issuer = settings.jwt_issuer or None
        self._audience = settings.jwt_audience or None
        self._role, self._project = settings.jwt_role_claim, settings.jwt_project_claim
        self._default_project = settings.quiz_project

    def read(self, token: str) -> User:
        """Whom a token names.

        Errors: `Unauthorized`, whose sentence says what is wrong and nothing of the token; `Unavailable` where the keys
        to check it can't be fetched.
        """
        return self._user(self._checked(token, JwkSet.key))

    def good_until(self, token: str) -> int | None:
        """When a token expires, in seconds since 1970; None for one that is not good, as far as keys here say."""
        try:
            claims = self._checked(token, JwkSet.known)
            self._user(claims)
        except Unauthorized:
            return None
        return int(claims["exp"])

    def _checked(self, token: str, find: _Find) -> Mapping[str, Any]:
        """What a token claims, which holds."""
        if not self._secrets and self._keys is None:
            raise Unauthorized("No tokens of users are taken here: a key is needed.")
        if len(token) > _LARGEST:
            raise Unauthorized(f"This token is longer than {_LARGEST} characters.")
        if not is_token(token):
            raise Unauthorized(_UNREADABLE)
        header, claims = _parts(token)
        if "crit" in header:
            raise Unauthorized("This token demands an extension that is not known here.")
        self._examine(token, header, find)
        return claims

    def _examine(self, token: str, header: Mapping[str, Any], find: _Find) -> None:
        """Returns where one of the keys that fit the token's algorithm has signed it, and its claims hold."""
        algorithm, kid = header.get("alg"), header.get("kid")
        fault: Exception | None = None
        for key in self._candidates(algorithm, kid if isinstance(kid, str) else None, find):
            fault = self._fault(token, key, str(algorithm))
            if not isinstance(fault, InvalidSignatureError):
                break
        if fault is not None:
            raise Unauthorized(_sentence(fault))

    def _fault(self, token: str, key: str | PyJWK, algorithm: str) -> Exception | None:
        """What is wrong with a token under a key; None for nothing."""
        try:
            jwt.decode(
                token, key, algorithms=[algorithm], audience=self._audience, issuer=self._issuer,
                leeway=_LEEWAY_SECONDS,
                options={"require": ["exp", "sub"], "verify_aud": self._audience is not None},
            )  # fmt: skip
        except (PyJWTError, ValueError, TypeError, OverflowError, RecursionError) as error:
            return error
        return None

    def _candidates(self, algorithm: object, kid: str | None, find: _Find) -> Sequence[str | PyJWK]:
        """The keys that may have signed with that algorithm, at least one."""
        if algorithm == "HS256" and self._secrets:
            return self._secrets
        key = None if self._keys is None or algorithm == "HS256" else find(self._keys, kid)
        if key is None and self._keys is not None and algorithm != "HS256":
            raise Unauthorized("This token is signed with a key that its issuer does not have.")
        if key is None or key.algorithm_name != algorithm:
            raise Unauthorized("This token is signed in a way that is not taken here.")
        return (key,)

    def _user(self, claims: Mapping[str, Any]) -> User:
        name = claims["sub"]
        if not 0 < len(name) <= _LONGEST_SUBJECT or not name.isprintable():
            raise Unauthorized(f"The `sub` of this token must be a text of 1 to {_LONGEST_SUBJECT} characters.")
        said = _at(claims, self._role)
        role: Role = next((role for role in get_args(Role) if role == said), "learner")
        return User(name, role, self._projects(claims))

    def _projects(self, claims: Mapping[str, Any]) -> tuple[str, ...]:
        if not self._project:
            return (self._default_project,)
        said = _at(claims, self._project)
        listed = said[:_MOST_PROJECTS] if isinstance(said, list) else [said]
        return tuple(name for name in listed if isinstance(name, str) and name)


def _check(settings: Settings) -> None:
    """Errors: `BadSetting` for a secret that can be guessed, or a claim that users write themselves."""
    if any(len(secret.encode()) < _LEAST_SECRET for secret in settings.jwt_secrets):
        message = f"TALLYMARK_JWT_SECRET (SUPABASE_JWT_SECRET) needs secrets of {_LEAST_SECRET} characters at least."
        raise BadSetting(message, field="jwt_secrets")
    for field in ("jwt_role_claim", "jwt_project_claim"):
        if getattr(settings, field)[:1] == (_WRITTEN_BY_USERS,):
            raise BadSetting(f"TALLYMARK_{field.upper()} can't be in {_WRITTEN_BY_USERS}: users write it.", field=field)


def _parts(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The header and the claims of a token whose signature nobody has looked at yet."""
    try:
        header, claims = (_object(part) for part in token.split(".")[:2])
    except (ValueError, RecursionError):
        raise Unauthorized(_UNREADABLE) from None
    return header, claims


def _object(part: str) -> dict[str, Any]:
    """A JSON object in base64url.

    Errors: `ValueError`, also for a name that comes twice: two readers could take two values for it.
    """
    try:
        told = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)), object_pairs_hook=_unique)
    except binascii.Error as error:
        raise ValueError("no base64url") from error
    if not isinstance(told, dict):
        raise ValueError("no object")
    return told


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name comes twice")
    return found


def _at(claims: Mapping[str, Any], path: Sequence[str]) -> Any:
    """What is at a path of claims; None where nothing is."""
    found: Any = claims
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    return found if path else None


def _sentence(error: Exception) -> str:
    if isinstance(error, MissingRequiredClaimError):
        return f"This token lacks `{error.claim}`."
    return next((text for kind, text in _SENTENCES if isinstance(error, kind)), _UNREADABLE)
