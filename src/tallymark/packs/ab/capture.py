"""`POST /ab/v1/events`: batches of events from apps."""

from typing import Final

from litestar.handlers import ASGIRouteHandler

from tallymark.api.services import Services
from tallymark.packs.ab.contract import CONTRACT, EXCEPTION_HANDLERS
from tallymark.packs.ab.wire import decode
from tallymark.packs.loose_capture import Capture, capturing

PATH: Final = "/ab/v1/events"


def ab_events(here: Services) -> ASGIRouteHandler:
    """The endpoint."""
    return capturing(PATH, Capture(here, CONTRACT, decode), EXCEPTION_HANDLERS)
