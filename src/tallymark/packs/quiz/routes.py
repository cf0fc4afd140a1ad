"""The quiz pack's endpoints.

One that is added goes into `_HANDLERS`, with its path below `/quiz`.
"""

from collections.abc import Sequence
from typing import Final

from litestar import Router
from litestar.types import ControllerRouterHandler

from tallymark.api.services import Services
from tallymark.packs.quiz.analytics import HANDLERS as ANALYTICS
from tallymark.packs.quiz.contract import EXCEPTION_HANDLERS

_HANDLERS: Final[Sequence[ControllerRouterHandler]] = (*ANALYTICS,)


def routes(here: Services) -> Sequence[ControllerRouterHandler]:
    """Every route of the pack."""
    answers = Router("/quiz", route_handlers=_HANDLERS, exception_handlers=EXCEPTION_HANDLERS, tags=["quiz"])
    return (answers,)
