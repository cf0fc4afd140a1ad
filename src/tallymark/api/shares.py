"""`/v1/shares`: links that show a project's numbers to whoever has them, until they are revoked."""

import secrets
from datetime import UTC, datetime
from typing import Annotated, Final, TypedDict

from litestar import Router, delete, get, post
from litestar.openapi.spec import Schema
from litestar.openapi.spec.enums import OpenAPIType
from litestar.params import PathParameter, RawBody

from tallymark.access.keys import digest
from tallymark.access.passwords import hashed
from tallymark.api.auth import Call, ProjectName, caller, project_for
from tallymark.api.body import with_body
from tallymark.api.errors import documented
from tallymark.api.expiry import read_expiry
from tallymark.api.fields import read_fields
from tallymark.api.services import services
from tallymark.control.shares import Share
from tallymark.errors import NotFound
from tallymark.spec.project import instant_text

_LONGEST: Final = {"title": 200, "view": 2_000, "password": 200}

_DRAFT: Final = Schema(
    type=OpenAPIType.OBJECT,
    properties={
        "title": Schema(type=OpenAPIType.STRING, max_length=200, description="What people call it."),
        "view": Schema(type=OpenAPIType.STRING, max_length=2_000, description="The dashboard's query that it opens."),
        "password": Schema(type=OpenAPIType.STRING, max_length=200, description="Needed to open it; default: none."),
        "expiresAt": Schema(type=[OpenAPIType.STRING, OpenAPIType.NULL], description="When it stops opening."),
    },
    additional_properties=False,
    examples=[{"title": "November", "view": "page=web&period=month"}],
)


class PublicShare(TypedDict):
    """A shared link, without its secret."""

    id: str
    title: str
    view: str
    hasPassword: bool
    createdAt: str
    expiresAt: str | None
    revokedAt: str | None


class NewShare(TypedDict):
    """A new link; `token` is shown this once: the dashboard's address with `#share=` and it opens."""

    share: PublicShare
    token: str


class OneShare(TypedDict):
    """A shared link."""

    share: PublicShare


class ManyShares(TypedDict):
    """Shared links, newest first."""

    shares: list[PublicShare]


@post(
    "/",
    sync_to_thread=True,
    summary="Share a project's numbers",
    operation_class=with_body(_DRAFT),
    responses=documented(400, 401, 403, 404, 409),
)
def create_share(request: Call, body: RawBody, project: ProjectName = None) -> NewShare:
    """Makes a link; whoever has it sees what a read key of the project sees."""
    here, owner = services(request.app.state), project_for(request, project, "admin")
    told = read_fields(body, "A shared link", _LONGEST, ("expiresAt",))
    token, now = secrets.token_urlsafe(24), datetime.fromtimestamp(here.now(), UTC)
    password = hashed(told["password"]) if told.get("password") else ""
    share = Share(
        secrets.token_hex(8), owner.id, told.get("title", ""), told.get("view", ""), password, now,
        read_expiry(told.get("expiresAt"), "A link"),
    )  # fmt: skip
    here.shares.add(share, digest(token), caller(request).name)
    return {"share": _public(share), "token": token}


@get("/", sync_to_thread=True, summary="List shared links", responses=documented(400, 401, 403, 404))
def list_shares(request: Call, project: ProjectName = None) -> ManyShares:
    """The links of a project, revoked ones included."""
    owner = project_for(request, project, "admin")
    return {"shares": [_public(share) for share in services(request.app.state).shares.of_project(owner.id)]}


@delete(
    "/{share_id:str}",
    sync_to_thread=True,
    status_code=200,
    summary="Revoke a shared link",
    responses=documented(400, 401, 403, 404),
)
def revoke_share(
    request: Call,
    share_id: Annotated[str, PathParameter(description="Id of a link.")],
    project: ProjectName = None,
) -> OneShare:
    """Closes a link, and whoever it let in is out."""
    here, owner = services(request.app.state), project_for(request, project, "admin")
    share = here.shares.get(share_id)
    if share is None or share.project_id != owner.id:
        raise NotFound(f"There is no shared link {share_id[:40]!r}.")
    revoked = here.shares.revoke(share, caller(request).name, datetime.fromtimestamp(here.now(), UTC))
    here.access.forget()
    return {"share": _public(revoked)}


shares_router = Router("/v1/shares", route_handlers=[create_share, list_shares, revoke_share], tags=["dashboard"])


def _public(share: Share) -> PublicShare:
    return {
        "id": share.id,
        "title": share.title,
        "view": share.view,
        "hasPassword": bool(share.password),
        "createdAt": instant_text(share.created_at),
        "expiresAt": instant_text(share.expires_at) if share.expires_at else None,
        "revokedAt": instant_text(share.revoked_at) if share.revoked_at else None,
    }
