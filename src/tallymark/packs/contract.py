"""What the packs' contracts share: whose project a request is about, who may ask, and how errors read."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from litestar import Request, Response
from litestar.enums import MediaType
from litestar.exceptions import HTTPException
from litestar.types import ExceptionHandlersMap, Scope

from tallymark.access.guard import Identity, token_of
from tallymark.api.errors import answer_http_exception, answer_tallymark_error, answer_unexpected
from tallymark.api.services import Services
from tallymark.config import Settings
from tallymark.control.keys import Scope as KeyScope
from tallymark.errors import AdminAuthNotConfigured, Forbidden, NotFound, TallymarkError, Unauthorized
from tallymark.spec.project import Project


@dataclass(frozen=True)
class Contract:
    """Whose project requests below a pack's prefix are about.

    `noun` is what the contract calls a project, `field` how a request names one, `default` the one that is meant
    where none is named, `open` whether SDKs and pages may send to one by naming it. `also` are packs whose projects are
    meant as well.
    """

    pack: str
    noun: str
    field: str
    default: Callable[[Settings], str]
    open: Callable[[Settings], bool]
    also: Sequence[str] = ()

    def named(self, here: Services, name: str | None) -> Project:
        """The project that is meant by a name, or by none.

        Errors: `NotFound`, also for a project without the pack.
        """
        wanted = name or self.default(here.settings)
        project = here.directory.by_name(wanted)
        if project is None or not {self.pack, *self.also}.intersection(project.packs):
            is_a = "" if self.noun == "project" else f"A {self.noun} is a project with the pack {self.pack!r}: "
            raise NotFound(
                f"There is no {self.noun} {wanted[:64]!r}; {self.field} (--project) names one. {is_a}"
                f"tallymark projects create {wanted[:64]} --pack {self.pack}",
                field=self.field,
            )
        return project

    def sent_to(self, here: Services, scope: Scope, key: str | None, name: str | None) -> Project:
        """The project that a page, a form or an SDK may send to.

        The one of the key that is given in a header or as `key`; without one, where that is open, the one that is
        named. Errors: `NotFound`, `Unauthorized`, `Forbidden`.
        """
        token = token_of(scope["headers"]) or key
        if token is not None:
            return self._of_key(here, token, here.access.known(token), name, "ingest")
        if not self.open(here.settings):
            raise Unauthorized("A key is needed: send it as 'Authorization: Bearer …' or ?key=….")
        return self.named(here, name)

    def read_by(self, here: Services, scope: Scope, name: str | None) -> Project:
        """The project of a name, for who may read it. Errors: `Unauthorized`, `Forbidden`, `NotFound`."""
        token = token_of(scope["headers"])
        if token is None:
            raise Unauthorized(
                "A key is needed: send it as 'x-api-key', 'x-dashboard-token' or 'Authorization: Bearer …'."
            )
        return self._of_key(here, token, here.access.known(token), name, "read")

    def administrated(self, here: Services, scope: Scope, name: str | None) -> Project:
        """The project of a name for an admin of it, who is looked at before the name.

        Errors: `AdminAuthNotConfigured` where nobody could be one; `Unauthorized`, `Forbidden`, `NotFound`.
        """
        token = token_of(scope["headers"])
        identity = None if token is None else here.access.identify(token)
        if token is None or identity is None:
            if not here.settings.admin_api_key:
                raise AdminAuthNotConfigured(
                    "No admin key is configured: set ADMIN_API_KEY, or send the project's own admin key as "
                    "'x-admin-key'."
                )
            raise Unauthorized("An admin key is needed: send it as 'x-admin-key'.")
        return self._of_key(here, token, identity, name, "admin")

    def _of_key(self, here: Services, token: str, identity: Identity, name: str | None, wanted: KeyScope) -> Project:
        """The project that is named, or else the key's own, if the key is good for that in it."""
        if not identity.may(wanted, identity.project_id):
            raise Forbidden(f"This key is for {identity.scope}, and this needs {wanted}.")
        own = None if identity.project_id is None else here.directory.by_id(identity.project_id)
        project = self.named(here, name or (own.name if own else None))
        here.access.require(token, wanted, project.id)
        return project


def trusted(here: Services, scope: Scope, project: Project) -> bool:
    """Whether a header carries an admin key of the project: the only sender whose word on people is taken.

    A key in a page is public, so one that can only send proves nothing.
    """
    token = token_of(scope["headers"])
    identity = None if token is None else here.access.identify(token)
    return identity is not None and identity.may("admin", project.id)


def flat_errors(success: str) -> ExceptionHandlersMap:
    """Handlers whose errors are `{success: false, "error": code, "message", "field"?, "allowed"?}`."""

    def tallymark(request: Request[Any, Any, Any], error: TallymarkError) -> Response[Any]:
        return _reshaped(answer_tallymark_error(request, error), success)

    def http(request: Request[Any, Any, Any], error: HTTPException) -> Response[Any]:
        return _reshaped(answer_http_exception(request, error), success)

    def unexpected(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
        return _reshaped(answer_unexpected(request, error), success)

    return {TallymarkError: tallymark, HTTPException: http, Exception: unexpected}


def flat(body: Any, success: str) -> dict[str, Any]:
    """The body of an error of the common API in that shape."""
    detail = dict(body["error"])
    return {success: False, "error": detail.pop("code"), **detail}


def _reshaped(response: Response[Any], success: str) -> Response[Any]:
    return Response(
        flat(response.content, success),
        status_code=response.status_code,
        headers=dict(response.headers),
        media_type=MediaType.JSON,
    )
