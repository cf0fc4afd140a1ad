"""The sdk pack's endpoints. One that is added goes into `_HANDLERS`, with its path below `/sdk`."""

from collections.abc import Sequence
from typing import Final

from litestar import Router
from litestar.types import ControllerRouterHandler

from tallymark.api.services import Services
from tallymark.packs.sdk.capture import sdk_events
from tallymark.packs.sdk.contract import EXCEPTION_HANDLERS
from tallymark.packs.sdk.reading import export, health, metrics, table_rows

_HANDLERS: Final[Sequence[ControllerRouterHandler]] = (metrics, export, table_rows, health)


def routes(here: Services) -> Sequence[ControllerRouterHandler]:
    """Every route of the pack."""
    answers = Router("/sdk", route_handlers=_HANDLERS, exception_handlers=EXCEPTION_HANDLERS, tags=["sdk"])
    return (sdk_events(here), answers)
