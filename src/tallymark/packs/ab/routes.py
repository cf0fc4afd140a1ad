"""The ab pack's endpoints. One that is added goes into `_HANDLERS`, with its path below `/ab`."""

from collections.abc import Sequence
from typing import Final

from litestar import Router
from litestar.types import ControllerRouterHandler

from tallymark.api.services import Services
from tallymark.packs.ab.assignment import assignment
from tallymark.packs.ab.capture import ab_events
from tallymark.packs.ab.contract import EXCEPTION_HANDLERS
from tallymark.packs.ab.ofrep import flags
from tallymark.packs.ab.reading import HANDLERS
from tallymark.packs.ab.results import experiment_results

_HANDLERS: Final[Sequence[ControllerRouterHandler]] = (experiment_results, *HANDLERS)


def routes(here: Services) -> Sequence[ControllerRouterHandler]:
    """Every route of the pack."""
    answers = Router("/ab", route_handlers=_HANDLERS, exception_handlers=EXCEPTION_HANDLERS, tags=["ab"])
    return (assignment(here), ab_events(here), *flags(here), answers)
