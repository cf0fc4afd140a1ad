"""`/v1/keys`: issued, listed without their secrets, revoked."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Annotated, TypedDict, cast, get_args

from litestar import Router, delete, get, post
from litestar.openapi.spec import Schema
from litestar.openapi.spec.enums import OpenAPIType
from litestar.params import PathParameter, QueryParameter, RawBody

from tallymark.access.keys import mint
from tallymark.api.auth import Call, caller, project_for, require
from tallymark.api.body import read_json, with_body
from tallymark.api.errors import documented
from tallymark.api.expiry import EXPIRY_RULE, read_expiry
from tallymark.control.keys import Key, Keys, Scope
from tallymark.errors import BadRequest, NotFound
from tallymark.spec.project import instant_text

_FIELDS = ("project", "scope", "label", "expiresAt")
_SCOPES: tuple[Scope, ...] = get_args(Scope)
_MAX_LABEL = 200
_LARGEST_ID = 2**63 - 1

_DRAFT = Schema(
    type=OpenAPIType.OBJECT,
    properties={
        "project": Schema(type=OpenAPIType.STRING, description="Name of the project, or else its id."),
        "scope": Schema(type=OpenAPIType.STRING, enum=_SCOPES, description="What the key is good for."),
        "label": Schema(type=OpenAPIType.STRING, max_length=_MAX_LABEL, description="What people call it."),
        "expiresAt": Schema(
            type=[OpenAPIType.STRING, OpenAPIType.NULL],
            description=f"From when on it is good for nothing: {EXPIRY_RULE}. Default: null, never.",
        ),
    },
    required=["project", "scope"],
    additional_properties=False,
    examples=[{"project": "site", "scope": "read", "label": "dashboard"}],
)


class PublicKey(TypedDict):
    """A key as the API shows it."""

    id: int
    project: str
    scope: Scope
    label: str
    prefix: str
    createdAt: str
    revokedAt: str | None
    expiresAt: str | None


class SecretKey(PublicKey):
    """A key with its secret, shown this once."""

    secret: str


class CreatedKey(TypedDict):
    """A new key."""

    key: SecretKey


class OneKey(TypedDict):
    """A key."""

    key: PublicKey


class ManyKeys(TypedDict):
    """Keys, oldest first."""

    keys: list[PublicKey]


@post(
    "/",
    sync_to_thread=True,
    summary="Create a key",
    operation_class=with_body(_DRAFT),
    responses=documented(400, 401, 403, 404),
)
def create_key(request: Call, body: RawBody) -> CreatedKey:
    """Issues a key for a project; its secret is shown this once. An admin of the project may."""
    name, scope, label, expires_at = _parse(read_json(body))
    project = project_for(request, name, "admin")
    minted = mint(scope, label)
    key = _store(request).issue(project.id, replace(minted.draft, expires_at=expires_at))
    return {"key": {**_public(key), "secret": minted.secret}}


@get("/", sync_to_thread=True, summary="List keys", responses=documented(400, 401, 403, 404, 503))
def list_keys(
    request: Call,
    project: Annotated[str | None, QueryParameter(description="Name of a project, or else its id.")] = None,
) -> ManyKeys:
    """The keys of a project, or of every project that the key is admin of; revoked and expired ones included."""
    return {"keys": [_public(key) for key in _store(request).list(_project_id(request, project))]}


@delete(
    "/{key_id:int}",
    sync_to_thread=True,
    status_code=200,
    summary="Revoke a key",
    responses=documented(400, 401, 403, 404),
)
def revoke_key(
    request: Call, key_id: Annotated[int, PathParameter(description="Id of a key.", ge=1, le=_LARGEST_ID)]
) -> OneKey:
    """Makes a key useless from now on. An admin of its project may."""
    identity = caller(request)
    key = _store(request).get(key_id)
    if key is None or identity.project_id not in (None, key.project_id):
        raise NotFound(f"There is no key {key_id}.")
    require(request, "admin", key.project_id)
    revoked = _store(request).revoke(key_id)
    request.app.state.access.forget()
    return {"key": _public(revoked)}


#: Needs `state.access`, `state.projects`, `state.keys`.
keys_router = Router(path="/v1/keys", route_handlers=[create_key, list_keys, revoke_key], tags=["keys"])


def _store(request: Call) -> Keys:
    keys: Keys = request.app.state["keys"]  # `state.keys` is the mapping's method
    return keys


def _project_id(request: Call, project: str | None) -> int | None:
    """The project whose keys are listed; None for all."""
    if project is not None:
        return project_for(request, project, "admin").id
    own = caller(request).project_id
    require(request, "admin", own)
    return own


def _parse(body: object) -> tuple[str, Scope, str, datetime | None]:
    """The project, the scope, the label and the expiry of the key that is asked for."""
    if not isinstance(body, Mapping):
        raise BadRequest("A key is a JSON object.", allowed=_FIELDS)
    for field in body:
        if field not in _FIELDS:
            raise BadRequest(f"A key has no field {field!r}.", field=field, allowed=_FIELDS)
    project, scope, label = body.get("project"), body.get("scope"), body.get("label", "")
    if not isinstance(project, str) or not project:
        raise BadRequest("A key needs the name of a project.", field="project")
    if scope not in _SCOPES:
        raise BadRequest(f"A key's scope is one of {', '.join(_SCOPES)}.", field="scope", allowed=_SCOPES)
    if not isinstance(label, str) or len(label) > _MAX_LABEL or not (label.isprintable() or not label):
        raise BadRequest(f"A label is text of at most {_MAX_LABEL} printable characters.", field="label")
    return project, cast(Scope, scope), label, read_expiry(body.get("expiresAt"), "A key")


def _public(key: Key) -> PublicKey:
    return {
        "id": key.id,
        "project": key.project,
        "scope": key.scope,
        "label": key.label,
        "prefix": key.prefix,
        "createdAt": instant_text(key.created_at),
        "revokedAt": None if key.revoked_at is None else instant_text(key.revoked_at),
        "expiresAt": None if key.expires_at is None else instant_text(key.expires_at),
    }
