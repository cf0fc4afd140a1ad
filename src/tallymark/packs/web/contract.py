"""The web contract: whose property a request is about, who may ask, and how errors read.

Answers are `{"ok": true, …}`, errors `{"ok": false, "error": code, "message", "field"?, "allowed"?}`.
"""

from dataclasses import replace
from typing import Any, Final

from litestar.types import ExceptionHandlersMap

from tallymark.api.services import Services
from tallymark.errors import TallymarkError
from tallymark.packs.contract import Contract, flat, flat_errors
from tallymark.packs.leads.names import PACKS

CONTRACT: Final = Contract(
    pack="web",
    noun="property",
    field="propertyId",
    default=lambda settings: settings.default_property,
    open=lambda settings: settings.web_capture == "open",
)

#: Of what is asked about people: in projects of other packs, too, they leave their addresses.
PEOPLE: Final = replace(CONTRACT, also=PACKS)

#: For the routers below `/web`.
EXCEPTION_HANDLERS: Final[ExceptionHandlersMap] = flat_errors("ok")


def failure(error: TallymarkError) -> dict[str, Any]:
    """The body of an error."""
    return flat(error.body(), "ok")


def sending_origin_allowed(here: Services, origin: str) -> bool:
    """Whether a page of this origin may send: every one, or those that CORS allows; '' is no page."""
    allowed = here.settings.cors_origins
    return not origin or "*" in allowed or origin in allowed
