"""The web contract: whose property a request is about, who may ask, and how errors read.

Answers are `{"ok": true, …}`, errors `{"ok": false, "error": code, "message", "field"?, "allowed"?}`.
"""

from typing import Any

from litestar import Request, Response
from litestar.enums import MediaType
from litestar.exceptions import HTTPException
from litestar.types import ExceptionHandlersMap, Scope

from tallymark.access.guard import token_of
from tallymark.api.errors import answer_http_exception, answer_tallymark_error, answer_unexpected
from tallymark.api.services import Services
from tallymark.errors import AdminAuthNotConfigured, Forbidden, NotFound, TallymarkError, Unauthorized
from tallymark.spec.project import Project

NAME = "web"


def failure(error: TallymarkError) -> dict[str, Any]:
    """The body of an error."""
    return _flat(error.body())


def _flat(body: Any) -> dict[str, Any]:
    detail = dict(body["error"])
    return {"ok": False, "error": detail.pop("code"), **detail}


def _reshaped(response: Response[Any]) -> Response[Any]:
    return Response(
        _flat(response.content),
        status_code=response.status_code,
        headers=dict(response.headers),
        media_type=MediaType.JSON,
    )


def _tallymark(request: Request[Any, Any, Any], error: TallymarkError) -> Response[Any]:
    return _reshaped(answer_tallymark_error(request, error))


def _http(request: Request[Any, Any, Any], error: HTTPException) -> Response[Any]:
    return _reshaped(answer_http_exception(request, error))


def _unexpected(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    return _reshaped(answer_unexpected(request, error))


#: For the routers below `/web`.
EXCEPTION_HANDLERS: ExceptionHandlersMap = {TallymarkError: _tallymark, HTTPException: _http, Exception: _unexpected}


def named_property(here: Services, name: str | None) -> Project:
    """The project that is meant by a property's name, or by none.

    Errors: `NotFound`, also for a project without the pack.
    """
    wanted = name or here.settings.default_property
    project = here.directory.by_name(wanted)
    if project is None or NAME not in project.packs:
        raise NotFound(
            f"There is no property {wanted[:64]!r}; propertyId (--project) names one. A property is a project with the "
            f"pack 'web': tallymark projects create {wanted[:64]} --pack web",
            field="propertyId",
        )
    return project


def capturing_property(here: Services, scope: Scope, key: str | None, name: str | None) -> Project:
    """The project that a page or a form may send to.

    The one of the key that is given in a header or as `key`; without one, where capture is open, the one that is
    named. Errors: `NotFound`, `Unauthorized`, `Forbidden`.
    """
    token = token_of(scope["headers"]) or key
    if token is None:
        if here.settings.web_capture != "open":
            raise Unauthorized("A key is needed: send it as 'Authorization: Bearer …' or ?key=….")
        return named_property(here, name)
    identity = here.access.known(token)
    own = None if identity.project_id is None else here.directory.by_id(identity.project_id)
    project = named_property(here, name or (own.name if own else None))
    here.access.require(token, "ingest", project.id)
    return project


def trusted(here: Services, scope: Scope, project: Project) -> bool:
    """Whether a header carries an admin key of the project: the only sender whose word on people is taken.

    A key in a page is public, so one that can only send proves nothing.
    """
    token = token_of(scope["headers"])
    identity = None if token is None else here.access.identify(token)
    return identity is not None and identity.may("admin", project.id)


def administrated_property(here: Services, scope: Scope, name: str | None) -> Project:
    """The project of a property's name for an admin of it, who is looked at before the name.

    Errors: `AdminAuthNotConfigured` where nobody could be one; `Unauthorized`, `Forbidden`, `NotFound`.
    """
    token = token_of(scope["headers"])
    identity = None if token is None else here.access.identify(token)
    if identity is None:
        if not here.settings.admin_api_key:
            raise AdminAuthNotConfigured(
                "No admin key is configured: set ADMIN_API_KEY, or send the project's own admin key as 'x-admin-key'."
            )
        raise Unauthorized("An admin key is needed: send it as 'x-admin-key'.")
    own = None if identity.project_id is None else here.directory.by_id(identity.project_id)
    if identity.scope != "admin":
        raise Forbidden(f"This key is for {identity.scope}, and this needs admin.")
    project = named_property(here, name or (own.name if own else None))
    here.access.require(token, "admin", project.id)
    return project


def sending_origin_allowed(here: Services, origin: str) -> bool:
    """Whether a page of this origin may send: every one, or those that CORS allows; '' is no page."""
    allowed = here.settings.cors_origins
    return not origin or "*" in allowed or origin in allowed
