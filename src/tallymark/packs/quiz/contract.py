"""The quiz contract: whose project a request is about, and how errors read.

Errors are `{"success": false, "error": code, "message", "field"?, "allowed"?}`.
"""

from typing import Final

from litestar.types import ExceptionHandlersMap

from tallymark.packs.contract import Contract, flat_errors

CONTRACT: Final = Contract(
    pack="quiz",
    noun="project",
    field="project",
    default=lambda settings: settings.quiz_project,
    open=lambda settings: settings.quiz_capture == "open",
)

#: For the routers below `/quiz`.
EXCEPTION_HANDLERS: Final[ExceptionHandlersMap] = flat_errors("success")
