"""The voice contract: whose project a request is about, who may ask, and how errors read.

Errors are `{"success": false, "error": code, "message", "field"?, "allowed"?}`.
"""

from typing import Final

from litestar.types import ExceptionHandlersMap, Scope

from tallymark.access.guard import token_of
from tallymark.api.services import Services
from tallymark.packs.contract import Contract, flat_errors
from tallymark.spec.project import Project

CONTRACT: Final = Contract(
    pack="voice",
    noun="project",
    field="project",
    default=lambda settings: settings.voice_project,
    open=lambda settings: settings.voice_capture != "keyed",
)

#: For the routers below `/voice`.
EXCEPTION_HANDLERS: Final[ExceptionHandlersMap] = flat_errors("success")


def counted_for(here: Services, scope: Scope, name: str | None) -> Project:
    """The project whose numbers are asked for: where they are open, any that is named; a key that is given must fit.

    Errors: `Unauthorized`, `Forbidden`, `NotFound`.
    """
    if token_of(scope["headers"]) is None and here.settings.voice_stats == "open":
        return CONTRACT.named(here, name)
    return CONTRACT.read_by(here, scope, name)
