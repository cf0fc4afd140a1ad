"""The web contract: whose property a request is about, who may ask, and how errors read.

Answers are `{"ok": true, …}`, errors `{"ok": false, "error": code, "message", "field"?, "allowed"?}`.
"""

from typing import Any, Final

from litestar.types import ExceptionHandlersMap, Scope

from tallymark.access.guard import token_of
from tallymark.api.services import Services
from tallymark.errors import TallymarkError
from tallymark.packs.contract import Contract, flat, flat_errors
from tallymark.spec.project import Project

CONTRACT: Final = Contract(
    pack="web",
    noun="property",
    field="propertyId",
    default=lambda settings: settings.default_property,
    open=lambda settings: settings.web_capture == "open",
)

#: For the routers below `/web`.
EXCEPTION_HANDLERS: Final[ExceptionHandlersMap] = flat_errors("ok")


def failure(error: TallymarkError) -> dict[str, Any]:
    """The body of an error."""
    return flat(error.body(), "ok")


def trusted(here: Services, scope: Scope, project: Project) -> bool:
    """Whether a header carries an admin key of the project: the only sender whose word on people is taken.

    A key in a page is public, so one that can only send proves nothing.
    """
    token = token_of(scope["headers"])
    identity = None if token is None else here.access.identify(token)
    return identity is not None and identity.may("admin", project.id)


def sending_origin_allowed(here: Services, origin: str) -> bool:
    """Whether a page of this origin may send: every one, or those that CORS allows; '' is no page."""
    allowed = here.settings.cors_origins
    return not origin or "*" in allowed or origin in allowed
