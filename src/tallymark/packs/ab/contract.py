"""The ab contract: whose project a request is about, who may ask, and how errors read.

Errors are `{"success": false, "error": code, "message", "field"?, "allowed"?}`.
"""

from typing import Final

from litestar.types import ExceptionHandlersMap

from tallymark.packs.contract import Contract, flat_errors

CONTRACT: Final = Contract(
    pack="ab",
    noun="project",
    field="project",
    default=lambda settings: settings.ab_project,
    open=lambda settings: settings.ab_capture == "open",
)

#: For the routers below `/ab`.
EXCEPTION_HANDLERS: Final[ExceptionHandlersMap] = flat_errors("success")
