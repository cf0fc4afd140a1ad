"""`/v1/session`: signing in to the dashboard by a key, a one-time code or a shared link, and out."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Final, TypedDict

from litestar import Response, Router, delete, get, post
from litestar.openapi.spec import Schema
from litestar.openapi.spec.enums import OpenAPIType
from litestar.params import RawBody

from tallymark.access.sessions import CODE_LASTS, SignedIn
from tallymark.api.auth import Call, caller, require
from tallymark.api.body import with_body
from tallymark.api.errors import documented
from tallymark.api.fields import read_fields
from tallymark.api.services import Services, services
from tallymark.api.session_cookie import cookie_of, is_elsewhere, is_secure, session_token
from tallymark.errors import BadRequest, Forbidden, Unauthorized
from tallymark.spec.project import instant_text

_WAYS: Final = ("key", "code", "share")
_LONGEST: Final = 500

_TEXT: Final = Schema(type=OpenAPIType.STRING, max_length=_LONGEST)
_DRAFT: Final = Schema(
    type=OpenAPIType.OBJECT,
    properties={
        "key": _TEXT, "code": _TEXT, "share": _TEXT,
        "password": Schema(type=OpenAPIType.STRING, max_length=_LONGEST, description="Of a shared link that has one."),
    },
    additional_properties=False,
    examples=[{"key": "tm_read_…"}],
)  # fmt: skip


class SharedView(TypedDict):
    """The shared link that let somebody in."""

    title: str
    view: str


class PublicSession(TypedDict):
    """Who is signed in: `project` is theirs, null for every one."""

    name: str
    scope: str
    project: str | None
    expiresAt: str
    share: SharedView | None


class OneSession(TypedDict):
    """A session, and the token that requests carry as `X-CSRF-Token` beside the cookie."""

    session: PublicSession
    csrf: str


class Link(TypedDict):
    """The code of a one-time link: the dashboard's address with `#code=` and it signs in."""

    code: str
    expiresInSeconds: int


@post(
    "/",
    summary="Sign in",
    description="By `key`, by `code` of a one-time link, or by `share` and its `password`. Sets a cookie.",
    operation_class=with_body(_DRAFT),
    responses=documented(400, 401, 403, 429),
)
async def sign_in(request: Call, body: RawBody) -> Response[OneSession]:
    """Begins a session."""
    here = services(request.app.state)
    if is_elsewhere(request.scope):
        raise Forbidden("Only the dashboard's own pages sign in.")
    way, secret, password = _parse(body)
    async with here.rate_limits.guessing(request.scope):
        found = await _found(here, way, secret, password)
    cookie = cookie_of(found.token, is_secure(request.scope, here.settings.trusted_proxies))
    return Response(_told(here, found), status_code=201, cookies=[cookie], headers=_UNKEPT)


@get("/", sync_to_thread=True, summary="Who is signed in", responses=documented(401))
def show_session(request: Call) -> Response[OneSession]:
    """The session of the cookie."""
    here = services(request.app.state)
    token = None if is_elsewhere(request.scope) else session_token(request.scope)
    found = here.sign_in.find(token) if token else None
    if found is None:
        raise Unauthorized("Nobody is signed in.")
    return Response(_told(here, found), headers=_UNKEPT)


@delete("/", sync_to_thread=True, status_code=200, summary="Sign out", responses=documented(401))
def sign_out(request: Call) -> Response[dict[str, bool]]:
    """Ends the session of the cookie."""
    here = services(request.app.state)
    caller(request)
    token = session_token(request.scope)
    if token:
        here.sign_in.end(token)
    cookie = cookie_of("", is_secure(request.scope, here.settings.trusted_proxies))
    return Response({"signedOut": True}, cookies=[cookie])


@post("/links", sync_to_thread=True, summary="Make a one-time link", responses=documented(401, 403, 503))
def make_link(request: Call) -> Link:
    """A code that signs in once, within 15 minutes, as an admin of every project."""
    require(request, "admin", None)
    return {"code": services(request.app.state).sign_in.new_code(), "expiresInSeconds": int(CODE_LASTS.total_seconds())}


sessions_router = Router("/v1/session", route_handlers=[sign_in, show_session, sign_out, make_link], tags=["dashboard"])

_UNKEPT: Final = {"Cache-Control": "no-store"}


async def _found(here: Services, way: str, secret: str, password: str) -> SignedIn:
    """Who signs in. Errors: `Unauthorized`, `Forbidden`."""
    begin: Mapping[str, Callable[[], SignedIn]] = {
        "key": lambda: here.sign_in.by_key(secret),
        "code": lambda: here.sign_in.by_code(secret),
        "share": lambda: here.sign_in.by_share(secret, password),
    }
    return await asyncio.to_thread(begin[way])


def _parse(body: bytes) -> tuple[str, str, str]:
    """How somebody signs in, their secret, and a password, '' where none is given. Errors: `BadRequest`."""
    said = read_fields(body, "Signing in", dict.fromkeys((*_WAYS, "password"), _LONGEST))
    given = [way for way in _WAYS if way in said]
    if len(given) != 1:
        raise BadRequest("Signing in takes one of key, code and share.", allowed=_WAYS)
    return given[0], said[given[0]], said.get("password", "")


def _told(here: Services, found: SignedIn) -> OneSession:
    identity, share = found.identity, found.share
    project = None if identity.project_id is None else here.projects.get(identity.project_id)
    return {
        "session": {
            "name": identity.name,
            "scope": identity.scope,
            "project": project.name if project else None,
            "expiresAt": instant_text(found.expires_at),
            "share": {"title": share.title, "view": share.view} if share else None,
        },
        "csrf": here.sign_in.csrf(found.token),
    }
